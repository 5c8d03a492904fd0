/**
 * The ledger lines of the memory store: one numbered sequence, the oldest dropped when there are too many.
 *
 * @module
 */
import type { LedgerLine } from "../../store";

interface Line extends LedgerLine {
  /** The reservation this line settled: once the line is dropped, so is what is known of it. */
  readonly settles: string | undefined;
}

/** A numbered sequence of lines. */
export interface Ledger {
  /** The highest number given so far. */
  seq(): number;
  /** The newest line's time. */
  at(): number;
  append(event: string, at: number, settles?: string): number;
  /** The next line gets the number after `seq`. */
  skipTo(seq: number): void;
  read(after: number, limit: number): readonly LedgerLine[];
  trim(seq: number): void;
}

/** Makes a ledger of at most `most` lines and some. `dropped` hears of settled reservations whose line is gone. */
export function memoryLedger(most: number, dropped: (reservation: string) => void): Ledger {
  let lines: Line[] = [];
  let seq = 0;
  let at = 0;

  // Numbers leave one gap at an acknowledgement, so a line's place is searched, not computed.
  function placeAfter(number: number): number {
    let low = 0;
    let high = lines.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((lines[middle] as Line).seq <= number) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function drop(count: number): void {
    for (let place = 0; place < count; place++) {
      const { settles } = lines[place] as Line;
      if (settles !== undefined) dropped(settles);
    }
    lines = lines.slice(count);
  }

  return {
    seq: () => seq,
    at: () => at,
    append(event, time, settles) {
      seq++;
      at = Math.max(at, time);
      lines.push({ seq, at, event, settles });
      // In bulk: moving all lines up for every new one would make a long ledger slow.
      if (lines.length > most + Math.max(1_000, most >> 4)) drop(lines.length - most);
      return seq;
    },
    skipTo(number) {
      seq = number;
    },
    read(after, limit) {
      const from = placeAfter(after);
      return lines.slice(from, from + limit).map((line) => ({ seq: line.seq, at: line.at, event: line.event }));
    },
    trim(number) {
      drop(placeAfter(number));
    },
  };
}
