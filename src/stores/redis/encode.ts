/**
 * Reservations and settlements as arguments of our scripts, and their answers read back.
 *
 * @module
 */
import type {
  CapSpend,
  Fate,
  HaltRecord,
  OnceRecord,
  RateSpend,
  Reservation,
  ReserveAnswer,
  Settlement,
} from "../../store";
import { limit, type Staging, windowKey } from "../staging";
import { list, nonsense, text, whole } from "./client";

/** What stands for people in an argument; see `judge` in lua-base. */
export type PeopleRef = string | number | readonly [number, ...unknown[]];

/** The time of a claim, at most a hundred years: longer ones overflow in Redis. */
export function milliseconds(ms: number): number {
  return Math.min(3_155_760_000_000, Math.max(1, Math.ceil(ms)));
}

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
  readonly keys = new Table<readonly [string, number]>();
  readonly specs = new Table<readonly unknown[]>();
  /** In the order of `specs`. */
  readonly spends: (CapSpend | RateSpend)[] = [];
  /** Arguments after the events. */
  readonly packed: string[] = [];
  readonly #refs = new Map<readonly string[], PeopleRef>();
  readonly #firstArgument: number;

  /** @param between how many arguments stand between the head and the packed people */
  constructor(between: number) {
    this.#firstArgument = between + 2;
  }

  /** `[specs, people, specs, people, …]` of one reservation, in order: spends for the same people stand together. */
  add(caps: readonly CapSpend[], rates: readonly RateSpend[], staged?: Staging): unknown[] {
    const flat: unknown[] = [];
    let last: readonly string[] | undefined;
    let specs: number[] = [];
    for (const cap of caps) {
      const spec = this.#spec(cap, cap.haltOnExceeded);
      if (!staged && cap.people === last) {
        specs.push(spec);
        continue;
      }
      last = cap.people;
      specs = [spec];
      flat.push(specs, staged ? stagedRef(staged, cap) : this.people(cap.people));
    }
    for (const rate of rates)
      flat.push([this.#spec(rate, undefined)], staged ? stagedRef(staged, rate) : rate.messages);
    return flat;
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

  #spec(spend: CapSpend | RateSpend, halt: HaltRecord | undefined): number {
    const key = windowKey(spend);
    const place = this.keys.place(key, () => [key, milliseconds(spend.windowMs)]);
    const halts = halt ? [halt.scope, haltText(halt)] : [];
    const name = `${place} ${spend.limit} ${spend.enforce} ${halts.join(" ")}`;
    return this.specs.place(name, () => {
      this.spends.push(spend);
      return [place, limit(spend), spend.enforce ? 1 : 0, ...halts];
    });
  }

  /** The spend that a script named by its place. */
  at(place: unknown): CapSpend | RateSpend {
    const spend = this.spends[whole(place) - 1];
    if (!spend) throw nonsense();
    return spend;
  }
}

/** A halt as it is kept: without its time, which the server puts before it. */
export function haltText({ scope, reason, by }: HaltRecord): string {
  return JSON.stringify({ scope, reason, by });
}

/** Reads what stands in `halts`. */
export function readHalt(kept: unknown): HaltRecord {
  const [at, record] = splitOnce(text(kept), "\n");
  return { ...(JSON.parse(record) as HaltRecord), at: Number(at) };
}

/** One call of `reserve`. */
export class ReserveCall {
  readonly #reservations: readonly Reservation[];
  readonly #spends: Spends;
  readonly #dry: boolean;
  readonly #rows: unknown[][];
  /** What a settlement may have to give back, as it is kept. */
  readonly #back: string[] = [];
  /** After all other arguments: one of each reservation that brings some. */
  readonly #addresses: string[] = [];

  constructor(reservations: readonly Reservation[], options: { dry?: boolean; staged?: Staging } = {}) {
    this.#reservations = reservations;
    // Each has its event and what to give back before the people.
    this.#spends = new Spends(2 * reservations.length);
    this.#dry = options.dry ?? false;
    this.#rows = reservations.map((reservation) => this.#row(reservation, options.staged));
    if (!this.#dry) for (const [index, reservation] of reservations.entries()) this.#addAddresses(reservation, index);
  }

  head(nonce: string): unknown[] {
    const scopes = [...new Set(this.#reservations.flatMap((reservation) => reservation.scopes))];
    return [nonce, this.#dry ? 1 : 0, scopes, this.#spends.keys.rows, this.#spends.specs.rows, this.#rows];
  }

  rest(): string[] {
    const events = this.#reservations.map((reservation) => reservation.event);
    return [...events, ...this.#back, ...this.#spends.packed, ...this.#addresses];
  }

  #addAddresses({ addresses }: Reservation, index: number): void {
    if (!addresses || addresses.sealed.length === 0) return;
    this.#addresses.push(JSON.stringify([addresses.bucket, ...addresses.sealed.flat()]));
    // Behind the head, events, what to give back and the packed people, which are all known by now.
    const before = 1 + 2 * this.#reservations.length + this.#spends.packed.length;
    this.#rows[index]?.push(before + this.#addresses.length);
  }

  #row(reservation: Reservation, staged: Staging | undefined): unknown[] {
    const { id, seen, scopes, once, entry, caps, rates } = reservation;
    const claims = once.map((claim) => [
      claim.key,
      milliseconds(claim.ttlMs),
      claim.onUnknown === "resend" ? 1 : 0,
      claim.leaseMs ?? -1,
    ]);
    const place = entry ? [entry.plan, entry.index] : false;
    const spends = this.#dry ? [] : this.#spends.add(caps, rates, staged);
    const nothing = caps.length + rates.length + once.length === 0 && !entry;
    const back = [keysOf(caps), keysOf(rates), once.map((claim) => claim.key), place];
    this.#back.push(nothing ? "" : JSON.stringify(back));
    return [id, seen, scopes, claims, place, spends, staged?.stamp ?? 0];
  }

  /** The answers in order; `undefined` for a dry call that found nothing in the way, and for staging that took too long. */
  answers(reply: readonly unknown[]): (ReserveAnswer | undefined)[] {
    if (reply.length !== this.#reservations.length + 2) throw nonsense();
    const at = whole(reply[0]);
    return this.#reservations.map((reservation, index) => this.#answer(reservation, at, reply[index + 2]));
  }

  #answer(reservation: Reservation, at: number, reply: unknown): ReserveAnswer | undefined {
    if (!Array.isArray(reply)) return { ok: true, seq: whole(reply), at, exceeded: [] };
    const [kind, first, second, third] = reply as unknown[];
    switch (kind) {
      case "ok":
        return { ok: true, seq: whole(first), at, exceeded: list(second).map((place) => this.#spends.at(place).key) };
      case "again":
        return { ok: true, seq: whole(first), at: whole(second), exceeded: [] };
      case "regressed":
        return { ok: false, reason: "regressed", seq: whole(first) };
      case "halted":
        return { ok: false, reason: "halted", halt: readHalt(second) };
      case "cap":
        return capRefusal(this.#spends.at(first), second, third);
      case "once":
        return duplicate(reservation.once[whole(first) - 1]?.key, readClaim(second));
      case "entry":
        return duplicate(`entry:${reservation.entry?.plan}:${reservation.entry?.index}`, readEntry(first, second, at));
      case "reservation":
        return duplicate("reservation", readReservation(reservation.id, first));
      case "dry":
      case "late":
        return undefined;
      default:
        throw nonsense();
    }
  }
}

function stagedRef(staged: Staging, spend: CapSpend | RateSpend): PeopleRef {
  const obstacle = staged.obstacle(spend);
  return obstacle ? [-2, obstacle.used, obstacle.wanted] : [-1];
}

function keysOf(spends: readonly (CapSpend | RateSpend)[]): string[] {
  return [...new Set(spends.map(windowKey))];
}

/** The refusal by a cap or a rate. */
export function capRefusal(
  spend: CapSpend | RateSpend,
  used: unknown,
  wanted: unknown,
): Extract<ReserveAnswer, { ok: false; reason: "cap" }> {
  return { ok: false, reason: "cap", key: spend.key, limit: spend.limit, used: whole(used), wanted: whole(wanted) };
}

function duplicate(key: string | undefined, first: OnceRecord): ReserveAnswer {
  if (key === undefined) throw nonsense();
  return { ok: false, reason: "duplicate", key, first };
}

function record(reservation: string, state: string, at: string, message: string): OnceRecord {
  const known = { reservation, state: state as OnceRecord["state"], at: Number(at) };
  return message === "" ? known : { ...known, messageId: JSON.parse(message) as string };
}

function readClaim(kept: unknown): OnceRecord {
  const [at, afterTime] = splitOnce(text(kept), "\n");
  const [state, afterState] = splitOnce(afterTime, "\n");
  const [message, afterMessage] = splitOnce(afterState, "\n");
  const [, holder] = splitOnce(afterMessage, "\n");
  return record(holder, state, at, message);
}

/** What the letters in a plan's string of states stand for. */
export const entryStates = {
  w: "waiting",
  c: "claimed",
  r: "reserved",
  a: "accepted",
  x: "refused",
  f: "failed",
  u: "unknown",
  t: "told",
  d: "removed",
} as const;

/** The letter of a state. */
export function letter(state: string): string {
  return Object.entries(entryStates).find(([, name]) => name === state)?.[0] ?? "-";
}

function readEntry(state: unknown, by: unknown, at: number): OnceRecord {
  const name = entryStates[text(state) as keyof typeof entryStates];
  if (name === undefined || name === "removed" || by === "") return { reservation: "", state: "unknown", at };
  const [since, afterTime] = splitOnce(text(by), "\n");
  const [message, holder] = splitOnce(afterTime, "\n");
  return record(holder, name === "told" ? "accepted" : name, since, message);
}

function readReservation(id: string, kept: unknown): OnceRecord {
  const known = text(kept);
  const [, at = "0", fate = "reserved"] = known.split(":", 3);
  if (known.startsWith("R")) return record(id, "reserved", at, "");
  return record(id, fate, at, known.slice(known.indexOf(fate) + fate.length + 1));
}

function splitOnce(whole: string, by: string): [string, string] {
  const at = whole.indexOf(by);
  if (at < 0) throw nonsense();
  return [whole.slice(0, at), whole.slice(at + 1)];
}

/** The arguments of one call of `settle`. */
export function settleRows(settlements: readonly Settlement[]): unknown[] {
  return settlements.map(({ reservation, fate, messageId, refusedPeople }) => [
    reservation,
    fate,
    letter(fate satisfies Fate),
    messageId === undefined ? "" : JSON.stringify(messageId),
    refusedPeople ?? [],
  ]);
}
