/**
 * Clears away what is over: keys that nobody spends any more would stay for ever. Each sweep goes
 * on where the last one ended and looks at twice as many rows as were written since, so the tables
 * stay within a small multiple of what still counts.
 *
 * @module
 */
import type { Reservation } from "../../store";
import type { Sql } from "./connection";
import type { Moment } from "./ledger";
import { dropOver, LOWER_USED } from "./people";

const LAST_RATE = "SELECT key FROM mailfuse_rate WHERE key > ? ORDER BY key LIMIT 1 OFFSET ?";
const SWEEP_RATES = "DELETE FROM mailfuse_rate WHERE key > ? AND key <= ? AND until <= ?";
const SWEEP_LAST_RATES = "DELETE FROM mailfuse_rate WHERE key > ? AND until <= ?";
const LAST_ONCE = "SELECT key FROM mailfuse_once WHERE key > ? ORDER BY key LIMIT 1 OFFSET ?";
const SWEEP_ONCE = "DELETE FROM mailfuse_once WHERE key > ? AND key <= ? AND until <= ?";
const SWEEP_LAST_ONCE = "DELETE FROM mailfuse_once WHERE key > ? AND until <= ?";
const LAST_PERSON = "SELECT number FROM mailfuse_person WHERE number > ? ORDER BY number LIMIT 1 OFFSET ?";
const SWEEP_COUNTED = "DELETE FROM mailfuse_counted WHERE person > ? AND person <= ? AND until <= ?";
const SWEEP_PEOPLE = `DELETE FROM mailfuse_person WHERE number > ? AND number <= ?
  AND NOT EXISTS (SELECT 1 FROM mailfuse_counted WHERE person = number)`;
const READ_WINDOWS = "SELECT id, used, until FROM mailfuse_window WHERE id > ? ORDER BY id LIMIT ?";
const DELETE_WINDOW = "DELETE FROM mailfuse_window WHERE id = ?";

/** The last key of a step, what removes up to it, and what removes the rest behind the last step. */
type Range = readonly [last: string, remove: string, removeLast: string];

const rates: Range = [LAST_RATE, SWEEP_RATES, SWEEP_LAST_RATES];
const claims: Range = [LAST_ONCE, SWEEP_ONCE, SWEEP_LAST_ONCE];

/** Sweeps of less are not worth their statements; longer ones would keep other processes waiting. */
const fewest = 200;
const most = 4_000;

/** Makes a sweep: called in every transaction that reserves, it works when enough rows have come together. */
export function makeSweep(): (sql: Sql, moment: Moment, all: readonly Reservation[]) => void {
  let due = { rates: 0, once: 0, people: 0 };
  let rate = "";
  let once = "";
  let person = 0;
  let window = 0;

  // Two statements, because one with an OR would walk from there to the end of the table each time.
  function range(sql: Sql, [last, remove, removeLast]: Range, from: string, at: number, rows: number): string {
    const to = sql.get(last, from, rows)?.key;
    if (typeof to === "string") sql.run(remove, from, to, at);
    else sql.run(removeLast, from, at);
    return typeof to === "string" ? to : "";
  }

  function people(sql: Sql, at: number, rows: number): void {
    const last = sql.get(LAST_PERSON, person, rows);
    const to = last ? Number(last.number) : Number.MAX_SAFE_INTEGER;
    if (sql.run(SWEEP_COUNTED, person, to, at) > 0) sql.run(SWEEP_PEOPLE, person, to);
    person = last ? to : 0;
  }

  function windows(sql: Sql, at: number, rows: number): void {
    const found = sql.all(READ_WINDOWS, window, rows);
    let left = rows;
    for (const row of found) {
      const id = Number(row.id);
      if (Number(row.until) <= at) {
        const gone = left > 0 ? dropOver(sql, id, at, left) : 0;
        if (gone < Number(row.used)) {
          // A window of many moments: the rest is for the next sweeps.
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

  return (sql, moment, all) => {
    for (const { rates, once, caps } of all) {
      due.rates += rates.length;
      due.once += once.length;
      due.people += caps[0]?.people.length ?? 0;
    }
    if (due.rates + due.once + due.people < fewest) return;
    const { at } = moment;
    // What is over by this moment goes: time must not go back behind it.
    moment.aged = true;
    rate = range(sql, rates, rate, at, share(due.rates));
    once = range(sql, claims, once, at, share(due.once));
    people(sql, at, share(due.people));
    windows(sql, at, share(due.people));
    due = { rates: 0, once: 0, people: 0 };
  };
}

function share(written: number): number {
  return Math.min(1 + 2 * written, most);
}
