/**
 * Reservations and plan changes as arguments of our functions, and their answers read back.
 *
 * @module
 */
import type { CapSpend, HaltRecord, OnceRecord, RateSpend, Reservation, ReserveAnswer } from "../../store";
import { entryStates } from "../entries";
import { limit, type Staging, windowKey } from "../staging";
import { Addresses, type StagedAddresses } from "./addresses";
import { joined, list, milliseconds, name, nonsense, pack, unpack, whole, windowId } from "./database";
import { type Kept, ShortPath } from "./short-path";

const day = 86_400_000;

/** People of one call, each list once; named by the places of its first and last. Places start at 1. */
export class People {
  readonly names: string[] = [];
  readonly #places = new Map<readonly string[], readonly [number, number]>();

  place(people: readonly string[]): readonly [number, number] {
    let place = this.#places.get(people);
    if (!place) {
      const first = this.names.length + 1;
      for (const person of people) this.names.push(name(person));
      place = [first, this.names.length];
      this.#places.set(people, place);
    }
    return place;
  }
}

/** A halt as it is kept: without its time. */
export function haltText({ scope, reason, by }: HaltRecord): string {
  return JSON.stringify({ scope, reason, by });
}

/** Reads what stands in `halts`. */
export function readHalt(at: unknown, record: unknown): HaltRecord {
  if (typeof record !== "string") throw nonsense();
  return { ...(JSON.parse(record) as HaltRecord), at: whole(at) };
}

/** Spends as `judge` takes them. */
export function spendRows(
  caps: readonly CapSpend[],
  rates: readonly RateSpend[],
  people: People,
  staged?: Staging,
): Record<string, unknown>[] {
  return [...caps, ...rates].map((spend) => {
    const row: Record<string, unknown> = {
      w: windowId(windowKey(spend)),
      l: milliseconds(spend.windowMs),
      m: limit(spend),
      e: spend.enforce,
    };
    const obstacle = staged?.obstacle(spend);
    if (staged) row.s = obstacle ? [obstacle.used, obstacle.wanted] : true;
    else if ("people" in spend) row.p = people.place(spend.people);
    else row.n = spend.messages;
    const halt = "people" in spend ? spend.haltOnExceeded : undefined;
    if (halt) row.h = [name(halt.scope), haltText(halt)];
    return row;
  });
}

/** For a large reservation, which comes alone: judged only, or with what was staged for it. */
export interface ReserveOptions {
  readonly dry?: boolean;
  readonly staged?: Staging;
  readonly sealed?: StagedAddresses | undefined;
}

/** One batch of reservations. */
export class ReserveCall {
  readonly #reservations: readonly Reservation[];
  readonly #kept: readonly Kept[];
  readonly #people = new People();
  readonly #dry: boolean;
  readonly #staged: Staging | undefined;
  readonly #sealed: StagedAddresses | undefined;

  constructor(reservations: readonly Reservation[], options: ReserveOptions = {}) {
    this.#reservations = reservations;
    this.#dry = options.dry ?? false;
    this.#staged = options.staged;
    this.#sealed = options.sealed;
    this.#kept = reservations.map(kept);
  }

  /** What `reserve` takes; `undefined` where the batch cannot take the short path. */
  short(): unknown[] | undefined {
    const path = new ShortPath(this.#people);
    this.#reservations.forEach((reservation, index) => {
      path.add(reservation, this.#kept[index] as Kept);
    });
    const lists = path.lists();
    if (lists === undefined) return undefined;
    const seen = this.#reservations.reduce((most, reservation) => Math.max(most, reservation.seen), 0);
    return [seen, lists, ...this.#rest()];
  }

  /** What `reserve_each` takes. */
  each(): unknown[] {
    const rows = this.#reservations.map((reservation, index) => this.#row(reservation, this.#kept[index] as Kept));
    return [JSON.stringify(rows), ...this.#rest()];
  }

  #rest(): string[] {
    const addresses = new Addresses();
    this.#reservations.forEach((reservation, index) => {
      if (reservation.addresses && !this.#dry && !this.#sealed) addresses.add(index + 1, reservation.addresses);
    });
    const events = joined(this.#reservations.map((reservation) => pack(reservation.event)));
    return [events, joined(this.#people.names), addresses.lists()];
  }

  #row(reservation: Reservation, kept: Kept): Record<string, unknown> {
    const { caps, rates, entry } = reservation;
    const staged = this.#staged;
    return {
      i: kept.id,
      ...(kept.label === "" ? {} : { b: kept.label }),
      v: reservation.seen,
      o: reservation.scopes.map(name),
      k: reservation.once.map((claim) => [
        name(claim.key),
        milliseconds(claim.ttlMs),
        claim.onUnknown === "resend",
        Math.ceil(Math.min(claim.leaseMs ?? -1, Number.MAX_SAFE_INTEGER)),
      ]),
      ...(entry ? { n: [name(entry.plan), entry.index] } : {}),
      c: this.#dry ? [] : spendRows(caps, rates, this.#people, staged),
      a: kept.caps,
      r: kept.rates,
      q: kept.claims,
      t: kept.keep,
      ...(staged ? { z: staged.stamp } : {}),
      ...(this.#sealed ? { s: this.#sealed.bucket } : {}),
      ...(this.#dry ? { d: true } : {}),
    };
  }

  /** The answers in order; `undefined` for a dry call that found nothing in the way, and for staging that took too long. */
  answers(reply: readonly unknown[]): (ReserveAnswer | undefined)[] {
    const at = whole(reply[0]);
    if (!Array.isArray(reply[1])) {
      const first = whole(reply[1]);
      return this.#reservations.map((_, index) => ({ ok: true, seq: first + index, at, exceeded: [] }));
    }
    const answers = reply[1] as unknown[];
    if (answers.length !== this.#reservations.length) throw nonsense();
    return this.#reservations.map((reservation, index) => readAnswer(reservation, at, answers[index]));
  }
}

function kept({ id, caps, rates, once }: Reservation): Kept {
  return {
    id: name(id),
    label: label(id),
    caps: windowsOf(caps),
    rates: windowsOf(rates),
    claims: once.map((claim) => name(claim.key)).join("\u001e"),
    keep: once.reduce((most, claim) => Math.max(most, milliseconds(claim.ttlMs)), day),
  };
}

function windowsOf(spends: readonly (CapSpend | RateSpend)[]): string {
  if (spends.length === 0) return "";
  return [...new Set(spends.map((spend) => windowId(windowKey(spend))))].join(" ");
}

/** The id as given, where its key is a hash. */
export function label(id: string): string {
  return name(id) === id ? "" : pack(id);
}

function readAnswer(reservation: Reservation, at: number, reply: unknown): ReserveAnswer | undefined {
  if (!Array.isArray(reply)) return { ok: true, seq: whole(reply), at, exceeded: [] };
  const { caps, rates, once, entry } = reservation;
  const [kind, first, second, third] = reply as unknown[];
  switch (kind) {
    case "ok": {
      const exceeded = list(second).map((place) => spendAt([...caps, ...rates], place).key);
      return { ok: true, seq: whole(first), at, exceeded };
    }
    case "regressed":
      return { ok: false, reason: "regressed", seq: whole(first) };
    case "halted":
      return { ok: false, reason: "halted", halt: readHalt(first, second) };
    case "cap":
      return capRefusal(spendAt([...caps, ...rates], first), second, third);
    case "reservation":
      return duplicate("reservation", first, at);
    case "once":
      return duplicate(once.find((claim) => name(claim.key) === first)?.key, second, at);
    case "entry":
      return duplicate(`entry:${entry?.plan}:${entry?.index}`, entryOutcome(first, second), at);
    case "dry":
    case "late":
      return undefined;
    default:
      throw nonsense();
  }
}

/** The spend that a function named by its place. */
export function spendAt<Spend>(spends: readonly Spend[], place: unknown): Spend {
  const spend = spends[whole(place) - 1];
  if (!spend) throw nonsense();
  return spend;
}

/** The refusal by a cap or a rate. */
export function capRefusal(
  spend: CapSpend | RateSpend,
  used: unknown,
  wanted: unknown,
): Extract<ReserveAnswer, { ok: false; reason: "cap" }> {
  return { ok: false, reason: "cap", key: spend.key, limit: spend.limit, used: whole(used), wanted: whole(wanted) };
}

function duplicate(key: string | undefined, outcome: unknown, at: number): ReserveAnswer {
  if (key === undefined) throw nonsense();
  return { ok: false, reason: "duplicate", key, first: readOutcome(outcome, at) };
}

function readOutcome(outcome: unknown, now: number): OnceRecord {
  if (outcome === null) return { reservation: "", state: "unknown", at: now };
  const [reservation, state, at, message] = list(outcome);
  const known = { reservation: unpack(reservation), state: String(state) as OnceRecord["state"], at: whole(at) };
  return message === null ? known : { ...known, messageId: unpack(message) };
}

// The entry's own state counts: its reservation may have been forgotten, or settled in the same moment.
function entryOutcome(state: unknown, outcome: unknown): unknown {
  if (outcome === null) return null;
  const [reservation, , at, message] = list(outcome);
  const name = entryStates[String(state) as keyof typeof entryStates] ?? "unknown";
  if (name === "removed") return null;
  return [reservation, name === "told" ? "accepted" : name, at, message];
}
