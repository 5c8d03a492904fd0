import mailchimp from "@mailchimp/mailchimp_transactional";
import { describe, expect, it } from "vitest";
import { type MailchimpClient, mailchimpAdapter } from "../../adapters/mailchimp";
import type { Adapter } from "../../src/adapter";
import { startEndpoint } from "../support/endpoint";
import { hold } from "../support/gates";
import { type Methods, methodsOf, unclassified } from "./methods";

/** What a method's request is classed as; `generic` ones take any request, `local` ones make none. */
type Kind = "send" | "audience" | "system" | "management" | "read" | "generic" | "local";

type Typed = ReturnType<typeof mailchimp>;

/** What the types show. A method that they add fails to compile here. */
const documented = {
  "allowlists.add": "management",
  "allowlists.delete": "management",
  "allowlists.list": "read",
  "exports.activity": "system",
  "exports.allowlist": "system",
  "exports.info": "read",
  "exports.list": "read",
  "exports.rejects": "system",
  "exports.whitelist": "system",
  "inbound.addDomain": "management",
  "inbound.addRoute": "management",
  "inbound.checkDomain": "read",
  "inbound.deleteDomain": "management",
  "inbound.deleteRoute": "management",
  "inbound.domains": "read",
  "inbound.routes": "read",
  "inbound.sendRaw": "system",
  "inbound.updateRoute": "management",
  "ips.cancelWarmup": "management",
  "ips.checkCustomDns": "read",
  "ips.createPool": "management",
  "ips.delete": "management",
  "ips.deletePool": "management",
  "ips.info": "read",
  "ips.list": "read",
  "ips.listPools": "read",
  "ips.poolInfo": "read",
  "ips.provision": "management",
  "ips.setCustomDns": "management",
  "ips.setPool": "management",
  "ips.startWarmup": "management",
  "messages.cancelScheduled": "management",
  "messages.content": "read",
  "messages.info": "read",
  "messages.listScheduled": "read",
  "messages.parse": "read",
  "messages.reschedule": "audience",
  "messages.search": "read",
  "messages.searchTimeSeries": "read",
  "messages.send": "send",
  "messages.sendRaw": "send",
  "messages.sendTemplate": "send",
  "metadata.add": "management",
  "metadata.delete": "management",
  "metadata.list": "read",
  "metadata.update": "management",
  "rejects.add": "management",
  "rejects.delete": "management",
  "rejects.list": "read",
  "senders.addDomain": "management",
  "senders.checkDomain": "read",
  "senders.domains": "read",
  "senders.info": "read",
  "senders.list": "read",
  "senders.timeSeries": "read",
  "senders.verifyDomain": "system",
  "subaccounts.add": "management",
  "subaccounts.delete": "management",
  "subaccounts.info": "read",
  "subaccounts.list": "read",
  "subaccounts.pause": "management",
  "subaccounts.resume": "management",
  "subaccounts.update": "management",
  "tags.allTimeSeries": "read",
  "tags.delete": "management",
  "tags.info": "read",
  "tags.list": "read",
  "tags.timeSeries": "read",
  "templates.add": "management",
  "templates.delete": "management",
  "templates.info": "read",
  "templates.list": "read",
  "templates.publish": "management",
  "templates.render": "read",
  "templates.timeSeries": "read",
  "templates.update": "management",
  "urls.addTrackingDomain": "management",
  "urls.checkTrackingDomain": "read",
  "urls.trackingDomains": "read",
  "users.info": "read",
  "users.ping": "read",
  "users.ping2": "read",
  "users.senders": "read",
  "webhooks.add": "management",
  "webhooks.delete": "management",
  "webhooks.info": "read",
  "webhooks.list": "read",
  "webhooks.update": "management",
  setDefaultOutputFormat: "local",
  setDefaultTimeoutMs: "local",
} as const satisfies Partial<Record<Methods<Typed>, Kind>>;

/** In the types, and not in the package as it is installed. */
type Gone =
  | "urls.list"
  | "urls.search"
  | "urls.timeSeries"
  | "whitelists.add"
  | "whitelists.delete"
  | "whitelists.list";

/** What the types do not show, and what is there all the same. */
const untyped = {
  "mctemplates.mcTemplatesInfo": "read",
  "mctemplates.mcTemplatesList": "read",
  "mctemplates.mcTemplatesRender": "read",
  "mctemplates.mcTemplatesTimeSeries": "read",
  "messages.sendMcTemplate": "send",
  "messages.sendSms": "system",
  "rejects.addSms": "management",
  "rejects.deleteSms": "management",
  "rejects.listSms": "read",
  "senders.deleteDomain": "management",
  "urls.deleteTrackingDomain": "management",
  post: "generic",
  setRequestHeaders: "local",
} as const satisfies Record<string, Kind>;

const table: Readonly<Record<string, Kind>> = { ...documented, ...untyped };

function client(url = "http://127.0.0.1:9"): Typed & { basePath: string } {
  const made = mailchimp("key") as Typed & { basePath: string };
  made.basePath = url;
  return made;
}

describe("@mailchimp/mailchimp_transactional, as it is installed", () => {
  it("has no method that nobody has judged", () => {
    expect(unclassified(methodsOf(client()), table)).toEqual([]);
    documented satisfies Record<Exclude<Methods<Typed>, Gone>, Kind>;
  });

  it("would fail with a method more, at run time and when it is compiled", () => {
    class Campaigns {
      async blast(): Promise<void> {}
    }
    const newer = Object.assign(client(), { campaigns: new Campaigns() });
    expect(unclassified(methodsOf(newer), table)).toEqual(["campaigns.blast is in no table: say what it does"]);
    // @ts-expect-error: campaigns.blast is missing
    documented satisfies Record<Exclude<Methods<typeof newer>, Gone | "basePath">, Kind>;
  });

  const judged = Object.entries(table).filter(([, kind]) => kind !== "generic" && kind !== "local");
  it.each(judged)("%s makes a request that is classed as %s", async (name, kind) => {
    const endpoint = await startEndpoint();
    try {
      const { client: c, gate } = hold(client(endpoint.url), mailchimpAdapter() as Adapter<MailchimpClient>);
      const [owner = "", method = ""] = name.split(".");
      const part = (c as unknown as Record<string, Record<string, (body: object) => Promise<unknown>>>)[owner];
      const some = { id: "x", notify_email: "ann@acme.test", message: { to: [] } };
      await part?.[method]?.(some).catch(() => {});
      expect(gate.calls.map(({ intent }) => intent.kind)).toEqual([kind]);
    } finally {
      await endpoint.close();
    }
  });
});
