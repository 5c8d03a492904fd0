/**
 * The SMTP envelope, copied: who the mail really goes to, whatever its headers show.
 *
 * @module
 */
import type { Plain, Refusal, SnapshotLimits } from "../../src/adapter";
import { parseAddresses, snapshot } from "../../src/catching";

/** An envelope of plain strings, as every delivery gets a fresh copy of. */
export interface Envelope {
  readonly from: string | false;
  readonly to: readonly string[];
  /** Recipients by the address in `to`: whom each counts as. */
  readonly people: ReadonlyMap<string, string>;
  /** SMTP parameters that steer no recipient: `size`, `use8BitMime`, `dsn`, `requireTLSExtensionEnabled`. */
  readonly params: Readonly<Record<string, Plain>>;
}

/** Reads what `getEnvelope()` answered, each property once. */
export function takeEnvelope(given: unknown, limits: Partial<SnapshotLimits>, problems: Refusal[]): Envelope {
  const source = (typeof given === "object" && given !== null ? given : {}) as Record<string, unknown>;
  const to = snapshot(source.to, limits);
  const read = parseAddresses(to, "envelope.to", "single");
  problems.push(...read.problems);
  const people = new Map<string, string>();
  for (const { address, person } of read.addresses) people.set(address, person);
  return {
    from: takeSender(source.from, problems),
    // Observe mode delivers what live would refuse; what could not be parsed then stays as it was.
    to: read.problems.length > 0 ? textsOf(to) : [...people.keys()],
    people,
    params: takeParams(source, limits, problems),
  };
}

/** A fresh, unfrozen copy: nodemailer writes to the envelope it gets. */
export function freshEnvelope(envelope: Envelope): Record<string, unknown> {
  const { params } = envelope;
  return { from: envelope.from, to: [...envelope.to], ...(params === noParams ? noParams : structuredClone(params)) };
}

function textsOf(value: Plain): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  const address = (value as { address?: Plain } | null | undefined)?.address;
  return typeof address === "string" ? [address] : [];
}

/**
 * The sender gets bounces, not the mail, so its form is not judged as a recipient's: bare user
 * names are everyday there. What could end the command line is refused.
 */
function takeSender(value: unknown, problems: Refusal[]): string | false {
  const text = (value as { address?: unknown } | null | undefined)?.address ?? value;
  if (text === undefined || text === null || text === false || text === "") return false;
  if (typeof text === "string" && !/[\p{Cc}\s<>]/u.test(text.trim())) return text.trim();
  problems.push({
    code: "ADDRESS_INVALID",
    message: "Expected an envelope sender without spaces, controls and angle brackets, got another text or type.",
    fix: "Give the plain address in `envelope.from`, or in `from`.",
    where: "envelope.from",
  });
  return typeof text === "string" ? text : false;
}

const noParams: Readonly<Record<string, Plain>> = Object.freeze({});

function takeParams(
  source: Record<string, unknown>,
  limits: Partial<SnapshotLimits>,
  problems: Refusal[],
): Readonly<Record<string, Plain>> {
  const { size, use8BitMime, dsn, requireTLSExtensionEnabled } = source;
  if (!size && !use8BitMime && !dsn && !requireTLSExtensionEnabled) return noParams;
  const params: Record<string, Plain> = {};
  if (size !== undefined && size !== null && size !== false) {
    // An object here is an uncaught exception in nodemailer's socket callback.
    if (typeof size === "number" || (typeof size === "string" && /^\d{1,15}$/.test(size))) params.size = size;
    else problems.push(badParam("size", "a number of bytes"));
  }
  if (use8BitMime) params.use8BitMime = true;
  if (requireTLSExtensionEnabled) params.requireTLSExtensionEnabled = true;
  if (dsn) {
    const copy = takeDsn(dsn, limits);
    if (copy) params.dsn = copy;
    else problems.push(badParam("dsn", "delivery status options of plain text"));
  }
  return params;
}

const dsnKeys = ["id", "envid", "return", "ret", "notify", "recipient", "orcpt"];

/** Delivery status options (RFC 3461); `undefined` when they are not plain text without controls. */
export function takeDsn(dsn: unknown, limits: Partial<SnapshotLimits>): Record<string, Plain> | undefined {
  if (typeof dsn !== "object" || dsn === null) return undefined;
  const copy = snapshot(dsn, { ...limits, only: new Set(dsnKeys) }) as Record<string, Plain>;
  for (const value of Object.values(copy)) {
    const texts = Array.isArray(value) ? value : [value];
    if (texts.some((text) => text && (typeof text !== "string" || /\p{Cc}/u.test(text)))) return undefined;
  }
  return copy;
}

function badParam(name: string, expected: string): Refusal {
  return {
    code: "FIELD_UNKNOWN",
    message: `Expected \`${name}\` to be ${expected}, got something else.`,
    fix: `Correct \`envelope.${name}\`, or leave it out.`,
    where: `envelope.${name}`,
  };
}
