/**
 * Sliding windows in SQLite as one transaction sees them: distinct people per key, and messages per key.
 *
 * @module
 */
import type { RateSpend } from "../../store";
import type { Sql } from "./connection";
import type { Moment } from "./ledger";
import { openPeople, type People } from "./people";

const SENT = "SELECT coalesce(sum(messages), 0) AS used FROM mailfuse_rate WHERE key = ? AND at > ?";
const INSERT_SENT = "INSERT INTO mailfuse_rate (key, at, seq, messages, until) VALUES (?, ?, ?, ?, ?)";
const REFUND_SENT = "DELETE FROM mailfuse_rate WHERE key = ? AND at = ? AND seq = ?";

/** The windows of people and of messages. */
export interface Windows {
  readonly people: People;
  messages(spend: RateSpend): number;
  send(spend: RateSpend, seq: number): void;
}

/** The windows at one moment. */
export function openWindows(sql: Sql, moment: Moment): Windows {
  const { at } = moment;
  const sent = new Map<string, number>();
  return {
    people: openPeople(sql, moment),
    messages(spend) {
      const known = sent.get(spend.key);
      if (known !== undefined) return known;
      const used = Number(sql.get(SENT, spend.key, at - spend.windowMs)?.used);
      sent.set(spend.key, used);
      return used;
    },
    send(spend, seq) {
      if (spend.messages === 0) return;
      sql.run(INSERT_SENT, spend.key, at, seq, spend.messages, at + spend.windowMs);
      sent.set(spend.key, (sent.get(spend.key) ?? 0) + spend.messages);
    },
  };
}

/** Takes back the messages of one reservation. */
export function refundMessages(sql: Sql, key: string, at: number, seq: number): void {
  sql.run(REFUND_SENT, key, at, seq);
}
