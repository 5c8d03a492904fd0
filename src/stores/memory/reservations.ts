/**
 * Reserving and settling in memory. Nothing here waits, so nothing comes in between.
 *
 * @module
 */
import {
  acknowledgedGap,
  type EntryClaim,
  type OnceRecord,
  type Reservation,
  type ReserveAnswer,
  type Settlement,
} from "../../store";
import { judge, type View } from "../judge";
import type { Addresses } from "./addresses";
import type { Halts } from "./halts";
import type { Ledger } from "./ledger";
import type { Spools } from "./spools";
import type { Windows } from "./windows";

/** What a settlement needs to give back, and whether it has been settled. */
interface Spent {
  readonly seq: number;
  readonly at: number;
  readonly caps: readonly string[];
  readonly rates: readonly string[];
  readonly once: readonly string[];
  readonly entry: EntryClaim | undefined;
  settled?: { readonly seq: number; readonly record: OnceRecord };
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
  const reservations = new Map<string, Spent>();
  const claims = new Map<string, { readonly until: number; record: OnceRecord }>();
  let sweepClaimsAt = 1_024;
  /** The highest number presented since the store was found to have lost data; 0 when all is well. */
  let presented = 0;

  function look(at: number): View {
    return {
      at,
      halt: halts.find,
      once(key) {
        const claim = claims.get(key);
        return claim && claim.until > at ? claim.record : undefined;
      },
      entry: (claim) => spools.taken(claim, at),
      people: (spend) => windows.people(spend, at),
      messages: (spend) => windows.messages(spend, at),
    };
  }

  function reserveOne(reservation: Reservation, view: View): ReserveAnswer {
    const { at } = view;
    if (presented > 0 || reservation.seen > ledger.seq()) {
      presented = Math.max(presented, reservation.seen);
      return { ok: false, reason: "regressed", seq: ledger.seq() };
    }
    const verdict = judge(reservation, view);
    halts.latch(verdict.latch, at);
    if (verdict.refused) return verdict.refused;
    const { id, once, entry } = reservation;
    const known = reservations.get(id);
    if (known) {
      const first = known.settled?.record ?? { reservation: id, state: "reserved", at: known.at };
      return { ok: false, reason: "duplicate", key: "reservation", first };
    }

    const seq = ledger.append(reservation.event, at);
    for (const cap of verdict.caps) windows.count(cap, at, seq);
    for (const rate of verdict.rates) windows.send(rate, at, seq);
    for (const { key, ttlMs } of once) {
      claims.set(key, { until: at + ttlMs, record: { reservation: id, state: "reserved", at } });
    }
    if (entry) spools.reserve(entry, id, at);
    if (reservation.addresses) addresses.keep(reservation.addresses);
    reservations.set(id, {
      seq,
      at,
      caps: verdict.caps.map((cap) => cap.key),
      rates: verdict.rates.map((rate) => rate.key),
      once: once.map((claim) => claim.key),
      entry,
    });
    return { ok: true, seq, at, exceeded: verdict.exceeded };
  }

  // Claims that nobody asks for any more would stay for ever: one pass whenever their number has doubled.
  function sweepClaims(at: number): void {
    if (claims.size < sweepClaimsAt) return;
    for (const [key, claim] of claims) if (claim.until <= at) claims.delete(key);
    sweepClaimsAt = Math.max(1_024, 2 * claims.size);
  }

  return {
    reserve(all, at) {
      sweepClaims(at);
      const view = look(at);
      return all.map((reservation) => reserveOne(reservation, view));
    },
    settle(settlement, at) {
      const { reservation: id, fate, messageId, refusedPeople } = settlement;
      const known = reservations.get(id);
      if (known?.settled) return known.settled.seq;
      const seq = ledger.append(settlement.event, at, id);
      const spent: Spent = known ?? { seq, at, caps: [], rates: [], once: [], entry: undefined };
      reservations.set(id, spent);
      const record: OnceRecord = {
        reservation: id,
        state: fate,
        at: spent.at,
        ...(messageId === undefined ? {} : { messageId }),
      };
      spent.settled = { seq, record };
      for (const key of spent.once) {
        const claim = claims.get(key);
        // One taken over in between belongs to another reservation.
        if (claim?.record.reservation !== id) continue;
        if (fate === "refused") claims.delete(key);
        else claim.record = record;
      }
      if (spent.entry) spools.settle(spent.entry, id, fate, messageId);
      if (fate === "refused") {
        for (const key of spent.caps) windows.refundPeople(key, spent.seq);
        for (const key of spent.rates) windows.refundMessages(key, spent.seq);
      } else if (refusedPeople) {
        for (const key of spent.caps) windows.refundPeople(key, spent.seq, refusedPeople);
      }
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
