/**
 * One mail as the wire will carry it, decoded once from the copy that will be delivered.
 * Guards read messages and nothing else; they never see the caller's own objects.
 *
 * @module
 */
import { hash } from "node:crypto";

/** The field an address stands in. Envelope-only recipients are `bcc`. */
export type Field = "to" | "cc" | "bcc";

/** One address and the field it stands in. */
export interface Recipient {
  readonly field: Field;
  /** As it will stand on the wire: local part as given, domain as a lower-case A-label. */
  readonly address: string;
  /** Whom it counts as: the address, lower-cased. Two spellings of one person are one person. */
  readonly person: string;
  readonly name?: string;
}

/** What the recipient will read. */
export interface Content {
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
  /** Where the text lives at the provider: the template's id and the data merged into it. */
  readonly template?: { readonly id: string; readonly data?: unknown };
  /** Set when part of the text is not known here, and says which part. */
  readonly unbound?: string;
}

/** One mail: recipients, content, tags. One provider call may hold many. */
export interface Message {
  readonly recipients: readonly Recipient[];
  /** The visible sender, canonical, where it could be read. */
  readonly from?: string;
  /** Tags or categories as the provider knows them; purposes are matched on them. */
  readonly tags: readonly string[];
  /** Header name (lower case) and value, in order, where the carrier has headers. */
  readonly headers: readonly (readonly [string, string])[];
  /** Decoded on first use and kept: a guard that reads no content costs nothing. */
  content(): Content;
  /** Whether something goes with the text that a person can open. Missing where nothing can. */
  attached?(): boolean;
  /** SHA-256 over what this message's recipients get, base64url. Computed on first use and kept. */
  digest(): string;
}

/** What {@link createMessage} needs; everything optional has an obvious empty value. */
export interface MessageInput {
  readonly recipients: readonly Recipient[];
  readonly from?: string | undefined;
  readonly tags?: readonly string[];
  readonly headers?: readonly (readonly [string, string])[];
  readonly content: () => Content;
  /** Whether files go with it; without it, none do. */
  readonly attached?: () => boolean;
  /** The exact bytes the digest is taken of; without it, the content itself in canonical order. */
  readonly bytes?: () => string | Uint8Array;
}

/** Builds a {@link Message} whose content and digest are decoded at most once. */
export function createMessage(input: MessageInput): Message {
  let content: Content | undefined;
  let digest: string | undefined;
  const read = (): Content => {
    content ??= input.content();
    return content;
  };
  return {
    recipients: input.recipients,
    ...(input.from === undefined ? {} : { from: input.from }),
    tags: input.tags ?? [],
    headers: input.headers ?? [],
    content: read,
    ...(input.attached === undefined ? {} : { attached: input.attached }),
    digest() {
      digest ??= hash("sha256", input.bytes ? input.bytes() : canonicalContent(read()), "base64url");
      return digest;
    },
  };
}

// An array, not an object: the order is fixed, so equal content always gives equal bytes.
function canonicalContent(content: Content): string {
  return JSON.stringify([
    content.subject ?? null,
    content.text ?? null,
    content.html ?? null,
    content.template ?? null,
  ]);
}
