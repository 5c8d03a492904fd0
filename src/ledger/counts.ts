/**
 * Counts what a ledger holds by day, environment and purpose, for reports without people: memory
 * grows with days and purposes, and with the mails under way, not with the ledger.
 *
 * @module
 */
import type { LedgerLine } from "../store";
import { dayOf } from "./addresses";
import { type EventFields, readEvent } from "./read";

const columns = ["accepted", "refused", "failed", "unknown", "stopped", "would_stop", "diverted"] as const;
type Column = (typeof columns)[number];
type Row = Record<Column, number>;

/** Counts provider calls, line by line. */
export class Counts {
  readonly #rows = new Map<string, Row>();
  /** Calls without an outcome yet. */
  readonly #open = new Map<string, readonly Row[]>();

  add(line: LedgerLine): void {
    const event = readEvent(line);
    if (!event) return;
    const { type, id } = event;
    if (type === "reserved" && id !== undefined) {
      const rows = this.#of(line.at, event);
      for (const row of rows) row.unknown++;
      this.#open.set(id, rows);
    } else if (type === "settled" && id !== undefined) {
      for (const row of this.#open.get(id) ?? []) {
        row.unknown--;
        row[event.fate ?? "unknown"]++;
      }
      this.#open.delete(id);
    } else if (type === "refused") for (const row of this.#of(line.at, event)) row.stopped++;
    else if (type === "would-refuse") for (const row of this.#of(line.at, event)) row.would_stop++;
    else if (type === "diverted") for (const row of this.#of(line.at, event)) row.diverted++;
  }

  #of(at: number, event: EventFields): readonly Row[] {
    return (event.purposes ?? []).map((purpose) => {
      const key = `${dayOf(at)},${quoted(event.env ?? "")},${quoted(purpose)}`;
      const row = this.#rows.get(key) ?? (Object.fromEntries(columns.map((column) => [column, 0])) as Row);
      this.#rows.set(key, row);
      return row;
    });
  }

  /** The table: calls, not people. */
  *rows(): Generator<string> {
    yield `day,environment,purpose,${columns.join(",")}\r\n`;
    for (const key of [...this.#rows.keys()].sort()) {
      const row = this.#rows.get(key) as Row;
      yield `${key},${columns.map((column) => row[column]).join(",")}\r\n`;
    }
  }
}

/** A field of CSV (RFC 4180); a leading character that spreadsheets compute with is made harmless. */
function quoted(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
