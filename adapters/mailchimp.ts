/**
 * Mailchimp Transactional (Mandrill): the `@mailchimp/mailchimp_transactional` package, from
 * `mailfuse/mailchimp`.
 *
 * ```ts
 * import mailchimp from "@mailchimp/mailchimp_transactional";
 * import { mailchimpAdapter } from "mailfuse/mailchimp";
 *
 * const mandrill = mailchimp(process.env.MANDRILL_API_KEY);
 * fuse.attach(mandrill, mailchimpAdapter());
 * ```
 *
 * The choke point is `post`, in its class: every method of every sub-client ends there, and other
 * clients of the class are known as strangers. Their mail is refused, or passes with
 * `unattached: "pass"`; their other calls pass untouched. A refusal rejects, although this SDK
 * resolves errors. The object an application passes is not written to, as the SDK would do.
 *
 * API: https://mailchimp.com/developer/transactional/api
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
import { copyRequest, MailchimpCalls, type MailchimpInternals } from "./mailchimp/calls";
import { mailchimpCodec } from "./mailchimp/codec";

export { mailchimpCodec } from "./mailchimp/codec";

/** What `mailchimp(key)` gives. */
export interface MailchimpClient {
  readonly messages: object;
  setDefaultOutputFormat(format: never): void;
  setDefaultTimeoutMs(milliseconds: number): void;
}

/** Options of {@link mailchimpAdapter}. */
export interface MailchimpOptions {
  /**
   * Reads the text of templates from Mandrill before each mail that names one, so that guards and
   * plans see it. Costs one request per such mail. Text with editable regions stays unbound.
   *
   * @default false
   */
  readonly resolveTemplates?: boolean;
}

const names: ClientNames = {
  expected: "a client of the package @mailchimp/mailchimp_transactional",
  short: "Mailchimp client",
  pass: "what the package's function gives",
};

const mark = Symbol.for("mailfuse.mailchimp.post");

/**
 * The adapter for clients of `@mailchimp/mailchimp_transactional` 1.
 *
 * @example
 * ```ts
 * fuse.attach(mandrill, mailchimpAdapter({ resolveTemplates: true }));
 * ```
 * @throws MailfuseError `ATTACH_UNSUPPORTED` from `attach` for other objects, and for clients whose
 * `post` other code has replaced.
 */
export function mailchimpAdapter(options: MailchimpOptions = {}): Adapter<MailchimpClient> {
  const resolveTemplates = options.resolveTemplates ?? false;
  return {
    name: "mailchimp",
    attach(client, gate) {
      if (!isMailchimp(client)) throw unsupported(names, "another object");
      return attachTo(client, gate, resolveTemplates);
    },
  };
}

function attachTo(client: MailchimpInternals, gate: Gate, resolveTemplates: boolean): Attachment {
  const hook = hookMethod(client, "post", mark, (stranger, args) => judge(stranger as MailchimpInternals, args, gate));
  if (!hook) throw unsupported(names, "a client whose post other code has replaced");
  const calls = new MailchimpCalls(client, hook.original, gate, resolveTemplates);
  const parts = partsOf(client);
  const verify = (): Refusal | undefined => {
    if (!hook.holds(client)) return replaced(names, "post was replaced by other code");
    return parts.every((part) => part.apiClient === client)
      ? undefined
      : replaced(names, "a part of it was given another client");
  };
  const call = checkedCall(verify, (args: readonly unknown[]) => calls.request(args));
  return attachHooked({
    gate,
    holds: [{ hook, object: client, call }],
    entrances: parts.map((part) => [part, ownMethodsOf(part)]),
    account: accountOfKey("key", client.apiKey),
    verify,
    revive: (spooled) => calls.revive(spooled),
  });
}

/** A client that no fuse holds may do anything but mail; what was looked at is what leaves. */
function judge(stranger: MailchimpInternals, args: readonly unknown[], gate: Gate): Refusal | readonly unknown[] {
  const { wire, path, outputFormat } = copyRequest(stranger, args, gate.limits);
  const { kind } = mailchimpCodec.classify(wire);
  if (kind === "send" || kind === "system" || kind === "audience") return strangersMail(names.short);
  const body = wire.body.kind === "json" ? wire.body.value : {};
  return [path, { ...(body as object), ...(outputFormat === undefined ? {} : { outputFormat }) }];
}

function isMailchimp(client: object): client is MailchimpInternals {
  const { post, basePath, messages, formatList, requestConfig } = client as Record<string, unknown>;
  return (
    typeof post === "function" &&
    typeof basePath === "string" &&
    typeof messages === "object" &&
    Array.isArray(formatList) &&
    typeof requestConfig === "object"
  );
}

/** `messages`, `templates` and the rest: each holds the client it was made for. */
function partsOf(client: object): { readonly apiClient: unknown }[] {
  return Object.values(client).filter((part) => (part as { apiClient?: unknown } | null)?.apiClient === client);
}

function ownMethodsOf(part: object): string[] {
  return Object.entries(part).flatMap(([name, value]) => (typeof value === "function" ? [name] : []));
}
