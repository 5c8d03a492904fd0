import type { App, Scenario } from "../scenario";
import { markOf, type World } from "../world";

type Change = "nothing" | "audience and text" | "text";

/** Shows the campaign to those who approve it; between that and the start, its sources change. */
async function campaign({ world, post, mass }: App, change: Change): Promise<void> {
  let template = "Come aboard.";
  let segment = world.customers.slice(0, world.top);
  let approved = true;
  const start = await mass({
    purpose: "offer",
    expectedPeople: world.top,
    audience: () => segment,
    send: ({ email }) =>
      post({
        to: email,
        subject: "For you",
        text: `${template} ${markOf(approved ? "drift" : "changed", email)}`,
        tag: "offer",
      }),
  });
  if (change !== "nothing") {
    template = "Come aboard, and bring $NAME.";
    approved = false;
  }
  if (change === "audience and text") segment = [...world.customers];
  await start();
}

const story = {
  environment: "production",
  intended: ({ customers, top }: World) =>
    new Map(customers.slice(0, top).map(({ email }) => [email, markOf("drift", email)])),
  fixed: (app: App) => campaign(app, "nothing"),
} as const;

export const drift: Scenario = {
  id: "11",
  title: "audience and text change between approval and sending",
  ...story,
  buggy: (app) => campaign(app, "audience and text"),
};

/** No count shows this one: the same people get what nobody approved. */
export const rewording: Scenario = {
  id: "11b",
  title: "the text alone changes between approval and sending",
  ...story,
  buggy: (app) => campaign(app, "text"),
};
