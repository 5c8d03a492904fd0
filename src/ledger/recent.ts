/**
 * The newest lines of a ledger as a verifier keeps them: their leaves and the chain at each, in bounded memory. A head
 * stands a little behind the last line it speaks for, so the chain there has to be at hand when the head is read.
 *
 * @module
 */

import type { LedgerLine } from "../store";
import { genesis, leafOf, link } from "./chain";

/** How far behind its last line a head may stand to be checked: about 10 MB of memory. */
export const reach = 65_536;

/** The newest {@link reach} lines. */
export class Recent {
  /** What is known of a place stands at its remainder by the reach: the oldest is written over. */
  readonly #numbers: number[] = [];
  readonly #times: number[] = [];
  readonly #leaves: string[] = [];
  readonly #chain: string[] = [];
  /** Lines added so far. */
  count = 0;
  /** The chain at the last line; `undefined` as long as nobody has said where it starts. */
  #hash: string | undefined;

  /** Starts the chain with nothing before the first line. */
  begin(): void {
    this.#hash = genesis;
  }

  get begun(): boolean {
    return this.#hash !== undefined;
  }

  add(line: LedgerLine): void {
    const slot = this.count % reach;
    const leaf = leafOf(line);
    this.#numbers[slot] = line.seq;
    this.#times[slot] = line.at;
    this.#leaves[slot] = leaf;
    this.count++;
    if (this.#hash !== undefined) this.#hash = link(this.#hash, leaf);
    this.#chain[slot] = this.#hash ?? "";
  }

  /** The place of a number, counted from the first line of all; `undefined` when it is not among the newest. */
  placeOf(number: number): number | undefined {
    let low = this.first;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.numberAt(middle) < number) low = middle + 1;
      else high = middle;
    }
    return low < this.count && this.numberAt(low) === number ? low : undefined;
  }

  /** The oldest place that is still at hand. */
  get first(): number {
    return Math.max(0, this.count - reach);
  }

  numberAt(place: number): number {
    return this.#numbers[place % reach] as number;
  }

  timeAt(place: number): number {
    return this.#times[place % reach] as number;
  }

  leafAt(place: number): string {
    return this.#leaves[place % reach] as string;
  }

  /** The chain at a place. */
  chainAt(place: number): string | undefined {
    return this.#hash === undefined ? undefined : this.#chain[place % reach];
  }

  /** Goes on from a chain that is known to hold right before `place`. */
  rebase(place: number, before: string): void {
    let hash = before;
    for (let at = Math.max(place, this.first); at < this.count; at++) {
      hash = link(hash, this.leafAt(at));
      this.#chain[at % reach] = hash;
    }
    this.#hash = hash;
  }
}
