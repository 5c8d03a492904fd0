/**
 * Sealed addresses in SQLite, beside the ledger.
 *
 * @module
 */
import type { SealedAddresses } from "../../store";
import type { Connection, Sql } from "./connection";
import type { SqliteValue } from "./driver";
import { makeInsert } from "./insert";
import { wipe } from "./wipe";

// Who is there keeps the first: the same person's later ciphertext says nothing new.
const keep = makeInsert("INSERT INTO mailfuse_address (bucket, person, sealed)", "(?, ?, ?)", "ON CONFLICT DO NOTHING");
const FIND = "SELECT sealed FROM mailfuse_address WHERE bucket = ? AND person = ?";
// From one bucket to the next by the key: a bucket holds as many rows as people.
const BUCKETS = `WITH RECURSIVE found (bucket) AS (
    SELECT min(bucket) FROM mailfuse_address
    UNION ALL
    SELECT (SELECT min(bucket) FROM mailfuse_address WHERE bucket > found.bucket) FROM found WHERE found.bucket IS NOT NULL)
  SELECT bucket FROM found WHERE bucket IS NOT NULL`;
// In steps: one statement over a million rows would keep every other process waiting.
const FORGET_BUCKET = `DELETE FROM mailfuse_address WHERE bucket = ? AND person IN
  (SELECT person FROM mailfuse_address WHERE bucket = ? LIMIT 5000)`;
const FORGET_PERSON = "DELETE FROM mailfuse_address WHERE bucket = ? AND person = ?";

/** Keeps the addresses of reservations that passed. */
export function keepAddresses(sql: Sql, all: readonly SealedAddresses[]): void {
  const values: SqliteValue[] = [];
  for (const { bucket, sealed } of all) for (const [person, text] of sealed) values.push(bucket, person, text);
  keep(sql, values);
}

/** The addresses of people in one bucket, in the order asked. */
export function findAddresses(sql: Sql, bucket: string, people: readonly string[]): readonly (string | undefined)[] {
  return people.map((person) => {
    const row = sql.get(FIND, bucket, person);
    return row && String(row.sealed);
  });
}

/** The buckets that hold addresses. */
export function addressBuckets(sql: Sql): readonly string[] {
  return sql
    .all(BUCKETS)
    .map((row) => String(row.bucket))
    .sort();
}

/** Destroys a bucket, or what every bucket holds of some people; resolves to how many addresses went. */
export async function forgetAddresses(
  connection: Connection,
  what: { readonly bucket: string } | { readonly people: readonly string[] },
): Promise<number> {
  if ("bucket" in what) return wipe(connection, (sql) => sql.run(FORGET_BUCKET, what.bucket, what.bucket));
  let gone = 0;
  for (let from = 0; from < what.people.length; from += 500) {
    const some = what.people.slice(from, from + 500);
    gone += await wipe(connection, (sql) => {
      let rows = 0;
      for (const bucket of addressBuckets(sql))
        for (const person of some) rows += sql.run(FORGET_PERSON, bucket, person);
      return rows;
    });
  }
  return gone;
}
