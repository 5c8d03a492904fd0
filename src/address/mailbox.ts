/**
 * The strict path for one mailbox: `ann@acme.test`, `<ann@acme.test>`, `"Smith, Ann" <ann@acme.test>`.
 *
 * @module
 */
import type { Address } from "../address";
import { findControl, trimBlanks } from "./characters";
import { checkName, readPhrase } from "./name";
import { readPlainSpec } from "./plain";
import * as problem from "./problems";
import { isProblem, type Problem } from "./problems";
import { readSpec } from "./spec";

/** Room for a name of 998 octets with every character escaped, and for the address behind it. */
export const longestMailbox = 2_500;

/**
 * Reads one mailbox. `folding` says whether the carrier is a header value, in which a line break
 * before white space is a fold (RFC 5322, 2.2.3).
 */
export function readMailbox(text: string, folding: boolean): Address | Problem {
  if (text.length > longestMailbox) return problem.tooLong;
  const given = trimBlanks(text);
  if (given === "") return problem.empty;
  const line = folding ? unfold(given) : given;
  const sign = findControl(line);
  if (sign !== undefined) return problem.control(sign);
  const open = findAngle(line);
  if (isProblem(open)) return open;
  if (open.index < 0) return readSpec(line);
  const close = line.indexOf(">", open.index);
  if (close < 0) return problem.angles;
  const rest = trimBlanks(line.slice(close + 1));
  if (rest !== "") return /^[,;]/.test(rest) ? problem.packed : problem.afterAngle;
  const phrase = readPhrase(line.slice(0, open.index));
  if (isProblem(phrase)) return phrase;
  const inner = trimBlanks(line.slice(open.index + 1, close));
  const spec = readPlainSpec(inner) ?? readSpec(inner);
  if (isProblem(spec)) return spec;
  return withName(spec, phrase.phrase);
}

/** Adds a display name to an address that has none, if both may stand together. */
export function withName(address: Address, name: string): Address | Problem {
  const checked = checkName(name, address.person);
  if (isProblem(checked)) return checked;
  return checked.name === "" ? address : { ...address, name: checked.name };
}

/** Takes the line breaks out of folds; any that are left are refused as control characters. */
export function unfold(text: string): string {
  return text.includes("\n") ? text.replace(/\r?\n(?=[ \t])/g, "") : text;
}

/** Where the angle bracket opens outside quotes; -1 when none does. */
function findAngle(text: string): { readonly index: number } | Problem {
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "<") return { index: i };
    if (character !== '"') continue;
    for (i++; i < text.length && text[i] !== '"'; i++) if (text[i] === "\\") i++;
    if (i >= text.length) return problem.unclosedQuote;
  }
  return { index: -1 };
}
