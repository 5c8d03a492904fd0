/**
 * Takes and gives back the places of an AWS client that mail passes: a middleware where the input is
 * read, one that learns the invocation id, and the request handler's `handle`, the last step, where
 * the signed request is held against what was judged.
 *
 * The request handler may be shared with other clients: only requests scoped to SES are looked at.
 *
 * @module
 */
import { type Intent, MailfuseError, type Refusal } from "../../src/adapter";
import { classify } from "./codec";
import { invocationOf, isSesRequest, wireOf } from "./http";
import { readWire, type SesRequest } from "./wire";

/** A signed request, as handlers get it. */
export interface HttpRequest {
  readonly method: string;
  readonly hostname: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** What a handler answers. */
export interface HttpAnswer {
  readonly response: { readonly statusCode: number };
}

/** What middlewares pass along. */
export interface Args {
  readonly input: unknown;
  readonly request?: HttpRequest;
  readonly [ticketKey]?: Ticket;
}

/** What a command resolves to, inside. */
export interface Answer {
  readonly response?: unknown;
  readonly output: object;
}

/** What a middleware knows of its command. */
export interface Context {
  readonly commandName?: string;
  readonly __smithy_context?: { readonly commandInstance?: object };
}

export type Next = (args: Args) => Promise<Answer>;
type Middleware = (next: Next, context: Context) => Next;
type Handle = (this: unknown, request: HttpRequest, options?: unknown) => Promise<HttpAnswer>;

/** What the adapter uses of a client. */
export interface SesClient {
  readonly middlewareStack: {
    add(middleware: Middleware, options: { name: string; step: string; priority: string }): void;
    remove(name: string): boolean;
    identify(): readonly string[];
  };
  readonly config: { readonly requestHandler: { handle: Handle }; readonly serviceId?: unknown };
  readonly initConfig?: { readonly region?: unknown };
  send(command: object): Promise<object>;
  /** Where the SDK keeps resolved middleware under `cacheMiddleware`. */
  handlers?: unknown;
}

/** A judged mail on its way to the last step, and everything that is tried with it. */
export interface Ticket {
  /** Whether a signed request is this mail. */
  says(request: SesRequest, method: string): boolean;
  /** Makes one attempt, if it may be made. */
  attempt(send: () => Promise<HttpAnswer>): Promise<HttpAnswer>;
}

const ticketKey = Symbol.for("mailfuse.ses.ticket");
const clientMark = Symbol.for("mailfuse.ses.client");
const handlerMark = Symbol.for("mailfuse.ses.handler");
const names = { initialize: "mailfuse", ticket: "mailfuseTicket" } as const;

type Entry = (next: Next, context: Context, args: Args) => Promise<Answer>;

interface HandlerState {
  readonly original: Handle;
  /** The handler's own property, where it had one. */
  readonly before: PropertyDescriptor | undefined;
  readonly tickets: Map<string, Ticket>;
  readonly guards: Set<{ verify(): Refusal | undefined; readonly unattached: "refuse" | "pass" }>;
}

/** A client's places. */
export interface ChokePoint {
  enter(entry: Entry, unattached: "refuse" | "pass"): () => void;
  /** Whether the last step is still ours; cheap enough for every send. Removed middleware shows there. */
  inPlace(): Refusal | undefined;
  verify(): Refusal | undefined;
  /** Arguments with the copy in the input's place, and its ticket. */
  issue(args: Args, input: unknown, ticket: Ticket): Args;
  /** A ticket's mail is delivered, or not. */
  forget(ticket: Ticket): void;
}

/** The choke point of a client. */
export function chokePoint(client: SesClient): ChokePoint {
  const handler = client.config.requestHandler;
  const taken = takeHandler(handler);
  const inPlace = (): Refusal | undefined => {
    if (client.config.requestHandler !== handler) return changed("config.requestHandler was replaced");
    return handler.handle === taken.handle ? undefined : changed("the request handler's handle was replaced");
  };
  const verify = (): Refusal | undefined => {
    const problem = inPlace();
    if (problem) return problem;
    // "name - step", or "name: tags" in versions before 3.400.
    const present = new Set(client.middlewareStack.identify().map((one) => one.split(/[ :]/, 1)[0]));
    const all = Object.values(names).every((name) => present.has(name));
    return all ? undefined : changed("its middleware was removed");
  };
  return {
    inPlace,
    verify,
    enter(entry, unattached) {
      const entries = takeClient(client, taken.state);
      const guard = { verify, unattached };
      entries.push(entry);
      taken.state.guards.add(guard);
      return () => {
        const at = entries.indexOf(entry);
        if (at >= 0) entries.splice(at, 1);
        if (entries.length === 0) giveClientBack(client);
        taken.state.guards.delete(guard);
        if (taken.state.guards.size === 0) taken.giveBack();
      };
    },
    issue: (args, input, ticket) => ({ ...args, input, [ticketKey]: ticket }),
    forget(ticket) {
      for (const [id, one] of taken.state.tickets) if (one === ticket) taken.state.tickets.delete(id);
    },
  };
}

type MarkedClient = SesClient & { [clientMark]?: Entry[] };

function takeClient(client: MarkedClient, state: HandlerState): Entry[] {
  const found = client[clientMark];
  if (found) return found;
  const entries: Entry[] = [];
  Object.defineProperty(client, clientMark, { value: entries, configurable: true, enumerable: false });
  // Late in its step: what the application's own middleware does to the input is judged too.
  client.middlewareStack.add(
    (next, context) => (args) => {
      const entry = entries.at(-1);
      return entry ? entry(next, context, args) : next(args);
    },
    { name: names.initialize, step: "initialize", priority: "low" },
  );
  client.middlewareStack.add(
    (next) => (args) => {
      const ticket = args[ticketKey];
      const id = args.request && invocationOf(args.request);
      if (ticket && id !== undefined) state.tickets.set(id, ticket);
      return next(args);
    },
    { name: names.ticket, step: "finalizeRequest", priority: "low" },
  );
  forgetResolved(client);
  return entries;
}

function giveClientBack(client: MarkedClient): void {
  if (!client[clientMark]) return;
  Reflect.deleteProperty(client, clientMark);
  for (const name of Object.values(names)) client.middlewareStack.remove(name);
  forgetResolved(client);
}

// Commands that were resolved before would go on with the middleware of that time.
function forgetResolved(client: SesClient): void {
  if (client.handlers !== undefined) delete client.handlers;
}

function takeHandler(handler: { handle: Handle }) {
  const present = handler.handle as Handle & { [handlerMark]?: HandlerState };
  const found = present[handlerMark];
  const state: HandlerState = found ?? {
    original: present,
    before: Object.getOwnPropertyDescriptor(handler, "handle"),
    tickets: new Map(),
    guards: new Set(),
  };
  let handle: Handle = present;
  if (!found) {
    handle = function handle(this: unknown, request, options) {
      return judge(state, request, (pinned) => state.original.call(this, pinned, options));
    };
    Object.defineProperty(handle, handlerMark, { value: state });
    Object.defineProperty(handler, "handle", { value: handle, configurable: true, writable: true, enumerable: false });
  }
  const giveBack = (): void => {
    if (handler.handle !== handle) return;
    if (state.before) Object.defineProperty(handler, "handle", state.before);
    else Reflect.deleteProperty(handler, "handle");
  };
  return { state, handle, giveBack };
}

/** The last look at a signed request. */
function judge(
  state: HandlerState,
  request: HttpRequest,
  send: (request: HttpRequest) => Promise<HttpAnswer>,
): Promise<HttpAnswer> {
  const id = invocationOf(request);
  const ticket = id === undefined ? undefined : state.tickets.get(id);
  if (state.guards.size === 0 || (!ticket && !isSesRequest(request))) return send(request);
  const wire = wireOf(request);
  const read = readWire(wire);
  if (ticket?.says(read, wire.method)) {
    const pinned = pin(request);
    return ticket.attempt(() => send(pinned));
  }
  const intent = classify(read, wire.method);
  if (intent.kind === "read" || intent.kind === "management") return send(request);
  if (ticket) return Promise.reject(new MailfuseError(altered));
  const guards = [...state.guards];
  const bypassed = guards.map((guard) => guard.verify()).find((problem) => problem !== undefined);
  if (bypassed) return Promise.reject(new MailfuseError(bypassed));
  const passes = intent.kind === "unknown" || guards.every(({ unattached }) => unattached === "pass");
  return passes ? send(request) : Promise.reject(new MailfuseError(stranger));
}

/** A copy of the request, so that what was looked at is what leaves after the last word. */
function pin(request: HttpRequest): HttpRequest {
  const body = request.body instanceof Uint8Array ? new Uint8Array(request.body) : request.body;
  const copy = Object.create(Object.getPrototypeOf(request) as object) as HttpRequest;
  return Object.assign(copy, request, { body, headers: { ...request.headers } });
}

/** What must be the same in the judged input and in the signed request. */
export function fingerprintOf(intent: Intent): string {
  if (!("messages" in intent)) return intent.kind;
  const messages = intent.messages.map((message) => [
    message.recipients.map(({ field, address }) => [field, address]),
    message.from ?? null,
    message.tags,
    message.headers,
    message.digest(),
  ]);
  return JSON.stringify([intent.kind, messages]);
}

const stranger: Refusal = {
  code: "UNATTACHED_SEND",
  message: "Expected mail by an SES client that a fuse holds, got one by a client that shares its request handler.",
  fix: 'Attach that client too, or let its mail pass with `unattached: "pass"`.',
};

const altered: Refusal = {
  code: "CHOKE_POINT_CHANGED",
  message:
    "Expected the signed request to be the mail that was judged, got another one: a middleware changed it on the way.",
  fix: "Add that middleware at the `initialize` step, with normal priority, so that its changes are judged.",
};

function changed(how: string): Refusal {
  return {
    code: "CHOKE_POINT_CHANGED",
    message: `Expected the SES client as it was attached, but ${how}.`,
    fix: "Attach the fuse again after the replacement, or do not replace it.",
  };
}
