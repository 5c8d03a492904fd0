/**
 * What a mail would do, read from its copy.
 *
 * @module
 */
import {
  createMessage,
  headerName,
  type Intent,
  type MimeMessage,
  mimeContent,
  mimeDigestInput,
  type Plain,
  parseAddresses,
  type Refusal,
  readMime,
} from "../../src/adapter";
import { Carriers, headerEntries, recipientField } from "./carriers";
import { type Controls, readControl, receiptHeaders } from "./controls";
import type { MailCopy } from "./copy";
import { readsData, type TransportKind } from "./shapes";

/** Reads recipients, tags and problems of one mail. Its text is decoded only when a guard asks. */
export function readIntent(copy: MailCopy): Intent {
  const { declared, block, kind, data, envelope } = copy;
  const problems: Refusal[] = [];
  const carriers = new Carriers(problems);
  const controls: Controls = { tags: [], problems };
  for (const field of ["to", "cc", "bcc"] as const) {
    if (declared[field]) carriers.read(withoutBlanks(declared[field]), field, field);
  }
  const receipts: [name: string, value: string][] = [];
  for (const [name, value] of block.headers) {
    const field = recipientField(name);
    if (field) {
      if (field === "bcc" && !keepsBcc(kind)) problems.push(visibleBcc);
      carriers.read(value, `headers.${name}`, field);
    } else if (receiptHeaders.has(name)) receipts.push([name, value]);
    else readControl(name, value, controls);
  }
  carriers.addHidden(envelope.people);
  if (readsData(kind)) {
    for (const [key, value] of dataHeaders(data)) {
      const name = headerName(key);
      const field = recipientField(name);
      if (field) carriers.read(value, `headers.${name}`, field);
      else if (typeof value === "string") readControl(name, value, controls);
    }
    readProviderFields(data, controls);
  }
  for (const [name, value] of receipts) if (!isOwn(value, carriers, copy)) problems.push(foreignReceipt(name));
  problems.push(...copy.problems);
  const { template, unbound, tags } = controls;
  const bound = template === undefined ? undefined : { id: template };
  let read: MimeMessage | undefined;
  const mime = (): MimeMessage => {
    read ??= readMime(copy.bytes, block);
    return read;
  };
  const message = createMessage({
    recipients: carriers.recipients(),
    from: sendersOf(copy)[0],
    tags: [...new Set(tags)],
    headers: block.headers,
    content: () => ({
      ...mimeContent(mime()),
      ...(bound ? { template: bound } : {}),
      ...(unbound === undefined ? {} : { unbound }),
    }),
    attached: () => mime().parts.length > 0,
    bytes: () => mimeDigestInput(mime(), bound),
  });
  return { kind: "send", messages: [message], problems };
}

/** `[ann, cond && bob]` is everyday; nodemailer leaves such entries out. */
function withoutBlanks(value: Plain): Plain {
  return Array.isArray(value) && value.includes(false) ? value.filter((entry) => entry !== false) : value;
}

/** These hand the header on, as nodemailer always had them do; the program behind strips it. */
function keepsBcc(kind: TransportKind): boolean {
  return kind === "sendmail" || kind === "stream" || kind === "json";
}

/** Headers that a transport may read of the message data: `headers`, and Mailgun's `h:` fields. */
function dataHeaders(data: Record<string, unknown>): [key: string, value: unknown][] {
  const own = Object.keys(data).filter((key) => key.startsWith("h:"));
  return [...headerEntries(data.headers), ...own.map((key): [string, unknown] => [key.slice(2), data[key]])];
}

/** Templates, tags and merged texts that third parties' transports are given as fields. */
function readProviderFields(data: Record<string, unknown>, controls: Controls): void {
  for (const key of ["templateUuid", "template"]) {
    const id = data[key];
    if (typeof id !== "string" || id === "") continue;
    controls.template = id;
    controls.unbound = `the text of the template that \`${key}\` names at the provider`;
  }
  for (const key of ["category", "o:tag"]) {
    for (const tag of [data[key]].flat()) if (typeof tag === "string" && tag) controls.tags.push(tag);
  }
}

/** The addresses this mail comes from; a receipt to one of them, or to a recipient, is no copy. */
function sendersOf(copy: MailCopy): string[] {
  const senders: string[] = [];
  for (const wanted of ["from", "sender", "reply-to"]) {
    for (const [name, value] of copy.block.headers) {
      if (name === wanted) senders.push(...parseAddresses(value, name, "list").addresses.map((one) => one.address));
    }
  }
  return senders;
}

function isOwn(value: string, carriers: Carriers, copy: MailCopy): boolean {
  const read = parseAddresses(value, "", "list");
  if (read.problems.length > 0) return false;
  const senders = new Set([...sendersOf(copy), copy.envelope.from].map((address) => String(address).toLowerCase()));
  return read.addresses.every(({ address, person }) => carriers.has(address) || senders.has(person));
}

function foreignReceipt(name: string): Refusal {
  return {
    code: "HEADER_REFUSED",
    message:
      "Expected receipts and error reports to go to the sender or a recipient of this mail, got another address.",
    fix: "Name the address in `from`, `sender`, `replyTo` or as a recipient, or leave the header out.",
    where: `headers.${name}`,
  };
}

const visibleBcc: Refusal = {
  code: "HEADER_REFUSED",
  message: "Expected no Bcc header in the rendered mail, got one: every recipient would see it.",
  fix: "Take it out of the raw message, and name the hidden recipients in `envelope.to` or `bcc`.",
  where: "headers.bcc",
};
