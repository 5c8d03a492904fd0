/**
 * What a copied request is made of, how large it may be, and how places in it are named.
 *
 * @module
 */
import type { Blob } from "node:buffer";
import type { ReadableStream } from "node:stream/web";

/** A stream of node's (legacy ones included) or of the web's. */
export type StreamLike = NodeJS.ReadableStream | ReadableStream;

/**
 * What a copy is made of: plain objects and arrays with own, writable data properties, and these leaves.
 * Nothing in it runs code when it is read or serialised, and nothing in it is shared with the caller, except
 * streams, which `bufferStreams` replaces by buffers.
 */
export type Plain =
  | null
  | undefined
  | boolean
  | number
  | string
  | bigint
  | Date
  | Buffer
  | Blob
  | StreamLike
  | Plain[]
  | { [key: string]: Plain };

/** How much one request may hold. */
export interface SnapshotLimits {
  /**
   * Containers within containers; never more than 1,000.
   * @default 100
   */
  readonly depth: number;
  /**
   * Values, shared ones counted each time: a hundred thousand recipients as `{name, address}` are 300,000.
   * @default 1_000_000
   */
  readonly nodes: number;
  /**
   * Text by its length in UTF-16 units, binary by its bytes, property names included. Attachments of 25 MB are
   * 34 MB once encoded as base64.
   * @default 67_108_864
   */
  readonly bytes: number;
}

/** Generous for everyday mail, and small enough that a hostile request costs a fraction of a second. */
export const defaultSnapshotLimits: SnapshotLimits = Object.freeze({
  depth: 100,
  nodes: 1_000_000,
  bytes: 64 * 1024 * 1024,
});

/** Whether a client would read this object as a stream. */
export function isStream(value: object): value is StreamLike {
  const { pipe, on, getReader } = value as {
    readonly pipe?: unknown;
    readonly on?: unknown;
    readonly getReader?: unknown;
  };
  return (typeof pipe === "function" && typeof on === "function") || typeof getReader === "function";
}

const shownSegments = 24;

/**
 * Renders a path such as `messages[2].to[0]`. Keys that do not look like identifiers stand as `[…]`: mails are keyed by
 * addresses in places (`recipient-variables`), and a refusal holds no address. Very long paths are cut.
 */
export function renderPath(keys: readonly (string | number | undefined)[]): string {
  let path = "";
  for (const key of keys.slice(0, shownSegments)) {
    if (typeof key === "number") path += `[${key}]`;
    else if (key !== undefined) path += /^[A-Za-z_$][\w$]{0,39}$/.test(key) ? `${path && "."}${key}` : "[…]";
  }
  return keys.length > shownSegments ? `${path}…` : path;
}
