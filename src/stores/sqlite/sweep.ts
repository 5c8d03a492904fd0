/**
 * Clears away what is over: keys that nobody spends any more would stay for ever. Each sweep goes
 * on where the last one ended and looks at twice as many rows as were written since, so the tables
 * stay within a small multiple of what still counts.
 *
 * @module
 */
import type { Sql } from "./connection";
import { LOWER_USED } from "./windows";

const LAST_RATE = "SELECT key FROM mailfuse_rate WHERE key > ? ORDER BY key LIMIT 1 OFFSET ?";
const SWEEP_RATES = "DELETE FROM mailfuse_rate WHERE key > ? AND key <= ? AND until <= ?";
const SWEEP_LAST_RATES = "DELETE FROM mailfuse_rate WHERE key > ? AND until <= ?";
const LAST_ONCE = "SELECT key FROM mailfuse_once WHERE key > ? ORDER BY key LIMIT 1 OFFSET ?";
const SWEEP_ONCE = "DELETE FROM mailfuse_once WHERE key > ? AND key <= ? AND until <= ?";
const SWEEP_LAST_ONCE = "DELETE FROM mailfuse_once WHERE key > ? AND until <= ?";
const READ_WINDOWS = "SELECT id, used, until FROM mailfuse_window WHERE id > ? ORDER BY id LIMIT ?";
const SWEEP_PEOPLE = `DELETE FROM mailfuse_person WHERE window = ? AND person IN
  (SELECT person FROM mailfuse_person WHERE window = ? LIMIT ?)`;
const DELETE_WINDOW = "DELETE FROM mailfuse_window WHERE id = ?";

/** The last key of a step, what removes up to it, and what removes the rest behind the last step. */
type Range = readonly [last: string, remove: string, removeLast: string];

const rates: Range = [LAST_RATE, SWEEP_RATES, SWEEP_LAST_RATES];
const claims: Range = [LAST_ONCE, SWEEP_ONCE, SWEEP_LAST_ONCE];

/** Sweeps of less are not worth their statements; longer ones would keep other processes waiting. */
const fewest = 200;
const most = 4_000;

/** Makes a sweep: called in every writing transaction with the rows it wrote, it works when enough have come together. */
export function makeSweep(): (sql: Sql, at: number, written: number) => void {
  let due = 0;
  let rate = "";
  let once = "";
  let window = 0;

  // Two statements, because one with an OR would walk from there to the end of the table each time.
  function range(sql: Sql, [last, remove, removeLast]: Range, from: string, at: number, rows: number): string {
    const to = sql.get(last, from, rows)?.key;
    if (typeof to === "string") sql.run(remove, from, to, at);
    else sql.run(removeLast, from, at);
    return typeof to === "string" ? to : "";
  }

  function windows(sql: Sql, at: number, rows: number): void {
    const found = sql.all(READ_WINDOWS, window, rows);
    let left = rows;
    for (const row of found) {
      const id = Number(row.id);
      if (Number(row.until) <= at) {
        const gone = sql.run(SWEEP_PEOPLE, id, id, left);
        if (gone < Number(row.used)) {
          // A mass mail's window: the rest is for the next sweeps.
          sql.run(LOWER_USED, gone, id);
          return;
        }
        sql.run(DELETE_WINDOW, id);
        left -= gone;
      }
      window = id;
    }
    if (found.length < rows) window = 0;
  }

  return (sql, at, written) => {
    due += written;
    if (due < fewest) return;
    const rows = Math.min(2 * due, most);
    due = 0;
    rate = range(sql, rates, rate, at, rows);
    once = range(sql, claims, once, at, rows);
    windows(sql, at, rows);
  };
}
