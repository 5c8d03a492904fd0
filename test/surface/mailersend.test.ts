import { MailerSend } from "mailersend";
import { describe, expect, it } from "vitest";
import { mailersendAdapter } from "../../adapters/mailersend";
import type { Adapter } from "../../src/adapter";
import { startEndpoint } from "../support/endpoint";
import { hold } from "../support/gates";
import { type Methods, methodsOf, unclassified } from "./methods";

/** What a method's request is classed as; `generic` ones take any request, `local` ones make none. */
type Kind = "send" | "system" | "management" | "read" | "generic" | "local";

/** What the types show. A method that a new version adds fails to compile here, and fails below. */
const documented = {
  "blocklistMonitor.create": "system",
  "blocklistMonitor.delete": "management",
  "blocklistMonitor.list": "read",
  "blocklistMonitor.single": "read",
  "blocklistMonitor.update": "system",
  "dmarc.addFavorite": "management",
  "dmarc.create": "management",
  "dmarc.delete": "management",
  "dmarc.list": "read",
  "dmarc.removeFavorite": "management",
  "dmarc.report": "read",
  "dmarc.reportByIp": "read",
  "dmarc.reportSources": "read",
  "dmarc.update": "management",
  "email.activity.domain": "read",
  "email.activity.single": "read",
  "email.analytics.byCountry": "read",
  "email.analytics.byDate": "read",
  "email.analytics.byReadingEnvironment": "read",
  "email.analytics.byUserAgent": "read",
  "email.domain.create": "management",
  "email.domain.delete": "management",
  "email.domain.dns": "read",
  "email.domain.list": "read",
  "email.domain.recipients": "read",
  "email.domain.single": "read",
  "email.domain.updateSettings": "management",
  "email.domain.verify": "read",
  "email.getBulkStatus": "read",
  "email.identity.create": "system",
  "email.identity.delete": "management",
  "email.identity.deleteByEmail": "management",
  "email.identity.list": "read",
  "email.identity.resend": "system",
  "email.identity.single": "read",
  "email.identity.singleByEmail": "read",
  "email.identity.update": "system",
  "email.identity.updateByEMail": "system",
  "email.inbound.create": "system",
  "email.inbound.delete": "management",
  "email.inbound.list": "read",
  "email.inbound.single": "read",
  "email.inbound.update": "system",
  "email.list": "read",
  "email.message.list": "read",
  "email.message.single": "read",
  "email.recipient.blockList": "read",
  "email.recipient.blockRecipients": "management",
  "email.recipient.delAllBlockListRecipients": "management",
  "email.recipient.delBlockListRecipients": "management",
  "email.recipient.delete": "management",
  "email.recipient.list": "read",
  "email.recipient.single": "read",
  "email.schedule.delete": "management",
  "email.schedule.list": "read",
  "email.schedule.single": "read",
  "email.send": "send",
  "email.sendBulk": "send",
  "email.single": "read",
  "email.smtpUser.create": "management",
  "email.smtpUser.delete": "management",
  "email.smtpUser.list": "read",
  "email.smtpUser.single": "read",
  "email.smtpUser.update": "management",
  "email.template.create": "management",
  "email.template.delete": "management",
  "email.template.list": "read",
  "email.template.single": "read",
  "email.template.update": "management",
  "email.webhook.create": "management",
  "email.webhook.delete": "management",
  "email.webhook.list": "read",
  "email.webhook.single": "read",
  "email.webhook.update": "management",
  "emailVerification.create": "management",
  "emailVerification.getListResult": "read",
  "emailVerification.getVerifyEmailAsyncStatus": "read",
  "emailVerification.list": "read",
  "emailVerification.single": "read",
  "emailVerification.verifyEmail": "management",
  "emailVerification.verifyEmailAsync": "management",
  "emailVerification.verifyList": "read",
  "others.getApiQuota": "read",
  "sms.activity.list": "read",
  "sms.inbound.create": "management",
  "sms.inbound.delete": "management",
  "sms.inbound.list": "read",
  "sms.inbound.single": "read",
  "sms.inbound.update": "management",
  "sms.message.list": "read",
  "sms.message.single": "read",
  "sms.number.delete": "management",
  "sms.number.list": "read",
  "sms.number.single": "read",
  "sms.number.update": "management",
  "sms.recipient.list": "read",
  "sms.recipient.single": "read",
  "sms.recipient.update": "management",
  "sms.send": "system",
  "sms.webhook.create": "management",
  "sms.webhook.delete": "management",
  "sms.webhook.list": "read",
  "sms.webhook.single": "read",
  "sms.webhook.update": "management",
  "token.create": "management",
  "token.delete": "management",
  "token.list": "read",
  "token.single": "read",
  "token.update": "management",
  "token.updateSettings": "management",
  "user.create": "system",
  "user.delete": "management",
  "user.deleteInvite": "management",
  "user.list": "read",
  "user.listInvites": "read",
  "user.resendInvite": "system",
  "user.single": "read",
  "user.singleInvite": "read",
  "user.update": "management",
  "whatsapp.send": "system",
} as const satisfies Record<Methods<MailerSend>, Kind>;

/** What makes requests. A part that a new version adds is in no table, with all its methods. */
const parts = [
  "blocklistMonitor",
  "dmarc",
  "email",
  "email.activity",
  "email.analytics",
  "email.domain",
  "email.identity",
  "email.inbound",
  "email.message",
  "email.recipient",
  "email.schedule",
  "email.smtpUser",
  "email.template",
  "email.webhook",
  "emailVerification",
  "others",
  "sms",
  "sms.activity",
  "sms.inbound",
  "sms.message",
  "sms.number",
  "sms.recipient",
  "sms.webhook",
  "token",
  "user",
  "whatsapp",
] as const;

/** What the types hide in each part, and what is there all the same. */
const hidden = {
  deleteReq: "generic",
  get: "generic",
  normalizeHeaders: "local",
  post: "generic",
  put: "generic",
  request: "generic",
} as const satisfies Record<string, Kind>;

const table: Readonly<Record<string, Kind>> = {
  ...documented,
  ...Object.fromEntries(
    parts.flatMap((part) => Object.entries(hidden).map(([name, kind]) => [`${part}.${name}`, kind])),
  ),
};

type Called = Record<string, (...args: unknown[]) => Promise<unknown>> & { baseUrl: string };

function client(url = "http://127.0.0.1:9"): MailerSend {
  const made = new MailerSend({ apiKey: "key" });
  for (const part of parts) partOf(made, part).baseUrl = `${url}/v1`;
  return made;
}

function partOf(made: MailerSend, path: string): Called {
  return path.split(".").reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], made) as Called;
}

/** Somebody in every place that may name somebody. */
const some = { email: "a@b.test", to: [], forwards: [{ type: "email", value: "a@b.test" }], notify_email: "a@b.test" };

/** What the methods take; those that are not here take an id, and a body. */
const given: Readonly<Record<string, readonly unknown[]>> = {
  "dmarc.addFavorite": ["x", "192.0.2.1"],
  "dmarc.removeFavorite": ["x", "192.0.2.1"],
  "email.recipient.blockList": [{}],
  "email.recipient.blockRecipients": [{ domain_id: "x", recipients: ["a@b.test"] }],
  "email.recipient.delAllBlockListRecipients": [],
  "email.recipient.delBlockListRecipients": [["x"]],
  "email.sendBulk": [[some]],
  "email.smtpUser.create": ["x", some],
  "email.smtpUser.delete": ["x", "y"],
  "email.smtpUser.update": ["x", "y", some],
};
const takesBody = /\.(?:create|send)$/;

describe("mailersend, as it is installed", () => {
  it("has no method that nobody has judged", () => {
    expect(unclassified(methodsOf(client()), table)).toEqual([]);
  });

  it("exports no other way to send", async () => {
    const { default: _whole, ...exported } = await import("mailersend");
    const requesting = Object.entries(exported).filter(
      ([, one]) => typeof one === "function" && "request" in ((one as { prototype?: object }).prototype ?? {}),
    );
    expect(requesting).toEqual([]);
    expect(exported.MailerSend).toBe(MailerSend);
  });

  it("would fail with a method more, at run time and when it is compiled", () => {
    class Campaigns {
      async blast(): Promise<void> {}
    }
    const newer = Object.assign(client(), { campaigns: new Campaigns() });
    expect(unclassified(methodsOf(newer), table)).toEqual(["campaigns.blast is in no table: say what it does"]);
    // @ts-expect-error: campaigns.blast is missing
    documented satisfies Record<Methods<typeof newer>, Kind>;
  });

  it.each(Object.entries(documented))("%s makes a request that is classed as %s", async (name, kind) => {
    const endpoint = await startEndpoint();
    try {
      const { client: c, gate } = hold(client(endpoint.url), mailersendAdapter() as Adapter<MailerSend>);
      const at = name.lastIndexOf(".");
      const args = given[name] ?? (takesBody.test(name) ? [some] : ["x", some]);
      await partOf(c, name.slice(0, at))
        [name.slice(at + 1)]?.(...args)
        .catch(() => {});
      expect(gate.calls.map(({ intent }) => intent.kind)).toEqual([kind]);
    } finally {
      await endpoint.close();
    }
  });
});
