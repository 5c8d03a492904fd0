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
import { hash } from "node:crypto";
import {
  type Adapter,
  type Attachment,
  type Gate,
  MailfuseError,
  type Refusal,
  strangersMail,
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
      if (!isMailjet(client)) throw unsupported();
      return attachTo(client, gate, resolveTemplates);
    },
  };
}

function attachTo(client: MailjetInternals, gate: Gate, resolveTemplates: boolean): Attachment {
  const prototype = ownerOf(client.get("send"));
  if (!prototype) throw unsupported();
  const choke = chokePoint(prototype);
  const calls = new MailjetCalls(client, choke.original, gate, resolveTemplates);
  const verify = (): Refusal | undefined => (choke.holds() ? undefined : replaced);
  const call = async (builder: Builder, args: readonly unknown[]): Promise<unknown> => {
    const problem = verify();
    if (problem) throw new MailfuseError(problem);
    return calls.request(builder, args);
  };
  const judge = (builder: Builder, args: readonly unknown[]) => judged(builder, args, gate, choke.original);
  const leave = [
    choke.enter(client, { call, judge, unattached: gate.unattached }),
    watchEntrances(prototype, ["request"], verify),
  ];
  return {
    // The first characters of a hash tell accounts apart, and nothing of the key.
    account: `key-${hash("sha256", String(client.getAPIKey()), "hex").slice(0, 8)}`,
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
  if (kind === "send" || kind === "system" || kind === "audience") return strangersMail("Mailjet client");
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

const replaced: Refusal = {
  code: "CHOKE_POINT_CHANGED",
  message: "Expected the Mailjet client that was attached, but makeRequest was replaced by other code.",
  fix: "Attach the fuse again after the replacement, or do not replace it.",
};

function unsupported(): MailfuseError {
  return new MailfuseError({
    code: "ATTACH_UNSUPPORTED",
    message: "Expected a client of the package node-mailjet, got another object.",
    fix: "Pass what its constructor gives.",
  });
}
