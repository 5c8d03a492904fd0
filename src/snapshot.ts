/**
 * Takes the one copy of a request that is checked and sent: law 2, "What was checked is what is sent".
 *
 * @module
 */
import { Copier, type SnapshotOptions } from "./snapshot/copier";
import type { Plain } from "./snapshot/plain";

export type { SnapshotOptions } from "./snapshot/copier";
export { defaultSnapshotLimits, type Plain, type SnapshotLimits } from "./snapshot/plain";
export { assertCleanPrototypes } from "./snapshot/prototypes";
export { type BufferOptions, bufferStreams, discardStreams, findStreams } from "./snapshot/streams";

/**
 * Copies a request synchronously, reading each property once, so that a getter, a Proxy or a later change cannot
 * show the guards one thing and the wire another.
 *
 * What becomes of each value:
 * - **Primitives** stay. Boxed ones are unboxed from their internal slot, whatever methods they carry.
 * - **Plain objects**: own enumerable string keys, by value. Symbols and what is not enumerable stay behind. A function
 *   as a value is refused, so no own `toJSON` or `toString` survives. `__proto__` and `toString` are refused as
 *   keys: the one becomes a prototype in the next merge, the other makes `String(copy)` throw. `constructor` and
 *   the like are data as any other.
 * - **Arrays**, their subclasses and proxies (MongooseArray): elements by index. Holes become `undefined`;
 *   other properties, `toJSON` among them, are not read.
 * - **Dates** from their internal slot; **Buffer, typed arrays, DataView, ArrayBuffer, SharedArrayBuffer** as a Buffer
 *   of the same bytes; **Blob and File** as fresh ones; **URL** as its text.
 * - **Streams** of node and the web stay in place, to be replaced by `bufferStreams`.
 * - **Mongoose documents**: `toObject({ getters: true })`, which is what reading their properties gives.
 *   **BSON**: Decimal128 and Long as text, Int32 and Double as numbers, Binary as a Buffer.
 * - **Other instances that have a `toJSON`** (Sequelize, Decimal, ObjectId, moment, luxon): it is called once and its
 *   result copied; an ISO instant becomes a Date.
 * - **Other instances**: own enumerable properties, inherited getters and inherited enumerable data. Functions are
 *   their methods and left out. One without any property, but with a `toString` of its class, is its text.
 *
 * This is what code reading the properties would see. An SDK that serialises with `JSON.stringify` should do so
 * first, and the copy be taken of the parsed text: inherited getters do not reach JSON.
 *
 * @param value - the request as the application or the SDK built it
 * @param options - limits; and `only`, where the client knows its properties
 * @throws {@link MailfuseError} `COPY_CYCLE`; `COPY_TOO_LARGE`; or `COPY_UNSUPPORTED` for functions, symbols, promises,
 *   Map, Set and other iterables, regular expressions, revoked proxies, and getters that throw (their error is
 *   the `cause`). `where` is the path; property names stand in it only if they look like identifiers.
 * @example
 * ```ts
 * assertCleanPrototypes();
 * const copy = await bufferStreams(snapshot(mail.data), { clock });
 * ```
 */
export function snapshot(value: unknown, options: SnapshotOptions = {}): Plain {
  const copier = new Copier(options);
  try {
    return copier.copy(value);
  } catch (error) {
    throw copier.explain(error);
  }
}
