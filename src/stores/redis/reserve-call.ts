/**
 * One call of the `reserve` script: reservations as its arguments, and its answers read back.
 *
 * @module
 */
import type { CapSpend, OnceClaim, OnceRecord, RateSpend, Reservation, ReserveAnswer } from "../../store";
import type { Staging } from "../staging";
import type { StagedAddresses } from "./addresses";
import { list, nonsense, whole } from "./client";
import { milliseconds, windowName, written } from "./names";
import { readClaim, readEntry, readHalt, readReservation } from "./records";
import { type Group, type PeopleRef, Spends, samePeople } from "./spends";

/** What reservations have in common that are alike but for their people and keys. Most of one batch are. */
interface Shape {
  readonly like: Pick<Reservation, "scopes" | "once" | "caps">;
  readonly place: number;
  /** Which cap stands first in each group: the people of the group are its. */
  readonly firsts: readonly number[];
}

interface CallOptions {
  /** Judges, and spends nothing. */
  readonly dry?: boolean;
  /** Spends and addresses that were staged before. */
  readonly staged?: Staging;
  readonly addresses?: StagedAddresses | undefined;
}

const noCaps: readonly CapSpend[] = [];

export class ReserveCall {
  readonly #reservations: readonly Reservation[];
  readonly #spends: Spends;
  readonly #staged: Staging | undefined;
  readonly #stagedAddresses: StagedAddresses | undefined;
  readonly #dry: boolean;
  readonly #rows: unknown[][];
  readonly #shapes: Shape[] = [];
  readonly #shapeRows: unknown[] = [];
  /** After all other arguments: one of each reservation that brings some. */
  readonly #addresses: string[] = [];

  constructor(reservations: readonly Reservation[], options: CallOptions = {}) {
    this.#reservations = reservations;
    this.#staged = options.staged;
    this.#stagedAddresses = options.addresses;
    this.#dry = options.dry ?? false;
    // Each has its event before the people.
    this.#spends = new Spends(reservations.length, options.staged);
    this.#rows = reservations.map((reservation) => this.#row(reservation));
    if (!this.#dry) for (const [index, reservation] of reservations.entries()) this.#addAddresses(reservation, index);
  }

  head(nonce: string): unknown[] {
    const scopes = [...new Set(this.#shapes.flatMap(({ like }) => like.scopes))];
    const { windows, specs } = this.#spends;
    return [nonce, this.#dry ? 1 : 0, scopes, windows.rows, specs.rows, this.#shapeRows, this.#rows];
  }

  rest(): string[] {
    const events = this.#reservations.map((reservation) => reservation.event);
    return [...events, ...this.#spends.packed, ...this.#addresses];
  }

  #row(reservation: Reservation): unknown[] {
    const caps = this.#dry ? noCaps : reservation.caps;
    const { place, firsts } = this.#shape(reservation.scopes, reservation.once, caps);
    const refs: PeopleRef[] = firsts.map((first) => this.#spends.ref(caps[first] as CapSpend));
    const row = [place, reservation.id, reservation.seen, refs, this.#rest(reservation, refs), 0];
    for (const { key } of reservation.once) row.push(`o:${written(key)}`);
    return row;
  }

  /** What most reservations have none of. */
  #rest({ rates, entry }: Reservation, refs: PeopleRef[]): unknown[] | 0 {
    if (!entry && !this.#staged && (rates.length === 0 || this.#dry)) return 0;
    const groups: Group[] = [];
    if (!this.#dry) {
      for (const rate of rates) {
        groups.push([this.#spends.spec(rate)]);
        refs.push(this.#spends.ref(rate));
      }
    }
    const place = entry ? [entry.plan, entry.index] : false;
    return [groups, lines(rates), place, this.#staged?.stamp ?? "0", this.#stagedAddresses?.name ?? ""];
  }

  #shape(scopes: readonly string[], once: readonly OnceClaim[], caps: readonly CapSpend[]): Shape {
    const known = this.#shapes.find(({ like }) => alike(like, { scopes, once, caps }));
    if (known) return known;
    const claims = once.map((claim) => [
      milliseconds(claim.ttlMs),
      claim.onUnknown === "resend" ? 1 : 0,
      Math.ceil(Math.min(claim.leaseMs ?? -1, Number.MAX_SAFE_INTEGER)),
    ]);
    const { groups, firsts } = this.#spends.groups(caps);
    const place = this.#shapeRows.push([scopes, claims, groups, lines(caps)]);
    const shape = { like: { scopes, once, caps }, place, firsts };
    this.#shapes.push(shape);
    return shape;
  }

  #addAddresses({ addresses }: Reservation, index: number): void {
    if (!addresses || addresses.sealed.length === 0) return;
    const sealed = this.#stagedAddresses ? [] : addresses.sealed.flat();
    this.#addresses.push(JSON.stringify([addresses.bucket, ...sealed]));
    // Behind the head, events and the packed people, which are all known by now.
    const argument = 1 + this.#reservations.length + this.#spends.packed.length + this.#addresses.length;
    (this.#rows[index] as unknown[])[5] = argument;
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
        return this.#spends.refusal(first, second, third);
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

/** Names of windows, a line each, without repetition. */
function lines(spends: readonly (CapSpend | RateSpend)[]): string {
  return [...new Set(spends.map(windowName))].map((name) => `${name}\n`).join("");
}

function alike(a: Shape["like"], b: Shape["like"]): boolean {
  return (
    sameList(a.scopes, b.scopes, (one, other) => one === other) &&
    sameList(
      a.once,
      b.once,
      (one, other) => one.ttlMs === other.ttlMs && one.onUnknown === other.onUnknown && one.leaseMs === other.leaseMs,
    ) &&
    sameList(a.caps, b.caps, sameCap) &&
    // The same caps are for the same people as each other.
    a.caps.every(
      (cap, index) =>
        index === 0 ||
        samePeople(cap, a.caps[index - 1] as CapSpend) ===
          samePeople(b.caps[index] as CapSpend, b.caps[index - 1] as CapSpend),
    )
  );
}

function sameCap(a: CapSpend, b: CapSpend): boolean {
  const { haltOnExceeded: one, haltOnExceeded: { scope, reason, by } = {} } = a;
  const other = b.haltOnExceeded;
  return (
    a.key === b.key &&
    a.windowMs === b.windowMs &&
    a.limit === b.limit &&
    a.enforce === b.enforce &&
    (one === other || (scope === other?.scope && reason === other?.reason && by === other?.by))
  );
}

function sameList<Item>(a: readonly Item[], b: readonly Item[], same: (a: Item, b: Item) => boolean): boolean {
  return a.length === b.length && a.every((item, index) => same(item, b[index] as Item));
}

function duplicate(key: string | undefined, first: OnceRecord): ReserveAnswer {
  if (key === undefined) throw nonsense();
  return { ok: false, reason: "duplicate", key, first };
}
