/**
 * What a program writes where a value is missing: "Since you renewed your car insurance on, null".
 *
 * @module
 */
import { codeEnd, codeStart } from "./page";
import type { Finding, Place, Places } from "./places";
import { Prose } from "./prose";

// Fixed texts, so that the search takes one step per character.
const tokens =
  /undefined|null|NaN|\[object [A-Z][A-Za-z]{2,20}\]|Invalid Date(?:Time)?|Invalid date|function \w{0,40}\(\) \{ \[native code\] \}/g;

/** How many are looked at in one text: the thousandth in prose is as much prose as the first. */
const most = 1_000;

const missing = "a value that was never there (undefined, null, NaN, [object …] or Invalid Date)";

/** Looks for values that are none. */
export function findMissingValues(places: Places): Finding | undefined {
  for (const place of places.texts) {
    if (hasMissingValue(place)) return { got: `${missing} in ${place.name}`, part: place.part };
  }
  for (const { name, value } of places.attributes) {
    if (!linkSign.test(value)) continue;
    const link = name !== "alt" && name !== "title" && name !== "";
    const found = link ? inLink.test(value) : hasMissingValue({ name, text: value, part: "html" });
    if (found) return { got: `${missing} in a \`${name}\` attribute of the HTML`, part: "html" };
  }
  return undefined;
}

/** Every value that is none has one of these, in a link in either case. */
const sign = /undefined|null|NaN|\[object|Invalid|function /;
const linkSign = /undefined|null|nan|object|invalid|function /i;

// A whole part of a link: a host, a step of its path, a parameter's value. Not `/null-pointers`.
const inLink =
  /(?:^|[/=:@,]|%20|%2F|%3D)(?:undefined|null|NaN|(?:\[|%5B)object(?: |%20|\+)[A-Z][A-Za-z]{2,20}(?:\]|%5D)|Invalid(?: |%20|\+)Date)(?:$|[/?&#:@.,]|%2F|%26)/i;

function hasMissingValue(place: Place): boolean {
  const { text } = place;
  if (!sign.test(text)) return false;
  const prose = new Prose(text);
  tokens.lastIndex = 0;
  for (let count = 0; count < most; count++) {
    const match = tokens.exec(text);
    if (!match) return false;
    if (isMissing(text, match.index, match[0], prose)) return true;
  }
  return false;
}

function isMissing(text: string, from: number, token: string, prose: Prose): boolean {
  const to = from + token.length;
  if (token === "Invalid date" && !inSentence(text, from, to)) return false;
  const bare = token === "undefined" || token === "null" || token === "NaN";
  if (bare && partOfWord(text, from, to)) return false;
  if (token === "null" && zeroInGerman(text, from, to)) return false;
  if (inListing(text, from, to)) return false;
  if (standsForValue(text, from, to)) return true;
  return !prose.technical(from, to);
}

/** Whether it is a piece of a name, a word or an expression: `isNaN`, `null.name`, `undefined()`. */
function partOfWord(text: string, from: number, to: number): boolean {
  const before = text[from - 1] ?? " ";
  const after = text[to] ?? " ";
  if (isWord(before) && !/(?:undefined|null|NaN)$/.test(text.slice(Math.max(0, from - 9), from))) return true;
  if (isWord(after) && !/^(?:undefined|null|NaN)/.test(text.slice(to, to + 9))) return true;
  if (after === "(" || (after === "." && /\w/.test(text[to + 1] ?? " "))) return true;
  if (before === "." && isWord(text[from - 2] ?? " ")) return true;
  // `"name": null` is data that is shown as data.
  return /["']\s{0,3}:\s{0,3}$/.test(text.slice(Math.max(0, from - 8), from));
}

const greeting =
  /(?:^|[\s>(])(?:dear|hi|hello|hey|welcome|thanks|thank you|good (?:morning|afternoon|evening)|hallo|liebe[rs]?|sehr geehrte[r]?|guten tag|bonjour|cher|chère|hola|ciao|olá)(?: (?:mr|mrs|ms|herr|frau)\.?)?[,!]?\s{0,3}$/i;

/** Places in which only a value can stand, whatever the mail is about. */
function standsForValue(text: string, from: number, to: number): boolean {
  const before = text.slice(Math.max(0, from - 30), from);
  if (greeting.test(before)) return true;
  if (/[$€£¥#@]\s?$/.test(before)) return true;
  return /^\s?(?:%|€|£|\$|(?:EUR|USD|GBP)\b)/.test(text.slice(to, to + 6));
}

/** Moment writes "Invalid date", which can begin a sentence of a person's as well. */
function inSentence(text: string, from: number, to: number): boolean {
  const before = text.slice(Math.max(0, from - 20), from).trimEnd();
  const alone =
    /(?:^|\n)[^\S\n]*$/.test(text.slice(Math.max(0, from - 20), from)) && /^\s*(?:\n|$)/.test(text.slice(to, to + 20));
  return alone || /[a-z,:(–-]$/.test(before);
}

/** "null Toleranz", "null Uhr": in German it is the number, before a noun. "Seit null Ihre …" is not. */
function zeroInGerman(text: string, from: number, to: number): boolean {
  const next = /^ ([A-ZÄÖÜ][a-zäöüß]{2,30})/.exec(text.slice(to, to + 34))?.[1];
  if (next === undefined || /^(?:Ihr|Sie|Ihnen)/.test(next)) return false;
  const around = text.slice(Math.max(0, from - 400), to + 400);
  return (around.match(/\b(?:und|der|die|das|nicht|für|mit|auf|ist|wir|Sie)\b/g)?.length ?? 0) >= 2;
}

/** Whether a code element holds it together with other things: a listing, not a value set as code. */
function inListing(text: string, from: number, to: number): boolean {
  const before = text.slice(Math.max(0, from - 2_000), from);
  const open = before.lastIndexOf(codeStart);
  if (open <= before.lastIndexOf(codeEnd)) return false;
  const behind = text.slice(to, to + 200);
  const close = behind.indexOf(codeEnd);
  return before.slice(open + 1).trim() !== "" || close < 0 || behind.slice(0, close).trim() !== "";
}

// Other scripts set their particles right behind a name: "undefined님" is a value and a title.
function isWord(sign: string): boolean {
  return /[\p{Script=Latin}\p{N}_]/u.test(sign);
}
