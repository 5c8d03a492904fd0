/**
 * What a person sees of an HTML mail: its visible text and the attributes that carry text or
 * links. One pass by index, without a tree; it takes any string, and time in proportion to it.
 *
 * @module
 */
import { isCode, isInline, isPicture, isRaw, kindOf } from "./elements";
import { decodeEntities } from "./entities";
import { isLetter, isSpace, TextReader } from "./running";

/** An attribute that a person reads or follows, or whose value looks like a placeholder. */
export interface Attribute {
  readonly name: string;
  readonly value: string;
}

/** What was read of an HTML mail. */
export interface Page {
  /**
   * The visible text; a line per block. Text that only Outlook shows is in it. What stands in
   * code elements is between {@link codeStart} and {@link codeEnd}.
   */
  readonly text: string;
  readonly attributes: readonly Attribute[];
  /** Whether a person sees anything: a character or a picture, in other clients than Outlook. */
  readonly visible: boolean;
}

/** Stands before what a code element holds. A private character: no mail has it as text. */
export const codeStart = "\ue000";
/** Stands behind what a code element holds. */
export const codeEnd = "\ue001";

/** Finds whether any attribute can hold a placeholder, before values are looked at one by one. */
const suspicious = /\{[{%#$]|<%|\*\||[$#]\{|%recipient|\[\[|%7[Bb]%7[Bb]|&(?:#|l[bcst]|ast)/;

const links = new Set(["href", "src", "action", "background"]);
const texts = new Set(["alt", "title"]);

/** Reads an HTML mail. */
export function readPage(html: string): Page {
  return new Scanner(html).read();
}

class Scanner {
  readonly #html: string;
  readonly #text: TextReader;
  readonly #attributes: Attribute[] = [];
  readonly #anyValue: boolean;
  /** Names of raw elements that are known to have no end from here on. */
  readonly #endless = new Set<string>();
  /** What the picture shows whose tag is read. */
  #width = "";
  #height = "";
  #source = false;

  constructor(html: string) {
    this.#html = html;
    this.#text = new TextReader(html);
    this.#anyValue = suspicious.test(html);
  }

  read(): Page {
    const html = this.#html;
    const text = this.#text;
    for (let at = text.read(0); at < html.length; at = text.read(at)) at = this.#markup(at);
    return { text: text.all, attributes: this.#attributes, visible: text.visible };
  }

  /** Reads the markup that begins at `open`; where it ends. */
  #markup(open: number): number {
    const next = this.#html.charCodeAt(open + 1);
    if (isLetter(next)) return this.#element(open);
    if (next === 33) return this.#comment(open);
    if (next === 47 && isLetter(this.#html.charCodeAt(open + 2))) {
      const kind = kindOf(this.#html, open + 2, this.#nameEnd(open + 2));
      if (kind & isCode) this.#text.add(codeEnd);
      if (!(kind & isInline)) this.#text.add("\n");
    }
    const end = this.#html.indexOf(">", open);
    return end < 0 ? this.#html.length : end + 1;
  }

  /**
   * Comments are skipped; what stands in a conditional comment is read, since Outlook shows it.
   * `<!--[if !mso]><!-->` is one whose content all other clients show.
   */
  #comment(open: number): number {
    const html = this.#html;
    if (html.startsWith("<!--", open)) {
      if (html.startsWith("[if", open + 4)) {
        // Within so many characters, or a page of such openings would be searched once for each.
        const end = html.slice(open, open + 200).indexOf("]>");
        if (end > 0) {
          const after = open + end + 2;
          this.#text.hidden = !html.startsWith("<!--", after);
          return after;
        }
      }
      this.#text.hidden = false;
      if (html.startsWith(">", open + 4)) return open + 5;
      const end = html.indexOf("-->", open + 4);
      return end < 0 ? html.length : end + 3;
    }
    this.#text.hidden = false;
    const end = html.indexOf(">", open);
    return end < 0 ? html.length : end + 1;
  }

  #element(open: number): number {
    const from = this.#nameEnd(open + 1);
    const kind = kindOf(this.#html, open + 1, from);
    const end = this.#readAttributes(from);
    // A picture of one pixel counts openings and shows nothing.
    if (kind & isPicture && this.#source && !(this.#width === "1" && this.#height === "1")) this.#text.show();
    if (kind & isCode) this.#text.add(kind & isInline ? codeStart : `\n${codeStart}`);
    else if (!(kind & isInline)) this.#text.add("\n");
    return kind & isRaw ? this.#skip(this.#html.slice(open + 1, from).toLowerCase(), end) : end;
  }

  /** Where an element's name ends: after 32 characters at most. */
  #nameEnd(from: number): number {
    const html = this.#html;
    let to = from;
    const most = Math.min(html.length, from + 32);
    while (to < most && !endsName(html.charCodeAt(to))) to++;
    return to;
  }

  /** Where a raw element ends. One without an end hides the rest, as in a browser, except `xml`. */
  #skip(name: string, from: number): number {
    const html = this.#html;
    if (this.#endless.has(name)) return from;
    for (let at = html.indexOf("</", from); at >= 0; at = html.indexOf("</", at + 2)) {
      if (html.slice(at + 2, at + 2 + name.length).toLowerCase() === name) return at;
    }
    this.#endless.add(name);
    return name === "xml" ? from : html.length;
  }

  #readAttributes(from: number): number {
    const html = this.#html;
    const length = html.length;
    this.#width = "";
    this.#height = "";
    this.#source = false;
    let at = from;
    while (at < length) {
      const first = html.charCodeAt(at);
      if (first === 62) return at + 1;
      if (isSpace(first) || first === 47) {
        at++;
        continue;
      }
      const nameAt = at++;
      for (let unit = html.charCodeAt(at); at < length && !endsName(unit) && unit !== 61; unit = html.charCodeAt(at))
        at++;
      const nameEnd = at;
      while (isSpace(html.charCodeAt(at))) at++;
      if (html.charCodeAt(at) !== 61) continue;
      at++;
      while (isSpace(html.charCodeAt(at))) at++;
      const quote = html.charCodeAt(at);
      let valueAt = at;
      let valueEnd: number;
      if (quote === 34 || quote === 39) {
        valueAt = at + 1;
        const close = html.indexOf(quote === 34 ? '"' : "'", valueAt);
        valueEnd = close < 0 ? length : close;
        at = close < 0 ? length : close + 1;
      } else {
        while (at < length && !isSpace(html.charCodeAt(at)) && html.charCodeAt(at) !== 62) at++;
        valueEnd = at;
      }
      if (this.#anyValue || mayMatter(nameEnd - nameAt, first | 32))
        this.#attribute(nameAt, nameEnd, valueAt, valueEnd);
    }
    return at;
  }

  #attribute(nameAt: number, nameEnd: number, from: number, to: number): void {
    // Names that matter are short; of longer ones the value may be a placeholder.
    const name = nameEnd - nameAt <= 10 ? this.#html.slice(nameAt, nameEnd).toLowerCase() : "";
    const value = this.#html.slice(from, to);
    if (name === "width") this.#width = value.replace("px", "").trim();
    if (name === "height") this.#height = value.replace("px", "").trim();
    if (links.has(name) || texts.has(name)) {
      const decoded = decodeEntities(value);
      if (name === "src" && decoded.trim() !== "") this.#source = true;
      if (name === "background" && decoded.trim() !== "") this.#text.show();
      this.#attributes.push({ name, value: decoded });
    } else if (this.#anyValue && suspicious.test(value)) this.#attributes.push({ name, value: decodeEntities(value) });
  }
}

/** Whether an attribute can be one that is read, by the length and the first letter of its name: most are not. */
function mayMatter(length: number, first: number): boolean {
  if (length === 3) return first === 115 || first === 97; // src, alt
  if (length === 4) return first === 104; // href
  if (length === 5) return first === 116 || first === 119; // title, width
  if (length === 6) return first === 97 || first === 104; // action, height
  return length === 10 && first === 98; // background
}

function endsName(unit: number): boolean {
  return isSpace(unit) || unit === 62 || unit === 47;
}
