/**
 * The lock at the level of requests: a connection may have been made by a delivery, or before the
 * lock, and be used again by something else.
 *
 * @module
 */
import { subscribe } from "node:diagnostics_channel";
import { Agent, ClientRequest } from "node:http";
import { type ClientHttp2Session, connect } from "node:http2";
import { Duplex } from "node:stream";
import { insideDelivery } from "../delivery";
import { type Destination, reasonToRefuse, splitAuthority } from "./policy";
import { type LockState, locked, unguarded } from "./state";

/** On requests made inside a delivery: a body piped in may write the head from another context. */
const inside = Symbol.for("mailfuse.lock.inside");

type Marked = ClientRequest & { [inside]?: boolean };

/** Hooks `node:http`, `node:https`, `node:http2`, the global `fetch` and every copy of undici, once per process. */
export function hookRequests(state: LockState): void {
  markRequests();
  hookHeads(state);
  hookSessions(state);
  hookUndici(state);
  hookFetch(state);
}

function markRequests(): void {
  const agents = Agent.prototype as unknown as { addRequest: (request: Marked, ...rest: unknown[]) => void };
  const addRequest = agents.addRequest;
  agents.addRequest = function (this: Agent, request, ...rest) {
    if (insideDelivery()) request[inside] = true;
    Reflect.apply(addRequest, this, [request, ...rest]);
  };
  // Agents of other people do not extend Node's; all of them end here.
  const requests = ClientRequest.prototype as unknown as { onSocket: (...args: unknown[]) => void };
  const onSocket = requests.onSocket;
  requests.onSocket = function (this: Marked, ...args) {
    if (insideDelivery()) this[inside] = true;
    Reflect.apply(onSocket, this, args);
  };
}

// The head is where host, path and every header stand for good.
function hookHeads(state: LockState): void {
  const prototype = ClientRequest.prototype as unknown as { _storeHeader: (line: string, headers: unknown) => void };
  const original = prototype._storeHeader;
  prototype._storeHeader = function _storeHeader(this: Marked, line, headers) {
    if (this[inside] !== true && locked(state)) {
      const reason = first(destinations(this, line, headers), state);
      // Destroyed before the head is written, so nothing leaves; the request emits the error.
      if (reason !== undefined) this.destroy(unguarded(state, reason));
    }
    Reflect.apply(original, this, [line, headers]);
  };
}

function destinations(request: ClientRequest, line: string, headers: unknown): Destination[] {
  const [method, target = ""] = line.split(" ");
  if (method === "CONNECT") return [splitAuthority(target)];
  const standard = request.protocol === "https:" ? 443 : 80;
  const path = target.startsWith("/") ? target : undefined;
  // A request to an HTTP proxy names its true target in full.
  const absolute = path === undefined ? fromUrl(target) : undefined;
  const named = hostHeaders(headers).map((host) => ({
    port: standard,
    ...defined(splitAuthority(host)),
    path: path ?? "/",
  }));
  return [{ host: request.host, port: standard, path: path ?? "/" }, ...named, ...(absolute ? [absolute] : [])];
}

/** Headers as names in lower case and values, from an object or a list of either kind. */
function pairs(headers: unknown): (readonly [string, string])[] {
  if (!Array.isArray(headers)) {
    return Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)] as const);
  }
  const flat = headers.flat() as unknown[];
  return flat.flatMap((value, at) =>
    at % 2 === 1 ? [[String(flat[at - 1]).toLowerCase(), String(value)] as const] : [],
  );
}

function hostHeaders(headers: unknown): string[] {
  if (Array.isArray(headers)) return pairs(headers).flatMap(([name, value]) => (name === "host" ? [value] : []));
  const entry = (headers as Record<string, [string, unknown]> | null)?.host;
  return entry === undefined ? [] : [entry[1]].flat().map(String);
}

// The class of HTTP/2 sessions is exported nowhere; an unconnected session leads to it.
function hookSessions(state: LockState): void {
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const probe = connect("http://127.0.0.1", { createConnection: () => socket });
  probe.on("error", () => {});
  const prototype = Object.getPrototypeOf(probe) as { request: (...args: unknown[]) => unknown };
  probe.destroy();
  const original = prototype.request;
  if (typeof original !== "function") return;
  prototype.request = function request(this: ClientHttp2Session, ...args) {
    if (locked(state)) {
      const headers = pairs(args[0]);
      const path = headers.find(([name]) => name === ":path")?.[1] ?? "/";
      const named = headers.filter(([name]) => name === ":authority" || name === "host").map(([, value]) => value);
      const origins = (this.originSet ?? []).map((origin) => new URL(origin).host);
      const to = [...named, ...origins].map((name) => ({ port: 443, ...defined(splitAuthority(name)), path }));
      const reason = first(to, state);
      if (reason !== undefined) throw unguarded(state, reason);
    }
    return Reflect.apply(original, this, args);
  };
}

/** What undici publishes about a request; the names differ between its major versions. */
interface UndiciRequest {
  readonly origin?: unknown;
  readonly path?: unknown;
  readonly method?: unknown;
  readonly host?: unknown;
  onError?: (error: Error) => void;
  onResponseError?: (error: Error) => void;
}

// undici publishes on one channel whether it is Node's own or an installed copy, so a `fetch`
// taken before the lock is seen too. A subscriber cannot throw: the request is failed instead.
function hookUndici(state: LockState): void {
  const refused = new WeakMap<object, Error>();
  subscribe("undici:request:create", (message) => {
    if (!locked(state)) return;
    const { request } = message as { request: UndiciRequest };
    const path = String(request.path ?? "/");
    const to = request.method === "CONNECT" ? [splitAuthority(path)] : undiciDestinations(request, path);
    const reason = first(to, state);
    if (reason === undefined) return;
    const error = unguarded(state, reason);
    refused.set(request, error);
    if (request.onError) request.onError(error);
    else request.onResponseError?.(error);
  });
  // The last moment before bytes, should a version not honour the failure.
  subscribe("undici:client:sendHeaders", (message) => {
    const { request, socket } = message as { request: object; socket?: { destroy(error: Error): void } };
    const error = refused.get(request);
    if (error) socket?.destroy(error);
  });
}

function undiciDestinations(request: UndiciRequest, path: string): Destination[] {
  const origin = fromUrl(String(request.origin ?? ""));
  const absolute = path.startsWith("/") ? undefined : fromUrl(path);
  const host = typeof request.host === "string" ? [{ ...splitAuthority(request.host), path }] : [];
  return [...(origin ? [{ ...origin, path }] : []), ...host, ...(absolute ? [absolute] : [])];
}

// Without this the channel's error arrives as "fetch failed", and its stack does not reach the caller.
function hookFetch(state: LockState): void {
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, "fetch");
  const original = globalThis.fetch;
  if (!descriptor?.configurable || typeof original !== "function") return;
  const fetch: typeof globalThis.fetch = (input, init) => {
    const to = locked(state) ? fromUrl(input instanceof Request ? input.url : String(input)) : undefined;
    const reason = to && reasonToRefuse(to, [...state.allow]);
    return reason === undefined ? original(input, init) : Promise.reject(unguarded(state, reason));
  };
  Object.defineProperty(fetch, "name", { value: "fetch" });
  Object.defineProperty(globalThis, "fetch", {
    configurable: true,
    enumerable: descriptor.enumerable ?? true,
    writable: true,
    value: fetch,
  });
}

function first(to: readonly Destination[], state: LockState): string | undefined {
  const allowed = [...state.allow];
  for (const one of to) {
    const reason = reasonToRefuse(one, allowed);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function fromUrl(text: string): Destination | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  return { host: url.hostname, port, path: url.pathname };
}

function defined(to: Destination): Destination {
  return Object.fromEntries(Object.entries(to).filter(([, value]) => value !== undefined));
}
