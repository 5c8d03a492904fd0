/**
 * What a conformance case of the store seam works with: the store, time, and short ways to write
 * a reservation.
 *
 * @module
 */
import type { CapSpend, OnceClaim, RateSpend, Reservation, ReserveAnswer, Store } from "../../store";

/** An empty store, opened for one case. */
export interface OpenedStore {
  readonly store: Store;
  /** A further handle on the same data, as another process has it. */
  readonly reopen?: () => Promise<Store>;
  /** Moves the injected clock, also backwards. Left out where the server's clock counts. */
  readonly advance?: (ms: number) => void | Promise<void>;
  /** Closes every handle and removes the data. */
  readonly close: () => Promise<void>;
}

/** One thing a store must do. */
export interface StoreCase {
  /** Also what `skip` names it by. */
  readonly name: string;
  /** Cannot be asked of a server's clock. */
  readonly clock?: "injected";
  readonly run: (bench: Bench) => Promise<void>;
}

/** The tools of a case. */
export interface Bench {
  readonly store: Store;
  /** Another process's handle on the same data. Throws where the runner gives none. */
  another(): Promise<Store>;
  /** Another process's handle where there is one, else the store itself. */
  readonly second: Store;
  /** A window that a case can afford to wait for. */
  readonly window: number;
  /** Lets that much time pass. */
  pass(ms: number): Promise<void>;
  /** Whether time moves only when told to. */
  readonly still: boolean;
  /** A reservation that asks for nothing but what is given. */
  reservation(wants?: Partial<Reservation>): Reservation;
  /** Reserves one and resolves to its answer. */
  reserve(wants?: Partial<Reservation>, store?: Store): Promise<ReserveAnswer>;
  /** Reserves one that must pass; resolves to it and its answer. */
  passes(wants?: Partial<Reservation>, store?: Store): Promise<Passed>;
}

/** A reservation that passed. */
export type Passed = Extract<ReserveAnswer, { ok: true }> & { readonly id: string };

/** An hour: long enough never to be over within a case. */
export const hour = 3_600_000;

/** A cap that is enforced, on a window that does not move within a case. */
export function cap(key: string, limit: number, people: readonly string[], more: Partial<CapSpend> = {}): CapSpend {
  return { key, windowMs: hour, limit, people, enforce: true, ...more };
}

/** A rate that is enforced, on a window that does not move within a case. */
export function rate(key: string, limit: number, messages = 1, more: Partial<RateSpend> = {}): RateSpend {
  return { key, windowMs: hour, limit, messages, enforce: true, ...more };
}

/** A claim that holds for an hour. */
export function claim(key: string, more: Partial<OnceClaim> = {}): OnceClaim {
  return { key, ttlMs: hour, onUnknown: "hold", ...more };
}

/** `count` pseudonyms, from `first` on. */
export function crowd(count: number, first = 0): string[] {
  return Array.from({ length: count }, (_, index) => `person-${first + index}`);
}

/** How many of the answers passed. */
export function passed(answers: readonly ReserveAnswer[]): number {
  return answers.filter((answer) => answer.ok).length;
}

/** What refused, in short: `cap:<key>`, `duplicate:<key>`, `halted:<scope>`, `regressed`, or `ok`. */
export function verdict(answer: ReserveAnswer): string {
  if (answer.ok) return "ok";
  if (answer.reason === "halted") return `halted:${answer.halt.scope}`;
  if (answer.reason === "regressed") return "regressed";
  return `${answer.reason}:${answer.key}`;
}

/** Events of all lines, oldest first. */
export async function events(store: Store): Promise<string[]> {
  return (await store.read(0, 100_000)).map((line) => line.event);
}

/** The same numbers for the same seed: mulberry32, public domain. */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

/** Makes the tools for one opened store. */
export async function bench(opened: OpenedStore): Promise<Bench> {
  const { store, advance } = opened;
  let last = 0;

  async function another(): Promise<Store> {
    if (!opened.reopen) throw new Error("This case needs `reopen`. Give it, or skip the case with a reason.");
    return opened.reopen();
  }

  async function pass(ms: number): Promise<void> {
    if (advance) return advance(ms);
    // The server's time is asked for, not waited for: nothing here knows how fast it goes.
    const until = (await store.now()) + ms;
    while ((await store.now()) <= until) await Promise.resolve();
  }

  function reservation(wants: Partial<Reservation> = {}): Reservation {
    last++;
    const id = wants.id ?? `reservation-${last}`;
    return {
      id,
      scopes: ["*"],
      once: [],
      caps: [],
      rates: [],
      event: JSON.stringify({ reserved: id }),
      seen: 0,
      ...wants,
    };
  }

  async function reserve(wants: Partial<Reservation> = {}, at = store): Promise<ReserveAnswer> {
    const answers = await at.reserve([reservation(wants)]);
    if (answers.length !== 1) throw new Error(`Expected one answer to one reservation, got ${answers.length}.`);
    return answers[0] as ReserveAnswer;
  }

  return {
    store,
    another,
    second: opened.reopen ? await opened.reopen() : store,
    window: advance ? hour : 250,
    pass,
    still: advance !== undefined,
    reservation,
    reserve,
    async passes(wants = {}, at = store) {
      const asked = reservation(wants);
      const [answer] = await at.reserve([asked]);
      if (!answer?.ok)
        throw new Error(`Expected the reservation to pass, got ${answer ? verdict(answer) : "no answer"}.`);
      return { ...answer, id: asked.id };
    },
  };
}
