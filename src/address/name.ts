/**
 * Display names: what may stand beside an address without any reader finding a recipient in it.
 *
 * @module
 */
import { findControl, findInvisibleInName, trimBlanks } from "./characters";
import { decodeWords } from "./encoded-word";
import {
  angles,
  atInName,
  backslash,
  colon,
  comment,
  control,
  invisible,
  isProblem,
  literal,
  nameHoldsAddress,
  nameTooLong,
  type Problem,
  packed,
  unclosedQuote,
} from "./problems";

/** The longest name in octets: RFC 5322, 2.1.1 allows no longer line. */
const longestName = 998;

/**
 * The name to keep for `person`, without quotes or encoding; empty when there is none.
 *
 * A name may hold its own address, as address books write it. A name that *is* some other address
 * (an old login) passes as well: quoted, every reader takes it for a name. Another address beside
 * signs that structure lists does not pass: some readers cut there.
 */
export function checkName(raw: string, person: string): { readonly name: string } | Problem {
  if (raw.length > longestName) return nameTooLong;
  let name = trimBlanks(raw);
  if (name.includes("=?")) {
    const decoded = decodeWords(name);
    if (isProblem(decoded)) return decoded;
    name = trimBlanks(decoded.name);
  }
  name = name.replaceAll("\t", " ");
  if (Buffer.byteLength(name) > longestName) return nameTooLong;
  const sign = findControl(name);
  if (sign !== undefined) return control(sign);
  const hidden = findInvisibleInName(name);
  if (hidden !== undefined) return invisible(hidden);
  if (/[@\uff20\ufe6b]/.test(name) && /[<>,;:"\\()[\]]/.test(name) && !holdsOnly(name, person)) return nameHoldsAddress;
  return { name };
}

/** Whether every part of `name` that holds an `@` is `person`'s own address. */
function holdsOnly(name: string, person: string): boolean {
  return name
    .split(/[\s<>,;:"\\()[\]]+/)
    .every((part) => !/[@\uff20\ufe6b]/.test(part) || part.toLowerCase() === person);
}

/**
 * Reads a phrase (RFC 5322, 3.2.5, dots allowed): atoms and quoted strings, in any order. Gives
 * the text without quotes and escapes.
 */
export function readPhrase(text: string): { readonly phrase: string } | Problem {
  if (!/["@(),;:[\]<>\\\t]| {2}/.test(text)) return { phrase: text };
  let phrase = "";
  for (let i = 0; i < text.length; i++) {
    const character = text[i] as string;
    switch (character) {
      case '"': {
        const quoted = readQuoted(text, i);
        if (!quoted) return unclosedQuote;
        phrase += quoted.text;
        i = quoted.end;
        break;
      }
      case " ":
      case "\t":
        if (!phrase.endsWith(" ")) phrase += " ";
        break;
      case "@":
        return atInName;
      case "(":
      case ")":
        return comment;
      case ",":
      case ";":
        return packed;
      case ":":
        return colon;
      case "[":
      case "]":
        return literal;
      case "<":
      case ">":
        return angles;
      case "\\":
        return backslash;
      default:
        phrase += character;
    }
  }
  return { phrase };
}

/** The quoted string whose opening mark is at `start`, and where its closing mark is. */
function readQuoted(text: string, start: number): { readonly text: string; readonly end: number } | undefined {
  let quoted = "";
  for (let i = start + 1; i < text.length; i++) {
    const character = text[i] as string;
    if (character === '"') return { text: quoted, end: i };
    if (character === "\\") i++;
    quoted += text[i] ?? "";
  }
  return undefined;
}

/** A name as it stands in a header or an API field: quoted unless it is words of letters and digits. */
export function writeName(name: string): string {
  return /^[A-Za-z0-9]+(?: [A-Za-z0-9]+)*$/.test(name) ? name : `"${name.replace(/["\\]/g, "\\$&")}"`;
}
