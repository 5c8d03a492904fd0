/**
 * What an instance of a class stands for in a mail: dates, bytes, identifiers, documents of ORMs.
 *
 * @module
 */
import { Blob, File } from "node:buffer";
import { types } from "node:util";

/**
 * The value of a platform object, read from its internal slots where it has any, so that no overridden
 * method is asked; `undefined` for every other object.
 */
export function platformValue(source: object): unknown {
  if (types.isDate(source)) return new Date(Date.prototype.getTime.call(source));
  if (types.isTypedArray(source)) {
    return ownBytes(types.isUint8Array(source) ? source : Buffer.copyBytesFrom(source));
  }
  if (types.isDataView(source)) return ownBytes(new Uint8Array(source.buffer, source.byteOffset, source.byteLength));
  if (types.isAnyArrayBuffer(source)) return ownBytes(new Uint8Array(source));
  if (types.isBoxedPrimitive(source)) return unbox(source);
  if (source instanceof Blob) return freshBlob(source);
  if (source instanceof URL) return source.href;
  return undefined;
}

// In memory of its own: Buffer.from and copyBytesFrom take small buffers from a pool shared with the caller's.
function ownBytes(bytes: Uint8Array): Buffer {
  return Buffer.from(new Uint8Array(bytes).buffer);
}

function unbox(source: object): unknown {
  if (types.isStringObject(source)) return String.prototype.valueOf.call(source);
  if (types.isNumberObject(source)) return Number.prototype.valueOf.call(source);
  if (types.isBooleanObject(source)) return Boolean.prototype.valueOf.call(source);
  if (types.isBigIntObject(source)) return BigInt.prototype.valueOf.call(source);
  return Symbol.prototype.valueOf.call(source);
}

// Shares the immutable content, and drops whatever the caller hung on the object.
function freshBlob(source: Blob): Blob {
  const content = Blob.prototype.slice.call(source, 0, source.size, source.type);
  if (!(source instanceof File)) return content;
  return new File([content], source.name, { type: source.type, lastModified: source.lastModified });
}

/** Why an object holds no data that a mail could carry, with what to pass instead; `undefined` when it may. */
export function notData(source: object): { readonly what: string; readonly fix: string } | undefined {
  if (typeof (source as { readonly then?: unknown }).then === "function") {
    return { what: "a promise or query", fix: "Await it before sending." };
  }
  if (types.isRegExp(source)) return { what: "a regular expression", fix: "Pass text." };
  if (types.isWeakMap(source) || types.isWeakSet(source) || source instanceof WeakRef) {
    return { what: "a weak reference", fix: "Pass what it refers to." };
  }
  if (typeof (source as { readonly arrayBuffer?: unknown }).arrayBuffer === "function") {
    return {
      what: "a file or response of another implementation",
      fix: "Pass its bytes: Buffer.from(await file.arrayBuffer()).",
    };
  }
  if (source instanceof AbortSignal) {
    return { what: "an AbortSignal", fix: "Take it from the request before the copy; it is no part of the mail." };
  }
  return undefined;
}

/** An object that yields its values one by one, which mail clients read as an empty object. */
export function isIterable(source: object): boolean {
  const { [Symbol.iterator]: sync, [Symbol.asyncIterator]: async } = source as Record<symbol, unknown>;
  return typeof sync === "function" || typeof async === "function";
}

interface Speaking {
  readonly _bsontype?: unknown;
  readonly $__?: unknown;
  readonly toObject?: unknown;
  readonly toJSON?: unknown;
  readonly sub_type?: unknown;
  readonly buffer?: unknown;
  readonly position?: unknown;
  valueOf(): unknown;
}

/** What an instance says it is, asked once; the instance itself when it says nothing. */
export function rendering(source: object): unknown {
  const speaking = source as Speaking;
  const bson = speaking._bsontype;
  if (bson === "Decimal128" || bson === "Long") return String(source);
  if (bson === "Int32" || bson === "Double") return Number(speaking.valueOf());
  if (bson === "Binary" && speaking.sub_type !== 4) return binaryValue(speaking) ?? source;
  // A Mongoose document. Its toJSON leaves path getters out and is where applications hide fields from their own
  // API, so a client reading `subdocument.address` would see something else.
  if (speaking.$__ !== undefined && typeof speaking.toObject === "function") {
    return Reflect.apply(speaking.toObject, source, [{ getters: true, flattenMaps: true }]);
  }
  const toJSON = speaking.toJSON;
  if (typeof toJSON !== "function") return source;
  const json: unknown = Reflect.apply(toJSON, source, []);
  return typeof json === "string" ? (instant(json) ?? json) : json;
}

// Subtype 4 is a UUID, which every reader takes as text.
function binaryValue({ buffer, position }: Speaking): Uint8Array | undefined {
  return types.isUint8Array(buffer) && typeof position === "number" ? buffer.subarray(0, position) : undefined;
}

// moment, dayjs, luxon in UTC: as text they would make an invalid Date header, and as a Date they serialise alike.
function instant(json: string): Date | undefined {
  if (json.length !== 24 || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(json)) return undefined;
  const date = new Date(json);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** The text of an instance that has nothing but a `toString` of its class: a value kept in private fields. */
export function ownText(source: object): string | undefined {
  const text: unknown = String(source);
  return typeof text === "string" && !text.startsWith("[object ") ? text : undefined;
}
