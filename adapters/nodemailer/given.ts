/**
 * What of a mail the application could change before it leaves: copied at the choke point, before anything waits.
 *
 * @module
 */
import type { Plain, Refusal } from "../../src/adapter";
import { snapshot } from "../../src/catching";
import { type Envelope, takeEnvelope } from "./envelope";
import { type FieldPolicy, takeFields } from "./fields";
import type { MailMessage, MimeNode, TransportKind } from "./shapes";

/** A mail as the application gave it, contents apart. */
export interface Given {
  readonly kind: TransportKind;
  readonly envelope: Envelope;
  readonly messageId: string;
  /** What the transport may read of `mail.data`. */
  readonly data: Record<string, unknown>;
  /** Recipients as the application gave them, for the strict parse. */
  readonly declared: { readonly to: Plain; readonly cc: Plain; readonly bcc: Plain };
  /** What was found while copying. */
  readonly problems: readonly Refusal[];
}

/** What a mail is copied with. */
export interface GivenPolicy extends FieldPolicy {
  readonly kind: TransportKind;
}

/** Copies what was given. Throws `COPY_*` and `PROTOTYPE_POLLUTED` for what cannot be copied. */
export function takeGiven(mail: MailMessage, policy: GivenPolicy): Given {
  const { kind, limits } = policy;
  const { data, message } = mail;
  const problems: Refusal[] = [];
  const once = freezeAddresses(message, limits);
  const given = { ...data };
  for (const field of addressFields) if (field in given) given[field] = once(given[field]);
  const declared = { to: given.to as Plain, cc: given.cc as Plain, bcc: given.bcc as Plain };
  const envelope = takeEnvelope(message.getEnvelope(), limits, problems);
  const messageId = textOf(message.messageId());
  return { kind, envelope, messageId, data: takeFields(given, kind, policy, problems), declared, problems };
}

const addressFields = ["from", "sender", "replyTo", "to", "cc", "bcc"];
const addressHeaders = new Set(["from", "sender", "reply-to", "to", "cc", "bcc"]);

/**
 * Puts copies of the application's address objects into the tree: nodemailer reads them for the
 * envelope, and again when it renders, and an object may answer differently each time. Returns a
 * copier that answers with the same copy for the same object.
 */
function freezeAddresses(message: MimeNode, limits: GivenPolicy["limits"]): (value: unknown) => Plain {
  const copies = new Map<unknown, Plain>();
  const once = (value: unknown): Plain => {
    if (typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol") return value as Plain;
    const known = copies.get(value);
    if (known !== undefined) return known;
    const copy = snapshot(value, limits);
    copies.set(value, copy);
    return copy;
  };
  const { _headers: headers } = message;
  if (Array.isArray(headers)) {
    for (const header of headers) {
      const key = String(header.key);
      if (!addressHeaders.has(key.toLowerCase())) continue;
      const value = once(header.value);
      header.value = typeof value === "string" && formatted.has(key) ? mailboxesIn(value, message) : value;
    }
  }
  return once;
}

/** Headers that nodemailer writes from address objects as from text. */
const formatted = new Set(["From", "Sender", "Reply-To", "To", "Cc", "Bcc"]);

/**
 * Addresses as nodemailer reads them, so that envelope and header come of one reading. Text that
 * holds more than plain addresses, such as groups, stays text.
 */
function mailboxesIn(text: string, message: MimeNode): unknown {
  const read = message._parseAddresses?.(text);
  return Array.isArray(read) && read.length > 0 && read.every(isMailbox) ? read : text;
}

function isMailbox(entry: { readonly address?: unknown; readonly name?: unknown } | null): boolean {
  return typeof entry?.address === "string" && entry.address !== "" && typeof entry.name === "string";
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  const text = snapshot(value);
  return typeof text === "string" ? text : "";
}
