/**
 * Where a request would really go. Servers decode and resolve paths before they route them, so a
 * request is judged by the path they arrive at, not by the one it was written with.
 *
 * @module
 */

/** The part of a URL that tells what a request does. */
export interface Target {
  /** Decoded once, dot segments resolved, doubled and trailing slashes removed. Starts with a slash. */
  readonly path: string;
  /** Query pairs in order. */
  readonly query: readonly (readonly [string, string])[];
}

/**
 * Reads a URL that the URL parser has resolved against its base.
 *
 * @example
 * ```ts
 * readTarget(new URL("https://api.sendgrid.com//v3/x/..%2fmail/%73end/")).path; // "/v3/mail/send"
 * ```
 */
export function readTarget(url: URL): Target {
  // Most requests have no query, and a list of none is made in a fraction of the time that its parser takes.
  return { path: readPath(url.pathname), query: url.search === "" ? [] : [...url.searchParams] };
}

/** A path as a generous server would read it. */
export function readPath(pathname: string): string {
  const segments: string[] = [];
  for (const segment of decode(pathname).replaceAll("\\", "/").split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  return `/${segments.join("/")}`;
}

function decode(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes);
    } catch {
      return escapes;
    }
  });
}

/**
 * A request's URL with the base's own path taken off, so that a codec reads it as the provider would;
 * `undefined` when it is no URL, or leads elsewhere than below the base: another origin, other credentials,
 * a path above.
 *
 * @example
 * ```ts
 * below("https://proxy.acme.test/loops/", "https://proxy.acme.test/loops/v1/lists")?.pathname; // "/v1/lists"
 * ```
 */
export function below(base: string, text: string): URL | undefined {
  if (!URL.canParse(base) || !URL.canParse(text)) return undefined;
  const root = new URL(base);
  const url = new URL(text);
  const prefix = root.pathname.replace(/\/+$/, "");
  if (url.origin !== root.origin || !`${url.pathname}/`.startsWith(`${prefix}/`)) return undefined;
  if (url.username !== root.username || url.password !== root.password) return undefined;
  url.pathname = url.pathname.slice(prefix.length);
  return url;
}
