/**
 * Tells the application of deliveries, each at least once. An accepted entry becomes `told` in the
 * store after the callback has ended; whoever finishes the release tells what stayed `accepted`
 * because its worker died in between.
 *
 * @module
 */
import type { Core } from "../core";
import { type Entry, type Spool, unpackEntry } from "./spool";

/** A delivered entry, as the application hears of it. */
export interface Delivered {
  readonly index: number;
  /** What the plan's `data` gave for it. */
  readonly data: unknown;
}

/** Marks are written for so many entries at once: fewer steps of the store, more repeated calls after a crash. */
const batchSize = 20;

/** What an entry's data was when it was planned. */
export function dataOf(entry: Entry): unknown {
  return entry.data === undefined ? undefined : JSON.parse(entry.data);
}

/** Tells one worker's deliveries. */
export class Teller {
  #told: number[] = [];

  constructor(
    readonly core: Core,
    readonly plan: string,
    readonly spool: Spool,
    readonly onDelivered: (entry: Delivered) => unknown,
  ) {}

  async tell(entry: Delivered): Promise<void> {
    await this.onDelivered(entry);
    this.#told.push(entry.index);
    if (this.#told.length >= batchSize) await this.flush();
  }

  async flush(): Promise<void> {
    const told = this.#told;
    this.#told = [];
    if (told.length > 0) await this.core.store.markEntries(this.plan, told, "told");
  }

  /** Tells every accepted entry that nobody told. Only while no other worker is alive. */
  async sweep(): Promise<void> {
    await this.flush();
    for (let after = -1; ; ) {
      const indexes = await this.core.store.entriesIn(this.plan, "accepted", after, 256);
      for (const index of indexes) {
        const [sealed] = await this.core.store.entries(this.plan, index, 1);
        if (sealed?.index !== index) continue;
        await this.tell({ index, data: dataOf(unpackEntry(this.spool.open(index, sealed.sealed))) });
      }
      const last = indexes.at(-1);
      if (last === undefined) break;
      after = last;
    }
    await this.flush();
  }
}
