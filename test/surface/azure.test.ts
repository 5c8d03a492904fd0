import { EmailClient, type EmailMessage } from "@azure/communication-email";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { azureAdapter } from "../../adapters/azure";
import type { Adapter } from "../../src/adapter";
import { type Endpoint, startEndpoint } from "../support/endpoint";
import { hold } from "../support/gates";
import { type Methods, methodsOf, unclassified } from "./methods";

/** What a method's request is classed as; `generic` ones take any request, `local` ones make none. */
type Kind = "send" | "read" | "generic" | "local";

/** What the types show. A method that a new version adds fails to compile here, and fails below. */
const documented = { beginSend: "send" } as const satisfies Record<Methods<EmailClient>, Kind>;

/** What they hide, and what is there all the same. */
const hidden = {
  "generatedClient.addCustomApiVersionPolicy": "local",
  "generatedClient.email.beginSend": "send",
  "generatedClient.email.beginSendAndWait": "send",
  "generatedClient.email.getSendResult": "read",
  "generatedClient.pipeline.addPolicy": "local",
  "generatedClient.pipeline.clone": "local",
  "generatedClient.pipeline.getOrderedPolicies": "local",
  "generatedClient.pipeline.orderPolicies": "local",
  "generatedClient.pipeline.removePolicy": "local",
  "generatedClient.pipeline.sendRequest": "generic",
  "generatedClient.sendOperationRequest": "generic",
  "generatedClient.sendRequest": "generic",
} as const satisfies Record<string, Kind>;

const table: Readonly<Record<string, Kind>> = { ...documented, ...hidden };

/** What each step of the SDK's own pipeline does to a request, in order; the adapter looks after the first. */
const steps = [
  ["serializationPolicy", "writes the body"],
  ["proxyPolicy", "chooses the way"],
  ["decompressResponsePolicy", "sets a header"],
  ["wrapAbortSignalLikePolicy", "wraps a signal"],
  ["formDataPolicy", "writes the body of a form"],
  ["userAgentPolicy", "sets a header"],
  ["setClientRequestIdPolicy", "sets a header"],
  ["CommunicationAccessKeyCredentialPolicy", "signs"],
  ["deserializationPolicy", "reads the answer"],
  ["multipartPolicy", "writes the body of a form"],
  ["defaultRetryPolicy", "tries again"],
  ["tracingPolicy", "sets a header"],
  ["redirectPolicy", "tries again elsewhere"],
  ["logPolicy", "looks"],
] as const;

interface Inner {
  readonly pipeline: { getOrderedPolicies(): readonly { readonly name: string }[] };
  readonly _httpClient: object;
}
const innerOf = (c: EmailClient) => (c as unknown as { generatedClient: Inner }).generatedClient;
const client = (url = "http://127.0.0.1:9") =>
  new EmailClient(`endpoint=${url}/;accesskey=a2V5`, { allowInsecureConnection: true });

let endpoint: Endpoint;
beforeAll(async () => {
  endpoint = await startEndpoint(() => ({ body: { id: "x", status: "Succeeded" } }));
});
afterAll(() => endpoint.close());

describe("@azure/communication-email, as it is installed", () => {
  it("has no method that nobody has judged", () => {
    expect(unclassified(methodsOf(client()), table)).toEqual([]);
    expect(Object.keys(innerOf(client())._httpClient)).toEqual(["sendRequest"]);
  });

  it("has no step in its pipeline that nobody has judged", () => {
    expect(
      innerOf(client())
        .pipeline.getOrderedPolicies()
        .map(({ name }) => name),
    ).toEqual(steps.map(([name]) => name));
  });

  it("exports no other way to send", async () => {
    const exported = await import("@azure/communication-email");
    expect(Object.keys(exported).sort()).toEqual(["EmailClient", "KnownEmailSendStatus"]);
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

  const judged = Object.entries(table).filter(([, kind]) => kind !== "generic" && kind !== "local");
  it.each(judged)("%s makes a request that is classed as %s", async (name, kind) => {
    const { client: c, gate } = hold(client(endpoint.url), azureAdapter() as Adapter<EmailClient>);
    const path = name.split(".");
    const owner = path.slice(0, -1).reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], c);
    const message: EmailMessage = {
      senderAddress: "app@sender.test",
      content: { subject: "s", plainText: "t" },
      recipients: { to: [{ address: "ann@acme.test" }] },
    };
    const method = (owner as Record<string, (given: unknown) => Promise<unknown>>)[path.at(-1) ?? ""];
    await method?.call(owner, kind === "send" ? message : "5e1c3b1e-0000-4000-8000-000000000001");
    expect(gate.calls.map(({ intent }) => intent.kind)).toEqual([kind]);
  });
});
