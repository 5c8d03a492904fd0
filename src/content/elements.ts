/**
 * What elements of HTML mean for the text of a mail, found by name without making a string of it:
 * a mail has a hundred tags, and most say nothing but where a line ends.
 *
 * @module
 */

/** What an element's name says of it, as bits. */
export const isInline = 1;
export const isCode = 2;
export const isRaw = 4;
export const isPicture = 8;

const named = new Map<string, number>();
const packed = new Map<number, number>();

function declare(names: string, bit: number): void {
  for (const name of names.split(" ")) named.set(name, (named.get(name) ?? 0) | bit);
}
// Elements that do not end the line they stand in.
declare(
  "a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd label mark o:p q s samp small span strike strong sub sup time tt u var wbr",
  isInline,
);
declare("code kbd pre samp tt", isCode);
// Elements whose content is no markup and not shown.
declare("script style title textarea xml noframes iframe", isRaw);
declare("img", isPicture);
for (const [name, bits] of named) {
  const key = packedName(name, 0, name.length);
  if (key >= 0) packed.set(key, bits);
}

/** What the element is whose name stands there. */
export function kindOf(html: string, from: number, to: number): number {
  const key = packedName(html, from, to);
  return (key >= 0 ? packed.get(key) : named.get(html.slice(from, to).toLowerCase())) ?? 0;
}

/** A name of up to five letters and digits as one small number, in either case; -1 for any other. */
function packedName(text: string, from: number, to: number): number {
  if (to - from > 5) return -1;
  let key = 0;
  for (let at = from; at < to; at++) {
    const unit = text.charCodeAt(at);
    const letter = (unit | 32) - 96;
    if (letter >= 1 && letter <= 26 && unit >= 65) key = key * 37 + letter;
    else if (unit >= 48 && unit <= 57) key = key * 37 + unit - 21;
    else return -1;
  }
  return key;
}
