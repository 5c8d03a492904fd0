import { Blob } from "node:buffer";
import { types } from "node:util";

/** Why `value` is not plain data all the way down, with the path; `undefined` when it is. */
export function notPlain(value: unknown, path = "$", sources: ReadonlySet<object> = new Set()): string | undefined {
  if (typeof value === "function" || typeof value === "symbol") return `${path} is a ${typeof value}`;
  if (typeof value !== "object" || value === null) return undefined;
  if (sources.has(value)) return `${path} is shared with the source`;
  if (types.isProxy(value)) return `${path} is a proxy`;
  if (value instanceof Blob)
    return Reflect.ownKeys(value).some((key) => typeof key === "string") ? `${path} has extras` : undefined;
  if (Buffer.isBuffer(value)) return extras(value, path);
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Date.prototype) return Reflect.ownKeys(value).length > 0 ? `${path} has extras` : undefined;
  if (prototype !== (Array.isArray(value) ? Array.prototype : Object.prototype)) return `${path} has another prototype`;
  for (const key of Reflect.ownKeys(value)) {
    if (typeof key === "symbol") return `${path} has a symbol`;
    if (key === "length" && Array.isArray(value)) continue;
    const property = Object.getOwnPropertyDescriptor(value, key);
    if (!property || !("value" in property)) return `${path}.${key} is an accessor`;
    if (!property.writable || !property.configurable || !property.enumerable) return `${path}.${key} is locked`;
    const inner = notPlain(property.value, `${path}.${key}`, sources);
    if (inner) return inner;
  }
  return undefined;
}

function extras(value: Buffer, path: string): string | undefined {
  if (Object.getPrototypeOf(value) !== Buffer.prototype) return `${path} is no plain Buffer`;
  return Object.keys(value).length > value.length ? `${path} has extras` : undefined;
}

/** Every object reachable through own data properties. */
export function objectsIn(value: unknown, found: Set<object> = new Set()): Set<object> {
  if (typeof value !== "object" || value === null || found.has(value)) return found;
  found.add(value);
  if (ArrayBuffer.isView(value)) return found;
  for (const property of Object.values(Object.getOwnPropertyDescriptors(value))) objectsIn(property.value, found);
  return found;
}
