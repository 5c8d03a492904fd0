import Mailjet from "node-mailjet";
import { describe, expect, it } from "vitest";
import { mailjetAdapter } from "../../adapters/mailjet";
import type { Adapter } from "../../src/adapter";
import { startEndpoint } from "../support/endpoint";
import { hold } from "../support/gates";
import { type Methods, methodsOf, unclassified } from "./methods";

/**
 * Mailjet has no method for each endpoint: a verb makes a `builder`, whose `request` takes any
 * path and is judged by it. `local` methods make no request.
 */
type Kind = "builder" | "generic" | "local";

type Client = InstanceType<typeof Mailjet>;
type Builder = ReturnType<Client["post"]>;

/** What the types show of a client. A method that a new version adds fails to compile here, and fails below. */
const ofClient = {
  delete: "builder",
  get: "builder",
  getAPIKey: "local",
  getAPISecret: "local",
  getAPIToken: "local",
  getConfig: "local",
  getOptions: "local",
  getPackageVersion: "local",
  post: "builder",
  put: "builder",
} as const satisfies Record<Methods<Client>, Kind>;

/** What they show of a request. */
const ofBuilder = {
  action: "local",
  getCredentials: "local",
  getUserAgent: "local",
  id: "local",
  request: "generic",
} as const satisfies Record<Methods<Builder>, Kind>;

/** What they hide, and what is there all the same. */
const hiddenOfClient = {
  cloneParams: "local",
  init: "local",
  setConfig: "local",
  setOptions: "local",
  tokenConnectStrategy: "local",
  basicConnectStrategy: "local",
} as const satisfies Record<string, Kind>;
const hiddenOfBuilder = {
  buildFullUrl: "local",
  buildSubPath: "local",
  getContentType: "local",
  getRequestBody: "local",
  makeRequest: "generic",
  setBaseURL: "local",
  validateActionData: "local",
} as const satisfies Record<string, Kind>;

const client = () => new Mailjet({ apiKey: "k", apiSecret: "s" });
const clientTable = { ...ofClient, ...hiddenOfClient };
const builderTable = { ...ofBuilder, ...hiddenOfBuilder };
/** A request leads back to its client. */
const ofRequest = (made: Client) => methodsOf(made.post("send")).filter((name) => !name.startsWith("client."));

describe("node-mailjet, as it is installed", () => {
  it("has no method that nobody has judged", () => {
    expect(unclassified(methodsOf(client()), clientTable)).toEqual([]);
    expect(unclassified(ofRequest(client()), builderTable)).toEqual([]);
  });

  it("exports no other way to send, and makes clients of the class in each", () => {
    expect(Object.keys(Mailjet).sort()).toEqual(["Client", "HttpMethods", "Request"]);
    const statics: string[] = [];
    for (let at: object = Mailjet; at !== Function.prototype; at = Object.getPrototypeOf(at)) {
      statics.push(...Object.getOwnPropertyNames(at).filter((name) => typeof Reflect.get(at, name) === "function"));
    }
    expect([...new Set(statics)].sort()).toEqual(["Client", "Request", "apiConnect", "smsConnect"]);
    expect(Mailjet.apiConnect("k", "s")).toBeInstanceOf(Mailjet.Client);
    expect(Mailjet.smsConnect("t")).toBeInstanceOf(Mailjet.Client);
  });

  it("would fail with a method more, at run time and when it is compiled", () => {
    class Newer extends Mailjet {
      async blast(): Promise<void> {}
    }
    expect(unclassified(methodsOf(new Newer({ apiKey: "k", apiSecret: "s" })), clientTable)).toEqual([
      "blast is in no table: say what it does",
    ]);
    // @ts-expect-error: blast is missing
    ofClient satisfies Record<Methods<Newer>, Kind>;
  });

  /** Resources as the documentation names them, each as what it is. */
  const resources = [
    ["get", "contact", "read"],
    ["get", "messagehistory", "read"],
    ["get", "campaigndraft", "read"],
    ["post", "send", "send"],
    ["post", "campaigndraft", "management"],
    ["post", "campaigndraft/1/send", "audience"],
    ["post", "campaigndraft/1/schedule", "audience"],
    ["post", "campaigndraft/1/test", "audience"],
    ["put", "campaigndraft/1", "audience"],
    ["delete", "campaigndraft/1/schedule", "management"],
    ["post", "newsletter/1/send", "audience"],
    ["post", "sender", "system"],
    ["post", "sender/1/validate", "system"],
    ["post", "contactslist/1/managecontact", "management"],
    ["post", "listrecipient", "management"],
    ["put", "contact/1", "management"],
    ["delete", "contactslist/1", "management"],
    ["post", "template", "management"],
    ["post", "parseroute", "management"],
    ["post", "somethingnew", "unknown"],
    ["delete", "send", "unknown"],
  ] as const;
  it.each(resources)("%s %s is classed as %s", async (verb, resource, kind) => {
    const before = Mailjet.Request.protocol;
    (Mailjet.Request as unknown as { protocol: string }).protocol = "http://";
    const endpoint = await startEndpoint();
    try {
      const made = new Mailjet({ apiKey: "k", apiSecret: "s", config: { host: endpoint.host } });
      const { client: c, gate } = hold(made, mailjetAdapter() as Adapter<Client>);
      await c[verb](resource, { version: "v3" })
        .request({})
        .catch(() => {});
      expect(gate.calls.map(({ intent }) => intent.kind)).toEqual([kind]);
    } finally {
      (Mailjet.Request as unknown as { protocol: string }).protocol = before;
      await endpoint.close();
    }
  });
});
