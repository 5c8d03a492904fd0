/**
 * Reads the streams of a copied request into buffers, so that their content is checked and sent as checked.
 *
 * @module
 */
import { Blob } from "node:buffer";
import type { ReadableStream } from "node:stream/web";
import type { Clock } from "../clock";
import { Collector } from "./collector";
import { defaultSnapshotLimits, isStream, type Plain, renderPath, type StreamLike } from "./plain";

/** A place in a copy where a stream or Blob stands. */
export interface StreamPlace {
  readonly source: StreamLike | Blob;
  /** The place in the request, for example `attachments[0].content`. */
  readonly where: string;
}

/** Limits and time for {@link bufferStreams}. */
export interface BufferOptions {
  readonly clock: Clock;
  /**
   * The most bytes that all streams of the request may give together.
   * @default 67_108_864
   */
  readonly bytes?: number;
  /**
   * Milliseconds for which a stream may give nothing before it counts as dead.
   * @default 30_000
   */
  readonly idleMs?: number;
  /**
   * Milliseconds that all streams may take together: one that drips a byte now and then has to end as well.
   * @default 300_000
   */
  readonly totalMs?: number;
  /** Aborts the reading. */
  readonly signal?: AbortSignal;
}

/** Every stream and Blob of a copy. Most mails have none: look here before going asynchronous. */
export function findStreams(copy: Plain): readonly StreamPlace[] {
  return find([copy]);
}

/**
 * Replaces every stream and Blob of a copy, in place, by a Buffer of its content. All are read at once, so that an
 * error of one is not left unheard while another is read; a stream that stands in two places is read once.
 * When one fails, all are destroyed.
 *
 * @returns the copy; a Buffer when the copy itself is a stream
 * @throws {@link MailfuseError} `STREAM_FAILED` when a stream fails, has been read before, ends early, gives
 *   something other than text or bytes, falls silent, takes too long or is aborted; `COPY_TOO_LARGE` when the
 *   streams give more than `bytes`. Never waits for ever.
 * @example
 * ```ts
 * const copy = snapshot(mail.data);
 * if (findStreams(copy).length > 0) await bufferStreams(copy, { clock, bytes: gate.limits.bytes });
 * ```
 */
export async function bufferStreams(copy: Plain, options: BufferOptions): Promise<Plain> {
  const root: Plain[] = [copy];
  const places = find(root);
  if (places.length === 0) return copy;

  const { clock, signal, idleMs = 30_000, totalMs = 300_000 } = options;
  const budget = {
    bytes: options.bytes ?? defaultSnapshotLimits.bytes,
    chunks: defaultSnapshotLimits.nodes,
    emptyChunks: 10_000,
  };
  const collectors = new Map<StreamLike | Blob, Collector>();
  for (const { source, where } of places) {
    if (collectors.has(source)) continue;
    const collector = new Collector(where, budget, clock, idleMs);
    collectors.set(source, collector);
    read(source, collector);
  }
  const all = [...collectors.values()];
  const abort = (): void => {
    for (const collector of all) collector.fail("is no longer waited for: the caller aborted", signal?.reason);
  };
  const cancel = clock.after(totalMs, () => {
    for (const collector of all) collector.fail(`did not end within ${totalMs} ms`);
  });
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });
  try {
    await Promise.all(all.map((collector) => collector.content));
    for (const place of places) place.holder[place.key] = await (collectors.get(place.source) as Collector).content;
  } finally {
    cancel();
    signal?.removeEventListener("abort", abort);
    for (const collector of all) collector.fail("is not needed any more");
  }
  return root[0];
}

/**
 * Destroys the streams of a copy that will not be sent. Without it a file or socket stays open, and a stream
 * that fails later, with nobody listening, ends the process.
 */
export function discardStreams(copy: Plain): void {
  for (const { source } of find([copy])) {
    if (source instanceof Blob) continue;
    if (isWeb(source)) cancelWeb(source);
    else destroyNode(source);
  }
}

interface Found extends StreamPlace {
  readonly holder: { [key: string | number]: Plain };
  readonly key: string | number;
}

interface Container {
  [key: string | number]: Plain;
}

// Recursion is bounded by the copy's own depth.
function find(root: Plain[]): Found[] {
  const found: Found[] = [];
  lookInArray(root, [], found);
  return found;
}

function lookInArray(array: Plain[], path: (string | number)[], found: Found[]): void {
  for (let i = 0; i < array.length; i++) {
    const value = array[i];
    if (typeof value === "object" && value !== null) look(value, array as unknown as Container, i, path, found);
  }
}

function look(value: object, holder: Container, key: string | number, path: (string | number)[], found: Found[]): void {
  path.push(key);
  if (Array.isArray(value)) {
    lookInArray(value as Plain[], path, found);
  } else if (Object.getPrototypeOf(value) === Object.prototype) {
    const record = value as Container;
    for (const name in record) {
      const inner = record[name];
      if (typeof inner === "object" && inner !== null) look(inner, record, name, path, found);
    }
  } else if (value instanceof Blob || isStream(value)) {
    // The first segment is the root's own.
    found.push({ source: value, where: renderPath(path.slice(1)), holder, key });
  }
  path.pop();
}

function isWeb(source: StreamLike): source is ReadableStream {
  return typeof (source as { readonly getReader?: unknown }).getReader === "function";
}

function read(source: StreamLike | Blob, into: Collector): void {
  if (source instanceof Blob) void readBlob(source, into);
  else if (isWeb(source)) void readWeb(source, into);
  else readNode(source, into);
}

async function readBlob(source: Blob, into: Collector): Promise<void> {
  try {
    into.push(await source.arrayBuffer());
    into.end();
  } catch (cause) {
    into.fail("failed", cause);
  }
}

async function readWeb(source: ReadableStream, into: Collector): Promise<void> {
  try {
    const reader = source.getReader();
    into.onFailure(() => cancelWeb(reader));
    while (!into.settled) {
      const { done, value } = await reader.read();
      if (done) into.end();
      else into.push(value);
    }
  } catch (cause) {
    into.fail("failed, or is being read elsewhere", cause);
  }
}

interface NodeState {
  readonly destroyed?: boolean;
  readonly readable?: boolean;
  readonly readableEnded?: boolean;
  readonly errored?: Error | null;
  destroy?(): unknown;
}

function readNode(source: NodeJS.ReadableStream & NodeState, into: Collector): void {
  try {
    into.onFailure(() => destroyNode(source));
    source.on("error", (cause: unknown) => into.fail("failed", cause));
    // Such a stream gives no further event, so it must not be waited for.
    if (source.errored) into.fail("failed", source.errored);
    if (source.destroyed || source.readableEnded || source.readable === false) {
      into.fail("has been read or destroyed before");
    }
    source.on("data", (chunk: unknown) => into.push(chunk));
    source.on("end", () => into.end());
    source.on("close", () => into.fail("closed before its end"));
    source.resume();
  } catch (cause) {
    into.fail("cannot be read", cause);
  }
}

function destroyNode(source: NodeJS.ReadableStream & NodeState): void {
  try {
    source.on("error", () => {});
    source.destroy?.();
  } catch {
    // Discarding is a courtesy to the caller's resources; the mail has been refused already.
  }
}

function cancelWeb(source: { cancel(): Promise<unknown> }): void {
  // Rejects when somebody else holds the stream's lock, who then ends it as well.
  Promise.resolve()
    .then(() => source.cancel())
    .catch(() => {});
}
