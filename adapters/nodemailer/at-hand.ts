/**
 * Renders a tree whose contents are all at hand, in one go. nodemailer gives every part streams of
 * its own, and setting them up costs more than the rest of a small mail. What makes the bytes stays
 * nodemailer's: headers, boundaries, the choice of encodings, and the encoders.
 *
 * @module
 */
import { abortError, type RenderBounds } from "./bounds";
import { isPlainText, quotedPrintable } from "./quoted-printable";
import type { MimeNode } from "./shapes";
import { missingLineEnd, tooLarge } from "./sink";

/** One of nodemailer's encoding streams, driven by hand. */
interface Encoder {
  push(chunk: unknown): boolean;
  _transform(bytes: Buffer, encoding: "buffer", done: () => void): unknown;
  _flush(done: () => void): unknown;
}

export type EncoderClass = new (options: object) => Encoder;

/** nodemailer's own encoders, by the transfer encoding they make. */
export type Encoders = ReadonlyMap<unknown, EncoderClass>;

/** What a node does by these is done here: one that has others is left to itself. */
export interface Bypassed {
  readonly stream: unknown;
  readonly createReadStream: unknown;
  readonly _getStream: unknown;
  readonly _takeStreamContent: unknown;
}

/** Everyday mail nests four deep. */
const maxDepth = 20;

/** Whether all of a tree's nodes do as their class does, and hold their contents as text or bytes. */
export function isAtHand(node: MimeNode, methods: Bypassed, depth = 0): boolean {
  if (depth > maxDepth || node.stream !== methods.stream || node.createReadStream !== methods.createReadStream)
    return false;
  if (node._getStream !== methods._getStream || node._takeStreamContent !== methods._takeStreamContent) return false;
  if (!isLiteral(node.content) || !isLiteral(node._raw)) return false;
  const { childNodes } = node;
  if (childNodes) for (const child of childNodes) if (!isAtHand(child, methods, depth + 1)) return false;
  return true;
}

function isLiteral(content: unknown): boolean {
  if (!content || typeof content === "string") return true;
  if (!Buffer.isBuffer(content)) return false;
  // nodemailer reads these in place of the bytes.
  const { pipe, path, href, _resolve, _resolvedValue } = content as Buffer & Record<string, unknown>;
  return !pipe && !path && !href && !_resolve && !_resolvedValue;
}

/** Renders a tree that {@link isAtHand}. */
export function renderAtHand(message: MimeNode, encoders: Encoders, bounds: RenderBounds): Buffer {
  if (bounds.signal?.aborted) throw abortError(bounds.signal);
  const written = new Written(encoders, bounds.bytes);
  written.node(message);
  return written.whole();
}

class Written {
  readonly #blocks: Buffer[] = [];
  /** Text that no block holds yet: it is encoded as much as possible at once. */
  #text = "";
  #size = 0;

  constructor(
    private readonly encoders: Encoders,
    private readonly limit: number,
  ) {}

  node(node: MimeNode): void {
    if (node._raw) this.#add(node._raw);
    else {
      this.#add(`${node.buildHeaders?.()}\r\n\r\n`);
      if (node.content) this.#content(node, node.content);
    }
    if (!node.multipart) return;
    let before = "--";
    for (const child of node.childNodes ?? []) {
      this.#add(`${before}${node.boundary}\r\n`);
      this.node(child);
      before = "\r\n--";
    }
    this.#add(`\r\n--${node.boundary}--\r\n`);
  }

  #content(node: MimeNode, content: unknown): void {
    // Building the headers has put it there.
    const encoding = node._headers?.find(({ key }) => key === "Content-Transfer-Encoding")?.value;
    const Encoder = this.encoders.get(encoding);
    if (!Encoder) {
      this.#add(content);
      return;
    }
    const bytes = typeof content === "string" ? Buffer.from(content) : (content as Buffer);
    if (bytes.length > this.limit) throw tooLarge(this.limit);
    if (bytes.length === 0) return;
    const isText = /^text\//i.test(String(node.contentType || ""));
    if (isText && encoding === "quoted-printable" && isPlainText(bytes)) {
      this.#add(quotedPrintable(bytes));
      return;
    }
    // As nodemailer 10 asks for it; earlier encoders do not know the option.
    const encoder = new Encoder({ binary: !isText });
    encoder.push = (chunk) => {
      this.#add(chunk);
      return true;
    };
    encoder._transform(bytes, "buffer", nothing);
    encoder._flush(nothing);
  }

  #add(piece: unknown): void {
    if (typeof piece === "string") {
      this.#text += piece;
      this.#size += piece.length;
    } else if (Buffer.isBuffer(piece) && piece.length > 0) {
      if (this.#text !== "") this.#blocks.push(Buffer.from(this.#text));
      this.#text = "";
      this.#blocks.push(piece);
      this.#size += piece.length;
    }
    if (this.#size > this.limit) throw tooLarge(this.limit);
  }

  /** The whole in a buffer of its own: the application holds those that it gave. */
  whole(): Buffer {
    const text = this.#text;
    const last = text === "" ? this.#blocks.at(-1)?.at(-1) : text.charCodeAt(text.length - 1);
    const rest = Buffer.from(`${text}${missingLineEnd(last)}`);
    const bytes = this.#blocks.length === 0 ? rest : Buffer.concat([...this.#blocks, rest]);
    if (bytes.length > this.limit) throw tooLarge(this.limit);
    return bytes;
  }
}

function nothing(): void {}
