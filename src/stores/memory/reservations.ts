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
import type { Spools } from "./spools";
import { tidier } from "./tidy";
import type { Windows } from "./windows";

/** One reservation, and what became of it. There are very many of these. */
interface Held {
  readonly id: string;
  readonly at: number;
  /** The number of its line: the reserved one's, then the settled one's. */
  seq: number;
  state: OnceRecord["state"];
  messageId: string | undefined;
  /** What a settlement may have to give back; gone with it. */
  spent: Pick<Reservation, "caps" | "rates" | "once" | "entry"> | undefined;
}

/** Who holds a key, and until when. */
interface Claim {
  readonly until: number;
  readonly held: Held;
}

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
  readonly windows: Windows;
  readonly spools: Spools;
  readonly halts: Halts;
  readonly addresses: Addresses;
}): Reservations {
  const { ledger, windows, spools, halts, addresses } = store;
  const reservations = new Map<string, Held>();
  const claims = new Map<string, Claim>();
  // Claims that nobody asks for any more would stay for ever.
  const tidyClaims = tidier(claims, (claim, at) => claim.until <= at);
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
      return claim && claim.until > now ? recordOf(claim.held) : undefined;
    },
    entry: (claim) => spools.taken(claim, now),
    people: (spend) => windows.people(spend, now),
    messages: (spend) => windows.messages(spend, now),
  };

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
    if (known) return { ok: false, reason: "duplicate", key: "reservation", first: recordOf(known) };

    const { caps, rates, exceeded } = verdict;
    const seq = ledger.append(reservation.event, at);
    for (const cap of caps) windows.count(cap, at, seq);
    for (const rate of rates) windows.send(rate, at, seq);
    const spent = { caps, rates, once, ...(entry ? { entry } : {}) };
    const held: Held = { id, at, seq, state: "reserved", messageId: undefined, spent };
    reservations.set(id, held);
    for (const { key, ttlMs } of once) {
      tidyClaims(at);
      claims.set(key, { until: at + ttlMs, held });
    }
    if (entry) spools.reserve(entry, id, at);
    if (reservation.addresses) addresses.keep(reservation.addresses);
    return { ok: true, seq, at, exceeded };
  }

  function giveBack({ caps, rates, once }: NonNullable<Held["spent"]>, held: Held, by: number): void {
    for (const { key } of once) {
      // One taken over in between belongs to another reservation.
      if (claims.get(key)?.held === held) claims.delete(key);
    }
    for (const { key, people } of caps) windows.refundPeople(key, by, people);
    for (const { key } of rates) windows.refundMessages(key, by);
  }

  return {
    reserve(all, at) {
      now = at;
      return all.map(reserveOne);
    },
    settle({ reservation: id, fate, messageId, refusedPeople, event }, at) {
      const known = reservations.get(id);
      if (known && known.state !== "reserved") return known.seq;
      const seq = ledger.append(event, at, id);
      const held: Held = known ?? { id, at, seq, state: fate, messageId, spent: undefined };
      if (!known) reservations.set(id, held);
      const { spent } = held;
      const by = held.seq;
      held.seq = seq;
      held.state = fate;
      held.messageId = messageId;
      held.spent = undefined;
      if (!spent) return seq;
      if (spent.entry) spools.settle(spent.entry, id, fate, messageId);
      if (fate === "refused") giveBack(spent, held, by);
      else if (refusedPeople) for (const { key } of spent.caps) windows.refundPeople(key, by, refusedPeople);
      return seq;
    },
    acknowledge(event, at) {
      if (presented > 0) ledger.skipTo(Math.max(ledger.seq(), presented) + acknowledgedGap);
      presented = 0;
      return ledger.append(event, at);
    },
    forget(id) {
      reservations.delete(id);
    },
  };
}

function recordOf({ id, state, at, messageId }: Held): OnceRecord {
  return { reservation: id, state, at, ...(messageId === undefined ? {} : { messageId }) };
}
