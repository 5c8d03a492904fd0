/**
 * Takes over the function that an axios instance sends with: its `adapter`, which gets each request as it
 * leaves, after interceptors and serialisation, whichever method, sub-client or instance made from this one
 * it came through.
 *
 * A request, and an interceptor, may name an adapter of its own. The first request interceptor is the last
 * that runs, so ours stands in that place and sets the adapter back.
 *
 * @module
 */
import { type ClientNames, type Refusal, replaced } from "../../src/adapter";

/** How errors name the client. */
export const names: ClientNames = {
  expected: "a MailtrapClient of the package mailtrap",
  short: "Mailtrap client",
};

/** A request as axios hands it to its adapter. */
export type Config = Record<string, unknown>;
export type Send = (config: Config) => Promise<unknown>;

interface Interceptor {
  readonly fulfilled?: ((config: Config) => unknown) | undefined;
  readonly rejected?: unknown;
  readonly synchronous?: unknown;
  readonly runWhen?: ((config: Config) => boolean) | null | undefined;
}

/** What the adapter uses of an axios instance. */
export interface Axios {
  (config: Config): Promise<unknown>;
  readonly defaults: { adapter?: unknown; readonly headers?: unknown };
  readonly interceptors: { readonly request: { handlers: (Interceptor | null)[] } };
  create(config?: Config): Axios;
  getUri(config: Config): string;
  request(config: Config): Promise<unknown>;
}

/** What two attachments of one client share. */
interface Shared {
  readonly users: Send[];
  /** The adapter as it was: names, or a function. */
  readonly own: unknown;
  readonly slot: Interceptor;
  readonly methods: ReadonlyMap<string, unknown>;
  restore(): void;
}

const mark = Symbol.for("mailfuse.mailtrap.adapter");
type Guard = Send & { readonly [mark]?: Shared };

/** Whether an object has these parts. */
export function isAxios(value: unknown): value is Axios {
  const { defaults, interceptors, create, getUri, request } = (value ?? {}) as Partial<Axios>;
  if (typeof value !== "function" || typeof defaults !== "object" || defaults === null) return false;
  return (
    [create, getUri, request].every((one) => typeof one === "function") &&
    Array.isArray(interceptors?.request?.handlers)
  );
}

/** Leads every request of an instance to `send`. Returns how to undo it. */
export function take(axios: Axios, send: Send): () => void {
  const shared = sharedOf(axios) ?? install(axios);
  shared.users.push(send);
  let inside = true;
  return () => {
    if (!inside) return;
    inside = false;
    shared.users.splice(shared.users.indexOf(send), 1);
    if (shared.users.length === 0) shared.restore();
  };
}

/** The adapter below any fuse, for an instance made from this one. */
export function ownAdapter(axios: Axios): unknown {
  const shared = sharedOf(axios);
  return shared ? shared.own : axios.defaults.adapter;
}

/** What was replaced since, if anything was. */
export function changed(axios: Axios): Refusal | undefined {
  const shared = sharedOf(axios);
  if (!shared) return replaced(names, "the adapter of its axios was replaced by other code");
  if (axios.interceptors.request.handlers[0] !== shared.slot) {
    return replaced(names, "the interceptors of its axios were cleared or replaced");
  }
  for (const [name, method] of shared.methods) {
    if ((axios as unknown as Record<string, unknown>)[name] !== method)
      return replaced(names, "a method of its axios was replaced by other code");
  }
  return undefined;
}

function sharedOf({ defaults }: Axios): Shared | undefined {
  return typeof defaults.adapter === "function" ? (defaults.adapter as Guard)[mark] : undefined;
}

function install(axios: Axios): Shared {
  const { defaults } = axios;
  const { handlers } = axios.interceptors.request;
  const before = Object.getOwnPropertyDescriptor(defaults, "adapter");
  const own = defaults.adapter;
  const first = handlers[0];
  const guard: Send = async (config) => {
    const send = shared.users.at(-1);
    // Nobody holds it: instances that were made from this one meanwhile have it still.
    return send ? send(config) : axios.create().request({ ...config, adapter: own });
  };
  const shared: Shared = {
    users: [],
    own,
    slot: pinning(first, guard),
    methods: new Map(Object.entries(axios).filter(([, value]) => typeof value === "function")),
    restore() {
      if (sharedOf(axios) === shared) {
        if (before) Object.defineProperty(defaults, "adapter", before);
        else Reflect.deleteProperty(defaults, "adapter");
      }
      const { handlers: now } = axios.interceptors.request;
      if (now[0] !== shared.slot) return;
      if (first !== undefined || now.length > 1) now[0] = first ?? null;
      else now.length = 0;
    },
  };
  Object.defineProperty(guard, mark, { value: shared });
  Object.defineProperty(defaults, "adapter", { configurable: true, enumerable: true, writable: true, value: guard });
  handlers[0] = shared.slot;
  return shared;
}

/** What stood in the first place, and after it ours: the request leaves through the guard, whoever says otherwise. */
function pinning(first: Interceptor | null | undefined, guard: Send): Interceptor {
  const pin = (config: unknown): unknown => Object.assign(config as object, { adapter: guard });
  const fulfilled = (config: Config): unknown => {
    const runs = first?.fulfilled && (typeof first.runWhen !== "function" || first.runWhen(config) !== false);
    const given = runs ? first.fulfilled?.(config) : config;
    return given instanceof Promise ? given.then(pin) : pin(given);
  };
  return { fulfilled, rejected: first?.rejected, synchronous: first?.synchronous ?? true, runWhen: null };
}
