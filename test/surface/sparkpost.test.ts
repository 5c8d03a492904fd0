import SparkPost from "sparkpost";
import { describe, expect, it } from "vitest";
import { sparkpostAdapter } from "../../adapters/sparkpost";
import type { Adapter } from "../../src/adapter";
import { startEndpoint } from "../support/endpoint";
import { hold } from "../support/gates";
import { type Methods, methodsOf, unclassified } from "./methods";

/** What a method's request is classed as; `generic` ones take any request, `local` ones make none. */
type Kind = "send" | "system" | "management" | "read" | "generic" | "local";

/** What the types show. A method that they add fails to compile here. */
const documented = {
  "inboundDomains.create": "management",
  "inboundDomains.delete": "management",
  "inboundDomains.get": "read",
  "inboundDomains.list": "read",
  "messageEvents.search": "read",
  "recipientLists.create": "management",
  "recipientLists.delete": "management",
  "recipientLists.get": "read",
  "recipientLists.list": "read",
  "recipientLists.update": "management",
  "relayWebhooks.create": "management",
  "relayWebhooks.delete": "management",
  "relayWebhooks.get": "read",
  "relayWebhooks.list": "read",
  "relayWebhooks.update": "management",
  "sendingDomains.create": "management",
  "sendingDomains.delete": "management",
  "sendingDomains.get": "read",
  "sendingDomains.list": "read",
  "sendingDomains.update": "management",
  "sendingDomains.verify": "system",
  "subaccounts.create": "management",
  "subaccounts.get": "read",
  "subaccounts.list": "read",
  "subaccounts.update": "management",
  "suppressionList.delete": "management",
  "suppressionList.get": "read",
  "suppressionList.list": "read",
  "suppressionList.upsert": "management",
  "templates.create": "management",
  "templates.delete": "management",
  "templates.get": "read",
  "templates.list": "read",
  "templates.preview": "read",
  "templates.update": "management",
  "transmissions.get": "read",
  "transmissions.list": "read",
  "transmissions.send": "send",
  "webhooks.create": "management",
  "webhooks.delete": "management",
  "webhooks.get": "read",
  "webhooks.getBatchStatus": "read",
  "webhooks.getDocumentation": "read",
  "webhooks.getSamples": "read",
  "webhooks.list": "read",
  "webhooks.update": "management",
  "webhooks.validate": "management",
  delete: "generic",
  get: "generic",
  post: "generic",
  put: "generic",
  request: "generic",
} as const satisfies Record<Methods<SparkPost>, Kind>;

/** What the types do not show, and what is there all the same. */
const untyped = { "events.searchMessage": "read", reject: "local" } as const satisfies Record<string, Kind>;

const table: Readonly<Record<string, Kind>> = { ...documented, ...untyped };

const client = (origin = "http://127.0.0.1:9") => new SparkPost("key", { origin });

/** Parts are plain objects of functions, which `methodsOf` takes for data. */
function allMethods(made: object): string[] {
  const parts = Object.entries(made).flatMap(([name, part]) =>
    typeof part === "object" && part !== null
      ? methodsOf(Object.assign(new Part(), part)).map((one) => `${name}.${one}`)
      : [],
  );
  return [...new Set([...methodsOf(made), ...parts])].sort();
}
class Part {}

/** What the methods take; those that are not here take an id, and a body. */
const given: Readonly<Record<string, readonly unknown[]>> = {
  "events.searchMessage": [{ events: ["a", "b"] }],
  "messageEvents.search": [{ events: ["a", "b"] }],
  "sendingDomains.verify": ["acme.test", { abuse_at_verify: true }],
  "suppressionList.upsert": [[{ recipient: "ann@acme.test" }]],
  "webhooks.validate": ["x", { message: {} }],
};
const takesBody = /\.(?:create|send)$/;
const takesNothing = /\.(?:list|getDocumentation|getSamples)$/;
const some = { name: "x", recipients: [{ address: "ann@acme.test" }] };

describe("sparkpost, as it is installed", () => {
  it("has no method that nobody has judged", () => {
    expect(unclassified(allMethods(client()), table)).toEqual([]);
  });

  it("exports no other way to send", () => {
    expect(Object.keys(SparkPost)).toEqual([]);
  });

  it("would fail with a method more, at run time and when it is compiled", () => {
    const newer = Object.assign(client(), { campaigns: { async blast(): Promise<void> {} } });
    expect(unclassified(allMethods(newer), table)).toEqual(["campaigns.blast is in no table: say what it does"]);
    // @ts-expect-error: campaigns.blast is missing
    documented satisfies Record<Methods<typeof newer>, Kind>;
  });

  const judged = Object.entries(table).filter(([, kind]) => kind !== "generic" && kind !== "local");
  it.each(judged)("%s makes a request that is classed as %s", async (name, kind) => {
    const endpoint = await startEndpoint();
    try {
      const { client: c, gate } = hold(client(endpoint.url), sparkpostAdapter() as Adapter<SparkPost>);
      const [owner = "", method = ""] = name.split(".");
      const part = (c as unknown as Record<string, Record<string, (...args: unknown[]) => Promise<unknown>>>)[owner];
      const args = given[name] ?? (takesNothing.test(name) ? [] : takesBody.test(name) ? [some] : ["x", some]);
      await part?.[method]?.(...args).catch(() => {});
      expect(gate.calls.map(({ intent }) => intent.kind)).toEqual([kind]);
    } finally {
      await endpoint.close();
    }
  });
});
