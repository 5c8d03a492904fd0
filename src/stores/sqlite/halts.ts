/**
 * Halts in SQLite.
 *
 * @module
 */
import type { HaltRecord } from "../../store";
import type { Sql } from "./connection";

const READ_HALTS = "SELECT scope, reason, principal, at FROM mailfuse_halt";
// A person's word replaces the record of a scope.
const WRITE_HALT = "INSERT OR REPLACE INTO mailfuse_halt (scope, reason, principal, at) VALUES (?, ?, ?, ?)";
// A cap's does not: who halted first, and why, is what people look for.
const LATCH_HALT = `INSERT INTO mailfuse_halt (scope, reason, principal, at) VALUES (?, ?, ?, ?)
  ON CONFLICT DO NOTHING`;
const DELETE_HALT = "DELETE FROM mailfuse_halt WHERE scope = ?";

/** What is halted. */
export function readHalts(sql: Sql): readonly HaltRecord[] {
  return sql.all(READ_HALTS).map((row) => ({
    scope: String(row.scope),
    reason: String(row.reason),
    by: String(row.principal),
    at: Number(row.at),
  }));
}

/** Halts a scope. */
export function writeHalt(sql: Sql, { scope, reason, by }: HaltRecord, at: number): void {
  sql.run(WRITE_HALT, scope, reason, by, at);
}

/** Halts scopes that are not halted yet; gives back those. */
export function latchHalts(sql: Sql, records: readonly HaltRecord[], at: number): readonly HaltRecord[] {
  return records
    .filter(({ scope, reason, by }) => sql.run(LATCH_HALT, scope, reason, by, at) > 0)
    .map((record) => ({ ...record, at }));
}

/** Resolves to whether the scope was halted. */
export function deleteHalt(sql: Sql, scope: string): boolean {
  return sql.run(DELETE_HALT, scope) > 0;
}
