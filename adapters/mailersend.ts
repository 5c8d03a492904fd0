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
import { hash } from "node:crypto";
import {
  type Adapter,
  type Attachment,
  type Gate,
  hookMethod,
  MailfuseError,
  type Refusal,
  strangersMail,
  watchEntrances,
} from "../src/adapter";
import { bodyFor, copyRequest, MailersendCalls, type Part } from "./mailersend/calls";
import { mayMail } from "./mailersend/codec";

export { mailersendCodec } from "./mailersend/codec";

/** A `MailerSend`. */
export interface MailersendClient {
  readonly email: object;
  readonly user: object;
}

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
      if (!isPart(main)) throw unsupported("another object");
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
  if (!hook) throw unsupported("a client whose request other code has replaced");
  const calls = new MailersendCalls(main, hook.original, gate);
  const verify = (): Refusal | undefined => {
    if (!parts.every((part) => hook.holds(part))) return replaced("request was replaced by other code");
    const now = new Set(partsOf(client));
    return now.size === parts.length && parts.every((part) => now.has(part))
      ? undefined
      : replaced("a part of it was replaced");
  };
  const call = async (part: Part, args: readonly unknown[]): Promise<unknown> => {
    const problem = verify();
    if (problem) throw new MailfuseError(problem);
    return calls.request(part, args);
  };
  const leave = parts.flatMap((part) => [
    hook.enter(part, { call: (args) => call(part, args), unattached: gate.unattached }),
    watchEntrances(part, ["post", "get", "put", "deleteReq"], verify),
  ]);
  return {
    // The first characters of a hash of a random key tell accounts apart, and nothing of the key.
    account: `key-${hash("sha256", String(main.apiKey), "hex").slice(0, 8)}`,
    detach() {
      for (const one of leave.splice(0).reverse()) one();
    },
    verify,
    revive: (spooled) => calls.revive(spooled),
  };
}

/** A client that no fuse holds may do anything but mail; what was looked at is what leaves. */
function judge(stranger: Part, args: readonly unknown[], gate: Gate): Refusal | readonly unknown[] {
  const { wire, method, path, query } = copyRequest(stranger, args, gate.limits);
  if (mayMail(wire)) return strangersMail("MailerSend client");
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

function replaced(how: string): Refusal {
  return {
    code: "CHOKE_POINT_CHANGED",
    message: `Expected the MailerSend client that was attached, but ${how}.`,
    fix: "Attach the fuse again after the replacement, or do not replace it.",
  };
}

function unsupported(got: string): MailfuseError {
  return new MailfuseError({
    code: "ATTACH_UNSUPPORTED",
    message: `Expected a MailerSend client of the package mailersend, got ${got}.`,
    fix: "Pass what its constructor gives, before other code patches it.",
  });
}
