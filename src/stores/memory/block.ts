/**
 * Some ledger lines one behind the other, their texts as bytes: a text of its own for each would be most of what a
 * process holds.
 *
 * @module
 */
import type { LedgerLine } from "../../store";

/** Lines of one block. */
export const blockLines = 1_000;
/** Room for a text to begin with, and the most that is kept for other texts later. */
const room = 1 << 14;
const mostKept = 1 << 20;

/** Up to {@link blockLines} lines. */
export class Block {
  readonly #numbers = new Float64Array(blockLines);
  readonly #times = new Float64Array(blockLines);
  readonly #ends = new Float64Array(blockLines);
  /** The reservation that a line settled. */
  readonly #settles: (string | undefined)[] = [];
  #texts = Buffer.allocUnsafeSlow(room);
  /** Lines dropped at the beginning, and lines written. */
  #from = 0;
  #to = 0;

  get length(): number {
    return this.#to - this.#from;
  }

  get isFull(): boolean {
    return this.#to === blockLines;
  }

  /** The highest number in it. */
  get last(): number {
    return this.#numbers[this.#to - 1] as number;
  }

  add(seq: number, at: number, event: string, settles: string | undefined): void {
    const place = this.#to++;
    const start = this.#endOf(place - 1);
    // No character takes more than three bytes for each of its units.
    if (start + event.length * 3 > this.#texts.length) this.#grow(start, event.length * 3);
    this.#numbers[place] = seq;
    this.#times[place] = at;
    this.#ends[place] = start + this.#texts.write(event, start);
    this.#settles[place] = settles;
  }

  #endOf(place: number): number {
    return place < 0 ? 0 : (this.#ends[place] as number);
  }

  #grow(used: number, more: number): void {
    const texts = Buffer.allocUnsafeSlow(Math.max(this.#texts.length * 2, used + more));
    this.#texts.copy(texts, 0, 0, used);
    this.#texts = texts;
  }

  /** How many of its lines have a number of at most `seq`. */
  upTo(seq: number): number {
    let low = this.#from;
    let high = this.#to;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#numbers[middle] as number) <= seq) low = middle + 1;
      else high = middle;
    }
    return low - this.#from;
  }

  /** The line so many behind its first. */
  line(behind: number): LedgerLine {
    const place = this.#from + behind;
    const event = this.#texts.toString("utf8", this.#endOf(place - 1), this.#ends[place]);
    return { seq: this.#numbers[place] as number, at: this.#times[place] as number, event };
  }

  /** Drops so many lines at its beginning; `dropped` hears of the reservations they settled. */
  drop(count: number, dropped: (reservation: string) => void): void {
    for (const end = this.#from + count; this.#from < end; this.#from++) {
      const settles = this.#settles[this.#from];
      if (settles !== undefined) dropped(settles);
      this.#settles[this.#from] = undefined;
    }
  }

  /** Empties it, to be used again. */
  clear(): this {
    this.#from = 0;
    this.#to = 0;
    if (this.#texts.length > mostKept) this.#texts = Buffer.allocUnsafeSlow(room);
    return this;
  }
}
