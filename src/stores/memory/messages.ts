/**
 * Sliding windows of messages in memory. There is one for each person, so they are rows too.
 *
 * @module
 */
import type { RateSpend } from "../../store";
import { none, Table } from "./table";
import { tidier } from "./tidy";

/** The windows of one store. Nothing here holds more than the limits that were spent against. */
export interface MessageWindows {
  used(spend: RateSpend, at: number): number;
  count(spend: RateSpend, at: number, by: number): void;
  /** Takes out what the reservation `by` has sent. */
  refund(key: string, by: number): void;
}

/** Makes the windows of one store. */
export function memoryMessages(): MessageWindows {
  const rows = new Map<string, number>();
  /** The length of a window, the messages in it, and the first and last of its sendings. */
  const windows = new Table(["windowMs", "used", "oldest", "newest"]);
  /** Time, ledger number and messages of each sending, and the one after it. */
  const sendings = new Table(["at", "by", "messages", "newer"]);
  // Keys that nobody spends any more would stay for ever.
  const tidy = tidier(rows, (window, at) => {
    if (current(window, at) > 0) return false;
    windows.remove(window);
    return true;
  });

  /** Takes a sending out of its window; `before` is the one before it. Gives the one after it. */
  function drop(window: number, sending: number, before: number): number {
    const { used, oldest, newest } = windows.numbers;
    const { messages, newer } = sendings.numbers;
    const after = newer[sending] as number;
    if (before === none) oldest[window] = after;
    else newer[before] = after;
    if (after === none) newest[window] = before;
    used[window] = (used[window] as number) - (messages[sending] as number);
    sendings.remove(sending);
    return after;
  }

  /** What a window holds, without what is past its time. */
  function current(window: number, at: number): number {
    const { windowMs, oldest, used } = windows.numbers;
    const since = at - (windowMs[window] as number);
    let sending = oldest[window] as number;
    while (sending !== none && (sendings.numbers.at[sending] as number) <= since) sending = drop(window, sending, none);
    return used[window] as number;
  }

  function begin(key: string, length: number): number {
    const window = windows.add();
    const { windowMs, used, oldest, newest } = windows.numbers;
    windowMs[window] = length;
    used[window] = 0;
    oldest[window] = none;
    newest[window] = none;
    rows.set(key, window);
    return window;
  }

  return {
    used({ key, windowMs }, at) {
      const window = rows.get(key);
      if (window === undefined) return 0;
      windows.numbers.windowMs[window] = windowMs;
      return current(window, at);
    },
    count(spend, at, by) {
      if (spend.messages === 0) return;
      let window = rows.get(spend.key);
      if (window === undefined) {
        tidy(at);
        window = begin(spend.key, spend.windowMs);
      }
      const sending = sendings.add();
      const { used, oldest, newest } = windows.numbers;
      const { numbers } = sendings;
      numbers.at[sending] = at;
      numbers.by[sending] = by;
      numbers.messages[sending] = spend.messages;
      numbers.newer[sending] = none;
      const last = newest[window] as number;
      if (last === none) oldest[window] = sending;
      else numbers.newer[last] = sending;
      newest[window] = sending;
      used[window] = (used[window] as number) + spend.messages;
    },
    refund(key, by) {
      const window = rows.get(key);
      if (window === undefined) return;
      const { numbers } = sendings;
      let before: number = none;
      let sending = windows.numbers.oldest[window] as number;
      while (sending !== none) {
        if (numbers.by[sending] === by) sending = drop(window, sending, before);
        else {
          before = sending;
          sending = numbers.newer[sending] as number;
        }
      }
    },
  };
}
