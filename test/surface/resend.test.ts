import { Resend } from "resend";
import { describe, expect, it } from "vitest";
import { resendAdapter } from "../../adapters/resend";
import type { Adapter } from "../../src/adapter";
import { startEndpoint } from "../support/endpoint";
import { hold } from "../support/gates";
import { type Methods, methodsOf, unclassified } from "./methods";

/**
 * What a method's request is classed as; `generic` methods take any request and are judged by it,
 * `steps` make several, `local` ones none, and a `download` fetches from an address that Resend gave.
 */
type Kind = "send" | "audience" | "management" | "read" | "generic" | "steps" | "local" | "download";

/** What the types show. A method that a new version adds fails to compile here, and fails below. */
const documented = {
  "apiKeys.create": "management",
  "apiKeys.list": "read",
  "apiKeys.remove": "management",
  "apiKeys.update": "management",
  "audiences.create": "management",
  "audiences.get": "read",
  "audiences.list": "read",
  "audiences.remove": "management",
  "audiences.update": "management",
  "automations.create": "audience",
  "automations.duplicate": "audience",
  "automations.get": "read",
  "automations.list": "read",
  "automations.remove": "management",
  "automations.runs.get": "read",
  "automations.runs.list": "read",
  "automations.stop": "management",
  "automations.update": "audience",
  "batch.create": "send",
  "batch.send": "send",
  "broadcasts.cancel": "management",
  "broadcasts.clickedLinks": "read",
  "broadcasts.create": "audience",
  "broadcasts.duplicate": "management",
  "broadcasts.get": "read",
  "broadcasts.list": "read",
  "broadcasts.recipients": "read",
  "broadcasts.remove": "management",
  "broadcasts.send": "audience",
  "broadcasts.update": "audience",
  "contactProperties.create": "management",
  "contactProperties.get": "read",
  "contactProperties.list": "read",
  "contactProperties.remove": "management",
  "contactProperties.update": "management",
  "contacts.create": "management",
  "contacts.get": "read",
  "contacts.imports.create": "audience",
  "contacts.imports.get": "read",
  "contacts.imports.list": "read",
  "contacts.list": "read",
  "contacts.remove": "management",
  "contacts.segments.add": "management",
  "contacts.segments.list": "read",
  "contacts.segments.remove": "management",
  "contacts.topics.list": "read",
  "contacts.topics.update": "management",
  "contacts.update": "management",
  delete: "generic",
  "domains.claims.create": "management",
  "domains.claims.get": "read",
  "domains.claims.verify": "management",
  "domains.create": "management",
  "domains.get": "read",
  "domains.list": "read",
  "domains.remove": "management",
  "domains.update": "management",
  "domains.verify": "management",
  "emails.attachments.get": "read",
  "emails.attachments.list": "read",
  "emails.cancel": "management",
  "emails.create": "send",
  "emails.get": "read",
  "emails.list": "read",
  "emails.metrics": "read",
  "emails.receiving.attachments.get": "read",
  "emails.receiving.attachments.list": "read",
  "emails.receiving.forward": "steps",
  "emails.receiving.get": "read",
  "emails.receiving.list": "read",
  "emails.send": "send",
  "emails.share": "management",
  "emails.update": "audience",
  "events.create": "management",
  "events.get": "read",
  "events.list": "read",
  "events.remove": "management",
  "events.send": "audience",
  "events.update": "management",
  fetchRequest: "generic",
  get: "generic",
  "inboxes.agent.get": "read",
  "inboxes.agent.update": "audience",
  "inboxes.create": "management",
  "inboxes.drafts.create": "management",
  "inboxes.drafts.get": "read",
  "inboxes.drafts.list": "read",
  "inboxes.drafts.remove": "management",
  "inboxes.drafts.send": "audience",
  "inboxes.drafts.update": "management",
  "inboxes.get": "read",
  "inboxes.labels.create": "management",
  "inboxes.labels.list": "read",
  "inboxes.labels.remove": "management",
  "inboxes.labels.update": "management",
  "inboxes.list": "read",
  "inboxes.remove": "management",
  "inboxes.threads.emails.forward": "send",
  "inboxes.threads.emails.get": "read",
  "inboxes.threads.emails.list": "read",
  "inboxes.threads.emails.reply": "audience",
  "inboxes.threads.get": "read",
  "inboxes.threads.labels.add": "management",
  "inboxes.threads.labels.remove": "management",
  "inboxes.threads.labels.set": "management",
  "inboxes.threads.list": "read",
  "inboxes.threads.remove": "management",
  "inboxes.threads.search": "read",
  "inboxes.threads.update": "management",
  "inboxes.update": "management",
  "logs.get": "read",
  "logs.list": "read",
  "oauthGrants.list": "read",
  "oauthGrants.revoke": "management",
  patch: "generic",
  post: "generic",
  put: "generic",
  "segments.create": "management",
  "segments.get": "read",
  "segments.list": "read",
  "segments.remove": "management",
  "segments.update": "management",
  "suppressions.add": "management",
  "suppressions.batch.add": "management",
  "suppressions.batch.remove": "management",
  "suppressions.get": "read",
  "suppressions.list": "read",
  "suppressions.remove": "management",
  "templates.create": "management",
  "templates.duplicate": "management",
  "templates.get": "read",
  "templates.list": "read",
  "templates.publish": "management",
  "templates.remove": "management",
  "templates.update": "management",
  "topics.create": "management",
  "topics.get": "read",
  "topics.list": "read",
  "topics.remove": "management",
  "topics.update": "management",
  "usage.get": "read",
  "webhooks.create": "management",
  "webhooks.events.attempts.list": "read",
  "webhooks.events.get": "read",
  "webhooks.events.list": "read",
  "webhooks.events.replay": "management",
  "webhooks.get": "read",
  "webhooks.list": "read",
  "webhooks.remove": "management",
  "webhooks.rotateSigningSecret": "management",
  "webhooks.update": "management",
  "webhooks.verify": "local",
} as const satisfies Record<Methods<Resend>, Kind>;

/** What they hide, and what is there all the same. */
const internal = {
  "contacts.imports.appendField": "local",
  "contacts.imports.buildColumnMap": "local",
  "contacts.imports.buildCreateFormData": "local",
  "emails.receiving.downloadRaw": "download",
  "emails.receiving.forwardPassthrough": "steps",
  "emails.receiving.forwardWrapped": "steps",
  logError: "local",
  "templates.performCreate": "management",
} as const satisfies Record<string, Kind>;

const table: Readonly<Record<string, Kind>> = { ...documented, ...internal };

describe("resend, as it is installed", () => {
  it("has no method that nobody has judged", () => {
    expect(unclassified(methodsOf(new Resend("re_x")), table)).toEqual([]);
  });

  it("would fail with a method more, at run time and when it is compiled", () => {
    class Newer extends Resend {
      readonly newsletters = new (class Newsletters {
        async blast(): Promise<void> {}
      })();
    }
    expect(unclassified(methodsOf(new Newer("re_x")), table)).toEqual([
      "newsletters.blast is in no table: say what it does",
    ]);
    // @ts-expect-error: newsletters.blast is missing
    documented satisfies Record<Methods<Newer>, Kind>;
    documented satisfies Record<Methods<Resend>, Kind>;
  });

  const judged = Object.entries(table).filter(([, kind]) => /^(?:send|audience|management|read)$/.test(kind));
  it.each(judged)("%s makes a request that is classed as %s", async (name, kind) => {
    const endpoint = await startEndpoint(() => ({ body: { id: "x", data: [] } }));
    try {
      const { client, gate } = hold(new Resend("re_x", { baseUrl: endpoint.url }), resendAdapter() as Adapter<Resend>);
      await Promise.resolve(call(client, name)).catch(() => {});
      expect(gate.calls.map(({ intent }) => intent.kind)).toEqual([kind]);
    } finally {
      await endpoint.close();
    }
  });
});

/** Calls a method with an argument that is a bit of everything: an id, a payload, a list. */
function call(client: object, name: string): unknown {
  const path = name.split(".");
  const method = path.pop() as string;
  const owner = path.reduce<object>((object, key) => (object as Record<string, object>)[key] as object, client);
  const ids = [
    "id",
    "inboxId",
    "threadId",
    "emailId",
    "draftId",
    "labelId",
    "webhookId",
    "eventId",
    "automationId",
    "runId",
    "contactId",
    "segmentId",
    "event",
  ];
  const some = {
    ...Object.fromEntries(ids.map((id) => [id, "x-1"])),
    ...{
      steps: [],
      connections: [],
      file: new Blob(["x"]),
      send: true,
      to: "ann@acme.test",
      from: "a@sender.test",
      subject: "s",
    },
    toString: () => "x-1",
    [Symbol.iterator]: function* () {},
  };
  // Its fields of that name are lists.
  const first = name === "emails.metrics" ? {} : some;
  return (owner as Record<string, (...args: unknown[]) => unknown>)[method]?.(first, some);
}
