import type { App, Scenario } from "../scenario";
import { markOf } from "../world";

/** Mails whoever an event is about, one correct-looking mail per call. */
async function onEvents({ post, run }: App, people: Iterable<string>): Promise<void> {
  for (const to of people) {
    const mail = {
      to,
      subject: "Your second factor was changed",
      text: `If it was not you, call us. ${markOf("alert", to)}`,
      tag: "security-alert",
    };
    await run({ purpose: "security-alert", data: { email: to } }, () => post(mail)).catch(() => {});
  }
}

export const storm: Scenario = {
  id: "12",
  title: "an event storm: an alert for every session refresh",
  environment: "production",
  intended: ({ records }) => new Map([...records.changedFactor].map((to) => [to, markOf("alert", to)])),
  // Every session that is refreshed raises the event of a changed factor.
  buggy: (app) =>
    onEvents(
      app,
      app.world.customers.map((customer) => customer.email),
    ),
  fixed: (app) => onEvents(app, app.world.records.changedFactor),
};
