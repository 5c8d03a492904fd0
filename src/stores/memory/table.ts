/**
 * Rows of numbers and texts, kept by columns.
 *
 * What a store remembers is much, lives for an hour or so, and then goes. As objects of their own such things outlive every
 * quick collection of the engine, which then lets its heap grow to several times what is alive before it looks again.
 * Numbers in columns are no objects, and a row that was given back is used again.
 *
 * @module
 */

/** No row: what a link to a row holds that leads nowhere. */
export const none = -1;

/** Rows by number. Adding one may replace the columns: they are looked up after it. */
export class Table<Numbers extends string, Texts extends string = never> {
  readonly numbers = {} as Record<Numbers, Float64Array>;
  readonly texts = {} as Record<Texts, (string | undefined)[]>;
  /** Rows given back. */
  readonly #free: number[] = [];
  #used = 0;
  #size = 64;

  constructor(
    private readonly numberNames: readonly Numbers[],
    private readonly textNames: readonly Texts[] = [],
  ) {
    for (const name of numberNames) this.numbers[name] = new Float64Array(this.#size);
    for (const name of textNames) this.texts[name] = [];
  }

  /** A row whose numbers are to be set: they are those of whoever had it before. */
  add(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#used === this.#size) this.#grow();
    for (const name of this.textNames) this.texts[name].push(undefined);
    return this.#used++;
  }

  remove(row: number): void {
    for (const name of this.textNames) this.texts[name][row] = undefined;
    this.#free.push(row);
  }

  #grow(): void {
    this.#size *= 2;
    for (const name of this.numberNames) {
      const column = new Float64Array(this.#size);
      column.set(this.numbers[name]);
      this.numbers[name] = column;
    }
  }
}
