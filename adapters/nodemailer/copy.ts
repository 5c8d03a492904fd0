/**
 * The one copy of a mail: envelope, rendered bytes and, for transports that read it, the message
 * data. Taken at the choke point; only this is judged and delivered.
 *
 * @module
 */
import { type HeaderBlock, MailfuseError, type Plain, type Refusal, readHeaders, snapshot } from "../../src/adapter";
import { renderBounds } from "./bounds";
import { bufferTree, hasStreams, settleContents } from "./contents";
import { type Envelope, takeEnvelope } from "./envelope";
import { type FieldPolicy, takeFields } from "./fields";
import { type Rendering, startRendering } from "./render";
import { type MailMessage, type MailTransport, type MimeNode, readsData, type TransportKind } from "./shapes";
import type { Shortcut } from "./shortcut";
import { transportProblems } from "./transports";

/** A mail as it will be delivered. */
export interface MailCopy {
  readonly kind: TransportKind;
  readonly envelope: Envelope;
  readonly messageId: string;
  /** The whole message, signed. */
  readonly bytes: Buffer;
  readonly block: HeaderBlock;
  /** What the transport may read of `mail.data`. */
  readonly data: Record<string, unknown>;
  /** Recipients as the application gave them, for the strict parse. */
  readonly declared: { readonly to: Plain; readonly cc: Plain; readonly bcc: Plain };
  /** What was found while copying. */
  readonly problems: readonly Refusal[];
  /** How the bytes came about; missing where the bytes came from a spool. */
  readonly rendering?: Rendering;
}

/** What a copy is taken with. */
export interface CopyPolicy extends FieldPolicy {
  readonly kind: TransportKind;
  readonly transport: MailTransport;
  readonly shortcut: Shortcut;
}

/**
 * Takes the copy. Everything the application could change is read before this first waits, apart
 * from contents, which are read once.
 *
 * Throws `COPY_*` and `PROTOTYPE_POLLUTED` for what cannot be copied, and nodemailer's own errors
 * for what cannot be rendered.
 */
export async function takeCopy(mail: MailMessage, policy: CopyPolicy): Promise<MailCopy> {
  const { kind, limits } = policy;
  const { data, message } = mail;
  const problems: Refusal[] = transportProblems(policy.transport, kind);
  const once = freezeAddresses(message, limits);
  const given = { ...data };
  for (const field of addressFields) if (field in given) given[field] = once(given[field]);
  const declared = { to: given.to as Plain, cc: given.cc as Plain, bcc: given.bcc as Plain };
  const envelope = takeEnvelope(message.getEnvelope(), limits, problems);
  const messageId = textOf(message.messageId());
  const fields = takeFields(given, kind, policy, problems);
  const bounds = renderBounds(limits, data.signal);
  if (readsData(kind)) await settleContents(fields, mail, bounds);
  if (hasStreams(message)) await bufferTree(message, bounds);
  // Most mail is rendered at once, and waiting for what is there already costs several promises.
  const begun = startRendering(mail, kind, bounds, policy.shortcut);
  const rendering = begun instanceof Promise ? await begun : begun;
  const signing = rendering.sign(rendering.unsigned, bounds);
  const bytes = signing instanceof Promise ? await signing : signing;
  return { kind, envelope, messageId, bytes, block: readHeaders(bytes), data: fields, declared, problems, rendering };
}

const addressFields = ["from", "sender", "replyTo", "to", "cc", "bcc"];
const addressHeaders = new Set(["from", "sender", "reply-to", "to", "cc", "bcc"]);

/**
 * Puts copies of the application's address objects into the tree: nodemailer reads them for the
 * envelope, and again when it renders, and an object may answer differently each time. Returns a
 * copier that answers with the same copy for the same object.
 */
function freezeAddresses(message: MimeNode, limits: CopyPolicy["limits"]): (value: unknown) => Plain {
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

/** Whether an error says that a mail could not be copied, rather than not be rendered. */
export function isCopyError(error: unknown): error is MailfuseError {
  return MailfuseError.isInstance(error);
}
