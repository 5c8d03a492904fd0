/**
 * Resend: the `resend` package, from `mailfuse/resend`.
 *
 * ```ts
 * import { Resend } from "resend";
 * import { resendAdapter } from "mailfuse/resend";
 *
 * const resend = new Resend(process.env.RESEND_API_KEY);
 * fuse.attach(resend, resendAdapter());
 * ```
 *
 * The choke point is `fetchRequest`, in its class: every method of every sub-client ends there with
 * the request that would really leave, and other clients of the class are known as strangers. Their
 * mail is refused, or passes with `unattached: "pass"`; their other calls pass untouched. A refusal
 * rejects, although Resend resolves errors.
 *
 * API: https://resend.com/docs/api-reference
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
import { baseOf, ResendCalls, type ResendInternals } from "./resend/calls";
import { resendCodec } from "./resend/codec";
import { bodyFor, copyRequest } from "./resend/requests";

export { resendCodec } from "./resend/codec";

/** A `Resend`. */
export interface ResendClient {
  fetchRequest(path: string, options?: never): Promise<unknown>;
  readonly emails: object;
}

/** Options of {@link resendAdapter}. */
export interface ResendOptions {
  /**
   * Reads the text of templates from Resend before each mail that names one, so that guards and
   * plans see it. Costs one request per template and call. Text stays unbound while a template has
   * changes that are not published.
   *
   * @default false
   */
  readonly resolveTemplates?: boolean;
}

const names: ClientNames = {
  expected: "a Resend client of the package resend",
  short: "Resend client",
};

const mark = Symbol.for("mailfuse.resend.fetchRequest");

/**
 * The adapter for `Resend` of `resend` 6; it attaches to 2 and later.
 *
 * @example
 * ```ts
 * fuse.attach(resend, resendAdapter({ resolveTemplates: true }));
 * ```
 * @throws MailfuseError `ATTACH_UNSUPPORTED` from `attach` for other objects, and for clients whose
 * `fetchRequest` other code has replaced.
 */
export function resendAdapter(options: ResendOptions = {}): Adapter<ResendClient> {
  const resolveTemplates = options.resolveTemplates ?? false;
  return {
    name: "resend",
    attach(client, gate) {
      if (!isResend(client)) throw unsupported(names, "another object");
      return attachTo(client, gate, resolveTemplates);
    },
  };
}

/**
 * Resend answers a request whose idempotency key it knows as it did before, and mails nobody, for 24
 * hours ({@link https://resend.com/docs/dashboard/emails/idempotency-keys}).
 */
const dropsRepeatsMs = 24 * 3_600_000;

function attachTo(client: ResendInternals, gate: Gate, resolveTemplates: boolean): Attachment {
  const hook = hookMethod(client, "fetchRequest", mark, (stranger, args) => judge(stranger, args, gate));
  if (!hook) throw unsupported(names, "a client whose fetchRequest other code has replaced");
  const calls = new ResendCalls(client, hook.original, gate, resolveTemplates);
  const verify = (): Refusal | undefined =>
    hook.holds(client) ? undefined : replaced(names, "fetchRequest was replaced by other code");
  const call = checkedCall(verify, (args: readonly unknown[]) => calls.request(args));
  return attachHooked({
    gate,
    holds: [{ hook, object: client, call }],
    entrances: [[client, ["post", "get", "put", "patch", "delete"]]],
    account: accountOfKey("key", client.key),
    dropsRepeatsMs,
    verify,
    revive: (spooled) => calls.revive(spooled),
  });
}

/** A client that no fuse holds may do anything but mail; what was looked at is what leaves. */
function judge(stranger: object, args: readonly unknown[], gate: Gate): Refusal | readonly unknown[] {
  const { wire, headers, settings } = copyRequest(baseOf(stranger as ResendInternals), args, gate.limits);
  const { kind } = resendCodec.classify(wire);
  if (kind === "send" || kind === "system" || kind === "audience") return strangersMail(names.short);
  const body = bodyFor(wire.body);
  return [String(args[0]), { method: wire.method, headers, ...(body === undefined ? {} : { body }), ...settings }];
}

function isResend(client: object): client is ResendInternals {
  const { fetchRequest, emails, headers } = client as Record<string, unknown>;
  return typeof fetchRequest === "function" && typeof emails === "object" && headers instanceof Headers;
}
