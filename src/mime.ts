/**
 * Reads rendered MIME bytes: the headers, the text a person would see, and the other parts. For
 * adapters whose client renders a message before it is sent. Never throws; time is linear in the
 * input; nesting and the number of parts are bounded, and what lies beyond is said to be unread.
 *
 * @module
 */
import { hash } from "node:crypto";
import type { Content } from "./message";
import { decodeText, decodeTransfer, decodeWords } from "./mime/encodings";
import { type HeaderBlock, readHeaders, readPartHeaders, readStructured, type Structured } from "./mime/headers";

export { decodeWords } from "./mime/encodings";
export { type HeaderBlock, headerName, readHeaders } from "./mime/headers";

/** A part that is not the text itself: an attachment, an invitation, an embedded image. */
export interface MimePart {
  /** Media type in lower case, without parameters. */
  readonly type: string;
  readonly name?: string;
  /** The part as the recipient gets it, transfer encoding removed. */
  bytes(): Uint8Array;
}

/** A message as a person sees it. */
export interface MimeMessage {
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
  readonly parts: readonly MimePart[];
  /** Set when the message is nested deeper, or has more parts, than is read. */
  readonly unread?: string;
}

// Everyday mail nests four deep: mixed, alternative, related, image.
const maxDepth = 16;
const maxParts = 1_000;

/**
 * Reads a rendered message.
 *
 * @param bytes The whole message, headers first.
 * @param block Its header block, where the caller has read it already.
 * @example
 * ```ts
 * const { subject, text, html } = readMime(rendered);
 * ```
 */
export function readMime(bytes: Uint8Array, block?: HeaderBlock): MimeMessage {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const head = block ?? readHeaders(buffer);
  const reader = new Reader(buffer);
  reader.read(head, buffer.length, 0, "text/plain");
  const subject = firstValue(head, "subject");
  const { text, html, unread } = reader;
  return {
    ...(subject === undefined ? {} : { subject: decodeWords(subject) }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
    parts: reader.parts,
    ...(unread === undefined ? {} : { unread }),
  };
}

/** What a guard reads of a message. */
export function mimeContent(message: MimeMessage): Content {
  const { subject, text, html, unread } = message;
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
    ...(unread === undefined ? {} : { unbound: unread }),
  };
}

/**
 * What a message's digest is taken of: subject, texts and every other part by type, name and
 * SHA-256, in order. Date, Message-ID, boundaries, signatures and addresses are left out: the same
 * mail sent twice has one digest. Without other parts it is the canonical form of the content
 * alone, so that a mail has one digest through every provider.
 *
 * @param template Where the text lives at the provider, beside what was rendered.
 */
export function mimeDigestInput(message: MimeMessage, template?: Content["template"]): string {
  const content = [message.subject ?? null, message.text ?? null, message.html ?? null, template ?? null];
  if (message.parts.length === 0) return JSON.stringify(content);
  const parts = message.parts.map((part) => [part.type, part.name ?? null, hash("sha256", part.bytes(), "base64url")]);
  return JSON.stringify([...content, parts]);
}

class Reader {
  text: string | undefined;
  html: string | undefined;
  unread: string | undefined;
  readonly parts: MimePart[] = [];
  #count = 0;

  constructor(private readonly bytes: Buffer) {}

  read(head: HeaderBlock, end: number, depth: number, defaultType: string): void {
    if (++this.#count > maxParts) {
      this.unread = `parts after the first ${maxParts}`;
      return;
    }
    const type = readStructured(firstValue(head, "content-type") ?? defaultType);
    const boundary = type.value.startsWith("multipart/") ? type.params.get("boundary") : undefined;
    if (boundary === undefined) {
      this.#leaf(head, type, end, depth === 0);
      return;
    }
    if (depth >= maxDepth) {
      this.unread = `parts nested more than ${maxDepth} deep`;
      return;
    }
    const inner = type.value === "multipart/digest" ? "message/rfc822" : "text/plain";
    for (const [from, to] of this.#sections(boundary, head.body, end)) {
      if (this.#count > maxParts) return;
      this.read(readPartHeaders(this.bytes, from, to), to, depth + 1, inner);
    }
  }

  /** The parts between the delimiter lines of one boundary (RFC 2046, 5.1.1). */
  *#sections(boundary: string, from: number, end: number): Generator<[from: number, to: number]> {
    const delimiter = Buffer.from(`--${boundary}`, "utf8");
    const region = this.bytes.subarray(0, end);
    let start = -1;
    for (let at = region.indexOf(delimiter, from); at >= 0; at = region.indexOf(delimiter, at + delimiter.length)) {
      const after = at + delimiter.length;
      const closing = region[after] === 0x2d && region[after + 1] === 0x2d;
      // One boundary may be the start of another: nodemailer's end in Part_1 and Part_10.
      if ((at > from && region[at - 1] !== 0x0a) || !endsWord(region[closing ? after + 2 : after])) continue;
      if (start >= 0) yield [start, withoutLineEnd(region, start, at)];
      const line = region.indexOf(0x0a, after);
      start = closing || line < 0 ? -1 : line + 1;
      if (start < 0) return;
    }
    if (start >= 0) yield [start, end];
  }

  #leaf(head: HeaderBlock, type: Structured, end: number, root: boolean): void {
    const encoding = (firstValue(head, "content-transfer-encoding") ?? "").toLowerCase();
    const disposition = readStructured(firstValue(head, "content-disposition"));
    const name = disposition.params.get("filename") ?? type.params.get("name");
    const { bytes } = this;
    const body = (): Uint8Array => decodeTransfer(bytes.subarray(head.body, end), encoding);
    const shown = (type.value === "text/plain" || type.value === "text/html") && disposition.value !== "attachment";
    if (!shown || (name !== undefined && disposition.value !== "inline")) {
      this.parts.push({ type: type.value, ...(name === undefined ? {} : { name: decodeWords(name) }), bytes: body });
      return;
    }
    const read = decodeText(body(), type.params.get("charset") ?? "").replaceAll("\r\n", "\n");
    // The line end that closes a message's last line is the format's, not the text's.
    const text = root && read.endsWith("\n") ? read.slice(0, -1) : read;
    const field = type.value === "text/html" ? "html" : "text";
    this[field] = this[field] === undefined ? text : `${this[field]}\n${text}`;
  }
}

function endsWord(byte: number | undefined): boolean {
  return byte === undefined || byte === 0x0a || byte === 0x0d || byte === 0x20 || byte === 0x09;
}

/** The line end before a delimiter belongs to the delimiter. */
function withoutLineEnd(bytes: Buffer, start: number, at: number): number {
  let end = at;
  if (end > start && bytes[end - 1] === 0x0a) end--;
  if (end > start && bytes[end - 1] === 0x0d) end--;
  return end;
}

function firstValue(head: HeaderBlock, name: string): string | undefined {
  for (const [key, value] of head.headers) if (key === name) return value;
  return undefined;
}
