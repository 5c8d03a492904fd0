import type { App, Scenario } from "../scenario";
import { markOf } from "../world";

/** Tells customers of their refund. The audience comes from a query; the date may be missing. */
async function mailRefunds({ world, post, mass }: App, people: readonly string[]): Promise<void> {
  const start = await mass({
    purpose: "refund",
    // Whoever ordered this believed everybody on the list to be due: the count looks right.
    expectedPeople: people.length,
    audience: () => people,
    send: (to) =>
      post({
        to,
        subject: "Your refund",
        text: `Since you renewed your car insurance on, ${world.records.refunds.has(to) ? "1 May" : "null"}. ${markOf("refund", to)}`,
      }),
    data: (email) => ({ email }),
  });
  await start();
}

export const refund: Scenario = {
  id: "4",
  title: "Hastings: refunds announced to people who bought nothing",
  environment: "production",
  intended: ({ records }) => new Map([...records.refunds.keys()].map((to) => [to, markOf("refund", to)])),
  buggy: (app) =>
    mailRefunds(
      app,
      app.world.customers.map((customer) => customer.email),
    ),
  fixed: (app) => mailRefunds(app, [...app.world.records.refunds.keys()]),
};
