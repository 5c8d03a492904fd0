/**
 * The spools of plans in PostgreSQL: sealed bytes, and each entry's state.
 *
 * @module
 */
import type { SpoolEntry } from "../../store";
import { type EntryMethods, entryStates, letter } from "../entries";
import { type Database, milliseconds, name, nonsense, pack, whole } from "./database";

/** The methods of the store that work with entries, in one schema, quoted. */
export function spoolIn(database: Database, s: string): EntryMethods {
  return {
    async spool(plan, entries) {
      for (const part of bounded(entries)) {
        const sealed = part.map((entry) => Buffer.from(entry.sealed).toString("base64")).join();
        const values = [name(plan), part.map((entry) => entry.index).join(), sealed];
        await database.rows(`SELECT ${s}.add_entries($1, $2, $3)`, values);
      }
    },
    async entries(plan, from, limit) {
      const text = `SELECT idx AS place, bytes AS sealed FROM ${s}.sealed WHERE plan = $1 AND idx >= $2 ORDER BY idx LIMIT $3`;
      return (await database.rows(text, [name(plan), from, Math.max(0, limit)])).map(spoolEntry);
    },
    async claimEntries(plan, _worker, count, leaseMs, below = Number.MAX_SAFE_INTEGER) {
      const text = `SELECT place, sealed FROM ${s}.claim_entries($1, $2, $3, $4) ORDER BY place`;
      const most = Math.min(below, Number.MAX_SAFE_INTEGER);
      const values = [name(plan), Math.max(0, count), milliseconds(leaseMs), most];
      return (await database.rows(text, values)).map(spoolEntry);
    },
    async entryStates(plan) {
      const text = `SELECT state::text, count(*) FROM ${s}.entries WHERE plan = $1 GROUP BY state`;
      const rows = (await database.rows(text, [name(plan)])) as readonly {
        state: keyof typeof entryStates;
        count: unknown;
      }[];
      return Object.fromEntries(rows.map(({ state, count }) => [entryStates[state], whole(count)]));
    },
    async entriesIn(plan, state, after, limit) {
      const text = `SELECT idx FROM ${s}.entries WHERE plan = $1 AND state = $2::"char" AND idx > $3 ORDER BY idx LIMIT $4`;
      const rows = await database.rows(text, [name(plan), letter(state), after, Math.max(0, limit)]);
      return rows.map((row) => whole((row as { idx: unknown }).idx));
    },
    async requeueEntries(plan, from, event) {
      const [, many] = await database.write(`${s}.requeue`, [name(plan), letter(from), pack(event)]);
      return whole(many);
    },
    async markEntries(plan, indexes, to) {
      if (indexes.length === 0) return 0;
      const [, many] = await database.write(`${s}.mark_entries`, [name(plan), indexes.join(), letter(to)]);
      return whole(many);
    },
    async dropSpool(plan) {
      await database.rows(`DELETE FROM ${s}.sealed WHERE plan = $1`, [name(plan)]);
    },
  };
}

/** A statement's text stays far below what a server takes, and below a deadline's worth of work. */
function* bounded(entries: readonly SpoolEntry[]): Generator<SpoolEntry[]> {
  let part: SpoolEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (part.length > 0 && (part.length === 1_000 || bytes + entry.sealed.length > 4 << 20)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(entry);
    bytes += entry.sealed.length;
  }
  if (part.length > 0) yield part;
}

function spoolEntry(row: unknown): SpoolEntry {
  const { place, sealed } = row as Record<string, unknown>;
  if (!(sealed instanceof Uint8Array)) throw nonsense();
  return { index: whole(place), sealed };
}
