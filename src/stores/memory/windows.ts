/**
 * Sliding windows in memory: distinct people per key, and messages per key.
 *
 * @module
 */
import type { CapSpend, RateSpend } from "../../store";
import { tidier } from "./tidy";

/** A person in a window, between those who were counted just before and just after. */
interface Seen {
  readonly person: string;
  /** When the person was last counted, and the ledger number of the reservation that did it. */
  at: number;
  by: number;
  /** The reservation `by` brought the person in: a refusal of it takes the person out again. */
  fresh: boolean;
  older: Seen | undefined;
  newer: Seen | undefined;
}

/** The people of one window, and the order in which they were last counted: time never goes back here. */
interface PeopleWindow {
  windowMs: number;
  readonly people: Map<string, Seen>;
  oldest: Seen | undefined;
  newest: Seen | undefined;
}

interface MessageWindow {
  windowMs: number;
  used: number;
  /** Time, ledger number and messages of each sending, one behind the other; oldest first. There are very many of these. */
  sent: number[];
}

/** The windows of one store. Nothing here holds more than the limits that were spent against. */
export interface Windows {
  people(spend: CapSpend, at: number): { readonly used: number; readonly wanted: number };
  messages(spend: RateSpend, at: number): number;
  count(spend: CapSpend, at: number, by: number): void;
  send(spend: RateSpend, at: number, by: number): void;
  /** Takes out those of `people` whom the reservation `by` brought in and nobody has counted since. */
  refundPeople(key: string, by: number, people: readonly string[]): void;
  refundMessages(key: string, by: number): void;
  used(key: string, windowMs: number, at: number): number;
}

/** Makes the windows of one store. */
export function memoryWindows(): Windows {
  const caps = new Map<string, PeopleWindow>();
  const rates = new Map<string, MessageWindow>();
  // Keys that nobody spends any more would stay for ever.
  const tidyCaps = tidier(caps, (window, at) => current(window, at).people.size === 0);
  const tidyRates = tidier(rates, (window, at) => sliding(window, at).used === 0);

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
      let window = caps.get(spend.key);
      if (!window) {
        tidyCaps(at);
        window = { windowMs: spend.windowMs, people: new Map(), oldest: undefined, newest: undefined };
        caps.set(spend.key, window);
      }
      for (const person of spend.people) seePerson(window, person, at, by);
    },
    send({ key, windowMs, messages }, at, by) {
      if (messages === 0) return;
      const window = rates.get(key);
      if (window) {
        window.sent.push(at, by, messages);
        window.used += messages;
        return;
      }
      tidyRates(at);
      rates.set(key, { windowMs, used: messages, sent: [at, by, messages] });
    },
    refundPeople(key, by, people) {
      const window = caps.get(key);
      if (!window) return;
      for (const person of people) {
        const seen = window.people.get(person);
        // By number, not by time: another reservation of the same millisecond may hold the person too.
        if (!seen?.fresh || seen.by !== by) continue;
        window.people.delete(person);
        unlink(window, seen);
      }
    },
    refundMessages(key, by) {
      const window = rates.get(key);
      if (!window) return;
      const { sent } = window;
      for (let place = sent.length - 3; place >= 0; place -= 3) {
        if (sent[place + 1] !== by) continue;
        window.used -= sent[place + 2] as number;
        sent.splice(place, 3);
      }
    },
    used(key, windowMs, at) {
      const window = caps.get(key);
      if (!window) return 0;
      let used = 0;
      for (let seen = window.newest; seen && seen.at > at - windowMs; seen = seen.older) used++;
      return used;
    },
  };
}

/** Counts a person now: the newest of the window. */
function seePerson(window: PeopleWindow, person: string, at: number, by: number): void {
  const known = window.people.get(person);
  if (known) {
    known.at = at;
    known.by = by;
    known.fresh = false;
    if (known === window.newest) return;
    unlink(window, known);
    link(window, known);
    return;
  }
  const seen: Seen = { person, at, by, fresh: true, older: undefined, newer: undefined };
  window.people.set(person, seen);
  link(window, seen);
}

function link(window: PeopleWindow, seen: Seen): void {
  seen.older = window.newest;
  seen.newer = undefined;
  if (window.newest) window.newest.newer = seen;
  else window.oldest = seen;
  window.newest = seen;
}

function unlink(window: PeopleWindow, { older, newer }: Seen): void {
  if (older) older.newer = newer;
  else window.oldest = newer;
  if (newer) newer.older = older;
  else window.newest = older;
}

function current(window: PeopleWindow, at: number): PeopleWindow {
  const since = at - window.windowMs;
  for (let { oldest } = window; oldest && oldest.at <= since; oldest = window.oldest) {
    window.people.delete(oldest.person);
    unlink(window, oldest);
  }
  return window;
}

function sliding(window: MessageWindow, at: number): MessageWindow {
  const { sent } = window;
  const since = at - window.windowMs;
  let gone = 0;
  for (; gone < sent.length && (sent[gone] as number) <= since; gone += 3) window.used -= sent[gone + 2] as number;
  if (gone > 0) sent.splice(0, gone);
  return window;
}
