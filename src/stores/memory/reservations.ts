/**
 * Reserving and settling in memory. Nothing here waits, so nothing comes in between.
 *
 * @module
 */
import { acknowledgedGap, type OnceRecord, type Reservation, type ReserveAnswer, type Settlement } from "../../store";
import { judge, type View } from "../judge";
import type { Addresses } from "./addresses";
import type { Halts } from "./halts";
import type { Ledger } from "./ledger";
import type { MessageWindows } from "./messages";
import type { PeopleWindows } from "./people";
import type { Spools } from "./spools";
import { Table } from "./table";
import { tidier } from "./tidy";

/** What a settlement may have to give back; gone with it. */
interface Spent extends Pick<Reservation, "caps" | "rates" | "once" | "entry"> {
  /** The number of the reserved line. */
  readonly seq: number;
}

/** What a reservation may have come to; kept as the place in this list. */
const states: readonly OnceRecord["state"][] = ["reserved", "accepted", "refused", "failed", "unknown"];

/** The reservations of one store, and the claims they hold. */
export interface Reservations {
  reserve(all: readonly Reservation[], at: number): readonly ReserveAnswer[];
  settle(settlement: Settlement, at: number): number;
  /** Lets numbering go on above everything presented; see the seam. */
  acknowledge(event: string, at: number): number;
  /** Forgets a settled reservation whose line was dropped. */
  forget(id: string): void;
}

/** Makes the reservations of one store. */
export function memoryReservations(store: {
  readonly ledger: Ledger;
  readonly people: PeopleWindows;
  readonly messages: MessageWindows;
  readonly spools: Spools;
  readonly halts: Halts;
  readonly addresses: Addresses;
}): Reservations {
  const { ledger, people, messages, spools, halts, addresses } = store;
  /** What is known of reservations, and of claims, which are known for longer. `seq`: the settled line of a reservation. */
  const records = new Table(["at", "state", "seq", "until"], ["id", "messageId"]);
  const reservations = new Map<string, number>();
  /** Who holds a key, and until when. */
  const claims = new Map<string, number>();
  /** By row, of those that are not settled. */
  const spent: (Spent | undefined)[] = [];
  // Claims that nobody asks for any more would stay for ever.
  const tidyClaims = tidier(claims, (claim, at) => {
    if (holds(claim, at)) return false;
    records.remove(claim);
    return true;
  });
  /** The highest number presented since the store was found to have lost data; 0 when all is well. */
  let presented = 0;

  let now = 0;
  const view: View = {
    get at() {
      return now;
    },
    halt: halts.find,
    once(key) {
      const claim = claims.get(key);
      return claim !== undefined && holds(claim, now) ? recordOf(claim) : undefined;
    },
    entry: (claim) => spools.taken(claim, now),
    people: (spend) => people.look(spend, now),
    messages: (spend) => messages.used(spend, now),
  };

  function holds(claim: number, at: number): boolean {
    return (records.numbers.until[claim] as number) > at;
  }

  function recordOf(row: number): OnceRecord {
    const { numbers, texts } = records;
    const messageId = texts.messageId[row];
    return {
      reservation: texts.id[row] as string,
      state: states[numbers.state[row] as number] as OnceRecord["state"],
      at: numbers.at[row] as number,
      ...(messageId === undefined ? {} : { messageId }),
    };
  }

  /** Writes down a reservation, or a claim of one. */
  function record(id: string, at: number, until: number): number {
    const row = records.add();
    const { numbers, texts } = records;
    numbers.at[row] = at;
    numbers.state[row] = 0;
    numbers.until[row] = until;
    texts.id[row] = id;
    return row;
  }

  function become(row: number, { fate, messageId }: Settlement): void {
    records.numbers.state[row] = states.indexOf(fate);
    records.texts.messageId[row] = messageId;
  }

  function claim(key: string, id: string, at: number, until: number): void {
    const former = claims.get(key);
    if (former !== undefined) records.remove(former);
    claims.set(key, record(id, at, until));
  }

  function reserveOne(reservation: Reservation): ReserveAnswer {
    const at = now;
    if (presented > 0 || reservation.seen > ledger.seq()) {
      presented = Math.max(presented, reservation.seen);
      return { ok: false, reason: "regressed", seq: ledger.seq() };
    }
    const verdict = judge(reservation, view);
    halts.latch(verdict.latch, at);
    if (verdict.refused) return verdict.refused;
    const { id, once, entry } = reservation;
    const known = reservations.get(id);
    if (known !== undefined) return { ok: false, reason: "duplicate", key: "reservation", first: recordOf(known) };

    const { caps, rates, exceeded } = verdict;
    const seq = ledger.append(reservation.event, at);
    for (const cap of caps) people.count(cap, at, seq);
    for (const rate of rates) messages.count(rate, at, seq);
    const row = record(id, at, at);
    reservations.set(id, row);
    spent[row] = { seq, caps, rates, once, ...(entry ? { entry } : {}) };
    for (const { key, ttlMs } of once) {
      tidyClaims(at);
      claim(key, id, at, at + ttlMs);
    }
    if (entry) spools.reserve(entry, id, at);
    if (reservation.addresses) addresses.keep(reservation.addresses);
    return { ok: true, seq, at, exceeded };
  }

  /** Settles the claims of a reservation; a refused one's are free again. */
  function settleClaims(once: Spent["once"], settlement: Settlement): void {
    for (const { key } of once) {
      const row = claims.get(key);
      // One taken over in between belongs to another reservation.
      if (row === undefined || records.texts.id[row] !== settlement.reservation) continue;
      become(row, settlement);
      if (settlement.fate !== "refused") continue;
      claims.delete(key);
      records.remove(row);
    }
  }

  function giveBack({ caps, rates, seq }: Spent, { fate, refusedPeople }: Settlement): void {
    if (fate !== "refused") {
      if (refusedPeople) for (const { key } of caps) people.refund(key, seq, refusedPeople);
      return;
    }
    for (const cap of caps) people.refund(cap.key, seq, cap.people);
    for (const { key } of rates) messages.refund(key, seq);
  }

  return {
    reserve(all, at) {
      now = at;
      return all.map(reserveOne);
    },
    settle(settlement, at) {
      const { reservation: id, fate, messageId, event } = settlement;
      const known = reservations.get(id);
      if (known !== undefined && records.numbers.state[known] !== 0) return records.numbers.seq[known] as number;
      const seq = ledger.append(event, at, id);
      const row = known ?? record(id, at, at);
      if (known === undefined) reservations.set(id, row);
      become(row, settlement);
      records.numbers.seq[row] = seq;
      const its = spent[row];
      if (!its) return seq;
      spent[row] = undefined;
      if (its.entry) spools.settle(its.entry, id, fate, messageId);
      settleClaims(its.once, settlement);
      giveBack(its, settlement);
      return seq;
    },
    acknowledge(event, at) {
      if (presented > 0) ledger.skipTo(Math.max(ledger.seq(), presented) + acknowledgedGap);
      presented = 0;
      return ledger.append(event, at);
    },
    forget(id) {
      const row = reservations.get(id);
      if (row === undefined) return;
      reservations.delete(id);
      records.remove(row);
    },
  };
}
