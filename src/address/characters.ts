/**
 * Questions about single characters, asked where the fast path has not already said yes.
 *
 * @module
 */

const control = /[^\P{Cc}\t]|[\p{Zl}\p{Zp}\p{Cs}]/u;

/** The first control character, line separator or lone surrogate, tabs aside. */
export function findControl(text: string): string | undefined {
  return control.exec(text)?.[0];
}

const invisible = /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** The first character in an address that has no glyph of its own, or only steers others. */
export function findInvisible(text: string): string | undefined {
  return invisible.exec(text)?.[0];
}

// Joiners, direction marks and variation selectors stay allowed: Persian and Indic names and
// emoji are written with them. What is refused here turns text around or is never typed.
const invisibleInName = /[\u200b\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/u;

/** The first character that has no business in a display name. */
export function findInvisibleInName(text: string): string | undefined {
  return invisibleInName.exec(text)?.[0];
}

/** How a character is named in messages, for example `U+00AD`. */
export function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Strips blanks and line breaks at both ends; no other white space, on which readers disagree. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;
}
