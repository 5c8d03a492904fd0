/**
 * Takes over a method of a client, and of its class: the client's own calls are judged wherever they
 * come from, and clients of the class that no fuse holds are strangers.
 *
 * @module
 */
import { insideDelivery } from "./delivery";
import { MailfuseError, type Refusal } from "./errors";

type Method = (this: object, ...args: unknown[]) => unknown;

/** An attached client, as the hooked class knows it. */
export interface HookEntry {
  /** Stands in for the method. */
  call(args: readonly unknown[]): unknown;
  /** Whether strangers' mail is refused as long as this client is attached. */
  readonly unattached: "refuse" | "pass";
}

/** Looks at a stranger's call: why it may not be made, or the arguments to make it with. */
export type StrangerJudge = (stranger: object, args: readonly unknown[]) => Refusal | readonly unknown[];

/** A method that has been taken over. */
export interface Hook {
  /** The method as the class had it. */
  readonly original: Method;
  /** Holds a client until the returned function is called. */
  enter(client: object, entry: HookEntry): () => void;
  /** Whether calls of the method on this client still come here first. */
  holds(client: object): boolean;
}

/** What the replaced method of a class carries, so that two copies of the package share it. */
interface Registry {
  readonly original: Method;
  readonly held: WeakMap<object, HookEntry>;
  /** Clients held; one that was collected without a detach counts on, which is the safe side. */
  count: number;
  refusing: number;
}

/**
 * Hooks `client[name]` in its class. `undefined` when the client has a method of its own under that
 * name, or none: other code has been there, and may not lead through the hook.
 *
 * @param mark A registered symbol; two copies of the package meet under it.
 */
export function hookMethod(client: object, name: string, mark: symbol, judge: StrangerJudge): Hook | undefined {
  const prototype = ownerOf(client, name);
  if (!prototype || (client as Record<string, unknown>)[name] !== prototype[name]) return undefined;
  const { method, registry } = take(prototype, name, mark, judge);
  return {
    original: registry.original,
    holds: (one) => (one as Record<string, unknown>)[name] === method,
    enter(one, entry) {
      registry.held.set(one, entry);
      registry.count += 1;
      if (entry.unattached === "refuse") registry.refusing += 1;
      let inside = true;
      return () => {
        if (!inside) return;
        inside = false;
        if (registry.held.get(one) === entry) registry.held.delete(one);
        registry.count -= 1;
        if (entry.unattached === "refuse") registry.refusing -= 1;
        giveBack(prototype, name, method, registry);
      };
    },
  };
}

type Verify = () => Refusal | undefined;

const watchMark = Symbol.for("mailfuse.watch");

/**
 * Looks at a client each time one of these methods is called on it, before anything else happens: a
 * choke point that was replaced is noticed where the call begins. Returns how to undo it.
 */
export function watchEntrances(client: object, names: readonly string[], verify: Verify): () => void {
  const watched = names.filter((name) => typeof (client as Record<string, unknown>)[name] === "function");
  const leave = watched.map((name) => watchEntrance(client as Record<string, Method>, name, verify));
  return () => {
    for (const one of leave) one();
  };
}

/** What the method carries that looks first. */
interface Watch {
  readonly verifies: Set<Verify>;
  restore(): void;
}

function watchEntrance(client: Record<string, Method>, name: string, verify: Verify): () => void {
  const watch = (client[name] as { [watchMark]?: Watch })[watchMark] ?? installWatch(client, name);
  watch.verifies.add(verify);
  return () => {
    watch.verifies.delete(verify);
    if (watch.verifies.size === 0) watch.restore();
  };
}

function installWatch(client: Record<string, Method>, name: string): Watch {
  const next = client[name] as Method;
  const before = Object.getOwnPropertyDescriptor(client, name);
  const value = function (this: object, ...args: unknown[]) {
    for (const verify of watch.verifies) {
      const problem = verify();
      if (problem) return refuse(problem, args);
    }
    return Reflect.apply(next, this, args);
  };
  const watch: Watch = {
    verifies: new Set(),
    restore() {
      // Other code has put its own method here.
      if (client[name] !== value) return;
      if (before) Object.defineProperty(client, name, before);
      else Reflect.deleteProperty(client, name);
    },
  };
  Object.defineProperties(value, { name: { value: name }, [watchMark]: { value: watch } });
  Object.defineProperty(client, name, { value, configurable: true, writable: true, enumerable: false });
  return watch;
}

/** Rejects, or tells the callback, where a client takes one as its last argument. */
function refuse(problem: Refusal, args: readonly unknown[]): Promise<unknown> {
  const rejected = Promise.reject(new MailfuseError(problem));
  const callback = args.at(-1);
  return typeof callback === "function" ? rejected.catch((error: unknown) => callback(error, null)) : rejected;
}

/** Refuses a stranger's mail. */
export function strangersMail(client: string): Refusal {
  return {
    code: "UNATTACHED_SEND",
    message: `Expected mail by a ${client} that a fuse holds, got one by another client of the same class.`,
    fix: 'Attach that client too, or let its mail pass with `unattached: "pass"`.',
  };
}

/** The class whose method this is: the last in the chain that has it, so that subclasses are covered. */
function ownerOf(client: object, name: string): Record<string, unknown> | undefined {
  let owner: object | undefined;
  let at: object | null = Object.getPrototypeOf(client);
  while (at && at !== Object.prototype) {
    if (Object.hasOwn(at, name)) owner = at;
    at = Object.getPrototypeOf(at);
  }
  return owner as Record<string, unknown> | undefined;
}

function take(prototype: Record<string, unknown>, name: string, mark: symbol, judge: StrangerJudge) {
  const present = prototype[name] as Method & { [key: symbol]: Registry | undefined };
  const found = present[mark];
  if (found) return { method: present as Method, registry: found };
  const registry: Registry = { original: present, held: new WeakMap(), count: 0, refusing: 0 };
  const method: Method = function (this: object, ...args: unknown[]) {
    const entry = registry.held.get(this);
    if (entry) return entry.call(args);
    // A client that another one holds inside (nodemailer's transport of a provider's SDK) delivers what was judged.
    if (registry.refusing === 0 || insideDelivery()) return Reflect.apply(registry.original, this, args);
    try {
      const judged = judge(this, args);
      if ("code" in judged) return refuse(judged, args);
      return Reflect.apply(registry.original, this, judged);
    } catch (error) {
      return Promise.reject(error);
    }
  };
  Object.defineProperties(method, { name: { value: name }, [mark]: { value: registry } });
  // Enumerability as the class has it: some code copies clients by their properties.
  Object.defineProperty(prototype, name, { ...Object.getOwnPropertyDescriptor(prototype, name), value: method });
  return { method, registry };
}

/** Restores the class after its last client; when others have patched on top, ours passes everything on. */
function giveBack(prototype: Record<string, unknown>, name: string, method: Method, registry: Registry): void {
  if (registry.count > 0 || prototype[name] !== method) return;
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  Object.defineProperty(prototype, name, { ...descriptor, value: registry.original });
}
