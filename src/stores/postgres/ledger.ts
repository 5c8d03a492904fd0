/**
 * The ledger and halts in PostgreSQL.
 *
 * @module
 */
import type { Store } from "../../store";
import { coalesce } from "../coalesce";
import { type Database, joined, name, pack, unpack, whole } from "./database";
import { haltText, readHalt } from "./encode";

/** The methods of the store that write and read lines and halts, in one schema, quoted. */
export function ledgerIn(
  database: Database,
  s: string,
): Pick<Store, "append" | "read" | "trim" | "acknowledge" | "halt" | "resume" | "halts"> {
  const appendMany = coalesce(async (events: readonly string[]) => {
    const [, first] = await database.write(`${s}.append`, [joined(events.map(pack))]);
    return events.map((_, index) => whole(first) + index);
  });

  return {
    append: appendMany,
    async read(after, limit) {
      const text = `SELECT seq, at, event FROM ${s}.ledger WHERE seq > $1 ORDER BY seq LIMIT $2`;
      const rows = (await database.rows(text, [after, Math.max(0, limit)])) as readonly Record<string, unknown>[];
      return rows.map((row) => ({ seq: whole(row.seq), at: whole(row.at), event: unpack(row.event) }));
    },
    async trim(seq) {
      await database.rows(`DELETE FROM ${s}.ledger WHERE seq <= $1`, [seq]);
    },

    async halt(record, event) {
      await database.write(`${s}.halt`, [name(record.scope), haltText(record), pack(event)]);
    },
    async resume(scope, event) {
      const [, was] = await database.write(`${s}.resume`, [name(scope), pack(event)]);
      return whole(was) === 1;
    },
    async halts() {
      const rows = (await database.rows(`SELECT at, record FROM ${s}.halts`)) as readonly {
        at: unknown;
        record: unknown;
      }[];
      const records = rows.map(({ at, record }) => readHalt(at, record));
      return records.sort((a, b) => (a.scope < b.scope ? -1 : 1));
    },
    async acknowledge(event) {
      const [, number] = await database.write(`${s}.acknowledge`, [pack(event)]);
      return whole(number);
    },
  };
}
