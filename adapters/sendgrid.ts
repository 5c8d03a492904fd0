/**
 * SendGrid: `@sendgrid/mail` and `@sendgrid/client`, from `mailfuse/sendgrid`.
 *
 * ```ts
 * import sg from "@sendgrid/mail";
 * import { sendgridAdapter } from "mailfuse/sendgrid";
 *
 * sg.setApiKey(process.env.SENDGRID_API_KEY);
 * fuse.attach(sg, sendgridAdapter());
 * ```
 *
 * The choke point is `Client.prototype.request`: a guard on one client is left behind by
 * `setClient`, `new MailService()` and calls through the prototype. Only attached clients are
 * judged. Mail by other clients of the class is refused, or passes with `unattached: "pass"`; their
 * other calls pass untouched.
 *
 * API: https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send
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
  replaced,
  unsupported,
} from "../src/adapter";
import { SendGridCalls, type SendGridClient } from "./sendgrid/calls";
import { judgeStranger } from "./sendgrid/strangers";

export { sendgridCodec } from "./sendgrid/codec";

/** A `MailService`, such as what `@sendgrid/mail` exports. */
export interface SendGridMail {
  setClient(client: never): unknown;
  sendMultiple(data: never, callback?: never): Promise<unknown>;
}

/** A `Client`, such as what `@sendgrid/client` exports. */
export interface SendGridApi {
  createRequest(data: never): unknown;
  request(data: never, callback?: never): Promise<unknown>;
}

/** Options of {@link sendgridAdapter}. */
export interface SendGridOptions {
  /**
   * Reads the text of templates from SendGrid before each mail that names one, so that guards and
   * plans see it. Costs one request per such mail.
   *
   * @default false
   */
  readonly resolveTemplates?: boolean;
}

/**
 * The adapter for `@sendgrid/mail` and `@sendgrid/client` 7 and later.
 *
 * @example
 * ```ts
 * fuse.attach(sg, sendgridAdapter({ resolveTemplates: true }));
 * ```
 * @throws MailfuseError `ATTACH_UNSUPPORTED` from `attach` for other objects, and for clients whose
 * `request` other code has replaced.
 */
export function sendgridAdapter(options: SendGridOptions = {}): Adapter<SendGridMail | SendGridApi> {
  const resolveTemplates = options.resolveTemplates ?? false;
  return {
    name: "sendgrid",
    attach(target, gate) {
      const service = isService(target) ? target : undefined;
      const client: unknown = service ? service.client : target;
      if (!isClient(client)) throw unsupported(names, "another object");
      return attachTo(client, service, gate, resolveTemplates);
    },
  };
}

const names: ClientNames = {
  expected: "the MailService of @sendgrid/mail or the Client of @sendgrid/client",
  short: "SendGrid client",
  pass: "what these packages export or construct",
};

const mark = Symbol.for("mailfuse.sendgrid");

function attachTo(
  client: SendGridClient,
  service: { client: unknown } | undefined,
  gate: Gate,
  resolveTemplates: boolean,
): Attachment {
  const hook = hookMethod(client, "request", mark, judgeStranger);
  if (!hook)
    throw unsupported(names, "a client whose request other code has replaced, which may not lead through the fuse");
  const calls = new SendGridCalls(client, hook.original, gate, resolveTemplates);
  const verify = (): Refusal | undefined => {
    if (service && service.client !== client) return replaced(names, "the client was replaced with setClient");
    return hook.holds(client) ? undefined : replaced(names, "request was replaced by other code");
  };
  return attachHooked({
    gate,
    holds: [{ hook, object: client, call: ([data, callback]) => calls.request(data, callback) }],
    // A client put in the attached one's place is noticed where the send begins, whoever may pass as a stranger.
    entrances: service ? [[service, ["send"]]] : [],
    account: calls.account(),
    verify,
    revive: (spooled) => calls.revive(spooled),
  });
}

function isService(target: object): target is { client: unknown } {
  const { client, send, setClient } = target as Record<"client" | "send" | "setClient", unknown>;
  return typeof client === "object" && typeof send === "function" && typeof setClient === "function";
}

function isClient(target: unknown): target is SendGridClient {
  if (typeof target !== "object" || target === null) return false;
  const { request, createRequest, createHeaders, defaultRequest } = target as Record<string, unknown>;
  const methods = [request, createRequest, createHeaders].every((one) => typeof one === "function");
  return methods && typeof defaultRequest === "object" && defaultRequest !== null;
}
