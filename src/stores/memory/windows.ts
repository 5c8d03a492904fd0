/**
 * Sliding windows in memory: distinct people per key, and messages per key.
 *
 * @module
 */
import type { CapSpend, RateSpend } from "../../store";

interface Seen {
  /** When the person was last counted, and the ledger number of the reservation that did it. */
  at: number;
  by: number;
  /** The reservation `by` brought the person in: a refusal of it takes the person out again. */
  fresh: boolean;
}

interface PeopleWindow {
  windowMs: number;
  readonly people: Map<string, Seen>;
  /**
   * When whom, oldest first; a line that is no longer the person's latest says nothing. Beside the
   * map, because a map walked from its head steps over every place that was ever deleted.
   */
  queue: { readonly person: string; readonly at: number }[];
  head: number;
}

interface MessageWindow {
  windowMs: number;
  used: number;
  /** Oldest first. */
  sent: { readonly at: number; readonly by: number; readonly messages: number }[];
}

/** The windows of one store. Nothing here holds more than the limits that were spent against. */
export interface Windows {
  people(spend: CapSpend, at: number): { readonly used: number; readonly wanted: number };
  messages(spend: RateSpend, at: number): number;
  count(spend: CapSpend, at: number, by: number): void;
  send(spend: RateSpend, at: number, by: number): void;
  /** Takes out what the reservation `by` brought in and nobody has counted since. */
  refundPeople(key: string, by: number, only?: readonly string[]): void;
  refundMessages(key: string, by: number): void;
  used(key: string, windowMs: number, at: number): number;
}

/** Makes the windows of one store. */
export function memoryWindows(): Windows {
  const caps = new Map<string, PeopleWindow>();
  const rates = new Map<string, MessageWindow>();
  let sweepAt = 1_024;

  // Keys that nobody spends any more would stay for ever: one pass whenever their number has doubled.
  function sweep(at: number): void {
    if (caps.size + rates.size < sweepAt) return;
    for (const [key, window] of caps) if (current(window, at).people.size === 0) caps.delete(key);
    for (const [key, window] of rates) if (sliding(window, at).used === 0) rates.delete(key);
    sweepAt = Math.max(1_024, 2 * (caps.size + rates.size));
  }

  return {
    people(spend, at) {
      const window = caps.get(spend.key);
      if (!window) return { used: 0, wanted: spend.people.length };
      window.windowMs = spend.windowMs;
      const { people } = current(window, at);
      let wanted = 0;
      for (const person of spend.people) if (!people.has(person)) wanted++;
      return { used: people.size, wanted };
    },
    messages(spend, at) {
      const window = rates.get(spend.key);
      if (!window) return 0;
      window.windowMs = spend.windowMs;
      return sliding(window, at).used;
    },
    count(spend, at, by) {
      sweep(at);
      let window = caps.get(spend.key);
      if (!window) {
        window = { windowMs: spend.windowMs, people: new Map(), queue: [], head: 0 };
        caps.set(spend.key, window);
      }
      for (const person of spend.people) {
        const before = window.people.get(person);
        window.people.set(person, { at, by, fresh: before === undefined });
        if (before?.at !== at) window.queue.push({ person, at });
      }
    },
    send(spend, at, by) {
      if (spend.messages === 0) return;
      sweep(at);
      const window = rates.get(spend.key) ?? { windowMs: spend.windowMs, used: 0, sent: [] };
      rates.set(spend.key, window);
      window.sent.push({ at, by, messages: spend.messages });
      window.used += spend.messages;
    },
    refundPeople(key, by, only) {
      const people = caps.get(key)?.people;
      if (!people) return;
      for (const person of only ?? people.keys()) {
        const seen = people.get(person);
        // By number, not by time: another reservation of the same millisecond may hold the person too.
        if (seen?.fresh && seen.by === by) people.delete(person);
      }
    },
    refundMessages(key, by) {
      const window = rates.get(key);
      if (!window) return;
      window.sent = window.sent.filter((sent) => sent.by !== by);
      window.used = window.sent.reduce((sum, sent) => sum + sent.messages, 0);
    },
    used(key, windowMs, at) {
      const window = caps.get(key);
      if (!window) return 0;
      let used = 0;
      for (const seen of window.people.values()) if (seen.at > at - windowMs) used++;
      return used;
    },
  };
}

function current(window: PeopleWindow, at: number): PeopleWindow {
  const { people, queue } = window;
  for (; window.head < queue.length; window.head++) {
    const { person, at: counted } = queue[window.head] as PeopleWindow["queue"][number];
    if (counted > at - window.windowMs) break;
    if (people.get(person)?.at === counted) people.delete(person);
  }
  // As long as the people, not as the messages to them: one person mailed a million times is one line.
  if (queue.length > 2 * people.size + 64) {
    window.queue = queue.slice(window.head).filter(({ person, at: counted }) => people.get(person)?.at === counted);
    window.head = 0;
  }
  return window;
}

function sliding(window: MessageWindow, at: number): MessageWindow {
  let gone = 0;
  for (const sent of window.sent) {
    if (sent.at > at - window.windowMs) break;
    window.used -= sent.messages;
    gone++;
  }
  if (gone > 0) window.sent.splice(0, gone);
  return window;
}
