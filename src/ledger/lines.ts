/**
 * Reads the ledger of a store: in batches, from a number, from a time, or from its end.
 *
 * @module
 */
import type { LedgerLine, Store } from "../store";

/** Lines asked for at once: a round trip each, and memory for as many. */
const batchSize = 1_000;

type Reader = Pick<Store, "read">;

/** Lines after `after` and up to `upto`, in batches. */
export async function* readLines(
  store: Reader,
  after: number,
  upto = Number.POSITIVE_INFINITY,
): AsyncGenerator<readonly LedgerLine[]> {
  for (let last = after; last < upto; ) {
    const batch = await store.read(last, batchSize);
    const end = batch.at(-1);
    if (!end) return;
    yield end.seq <= upto ? batch : batch.filter(({ seq }) => seq <= upto);
    last = end.seq;
    if (batch.length < batchSize) return;
  }
}

/** The number of the last line; 0 for an empty ledger. */
export async function lastNumber(store: Reader): Promise<number> {
  let low = 0;
  let step = 1_024;
  for (;;) {
    const [line] = await store.read(low + step, 1);
    if (!line) break;
    low = line.seq;
    step *= 2;
  }
  // No line stands after low + step.
  let high = low + step;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [line] = await store.read(middle, 1);
    if (line) low = line.seq;
    else high = middle;
  }
  return low;
}

/** The number after which every line is of `time` or later: a store's time never goes back. */
export async function numberBefore(store: Reader, time: number): Promise<number> {
  let low = 0;
  let high = await lastNumber(store);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [line] = await store.read(middle, 1);
    if (line && line.at < time) low = line.seq;
    else high = middle;
  }
  return low;
}
