/**
 * Sliding windows of distinct people in memory.
 *
 * @module
 */
import type { CapSpend } from "../../store";
import { none, Table } from "./table";
import { tidier } from "./tidy";

/** The people of one window, each with a row, in the order in which they were last counted: time never goes back here. */
interface Window {
  windowMs: number;
  readonly rows: Map<string, number>;
  oldest: number;
  newest: number;
}

/** The windows of one store. Nothing here holds more than the limits that were spent against. */
export interface PeopleWindows {
  look(spend: CapSpend, at: number): { readonly used: number; readonly wanted: number };
  count(spend: CapSpend, at: number, by: number): void;
  /** Takes out those of `people` whom the reservation `by` brought in and nobody has counted since. */
  refund(key: string, by: number, people: readonly string[]): void;
  used(key: string, windowMs: number, at: number): number;
}

/** Makes the windows of one store. */
export function memoryPeople(): PeopleWindows {
  const windows = new Map<string, Window>();
  // Keys that nobody spends any more would stay for ever.
  const tidy = tidier(windows, (window, at) => current(window, at).rows.size === 0);
  /**
   * When a person was last counted, and the ledger number of the reservation that did it; `fresh`, 1 or 0: that one
   * brought the person in, and a refusal of it takes the person out again; who was counted just before and just after.
   */
  const seen = new Table(["at", "by", "fresh", "older", "newer"], ["person"]);

  function link(window: Window, row: number): void {
    const { older, newer } = seen.numbers;
    older[row] = window.newest;
    newer[row] = none;
    if (window.newest === none) window.oldest = row;
    else newer[window.newest] = row;
    window.newest = row;
  }

  function unlink(window: Window, row: number): void {
    const { older, newer } = seen.numbers;
    const [before, after] = [older[row] as number, newer[row] as number];
    if (before === none) window.oldest = after;
    else newer[before] = after;
    if (after === none) window.newest = before;
    else older[after] = before;
  }

  /** Takes a person out of a window. */
  function drop(window: Window, row: number): void {
    window.rows.delete(seen.texts.person[row] as string);
    unlink(window, row);
    seen.remove(row);
  }

  /** A window without those whose time is over. */
  function current(window: Window, at: number): Window {
    const since = at - window.windowMs;
    while (window.oldest !== none && (seen.numbers.at[window.oldest] as number) <= since) drop(window, window.oldest);
    return window;
  }

  /** Counts a person now: the newest of the window. */
  function see(window: Window, person: string, at: number, by: number): void {
    const known = window.rows.get(person);
    const row = known ?? seen.add();
    if (known === undefined) {
      window.rows.set(person, row);
      seen.texts.person[row] = person;
    } else unlink(window, row);
    const { numbers } = seen;
    numbers.at[row] = at;
    numbers.by[row] = by;
    numbers.fresh[row] = known === undefined ? 1 : 0;
    link(window, row);
  }

  return {
    look(spend, at) {
      const window = windows.get(spend.key);
      if (!window) return { used: 0, wanted: spend.people.length };
      window.windowMs = spend.windowMs;
      const { rows } = current(window, at);
      let wanted = 0;
      for (const person of spend.people) if (!rows.has(person)) wanted++;
      return { used: rows.size, wanted };
    },
    count(spend, at, by) {
      let window = windows.get(spend.key);
      if (!window) {
        tidy(at);
        window = { windowMs: spend.windowMs, rows: new Map(), oldest: none, newest: none };
        windows.set(spend.key, window);
      }
      for (const person of spend.people) see(window, person, at, by);
    },
    refund(key, by, people) {
      const window = windows.get(key);
      for (const person of people) {
        const row = window?.rows.get(person);
        // By number, not by time: another reservation of the same millisecond may hold the person too.
        if (window && row !== undefined && seen.numbers.fresh[row] === 1 && seen.numbers.by[row] === by)
          drop(window, row);
      }
    },
    used(key, windowMs, at) {
      const { older, at: times } = seen.numbers;
      let used = 0;
      let row = windows.get(key)?.newest ?? none;
      for (; row !== none && (times[row] as number) > at - windowMs; row = older[row] as number) used++;
      return used;
    },
  };
}
