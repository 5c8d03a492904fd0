/**
 * Character references of HTML, as far as they can hide or spell what the lint looks for.
 *
 * @module
 */

const named: Readonly<Record<string, string>> = {
  amp: "&",
  apos: "'",
  ast: "*",
  cent: "¢",
  commat: "@",
  dollar: "$",
  euro: "€",
  gt: ">",
  lbrace: "{",
  lcub: "{",
  lsqb: "[",
  lt: "<",
  nbsp: "\u00a0",
  num: "#",
  percnt: "%",
  pound: "£",
  quot: '"',
  rbrace: "}",
  rcub: "}",
  rsqb: "]",
  shy: "\u00ad",
  verbar: "|",
  vert: "|",
  yen: "¥",
  zwj: "\u200d",
  zwnj: "\u200c",
};

// Every repeat is bounded, so that a run of digits is read once and not once per start.
const reference = /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]{2,8}));?/g;

/** Whether any reference can matter: `&times;` and `&eacute;` are everyday, and searching is cheaper than replacing. */
const mayMatter = new RegExp(`&(?:#|${Object.keys(named).join("|")})`);

/** Replaces the character references that matter here; others stay as they are. */
export function decodeEntities(text: string): string {
  if (!mayMatter.test(text)) return text;
  return text.replace(reference, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return Object.hasOwn(named, name) ? (named[name] as string) : whole;
    const code = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
