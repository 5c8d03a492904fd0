/**
 * Text as SQLite can give it back: `node:sqlite` and libsql cut text at its first NUL when reading.
 * A noncharacter and a digit stand for it; text that holds the noncharacter itself is told apart.
 *
 * @module
 */

const mark = "\u{FDD0}";

/** Text without NUL. Different text stays different. */
export function encodeText(text: string): string {
  if (!text.includes("\u0000") && !text.includes(mark)) return text;
  return text.replaceAll(mark, `${mark}1`).replaceAll("\u0000", `${mark}0`);
}

/** What {@link encodeText} was given. */
export function decodeText(text: string): string {
  if (!text.includes(mark)) return text;
  return text.replaceAll(`${mark}0`, "\u0000").replaceAll(`${mark}1`, mark);
}

/** A list of texts for `json_each`, each as it would be stored on its own: SQLite's JSON too ends a text at its NUL. */
export function encodeList(texts: readonly string[]): string {
  const json = JSON.stringify(texts);
  if (!json.includes("\\u0000") && !json.includes(mark)) return json;
  return JSON.stringify(texts.map(encodeText)).replaceAll(mark, "\\ufdd0");
}
