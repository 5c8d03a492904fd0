/**
 * Closed lists of what a provider's API does, by method and path. What no line names is unknown.
 *
 * @module
 */

interface Route<Value> {
  readonly pattern: string;
  readonly segments: readonly string[];
  readonly open: boolean;
  readonly value: Value;
}

/** A line of a table that a request fits. */
export interface Found<Value> {
  /** Method and pattern: names what the request does without any id in it. */
  readonly pattern: string;
  readonly value: Value;
}

// A segment that some servers cut short (`;`), decode again (`%`) or end at (`?`, `#`) names nothing for sure.
const plainSegment = /^[^;?#%\\\s\p{Cc}]+$/u;

/**
 * A table of routes: `"POST /v3/templates/*"`. `*` stands for one segment, `**` at the end for any
 * number of them, and `*` as a method for every method. The first line that fits counts.
 */
export class Routes<Value> {
  readonly #byMethod = new Map<string, Route<Value>[]>();

  constructor(table: Readonly<Record<string, Value>>) {
    for (const [pattern, value] of Object.entries(table)) {
      const [method = "", path = ""] = pattern.split(" ");
      const segments = path.toLowerCase().split("/").slice(1);
      const open = segments.at(-1) === "**";
      const route = { pattern, segments: open ? segments.slice(0, -1) : segments, open, value };
      const routes = this.#byMethod.get(method) ?? [];
      routes.push(route);
      this.#byMethod.set(method, routes);
    }
  }

  /** The line that fits a request; case does not matter in the fixed parts of a path. */
  find(method: string, path: string): Found<Value> | undefined {
    const segments = path.split("/").slice(1);
    const fits = (route: Route<Value>) => matches(route, segments);
    const route = this.#byMethod.get(method)?.find(fits) ?? this.#byMethod.get("*")?.find(fits);
    return route && { pattern: route.pattern, value: route.value };
  }
}

function matches(route: Route<unknown>, segments: readonly string[]): boolean {
  const { length } = route.segments;
  if (segments.length < length || (!route.open && segments.length !== length)) return false;
  return segments.every((segment, at) => {
    const wanted = at < length ? route.segments[at] : "*";
    return wanted === "*" ? plainSegment.test(segment) : wanted === segment.toLowerCase();
  });
}
