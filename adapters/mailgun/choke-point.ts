/**
 * Takes and gives back the two functions of a mailgun.js client that everything passes: the
 * provider's `makeRequest`, the last step, and `postWithFD`, the last one that sees plain data.
 *
 * @module
 */
import { type Refusal, watchEntrances } from "../../src/adapter";

/** What `makeRequest` resolves to. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Query and body of a request, as `Request.request` hands them on. */
export interface RequestConfig {
  readonly params?: unknown;
  readonly data?: unknown;
}

type Make = (url: string, method: string, config: RequestConfig, options: unknown) => Promise<Answer>;
type Post = (url: string, data: unknown) => Promise<Answer>;

/** What the adapter uses of a client. All its sub-clients share this one object. */
export interface MailgunRequest {
  readonly url: string;
  readonly requestProvider: { makeRequest: Make };
  postWithFD: Post;
  get(url: string, query?: object): Promise<Answer>;
}

/** A client made by `new Mailgun(FormData).client(…)`. */
export interface MailgunClient {
  readonly request: MailgunRequest;
  readonly messages: object;
}

/** Stands in for the two functions. */
interface Entry {
  readonly make: Make;
  readonly post: Post;
}

const mark = Symbol.for("mailfuse.mailgun");

interface Taken<Method> {
  readonly original: Method;
  readonly entries: Entry[];
}

/** The functions in their places. */
export interface ChokePoint {
  readonly make: Make;
  readonly post: Post;
  /** As `post`, with a last step of its own: what comes there is this request, and no other. */
  postThrough(last: Make, url: string, data: unknown): Promise<Answer>;
  enter(entry: Entry): () => void;
  verify(): Refusal | undefined;
}

/** The choke point of a client; `undefined` when other code has replaced one of its functions. */
export function chokePoint(client: MailgunClient): ChokePoint | undefined {
  const { request } = client;
  const provider = request.requestProvider;
  if (replaced(provider, "makeRequest") || replaced(request, "postWithFD")) return undefined;
  const make = take<Make>(provider, "makeRequest", (entry) => entry.make);
  const post = take<Post>(request, "postWithFD", (entry) => entry.post);
  const verify = (): Refusal | undefined => {
    if (client.request !== request || strayRequest(client, request)) return changed("the request object of the client");
    if (request.requestProvider !== provider) return changed("request.requestProvider");
    if (provider.makeRequest !== make.method) return changed("request.requestProvider.makeRequest");
    return request.postWithFD === post.method ? undefined : changed("request.postWithFD");
  };
  return {
    make: (...args) => make.taken.original.apply(provider, args),
    post: (...args) => post.taken.original.apply(request, args),
    postThrough(last, ...args) {
      const requestProvider = Object.create(provider, { makeRequest: { value: last } }) as object;
      const through = Object.create(request, { requestProvider: { value: requestProvider } }) as MailgunRequest;
      return post.taken.original.apply(through, args);
    },
    enter(entry) {
      make.taken.entries.push(entry);
      post.taken.entries.push(entry);
      const unwatch = watchEntrances(client.messages, ["create", "resendEmail"], verify);
      return () => {
        unwatch();
        make.leave(entry);
        post.leave(entry);
      };
    },
    verify,
  };
}

/** Own functions that are not ours were put there by other code, and may lead anywhere. */
function replaced(owner: object, name: string): boolean {
  const own = Object.getOwnPropertyDescriptor(owner, name)?.value as { [mark]?: unknown } | undefined;
  return own !== undefined && own[mark] === undefined;
}

function take<Method extends (...args: never[]) => Promise<Answer>>(
  owner: object,
  name: string,
  of: (entry: Entry) => Method,
) {
  type Marked = Method & { [mark]?: Taken<Method> };
  const present = (owner as Record<string, Marked>)[name] as Marked;
  const taken: Taken<Method> = present[mark] ?? { original: present, entries: [] };
  const method =
    present[mark] === undefined
      ? function (this: unknown, ...args: Parameters<Method>) {
          const entry = taken.entries.at(-1);
          // Borrowed for another client's request object, it does what it always did.
          return entry && this === owner ? of(entry)(...args) : taken.original.apply(this, args);
        }
      : present;
  if (method !== present) {
    Object.defineProperties(method, { name: { value: name }, [mark]: { value: taken } });
    Object.defineProperty(owner, name, { value: method, configurable: true, writable: true, enumerable: false });
  }
  const leave = (entry: Entry): void => {
    const at = taken.entries.indexOf(entry);
    if (at >= 0) taken.entries.splice(at, 1);
    const current = Object.getOwnPropertyDescriptor(owner, name)?.value as unknown;
    if (taken.entries.length === 0 && current === method) Reflect.deleteProperty(owner, name);
  };
  return { taken, method: method as unknown as Method, leave };
}

/** Whether a sub-client was given another request object. */
function strayRequest(value: object, request: MailgunRequest, depth = 0): boolean {
  // Asked at every send: no list is made of what each of them holds.
  for (const name in value) {
    if (!Object.hasOwn(value, name)) continue;
    const inner = (value as Record<string, unknown>)[name];
    if (typeof inner !== "object" || inner === null || inner === request) continue;
    const own = Object.hasOwn(inner, "request") ? (inner as { request: unknown }).request : undefined;
    if (own !== undefined && own !== request) return true;
    if (depth < 3 && strayRequest(inner, request, depth + 1)) return true;
  }
  return false;
}

function changed(what: string): Refusal {
  return {
    code: "CHOKE_POINT_CHANGED",
    message: `Expected the Mailgun client as it was attached, but ${what} was replaced.`,
    fix: "Attach the fuse again after the replacement, or do not replace it.",
  };
}
