/**
 * Tells the texts of a plan apart: mails that differ only in names and values have one text.
 *
 * Which words are the text's and which are values is learnt from the mails themselves: words that
 * several of them share are the text's. Each line is kept as the words it shares, with one mark for
 * any run of others, so that a paragraph that only some people get still shows as a line of its own.
 *
 * @module
 */
import { hash } from "node:crypto";
import type { SummaryVariant } from "./types";

/** Mails looked at together to learn their words, and the share of them that has a word of the text. */
const lesson = 64;
const share = 0.1;
/** Of a text, that is read. */
const longestText = 20_000;
/** Texts told apart, words and lines remembered. */
const mostVariants = 1_000;
const mostWords = 50_000;
const mostLines = 5_000;
/** Of a variant, that is shown. */
const shownText = 300;

const mark = "…";

interface Variant {
  messages: number;
  readonly entry: number;
  readonly message: number;
  readonly subject: string | undefined;
  readonly shape: string;
}

interface Waiting {
  readonly lines: readonly string[];
  readonly subject: string | undefined;
  readonly entry: number;
  readonly message: number;
}

/** Counts texts, in bounded memory. */
export class Variants {
  readonly #words = new Set<string>();
  /** Shapes of lines met before: most lines of a plan are the same in every mail. */
  readonly #lines = new Map<string, Shape>();
  readonly #variants = new Map<string, Variant>();
  #waiting: Waiting[] = [];
  #more = false;

  add(subject: string | undefined, text: string, entry: number, message: number): void {
    const one = { lines: linesOf(subject, text), subject, entry, message };
    // Beyond so many there is no end to them: only those that are known are still counted.
    if (!this.#count(one) && !this.#more) {
      this.#waiting.push(one);
      if (this.#waiting.length >= lesson) this.#learn();
    }
  }

  /** The rarest text's first mail, where there are several texts. */
  rarest(): { readonly entry: number; readonly message: number } | undefined {
    return this.#sorted().length > 1 ? this.#sorted().at(-1) : undefined;
  }

  result(): {
    readonly count: number;
    readonly atLeast?: true;
    readonly most: readonly SummaryVariant[];
    readonly fewest: readonly SummaryVariant[];
  } {
    const sorted = this.#sorted();
    return {
      count: sorted.length,
      ...(this.#more ? { atLeast: true as const } : {}),
      most: sorted.slice(0, 5).map(shown),
      fewest: sorted.slice(5).slice(-5).map(shown),
    };
  }

  #sorted(): readonly Variant[] {
    if (this.#waiting.length > 0) this.#learn();
    return [...this.#variants.values()].sort((a, b) => b.messages - a.messages || a.entry - b.entry);
  }

  /** Counts a mail whose words are known for the greater part; whether they are. */
  #count(one: Waiting): boolean {
    let known = 0;
    let words = 0;
    const shapes: string[] = [];
    for (const line of one.lines) {
      const shape = this.#shape(line);
      known += shape.known;
      words += shape.words;
      // A list of any length is one thing: the same line again says nothing new.
      if (shape.text !== shapes.at(-1)) shapes.push(shape.text);
    }
    if (words > 0 && known * 2 < words) return false;
    const text = shapes.join("\n");
    const key = hash("sha256", text, "base64url");
    const variant = this.#variants.get(key);
    if (variant) variant.messages++;
    else if (this.#variants.size < mostVariants)
      this.#variants.set(key, {
        messages: 1,
        entry: one.entry,
        message: one.message,
        subject: one.subject === undefined ? undefined : shapes[0],
        shape: (one.subject === undefined ? shapes : shapes.slice(1)).join("\n"),
      });
    else this.#more = true;
    return true;
  }

  #shape(line: string): Shape {
    const before = this.#lines.get(line);
    if (before) return before;
    const shape = shapeOf(line, this.#words);
    if (this.#lines.size < mostLines) this.#lines.set(line, shape);
    return shape;
  }

  /** Learns the words that several of the waiting mails share, and counts these mails. */
  #learn(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const counts = new Map<string, number>();
    for (const { lines } of waiting)
      for (const word of new Set(lines.flatMap(wordsOf))) counts.set(word, (counts.get(word) ?? 0) + 1);
    const enough = Math.max(2, Math.ceil(waiting.length * share));
    for (const [word, count] of counts) if (count >= enough) this.#know(word);
    this.#lines.clear();
    for (const one of waiting) {
      if (this.#count(one)) continue;
      // Like no other: all of its words are its text.
      for (const word of one.lines.flatMap(wordsOf)) this.#know(word);
      this.#lines.clear();
      if (!this.#count(one)) this.#more = true;
    }
  }

  #know(word: string): void {
    if (this.#words.size < mostWords) this.#words.add(word);
  }
}

interface Shape {
  readonly text: string;
  readonly words: number;
  readonly known: number;
}

function linesOf(subject: string | undefined, text: string): readonly string[] {
  const lines = text
    .slice(0, longestText)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return subject === undefined ? lines : [subject.slice(0, 1_000), ...lines];
}

function wordsOf(line: string): string[] {
  return line.split(/\s+/).filter((word) => word !== "");
}

function shapeOf(line: string, known: ReadonlySet<string>): Shape {
  const words = wordsOf(line);
  const kept: string[] = [];
  let count = 0;
  for (const word of words) {
    const isKnown = known.has(word);
    if (isKnown) count++;
    if (isKnown || kept.at(-1) !== mark) kept.push(isKnown ? word : mark);
  }
  return { text: kept.join(" "), words: words.length, known: count };
}

function shown(variant: Variant): SummaryVariant {
  return {
    messages: variant.messages,
    entry: variant.entry,
    ...(variant.subject === undefined ? {} : { subject: variant.subject.slice(0, 200) }),
    text: variant.shape.slice(0, shownText),
  };
}
