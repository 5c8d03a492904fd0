/**
 * From the argument of `handler` to a copy, and from the copy back to the SDK.
 *
 * @module
 */
import {
  asRecord,
  assertCleanPrototypes,
  below,
  copyJson,
  MailfuseError,
  type Plain,
  readJson,
  readTarget,
  type SnapshotLimits,
  snapshot,
  type Target,
  type WireBody,
  type WireRequest,
} from "../../src/adapter";

/** The argument of `handler`. */
export interface Options {
  readonly uri: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

/** A request, each part read once. */
export interface Copied {
  readonly wire: WireRequest;
  /** The argument of `handler`, made from the copy; the body of the request goes into it. */
  options(request: WireRequest): Options;
}

/** Where the paths of a client begin, and where they begin at Customer.io. */
export interface Root {
  readonly url: string;
  readonly path: string;
}

const ordinary = /^(?:authorization|content-type|content-length|user-agent)$/;

/** Copies a request. One that leaves the client's own places has no path, and is known to nobody. */
export function copyOptions(given: unknown, locate: (uri: string) => Target, limits: SnapshotLimits): Copied {
  assertCleanPrototypes();
  const { uri: address, method: verb, headers: set, body: text } = { ...(given as Partial<Options> | undefined) };
  const uri = String(address);
  const method = String(verb).toUpperCase();
  const headers = asRecord(copyJson(set, limits)) ?? {};
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)] as const);
  const body = copyBody(text, limits);
  const length = Object.keys(headers).find((name) => name.toLowerCase() === "content-length");
  return {
    wire: { method, ...locate(uri), headers: named.filter(([name]) => !ordinary.test(name)), body },
    options(request) {
      const written = bodyFor(request.body);
      const extra = request.headers.filter(([name]) => !named.some(([known]) => known === name));
      const fitting =
        typeof written === "string" && length !== undefined ? { [length]: Buffer.byteLength(written) } : undefined;
      return { uri, method, headers: { ...headers, ...Object.fromEntries(extra), ...fitting }, body: written };
    },
  };
}

function copyBody(body: unknown, limits: SnapshotLimits): WireBody {
  if (body === undefined || body === null) return { kind: "none" };
  if (body instanceof FormData)
    return { kind: "form", fields: [...body].map(([name, value]) => [name, value as Plain]) };
  if (typeof body !== "string") throw new MailfuseError(otherBody);
  if (body.length > limits.bytes) throw new MailfuseError(tooLarge);
  const value = readJson(body);
  return value === undefined
    ? { kind: "bytes", bytes: Buffer.from(body) }
    : { kind: "json", value: snapshot(value, limits) };
}

function bodyFor(body: WireBody): unknown {
  if (body.kind === "json") return JSON.stringify(body.value);
  if (body.kind === "bytes") return Buffer.from(body.bytes).toString("utf8");
  if (body.kind === "none") return null;
  const form = new FormData();
  for (const [name, value] of body.fields) form.append(name, value as string);
  return form;
}

const nowhere: Target = { path: "", query: [] };

/** Reads a URL of an attached client: below its root, or beside it on the same host. */
export function locateIn(root: Root): (uri: string) => Target {
  return (uri) => {
    const inside = below(root.url, uri);
    if (inside) {
      const { path, query } = readTarget(inside);
      return { path: path === "/" ? root.path : `${root.path}${path}`, query };
    }
    if (!URL.canParse(uri) || new URL(uri).origin !== new URL(root.url).origin) return nowhere;
    return readTarget(new URL(uri));
  };
}

/** Reads any URL. */
export function locateAnywhere(uri: string): Target {
  return URL.canParse(uri) ? readTarget(new URL(uri)) : nowhere;
}

/** Where a spooled request goes through this client. */
export function addressOf(root: Root, { path, query }: WireRequest): string {
  const rest = path.startsWith(`${root.path}/`) ? path.slice(root.path.length) : path;
  const url = new URL(root.url);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}${rest.split("/").map(encodeURIComponent).join("/")}`;
  for (const [name, value] of query) url.searchParams.append(name, value);
  return url.href;
}

const otherBody = {
  code: "COPY_UNSUPPORTED",
  message: "Expected a request's body as text or a form, got another kind.",
  fix: "Pass the mail to the method of the SDK that is meant for it.",
} as const;

const tooLarge = {
  code: "COPY_TOO_LARGE",
  message: "Expected a request within the limits of a copy, got a larger one.",
  fix: "Send it in parts, or raise the limit in the configuration.",
} as const;
