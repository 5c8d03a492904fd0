/**
 * From the arguments of `fetch` to a copy, and from an answer to its facts.
 *
 * @module
 */
import {
  assertCleanPrototypes,
  below,
  MailfuseError,
  type Plain,
  readJson,
  readTarget,
  type SnapshotLimits,
  snapshot,
  type WireBody,
  type WireRequest,
  type WireResponse,
} from "../../src/adapter";

/** `fetch`, as the SDK calls it. */
export type Fetch = (input: unknown, init?: FetchInit) => Promise<Response>;

/** The settings the SDK makes a request with. */
export interface FetchInit {
  readonly method?: unknown;
  readonly headers?: unknown;
  readonly body?: unknown;
  readonly [setting: string]: unknown;
}

/** One request, each argument read once. */
export interface Copied {
  readonly wire: WireRequest;
  readonly url: string;
  readonly init: FetchInit;
  readonly headers: Headers;
}

/** Copies the arguments. A request that leaves the base's origin has no path and is known to nobody. */
export function copyRequest(base: unknown, input: unknown, given: FetchInit, limits: SnapshotLimits): Copied {
  assertCleanPrototypes();
  const init = { ...given };
  const headers = new Headers(init.headers as ConstructorParameters<typeof Headers>[0]);
  const url = String(input);
  const target = below(String(base), url);
  const wire: WireRequest = {
    method: init.method === undefined ? "GET" : String(init.method).toUpperCase(),
    ...(target ? readTarget(target) : { path: "", query: [] }),
    headers: [...headers].filter(([name]) => !isOrdinary(name)),
    body: copyBody(init.body, headers, limits),
  };
  return { wire, url, init, headers };
}

// The key, and what the SDK sets on every request: the client has them when a spooled copy is delivered.
function isOrdinary(name: string): boolean {
  return /^(?:api-key|accept|content-type|user-agent|x-fern-.*)$/.test(name);
}

function copyBody(body: unknown, headers: Headers, limits: SnapshotLimits): WireBody {
  if (body === undefined || body === null) return { kind: "none" };
  if (typeof body !== "string") return { kind: "bytes", bytes: Buffer.alloc(0) };
  if (body.length > limits.bytes) throw tooLarge();
  const isJson = /^application\/json\b/i.test(headers.get("content-type") ?? "application/json");
  const value = isJson ? readJson(body) : undefined;
  return value === undefined
    ? { kind: "bytes", bytes: Buffer.from(body) }
    : { kind: "json", value: snapshot(value, limits) };
}

function tooLarge(): MailfuseError {
  return new MailfuseError({
    code: "COPY_TOO_LARGE",
    message: "Expected a request within the limits of a copy, got a larger one.",
    fix: "Send it in parts, or raise the limit in the configuration.",
  });
}

/** The facts of an answer, read from a copy of it so that the SDK can read it as well. */
export async function readAnswer(response: Response): Promise<WireResponse> {
  const text = await response.clone().text();
  return { status: response.status, headers: Object.fromEntries(response.headers), body: readJson(text) as Plain };
}

/** An answer that never came over a wire. */
export function answerOf({ status, headers, body }: WireResponse): Response {
  return new Response(JSON.stringify(body), { status, headers });
}
