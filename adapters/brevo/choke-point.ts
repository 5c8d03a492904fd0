/**
 * Takes over the `fetch` of a client and of all its sub-clients. Each sub-client has a copy of the
 * options of its own, made when it was first used, so all of them are made and taken at once.
 *
 * @module
 */
import { MailfuseError, type Refusal } from "../../src/adapter";
import type { BrevoCalls } from "./calls";
import type { Fetch } from "./requests";

type Method = (this: object, ...args: unknown[]) => unknown;

/** The options of a client or sub-client. */
export interface Options {
  fetch?: unknown;
  readonly baseUrl?: unknown;
  readonly environment?: unknown;
  readonly headers?: unknown;
  readonly authProvider: { getAuthRequest(): Promise<{ headers: Record<string, string> }> };
}

/** What has options. */
export interface Held {
  readonly _options: Options;
}

/** What the guard that stands in for `fetch` carries, so that two copies of the package share it. */
interface Shared {
  readonly holders: readonly Held[];
  readonly calls: BrevoCalls[];
  restore(): void;
}

const mark = Symbol.for("mailfuse.brevo.fetch");

/** Whether an object has the parts of a `BrevoClient`. */
export function isBrevo(client: object): client is Held & Record<string, unknown> {
  const { _options, fetch } = client as Partial<Held> & { fetch?: unknown };
  if (typeof _options !== "object" || _options === null || typeof fetch !== "function") return false;
  return typeof _options.authProvider?.getAuthRequest === "function" && subClientNames(client).length > 0;
}

/** The client's own `fetch`, below any fuse. */
export function ownFetch(client: Held): Fetch {
  const { fetch } = client._options as { fetch?: Fetch & { [mark]?: Shared & { own(): Fetch } } };
  return fetch?.[mark]?.own() ?? fetch ?? globalFetch;
}

// Asked for at each request, as the SDK does: tests and tracers replace it.
const globalFetch: Fetch = (input, init) => fetch(input as string, init as RequestInit);

/** Leads every request of a client through these calls. Returns how to undo it. */
export function take(client: Held & Record<string, unknown>, calls: BrevoCalls): () => void {
  const shared = sharedOf(client._options.fetch) ?? install(client);
  shared.calls.push(calls);
  let inside = true;
  return () => {
    if (!inside) return;
    inside = false;
    shared.calls.splice(shared.calls.indexOf(calls), 1);
    if (shared.calls.length === 0) shared.restore();
  };
}

/** What was replaced since, if anything was. */
export function changed(client: Held): Refusal | undefined {
  const shared = sharedOf(client._options.fetch);
  if (!shared) return replaced("its fetch was replaced by other code");
  if (shared.holders.some((one) => sharedOf(one._options.fetch) !== shared)) {
    return replaced("the fetch of one of its sub-clients was replaced by other code");
  }
  const current = Object.values(Object.getOwnPropertyDescriptors(client)).map(({ value }) => value as unknown);
  const lost = shared.holders.some((one) => one !== client && !current.includes(one));
  return lost ? replaced("one of its sub-clients was replaced") : undefined;
}

function sharedOf(fetch: unknown): Shared | undefined {
  return typeof fetch === "function" ? (fetch as { [mark]?: Shared })[mark] : undefined;
}

function replaced(how: string): Refusal {
  return {
    code: "CHOKE_POINT_CHANGED",
    message: `Expected the Brevo client that was attached, but ${how}.`,
    fix: "Attach the fuse again after the replacement, or pass a `fetch` of your own to the client's constructor.",
  };
}

function install(client: Held & Record<string, unknown>): Shared {
  const undo: (() => void)[] = [];
  const before = Object.getOwnPropertyDescriptors(client) as Record<string, PropertyDescriptor>;
  const subs = subClientNames(client)
    .map((name) => client[name])
    .filter(isHeld);
  const own = ownFetch(client);
  const latest = (): BrevoCalls | undefined => shared.calls.at(-1);
  const guard: Fetch = (input, init) => {
    const calls = latest();
    return (calls ? calls.run((fetch) => fetch(input, init)) : own(input, init)) as Promise<Response>;
  };
  const holders = [client, ...subs];
  const shared: Shared & { own(): Fetch } = {
    holders,
    calls: [],
    own: () => own,
    restore() {
      for (const one of undo.reverse()) one();
    },
  };
  Object.defineProperty(guard, mark, { value: shared });
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(client))) {
    // Not to be replaced by assignment: the getters of the client give what stands here.
    if (isHeld(value)) undo.push(define(client, name, { value, writable: false, enumerable: name in before }, before));
  }
  for (const holder of holders) {
    undo.push(define(holder._options, "fetch", { value: guard, writable: true, enumerable: true }));
    const names = holder === client ? ["fetch"] : implementations(holder);
    for (const name of names) undo.push(wrap(holder, name, () => changed(client), latest));
  }
  return shared;
}

/** Gives one method a `fetch` for the call at hand, and its caller the fuse's own refusal. */
function wrap(
  holder: Held,
  name: string,
  verify: () => Refusal | undefined,
  latest: () => BrevoCalls | undefined,
): () => void {
  const method = (holder as unknown as Record<string, Method>)[name] as Method;
  const value = (...args: unknown[]) => {
    const calls = latest();
    if (!calls) return method.apply(holder, args);
    const problem = verify();
    if (problem) return Promise.reject(new MailfuseError(problem));
    return calls.run((fetch) => {
      const options = Object.create(holder._options, { fetch: { value: fetch } }) as Options;
      return method.apply(Object.create(holder, { _options: { value: options } }) as object, args);
    });
  };
  return define(holder, name, { value, writable: true, enumerable: false });
}

/** Defines an own property; the returned function puts back what was there. */
function define(
  target: object,
  name: string,
  descriptor: PropertyDescriptor,
  known?: Record<string, PropertyDescriptor>,
): () => void {
  const before = known ? known[name] : Object.getOwnPropertyDescriptor(target, name);
  Object.defineProperty(target, name, { ...descriptor, configurable: true });
  return () => {
    const now = Object.getOwnPropertyDescriptor(target, name);
    // Other code has put its own here.
    if (now && now.value !== descriptor.value) return;
    if (before) Object.defineProperty(target, name, before);
    else Reflect.deleteProperty(target, name);
  };
}

function isHeld(value: unknown): value is Held {
  const options = (value as Partial<Held> | null | undefined)?._options;
  return typeof value === "object" && typeof options === "object" && options !== null;
}

/** The getters of the client's class: each makes a sub-client when it is first asked. */
function subClientNames(client: object): string[] {
  const names = new Set<string>();
  for (
    let at = Object.getPrototypeOf(client) as object | null;
    at && at !== Object.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
      if (get && name !== "__proto__") names.add(name);
  }
  return [...names];
}

/** What stands behind the public methods of a sub-client: a promise each, where they make their own kind of promise. */
function implementations(holder: Held): string[] {
  const names = new Set<string>();
  for (
    let at = Object.getPrototypeOf(holder) as object | null;
    at && at !== Object.prototype;
    at = Object.getPrototypeOf(at)
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
      if (name.startsWith("__") && typeof value === "function") names.add(name);
  }
  return [...names];
}
