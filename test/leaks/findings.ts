/** Looks through what was said and kept, and keeps what must not stand there, with its place. */
import { addressesIn } from "./addresses";
import { phrasesOf } from "./content";
import { type Exception, exceptionsOf } from "./exceptions";

/** Where something stood. */
export type Kind = "console" | "output" | "child" | "log" | "error" | "store" | "answer" | "file" | "server";

export interface Finding {
  readonly kind: Kind;
  /** Which of its kind: a file's path, a store's method, a command. */
  readonly place: string;
  /** The test under way, as far as one was. */
  readonly test: string;
  readonly found: string;
  /** What stood around it. */
  readonly around: string;
}

declare global {
  /** Those of the test file under way. */
  var mailfuseFindings: Findings | undefined;
}

/** Enough to see what is wrong. */
const mostKept = 30;

/** What one test file is searched for, and what was found. */
export class Findings {
  /** How much was looked at, by kind: a search that sees nothing finds nothing. */
  readonly looks: Partial<Record<Kind, number>> = {};
  readonly exceptions: readonly Exception[];
  readonly used = new Set<string>();
  /** What looking took. */
  milliseconds = 0;
  #kept = new Map<string, Finding>();
  readonly #phrases: readonly string[];
  readonly #anyPhrase: RegExp | undefined;

  constructor(
    testFile: string,
    readonly testName: () => string,
  ) {
    this.exceptions = exceptionsOf(testFile);
    const phrases = phrasesOf(testFile);
    // As they stand in text, and in UTF-8 read as Latin-1.
    this.#phrases = [...new Set([...phrases, ...phrases.map((phrase) => Buffer.from(phrase).toString("latin1"))])];
    const words = this.#phrases.map((phrase) => phrase.replace(/[.?]/g, "\\$&"));
    this.#anyPhrase = words.length > 0 ? new RegExp(words.join("|")) : undefined;
  }

  /** Text is looked through as it is, bytes as Latin-1. */
  look(kind: Kind, place: string, what: string | Uint8Array): void {
    this.looks[kind] = (this.looks[kind] ?? 0) + 1;
    const began = performance.now();
    this.#look(kind, place, what);
    this.milliseconds += performance.now() - began;
  }

  #look(kind: Kind, place: string, what: string | Uint8Array): void {
    const text = typeof what === "string" ? what : latin1(what);
    if (text.length < 6) return;
    for (const found of addressesIn(text)) if (!isPressed(place, found)) this.#keep(kind, place, found, text);
    if (text.length < 10 || !this.#anyPhrase) return;
    // Bytes are many and phrases few; text is short.
    if (typeof what === "string" && !this.#anyPhrase.test(text)) return;
    for (const phrase of this.#phrases) if (text.includes(phrase)) this.#keep(kind, place, phrase, text);
  }

  /** Everything in a value: strings, bytes, and what they stand in. */
  lookInto(kind: Kind, place: string, value: unknown, depth = 8): void {
    if (typeof value === "string") this.look(kind, place, value);
    else if (value instanceof Uint8Array) this.look(kind, place, value);
    else if (typeof value !== "object" || value === null || depth === 0) return;
    else if (value instanceof Error) this.lookInto(kind, place, [value.message, { ...value }, value.cause], depth);
    else if (value instanceof Map || value instanceof Set) this.lookInto(kind, place, [...value], depth);
    else if (Array.isArray(value)) for (const one of value) this.lookInto(kind, place, one, depth - 1);
    else
      for (const [key, one] of Object.entries(value)) {
        this.look(kind, place, key);
        this.lookInto(kind, typeof one === "string" ? `${place} ${key}` : place, one, depth - 1);
      }
  }

  /** Hands out what was found so far, and forgets it. */
  take(): readonly Finding[] {
    const found = [...this.#kept.values()];
    this.#kept = new Map();
    return found;
  }

  #keep(kind: Kind, place: string, found: string, text: string): void {
    const at = text.indexOf(found);
    const around = text.slice(Math.max(0, at - 60), at + found.length + 60).replace(/[^\x20-\x7e]/g, "·");
    const allowed = this.exceptions.find(
      (one) => one.kinds.includes(kind) && (one.place?.test(place) ?? true) && (one.around?.test(around) ?? true),
    );
    if (allowed) this.used.add(allowed.why);
    else if (this.#kept.size < mostKept) {
      // Of what differs only in a number, one is enough.
      const key = `${kind} ${place} ${found}`.replace(/\d+|-[A-Za-z0-9]{6}\b/g, "#");
      this.#kept.set(key, { kind, place, test: this.testName(), found, around });
    }
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/**
 * PostgreSQL presses long texts of its own, its functions among them, and puts a byte between every eight that may be
 * an @: before the word "test" that makes an address of one label. What it holds is read by a client as well.
 */
function isPressed(place: string, found: string): boolean {
  return /\/data\/(?:base|global|pg_wal)\//.test(place) && !found.slice(found.indexOf("@")).includes(".");
}
