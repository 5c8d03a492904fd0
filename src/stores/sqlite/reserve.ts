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
  SealedAddresses,
  Settlement,
} from "../../store";
import { judge, type View } from "../judge";
import { keepAddresses } from "./addresses";
import type { Row, Sql } from "./connection";
import type { SqliteValue } from "./driver";
import { latchHalts, readHalts } from "./halts";
import { makeInsert } from "./insert";
import { appendLine, type Moment } from "./ledger";
import { refundPeople } from "./people";
import { reserveEntry, settleEntry, takenEntry } from "./spool";
import { encodeList } from "./text";
import { openWindows, refundMessages } from "./windows";

// What stands in the way of a batch is read at once.
const READ_RESERVATIONS = `SELECT mailfuse_reservation.id AS id, at, settled, fate, message_id
  FROM json_each(?) CROSS JOIN mailfuse_reservation ON mailfuse_reservation.id = value`;
const READ_CLAIMS = `SELECT mailfuse_once.key AS key, reservation, state, at, message_id
  FROM json_each(?) CROSS JOIN mailfuse_once ON mailfuse_once.key = value WHERE until > ?`;
const insertReservations = makeInsert("INSERT INTO mailfuse_reservation (seq, id, at, spent)", "(?, ?, ?, ?)");
// Only after the judgement: a claim in the way has been found to be one that may be replaced.
const takeClaims = makeInsert(
  "INSERT OR REPLACE INTO mailfuse_once (key, until, reservation, state, at)",
  "(?, ?, ?, 'reserved', ?)",
);

const READ_SPENT = "SELECT seq, at, spent, settled FROM mailfuse_reservation WHERE id = ?";
// One outcome per reservation: whether there is one was read under the write lock. An empty message id is none.
const SETTLE_RESERVATION = `UPDATE mailfuse_reservation SET settled = ?, fate = ?, message_id = nullif(?, ''), spent = '{}'
  WHERE id = ?`;
const INSERT_SETTLED = `INSERT INTO mailfuse_reservation (id, seq, at, spent, settled, fate, message_id)
  VALUES (?, ?, ?, '{}', ?, ?, nullif(?, ''))`;
// Only its own: a claim taken over in between belongs to another reservation.
const SETTLE_ONCE = `UPDATE mailfuse_once SET state = ?, message_id = nullif(?, '') WHERE key = ? AND reservation = ?`;
const FREE_ONCE = "DELETE FROM mailfuse_once WHERE key = ? AND reservation = ?";

/** What a refusal gives back. */
interface Spent {
  readonly caps?: readonly SpentCaps[];
  readonly rates?: readonly string[];
  readonly once?: readonly string[];
  readonly entry?: EntryClaim | undefined;
}

/** The same people in several windows: each window's number and length. */
type SpentCaps = [people: readonly string[], ...numbersAndLengths: number[]];

/** Judges and spends; answers in order. What passes is written together at the end. */
export function reserveAll(sql: Sql, moment: Moment, all: readonly Reservation[]): readonly ReserveAnswer[] {
  const { at } = moment;
  const windows = openWindows(sql, moment);
  const halts = new Map(readHalts(sql).map((halt) => [halt.scope, halt]));
  const known = readReservations(sql, all);
  const claims = readClaims(sql, all, at);
  const reservationRows: SqliteValue[] = [];
  const claimRows: SqliteValue[] = [];
  const addresses: SealedAddresses[] = [];
  const view: View = {
    at,
    halt: (scope) => halts.get(scope),
    once: (key) => claims.get(key),
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
      const former = spent.find(([people]) => samePeople(people, cap.people));
      if (former) former.push(windows.people.number(cap), cap.windowMs);
      else spent.push([cap.people, windows.people.number(cap), cap.windowMs]);
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
    const first = known.get(id);
    if (first) return { ok: false, reason: "duplicate", key: "reservation", first };

    const record: OnceRecord = { reservation: id, state: "reserved", at };
    known.set(id, record);
    const spent: Spent = {
      caps: spentCaps(verdict.caps),
      rates: verdict.rates.map((rate) => rate.key),
      once: once.map((claim) => claim.key),
      entry,
    };
    const seq = appendLine(moment, reservation.event);
    reservationRows.push(seq, id, at, JSON.stringify(spent));
    for (const cap of verdict.caps) windows.people.count(cap);
    for (const rate of verdict.rates) windows.send(rate, seq);
    for (const { key, ttlMs } of once) {
      if (ttlMs > 0) claims.set(key, record);
      claimRows.push(key, at + ttlMs, id, at);
    }
    if (entry) reserveEntry(sql, entry, id, at);
    if (reservation.addresses) addresses.push(reservation.addresses);
    return { ok: true, seq, at, exceeded: verdict.exceeded };
  }

  const answers = all.map(reserveOne);
  insertReservations(sql, reservationRows);
  windows.keep();
  takeClaims(sql, claimRows);
  keepAddresses(sql, addresses);
  return answers;
}

function samePeople(one: readonly string[], other: readonly string[]): boolean {
  return one === other || (one.length === other.length && one.every((person, place) => person === other[place]));
}

/** Reservations by those ids that are there already. */
function readReservations(sql: Sql, all: readonly Reservation[]): Map<string, OnceRecord> {
  const rows = sql.all(READ_RESERVATIONS, encodeList(all.map(({ id }) => id)));
  return new Map(rows.map((row) => [String(row.id), reservationRecord(row)]));
}

function reservationRecord(row: Row): OnceRecord {
  return onceRecord(String(row.id), row.settled === null ? "reserved" : (row.fate as Fate), row);
}

/** Claims on those keys whose time is not over. */
function readClaims(sql: Sql, all: readonly Reservation[], at: number): Map<string, OnceRecord> {
  const keys = all.flatMap(({ once }) => once.map(({ key }) => key));
  const rows = keys.length > 0 ? sql.all(READ_CLAIMS, encodeList(keys), at) : [];
  return new Map(rows.map((row) => [String(row.key), claimRecord(row)]));
}

function claimRecord(row: Row): OnceRecord {
  return onceRecord(String(row.reservation), row.state as OnceRecord["state"], row);
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
    return appendLine(moment, event);
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
    for (const cap of spent.caps ?? []) refund(sql, at, cap, cap[0]);
    for (const key of spent.rates ?? []) refundMessages(sql, key, at, seq);
  } else if (refusedPeople) {
    const refused = new Set(refusedPeople);
    for (const cap of spent.caps ?? []) {
      refund(
        sql,
        at,
        cap,
        cap[0].filter((person) => refused.has(person)),
      );
    }
  }
  return appendLine(moment, event);
}

function refund(sql: Sql, at: number, [, ...windows]: SpentCaps, people: readonly string[]): void {
  if (people.length === 0) return;
  for (let place = 0; place < windows.length; place += 2) {
    refundPeople(sql, windows[place] ?? 0, at + (windows[place + 1] ?? 0), people);
  }
}
