/**
 * Why a text is no address that every reader reads alike. A problem becomes a `Refusal` when the
 * place it was found at is added. No message holds any part of what was read.
 *
 * @module
 */
import type { Refusal } from "../errors";
import { codePoint } from "./characters";

/** A refusal whose place is not known yet. */
export type Problem = Pick<Refusal, "code" | "message"> & { readonly fix: string };

const bare = "Give the plain form: `name@example.com`, or `Name <name@example.com>`.";

function ambiguous(got: string, fix: string = bare): Problem {
  return {
    code: "ADDRESS_AMBIGUOUS",
    message: `Expected an address that every mail program reads alike, got ${got}.`,
    fix,
  };
}

function invalid(got: string, fix: string = bare): Problem {
  return { code: "ADDRESS_INVALID", message: `Expected an e-mail address, got ${got}.`, fix };
}

/** Tells what was read from why it could not be. */
export function isProblem<T extends object>(read: T | Problem): read is Problem {
  return "code" in read;
}

const quoteName = 'Quote a name that contains a comma or another sign: `"Smith, Ann" <name@example.com>`.';

// The whole and its parts
export const empty = invalid("an empty text", "Leave the field out, or give an address.");
export const notText = (type: string): Problem =>
  invalid(type, "Give a string, an object with `address` (or `email`) and `name`, or an array of these.");
export const tooLong = invalid("a text longer than any address with a name may be", "Shorten the name.");
export const noAt = invalid("a text without `@`", `Give the whole address. ${quoteName}`);
export const addressTooLong = invalid("an address of more than 254 octets (RFC 5321, 4.5.3.1.3)");
export const noLocal = invalid("nothing before the `@`");
export const localTooLong = invalid("a local part of more than 64 octets (RFC 5321, 4.5.3.1.1)");
export const twoAts = ambiguous("more than one `@`");
export const lookalikeAt = ambiguous("a character that looks like `@` and is turned into it by some readers");
export const packed = ambiguous("several addresses in the place of one", "Give each address as an element of its own.");
export const space = ambiguous("white space inside an address or beside it", `${bare} Separate several with commas.`);
export const quotedLocal = ambiguous("a quoted local part");
export const unclosedQuote = ambiguous("a quotation mark that is never closed", `${bare} ${quoteName}`);
export const comment = ambiguous(
  "a comment in round brackets",
  'Quote it if it belongs to the name: `"Ann (QA)" <name@example.com>`.',
);
export const literal = ambiguous(
  "an address literal in square brackets, or such brackets in an unquoted name",
  `Give a domain name. ${quoteName}`,
);
export const colon = ambiguous("a colon: a route, a group or a URI such as `mailto:`");
export const backslash = ambiguous("a backslash outside quotes");
export const angles = ambiguous("angle brackets that do not enclose one address", bare);
export const afterAngle = ambiguous("text after the closing angle bracket");
export const encodedWord = ambiguous(
  "an encoded-word (`=?…?=`) that is no plain name",
  "Give the name as plain text; the mail client encodes it.",
);

// Local parts
export const localDots = ambiguous("a local part with a dot at its start or end, or two in a row");
export const routing = ambiguous("`%` or `!` in the local part, which some servers route on");
export const leading = ambiguous(
  "a local part that starts with `-`, `/` or `|`, which some servers read as an option, a file or a program",
);
export const localCharacter = (character: string): Problem =>
  ambiguous(`${codePoint(character)} in the local part, which is neither letter nor digit`);
export const localForm = ambiguous(
  "a local part whose characters change when text is normalised (NFC, NFKC)",
  "Give it in NFC, without compatibility characters.",
);
export const leadingMark = ambiguous("a local part that starts with a combining mark");

// Characters nobody sees
export const control = (character: string): Problem =>
  ambiguous(
    `the control character ${codePoint(character)}`,
    "Remove it; line breaks may only stand between the addresses of a list.",
  );
export const invisible = (character: string): Problem =>
  ambiguous(
    `the invisible character ${codePoint(character)}`,
    "Remove it; it often comes from copied text or from a spreadsheet.",
  );

// Domains
export const noDomain = invalid("nothing after the `@`");
export const domainDot = ambiguous("a domain that ends in a dot", "Leave the last dot out.");
export const domainEmptyLabel = invalid("a domain with an empty part between two dots");
export const domainCharacter = invalid("a domain with a character that host names do not have");
export const domainHyphen = invalid("a part of a domain that starts or ends with a hyphen");
export const domainTooLong = invalid("a domain of more than 253 octets (RFC 1035, 2.3.4)");
export const labelTooLong = invalid("a part of a domain of more than 63 octets (RFC 1035, 2.3.4)");
export const singleLabel = invalid(
  "a domain of one part, which each server completes in its own way",
  "Give the whole domain, for example `acme.test`.",
);
export const numericDomain = ambiguous(
  "an IP address, or a domain whose last part starts with a digit",
  "Give a domain name.",
);
export const notIdn = invalid("an internationalised domain that UTS #46 does not allow", "Check its spelling.");
export const notLoaded = invalid(
  "an international domain before the table that reads it was loaded",
  "Send again in a moment. A bundle loads it a moment after a client is attached; left outside the bundle, `tr46` is there at once.",
);
export const mappedDomain = ambiguous(
  "a domain with characters that some readers replace and others keep (UTS #46)",
  "Give the domain in the form it is registered in, lower case and NFC, or as its `xn--` form.",
);

// Names
export const nameTooLong = invalid("a name of more than 998 octets (RFC 5322, 2.1.1)", "Shorten the name.");
export const atInName = ambiguous("an `@` in a name that is not quoted", quoteName);
export const nameHoldsAddress = ambiguous(
  "a name that holds another address beside list or bracket signs",
  "Give the person's name only.",
);

// Lists and groups
export const groupOpen = ambiguous(
  "a group without its closing semicolon, or a URI such as `mailto:`",
  "End the group with `;`, or list its addresses.",
);
export const groupNested = ambiguous("a group inside a group", "List the addresses without groups.");
export const groupName = ambiguous(
  "a group whose name is missing or holds an address",
  "List the addresses without groups.",
);
export const groupMixed = ambiguous(
  "a group beside addresses that no comma separates from it",
  "Separate addresses with commas.",
);
export const tooDeep = invalid("arrays nested more than eight deep", "Give one flat array of addresses.");

// Objects
export const noAddressKey = (key: string | undefined): Problem =>
  invalid(
    key === undefined ? "an object without `address` or `email`" : `an object without \`${key}\``,
    `Give the address as a string in \`${key ?? "address"}\`.`,
  );
export const twoKeys = ambiguous(
  "an object with both `address` and `email`, and they differ",
  "Keep the one that the mail client reads.",
);
export const groupObject = ambiguous("an object with `group`", "Give the group's addresses as an array.");
export const nameNotText = (type: string): Problem =>
  invalid(`a name that is ${type}`, "Give the name as a string, or leave it out.");
