/**
 * The spool of plans in SQLite: sealed bytes, and each entry's state.
 *
 * @module
 */
import type { EntryClaim, EntryState, Fate, OnceRecord, SpoolEntry } from "../../store";
import type { Connection, Sql } from "./connection";

const INSERT_ENTRY = `INSERT INTO mailfuse_entry (plan, number, state, until, reservation, at)
  VALUES (?, ?, 'waiting', 0, '', 0) ON CONFLICT DO NOTHING`;
const INSERT_SEALED = "INSERT INTO mailfuse_sealed (plan, number, bytes) VALUES (?, ?, ?)";
const READ_SEALED = "SELECT number, bytes FROM mailfuse_sealed WHERE plan = ? AND number >= ? ORDER BY number LIMIT ?";
// Waiting or claimed only, and never reserved: what may have been sent is not handed out again.
const READ_WAITING = `SELECT number, bytes FROM mailfuse_entry JOIN mailfuse_sealed USING (plan, number)
  WHERE plan = ? AND state = 'waiting' AND number < ? ORDER BY number LIMIT ?`;
// INDEXED: by the primary key it would walk over everything delivered so far.
const READ_LAPSED = `SELECT number, bytes
  FROM mailfuse_entry INDEXED BY mailfuse_entry_state JOIN mailfuse_sealed USING (plan, number)
  WHERE plan = ? AND state = 'claimed' AND number < ? AND until <= ? ORDER BY number LIMIT ?`;
const CLAIM_ENTRY = "UPDATE mailfuse_entry SET state = 'claimed', until = ? WHERE plan = ? AND number = ?";
const READ_ENTRY = "SELECT state, reservation, at, message_id FROM mailfuse_entry WHERE plan = ? AND number = ?";
const RESERVE_ENTRY = `UPDATE mailfuse_entry SET state = 'reserved', reservation = ?, at = ?, message_id = NULL
  WHERE plan = ? AND number = ?`;
// Only its own: an entry let go again in between belongs to another reservation, or to nobody.
const SETTLE_ENTRY = `UPDATE mailfuse_entry SET state = ?, message_id = nullif(?, '')
  WHERE plan = ? AND number = ? AND state = 'reserved' AND reservation = ?`;
const COUNT_STATES = "SELECT state, count(*) AS entries FROM mailfuse_entry WHERE plan = ? GROUP BY state";
const READ_IN_STATE = `SELECT number FROM mailfuse_entry
  WHERE plan = ? AND state = ? AND number > ? ORDER BY number LIMIT ?`;
const REQUEUE = "UPDATE mailfuse_entry SET state = 'waiting', reservation = '' WHERE plan = ? AND state = ?";
const MARK_TOLD = "UPDATE mailfuse_entry SET state = 'told' WHERE plan = ? AND number = ? AND state = 'accepted'";
const MARK_REMOVED = `UPDATE mailfuse_entry SET state = 'removed'
  WHERE plan = ? AND number = ? AND state IN ('waiting', 'claimed')`;
// In steps: one statement over a million entries would keep every other process waiting.
const DROP_SEALED = `DELETE FROM mailfuse_sealed WHERE rowid IN
  (SELECT rowid FROM mailfuse_sealed WHERE plan = ? LIMIT 2000)`;

/** Adds entries; an index already there stays as it is. */
export function addEntries(sql: Sql, plan: string, entries: readonly SpoolEntry[]): void {
  for (const { index, sealed } of entries) {
    if (sql.run(INSERT_ENTRY, plan, index) > 0) sql.run(INSERT_SEALED, plan, index, sealed);
  }
}

/** Entries from an index on, as long as their bytes are kept. */
export function readEntries(sql: Sql, plan: string, from: number, limit: number): readonly SpoolEntry[] {
  return sql.all(READ_SEALED, plan, from, limit).map(spoolEntry);
}

/** Leases entries to one worker, lowest index first. */
export function claimEntries(
  sql: Sql,
  plan: string,
  count: number,
  at: number,
  leaseMs: number,
  below = Number.MAX_SAFE_INTEGER,
): readonly SpoolEntry[] {
  const waiting = sql.all(READ_WAITING, plan, below, count);
  const free = [...waiting, ...sql.all(READ_LAPSED, plan, below, at, count)].map(spoolEntry);
  const claimed = free.sort((a, b) => a.index - b.index).slice(0, count);
  for (const { index } of claimed) sql.run(CLAIM_ENTRY, at + leaseMs, plan, index);
  return claimed;
}

function spoolEntry(row: Readonly<Record<string, unknown>>): SpoolEntry {
  // libsql gives bytes as an ArrayBuffer.
  const bytes = row.bytes as Uint8Array | ArrayBuffer;
  return { index: Number(row.number), sealed: ArrayBuffer.isView(bytes) ? bytes : new Uint8Array(bytes) };
}

/** Why an entry cannot be reserved; `undefined` when it can. */
export function takenEntry(sql: Sql, claim: EntryClaim, at: number): OnceRecord | undefined {
  const row = sql.get(READ_ENTRY, claim.plan, claim.index);
  if (!row) return { reservation: "", state: "unknown", at };
  const state = row.state as EntryState;
  if (state === "waiting" || state === "claimed") return undefined;
  if (state === "removed") return { reservation: "", state: "unknown", at };
  const messageId = row.message_id;
  const ended = state === "told" ? "accepted" : state;
  const record = { reservation: String(row.reservation), state: ended, at: Number(row.at) };
  return typeof messageId === "string" ? { ...record, messageId } : record;
}

/** Marks an entry as under way. */
export function reserveEntry(sql: Sql, claim: EntryClaim, reservation: string, at: number): void {
  sql.run(RESERVE_ENTRY, reservation, at, claim.plan, claim.index);
}

/** Records what became of an entry. An empty `messageId` is none. */
export function settleEntry(sql: Sql, claim: EntryClaim, reservation: string, fate: Fate, messageId: string): void {
  sql.run(SETTLE_ENTRY, fate, messageId, claim.plan, claim.index, reservation);
}

/** How many entries stand in each state. */
export function countStates(sql: Sql, plan: string): Readonly<Partial<Record<EntryState, number>>> {
  return Object.fromEntries(sql.all(COUNT_STATES, plan).map((row) => [row.state, Number(row.entries)]));
}

/** Indexes of entries in one state. */
export function readInState(
  sql: Sql,
  plan: string,
  state: EntryState,
  after: number,
  limit: number,
): readonly number[] {
  return sql.all(READ_IN_STATE, plan, state, after, limit).map((row) => Number(row.number));
}

/** Lets entries go again; gives back how many. */
export function requeue(sql: Sql, plan: string, from: EntryState): number {
  return sql.run(REQUEUE, plan, from);
}

/** Marks entries as told or removed; gives back how many. */
export function mark(sql: Sql, plan: string, indexes: readonly number[], to: "told" | "removed"): number {
  const statement = to === "told" ? MARK_TOLD : MARK_REMOVED;
  return indexes.reduce((sum, index) => sum + sql.run(statement, plan, index), 0);
}

/** Forgets a plan's bytes. */
export async function dropSealed(connection: Connection, plan: string): Promise<void> {
  while ((await connection.write((sql) => sql.run(DROP_SEALED, plan))) > 0);
}
