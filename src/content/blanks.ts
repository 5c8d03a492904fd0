/**
 * Gaps that an empty value leaves: "Dear ,", "renewed on , and", a link to nowhere.
 *
 * @module
 */
import type { Finding, Places } from "./places";

// Every gap has it: nearly all text has not, and is searched once and not twice.
const sign = /[,.](?<=\s[,.])/;
// A blank before the comma is what tells a gap from "Hello,". French puts one before other signs.
const afterGreeting =
  /(?:^|\n)[^\S\n]{0,20}(?:dear|hi|hello|hey|welcome|thanks|thank you|hallo|liebe[rs]?|hola|ciao)[^\S\n]{1,5},/i;
const afterPreposition = /\b(?:on|at|by|for|since|until|from|to)[^\S\n]{1,5}[,.](?:\s|$)/;

/** Looks for gaps. */
export function findBlanks(places: Places): Finding | undefined {
  for (const { text, name, part } of places.texts) {
    if (!sign.test(text)) continue;
    if (afterGreeting.test(text) || afterPreposition.test(text))
      return { got: `a gap where a name or a date should stand in ${name}`, part };
  }
  for (const { name, value } of places.attributes) {
    if (name === "href" && /^\s*(?:https?:\/?\/?|mailto:|tel:)?\s*$/.test(value))
      return { got: "a link to nowhere (an empty `href`) in the HTML", part: "html" };
  }
  return undefined;
}
