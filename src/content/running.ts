/**
 * The running text of an HTML mail: what stands between the markup, with its blanks as a browser
 * shows them.
 *
 * @module
 */
import { decodeEntities } from "./entities";

/** A character that shows: no blank, joiner, control or mark of its own, as fillers of preview texts are. */
export const shown = /[^\s\p{Cf}\p{Cc}\p{Mn}\u115f\u2800\ue000\ue001]/u;

/** Reads the text of a page piece by piece. */
export class TextReader {
  /** What was read. */
  all = "";
  /** Whether anything was read that a person sees. */
  visible = false;
  /** Whether what stands here is for Outlook only. */
  hidden = false;

  constructor(readonly html: string) {}

  /** Adds what markup stands for. */
  add(text: string): void {
    this.all += text;
  }

  /** A picture that shows. */
  show(): void {
    if (!this.hidden) this.visible = true;
  }

  /**
   * Reads up to the next markup; where that begins. A lone "<" is text, as in `<%= name %>`.
   *
   * The letters are looked at one by one, so that the common cases cost no search and no second
   * copy: nothing between two tags but blanks, and a line of words with blanks around it.
   */
  read(from: number): number {
    const { html } = this;
    const { length } = html;
    // The first and the last character that is no blank; in between, anything but words and single blanks.
    let first = -1;
    let last = from - 1;
    let plain = true;
    let letters = false;
    let at = from;
    for (; at < length; at++) {
      const unit = html.charCodeAt(at);
      if (unit === 60 && startsMarkup(html.charCodeAt(at + 1))) break;
      if (unit > 38 && unit < 127) letters = true;
      else if (isSpace(unit)) continue;
      else if (unit === 38 || (unit > 126 && !isLatin(unit)) || unit < 32) plain = false;
      else letters = true;
      if (first < 0) first = at;
      // One blank between two words is as it will stand; two, or a line's end, is not.
      else if (at - last > 1 && (at - last > 2 || html.charCodeAt(at - 1) !== 32)) plain = false;
      last = at;
    }
    if (at === from) return at;
    if (first < 0) {
      this.all += " ";
    } else if (plain) {
      const words = html.slice(first, last + 1);
      const before = first > from ? " " : "";
      this.all += last + 1 < at ? `${before}${words} ` : before + words;
      if (letters) this.show();
    } else {
      const text = decodeEntities(html.slice(from, at)).replace(/\s+/g, " ");
      if (!this.visible && !this.hidden && shown.test(text)) this.visible = true;
      this.all += text;
    }
    return at;
  }
}

function startsMarkup(next: number): boolean {
  return isLetter(next) || next === 47 || next === 33 || next === 63;
}

/** Letters beyond ASCII among which there is no blank, mark or joiner. */
function isLatin(unit: number): boolean {
  return unit >= 0xc0 && unit < 0x300;
}

export function isLetter(unit: number): boolean {
  return (unit >= 97 && unit <= 122) || (unit >= 65 && unit <= 90);
}

/** The blanks of HTML. */
export function isSpace(unit: number): boolean {
  return unit === 32 || (unit >= 9 && unit <= 13);
}
