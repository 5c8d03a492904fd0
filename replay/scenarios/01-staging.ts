import type { App, Scenario } from "../scenario";
import { markOf } from "../world";

/** The nightly digest. Staging's database was refreshed from production's, customers and all. */
async function digest({ post }: App, people: readonly string[]): Promise<void> {
  for (const to of people) {
    await post({ to, subject: "Your week", text: `Here is your week. ${markOf("digest", to)}`, tag: "digest" }).catch(
      () => {},
    );
  }
}

export const staging: Scenario = {
  id: "1",
  title: "staging with production's data mails real people",
  environment: "staging",
  intended: () => new Map(),
  intendedFixed: ({ testers }) => new Map(testers.map((to) => [to, markOf("digest", to)])),
  buggy: (app) =>
    digest(
      app,
      app.world.customers.map((customer) => customer.email),
    ),
  fixed: (app) => digest(app, app.world.testers),
};
