/**
 * The request that the client hands to axios, its last step: where it goes, and what it holds.
 *
 * @module
 */
import {
  asRecord,
  copyJson,
  type Gate,
  type Plain,
  type PlainRecord,
  readJson,
  type WireBody,
} from "../../src/adapter";

/** What `createRequest` gives to axios. */
export interface AxiosRequest {
  readonly url?: unknown;
  readonly baseURL?: unknown;
  readonly method?: unknown;
  readonly params?: unknown;
  readonly headers?: unknown;
  readonly data?: unknown;
}

/** The same options with the parts of the URL as texts: an object there may read differently each time. */
export function settled(options: AxiosRequest): AxiosRequest & { readonly method: string } {
  const text = (value: unknown) => (typeof value === "string" ? value : String(value ?? ""));
  const { url, baseURL, method } = options;
  return {
    ...options,
    url: text(url),
    ...(baseURL === undefined ? {} : { baseURL: text(baseURL) }),
    method: text(method) || "GET",
  };
}

/** Where a request really goes: base and path joined as axios does it, then parsed. */
export function urlOf(options: AxiosRequest): URL | undefined {
  const path = typeof options.url === "string" ? options.url : "";
  const base = typeof options.baseURL === "string" ? options.baseURL : "";
  const absolute = /^([a-z][a-z\d+\-.]*:)?\/\//i.test(path);
  const joined = path === "" ? base : `${base.replace(/\/?\/$/, "")}/${path.replace(/^\/+/, "")}`;
  try {
    return new URL(absolute || base === "" ? path : joined);
  } catch {
    return undefined;
  }
}

/** Its headers, copied: a fresh object of the client's own, nearly always of texts alone. */
export function copyHeaders(headers: unknown, limits: Gate["limits"]): PlainRecord {
  const copy = ([name, value]: [string, unknown]) => [
    name,
    typeof value === "string" ? value : copyJson(value, limits),
  ];
  return Object.fromEntries(Object.entries((headers ?? {}) as object).map(copy)) as PlainRecord;
}

/** Its body, copied and decoded. */
export function readBody(options: AxiosRequest, headers: Plain, gate: Gate): WireBody {
  const { data } = options;
  if (data === undefined || data === null) return { kind: "none" };
  const type = Object.entries(asRecord(headers) ?? {}).findLast(([name]) => name.toLowerCase() === "content-type")?.[1];
  // Under another content type axios writes the object as a form, which mail/send does not read.
  const json = type === undefined || /^application\/(?:[\w.+-]*\+)?json/i.test(String(type));
  if (typeof data !== "string") {
    const value = copyJson(data, gate.limits);
    return json ? { kind: "json", value } : { kind: "form", fields: Object.entries(asRecord(value) ?? {}) };
  }
  const value = json ? readJson(data) : undefined;
  return value === undefined
    ? { kind: "bytes", bytes: Buffer.from(data) }
    : { kind: "json", value: copyJson(value, gate.limits) };
}

/** A body as axios takes it. */
export function bodyOf(body: WireBody): unknown {
  if (body.kind === "json") return body.value;
  if (body.kind === "form") return Object.fromEntries(body.fields) as PlainRecord;
  return body.kind === "bytes" ? Buffer.from(body.bytes).toString("utf8") : undefined;
}
