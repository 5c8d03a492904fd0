/**
 * Where a rendering ends: one buffer, within bounds.
 *
 * @module
 */
import { Writable } from "node:stream";
import { MailfuseError } from "../../src/adapter";
import { abortError, type RenderBounds } from "./bounds";

/** Pieces of a rendering, kept small in number: a thousand small buffers weigh a multiple of what they hold. */
export class Pieces {
  #blocks: Buffer[] = [];
  #chunks: Buffer[] = [];
  #size = 0;
  #count = 0;

  constructor(private readonly bounds: RenderBounds) {}

  /** Keeps one piece; answers with the refusal when there is too much. */
  add(bytes: Buffer): MailfuseError | undefined {
    this.#size += bytes.length;
    if (this.#size > this.bounds.bytes || ++this.#count > this.bounds.pieces) return tooLarge(this.bounds.bytes);
    if (this.#chunks.push(bytes) < 1_024) return undefined;
    this.#blocks.push(Buffer.concat(this.#chunks));
    this.#chunks = [];
    return undefined;
  }

  /** The whole in a buffer of its own: the application may hold one that came as a piece. */
  whole(): Buffer {
    const all = this.#blocks.length === 0 ? this.#chunks : [...this.#blocks, ...this.#chunks];
    return Buffer.concat(all, this.#size);
  }
}

/** What a MIME tree writes itself into. */
export class Sink extends Writable {
  readonly #pieces: Pieces;
  readonly #reject: (error: unknown) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.fail(abortError(this.#signal as AbortSignal));
  #done = false;

  constructor(bounds: RenderBounds, reject: (error: unknown) => void) {
    // Everything is kept anyway: making the tree wait would only cost turns of the event loop.
    super({ highWaterMark: Number.MAX_SAFE_INTEGER });
    this.#pieces = new Pieces(bounds);
    this.#reject = reject;
    this.#signal = bounds.signal;
    // nodemailer before 10 reports some failures of contents here. A tree that is stopped may still
    // write; that is told to nobody.
    this.on("error", (error) => this.fail(error));
    if (bounds.signal?.aborted) this.#onAbort();
    else bounds.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const refusal = this.#done ? undefined : this.#pieces.add(chunk);
    if (refusal) this.fail(refusal);
    done();
  }

  fail(error: unknown): void {
    if (this.#done) return;
    this.#end();
    this.#reject(error);
    this.destroy();
  }

  /** The whole, ended by a line end as nodemailer ends it. */
  finish(): Buffer {
    this.#end();
    const bytes = this.#pieces.whole();
    const missing = missingLineEnd(bytes[bytes.length - 1]);
    return missing === "" ? bytes : Buffer.concat([bytes, Buffer.from(missing)]);
  }

  #end(): void {
    this.#done = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}

/** What nodemailer puts behind a mail that ends with this byte. */
export function missingLineEnd(last: number | undefined): string {
  if (last === 0x0a) return "";
  return last === 0x0d ? "\n" : "\r\n";
}

export function tooLarge(limit: number): MailfuseError {
  return new MailfuseError({
    code: "COPY_TOO_LARGE",
    message: `Expected a mail of at most ${limit} bytes once rendered, got a larger one.`,
    fix: "Link to large files instead of attaching them, or raise `limits.bytes`.",
  });
}
