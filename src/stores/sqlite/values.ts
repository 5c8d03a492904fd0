/**
 * Values and leases in SQLite.
 *
 * @module
 */
import type { Connection, Sql } from "./connection";
import { wipe } from "./wipe";

const INSERT_VALUE = "INSERT INTO mailfuse_value (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING";
const READ_VALUE = "SELECT value FROM mailfuse_value WHERE name = ?";
const DELETE_VALUE = "DELETE FROM mailfuse_value WHERE name = ?";
// Changes nothing while another holder's lease runs.
const TAKE_LEASE = `INSERT INTO mailfuse_lease (name, holder, until) VALUES (?, ?, ?)
  ON CONFLICT DO UPDATE SET holder = excluded.holder, until = excluded.until
  WHERE mailfuse_lease.holder = excluded.holder OR mailfuse_lease.until <= ?`;

/** Sets a value unless it is set; gives back the one that is. */
export function setValue(sql: Sql, name: string, value: string): string {
  sql.run(INSERT_VALUE, name, value);
  return readValue(sql, name) ?? value;
}

/** A value, if it is set. */
export function readValue(sql: Sql, name: string): string | undefined {
  const row = sql.get(READ_VALUE, name);
  return row && String(row.value);
}

/** Destroys a value for good. */
export async function wipeValue(connection: Connection, name: string): Promise<void> {
  await wipe(connection, (sql) => sql.run(DELETE_VALUE, name));
}

/** Takes or renews a lease. */
export function takeLease(sql: Sql, name: string, holder: string, at: number, ms: number): boolean {
  return sql.run(TAKE_LEASE, name, holder, at + ms, at) > 0;
}
