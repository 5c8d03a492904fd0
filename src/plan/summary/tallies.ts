/**
 * Counts by name, in bounded memory.
 *
 * @module
 */
import type { SummaryCount } from "./types";

/** Counts how often each name comes. */
export class Tally {
  readonly #counts = new Map<string, number>();
  /** Names beyond the bound, each time they came. */
  #beyond = 0;

  constructor(
    private readonly most: number,
    private readonly longest = 255,
  ) {}

  add(name: string): void {
    const cut = name.length > this.longest ? name.slice(0, this.longest) : name;
    const count = this.#counts.get(cut);
    if (count !== undefined) this.#counts.set(cut, count + 1);
    else if (this.#counts.size < this.most) this.#counts.set(cut, 1);
    else this.#beyond++;
  }

  /** The greatest first; equals by name. */
  result(count: number): readonly SummaryCount[] {
    return [...this.#counts]
      .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
      .slice(0, count)
      .map(([name, its]) => ({ name, count: its }));
  }

  /** How many names {@link Tally.result} leaves out; a lower bound where there were too many. */
  beyond(count: number): number {
    return Math.max(0, this.#counts.size - count) + (this.#beyond > 0 ? 1 : 0);
  }
}
