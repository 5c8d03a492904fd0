import type { App, Scenario } from "../scenario";
import { markOf, type World } from "../world";

const part = ({ customers }: World) =>
  customers.slice(0, Math.floor(customers.length / 4)).map((customer) => customer.email);

/** Mails a template from the folder of live templates. Somebody's test lies there, too. */
async function mailTemplate(
  { world, post, mass }: App,
  template: { readonly subject: string; readonly text: string },
): Promise<void> {
  const start = await mass({
    purpose: "offer",
    expectedPeople: part(world).length,
    audience: () => part(world),
    send: (to) =>
      post({
        to,
        subject: template.subject,
        text: `${template.text}\n\n${markOf(template.subject, to)}`,
        tag: "offer",
      }),
  });
  await start();
}

const letter = { subject: "What is on in May", text: "Three new lines, and trains every half hour." };

export const fixture: Scenario = {
  id: "13",
  title: "a test fixture in a live template",
  environment: "production",
  intended: () => new Map(),
  intendedFixed: (world) => new Map(part(world).map((to) => [to, markOf(letter.subject, to)])),
  buggy: (app) =>
    mailTemplate(app, {
      subject: "Integration Test Email #1",
      text: "This template is used by integration tests only.",
    }),
  fixed: (app) => mailTemplate(app, letter),
};
