/**
 * The ledger lines of the memory store: one numbered sequence, the oldest dropped when there are too many.
 *
 * @module
 */
import type { LedgerLine } from "../../store";
import { Block, blockLines } from "./block";

/** As many as are dropped at once of a ledger of the usual length. */
const mostEmpty = 4;

/** A numbered sequence of lines. */
export interface Ledger {
  /** The highest number given so far. */
  seq(): number;
  /** The newest line's time. */
  at(): number;
  /** `settles`: the reservation this line settles. Once the line is dropped, so is what is known of it. */
  append(event: string, at: number, settles?: string): number;
  /** The next line gets the number after `seq`. */
  skipTo(seq: number): void;
  read(after: number, limit: number): readonly LedgerLine[];
  trim(seq: number): void;
}

/** Makes a ledger of at most `most` lines and some. `dropped` hears of settled reservations whose line is gone. */
export function memoryLedger(most: number, dropped: (reservation: string) => void): Ledger {
  const blocks: Block[] = [new Block()];
  /** Emptied ones, used again: a ledger of full length needs no memory any more. */
  const empty: Block[] = [];
  let length = 0;
  let seq = 0;
  let at = 0;

  function newest(): Block {
    const block = blocks.at(-1) as Block;
    if (!block.isFull) return block;
    const next = empty.pop() ?? new Block();
    blocks.push(next);
    return next;
  }

  function drop(count: number): void {
    length -= count;
    for (let left = count; left > 0; ) {
      const oldest = blocks[0] as Block;
      const some = Math.min(left, oldest.length);
      oldest.drop(some, dropped);
      left -= some;
      if (oldest.length > 0) return;
      oldest.clear();
      if (blocks.length === 1) return;
      blocks.shift();
      if (empty.length < mostEmpty) empty.push(oldest);
    }
  }

  return {
    seq: () => seq,
    at: () => at,
    append(event, time, settles) {
      seq++;
      at = Math.max(at, time);
      newest().add(seq, at, event, settles);
      length++;
      // In bulk: it would not be worth while for every line.
      if (length > most + Math.max(blockLines, most >> 4)) drop(length - most);
      return seq;
    },
    skipTo(number) {
      seq = number;
    },
    read(after, limit) {
      const lines: LedgerLine[] = [];
      // Numbers leave one gap at an acknowledgement, so a line's place is searched, not computed.
      let index = blocks.findIndex((block) => block.last > after);
      for (let block = blocks[index]; block && lines.length < limit; block = blocks[++index]) {
        const { length } = block;
        for (let place = block.upTo(after); place < length && lines.length < limit; place++)
          lines.push(block.line(place));
      }
      return lines;
    },
    trim(number) {
      drop(blocks.reduce((count, block) => count + block.upTo(number), 0));
    },
  };
}
