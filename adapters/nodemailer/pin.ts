/**
 * The mail object that a transport gets in place of the application's: nodemailer's own classes
 * around the copy. Whatever a transport asks, it is answered from the copy.
 *
 * @module
 */
import { Readable } from "node:stream";
import { decodeWords, parseAddresses } from "../../src/adapter";
import type { MailCopy } from "./copy";
import { type Envelope, freshEnvelope } from "./envelope";
import type { MailMessage, MimeNode } from "./shapes";

/** nodemailer's classes, as prototypes of pinned objects. */
export interface Prototypes {
  readonly mail: object;
  readonly node: object;
  readonly mailer: unknown;
}

/** A pinned mail, and whether its text has begun to leave. */
export interface PinnedMail {
  readonly mail: MailMessage;
  /** Set once a transport reads the text: from then on, an error says nothing of what arrived. */
  readonly state: { textRead: boolean };
}

/** Prototypes of the objects that nodemailer made for one mail. */
export function prototypesOf(mail: MailMessage): Prototypes {
  return { mail: Object.getPrototypeOf(mail), node: Object.getPrototypeOf(mail.message), mailer: mail.mailer };
}

/** Makes a mail object of a copy. Each delivery gets its own: transports write to what they get. */
export function pin(copy: MailCopy, prototypes: Prototypes): PinnedMail {
  const state = { textRead: false };
  const message = pinNode(copy, prototypes.node, state);
  const data: Record<string, unknown> = { ...copy.data };
  // nodemailer before 10 sends to this in place of the message's envelope.
  if (data.envelope) data.envelope = freshEnvelope(copy.envelope);
  const mail = Object.assign(Object.create(prototypes.mail), { mailer: prototypes.mailer, data, message });
  return { mail, state };
}

function pinNode(copy: MailCopy, prototype: object, state: { textRead: boolean }): MimeNode {
  const { bytes, envelope, messageId } = copy;
  const node = Object.create(prototype) as MimeNode & Record<string, unknown>;
  // What the class's own methods read. `_raw` makes them stream the bytes, should any be asked to.
  Object.assign(node, {
    rootNode: node,
    childNodes: [],
    _transforms: [],
    _processFuncs: [],
    _raw: bytes,
    keepBcc: true,
    getEnvelope: () => freshEnvelope(envelope),
    messageId: () => messageId,
    createReadStream: () => new BytesStream(bytes, state),
  });
  let headers: { key: string; value: unknown }[] | undefined;
  // Few transports look at headers again, so they are spelled out only for those.
  Object.defineProperty(node, "_headers", {
    configurable: true,
    get: () => {
      headers ??= headersOf(copy, node);
      return headers;
    },
  });
  Object.defineProperty(node, "_envelope", { configurable: true, get: () => freshEnvelope(envelope), set: () => {} });
  if (typeof node.getHeader !== "function") {
    node.getHeader = (key) =>
      headersOf(copy, node).find((header) => header.key.toLowerCase() === key.toLowerCase())?.value;
  }
  return node;
}

const addressHeaders = new Set(["from", "sender", "reply-to", "to", "cc", "bcc"]);

/** Headers as nodemailer keeps them: addresses as objects, other values decoded. */
function headersOf(copy: MailCopy, node: Record<string, unknown>): { key: string; value: unknown }[] {
  const normalize = node._normalizeHeaderKey;
  const keyOf = (name: string): string => (typeof normalize === "function" ? String(normalize.call(node, name)) : name);
  const headers = copy.block.headers.map(([name, value]) => ({
    key: keyOf(name),
    value: addressHeaders.has(name) ? mailboxes(value) : decodeWords(value),
  }));
  const hidden = hiddenOf(copy);
  if (hidden.length > 0 && !copy.block.headers.some(([name]) => name === "bcc")) {
    headers.push({ key: keyOf("bcc"), value: hidden });
  }
  return headers;
}

function mailboxes(value: string): unknown {
  const read = parseAddresses(value, "", "list");
  if (read.problems.length > 0) return value;
  return read.addresses.map(({ address, name }) => ({ address, name: name ?? "" }));
}

/** Hidden recipients as the application named them; rendering leaves their header out. */
function hiddenOf(copy: MailCopy): unknown[] {
  const read = parseAddresses(copy.declared.bcc, "", "list");
  return read.addresses.map(({ address, name }) => ({ address, name: name ?? "" }));
}

/** The bytes as a stream that tells when its first reader comes. */
class BytesStream extends Readable {
  readonly #bytes: Buffer;
  readonly #state: { textRead: boolean };

  constructor(bytes: Buffer, state: { textRead: boolean }) {
    super();
    this.#bytes = bytes;
    this.#state = state;
  }

  override _read(): void {
    this.#state.textRead = true;
    this.push(this.#bytes);
    this.push(null);
  }
}

/** An envelope as results show it. */
export function shownEnvelope(envelope: Envelope): { from: string | false; to: string[] } {
  return { from: envelope.from, to: [...envelope.to] };
}
