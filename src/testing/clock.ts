/**
 * A clock that tests move by hand.
 *
 * @module
 */
import type { Clock } from "../clock";

/** A {@link Clock} that stands still until it is moved. */
export interface ManualClock extends Clock {
  /** Moves time forward and calls back whatever falls due, in order. */
  advance(ms: number): void;
}

/**
 * Makes a clock that stands still.
 *
 * @example
 * ```ts
 * const clock = manualClock();
 * const fuse = createFuse({ …, clock });
 * clock.advance(3_600_000);
 * ```
 */
export function manualClock(start = 1_700_000_000_000): ManualClock {
  let now = start;
  let due: { readonly at: number; readonly callback: () => void }[] = [];
  return {
    now: () => now,
    after(ms, callback) {
      const entry = { at: now + ms, callback };
      due.push(entry);
      return () => {
        due = due.filter((other) => other !== entry);
      };
    },
    advance(ms) {
      now += ms;
      const fired = due.filter((entry) => entry.at <= now).sort((a, b) => a.at - b.at);
      due = due.filter((entry) => entry.at > now);
      for (const { callback } of fired) callback();
    },
  };
}
