/**
 * Gathers what one stream gives, within limits of size and time.
 *
 * @module
 */
import { types } from "node:util";
import type { Clock } from "../clock";
import { MailfuseError, type Refusal } from "../errors";

/** What all streams of one request may give together. Chunks are counted too: they cost time, empty ones nothing else. */
export interface StreamBudget {
  bytes: number;
  chunks: number;
  emptyChunks: number;
}

/** Gathers the chunks of one stream and settles once: with its content, or with the reason why there is none. */
export class Collector {
  readonly content: Promise<Buffer>;
  settled = false;
  private readonly chunks: Buffer[] = [];
  private lastAt: number;
  private cancelIdle: () => void = () => {};
  private release: () => void = () => {};
  private resolve: (content: Buffer) => void = () => {};
  private reject: (error: MailfuseError) => void = () => {};

  constructor(
    private readonly where: string,
    private readonly budget: StreamBudget,
    private readonly clock: Clock,
    private readonly idleMs: number,
  ) {
    this.content = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.lastAt = clock.now();
    this.watch(idleMs);
  }

  /** Says how to let go of the stream when it is not read to its end. */
  onFailure(release: () => void): void {
    if (this.settled) release();
    else this.release = release;
  }

  push(chunk: unknown): void {
    if (this.settled) return;
    const bytes = toBytes(chunk);
    if (bytes === undefined) {
      this.fail("gave something that is neither text nor bytes");
      return;
    }
    const { budget } = this;
    budget.bytes -= bytes.length;
    budget.chunks -= 1;
    if (bytes.length === 0) budget.emptyChunks -= 1;
    if (budget.bytes < 0 || budget.chunks < 0 || budget.emptyChunks < 0) {
      this.tooLarge();
    } else if (bytes.length > 0) {
      this.lastAt = this.clock.now();
      this.chunks.push(bytes);
    }
  }

  end(): void {
    if (this.settle()) this.resolve(Buffer.concat(this.chunks));
  }

  /** Ends the reading; `how` completes the sentence "Expected a stream that ends, and it …". */
  fail(how: string, cause?: unknown): void {
    this.refuse(
      {
        code: "STREAM_FAILED",
        message: `Expected a stream that can be read to its end, and it ${how}.`,
        fix: "Pass a fresh stream, or the content itself.",
      },
      cause,
    );
  }

  private tooLarge(): void {
    this.refuse({
      code: "COPY_TOO_LARGE",
      message: "Expected the streams of one request to stay within its limit of bytes, and they give more.",
      fix: "Send a link to the content, or raise the limit in the configuration.",
    });
  }

  private refuse(refusal: Refusal, cause?: unknown): void {
    if (!this.settle()) return;
    this.release();
    const placed = this.where === "" ? refusal : { ...refusal, where: this.where };
    this.reject(new MailfuseError(placed, cause === undefined ? {} : { cause }));
  }

  private settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.cancelIdle();
    return true;
  }

  // One timer that looks again, instead of one for each chunk.
  private watch(ms: number): void {
    this.cancelIdle = this.clock.after(ms, () => {
      const left = this.lastAt + this.idleMs - this.clock.now();
      if (left > 0) this.watch(left);
      else this.fail(`gave nothing for ${this.idleMs} ms`);
    });
  }
}

function toBytes(chunk: unknown): Buffer | undefined {
  if (typeof chunk === "string") return Buffer.from(chunk);
  if (ArrayBuffer.isView(chunk)) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  return types.isAnyArrayBuffer(chunk) ? Buffer.from(chunk) : undefined;
}
