/**
 * The lists of the short path: everything of a batch at once, as long as no two reservations of it meet in
 * anything but a window.
 *
 * @module
 */
import type { CapSpend, RateSpend, Reservation } from "../../store";
import { limit, windowKey } from "../staging";
import { joined, milliseconds, name, windowId } from "./database";
import type { People } from "./encode";
import { shortLists } from "./functions-short-path";

/** What is kept of a reservation. */
export interface Kept {
  readonly id: string;
  readonly label: string;
  readonly caps: string;
  readonly rates: string;
  readonly claims: string;
  readonly keep: number;
}

interface Window {
  readonly place: number;
  readonly id: string;
  readonly length: number;
  lowest: number;
  rows: number;
  /** Whom the batch has counted here, and the row that does it. */
  readonly counted: Map<string, Row>;
}

interface Row {
  readonly window: number;
  readonly person: number;
  stamp: number;
}

/** Collects a batch. */
export class ShortPath {
  readonly #kept: Kept[] = [];
  readonly #once: { readonly key: string; readonly terms: readonly [number, number] }[] = [];
  /** By the reservation's place; holes where there is none. */
  readonly #entries: { readonly plan: string; readonly index: number }[] = [];
  readonly #taken = new Set<string>();
  readonly #windows = new Map<string, Window>();
  readonly #scopes = new Set<string>();
  readonly #rows: Row[] = [];
  readonly #people: People;
  #possible = true;

  constructor(people: People) {
    this.#people = people;
  }

  add(reservation: Reservation, kept: Kept): void {
    const place = this.#kept.push(kept);
    this.#take("reservation", kept.id);
    for (const scope of reservation.scopes) this.#scopes.add(name(scope));
    for (const claim of reservation.once) {
      this.#take("once", claim.key);
      this.#once.push({ key: name(claim.key), terms: [place, milliseconds(claim.ttlMs)] });
    }
    const { entry } = reservation;
    if (entry) {
      this.#take("entry", `${entry.index}:${entry.plan}`);
      this.#entries[place - 1] = { plan: name(entry.plan), index: entry.index };
    }
    const done = new Set<string>();
    for (const spend of [...reservation.caps, ...reservation.rates]) {
      const key = windowKey(spend);
      const window = this.#window(key, spend);
      // Two limits on one window: the same people.
      if (done.has(key)) continue;
      done.add(key);
      if ("people" in spend) this.#count(window, spend, (place - 1) * 4);
      else for (let message = 0; message < spend.messages; message++) this.#row(window, 0, (place - 1) * 4);
    }
  }

  /** What two reservations of a batch both want, only one can have: that is judged one by one. */
  #take(kind: string, key: string): void {
    const thing = `${kind} ${key}`;
    if (this.#taken.has(thing)) this.#possible = false;
    this.#taken.add(thing);
  }

  #window(key: string, spend: CapSpend | RateSpend): Window {
    let window = this.#windows.get(key);
    if (!window) {
      const length = milliseconds(spend.windowMs);
      const place = this.#windows.size + 1;
      window = { place, id: windowId(key), length, lowest: limit(spend), rows: 0, counted: new Map() };
      this.#windows.set(key, window);
    }
    window.lowest = Math.min(window.lowest, limit(spend));
    return window;
  }

  #count(window: Window, spend: CapSpend, stamp: number): void {
    const people = this.#people;
    const [first] = people.place(spend.people);
    for (let index = 0; index < spend.people.length; index++) {
      const person = people.names[first - 1 + index] as string;
      const counted = window.counted.get(person);
      if (counted) counted.stamp = stamp + 1;
      else window.counted.set(person, this.#row(window, first + index, stamp));
    }
  }

  #row(window: Window, person: number, stamp: number): Row {
    const row = { window: window.place, person, stamp };
    this.#rows.push(row);
    window.rows++;
    return row;
  }

  /** The lists as one text; `undefined` where the batch cannot take the short path. */
  lists(): string | undefined {
    if (!this.#possible) return undefined;
    const windows = [...this.#windows.values()];
    const kept = this.#kept;
    const entries = this.#entries.length > 0;
    const lists: Record<(typeof shortLists)[number], string> = {
      ids: joined(kept.map(({ id }) => id)),
      labels: joined(kept.map(({ label }) => label)),
      caps: joined(kept.map(({ caps }) => caps)),
      rates: joined(kept.map(({ rates }) => rates)),
      claims: joined(kept.map(({ claims }) => claims)),
      keeps: kept.map(({ keep }) => keep).join(),
      onceKeys: joined(this.#once.map(({ key }) => key)),
      onceTerms: this.#once.flatMap(({ terms }) => terms).join(),
      plans: entries ? joined(kept.map((_, at) => this.#entries[at]?.plan ?? "")) : "",
      places: entries ? kept.map((_, at) => this.#entries[at]?.index ?? -1).join() : "",
      windows: windows.map(({ id }) => id).join(),
      lengths: windows.map(({ length }) => length).join(),
      limits: windows.map(({ lowest }) => lowest).join(),
      needs: windows.map(({ rows }) => rows).join(),
      scopes: joined([...this.#scopes]),
      rows: this.#rows.flatMap(({ window, person, stamp }) => [window, person, stamp]).join(),
    };
    return shortLists.map((part) => lists[part]).join("\u001d");
  }
}
