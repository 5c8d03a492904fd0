/**
 * The ledger of the SQLite store, and the moment one transaction stands for.
 *
 * @module
 */
import { acknowledgedGap, type LedgerLine } from "../../store";
import type { Connection, Sql } from "./connection";
import type { SqliteValue } from "./driver";
import { makeInsert } from "./insert";

// The one row of `state` is read first and written last in every transaction that numbers lines:
// the write lock is held in between, so numbers have no gaps and times do not go back.
const READ_STATE = "SELECT seq, at, presented FROM mailfuse_state WHERE id = 1";
const WRITE_STATE = "UPDATE mailfuse_state SET seq = ?, at = ?, presented = ? WHERE id = 1";
const insertLines = makeInsert("INSERT INTO mailfuse_ledger (seq, at, event)", "(?, ?, ?)");
const READ_LINES = "SELECT seq, at, event FROM mailfuse_ledger WHERE seq > ? ORDER BY seq LIMIT ?";
// In steps: one statement over a million lines would keep every other process waiting.
const TRIM_LINES = `DELETE FROM mailfuse_ledger WHERE seq IN
  (SELECT seq FROM mailfuse_ledger WHERE seq <= ? ORDER BY seq LIMIT 5000)`;
// A settled reservation is only kept so that a second outcome finds the first; an open one still has to give back.
const TRIM_RESERVATIONS = "DELETE FROM mailfuse_reservation WHERE settled <= ?";

/** What one transaction knows of the ledger. */
export interface Moment {
  /** The store's time: the later of the clock's and the newest line's. */
  readonly at: number;
  seq: number;
  /** Number, time and event of the lines that the transaction writes at its end. */
  readonly lines: SqliteValue[];
  /** The highest number presented since data was found lost; 0 when all is well. */
  presented: number;
  /** Something was taken out because of the time, so that time must not go back even where no line is written. */
  aged: boolean;
}

/** Runs `work` with the ledger's state, which is kept when it has changed. */
export function withMoment<T>(sql: Sql, now: number, work: (moment: Moment) => T): T {
  const state = sql.get(READ_STATE);
  const before = { seq: Number(state?.seq), at: Number(state?.at), presented: Number(state?.presented) };
  const moment: Moment = { ...before, at: Math.max(now, before.at), lines: [], aged: false };
  const result = work(moment);
  insertLines(sql, moment.lines);
  if (moment.seq !== before.seq || moment.aged) sql.run(WRITE_STATE, moment.seq, moment.at, moment.presented);
  else if (moment.presented !== before.presented) sql.run(WRITE_STATE, moment.seq, before.at, moment.presented);
  return result;
}

/** Gives a line the next number; it is written with the others of its transaction. */
export function appendLine(moment: Moment, event: string): number {
  moment.seq++;
  moment.lines.push(moment.seq, moment.at, event);
  return moment.seq;
}

/** Lets numbering go on above everything presented, and writes the person's word behind the gap. */
export function acknowledgeLoss(moment: Moment, event: string): number {
  if (moment.presented > 0) moment.seq = Math.max(moment.seq, moment.presented) + acknowledgedGap;
  moment.presented = 0;
  return appendLine(moment, event);
}

/** The store's time, outside a transaction. */
export function readTime(sql: Sql, now: number): number {
  return Math.max(now, Number(sql.get(READ_STATE)?.at));
}

/** Lines after `after`, oldest first. */
export function readLines(sql: Sql, after: number, limit: number): readonly LedgerLine[] {
  return sql.all(READ_LINES, after, limit).map((row) => ({
    seq: Number(row.seq),
    at: Number(row.at),
    event: String(row.event),
  }));
}

/** Drops lines up to `seq`, and what was only kept for them. */
export async function trimLines(connection: Connection, seq: number): Promise<void> {
  await connection.write((sql) => sql.run(TRIM_RESERVATIONS, seq));
  while ((await connection.write((sql) => sql.run(TRIM_LINES, seq))) > 0);
}
