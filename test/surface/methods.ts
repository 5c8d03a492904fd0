/** What an SDK's client can do, as it is installed: every method of it and of its sub-clients. */

/**
 * Dotted names of all methods that a client reaches, own and inherited, private in TypeScript or
 * not. Getters are not run. An object that leads back to one above it is left out.
 */
export function methodsOf(client: object): string[] {
  const found: string[] = [];
  walk(client, "", new Set(), found);
  return found.sort();
}

function walk(object: object, path: string, above: ReadonlySet<object>, found: string[]): void {
  const seen = new Set<string>();
  for (let at: object | null = object; at && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (name === "constructor" || seen.has(name)) continue;
      seen.add(name);
      const under = path === "" ? name : `${path}.${name}`;
      if (typeof value === "function") found.push(under);
      else if (isClient(value) && !above.has(value) && value !== object) {
        walk(value, under, new Set([...above, object]), found);
      }
    }
  }
}

/** Instances of the SDK's own classes: plain data and what the platform brings are none. */
function isClient(value: unknown): value is object {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return false;
  const { name } = (prototype as { constructor: { name: string } }).constructor;
  return !Object.hasOwn(globalThis, name);
}

/** What is wrong between a table and the methods there are; empty when they agree. */
export function unclassified(methods: readonly string[], table: Readonly<Record<string, unknown>>): string[] {
  const known = new Set(Object.keys(table));
  return [
    ...methods.filter((name) => !known.has(name)).map((name) => `${name} is in no table: say what it does`),
    ...[...known].filter((name) => !methods.includes(name)).map((name) => `${name} is gone from the SDK`),
  ];
}

/** Dotted names of the methods that a client's types show. */
export type Methods<Client> = {
  [Name in keyof Client & string]: Client[Name] extends (...args: never[]) => unknown
    ? Name
    : Client[Name] extends Headers | string | number | boolean | undefined
      ? never
      : `${Name}.${Methods<Client[Name]>}`;
}[keyof Client & string];
