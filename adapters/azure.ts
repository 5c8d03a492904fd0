/**
 * Azure Communication Services: the `@azure/communication-email` package, from `mailfuse/azure`.
 *
 * ```ts
 * import { EmailClient } from "@azure/communication-email";
 * import { azureAdapter } from "mailfuse/azure";
 *
 * const email = new EmailClient(process.env.COMMUNICATION_CONNECTION_STRING);
 * fuse.attach(email, azureAdapter());
 * ```
 *
 * The choke point is the `sendRequest` of the client's pipeline, in its class: a mail is judged once its body
 * is written, before it is signed, and held against that at the last step, each time the pipeline tries. A
 * further attempt is made only after a definite non-acceptance (429, a refused connection). Asking about a mail
 * that was accepted (`poller.pollUntilDone()`) is a read. Pipelines of other clients are known as strangers: their
 * mail is refused, or passes with `unattached: "pass"`; their other calls pass untouched, those of other Azure
 * services too.
 *
 * A mail that is not sent (in a plan's rehearsal, or dropped) gives a poller that is done.
 *
 * API: https://learn.microsoft.com/rest/api/communication/email/email
 *
 * @module
 */
import {
  type Adapter,
  type Attachment,
  attachHooked,
  type ClientNames,
  type Gate,
  hookMethod,
  type Refusal,
  readPath,
  replaced,
  strangersMail,
  unsupported,
} from "../src/adapter";
import { AzureCalls, type HttpClient, type Pipeline, type RestClient } from "./azure/calls";
import { isEmailPath } from "./azure/codec";
import type { PipelineRequest } from "./azure/requests";

export { azureCodec } from "./azure/codec";

/** An `EmailClient`. */
export interface AzureEmailClient {
  beginSend(message: never, options?: never): Promise<object>;
}

/** An {@link AzureEmailClient}, with what its types hide. */
interface Internals extends AzureEmailClient {
  readonly generatedClient: RestClient;
}

const names: ClientNames = {
  expected: "an EmailClient of the package @azure/communication-email",
  short: "EmailClient",
};

const mark = Symbol.for("mailfuse.azure.sendRequest");

/**
 * The adapter for `EmailClient` of `@azure/communication-email` 1.
 *
 * @example
 * ```ts
 * fuse.attach(email, azureAdapter());
 * ```
 * @throws MailfuseError `ATTACH_UNSUPPORTED` from `attach` for other objects, and for clients whose pipeline
 * other code has patched.
 */
export function azureAdapter(): Adapter<AzureEmailClient> {
  return {
    name: "azure",
    attach(client, gate) {
      if (!isEmailClient(client)) throw unsupported(names, "another object");
      return attachTo(client, gate);
    },
  };
}

function attachTo(client: Internals, gate: Gate): Attachment {
  const inner = client.generatedClient;
  const { pipeline, _httpClient: httpClient } = inner;
  const hook = hookMethod(pipeline, "sendRequest", mark, (_stranger, args) => judge(args));
  if (!hook) throw unsupported(names, "a client whose pipeline other code has patched");
  const { sendRequest } = httpClient;
  const verify = (): Refusal | undefined => {
    if (client.generatedClient !== inner) return replaced(names, "its generatedClient was replaced");
    if (inner.pipeline !== pipeline) return replaced(names, "its pipeline was replaced");
    if (!hook.holds(pipeline)) return replaced(names, "the pipeline's sendRequest was replaced by other code");
    const kept = inner._httpClient === httpClient && httpClient.sendRequest === sendRequest;
    return kept ? undefined : replaced(names, "its HTTP client was replaced by other code");
  };
  const calls = new AzureCalls(inner, gate, verify);
  return attachHooked({
    gate,
    holds: [
      {
        hook,
        object: pipeline,
        call: ([sender, request]) => calls.request(sender as HttpClient, request as PipelineRequest),
      },
    ],
    entrances: [
      [client, ["beginSend"]],
      [inner, ["sendOperationRequest", "sendRequest"]],
      [inner.email, ["beginSend", "beginSendAndWait"]],
    ],
    account: new URL(inner.endpoint).hostname,
    verify,
    revive: (spooled) => calls.revive(spooled),
  });
}

/** A pipeline that no fuse holds may do anything but mail; most are those of other Azure services. */
function judge(args: readonly unknown[]): Refusal | readonly unknown[] {
  const { url, method } = (args[1] ?? {}) as Partial<PipelineRequest>;
  const text = String(url);
  if (!URL.canParse(text) || /^(?:GET|HEAD)$/i.test(String(method))) return args;
  return isEmailPath(readPath(new URL(text).pathname)) ? strangersMail(names.short) : args;
}

function isEmailClient(client: object): client is Internals {
  const { beginSend, generatedClient } = client as Partial<Internals>;
  if (typeof beginSend !== "function" || typeof generatedClient !== "object" || generatedClient === null) return false;
  const { endpoint, pipeline, _httpClient, email, sendRequest } = generatedClient as Partial<RestClient>;
  return (
    typeof endpoint === "string" &&
    URL.canParse(endpoint) &&
    typeof email === "object" &&
    typeof sendRequest === "function" &&
    typeof _httpClient?.sendRequest === "function" &&
    isPipeline(pipeline)
  );
}

function isPipeline(pipeline: Partial<Pipeline> | undefined): pipeline is Pipeline {
  return typeof pipeline?.getOrderedPolicies === "function" && typeof pipeline.sendRequest === "function";
}
