/**
 * From the arguments of `fetchRequest` to a copy, and from the copy back to arguments.
 *
 * @module
 */
import {
  assertCleanPrototypes,
  below,
  MailfuseError,
  type Plain,
  readJson,
  readTarget,
  type SnapshotLimits,
  snapshot,
  type WireBody,
  type WireRequest,
} from "../../src/adapter";

/** The arguments of `fetchRequest`, each read once. */
export interface Copied {
  readonly wire: WireRequest;
  /** Where it goes, below the base: path and query as the URL parser writes them. */
  readonly target: string;
  readonly headers: Headers;
  /** Settings of `fetch` that change neither what is sent nor to whom. */
  readonly settings: { readonly signal?: unknown; readonly dispatcher?: unknown };
}

/** Copies the arguments. A request that leaves the base's origin has no path and is known to nobody. */
export function copyRequest(base: string, given: readonly unknown[], limits: SnapshotLimits): Copied {
  assertCleanPrototypes();
  const [path, options] = given;
  const { method, headers, body, signal, dispatcher } = { ...(options as Record<string, unknown> | undefined) };
  const copied = new Headers(headers as ConstructorParameters<typeof Headers>[0]);
  const url = below(base, `${base}${String(path)}`);
  const target = url ? readTarget(url) : { path: "", query: [] };
  return {
    wire: {
      method: method === undefined ? "GET" : String(method).toUpperCase(),
      ...target,
      headers: [...copied].filter(([name]) => !isOrdinary(name)),
      body: copyBody(body, copied, limits),
    },
    target: url ? `${url.pathname}${url.search}` : String(path),
    headers: copied,
    settings: { ...(signal === undefined ? {} : { signal }), ...(dispatcher === undefined ? {} : { dispatcher }) },
  };
}

/** The path and query of a request that was spooled. */
export function targetOf({ path, query }: WireRequest): string {
  const search = new URLSearchParams();
  for (const [name, value] of query) search.append(name, value);
  return `${path.split("/").map(encodeURIComponent).join("/")}${query.length > 0 ? `?${search}` : ""}`;
}

/** The body as `fetch` takes it. */
export function bodyFor(body: WireBody): string | FormData | Uint8Array | undefined {
  if (body.kind === "json") return JSON.stringify(body.value);
  if (body.kind === "bytes") return body.bytes;
  if (body.kind === "none") return undefined;
  const form = new FormData();
  for (const [name, value] of body.fields) form.append(name, value as string);
  return form;
}

// The key, and what the SDK sets on every request: the client has them when a spooled copy is delivered.
function isOrdinary(name: string): boolean {
  return name === "authorization" || name === "content-type" || name === "user-agent";
}

function copyBody(body: unknown, headers: Headers, limits: SnapshotLimits): WireBody {
  if (body === undefined || body === null) return { kind: "none" };
  if (typeof body === "string") {
    if (body.length > limits.bytes) throw tooLarge();
    const isJson = /^application\/json\b/i.test(headers.get("content-type") ?? "application/json");
    const value = isJson ? readJson(body) : undefined;
    return value === undefined
      ? { kind: "bytes", bytes: Buffer.from(body) }
      : { kind: "json", value: snapshot(value, limits) };
  }
  if (body instanceof FormData) {
    const fields = [...body].map(([name, value]) => [name, value as Plain] as const);
    return { kind: "form", fields };
  }
  throw new MailfuseError({
    code: "COPY_UNSUPPORTED",
    message: "Expected a request's body as JSON text or a form, got another kind.",
    fix: "Pass the mail to the method of the SDK that is meant for it.",
  });
}

function tooLarge(): MailfuseError {
  return new MailfuseError({
    code: "COPY_TOO_LARGE",
    message: "Expected a request within the limits of a copy, got a larger one.",
    fix: "Send it in parts, or raise the limit in the configuration.",
  });
}
