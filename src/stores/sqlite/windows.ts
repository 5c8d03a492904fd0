/**
 * Sliding windows in SQLite: distinct people per key, and messages per key.
 *
 * @module
 */
import type { CapSpend, RateSpend } from "../../store";
import type { Sql } from "./connection";
import type { Moment } from "./ledger";
import { encodeList } from "./text";

const READ_WINDOW = "SELECT id, used, oldest FROM mailfuse_window WHERE key = ?";
const INSERT_WINDOW = "INSERT INTO mailfuse_window (key, used, oldest, until) VALUES (?, 0, ?, ?) RETURNING id";
const WRITE_WINDOW = "UPDATE mailfuse_window SET used = ?, oldest = ?, until = ? WHERE id = ?";
const OLDEST_PERSON = "SELECT min(at) AS oldest FROM mailfuse_person WHERE window = ?";
const IS_COUNTED = "SELECT 1 AS counted FROM mailfuse_person WHERE window = ? AND person = ?";
// DISTINCT: a person named twice is one.
const COUNT_NEW = `SELECT count(DISTINCT value) AS wanted FROM json_each(?) WHERE NOT EXISTS
  (SELECT 1 FROM mailfuse_person WHERE window = ? AND person = value)`;
// Two plain statements: RETURNING would cost a temporary table each time. `fresh` only stays with the
// reservation that brought the person in: also one whose time was over, and whose row was not dropped yet.
const BRING_IN = `INSERT INTO mailfuse_person (window, person, at, last, fresh) VALUES (?, ?, ?, ?, 1)
  ON CONFLICT DO NOTHING`;
const COUNT_AGAIN = "UPDATE mailfuse_person SET fresh = at <= ?, at = ?, last = ? WHERE window = ? AND person = ?";
const COUNT_PEOPLE = `INSERT INTO mailfuse_person (window, person, at, last, fresh)
  SELECT DISTINCT ?, value, ?, ?, 1 FROM json_each(?) WHERE true
  ON CONFLICT DO UPDATE SET fresh = at <= ?, at = excluded.at, last = excluded.last`;
// Exact: who was last counted a whole window ago or earlier is out.
const DROP_OLD = "DELETE FROM mailfuse_person WHERE window = ? AND at <= ?";
// The same in bounds, for when it makes no difference yet: a window full of a mass mail ends all at once.
const DROP_SOME_OLD = `DELETE FROM mailfuse_person WHERE window = ? AND person IN
  (SELECT person FROM mailfuse_person WHERE window = ? AND at <= ? ORDER BY at LIMIT 2000)`;
const USED = `SELECT count(*) AS used FROM mailfuse_person
  WHERE window = (SELECT id FROM mailfuse_window WHERE key = ?) AND at > ?`;
// By number, not by time alone: another reservation of the same millisecond may hold the person too.
const REFUND_PEOPLE = "DELETE FROM mailfuse_person WHERE window = ? AND at = ? AND last = ? AND fresh = 1";
const REFUND_PERSON = "DELETE FROM mailfuse_person WHERE window = ? AND person = ? AND last = ? AND fresh = 1";
/** Whoever takes people out says so here. */
export const LOWER_USED = "UPDATE mailfuse_window SET used = used - ? WHERE id = ?";

const SENT = "SELECT coalesce(sum(messages), 0) AS used FROM mailfuse_rate WHERE key = ? AND at > ?";
const INSERT_SENT = "INSERT INTO mailfuse_rate (key, at, seq, messages, until) VALUES (?, ?, ?, ?, ?)";
const REFUND_SENT = "DELETE FROM mailfuse_rate WHERE key = ? AND at = ? AND seq = ?";

interface Window {
  readonly id: number;
  used: number;
  oldest: number;
  until: number;
  changed: boolean;
}

/** The windows as one transaction sees them. Read once per key, written back once by {@link Windows.keep}. */
export interface Windows {
  people(spend: CapSpend): { readonly used: number; readonly wanted: number };
  messages(spend: RateSpend): number;
  /** The window's number, by which {@link refundPeople} finds it. */
  number(spend: CapSpend): number;
  count(spend: CapSpend, seq: number): void;
  send(spend: RateSpend, seq: number): void;
  /** Writes back what has changed: also when everything was refused, because looking drops what is old. */
  keep(): void;
}

/** The windows at one moment. What is old by it is taken out, also where everything is refused. */
export function openWindows(sql: Sql, moment: Moment): Windows {
  const { at } = moment;
  const windows = new Map<string, Window>();
  const sent = new Map<string, number>();

  function find(spend: CapSpend): Window | undefined {
    const known = windows.get(spend.key);
    if (known) return known;
    const row = sql.get(READ_WINDOW, spend.key);
    if (!row) return undefined;
    const until = at + spend.windowMs;
    const window = {
      id: Number(row.id),
      used: Number(row.used),
      oldest: Number(row.oldest),
      until,
      changed: false,
    };
    windows.set(spend.key, window);
    if (window.oldest <= at - spend.windowMs) dropSome(window, at - spend.windowMs);
    return window;
  }

  function drop(window: Window, until: number): void {
    window.used -= sql.run(DROP_OLD, window.id, until);
    noteOldest(window);
  }

  function dropSome(window: Window, until: number): void {
    window.used -= sql.run(DROP_SOME_OLD, window.id, window.id, until);
    noteOldest(window);
  }

  function noteOldest(window: Window): void {
    // Processes bring their own clocks: after one that is ahead has looked, a person counted at an earlier time would be
    // older than the window's oldest, and stand there beyond their time.
    moment.aged = true;
    window.oldest = Number(sql.get(OLDEST_PERSON, window.id)?.oldest ?? at);
    window.changed = true;
  }

  function create(spend: CapSpend): Window {
    const until = at + spend.windowMs;
    const id = Number(sql.get(INSERT_WINDOW, spend.key, at, until)?.id);
    const window = { id, used: 0, oldest: at, until, changed: true };
    windows.set(spend.key, window);
    return window;
  }

  return {
    people(spend) {
      const window = find(spend);
      const most = spend.people.length;
      if (!window) return { used: 0, wanted: most };
      // Everyone fits, new or not: no need to look at each.
      if (window.used + most <= spend.limit) return { used: window.used, wanted: most };
      if (window.oldest <= at - spend.windowMs) drop(window, at - spend.windowMs);
      return { used: window.used, wanted: countNew(sql, window.id, spend.people) };
    },
    messages(spend) {
      const known = sent.get(spend.key);
      if (known !== undefined) return known;
      const used = Number(sql.get(SENT, spend.key, at - spend.windowMs)?.used);
      sent.set(spend.key, used);
      return used;
    },
    number: (spend) => (find(spend) ?? create(spend)).id,
    count(spend, seq) {
      const window = find(spend) ?? create(spend);
      const { people } = spend;
      const over = at - spend.windowMs;
      if (people.length === 1) {
        const person = people[0] ?? "";
        if (sql.run(BRING_IN, window.id, person, at, seq) > 0) window.used++;
        else sql.run(COUNT_AGAIN, over, at, seq, window.id, person);
      } else if (people.length > 1) {
        window.used += countNew(sql, window.id, people);
        sql.run(COUNT_PEOPLE, window.id, at, seq, encodeList(people), over);
      }
      window.changed = true;
    },
    send(spend, seq) {
      if (spend.messages === 0) return;
      sql.run(INSERT_SENT, spend.key, at, seq, spend.messages, at + spend.windowMs);
      sent.set(spend.key, (sent.get(spend.key) ?? 0) + spend.messages);
    },
    keep() {
      for (const window of windows.values()) {
        if (window.changed) sql.run(WRITE_WINDOW, window.used, window.oldest, window.until, window.id);
      }
    },
  };
}

function countNew(sql: Sql, window: number, people: readonly string[]): number {
  if (people.length === 1) return sql.get(IS_COUNTED, window, people[0] ?? "") ? 0 : 1;
  return Number(sql.get(COUNT_NEW, encodeList(people), window)?.wanted);
}

/** How many people a window holds. */
export function usedBy(sql: Sql, key: string, windowMs: number, at: number): number {
  return Number(sql.get(USED, key, at - windowMs)?.used);
}

/** Takes out whom the reservation numbered `seq` brought in and nobody has counted since. */
export function refundPeople(sql: Sql, window: number, at: number, seq: number, only?: readonly string[]): void {
  let gone = 0;
  if (only) for (const person of only) gone += sql.run(REFUND_PERSON, window, person, seq);
  else gone = sql.run(REFUND_PEOPLE, window, at, seq);
  if (gone > 0) sql.run(LOWER_USED, gone, window);
}

/** Takes back the messages of one reservation. */
export function refundMessages(sql: Sql, key: string, at: number, seq: number): void {
  sql.run(REFUND_SENT, key, at, seq);
}
