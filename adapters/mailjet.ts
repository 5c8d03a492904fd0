/**
 * Mailjet: the `node-mailjet` package, from `mailfuse/mailjet`.
 *
 * ```ts
 * import Mailjet from "node-mailjet";
 * import { mailjetAdapter } from "mailfuse/mailjet";
 *
 * const mailjet = new Mailjet({ apiKey: process.env.MJ_KEY, apiSecret: process.env.MJ_SECRET });
 * fuse.attach(mailjet, mailjetAdapter());
 * ```
 *
 * The choke point is `makeRequest` of the class of requests, where the whole URL stands: resources
 * are paths, and may lead anywhere. Other clients are known as strangers. Their mail is refused, or
 * passes with `unattached: "pass"`; their other calls pass untouched.
 *
 * API: https://dev.mailjet.com/email/reference/send-emails/
 *
 * @module
 */
import {
  type Adapter,
  type Attachment,
  accountOfKey,
  type ClientNames,
  checkedCall,
  type Gate,
  type Refusal,
  replaced,
  strangersMail,
  unsupported,
  watchEntrances,
} from "../src/adapter";
import { type Builder, copyRequest, MailjetCalls, type MailjetInternals } from "./mailjet/calls";
import { chokePoint, type MakeRequest } from "./mailjet/choke-point";
import { mailjetCodec } from "./mailjet/codec";

export { mailjetCodec } from "./mailjet/codec";

/** A `Mailjet` client. */
export interface MailjetClient {
  getAPIKey(): string | undefined;
  getConfig(): object;
  getOptions(): object;
  post(resource: string, config?: never): object;
}

/** Options of {@link mailjetAdapter}. */
export interface MailjetOptions {
  /**
   * Reads the text of templates from Mailjet before each request that names some, so that guards and plans see it.
   * Costs one request per template and call. Text with blocks of the template language stays unbound.
   *
   * @default false
   */
  readonly resolveTemplates?: boolean;
}

const names: ClientNames = {
  expected: "a client of the package node-mailjet",
  short: "Mailjet client",
};

/**
 * The adapter for clients of `node-mailjet` 6.
 *
 * @example
 * ```ts
 * fuse.attach(mailjet, mailjetAdapter({ resolveTemplates: true }));
 * ```
 * @throws MailfuseError `ATTACH_UNSUPPORTED` from `attach` for other objects.
 */
export function mailjetAdapter(options: MailjetOptions = {}): Adapter<MailjetClient> {
  const resolveTemplates = options.resolveTemplates ?? false;
  return {
    name: "mailjet",
    attach(client, gate) {
      if (!isMailjet(client)) throw unsupported(names, "another object");
      return attachTo(client, gate, resolveTemplates);
    },
  };
}

function attachTo(client: MailjetInternals, gate: Gate, resolveTemplates: boolean): Attachment {
  const prototype = ownerOf(client.get("send"));
  if (!prototype) throw unsupported(names, "another object");
  const choke = chokePoint(prototype);
  const calls = new MailjetCalls(client, choke.original, gate, resolveTemplates);
  const verify = (): Refusal | undefined =>
    choke.holds() ? undefined : replaced(names, "makeRequest was replaced by other code");
  const call = checkedCall(verify, (builder: Builder, args: readonly unknown[]) => calls.request(builder, args));
  const judge = (builder: Builder, args: readonly unknown[]) => judged(builder, args, gate, choke.original);
  const leave = [
    choke.enter(client, { call, judge, unattached: gate.unattached }),
    watchEntrances(prototype, ["request"], verify),
  ];
  return {
    account: accountOfKey("key", client.getAPIKey()),
    detach() {
      for (const one of leave.splice(0).reverse()) one();
    },
    verify,
    revive: (spooled) => calls.revive(spooled),
  };
}

/** A client that no fuse holds may do anything but mail; what was looked at is what leaves. */
function judged(builder: Builder, args: readonly unknown[], gate: Gate, original: MakeRequest): Refusal | MakeRequest {
  const { wire, url, params, pinned, data } = copyRequest(builder, args, gate.limits);
  const { kind } = mailjetCodec.classify(wire);
  if (kind === "send" || kind === "system" || kind === "audience") return strangersMail(names.short);
  return () => original.call(pinned(data), url, data, params);
}

/** The class whose `makeRequest` this is, so that subclasses are covered. */
function ownerOf(builder: object): Record<string, unknown> | undefined {
  let owner: object | undefined;
  let at: object | null = Object.getPrototypeOf(builder) as object | null;
  while (at && at !== Object.prototype) {
    if (Object.hasOwn(at, "makeRequest")) owner = at;
    at = Object.getPrototypeOf(at) as object | null;
  }
  return owner as Record<string, unknown> | undefined;
}

function isMailjet(client: object): client is MailjetInternals {
  const { get, post, getConfig, getOptions, getAPIKey } = client as Record<string, unknown>;
  return [get, post, getConfig, getOptions, getAPIKey].every((one) => typeof one === "function");
}
