/**
 * Codecs read a provider's HTTP API: what a request would do, how its answer reads. They are
 * written against the wire format, so one codec serves the provider's SDK, plain `fetch` and
 * the egress lock. Pure functions, tested on recorded requests.
 *
 * @module
 */
import type { Call, Fate, Intent, Outcome, RedirectNote } from "./adapter";
import type { Address } from "./address";
import { MailfuseError } from "./errors";
import type { Plain } from "./snapshot";

export { type AttachedFile, digestInput } from "./codec/digest";
export { fateOfStatus, isNoConnection } from "./codec/fates";
export {
  asList,
  asRecord,
  asText,
  field,
  type PlainRecord,
  place,
  type Shape,
  toText,
  unknownField,
  unknownFields,
} from "./codec/fields";
export { headerProblem, isOverridden, isUnsubscribe, recipientHeader } from "./codec/headers";
export { copyJson, readJson } from "./codec/json";
export { mergeContent, mergePairs, mergePlaceholders } from "./codec/merge";
export { watchFetch } from "./codec/network";
export {
  notRedirectable,
  originalsHeader,
  originalsOf,
  readRecipients,
  readSender,
  rewriteAddresses,
} from "./codec/recipients";
export { mimeRecipients, redirectMime } from "./codec/rendered";
export { type Found, Routes } from "./codec/routes";
export { below, readPath, readTarget, type Target } from "./codec/target";

/** Text that lives at the provider, as it was when the request was made. */
export interface TemplateText {
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
  /** Addresses that get a copy of every mail made from it, where a template can hold some. */
  readonly cc?: string;
  readonly bcc?: string;
}

/** One HTTP request to a provider's API, as a plain copy. */
export interface WireRequest {
  /** Upper case. */
  readonly method: string;
  /** The path that would really leave: decoded and resolved by the URL parser, no host, no query. */
  readonly path: string;
  /** Query pairs in order. */
  readonly query: readonly (readonly [string, string])[];
  /** Header pairs, names in lower case. */
  readonly headers: readonly (readonly [string, string])[];
  /** The decoded body: JSON as a plain value, a form as pairs, nothing as undefined. */
  readonly body: WireBody;
  /** Texts of the templates it names, by id, where the adapter resolved them. Never leaves. */
  readonly templates?: Readonly<Record<string, TemplateText>>;
}

/** A request's body by its encoding. */
export type WireBody =
  | { readonly kind: "none" }
  | { readonly kind: "json"; readonly value: Plain }
  | { readonly kind: "form"; readonly fields: readonly (readonly [string, Plain])[] }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array };

/** One HTTP answer, as far as outcomes need it. */
export interface WireResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Plain;
}

/** Reads and answers in one provider's wire format. */
export interface Codec {
  readonly provider: string;
  /** Host names of the provider's API; a leading `*.` stands for any depth of subdomain, `*` elsewhere for one label. */
  readonly hosts: readonly string[];
  /** What this request would do. Never throws on a request's content: problems go into the intent. */
  classify(request: WireRequest): Intent;
  /** The same request with every readable recipient written anew from its parse. What is unreadable stays. */
  rewrite?(request: WireRequest): WireRequest;
  /** The same request with every recipient replaced; see {@link Call.redirect}. */
  redirect(request: WireRequest, to: Address, note: RedirectNote): WireRequest;
  /** What the provider answers when it accepts. */
  simulate(request: WireRequest): WireResponse;
  /** What an answer says of the mail. Unreadable acceptance is `unknown`. */
  outcome(request: WireRequest, response: WireResponse): Outcome;
  /** The header that makes a repeat harmless at the provider, where there is one. */
  readonly idempotencyHeader?: string;
}

/** How one SDK turns wire requests and answers into its own calls and results. */
export interface Transport<Result> {
  /** Puts exactly this request on the wire. */
  send(request: WireRequest): Promise<Result>;
  /** The SDK's own result for an answer; throws the SDK's own error for a failed one. */
  answer(response: WireResponse): Result;
  /** The answer inside a result or an error; `undefined` when no answer came. */
  response(settled: { readonly result: Result } | { readonly error: unknown }): WireResponse | undefined;
  /** Whether an error (or a result that stands for one) proves that no byte of the request reached the provider. */
  neverConnected?(error: unknown): boolean;
}

/** A {@link Call} from a codec and a transport. */
export function codecCall<Result>(codec: Codec, given: WireRequest, transport: Transport<Result>): Call<Result> {
  const request = codec.rewrite?.(given) ?? given;
  const intent = codec.classify(request);
  const guarded = intent.kind !== "read" && intent.kind !== "management";
  return {
    intent,
    async deliver(commit) {
      if (!guarded) return transport.send(request);
      const permit = await commit();
      return transport.send(withIdempotency(codec, request, permit.reservation));
    },
    simulate: () => transport.answer(codec.simulate(request)),
    outcome(settled) {
      const response = transport.response(settled);
      if (response) return codec.outcome(request, response);
      // Some SDKs resolve where others throw.
      const told = "error" in settled ? settled.error : settled.result;
      const fate: Fate = transport.neverConnected?.(told) ? "failed" : "unknown";
      return { fate };
    },
    async redirect(to, note) {
      return codecCall(codec, codec.redirect(request, to, note), transport);
    },
    spool: () => encodeWire(request),
  };
}

// The caller's own key wins: replacing it would turn their repeat into a second mail.
function withIdempotency(codec: Codec, request: WireRequest, reservation: string): WireRequest {
  const header = codec.idempotencyHeader?.toLowerCase();
  if (!header || request.headers.some(([name]) => name === header)) return request;
  return { ...request, headers: [...request.headers, [header, reservation]] };
}

/** The bytes of a request for the spool; {@link decodeWire} reads them back. */
export function encodeWire(request: WireRequest): Uint8Array {
  return Buffer.from(JSON.stringify(request, tagLeaf), "utf8");
}

/** Reads what {@link encodeWire} wrote. Throws `PLAN_TAMPERED` on anything else. */
export function decodeWire(bytes: Uint8Array): WireRequest {
  try {
    const read: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"), untagLeaf);
    if (isWireRequest(read)) return read;
  } catch (cause) {
    throw tampered(cause);
  }
  throw tampered();
}

function isWireRequest(read: unknown): read is WireRequest {
  if (typeof read !== "object" || read === null) return false;
  const { method, path, query, headers, body } = read as Record<keyof WireRequest, unknown>;
  if (typeof method !== "string" || typeof path !== "string" || !Array.isArray(query) || !Array.isArray(headers))
    return false;
  const { kind, fields, bytes } = (body ?? {}) as { kind?: unknown; fields?: unknown; bytes?: unknown };
  if (kind === "form") return Array.isArray(fields);
  return kind === "none" || kind === "json" || (kind === "bytes" && bytes instanceof Uint8Array);
}

function tampered(cause?: unknown): MailfuseError {
  return new MailfuseError(
    { code: "PLAN_TAMPERED", message: "Expected a spooled request, got bytes that do not read as one." },
    cause === undefined ? {} : { cause },
  );
}

const leaf = "\u0000bytes";

// JSON has no bytes. Buffer's own toJSON runs before the replacer, so both shapes are met here.
function tagLeaf(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return { [leaf]: Buffer.from(value).toString("base64") };
  if (isBufferJson(value)) return { [leaf]: Buffer.from(value.data).toString("base64") };
  return value;
}

function untagLeaf(_key: string, value: unknown): unknown {
  if (typeof value === "object" && value !== null && leaf in value) {
    return Buffer.from(String((value as Record<string, unknown>)[leaf]), "base64");
  }
  return value;
}

function isBufferJson(value: unknown): value is { data: number[] } {
  if (typeof value !== "object" || value === null) return false;
  const shape = value as { type?: unknown; data?: unknown };
  return shape.type === "Buffer" && Array.isArray(shape.data);
}
