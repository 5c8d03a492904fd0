/**
 * `createConsole`: who asks, which page, and whether a form may do what it asks for.
 *
 * @module
 */
import { type Clock, systemClock } from "../clock";
import { MailfuseError } from "../errors";
import type { CorrectionRequest, Fuse, IncidentOptions } from "../index";
import { redirect } from "./answer";
import { isOwn, readForm } from "./body";
import { Forms, Limit } from "./forms";
import { problemPage } from "./pages/problem";
import { routes } from "./routes";
import type { Found, Route, Visit } from "./visit";

/** A person who has logged in. */
export interface Actor {
  /** The name under which the configuration knows them, as approver or requester. */
  readonly id: string;
  /** What they may do at the application; somebody without any role only looks. */
  readonly roles: readonly string[];
}

/** What {@link createConsole} takes. */
export interface ConsoleOptions {
  readonly fuse: Fuse;
  /** Says who asks, for every request; `null` for nobody. There is no default. */
  readonly authorize: (request: Request) => Actor | null | Promise<Actor | null>;
  /** Where the console stands, for example `"/mail"`. @default "" the root */
  readonly path?: string;
  /**
   * The origin that people see, for example `"https://mail.acme.com"`. Behind a proxy that ends TLS it has to be given;
   * requests for another host are then refused.
   * @default the request's own
   */
  readonly origin?: string;
  /** Keys the forms: several processes behind one address need the same, 32 characters or more. @default a random one */
  readonly secret?: string;
  /** For whom mails were right, and how a correction is sent: without it, incidents tell nobody apart. */
  readonly incident?: Pick<IncidentOptions, "right"> &
    Partial<Pick<CorrectionRequest, "send" | "data" | "unsubscribed">>;
  /** @default the machine's clock */
  readonly clock?: Clock;
}

/** A console. */
export interface Console {
  /** Answers one request. Never rejects. */
  readonly fetch: (request: Request) => Promise<Response>;
}

/**
 * Makes a console. Throws a `TypeError` for options that are none: a console without `authorize`
 * would be open to everybody.
 *
 * @example
 * ```ts
 * const console = createConsole({ fuse, authorize: (request) => sessionOf(request), path: "/mail" });
 * app.all("/mail/*", (c) => console.fetch(c.req.raw)); // Hono
 * ```
 */
export function createConsole(options: ConsoleOptions): Console {
  const { fuse, authorize, path = "", origin, secret } = options;
  if (typeof authorize !== "function")
    throw new TypeError("Expected `authorize` to be a function (request), got none.");
  if (!/^(?:\/[\w.~-]+)*$/.test(path) || /\/\.{1,2}(?:\/|$)/.test(path)) {
    throw new TypeError('Expected `path` to be "" or a path such as "/mail", without a slash at its end.');
  }
  if (secret !== undefined && secret.length < 32)
    throw new TypeError("Expected `secret` to have 32 characters or more.");
  if (origin !== undefined && new URL(origin).origin !== origin) {
    throw new TypeError('Expected `origin` to be an origin such as "https://mail.acme.com".');
  }
  const clock = options.clock ?? systemClock;
  const forms = new Forms(clock, secret);
  const tries = { actor: new Limit(clock, 5), plan: new Limit(clock, 20), costly: new Limit(clock, 6) };

  async function answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const own = origin ?? url.origin;
    const visit = { base: path, origin: own, url, request, fuse, forms, tries, clock, options };
    if (origin !== undefined && url.host !== new URL(origin).host) return problemPage(visit, 421, "misdirected");
    const found = find(request, url, path);
    if (found === undefined) return problemPage(visit, 404, "not-found");
    if (found === "slash") return redirect(`${path}/`);
    if (found.route.open) return found.route.answer({ ...visit, actor: nobody, params: found.params, form: none });
    const actor = await authorize(request);
    if (!isActor(actor)) return problemPage(visit, 401, "login");
    const known: Visit = { ...visit, actor, params: found.params, form: none };
    if (found.route.method !== "POST") return told(known, found.route);
    if (!isOwn(request, own)) return problemPage(known, 403, "cross-site");
    if (actor.roles.length === 0) return problemPage(known, 403, "role");
    const form = await readForm(request);
    if (form === "too-large") return problemPage(known, 413, "too-large");
    if (form === "no-form") return problemPage(known, 415, "no-form");
    return told({ ...known, form }, found.route);
  }

  return {
    fetch: async (request) => {
      try {
        return await answer(request);
      } catch {
        // What broke may hold an address or a secret: the page does not say.
        return problemPage({ base: path, options, fuse }, 500, "broken");
      }
    },
  };
}

/** The answer, or the fuse's own words for a refusal. */
async function told(visit: Visit, route: Route): Promise<Response> {
  try {
    return await route.answer(visit);
  } catch (error) {
    if (MailfuseError.isInstance(error)) return problemPage(visit, statusOf(error), error);
    throw error;
  }
}

const none = new URLSearchParams();
const nobody: Actor = { id: "", roles: [] };

/** Closed by default: an answer of another shape is no login. */
function isActor(actor: unknown): actor is Actor {
  const shape = actor as Partial<Actor> | null | undefined;
  return typeof shape?.id === "string" && shape.id !== "" && Array.isArray(shape.roles);
}

/** The page that a request is for. The prefix counts in whole segments: "/mailbox" is not below "/mail". */
function find(request: Request, url: URL, path: string): Found | "slash" | undefined {
  const { pathname } = url;
  const method = request.method === "HEAD" ? "GET" : request.method;
  if (path !== "" && pathname === path) return method === "GET" ? "slash" : undefined;
  if (!pathname.startsWith(`${path}/`)) return undefined;
  const rest = pathname.slice(path.length);
  for (const route of routes) {
    const match = route.method === method ? route.pattern.exec(rest) : null;
    if (match) return { route, params: match.slice(1) };
  }
  return undefined;
}

function statusOf({ code }: MailfuseError): number {
  if (code === "PLAN_NOT_FOUND" || (code as string) === "INCIDENT_UNKNOWN") return 404;
  if (code === "STORE_UNAVAILABLE") return 503;
  return code === "INTERNAL" ? 500 : 409;
}
