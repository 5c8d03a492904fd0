/**
 * Sliding windows of distinct people in SQLite.
 *
 * What one transaction counts is collected and written together, a statement for each window instead of one
 * for each person. A window knows how many people leave it at which moment, so that what is over goes
 * without a look at each person, however many they are.
 *
 * @module
 */
import type { CapSpend } from "../../store";
import type { Sql } from "./connection";
import type { Moment } from "./ledger";
import { encodeList } from "./text";

const READ_WINDOW = "SELECT id, used, first FROM mailfuse_window WHERE key = ?";
const INSERT_WINDOW = "INSERT INTO mailfuse_window (key, used, first, until) VALUES (?, 0, ?, ?) RETURNING id";
const WRITE_WINDOW = "UPDATE mailfuse_window SET used = ?, first = ?, until = ? WHERE id = ?";
/** Whoever takes people out says so here. */
export const LOWER_USED = "UPDATE mailfuse_window SET used = used - ? WHERE id = ?";

// CROSS: the list leads, and the index finds each of it.
const READ_NUMBERS = `SELECT count(*) AS found, json_group_array(number) AS numbers
  FROM json_each(?) CROSS JOIN mailfuse_person ON name = value`;
const ADD_PEOPLE = `INSERT INTO mailfuse_person (name) SELECT value FROM json_each(?) WHERE true
  ON CONFLICT DO NOTHING`;

const IS_COUNTED = `SELECT 1 AS counted FROM mailfuse_person JOIN mailfuse_counted ON person = number
  WHERE name = ? AND window = ? AND until > ?`;
// DISTINCT: a person named twice is one.
const COUNT_NEW = `SELECT count(DISTINCT value) AS wanted FROM json_each(?) WHERE NOT EXISTS
  (SELECT 1 FROM mailfuse_person JOIN mailfuse_counted ON person = number
   WHERE name = value AND window = ? AND until > ?)`;
// `former` is NULL where they are out already, though their rows were not cleared away yet.
const READ_COUNTED = `SELECT until, people,
    (SELECT people FROM mailfuse_leaving AS leaving WHERE window = ? AND leaving.until = found.until) AS former
  FROM (SELECT until, count(*) AS people FROM json_each(?) CROSS JOIN mailfuse_counted ON person = value AND window = ?
    GROUP BY until) AS found`;
// `fresh` only stays with the reservation that brought the person in: also one whose time was over.
const COUNT = `INSERT INTO mailfuse_counted (person, window, until, fresh)
  SELECT value, ?, ?, 1 FROM json_each(?) WHERE true
  ON CONFLICT DO UPDATE SET fresh = until <= ?, until = excluded.until`;
// By the moment they leave: who was counted since leaves later, and who was counted twice in one moment is not fresh.
const REFUND = `DELETE FROM mailfuse_counted WHERE window = ? AND until = ? AND fresh = 1 AND person IN
  (SELECT number FROM json_each(?) CROSS JOIN mailfuse_person ON name = value)`;

const LEAVE_LATER = `INSERT INTO mailfuse_leaving (window, until, people) VALUES (?, ?, ?)
  ON CONFLICT DO UPDATE SET people = people + excluded.people`;
const READ_LEAVING = "SELECT people FROM mailfuse_leaving WHERE window = ? AND until = ?";
const SOME_STAY = "UPDATE mailfuse_leaving SET people = people - ? WHERE window = ? AND until = ?";
const ALL_STAY = "DELETE FROM mailfuse_leaving WHERE window = ? AND until = ?";
const READ_OVER = `SELECT sum(people) AS people, max(until) AS last FROM
  (SELECT until, people FROM mailfuse_leaving WHERE window = ? AND until <= ? ORDER BY until LIMIT ?)`;
const DROP_OVER = "DELETE FROM mailfuse_leaving WHERE window = ? AND until <= ?";
const FIRST_LEAVING = "SELECT min(until) AS first FROM mailfuse_leaving WHERE window = ?";
const USED = `SELECT coalesce(sum(people), 0) AS used FROM mailfuse_leaving
  WHERE window = (SELECT id FROM mailfuse_window WHERE key = ?) AND until > ?`;

interface Window {
  readonly id: number;
  /** Counted and written, also who is over and not dropped yet. */
  used: number;
  first: number;
  readonly until: number;
  changed: boolean;
  /** Counted in this transaction and not written yet. */
  people: Set<string>;
  /** Those of them who were counted by a further reservation: no refusal takes them out any more. */
  readonly again: string[];
}

/** The windows of people as one transaction sees them. Read once per key, written back by {@link People.keep}. */
export interface People {
  look(spend: CapSpend): { readonly used: number; readonly wanted: number };
  /** The window's number, by which {@link refundPeople} finds it. */
  number(spend: CapSpend): number;
  count(spend: CapSpend): void;
  /** Writes what has changed: also when everything was refused, because looking drops what is over. */
  keep(): void;
}

/** When it makes no difference yet, so much is dropped at once: the rest is for the next transactions. */
const step = 2_000;
/** So many people are written at once: a call to a million must not be held in memory a second time. */
const slice = 2_000;

/** The windows at one moment. Who is over by it is taken out, also where everything is refused. */
export function openPeople(sql: Sql, moment: Moment): People {
  const { at } = moment;
  const windows = new Map<string, Window>();
  let waiting = 0;

  function find(spend: CapSpend): Window | undefined {
    const known = windows.get(spend.key);
    if (known) return known;
    const row = sql.get(READ_WINDOW, spend.key);
    if (!row) return undefined;
    const window = open(spend, Number(row.id), Number(row.used), Number(row.first));
    if (window.first <= at) drop(window, step);
    return window;
  }

  function create(spend: CapSpend): Window {
    const until = at + spend.windowMs;
    return open(spend, Number(sql.get(INSERT_WINDOW, spend.key, until, until)?.id), 0, until);
  }

  function open(spend: CapSpend, id: number, used: number, first: number): Window {
    const until = at + spend.windowMs;
    const window = { id, used, first, until, changed: false, people: new Set<string>(), again: [] };
    windows.set(spend.key, window);
    return window;
  }

  function drop(window: Window, most: number): void {
    // Processes bring their own clocks: after one that is ahead has looked, a person counted at an earlier time would be
    // older than the window's oldest, and stand there beyond their time.
    moment.aged = true;
    window.used -= dropOver(sql, window.id, at, most);
    window.first = Number(sql.get(FIRST_LEAVING, window.id)?.first ?? window.until);
    window.changed = true;
  }

  /** Writes what was counted so far. */
  function flush(): void {
    let former: ReadonlySet<string> = new Set();
    let numbers = "[]";
    for (const window of windows.values()) {
      if (window.people.size === 0) continue;
      // Mostly the same people as in the window before: a purpose's windows differ in length.
      if (!sameSet(window.people, former)) numbers = numbersOf(sql, [...window.people]);
      former = window.people;
      write(window, numbers);
    }
    for (const window of windows.values()) window.people = new Set();
    waiting = 0;
  }

  function write(window: Window, numbers: string): void {
    const { id, until, people, again } = window;
    let moved = 0;
    for (const row of sql.all(READ_COUNTED, id, numbers, id)) {
      if (row.former === null) continue;
      moved += Number(row.people);
      lowerLeaving(sql, id, Number(row.until), Number(row.people), Number(row.former));
    }
    sql.run(COUNT, id, until, numbers, at);
    if (again.length > 0) sql.run(COUNT, id, until, numbersOf(sql, again), at);
    sql.run(LEAVE_LATER, id, until, people.size);
    window.used += people.size - moved;
    again.length = 0;
  }

  return {
    look(spend) {
      const window = find(spend);
      const most = spend.people.length;
      if (!window) return { used: 0, wanted: most };
      // Everyone fits, new or not: no need to look at each.
      if (window.used + window.people.size + most <= spend.limit) return { used: window.used, wanted: most };
      if (window.people.size > 0) flush();
      if (window.first <= at) drop(window, -1);
      return { used: window.used, wanted: countNew(sql, window.id, spend.people, at) };
    },
    number: (spend) => (find(spend) ?? create(spend)).id,
    count(spend) {
      const window = find(spend) ?? create(spend);
      const { people } = spend;
      window.changed = true;
      for (const person of people.length > 1 ? new Set(people) : people) {
        if (window.people.has(person)) window.again.push(person);
        else window.people.add(person);
        waiting++;
        if (waiting >= slice) flush();
      }
    },
    keep() {
      if (waiting > 0) flush();
      for (const window of windows.values()) {
        if (window.changed) sql.run(WRITE_WINDOW, window.used, window.first, window.until, window.id);
      }
    },
  };
}

function sameSet(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  if (one.size !== other.size) return false;
  for (const person of one) if (!other.has(person)) return false;
  return true;
}

/** The numbers of people as a list for `json_each`, in any order. Who has none gets one. */
function numbersOf(sql: Sql, people: readonly string[]): string {
  const list = encodeList(people);
  let read = sql.get(READ_NUMBERS, list);
  if (Number(read?.found) < people.length) {
    sql.run(ADD_PEOPLE, list);
    read = sql.get(READ_NUMBERS, list);
  }
  return String(read?.numbers);
}

function countNew(sql: Sql, window: number, people: readonly string[], at: number): number {
  if (people.length === 1) return sql.get(IS_COUNTED, people[0] ?? "", window, at) ? 0 : 1;
  return Number(sql.get(COUNT_NEW, encodeList(people), window, at)?.wanted);
}

/** `people` fewer of the `former` leave a window at that moment. A moment at which nobody leaves has no row. */
function lowerLeaving(sql: Sql, window: number, until: number, people: number, former: number): void {
  if (people === former) sql.run(ALL_STAY, window, until);
  else sql.run(SOME_STAY, people, window, until);
}

/** Takes out who is over, the oldest moments first, `most` of them or all (-1); gives back how many people went. */
export function dropOver(sql: Sql, window: number, at: number, most: number): number {
  const over = sql.get(READ_OVER, window, at, most);
  if (!over || over.last === null) return 0;
  sql.run(DROP_OVER, window, Number(over.last));
  return Number(over.people);
}

/** How many people a window holds. */
export function usedBy(sql: Sql, key: string, at: number): number {
  return Number(sql.get(USED, key, at)?.used);
}

/** Takes out those of `people` whom the reservation of that moment brought in and nobody has counted since. */
export function refundPeople(sql: Sql, window: number, until: number, people: readonly string[]): void {
  const gone = sql.run(REFUND, window, until, encodeList(people));
  const leaving = gone > 0 ? sql.get(READ_LEAVING, window, until) : undefined;
  // None where the window has dropped that moment already: then they are out.
  if (!leaving) return;
  lowerLeaving(sql, window, until, gone, Number(leaving.people));
  sql.run(LOWER_USED, gone, window);
}
