/**
 * The fast path: everyday addresses, `ann@acme.test` and `Jürgen Müller <jm@acme.test>`, read in one
 * pass over their character codes. It only ever says yes to what {@link readMailbox} reads the same
 * way; whatever needs a second look is left to that.
 *
 * @module
 */
import type { Address } from "../address";

/** May stand in a dot-atom local part. `%` and `!` are left out: old mailers route on them. */
export const LOCAL = 1;
/** May stand in a lower-case domain beside the dot and the hyphen. */
export const DOMAIN = 2;
/** May stand in an unquoted display name that needs no second look. */
const NAME = 4;
/** May stand between the quotes of a display name that needs no second look. */
const QUOTED = 8;
/** May stand anywhere in a dot-atom local part, whatever is before it: not the dot, and not the `?` of `=?`. */
const ATOM = 32;
/** A capital letter: what is compared differs from what is written. */
const UPPER = 16;

const letters = "abcdefghijklmnopqrstuvwxyz";
const digits = "0123456789";

/** The bits of each ASCII character, by code. */
const classes: Uint8Array = build();

function build(): Uint8Array {
  const table = new Uint8Array(128);
  const mark = (characters: string, bits: number): void => {
    for (const character of characters) {
      const code = character.charCodeAt(0);
      table[code] = (table[code] ?? 0) | bits;
    }
  };
  mark(letters + digits, LOCAL | DOMAIN | NAME | QUOTED);
  mark(letters.toUpperCase(), LOCAL | UPPER | NAME | QUOTED);
  mark("#$&'*+-/=?^_`{|}~.", LOCAL);
  mark(`${letters}${letters.toUpperCase()}${digits}#$&'*+-/=^_\`{|}~`, ATOM);
  // Without `=`, so that an encoded-word always takes the way that decodes it.
  mark("#$&'*+-/?^_`{|}~.%!", NAME | QUOTED);
  mark(",;:()[]", QUOTED);
  return table;
}

/** The bits of one UTF-16 code; 0 outside ASCII and past the end of a string. */
export function classOf(code: number): number {
  return code < 128 ? (classes[code] as number) : 0;
}

const blank = 0x20;
const quote = 0x22;
const hyphen = 0x2d;
const dot = 0x2e;
const slash = 0x2f;
const nine = 0x39;
const less = 0x3c;
const equals = 0x3d;
const greater = 0x3e;
const at = 0x40;
const bar = 0x7c;

/** Short enough that the name has no more than 998 octets, even with three for each code. */
const longest = 332;

/** Letters and signs of most scripts. No control, surrogate, invisible or `@`-like character. */
function isBeyondAscii(code: number): boolean {
  return (code > 0xa0 && code < 0x2000) || (code >= 0x2c00 && code < 0xd800);
}

/** The address in `text`, or nothing when the strict path has to look. */
export function readPlain(text: string): Address | undefined {
  const length = text.length;
  if (length > longest || length === 0) return undefined;
  if (text.charCodeAt(length - 1) !== greater) return readPart(text, 0, length, undefined);
  const first = text.charCodeAt(0);
  if (first === less) return readPart(text, 1, length - 1, undefined);
  const end = first === quote ? endOfQuoted(text) : endOfName(text);
  if (end === 0) return undefined;
  const open = text.charCodeAt(end + (first === quote ? 1 : 0)) === blank ? 1 : 0;
  const name = first === quote ? text.slice(1, end) : text.slice(0, end);
  const start = end + (first === quote ? 1 : 0) + open;
  if (text.charCodeAt(start) !== less) return undefined;
  return readPart(text, start + 1, length - 1, name);
}

/** As {@link readPlain}, for an address that stands alone. */
export function readPlainSpec(text: string): Address | undefined {
  return readPart(text, 0, text.length, undefined);
}

/** Where an unquoted name ends; 0 when it is not of words with one blank between them. */
function endOfName(text: string): number {
  let i = 0;
  let previous = blank;
  for (;;) {
    const code = text.charCodeAt(i);
    if (code === blank) {
      if (previous === blank) return 0;
    } else if (!(classOf(code) & NAME || isBeyondAscii(code))) {
      return code !== less || i === 0 ? 0 : previous === blank ? i - 1 : i;
    }
    previous = code;
    i++;
  }
}

/** Where the closing quotation mark stands; 0 when the quoted name needs a second look. */
function endOfQuoted(text: string): number {
  let i = 1;
  for (;;) {
    const code = text.charCodeAt(i);
    if (code === quote) break;
    if (code !== blank && !(classOf(code) & QUOTED || isBeyondAscii(code))) return 0;
    i++;
  }
  // Blanks at the edges are trimmed, and an empty name is none: the strict path does both.
  return i === 1 || text.charCodeAt(1) === blank || text.charCodeAt(i - 1) === blank ? 0 : i;
}

function readPart(text: string, start: number, end: number, name: string | undefined): Address | undefined {
  if (end - start > 254) return undefined;
  const first = text.charCodeAt(start);
  if (first === hyphen || first === slash || first === bar) return undefined;
  let upper = 0;
  let i = start;
  for (; ; i++) {
    // Past the end of `text` the code is NaN, whose class is 0.
    const code = text.charCodeAt(i);
    const bits = classOf(code);
    upper |= bits;
    // Nearly every character is one of these; only the others are looked at twice.
    if (bits & ATOM) continue;
    if (code === at) break;
    if (!(bits & LOCAL)) return undefined;
    const previous = i === start ? dot : text.charCodeAt(i - 1);
    // `..`, and `=?`, which opens an encoded-word.
    if (code === dot ? previous === dot : previous === equals) return undefined;
  }
  if (i === start || text.charCodeAt(i - 1) === dot || i - start > 64) return undefined;
  const host = classesOfHost(text, i + 1, end);
  if (host === 0) return undefined;
  const given = start === 0 && end === text.length ? text : text.slice(start, end);
  const address = host & UPPER ? text.slice(start, i) + text.slice(i, end).toLowerCase() : given;
  const person = (upper | host) & UPPER ? given.toLowerCase() : given;
  return name === undefined ? { address, person } : { address, person, name };
}

/** The bits of the characters of a host name of two labels or more, none of them an A-label; 0 when it is none. */
function classesOfHost(text: string, start: number, end: number): number {
  let label = start;
  let labels = 0;
  let all = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    const bits = classOf(code) & (DOMAIN | UPPER);
    all |= bits;
    if (bits) continue;
    if (code === dot) {
      if (i === label || text.charCodeAt(i - 1) === hyphen || i - label > 63) return 0;
      label = i + 1;
      labels++;
    } else if (code === hyphen) {
      // At the start of a label, or the fourth character of `xn--`.
      if (i === label || (i === label + 3 && text.slice(label, i).toLowerCase() === "xn-")) return 0;
    } else return 0;
  }
  const isHost =
    labels > 0 &&
    label < end &&
    text.charCodeAt(end - 1) !== hyphen &&
    end - label <= 63 &&
    text.charCodeAt(label) > nine;
  return isHost ? all : 0;
}
