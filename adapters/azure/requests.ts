/**
 * Requests as Azure's pipeline passes them along: read as a wire request, pinned for the last step, and
 * made anew from a spooled one.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import {
  below,
  copyJson,
  isOverridden,
  readJson,
  readTarget,
  type SnapshotLimits,
  type WireBody,
  type WireRequest,
} from "../../src/adapter";

/** Headers of a request or an answer. */
export interface PipelineHeaders extends Iterable<[string, string]> {
  get(name: string): string | undefined;
  set(name: string, value: string | number | boolean): void;
  has(name: string): boolean;
  delete(name: string): void;
  toJSON(options?: { preserveCase?: boolean }): Record<string, string>;
}

/** A request. */
export interface PipelineRequest {
  url: string;
  method: string;
  headers: PipelineHeaders;
  body?: unknown;
  /** Made the body by a later policy. */
  readonly formData?: unknown;
  readonly multipartBody?: unknown;
  /** Handed to Node's `http.request`, above all else. */
  readonly requestOverrides?: unknown;
}

/** An answer. */
export interface PipelineResponse {
  request: PipelineRequest;
  readonly status: number;
  readonly headers: PipelineHeaders;
  readonly bodyAsText?: string | null;
  readonly parsedBody?: unknown;
}

/** Reads a request, each part once; a path that is not below the endpoint is empty. */
export function wireOf(request: PipelineRequest, endpoint: string, limits: SnapshotLimits): WireRequest {
  const { url, body, formData, multipartBody } = request;
  const under = below(endpoint, url);
  const target = under && readTarget(under);
  const headers = Object.entries(request.headers.toJSON()).map(
    ([name, value]) => [name.toLowerCase(), String(value)] as const,
  );
  const formed = formData !== undefined || multipartBody !== undefined;
  return {
    method: String(request.method).toUpperCase(),
    path: target?.path ?? "",
    query: target?.query ?? [],
    headers,
    body: formed ? unread : bodyOf(body, headers, limits),
  };
}

const unread: WireBody = { kind: "bytes", bytes: Buffer.alloc(0) };

function bodyOf(body: unknown, headers: readonly (readonly [string, string])[], limits: SnapshotLimits): WireBody {
  if (body === undefined || body === null || body === "") return { kind: "none" };
  const type = headers.find(([name]) => name === "content-type")?.[1] ?? "";
  const text =
    typeof body === "string" ? body : body instanceof Uint8Array ? Buffer.from(body).toString("utf8") : undefined;
  const value = text !== undefined && /^application\/json\s*(?:;|$)/i.test(type) ? readJson(text) : undefined;
  return value === undefined ? unread : { kind: "json", value: copyJson(value, limits) };
}

/** What must be the same in the request that was judged and in the one that leaves. */
export function fingerprintOf(request: PipelineRequest, wire: WireRequest): string {
  const { method, path, headers, body } = wire;
  // The version of the API is set by a policy of the SDK's own.
  const query = wire.query.filter(([name]) => name !== "api-version");
  const { origin } = new URL(request.url);
  return JSON.stringify([method, origin, path, query, isOverridden(headers), body]);
}

const harmless = new Set(
  "timeout family localAddress rejectUnauthorized servername ca cert key passphrase pfx".split(" "),
);

/** Whether a request is told to go elsewhere, or otherwise, than it says. */
export function isDiverted({ requestOverrides }: PipelineRequest): boolean {
  if (requestOverrides === undefined || requestOverrides === null) return false;
  return typeof requestOverrides !== "object" || Object.keys(requestOverrides).some((name) => !harmless.has(name));
}

/** A copy of the request, so that what was looked at is what leaves. */
export function pin(request: PipelineRequest): PipelineRequest {
  const { body } = request;
  const copy = Object.create(Object.getPrototypeOf(request) as object) as PipelineRequest;
  return Object.assign(copy, request, {
    headers: headersLike(request.headers, request.headers.toJSON({ preserveCase: true })),
    ...(body instanceof Uint8Array ? { body: Buffer.from(body) } : {}),
  });
}

/** Headers of the same class. */
export function headersLike(like: PipelineHeaders, values: Readonly<Record<string, string>>): PipelineHeaders {
  const type = like.constructor as new (values?: object) => PipelineHeaders;
  return new type(values);
}

/** A request that no operation of the SDK stands behind. */
export function requestFrom(wire: WireRequest, endpoint: string, insecure: boolean): PipelineRequest {
  const query = new URLSearchParams(wire.query.map(([name, value]): [string, string] => [name, value])).toString();
  const request = {
    url: `${endpoint.replace(/\/+$/, "")}${wire.path}${query === "" ? "" : `?${query}`}`,
    method: wire.method,
    headers: new Headers(wire.headers),
    timeout: 0,
    withCredentials: false,
    disableKeepAlive: false,
    allowInsecureConnection: insecure,
    requestId: randomUUID(),
    ...(wire.body.kind === "json" ? { body: JSON.stringify(wire.body.value) } : {}),
  };
  return request;
}

/** Headers as the pipeline's policies use them. */
class Headers implements PipelineHeaders {
  readonly #values = new Map<string, { readonly name: string; readonly value: string }>();

  constructor(values: Readonly<Record<string, string>> | readonly (readonly [string, string])[] = []) {
    for (const [name, value] of Array.isArray(values) ? values : Object.entries(values)) this.set(name, value);
  }

  get(name: string): string | undefined {
    return this.#values.get(name.toLowerCase())?.value;
  }

  set(name: string, value: string | number | boolean): void {
    this.#values.set(name.toLowerCase(), { name, value: String(value).trim() });
  }

  has(name: string): boolean {
    return this.#values.has(name.toLowerCase());
  }

  delete(name: string): void {
    this.#values.delete(name.toLowerCase());
  }

  toJSON({ preserveCase = false }: { preserveCase?: boolean } = {}): Record<string, string> {
    return Object.fromEntries(
      [...this.#values].map(([lower, { name, value }]) => [preserveCase ? name : lower, value]),
    );
  }

  *[Symbol.iterator](): Iterator<[string, string]> {
    for (const [lower, { value }] of this.#values) yield [lower, value];
  }
}
