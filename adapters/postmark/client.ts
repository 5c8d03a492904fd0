/**
 * The parts of Postmark's clients that the adapter stands on, and how to tell that other code has
 * changed them.
 *
 * @module
 */
import { MailfuseError, type Refusal } from "../../src/adapter";

type Fetch = (input: unknown, init?: unknown) => unknown;

/** What `httpClient` is: a thin layer over `fetch` (5.x) or axios (3.x, 4.x). */
export interface HttpClient {
  clientOptions: { readonly requestHost?: unknown; readonly useHttps?: unknown; readonly fetch?: unknown };
  client: unknown;
  httpRequest(method: unknown, path: unknown, query: unknown, body: unknown, headers: unknown): unknown;
  initHttpClient(options?: object): void;
}

/** What a `ServerClient` or an `AccountClient` is. */
export interface PostmarkInternals {
  httpClient: HttpClient;
  readonly token?: unknown;
  readonly authHeader?: unknown;
  getComposedHttpRequestHeaders(): Record<string, unknown>;
}

/** Whether an object has these parts. */
export function isPostmark(client: object): client is PostmarkInternals {
  const { httpClient, getComposedHttpRequestHeaders } = client as Partial<PostmarkInternals>;
  if (typeof httpClient !== "object" || httpClient === null) return false;
  const { httpRequest, initHttpClient } = httpClient;
  return [httpRequest, initHttpClient, getComposedHttpRequestHeaders].every((one) => typeof one === "function");
}

/** What two attachments of one client share. */
interface Shared {
  client: unknown;
  /** The source of what the SDK makes by itself. */
  readonly standard: string | undefined;
  users: number;
}

const mark = Symbol.for("mailfuse.postmark.client");

/** The function below `httpRequest`: guarded against use by hand, and watched for replacements. */
export class Wire {
  readonly #http: HttpClient;
  readonly #shared: Shared;

  constructor(http: HttpClient) {
    this.#http = http;
    this.#shared = sharedOf(http) ?? guard(http);
    this.#shared.users += 1;
  }

  /** `httpClient` for one request, with the true function in it. */
  opened(): object {
    return Object.create(this.#http, { client: { value: this.#shared.client } }) as object;
  }

  /**
   * What replaced the function. `setClientOptions` makes it anew, from the `fetch` among the options
   * or from the SDK's own source; anything else came from elsewhere, and may change what leaves.
   */
  changed(): Refusal | undefined {
    const { client, standard } = this.#shared;
    if (sharedOf(this.#http) !== this.#shared) return replaced("httpClient.client was replaced by other code");
    if (!isFetch(client)) {
      return intercepts(client) ? replaced("interceptors were added to httpClient.client") : undefined;
    }
    const declared = this.#http.clientOptions.fetch;
    if (client === declared || standard === undefined || String(client) === standard) return undefined;
    return replaced("httpClient.client was replaced by other code");
  }

  /** Gives the property back as it was, after the last attachment. */
  close(): void {
    this.#shared.users -= 1;
    if (this.#shared.users > 0 || sharedOf(this.#http) !== this.#shared) return;
    const value = this.#shared.client;
    Object.defineProperty(this.#http, "client", { configurable: true, enumerable: true, writable: true, value });
  }
}

function guard(http: HttpClient): Shared {
  const shared: Shared = { client: http.client, standard: standardSource(http), users: 0 };
  const refuse: Fetch = () => Promise.reject(new MailfuseError(byHand));
  const get = () => (isFetch(shared.client) ? refuse : shared.client);
  Object.defineProperty(get, mark, { value: shared });
  const set = (client: unknown) => {
    shared.client = client;
  };
  Object.defineProperty(http, "client", { configurable: true, enumerable: true, get, set });
  return shared;
}

function sharedOf(http: HttpClient): Shared | undefined {
  const get = Object.getOwnPropertyDescriptor(http, "client")?.get as { [mark]?: Shared } | undefined;
  return get?.[mark];
}

/** A reason to refuse until the fuse is attached again. */
export function replaced(how: string): Refusal {
  return {
    code: "CHOKE_POINT_CHANGED",
    message: `Expected the Postmark client that was attached, but ${how}.`,
    fix: "Attach the fuse again after the replacement; a transport of your own goes into the client's option `fetch`.",
  };
}

const byHand: Refusal = {
  code: "REQUEST_UNKNOWN",
  message: "Expected requests through the client's methods, got one straight to the function below them.",
  fix: "Use the client's methods, or guardedFetch of mailfuse/fetch.",
};

// axios' instances are functions too, and have methods.
function isFetch(client: unknown): client is Fetch {
  return typeof client === "function" && typeof (client as { request?: unknown }).request !== "function";
}

/** The source of the function that the SDK makes when no `fetch` is among the options. */
function standardSource(http: HttpClient): string | undefined {
  try {
    const fresh = Reflect.construct(http.constructor, [{}]) as HttpClient;
    return isFetch(fresh.client) ? String(fresh.client) : undefined;
  } catch {
    return undefined;
  }
}

function intercepts(client: unknown): boolean {
  const { handlers } = (client as { interceptors?: { request?: { handlers?: unknown } } })?.interceptors?.request ?? {};
  return Array.isArray(handlers) && handlers.some((handler) => handler !== null);
}
