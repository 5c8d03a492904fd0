/**
 * MailerSend: the `mailersend` package, from `mailfuse/mailersend`.
 *
 * ```ts
 * import { MailerSend } from "mailersend";
 * import { mailersendAdapter } from "mailfuse/mailersend";
 *
 * const mailerSend = new MailerSend({ apiKey: process.env.MAILERSEND_API_KEY });
 * fuse.attach(mailerSend, mailersendAdapter());
 * ```
 *
 * The choke point is `request`, in the class that all parts of a client share (`email`, `email.identity`,
 * `user` and the rest): every method ends there, and other clients are known as strangers. Their mail is
 * refused, or passes with `unattached: "pass"`; their other calls pass untouched. Where the SDK rejects
 * with a plain object, a refusal rejects with a `MailfuseError`.
 *
 * Templates live at MailerSend, and its API does not give their text: a plan with them needs
 * `allowUnboundText`.
 *
 * API: https://developers.mailersend.com
 *
 * @module
 */
import {
  type Adapter,
  type Attachment,
  accountOfKey,
  attachHooked,
  type ClientNames,
  checkedCall,
  type Gate,
  hookMethod,
  type Refusal,
  replaced,
  strangersMail,
  unsupported,
} from "../src/adapter";
import { bodyFor, copyRequest, MailersendCalls, type Part } from "./mailersend/calls";
import { mayMail } from "./mailersend/codec";

export { mailersendCodec } from "./mailersend/codec";

/** A `MailerSend`. */
export interface MailersendClient {
  readonly email: object;
  readonly user: object;
}

const names: ClientNames = {
  expected: "a MailerSend client of the package mailersend",
  short: "MailerSend client",
};

const mark = Symbol.for("mailfuse.mailersend.request");

/**
 * The adapter for `MailerSend` of `mailersend` 3; it attaches to 2 as well.
 *
 * @example
 * ```ts
 * fuse.attach(mailerSend, mailersendAdapter());
 * ```
 * @throws MailfuseError `ATTACH_UNSUPPORTED` from `attach` for other objects, and for clients whose
 * `request` other code has replaced.
 */
export function mailersendAdapter(): Adapter<MailersendClient> {
  return {
    name: "mailersend",
    attach(client, gate) {
      const main = client.email;
      if (!isPart(main)) throw unsupported(names, "another object");
      return attachTo(client, main, gate);
    },
  };
}

function attachTo(client: object, main: Part, gate: Gate): Attachment {
  const parts = partsOf(client);
  const alike = parts.every((part) => part.request === main.request);
  const hook = alike
    ? hookMethod(main, "request", mark, (stranger, args) => judge(stranger as Part, args, gate))
    : undefined;
  if (!hook) throw unsupported(names, "a client whose request other code has replaced");
  const calls = new MailersendCalls(main, hook.original, gate);
  const verify = (): Refusal | undefined => {
    if (!parts.every((part) => hook.holds(part))) return replaced(names, "request was replaced by other code");
    const now = new Set(partsOf(client));
    return now.size === parts.length && parts.every((part) => now.has(part))
      ? undefined
      : replaced(names, "a part of it was replaced");
  };
  const call = checkedCall(verify, (part: Part, args: readonly unknown[]) => calls.request(part, args));
  return attachHooked({
    gate,
    holds: parts.map((part) => ({ hook, object: part, call: (args) => call(part, args) })),
    entrances: parts.map((part) => [part, ["post", "get", "put", "deleteReq"]]),
    account: accountOfKey("key", main.apiKey),
    verify,
    revive: (spooled) => calls.revive(spooled),
  });
}

/** A client that no fuse holds may do anything but mail; what was looked at is what leaves. */
function judge(stranger: Part, args: readonly unknown[], gate: Gate): Refusal | readonly unknown[] {
  const { wire, method, path, query } = copyRequest(stranger, args, gate.limits);
  if (mayMail(wire)) return strangersMail(names.short);
  // Forms and streams can be read once only; they leave as they came.
  return [method, path, wire.body.kind === "bytes" ? args[2] : bodyFor(wire), query];
}

/** `email`, `email.domain`, `user` and the rest: whatever makes requests. */
function partsOf(client: object): Part[] {
  return Object.values(client).flatMap((part) => (isPart(part) ? [part, ...partsOf(part)] : []));
}

function isPart(value: unknown): value is Part {
  if (typeof value !== "object" || value === null) return false;
  const { request, baseUrl, apiKey } = value as Partial<Part>;
  return typeof request === "function" && typeof baseUrl === "string" && typeof apiKey === "string";
}
