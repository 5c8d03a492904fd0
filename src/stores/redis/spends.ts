/**
 * Spends as arguments of our scripts; what they stand for is said at `judge` in lua-windows.
 *
 * @module
 */
import type { CapSpend, HaltRecord, RateSpend, ReserveAnswer } from "../../store";
import { limit, type Staging } from "../staging";
import { nonsense, whole } from "./client";
import { milliseconds, windowName } from "./names";
import { haltText } from "./records";

/** What stands for people in an argument. */
export type PeopleRef = string | number | readonly [number, ...unknown[]];

/** Places of specs whose caps are for the same people. */
export type Group = number[];

/** Texts that the scripts index, each sent once. Indexes start at 1, as in Lua. */
class Table<Value> {
  readonly rows: Value[] = [];
  readonly #places = new Map<string, number>();

  place(key: string, make: () => Value): number {
    let place = this.#places.get(key);
    if (place === undefined) {
      place = this.rows.push(make());
      this.#places.set(key, place);
    }
    return place;
  }
}

/** Collects the spends of one call. */
export class Spends {
  readonly windows = new Table<readonly [string, number]>();
  readonly specs = new Table<readonly unknown[]>();
  /** In the order of `specs`. */
  readonly #spends: (CapSpend | RateSpend)[] = [];
  /** Arguments after the events. */
  readonly packed: string[] = [];
  readonly #refs = new Map<readonly string[], PeopleRef>();
  readonly #firstArgument: number;
  readonly #staged: Staging | undefined;

  /**
   * @param between how many arguments stand between the head and the packed people
   * @param staged where the spends were staged before: then no script looks at their windows again
   */
  constructor(between: number, staged?: Staging) {
    this.#firstArgument = between + 2;
    this.#staged = staged;
  }

  /** Where a spend's limits stand among the specs. */
  spec(spend: CapSpend | RateSpend): number {
    const name = windowName(spend);
    const place = this.#staged ? 0 : this.windows.place(name, () => [name, milliseconds(spend.windowMs)]);
    const halt: HaltRecord | undefined = "people" in spend ? spend.haltOnExceeded : undefined;
    const halts = halt ? [halt.scope, haltText(halt)] : [];
    return this.specs.place(`${name} ${spend.limit} ${spend.enforce} ${halts.join(" ")}`, () => {
      this.#spends.push(spend);
      return [place, limit(spend), spend.enforce ? 1 : 0, ...halts];
    });
  }

  /** Groups of caps, and who stands first in each. Staged ones each stand alone: their windows differ in what became of them. */
  groups(caps: readonly CapSpend[]): { readonly groups: Group[]; readonly firsts: number[] } {
    const groups: Group[] = [];
    const firsts: number[] = [];
    caps.forEach((cap, index) => {
      const group = groups.at(-1);
      if (group && !this.#staged && samePeople(cap, caps[index - 1] as CapSpend)) group.push(this.spec(cap));
      else {
        groups.push([this.spec(cap)]);
        firsts.push(index);
      }
    });
    return { groups, firsts };
  }

  /** What a script takes for a spend's people or messages. */
  ref(spend: CapSpend | RateSpend): PeopleRef {
    if (this.#staged) {
      const obstacle = this.#staged.obstacle(spend);
      return obstacle ? [-2, obstacle.used, obstacle.wanted] : [-1];
    }
    return "people" in spend ? this.people(spend.people) : spend.messages;
  }

  /** People in the shortest form: one as text, many of one length as one packed argument. */
  people(people: readonly string[]): PeopleRef {
    if (people.length === 1) return people[0] as string;
    let ref = this.#refs.get(people);
    if (ref === undefined) {
      ref = this.#pack(people);
      this.#refs.set(people, ref);
    }
    return ref;
  }

  #pack(people: readonly string[]): PeopleRef {
    const width = people[0]?.length ?? 0;
    if (width === 0 || people.some((person) => person.length !== width)) return [0, people];
    const joined = people.join("");
    // The scripts cut bytes.
    if (Buffer.byteLength(joined) !== joined.length) return [0, people];
    this.packed.push(joined);
    return [this.#firstArgument + this.packed.length - 1, width];
  }

  /** The spend that a script named by its place. */
  at(place: unknown): CapSpend | RateSpend {
    const spend = this.#spends[whole(place) - 1];
    if (!spend) throw nonsense();
    return spend;
  }

  /** The refusal by the spend that a script named. */
  refusal(place: unknown, used: unknown, wanted: unknown): Extract<ReserveAnswer, { ok: false; reason: "cap" }> {
    const { key, limit } = this.at(place);
    return { ok: false, reason: "cap", key, limit, used: whole(used), wanted: whole(wanted) };
  }
}

/** Whether two caps are surely for the same people: by list, or by the one person. */
export function samePeople({ people: a }: CapSpend, { people: b }: CapSpend): boolean {
  return a === b || (a.length === 1 && b.length === 1 && a[0] === b[0]);
}
