/**
 * Sliding windows in SQLite as one transaction sees them: distinct people per key, and messages per key.
 *
 * @module
 */
import type { RateSpend } from "../../store";
import type { Sql } from "./connection";
import type { SqliteValue } from "./driver";
import { makeInsert } from "./insert";
import type { Moment } from "./ledger";
import { openPeople, type People } from "./people";

const SENT = "SELECT coalesce(sum(messages), 0) AS used FROM mailfuse_rate WHERE key = ? AND at > ?";
const insertSent = makeInsert("INSERT INTO mailfuse_rate (key, at, seq, messages, until)", "(?, ?, ?, ?, ?)");
const REFUND_SENT = "DELETE FROM mailfuse_rate WHERE key = ? AND at = ? AND seq = ?";

/** The windows of people and of messages. */
export interface Windows {
  readonly people: People;
  messages(spend: RateSpend): number;
  send(spend: RateSpend, seq: number): void;
  /** Writes what was counted and sent, also when everything was refused. */
  keep(): void;
}

/** The windows at one moment. */
export function openWindows(sql: Sql, moment: Moment): Windows {
  const { at } = moment;
  const sent = new Map<string, number>();
  const people = openPeople(sql, moment);
  const rows: SqliteValue[] = [];
  return {
    people,
    messages(spend) {
      const known = sent.get(spend.key);
      if (known !== undefined) return known;
      const used = Number(sql.get(SENT, spend.key, at - spend.windowMs)?.used);
      sent.set(spend.key, used);
      return used;
    },
    send(spend, seq) {
      if (spend.messages === 0) return;
      rows.push(spend.key, at, seq, spend.messages, at + spend.windowMs);
      // Read when it was judged.
      sent.set(spend.key, (sent.get(spend.key) ?? 0) + spend.messages);
    },
    keep() {
      people.keep();
      insertSent(sql, rows);
    },
  };
}

/** Takes back the messages of one reservation. */
export function refundMessages(sql: Sql, key: string, at: number, seq: number): void {
  sql.run(REFUND_SENT, key, at, seq);
}
