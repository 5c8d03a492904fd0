/**
 * Reserving and settling in SQLite: a whole batch in one transaction, each reservation judged on
 * its own and in order.
 *
 * @module
 */
import type {
  CapSpend,
  EntryClaim,
  Fate,
  HaltRecord,
  OnceRecord,
  Reservation,
  ReserveAnswer,
  Settlement,
} from "../../store";
import { judge, type View } from "../judge";
import { keepAddresses } from "./addresses";
import type { Row, Sql } from "./connection";
import { latchHalts, readHalts } from "./halts";
import { appendLine, type Moment } from "./ledger";
import { refundPeople } from "./people";
import { reserveEntry, settleEntry, takenEntry } from "./spool";
import { openWindows, refundMessages } from "./windows";

// The first thing written for a reservation: when its id is taken there is nothing to take back.
const INSERT_RESERVATION = `INSERT INTO mailfuse_reservation (id, seq, at, spent) VALUES (?, ?, ?, ?)
  ON CONFLICT DO NOTHING`;
const READ_RESERVATION = "SELECT seq, at, settled, fate, message_id FROM mailfuse_reservation WHERE id = ?";
const READ_SPENT = "SELECT seq, at, spent, settled FROM mailfuse_reservation WHERE id = ?";
// One outcome per reservation: whether there is one was read under the write lock. An empty message id is none.
const SETTLE_RESERVATION = `UPDATE mailfuse_reservation SET settled = ?, fate = ?, message_id = nullif(?, ''), spent = '{}'
  WHERE id = ?`;
const INSERT_SETTLED = `INSERT INTO mailfuse_reservation (id, seq, at, spent, settled, fate, message_id)
  VALUES (?, ?, ?, '{}', ?, ?, nullif(?, ''))`;

const READ_ONCE = "SELECT reservation, state, at, message_id FROM mailfuse_once WHERE key = ? AND until > ?";
// Only after the judgement: a claim in the way has been found to be one that may be replaced.
const TAKE_ONCE = `INSERT OR REPLACE INTO mailfuse_once (key, until, reservation, state, at)
  VALUES (?, ?, ?, 'reserved', ?)`;
// Only its own: a claim taken over in between belongs to another reservation.
const SETTLE_ONCE = `UPDATE mailfuse_once SET state = ?, message_id = nullif(?, '') WHERE key = ? AND reservation = ?`;
const FREE_ONCE = "DELETE FROM mailfuse_once WHERE key = ? AND reservation = ?";

/** What a refusal gives back. */
interface Spent {
  readonly caps?: readonly SpentCaps[];
  readonly rates?: readonly string[];
  readonly once?: readonly string[];
  readonly entry?: EntryClaim;
}

/** The same people in several windows: each window's number and length. */
interface SpentCaps {
  readonly people: readonly string[];
  readonly windows: (readonly [number: number, ms: number])[];
}

/** Judges and spends; answers in order. */
export function reserveAll(sql: Sql, moment: Moment, all: readonly Reservation[]): readonly ReserveAnswer[] {
  const { at } = moment;
  const windows = openWindows(sql, moment);
  const halts = new Map(readHalts(sql).map((halt) => [halt.scope, halt]));
  const view: View = {
    at,
    halt: (scope) => halts.get(scope),
    once(key) {
      const row = sql.get(READ_ONCE, key, at);
      return row && onceRecord(String(row.reservation), row.state as OnceRecord["state"], row);
    },
    entry: (claim) => takenEntry(sql, claim, at),
    people: windows.people.look,
    messages: windows.messages,
  };

  function latch(records: readonly HaltRecord[]): void {
    for (const record of latchHalts(sql, records, at)) halts.set(record.scope, record);
  }

  function spentCaps(caps: readonly CapSpend[]): readonly SpentCaps[] {
    const spent: SpentCaps[] = [];
    for (const cap of caps) {
      const window = [windows.people.number(cap), cap.windowMs] as const;
      const former = spent.find(({ people }) => samePeople(people, cap.people));
      if (former) former.windows.push(window);
      else spent.push({ people: cap.people, windows: [window] });
    }
    return spent;
  }

  function reserveOne(reservation: Reservation): ReserveAnswer {
    if (moment.presented > 0 || reservation.seen > moment.seq) {
      moment.presented = Math.max(moment.presented, reservation.seen);
      return { ok: false, reason: "regressed", seq: moment.seq };
    }
    const verdict = judge(reservation, view);
    if (verdict.latch.length > 0) latch(verdict.latch);
    if (verdict.refused) return verdict.refused;

    const { id, once, entry } = reservation;
    const spent: Spent = {
      caps: spentCaps(verdict.caps),
      rates: verdict.rates.map((rate) => rate.key),
      once: once.map((claim) => claim.key),
      ...(entry ? { entry } : {}),
    };
    if (sql.run(INSERT_RESERVATION, id, moment.seq + 1, at, JSON.stringify(spent)) === 0) return known(sql, id);
    const seq = appendLine(sql, moment, reservation.event);
    for (const cap of verdict.caps) windows.people.count(cap);
    for (const rate of verdict.rates) windows.send(rate, seq);
    for (const claim of once) sql.run(TAKE_ONCE, claim.key, at + claim.ttlMs, id, at);
    if (entry) reserveEntry(sql, entry, id, at);
    if (reservation.addresses) keepAddresses(sql, reservation.addresses);
    return { ok: true, seq, at, exceeded: verdict.exceeded };
  }

  const answers = all.map(reserveOne);
  windows.people.keep();
  return answers;
}

function samePeople(one: readonly string[], other: readonly string[]): boolean {
  return one === other || (one.length === other.length && one.every((person, place) => person === other[place]));
}

function known(sql: Sql, id: string): ReserveAnswer {
  const row = sql.get(READ_RESERVATION, id) ?? {};
  const state = row.settled === null ? "reserved" : (row.fate as Fate);
  return { ok: false, reason: "duplicate", key: "reservation", first: onceRecord(id, state, row) };
}

function onceRecord(reservation: string, state: OnceRecord["state"], row: Row): OnceRecord {
  const messageId = row.message_id;
  const record = { reservation, state, at: Number(row.at) };
  return typeof messageId === "string" ? { ...record, messageId } : record;
}

/** Records outcomes; resolves to the numbers of their lines. */
export function settleAll(sql: Sql, moment: Moment, all: readonly Settlement[]): readonly number[] {
  return all.map((settlement) => settleOne(sql, moment, settlement));
}

function settleOne(sql: Sql, moment: Moment, settlement: Settlement): number {
  const { reservation: id, fate, event, refusedPeople } = settlement;
  const messageId = settlement.messageId ?? "";
  const row = sql.get(READ_SPENT, id);
  if (!row) {
    sql.run(INSERT_SETTLED, id, moment.seq + 1, moment.at, moment.seq + 1, fate, messageId);
    return appendLine(sql, moment, event);
  }
  if (row.settled !== null) return Number(row.settled);
  sql.run(SETTLE_RESERVATION, moment.seq + 1, fate, messageId, id);
  const at = Number(row.at);
  const seq = Number(row.seq);
  const spent = JSON.parse(String(row.spent)) as Spent;
  for (const key of spent.once ?? []) {
    if (fate === "refused") sql.run(FREE_ONCE, key, id);
    else sql.run(SETTLE_ONCE, fate, messageId, key, id);
  }
  if (spent.entry) settleEntry(sql, spent.entry, id, fate, messageId);
  if (fate === "refused") {
    for (const cap of spent.caps ?? []) refund(sql, at, cap, cap.people);
    for (const key of spent.rates ?? []) refundMessages(sql, key, at, seq);
  } else if (refusedPeople) {
    const refused = new Set(refusedPeople);
    for (const cap of spent.caps ?? []) {
      refund(
        sql,
        at,
        cap,
        cap.people.filter((person) => refused.has(person)),
      );
    }
  }
  return appendLine(sql, moment, event);
}

function refund(sql: Sql, at: number, { windows }: SpentCaps, people: readonly string[]): void {
  if (people.length === 0) return;
  for (const [window, ms] of windows) refundPeople(sql, window, at + ms, people);
}
