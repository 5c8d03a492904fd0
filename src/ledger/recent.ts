/**
 * The newest lines of a ledger as a verifier keeps them: their leaves and the chain at each, in bounded memory. A head
 * stands a little behind the last line it speaks for, so the chain there has to be at hand when the head is read.
 *
 * @module
 */

import type { LedgerLine } from "../store";
import { genesis, leafOf, link } from "./chain";

/** How far behind its last line a head may stand to be checked: 6 MB of memory. */
export const reach = 65_536;

/** The newest {@link reach} lines. */
export class Recent {
  /** Slots there are: as many as are needed, up to the reach; from then on the oldest is written over. */
  #size = 256;
  #numbers = new Float64Array(this.#size);
  #times = new Float64Array(this.#size);
  #leaves = new Uint8Array(this.#size * 32);
  #chain = new Uint8Array(this.#size * 32);
  /** Lines added so far. */
  count = 0;
  /** The chain at the last line; `undefined` as long as nobody has said where it starts. */
  #hash: Buffer | undefined;

  /** Starts the chain with nothing before the first line. */
  begin(): void {
    this.#hash = genesis;
  }

  get begun(): boolean {
    return this.#hash !== undefined;
  }

  add(line: LedgerLine): void {
    if (this.count === this.#size && this.#size < reach) this.#grow();
    const slot = this.count % this.#size;
    const leaf = leafOf(line);
    this.#numbers[slot] = line.seq;
    this.#times[slot] = line.at;
    this.#leaves.set(leaf, slot * 32);
    this.count++;
    if (!this.#hash) return;
    this.#hash = link(this.#hash, leaf);
    this.#chain.set(this.#hash, slot * 32);
  }

  #grow(): void {
    this.#size *= 2;
    const [numbers, times] = [new Float64Array(this.#size), new Float64Array(this.#size)];
    const [leaves, chain] = [new Uint8Array(this.#size * 32), new Uint8Array(this.#size * 32)];
    numbers.set(this.#numbers);
    times.set(this.#times);
    leaves.set(this.#leaves);
    chain.set(this.#chain);
    [this.#numbers, this.#times, this.#leaves, this.#chain] = [numbers, times, leaves, chain];
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
    return this.#numbers[place % this.#size] as number;
  }

  timeAt(place: number): number {
    return this.#times[place % this.#size] as number;
  }

  leafAt(place: number): Uint8Array {
    const start = (place % this.#size) * 32;
    return this.#leaves.subarray(start, start + 32);
  }

  /** The chain at a place, base64url. */
  chainAt(place: number): string | undefined {
    if (!this.#hash) return undefined;
    const start = (place % this.#size) * 32;
    return Buffer.from(this.#chain.subarray(start, start + 32)).toString("base64url");
  }

  /** Goes on from a chain that is known to hold right before `place`. */
  rebase(place: number, before: string): void {
    let hash: Buffer = Buffer.from(before, "base64url");
    for (let at = Math.max(place, this.first); at < this.count; at++) {
      hash = link(hash, this.leafAt(at));
      this.#chain.set(hash, (at % this.#size) * 32);
    }
    this.#hash = hash;
  }
}
