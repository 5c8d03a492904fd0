/**
 * A mail as plain bytes, to be delivered later or by another process: a line of JSON, then the
 * rendered mail, signed already where it is signed at all. Holds what the message itself said of
 * its SMTP login; spools are sealed.
 *
 * @module
 */
import { MailfuseError, parseAddresses, readHeaders } from "../../src/adapter";
import type { MailCopy } from "./copy";
import { readsData, type TransportKind } from "./shapes";

const newline = 0x0a;

/** The bytes of a copy; {@link unspool} reads them back. */
export function spoolCopy(copy: MailCopy): Uint8Array {
  const { bytes, block: _block, rendering: _rendering, envelope, data, ...rest } = copy;
  const { signal: _signal, ...kept } = data;
  const { people: _people, ...addressed } = envelope;
  const head = { v: 1, ...rest, envelope: addressed, data: kept };
  const text = isPlain(head) ? JSON.stringify(head) : JSON.stringify(head, tagLeaf);
  return Buffer.concat([Buffer.from(`${text}\n`, "utf8"), bytes]);
}

/** Whether there is nothing to tag, as in most mail: asking about every value takes several times as long. */
function isPlain({ data, declared }: Pick<MailCopy, "data" | "declared">): boolean {
  for (const _ in data) return false;
  return typeof declared.to !== "object" && typeof declared.cc !== "object" && typeof declared.bcc !== "object";
}

/**
 * Reads a spooled mail for a transport of `kind`. Throws `PLAN_TAMPERED` for bytes that are none,
 * and `PLAN_CHANGED` where the transport needs what the one it was made for did not.
 */
export function unspool(spooled: Uint8Array, kind: TransportKind): MailCopy {
  const buffer = Buffer.from(spooled.buffer, spooled.byteOffset, spooled.byteLength);
  const end = buffer.indexOf(newline);
  let head: MailCopy & { v: unknown };
  try {
    head = JSON.parse(buffer.toString("utf8", 0, Math.max(end, 0)), untagLeaf);
    if (head.v !== 1 || !Array.isArray(head.envelope.to) || typeof head.messageId !== "string") throw new TypeError();
  } catch (cause) {
    throw new MailfuseError(
      { code: "PLAN_TAMPERED", message: "Expected a spooled mail, got bytes that do not read as one." },
      { cause },
    );
  }
  if (readsData(kind) !== readsData(head.kind)) throw otherTransport(head.kind, kind);
  const bytes = buffer.subarray(end + 1);
  const { v: _v, ...copy } = head;
  // Read again, not remembered: the people who are judged are those it will be delivered to.
  const read = parseAddresses(copy.envelope.to, "envelope.to", "single");
  const people = new Map(read.addresses.map(({ address, person }) => [address, person]));
  return {
    ...copy,
    kind,
    bytes,
    block: readHeaders(bytes),
    envelope: { ...copy.envelope, people },
    problems: [...copy.problems, ...read.problems],
  };
}

const bytesLeaf = "\u0000bytes";
const dateLeaf = "\u0000date";

// JSON has neither. Both have a toJSON, which runs before this: the holder still has the value.
function tagLeaf(this: unknown, key: string, value: unknown): unknown {
  const held = (this as Record<string, unknown>)[key];
  if (held instanceof Uint8Array) return { [bytesLeaf]: Buffer.from(held).toString("base64") };
  if (held instanceof Date) return { [dateLeaf]: held.getTime() };
  return value;
}

function untagLeaf(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (bytesLeaf in value) return Buffer.from(String(value[bytesLeaf]), "base64");
  if (dateLeaf in value) return new Date(Number(value[dateLeaf]));
  return value;
}

function otherTransport(was: TransportKind, is: TransportKind): MailfuseError {
  return new MailfuseError({
    code: "PLAN_CHANGED",
    message: `Expected a transport that delivers what was planned for "${was}", got one of kind "${is}".`,
    fix: "Release through a transporter with the transport that the plan was made with, or plan again.",
  });
}
