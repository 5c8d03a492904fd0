/**
 * Rewrites a rendered, unsigned mail for the redirect inbox: one recipient, a marked subject, the
 * originals in a header of ours, nothing that unsubscribes, confirms or signs for somebody else.
 *
 * @module
 */
import { type Address, formatAddress, headerName, type RedirectNote, readHeaders } from "../../src/adapter";

/** Headers that a redirected mail must not carry on. */
const dropped =
  /^(?:to|cc|bcc|resent-.*|apparently-to|list-unsubscribe.*|x-mailfuse-original-to|dkim-signature|arc-.*)$/;
const droppedReceipts =
  /^(?:disposition-notification-to|return-receipt-to|read-receipt-to|acknowledge-to|x-acknowledge-to|x-confirm-reading-to|delivery-receipt-to|errors-to|x-errors-to|warnings-to)$/;

/** The mail for the redirect inbox. */
export function redirectBytes(unsigned: Buffer, to: Address, note: RedirectNote): Buffer {
  const { body } = readHeaders(unsigned);
  // One byte is one character, so that headers nobody rewrites stay as they are.
  const head = unsigned.toString("latin1", 0, body);
  const lines: string[] = [];
  let subject = false;
  for (const field of fieldsOf(head)) {
    const colon = field.indexOf(":");
    const name = colon > 0 ? headerName(Buffer.from(field.slice(0, colon), "latin1").toString("utf8")) : "";
    if (name === "" || dropped.test(name) || droppedReceipts.test(name)) continue;
    if (name === "subject") {
      subject = true;
      lines.push(`Subject: ${latin1(encodeText(note.subjectPrefix))} ${field.slice(colon + 1).trim()}`);
    } else lines.push(field);
  }
  if (!subject) lines.push(`Subject: ${latin1(encodeText(note.subjectPrefix))}`);
  const added = [
    `To: ${latin1(headerAddress(to))}`,
    `X-Mailfuse-Original-To: ${latin1(note.originals.map(encodeText).join(",\r\n "))}`,
  ];
  return Buffer.concat([
    Buffer.from(`${[...added, ...lines].join("\r\n")}\r\n\r\n`, "latin1"),
    unsigned.subarray(body),
  ]);
}

/** A `headers` option without what a redirected mail must not carry on. */
export function isDroppedHeader(name: string): boolean {
  const canonical = headerName(name);
  return dropped.test(canonical) || droppedReceipts.test(canonical);
}

/** The header fields of a block, each with its folded lines. */
function fieldsOf(head: string): string[] {
  const fields: string[] = [];
  for (const line of head.split(/\r\n|\r|\n/)) {
    if (line === "") continue;
    if (/^[ \t]/.test(line) && fields.length > 0) fields[fields.length - 1] += `\r\n${line}`;
    else fields.push(line);
  }
  return fields;
}

function headerAddress(to: Address): string {
  if (to.name === undefined || /^[\x20-\x7e]*$/.test(to.name)) return formatAddress(to);
  return `${encodeText(to.name)} <${to.address}>`;
}

/** Text for a header: as it is in ASCII, else as encoded-words (RFC 2047) of at most 75 characters. */
function encodeText(text: string): string {
  const clean = text.replace(/[\r\n]+/g, " ");
  if (/^[\x20-\x7e]*$/.test(clean)) return clean;
  const words: string[] = [];
  let chunk = "";
  for (const character of clean) {
    if (Buffer.byteLength(chunk + character) > 42) {
      words.push(chunk);
      chunk = "";
    }
    chunk += character;
  }
  words.push(chunk);
  return words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString("base64")}?=`).join("\r\n ");
}

function latin1(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
