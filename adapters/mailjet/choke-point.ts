/**
 * Takes and gives back `Request.prototype.makeRequest`, through which every request of every client
 * leaves: builders are made by the client's verbs, by `new Request(client, …)` and by subclasses.
 *
 * @module
 */
import { MailfuseError, type Refusal } from "../../src/adapter";
import type { Builder } from "./calls";

/** `makeRequest`. */
export type MakeRequest = (this: Builder, ...args: unknown[]) => unknown;

/** An attached client, as the patched class knows it. */
export interface Entry {
  call(builder: Builder, args: readonly unknown[]): unknown;
  /** Why a stranger's request may not be made. */
  judge(builder: Builder, args: readonly unknown[]): Refusal | MakeRequest;
  readonly unattached: "refuse" | "pass";
}

interface Registry {
  readonly original: MakeRequest;
  readonly held: WeakMap<object, Entry>;
  readonly refusing: Set<Entry>;
  count: number;
}

const mark = Symbol.for("mailfuse.mailjet.makeRequest");
type Marked = MakeRequest & { [mark]?: Registry };

/** Where the class is entered and left. */
export interface ChokePoint {
  readonly original: MakeRequest;
  /** Whether calls still come here first. */
  holds(): boolean;
  enter(client: object, entry: Entry): () => void;
}

/** The choke point of the class of requests that a client makes. */
export function chokePoint(prototype: Record<string, unknown>): ChokePoint {
  const present = prototype.makeRequest as Marked;
  const registry: Registry = present[mark] ?? { original: present, held: new WeakMap(), refusing: new Set(), count: 0 };
  const method = present[mark] ? present : install(prototype, registry);
  return {
    original: registry.original,
    holds: () => prototype.makeRequest === method,
    enter(client, entry) {
      registry.held.set(client, entry);
      registry.count += 1;
      if (entry.unattached === "refuse") registry.refusing.add(entry);
      let inside = true;
      return () => {
        if (!inside) return;
        inside = false;
        if (registry.held.get(client) === entry) registry.held.delete(client);
        registry.count -= 1;
        registry.refusing.delete(entry);
        // When others have patched on top, ours passes everything on.
        if (registry.count === 0 && prototype.makeRequest === method) define(prototype, registry.original);
      };
    },
  };
}

function install(prototype: Record<string, unknown>, registry: Registry): Marked {
  const method: Marked = function makeRequest(this: Builder, ...args: unknown[]) {
    const entry = registry.held.get(this.client);
    if (entry) return entry.call(this, args);
    const [strict] = registry.refusing;
    if (!strict) return Reflect.apply(registry.original, this, args);
    try {
      const judged = strict.judge(this, args);
      return "code" in judged ? Promise.reject(new MailfuseError(judged)) : Reflect.apply(judged, this, args);
    } catch (error) {
      return Promise.reject(error);
    }
  };
  Object.defineProperty(method, mark, { value: registry });
  define(prototype, method);
  return method;
}

function define(prototype: object, value: MakeRequest): void {
  Object.defineProperty(prototype, "makeRequest", {
    ...Object.getOwnPropertyDescriptor(prototype, "makeRequest"),
    value,
  });
}
