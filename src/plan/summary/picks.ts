/**
 * Which mails of a plan people should look at: those in which a mistake shows first, and some that
 * nobody chose. Only their places are kept; they are read back from the spool in the end.
 *
 * @module
 */
import { hash } from "node:crypto";
import type { SampleReason } from "./types";

/** A mail's place. */
export interface Place {
  readonly entry: number;
  readonly message: number;
}

/** A mail to be shown, and why. */
export interface Pick extends Place {
  readonly why: readonly SampleReason[];
}

/** Mails drawn by lot, warned of and refused that are shown. */
const drawn = 3;
const eachKind = 2;

/** Chooses. */
export class Picks {
  readonly #extremes = new Map<SampleReason, Place & { readonly by: number }>();
  readonly #lists = new Map<SampleReason, Place[]>();
  readonly #lots: (Place & { readonly lot: number })[] = [];
  readonly #seed: number;

  constructor(plan: string) {
    this.#seed = Number.parseInt(hash("sha256", `sample:${plan}`, "hex").slice(0, 8), 16);
  }

  /** Keeps the place with the greatest `by`; the first one of equals. */
  greatest(why: SampleReason, by: number, place: Place): void {
    const before = this.#extremes.get(why);
    if (!before || by > before.by) this.#extremes.set(why, { ...place, by });
  }

  /** Keeps the first few. */
  list(why: SampleReason, place: Place): void {
    const list = this.#lists.get(why) ?? [];
    if (list.length >= eachKind) return;
    this.#lists.set(why, [...list, place]);
  }

  /** Lets the mail take part in the draw. */
  draw(place: Place): void {
    const lot = mix(this.#seed, place.entry, place.message);
    if (this.#lots.length >= drawn && lot >= (this.#lots.at(-1)?.lot ?? 0)) return;
    this.#lots.push({ ...place, lot });
    this.#lots.sort((a, b) => a.lot - b.lot || a.entry - b.entry);
    this.#lots.length = Math.min(this.#lots.length, drawn);
  }

  /** What was chosen, in order of entries, each once. */
  all(more: readonly (readonly [SampleReason, Place | undefined])[]): readonly Pick[] {
    const found = new Map<string, Place & { readonly why: SampleReason[] }>();
    const take = (why: SampleReason, place: Place | undefined): void => {
      if (!place) return;
      const key = `${place.entry}:${place.message}`;
      const pick = found.get(key) ?? { entry: place.entry, message: place.message, why: [] };
      if (!pick.why.includes(why)) pick.why.push(why);
      found.set(key, pick);
    };
    for (const [why, place] of this.#extremes) take(why, place);
    for (const [why, places] of this.#lists) for (const place of places) take(why, place);
    for (const [why, place] of more) take(why, place);
    for (const lot of this.#lots) take("random", lot);
    return [...found.values()].sort((a, b) => a.entry - b.entry || a.message - b.message);
  }
}

/** A number that looks drawn, from three: the finaliser of MurmurHash3, twice. */
function mix(seed: number, entry: number, message: number): number {
  let value = seed ^ Math.imul(entry + 1, 0x9e3779b1) ^ Math.imul(message + 1, 0x85ebca77);
  for (let round = 0; round < 2; round++) {
    value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
    value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
    value ^= value >>> 16;
  }
  return value >>> 0;
}
