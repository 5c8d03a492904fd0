/**
 * From the options of `request` to a copy, and from the copy to options again.
 *
 * @module
 */
import {
  asRecord,
  below,
  copyJson,
  type Plain,
  type PlainRecord,
  readJson,
  readTarget,
  type SnapshotLimits,
  toText,
  type WireBody,
  type WireRequest,
} from "../../src/adapter";

/** What the adapter uses of a client. */
export interface SparkpostInternals {
  readonly origin: unknown;
  readonly apiVersion: unknown;
  readonly apiKey: unknown;
  readonly defaultHeaders: unknown;
  readonly debug: unknown;
  request(options: unknown, callback?: unknown): Promise<unknown>;
}

// Settings of the `request` package that change neither what is sent nor to whom.
const harmless = new Set(
  (
    "timeout agent agentClass agentOptions pool forever proxy tunnel ca strictSSL gzip debug time localAddress " +
    "family encoding"
  ).split(" "),
);
const read = new Set(["uri", "method", "json", "body", "qs", "headers"]);

/** A request, each part read once. */
export interface Copied {
  readonly wire: WireRequest;
  /** The client as it was when the request was judged: where it goes, and as whom. */
  readonly pinned: object;
  /** The options to send this request with, or the one that was made from it. */
  optionsFor(request: WireRequest): object;
  /** Settings that nobody has judged. */
  readonly unknown: readonly string[];
}

/** Copies the options of `request`, and what of the client decides where they go. */
export function copyRequest(client: SparkpostInternals, options: object, limits: SnapshotLimits): Copied {
  const given: Record<string, unknown> = { ...options };
  const pins = {
    origin: String(client.origin),
    apiVersion: String(client.apiVersion),
    apiKey: client.apiKey,
    debug: client.debug,
    defaultHeaders: asRecord(copyJson(client.defaultHeaders, limits)) ?? {},
  };
  const method = given.method === undefined ? "GET" : String(given.method).toUpperCase();
  const headers = asRecord(copyJson(given.headers, limits));
  const qs = copyJson(given.qs, limits);
  const url = resolve(`${pins.origin}/api/${pins.apiVersion}/`, String(given.uri));
  const under = url && below(pins.origin, url.href);
  const target = under && readTarget(under);
  const types = headersOf(pins.defaultHeaders, headers);
  const wire: WireRequest = {
    method,
    path: target?.path ?? "",
    query: [
      ...(target?.query ?? []),
      ...Object.entries(asRecord(qs) ?? {}).map(([name, value]) => [name, toText(value)] as const),
    ],
    headers: types,
    body: copyBody(given, types, limits),
  };
  const settings = Object.fromEntries(Object.entries(given).filter(([name]) => harmless.has(name)));
  const pinned = Object.create(
    client,
    Object.fromEntries(Object.entries(pins).map(([name, value]) => [name, { value }])),
  ) as object;
  return {
    wire,
    pinned,
    unknown: Object.keys(given).filter((name) => !harmless.has(name) && !read.has(name)),
    optionsFor: (request) => ({
      uri: url?.href ?? "",
      method,
      ...(qs === undefined ? {} : { qs }),
      ...(headers ? { headers } : {}),
      ...bodyFor(request.body, given.json),
      ...settings,
    }),
  };
}

// What the SDK and the `request` package take for an address of its own begins with http.
function resolve(base: string, uri: string): URL | undefined {
  const parent = /^http/.test(uri) ? undefined : base;
  return URL.canParse(uri, parent) ? new URL(uri, parent) : undefined;
}

function headersOf(...all: readonly (PlainRecord | undefined)[]): [string, string][] {
  return all
    .flatMap((one) => Object.entries(one ?? {}))
    .map(([name, value]) => [name.toLowerCase(), String(value)] as [string, string])
    .filter(([name]) => name !== "user-agent");
}

/** `json` is the body, or says of `body` that it is to be written as JSON; a `body` of its own is text or bytes. */
function copyBody(
  { json, body }: Record<string, unknown>,
  headers: readonly (readonly [string, string])[],
  limits: SnapshotLimits,
): WireBody {
  const given = json === undefined || json === null || typeof json === "boolean" ? body : json;
  if (given === undefined || given === null) return { kind: "none" };
  const written = given !== body || json === true;
  const value = written ? copyJson(given, limits) : typeof given === "string" ? readJson(given) : undefined;
  const types = headers.filter(([name]) => name === "content-type");
  // One that says something else has it read as something else, and so has a length of one's own.
  const plain = types.every(([, type]) => /^application\/json\s*(?:;|$)/i.test(type));
  const framed = headers.some(([name]) => /^(?:content-length|transfer-encoding|host)$/.test(name));
  if (value === undefined || !plain || framed) return { kind: "bytes", bytes: Buffer.alloc(0) };
  return { kind: "json", value };
}

function bodyFor(body: WireBody, json: unknown): { json?: unknown; body?: string } {
  if (body.kind !== "json") return json === true ? { json } : {};
  // Without `json`, the SDK answers with text: that stays so.
  return json === undefined || json === null || json === false
    ? { body: JSON.stringify(body.value) }
    : { json: body.value as Plain };
}
