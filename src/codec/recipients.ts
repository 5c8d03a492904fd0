/**
 * Recipients of a request's fields, and what a redirected copy says of them.
 *
 * @module
 */
import type { RedirectNote } from "../adapter";
import { type AddressForm, formatAddress, parseAddress, parseAddresses } from "../address";
import { MailfuseError, type Refusal } from "../errors";
import type { Field, Recipient } from "../message";
import type { Plain } from "../snapshot";

/** Reads one field of recipients; what cannot be read goes into `problems`. */
export function readRecipients(
  value: Plain,
  field: Field,
  where: string,
  form: AddressForm,
  problems: Refusal[],
): Recipient[] {
  const parsed = parseAddresses(value, where, form);
  problems.push(...parsed.problems);
  return parsed.addresses.map((address) => ({ field, ...address }));
}

/** The canonical sender, where it can be read. */
export function readSender(value: Plain): string | undefined {
  if (typeof value === "object" && value !== null) return parseAddresses(value, "from", "single").addresses[0]?.address;
  if (typeof value !== "string" || value === "") return undefined;
  const read = parseAddress(value, "from");
  return "code" in read ? undefined : read.address;
}

/**
 * Address text written anew from its parse. Text that cannot be read stays, since it is refused;
 * text that already says the same stays too, so that an everyday mail keeps its bytes.
 */
export function rewriteAddresses(text: string, form: AddressForm): string {
  const { addresses, problems } = parseAddresses(text, "", form);
  if (problems.length > 0 || addresses.length === 0) return text;
  const written = addresses.map(formatAddress);
  if (addresses.some(({ name }) => name !== undefined)) return sameNamed(text, addresses) ? text : written.join(", ");
  return text
    .split(",")
    .map((part) => part.trim())
    .join(",") === written.join(",")
    ? text
    : written.join(", ");
}

// `Ann <ann@acme.test>` and `"Ann" <ann@acme.test>` read alike; only the address must be the canonical one.
function sameNamed(text: string, addresses: readonly { readonly address: string }[]): boolean {
  const [only] = addresses;
  return addresses.length === 1 && only !== undefined && text.trim().endsWith(`<${only.address}>`);
}

/** The header of a redirected mail that names whom it was meant for. */
export const originalsHeader = "X-Mailfuse-Original-To";

/** The value of {@link originalsHeader}: as many as fit a header line (RFC 5322: 998 octets). */
export function originalsOf(note: RedirectNote): string {
  const shown: string[] = [];
  let length = 0;
  for (const address of note.originals) {
    length += Buffer.byteLength(address) + 2;
    if (length > 900) return `${shown.join(", ")} and ${note.originals.length - shown.length} more`;
    shown.push(address);
  }
  return shown.join(", ");
}

/** Thrown by a codec's `redirect` for a request that names nobody who could be replaced. */
export function notRedirectable(): MailfuseError {
  return new MailfuseError({
    code: "NOT_ALLOWLISTED",
    message: "Expected a mail whose recipients can be replaced, got a request that names none.",
    fix: "Let this process run where the mail may leave, or stub the call in test mode.",
  });
}
