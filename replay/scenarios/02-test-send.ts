import type { App, Scenario } from "../scenario";
import { markOf } from "../world";

/** Mails the offer, to staff alone when it is a test. Nobody notices an option it does not know. */
async function mailOffer({ world, post, mass }: App, options: { readonly testOnly?: boolean }): Promise<void> {
  const start = await mass({
    purpose: "offer",
    expectedPeople: world.staff.length,
    audience: () =>
      options.testOnly ? world.staff : [...world.staff, ...world.customers.map((customer) => customer.email)],
    send: (to) =>
      post({ to, subject: "Upgrade on us", text: `Travel first class. ${markOf("offer", to)}`, tag: "offer" }),
  });
  await start();
}

export const testSend: Scenario = {
  id: "2",
  title: "Virgin Trains: a test meant for staff goes to everyone",
  environment: "production",
  intended: ({ staff }) => new Map(staff.map((to) => [to, markOf("offer", to)])),
  // The option is misspelt, as a plain JavaScript caller may.
  buggy: (app) => mailOffer(app, JSON.parse('{ "testonly": true }') as { testOnly?: boolean }),
  fixed: (app) => mailOffer(app, { testOnly: true }),
};
