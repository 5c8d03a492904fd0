import * as sdk from "mailtrap";
import { MailtrapClient } from "mailtrap";
import { describe, expect, it } from "vitest";
import { mailtrapAdapter } from "../../adapters/mailtrap";
import type { Adapter } from "../../src/adapter";
import { startEndpoint } from "../support/endpoint";
import { hold } from "../support/gates";
import { PlainAgent } from "../support/plain-agent";
import { type Methods, methodsOf, unclassified } from "./methods";

/** What a method's request is classed as; `local` ones make none. */
type Kind = "send" | "audience" | "system" | "management" | "read" | "local";

/** What the types show of the client and its sub-clients. A method that a new version adds fails to compile here. */
const documented = {
  batchSend: "send",
  send: "send",
  "companyInfo.create": "management",
  "companyInfo.get": "read",
  "companyInfo.update": "management",
  "contactEvents.create": "audience",
  "contactExports.create": "management",
  "contactExports.get": "read",
  "contactFields.create": "management",
  "contactFields.delete": "management",
  "contactFields.get": "read",
  "contactFields.getList": "read",
  "contactFields.update": "management",
  // Onto a list here; without one it is management.
  "contactImports.create": "audience",
  "contactImports.get": "read",
  "contactLists.create": "management",
  "contactLists.delete": "management",
  "contactLists.get": "read",
  "contactLists.getList": "read",
  "contactLists.update": "management",
  "contacts.create": "management",
  "contacts.delete": "management",
  "contacts.get": "read",
  "contacts.update": "management",
  "emailCampaigns.cancel": "management",
  "emailCampaigns.create": "management",
  "emailCampaigns.delete": "management",
  "emailCampaigns.get": "read",
  "emailCampaigns.getList": "read",
  "emailCampaigns.getStats": "read",
  "emailCampaigns.reset": "management",
  "emailCampaigns.schedule": "audience",
  "emailCampaigns.start": "audience",
  "emailCampaigns.terminate": "management",
  "emailCampaigns.update": "audience",
  "emailLogs.get": "read",
  "emailLogs.getList": "read",
  "general.accountAccesses.listAccountAccesses": "read",
  "general.accountAccesses.removeAccountAccess": "management",
  "general.accounts.getAllAccounts": "read",
  "general.apiTokens.create": "management",
  "general.apiTokens.delete": "management",
  "general.apiTokens.get": "read",
  "general.apiTokens.getList": "read",
  "general.apiTokens.reset": "management",
  "general.billing.getCurrentBillingCycleUsage": "read",
  "general.permissions.bulkPermissionsUpdate": "management",
  "general.permissions.getResources": "read",
  "inbound.folders.create": "management",
  "inbound.folders.delete": "management",
  "inbound.folders.get": "read",
  "inbound.folders.getList": "read",
  "inbound.folders.update": "management",
  "inbound.inboxes.create": "management",
  "inbound.inboxes.delete": "management",
  "inbound.inboxes.get": "read",
  "inbound.inboxes.getList": "read",
  "inbound.inboxes.update": "management",
  "inbound.messages.delete": "management",
  "inbound.messages.forward": "send",
  "inbound.messages.get": "read",
  "inbound.messages.getList": "read",
  "inbound.messages.reply": "audience",
  "inbound.messages.replyAll": "audience",
  "inbound.threads.delete": "management",
  "inbound.threads.get": "read",
  "inbound.threads.getList": "read",
  "organizations.subAccounts.create": "management",
  "organizations.subAccounts.getList": "read",
  "sendingDomains.create": "management",
  "sendingDomains.delete": "management",
  "sendingDomains.get": "read",
  "sendingDomains.getList": "read",
  "sendingDomains.sendSetupInstructions": "system",
  "sendingDomains.update": "management",
  "stats.byCategory": "read",
  "stats.byDate": "read",
  "stats.byDomain": "read",
  "stats.byEmailServiceProvider": "read",
  "stats.get": "read",
  "suppressions.create": "management",
  "suppressions.delete": "management",
  "suppressions.getList": "read",
  "templates.create": "management",
  "templates.delete": "management",
  "templates.get": "read",
  "templates.getList": "read",
  "templates.update": "management",
  "testing.attachments.get": "read",
  "testing.attachments.getList": "read",
  "testing.inboxes.cleanInbox": "management",
  "testing.inboxes.create": "management",
  "testing.inboxes.delete": "management",
  "testing.inboxes.getInboxAttributes": "read",
  "testing.inboxes.getList": "read",
  "testing.inboxes.markAsRead": "management",
  "testing.inboxes.resetCredentials": "management",
  "testing.inboxes.resetEmailAddress": "management",
  "testing.inboxes.enableEmailAddress": "management",
  "testing.inboxes.updateInbox": "management",
  "testing.messages.deleteMessage": "management",
  "testing.messages.forward": "send",
  "testing.messages.showEmailMessage": "read",
  "testing.messages.get": "read",
  "testing.messages.getHtmlAnalysis": "read",
  "testing.messages.getHtmlMessage": "read",
  "testing.messages.getMessageHtmlSource": "read",
  "testing.messages.getMailHeaders": "read",
  "testing.messages.getMessageAsEml": "read",
  "testing.messages.getRawMessage": "read",
  "testing.messages.getSpamScore": "read",
  "testing.messages.getTextMessage": "read",
  "testing.messages.updateMessage": "management",
  "testing.projects.create": "management",
  "testing.projects.delete": "management",
  "testing.projects.getById": "read",
  "testing.projects.getList": "read",
  "testing.projects.update": "management",
  "trackingOptOuts.create": "management",
  "trackingOptOuts.delete": "management",
  "trackingOptOuts.getList": "read",
  "webhooks.create": "management",
  "webhooks.delete": "management",
  "webhooks.get": "read",
  "webhooks.getList": "read",
  "webhooks.update": "management",
} as const satisfies Record<Methods<MailtrapClient>, Kind>;

/** What the types hide, and what makes no request. */
const hidden = {
  determineHost: "local",
  "general.checkAccountIdPresence": "local",
  "inbound.inboxes.inboxesURL": "local",
  "inbound.messages.messagesURL": "local",
  "inbound.threads.threadsURL": "local",
  validateAccountIdPresence: "local",
  validateOrganizationIdPresence: "local",
  validateTestInboxIdPresence: "local",
} as const satisfies Record<string, Kind>;

const table: Readonly<Record<string, Kind>> = { ...documented, ...hidden };

function clientOf(Made: typeof MailtrapClient = MailtrapClient, url = "http://127.0.0.1:9"): MailtrapClient {
  const made = new Made({ token: "key", accountId: 7, organizationId: 9 });
  (made as unknown as { axios: { defaults: object } }).axios.defaults = Object.assign(
    (made as unknown as { axios: { defaults: object } }).axios.defaults,
    { httpsAgent: new PlainAgent(url) },
  );
  return made;
}

/** Every method there is: sub-clients are made by getters, of the client and of one of them. */
function reached(client: object): string[] {
  const names = new Set<string>();
  const visit = (object: object, path: string): void => {
    for (const name of methodsOf(object)) {
      // The axios, which every sub-client holds; it takes any request.
      if (!/^axios$|(?:^|\.)client$|Instance\./.test(name)) names.add(`${path}${name}`);
    }
    for (let at: object | null = Object.getPrototypeOf(object); at && at !== Object.prototype; ) {
      for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
        if (get && name !== "__proto__") visit(get.call(object) as object, `${path}${name}.`);
      }
      at = Object.getPrototypeOf(at);
    }
  };
  visit(client, "");
  return [...names];
}

describe("mailtrap, as it is installed", () => {
  it("has no method that nobody has judged", () => {
    expect(unclassified(reached(clientOf()), table)).toEqual([]);
  });

  it("exports no other way to send, but nodemailer's transport", () => {
    expect(Object.keys(sdk).sort()).toEqual(["MailtrapClient", "MailtrapTransport", "verifyWebhookSignature"]);
  });

  it("would fail with a method more, of the client or of a sub-client, at run time and when it is compiled", () => {
    class Blasts {
      async all(): Promise<void> {}
    }
    class Newer extends MailtrapClient {
      async blast(): Promise<void> {}
      get blasts(): Blasts {
        return new Blasts();
      }
    }
    expect(unclassified(reached(clientOf(Newer)), table)).toEqual([
      "blast is in no table: say what it does",
      "blasts.all is in no table: say what it does",
    ]);
    // @ts-expect-error: blast and blasts.all are missing
    documented satisfies Record<Methods<Newer>, Kind>;
  });

  const body = { email: "ann@acme.test", contacts: [{ list_ids_included: [1] }], contact_list_ids: [1], name: "x" };
  it.each(Object.entries(documented))("%s makes a request that is classed as %s", async (name, kind) => {
    const endpoint = await startEndpoint();
    try {
      const made = clientOf(MailtrapClient, endpoint.url);
      const { client, gate } = hold(made, mailtrapAdapter() as Adapter<MailtrapClient>);
      const path = name.split(".");
      const last = path.pop() as string;
      const owner = path.reduce<Record<string, unknown>>(
        (at, key) => at[key] as Record<string, unknown>,
        client as unknown as Record<string, unknown>,
      );
      const method = owner[last] as (...args: unknown[]) => Promise<unknown>;
      const length = path.length === 0 ? 1 : method.length;
      // Ids come first, then the body.
      const end = { batchSend: { requests: [] }, bulkPermissionsUpdate: [] }[last] ?? body;
      const alone =
        /^(?:get|delete|remove|start|cancel|terminate|reset|show|clean|mark|enable)/.test(last) &&
        name !== "general.apiTokens.reset";
      const args = Array.from({ length: Math.max(1, length) }, (_, at) =>
        alone || at < length - 1 || length === 0 ? 1 : end,
      );
      await method.apply(owner, args).catch(() => {});
      expect(gate.calls.map(({ intent }) => intent.kind)).toEqual([kind]);
    } finally {
      await endpoint.close();
    }
  });
});
