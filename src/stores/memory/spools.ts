/**
 * The spools of plans in memory.
 *
 * @module
 */
import type { EntryClaim, EntryState, Fate, OnceRecord, SpoolEntry } from "../../store";

interface Entry {
  readonly index: number;
  sealed: Uint8Array | undefined;
  state: EntryState;
  /** Until when a claimed entry is leased. */
  until: number;
  /** Who reserved it, and when. */
  reservation: string;
  at: number;
  messageId: string | undefined;
}

interface Spool {
  readonly entries: Map<number, Entry>;
  /** By index; `undefined` after an addition. */
  order: Entry[] | undefined;
  /** No entry before this place of `order` waits: a release of n entries looks at each once. */
  waiting: number;
  readonly claimed: Set<Entry>;
}

/** The spools of one store, by plan. */
export interface Spools {
  add(plan: string, entries: readonly SpoolEntry[]): void;
  from(plan: string, from: number, limit: number): readonly SpoolEntry[];
  claim(plan: string, count: number, at: number, leaseMs: number, below?: number): readonly SpoolEntry[];
  states(plan: string): Partial<Record<EntryState, number>>;
  inState(plan: string, state: EntryState, after: number, limit: number): readonly number[];
  requeue(plan: string, from: EntryState): number;
  mark(plan: string, indexes: readonly number[], to: "told" | "removed"): number;
  drop(plan: string): void;
  /** Why an entry cannot be reserved; `undefined` when it can. */
  taken(claim: EntryClaim, at: number): OnceRecord | undefined;
  reserve(claim: EntryClaim, reservation: string, at: number): void;
  settle(claim: EntryClaim, reservation: string, fate: Fate, messageId: string | undefined): void;
}

/** Makes the spools of one store. */
export function memorySpools(): Spools {
  const spools = new Map<string, Spool>();

  function find(claim: EntryClaim): { readonly spool: Spool; readonly entry: Entry } | undefined {
    const spool = spools.get(claim.plan);
    const entry = spool?.entries.get(claim.index);
    return spool && entry ? { spool, entry } : undefined;
  }

  return {
    add(plan, entries) {
      const spool: Spool = spools.get(plan) ?? { entries: new Map(), order: [], waiting: 0, claimed: new Set() };
      spools.set(plan, spool);
      for (const { index, sealed } of entries) {
        if (spool.entries.has(index)) continue;
        // A copy: the caller may use its buffer again.
        const copy = Uint8Array.from(sealed);
        const entry = { index, sealed: copy, until: 0, reservation: "", at: 0, messageId: undefined };
        spool.entries.set(index, { ...entry, state: "waiting" });
        spool.order = undefined;
        spool.waiting = 0;
      }
    },
    from(plan, from, limit) {
      return pick(spools.get(plan), from, limit, (entry) => entry.sealed !== undefined).flatMap(bytes);
    },
    claim(plan, count, at, leaseMs, below = Number.POSITIVE_INFINITY) {
      const spool = spools.get(plan);
      if (!spool) return [];
      const free = [...spool.claimed].filter((entry) => entry.until <= at && entry.sealed && entry.index < below);
      const all = ordered(spool);
      let found = 0;
      for (let place = spool.waiting; place < all.length && found < count; place++) {
        const entry = all[place] as Entry;
        if (entry.index >= below) break;
        if (entry.state === "waiting" && entry.sealed) {
          free.push(entry);
          found++;
        } else if (place === spool.waiting) spool.waiting++;
      }
      const claimed = free.sort(byIndex).slice(0, Math.max(0, count));
      for (const entry of claimed) {
        entry.state = "claimed";
        entry.until = at + leaseMs;
        spool.claimed.add(entry);
      }
      return claimed.flatMap(bytes);
    },
    states(plan) {
      const states: Partial<Record<EntryState, number>> = {};
      for (const { state } of spools.get(plan)?.entries.values() ?? []) states[state] = (states[state] ?? 0) + 1;
      return states;
    },
    inState(plan, state, after, limit) {
      return pick(spools.get(plan), after + 1, limit, (entry) => entry.state === state).map((entry) => entry.index);
    },
    requeue(plan, from) {
      const spool = spools.get(plan);
      let count = 0;
      for (const entry of spool?.entries.values() ?? []) {
        if (entry.state !== from) continue;
        entry.state = "waiting";
        entry.reservation = "";
        spool?.claimed.delete(entry);
        count++;
      }
      if (spool) spool.waiting = 0;
      return count;
    },
    mark(plan, indexes, to) {
      const spool = spools.get(plan);
      let count = 0;
      for (const index of indexes) {
        const entry = spool?.entries.get(index);
        const { state } = entry ?? {};
        if (!entry || (to === "told" ? state !== "accepted" : state !== "waiting" && state !== "claimed")) continue;
        entry.state = to;
        spool?.claimed.delete(entry);
        count++;
      }
      return count;
    },
    drop(plan) {
      for (const entry of spools.get(plan)?.entries.values() ?? []) entry.sealed = undefined;
    },
    taken(claim, at) {
      const entry = find(claim)?.entry;
      if (!entry) return { reservation: "", state: "unknown", at };
      const { state, reservation, messageId } = entry;
      if (state === "waiting" || state === "claimed") return undefined;
      if (state === "removed") return { reservation: "", state: "unknown", at };
      const ended = state === "told" ? "accepted" : state;
      return { reservation, state: ended, at: entry.at, ...(messageId === undefined ? {} : { messageId }) };
    },
    reserve(claim, reservation, at) {
      const found = find(claim);
      if (!found) return;
      found.spool.claimed.delete(found.entry);
      Object.assign(found.entry, { state: "reserved", reservation, at, messageId: undefined });
    },
    settle(claim, reservation, fate, messageId) {
      const entry = find(claim)?.entry;
      // An entry let go again in between belongs to another reservation, or to nobody.
      if (entry?.state === "reserved" && entry.reservation === reservation)
        Object.assign(entry, { state: fate, messageId });
    },
  };
}

function ordered(spool: Spool): readonly Entry[] {
  spool.order ??= [...spool.entries.values()].sort(byIndex);
  return spool.order;
}

function byIndex(a: Entry, b: Entry): number {
  return a.index - b.index;
}

function pick(spool: Spool | undefined, from: number, limit: number, wanted: (entry: Entry) => boolean): Entry[] {
  const picked: Entry[] = [];
  if (!spool) return picked;
  const all = ordered(spool);
  for (let place = firstFrom(all, from); place < all.length && picked.length < limit; place++) {
    const entry = all[place] as Entry;
    if (wanted(entry)) picked.push(entry);
  }
  return picked;
}

function firstFrom(entries: readonly Entry[], from: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle] as Entry).index < from) low = middle + 1;
    else high = middle;
  }
  return low;
}

function bytes(entry: Entry): SpoolEntry[] {
  return entry.sealed ? [{ index: entry.index, sealed: Uint8Array.from(entry.sealed) }] : [];
}
