/**
 * Rendered messages that are handed to an API whole: who their headers address, and how a copy of
 * one is redirected.
 *
 * @module
 */
import type { RedirectNote } from "../adapter";
import type { Address } from "../address";
import type { Refusal } from "../errors";
import type { Recipient } from "../message";
import { type HeaderBlock, headerName, readHeaders } from "../mime";
import { isUnsubscribe, recipientHeader } from "./headers";
import { originalsHeader, originalsOf, readRecipients } from "./recipients";

/** Everybody in the recipient headers of a rendered message; control headers of relays are refused. */
export function mimeRecipients(block: HeaderBlock, where: string, problems: Refusal[]): Recipient[] {
  const recipients: Recipient[] = [];
  for (const [name, value] of block.headers) {
    const field = recipientHeader(name);
    if (field === undefined || nobody.test(value)) continue;
    if (field !== "control") recipients.push(...readRecipients(value, field, `${where}.${name}`, "list", problems));
    else {
      problems.push({
        code: "HEADER_REFUSED",
        message: "Expected recipients in To, Cc and Bcc, got a header that some relays take recipients from.",
        fix: "Leave it out of the message.",
        where: `${where}.${name}`,
      });
    }
  }
  return recipients;
}

// What stands in To when all recipients are hidden (RFC 5322, appendix A.1.3).
const nobody = /^\s*(?:undisclosed[- ]recipients\s*:\s*;?)?\s*$/i;

// A signature over the original would be broken; the redirected copy goes out without one.
const dropped = /^(?:dkim-signature|arc-.*|x-google-dkim-signature)$/;

/** The same message to one inbox: recipients replaced, subject prefixed, unsubscribe links' headers dropped. */
export function redirectMime(message: Uint8Array, to: Address, note: RedirectNote): Buffer {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const { body } = readHeaders(bytes);
  const kept: string[] = [];
  let keep = false;
  for (const line of bytes
    .subarray(0, body)
    .toString("latin1")
    .split(/\r\n|\r|\n/)) {
    if (line === "") continue;
    if (/^[ \t]/.test(line)) {
      if (keep) kept.push(line);
      continue;
    }
    const colon = line.indexOf(":");
    // Latin-1 keeps the bytes; names are compared as readHeaders reads them.
    const name = colon > 0 ? headerName(Buffer.from(line.slice(0, colon), "latin1").toString("utf8")) : "";
    keep = name !== "" && recipientHeader(name) === undefined && !isUnsubscribe(name) && !dropped.test(name);
    if (keep)
      kept.push(name === "subject" ? `Subject: ${ascii(note.subjectPrefix)} ${line.slice(colon + 1).trim()}` : line);
  }
  kept.push(`To: ${to.address}`, `${originalsHeader}: ${ascii(originalsOf(note))}`);
  const head = Buffer.from(`${kept.join("\r\n")}\r\n\r\n`, "latin1");
  return Buffer.concat([head, bytes.subarray(body)]);
}

// Header lines are ASCII (RFC 5322, 2.2); what is not goes into encoded-words (RFC 2047), 45 octets each.
function ascii(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  const words: string[] = [];
  let chunk = "";
  for (const character of text.replace(/[\r\n\0]/g, " ")) {
    if (Buffer.byteLength(chunk + character) > 45) {
      words.push(chunk);
      chunk = "";
    }
    chunk += character;
  }
  return [...words, chunk].map((word) => `=?utf-8?B?${Buffer.from(word).toString("base64")}?=`).join("\r\n ");
}
