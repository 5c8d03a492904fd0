/**
 * Renders a mail to one buffer, once. What is judged is this buffer, and what leaves is this buffer.
 *
 * Rendering and signing are two steps: a redirect rewrites headers between them, so nothing is ever
 * changed under a DKIM signature.
 *
 * @module
 */
import type { Readable } from "node:stream";
import { MailfuseError } from "../../src/adapter";
import { renderAtHand } from "./at-hand";
import { abortError, type RenderBounds } from "./bounds";
import type { MailMessage, MimeNode, TransportKind } from "./shapes";
import type { Shortcut } from "./shortcut";
import { Pieces, Sink } from "./sink";

/** A rendered mail before its signature, and the steps that sign it. */
export interface Rendering {
  readonly unsigned: Buffer;
  /** Runs the steps that nodemailer puts last: DKIM, processing functions of plugins, line ends. */
  sign(unsigned: Buffer, bounds: RenderBounds): Buffer | Promise<Buffer>;
}

/**
 * Starts rendering: the root's headers are written before this returns, so nothing that the
 * application changes afterwards reaches them. Of a mail that waited for this file to be loaded, what was changed in
 * place meanwhile is judged as well as sent.
 */
export function startRendering(
  mail: MailMessage,
  kind: TransportKind,
  bounds: RenderBounds,
  shortcut: Shortcut,
): Rendering | Promise<Rendering> {
  const { message } = mail;
  // These three hand Bcc on themselves, and set this when they start.
  if (kind === "sendmail" || kind === "stream" || kind === "json") message.keepBcc = true;
  const steps = Array.isArray(message._processFuncs) ? message._processFuncs : [];
  const { newline } = message;
  const rendered = renderUnsigned(message, bounds, shortcut);
  const signed = (unsigned: Buffer): Rendering => {
    if (steps.length === 0 && !newline) return { unsigned, sign: unchanged };
    return {
      unsigned,
      sign: (given, within) => collect(openStream(signingNode(mail, given, steps, newline, kind)), within),
    };
  };
  return rendered instanceof Promise ? rendered.then(signed) : signed(rendered);
}

function renderUnsigned(message: MimeNode, bounds: RenderBounds, shortcut: Shortcut): Buffer | Promise<Buffer> {
  if (!isPlain(message)) return withoutSteps(message, () => collect(openStream(message), bounds));
  const encoders = shortcut.of(message);
  return encoders ? renderAtHand(message, encoders, bounds) : renderPlain(message, bounds);
}

function unchanged(unsigned: Buffer): Buffer {
  return unsigned;
}

/** Whether a tree renders as nodemailer's class does it: no transforms, nothing replaced by plugins. */
function isPlain(message: MimeNode): boolean {
  return (
    Array.isArray(message._transforms) &&
    message._transforms.length === 0 &&
    typeof message.stream === "function" &&
    !Object.hasOwn(message, "stream") &&
    !Object.hasOwn(message, "createReadStream")
  );
}

/**
 * Renders without the streams that `createReadStream` puts behind the tree, whose set-up costs a
 * good part of a small mail: the tree writes into one buffer, and the last line end is seen to here.
 * `onPipe` is told of every stream that a part is read from.
 */
export function renderPlain(
  message: MimeNode,
  bounds: RenderBounds,
  onPipe?: (stream: Readable) => void,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const sink = new Sink(bounds, reject);
    if (onPipe) sink.on("pipe", onPipe);
    try {
      message.stream?.(sink, {}, (error) => {
        if (error) sink.fail(error);
        else resolve(sink.finish());
      });
    } catch (error) {
      sink.fail(error);
    }
  });
}

/** Starts a rendering with the signing steps and the final line ends taken out, which come later. */
function withoutSteps(message: MimeNode, render: () => Promise<Buffer>): Promise<Buffer> {
  const { _processFuncs: steps, newline } = message;
  message._processFuncs = [];
  delete message.newline;
  try {
    return render();
  } finally {
    if (steps !== undefined) message._processFuncs = steps;
    if (newline !== undefined) message.newline = newline;
  }
}

function openStream(message: MimeNode): Readable {
  const stream = message.createReadStream();
  if (typeof stream?.on !== "function") {
    throw new MailfuseError({
      code: "COPY_UNSUPPORTED",
      message: "Expected the mail to render to a readable stream, got something else.",
    });
  }
  return stream;
}

/** A tree of one node whose content is `bytes`, with the signing steps of the mail it came from. */
function signingNode(
  mail: MailMessage,
  bytes: Buffer,
  steps: unknown[],
  newline: unknown,
  kind: TransportKind,
): MimeNode {
  // SES replaces Date and Message-ID: signed, they would break the signature.
  if (kind === "ses") {
    const own = mail.data._dkim as { skipFields?: unknown } | undefined;
    const skip = typeof own?.skipFields === "string" && own.skipFields ? `${own.skipFields}:` : "";
    mail.data._dkim = { ...own, skipFields: `${skip}date:message-id` };
  }
  const Node = mail.message.constructor as new (type: string) => MimeNode;
  const node = new Node("message/rfc822");
  node.setRaw?.(bytes);
  node._processFuncs = steps;
  node.newline = newline;
  return node;
}

/**
 * Reads a stream into one buffer. Ends when the stream ends, fails, is destroyed, grows beyond the
 * bounds, or the signal aborts; a stream that was read before is no answer at all, so it is refused.
 */
export function collect(stream: Readable, bounds: RenderBounds): Promise<Buffer> {
  const { signal } = bounds;
  return new Promise((resolve, reject) => {
    const pieces = new Pieces(bounds);
    let settled = false;
    const onAbort = (): void => fail(abortError(signal as AbortSignal));
    const settle = (): boolean => {
      if (settled) return false;
      settled = true;
      signal?.removeEventListener("abort", onAbort);
      return true;
    };
    const fail = (error: unknown): void => {
      if (!settle()) return;
      reject(error);
      stream.destroy?.();
    };
    // Not once: a stage may report the failure of the stage before it a second time.
    stream.on("error", fail);
    const spent = stream.errored ?? (stream.readableEnded || stream.destroyed ? streamError(alreadyRead) : undefined);
    if (spent) return fail(spent);
    if (signal?.aborted) return onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    stream.on("data", (chunk: unknown) => {
      if (settled) return;
      const bytes = bytesOf(chunk);
      const refusal = bytes
        ? pieces.add(bytes)
        : streamError("A content stream gave something else than bytes or text");
      if (refusal) fail(refusal);
    });
    stream.on("end", () => {
      if (settle()) resolve(pieces.whole());
    });
    stream.on("close", () => {
      // Not built unless needed: an error's stack costs more than the rest of this function.
      if (!settled) fail(streamError("A content stream was closed before it ended"));
    });
  });
}

const alreadyRead = "Content stream was already read or destroyed";

function bytesOf(chunk: unknown): Buffer | undefined {
  if (typeof chunk === "string") return Buffer.from(chunk);
  if (Buffer.isBuffer(chunk)) return chunk;
  return chunk instanceof Uint8Array ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) : undefined;
}

/** Told as nodemailer tells it. */
export function isStream(value: unknown): value is Readable {
  return typeof value === "object" && value !== null && typeof (value as { pipe?: unknown }).pipe === "function";
}

function streamError(message: string): Error {
  return Object.assign(new Error(message), { code: "ESTREAM" });
}
