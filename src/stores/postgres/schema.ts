/**
 * The tables, and the statement that makes or brings up to date all of a schema.
 *
 * @module
 */
import { hash } from "node:crypto";
import { quoted } from "./database";
import { addressFunctions } from "./functions-addresses";
import { ledgerFunctions } from "./functions-ledger";
import { planFunctions } from "./functions-plans";
import { reserveFunctions } from "./functions-reserve";
import { settleFunctions } from "./functions-settle";
import { shortPathFunctions } from "./functions-short-path";
import { windowFunctions } from "./functions-windows";

/** Grows with every change of tables or functions; `open()` compares it. */
export const version = 3;

/**
 * One advisory lock per schema is taken first by whatever writes, so writers come one after another and
 * nobody can wait in a circle. Ledger numbers without a gap need that in any case: the next number is known only
 * when the one before is certain. The lock belongs to the transaction, so PgBouncer's transaction mode keeps it.
 */
function lockNumber(schema: string): string {
  return BigInt.asIntN(64, BigInt(`0x${hash("sha256", `mailfuse:${schema}`).slice(0, 16)}`)).toString();
}

const tables = (s: string) => `
CREATE SCHEMA IF NOT EXISTS ${s};
-- One row, rewritten with every batch. lost: the highest number presented since a loss, 0 when all is well.
CREATE TABLE IF NOT EXISTS ${s}.meta (
  one smallint PRIMARY KEY CHECK (one = 1), version int NOT NULL, seq bigint NOT NULL, at bigint NOT NULL,
  stamp bigint NOT NULL, staged bigint NOT NULL, lost bigint NOT NULL
) WITH (fillfactor = 10);
CREATE TABLE IF NOT EXISTS ${s}.ledger (seq bigint PRIMARY KEY, at bigint NOT NULL, event text NOT NULL);
CREATE TABLE IF NOT EXISTS ${s}.halts (scope text COLLATE "C" PRIMARY KEY, at bigint NOT NULL, record text NOT NULL);
-- held: how many rows of people the window has, those whose time is over included.
CREATE TABLE IF NOT EXISTS ${s}.windows (
  id uuid PRIMARY KEY, held bigint NOT NULL, length bigint NOT NULL, expires bigint NOT NULL
) WITH (fillfactor = 50);
-- born: the stamp of an earlier counting, at most a thirtieth of the window before the last. The index stands on it, so that
-- counting a person again, which is most of what happens to a row, leaves all indexes alone.
CREATE TABLE IF NOT EXISTS ${s}.people (
  win uuid NOT NULL, person text COLLATE "C" NOT NULL, stamp bigint NOT NULL, born bigint NOT NULL, PRIMARY KEY (win, person)
) WITH (fillfactor = 70);
CREATE INDEX IF NOT EXISTS people_born ON ${s}.people (win, born);
-- What a settlement gives back, and how it ended. label: the id as given, where the key is its hash.
CREATE TABLE IF NOT EXISTS ${s}.reservations (
  id text COLLATE "C" PRIMARY KEY, label text, seq bigint NOT NULL, at bigint NOT NULL, stamp bigint NOT NULL,
  caps text, rates text, claims text, plan text COLLATE "C", idx int, keep bigint NOT NULL,
  settled bigint, fate text, message text
) WITH (fillfactor = 70);
CREATE INDEX IF NOT EXISTS reservations_keep ON ${s}.reservations USING brin (keep);
CREATE TABLE IF NOT EXISTS ${s}.once (
  key text COLLATE "C" PRIMARY KEY, until bigint NOT NULL, reservation text COLLATE "C" NOT NULL
);
CREATE TABLE IF NOT EXISTS ${s}.plans (
  id text COLLATE "C" PRIMARY KEY, label text NOT NULL, seq bigint NOT NULL, state text NOT NULL, version int NOT NULL,
  record text NOT NULL, created bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS plans_seq ON ${s}.plans (seq);
CREATE TABLE IF NOT EXISTS ${s}.tokens (id text COLLATE "C" PRIMARY KEY, until bigint NOT NULL);
CREATE TABLE IF NOT EXISTS ${s}.entries (
  plan text COLLATE "C" NOT NULL, idx int NOT NULL, state "char" NOT NULL, until bigint, reservation text COLLATE "C",
  PRIMARY KEY (plan, idx)
) WITH (fillfactor = 70);
CREATE INDEX IF NOT EXISTS entries_state ON ${s}.entries (plan, state, idx);
CREATE TABLE IF NOT EXISTS ${s}.sealed (
  plan text COLLATE "C" NOT NULL, idx int NOT NULL, bytes bytea NOT NULL, PRIMARY KEY (plan, idx)
);
CREATE TABLE IF NOT EXISTS ${s}.kept (name text COLLATE "C" PRIMARY KEY, value text NOT NULL);
CREATE TABLE IF NOT EXISTS ${s}.leases (name text COLLATE "C" PRIMARY KEY, holder text NOT NULL, until bigint NOT NULL);
-- Sealed addresses of people who were reached, or who a large call is about to reach: its bucket is shown when it passes.
-- A bucket's row may outlive them; prune clears it away.
CREATE TABLE IF NOT EXISTS ${s}.buckets (
  id text COLLATE "C" PRIMARY KEY, name text COLLATE "C" NOT NULL, shown bool NOT NULL, made bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS buckets_name ON ${s}.buckets (name);
CREATE TABLE IF NOT EXISTS ${s}.addresses (
  bucket text COLLATE "C" NOT NULL, person text COLLATE "C" NOT NULL, sealed text NOT NULL, PRIMARY KEY (bucket, person)
);
INSERT INTO ${s}.meta VALUES (1, ${version}, 0, 0, 0, 0, 0) ON CONFLICT (one) DO NOTHING;
`;

/**
 * All statements of a migration. Sent as one, they are one transaction without a session's state.
 * Running it again changes nothing.
 */
export function migration(schema: string): string {
  const s = quoted(schema);
  const lock = lockNumber(schema);
  const functions = [
    ...[windowFunctions, ledgerFunctions, addressFunctions],
    ...[shortPathFunctions, reserveFunctions, settleFunctions, planFunctions],
  ];
  return [
    `SELECT pg_advisory_xact_lock(${lock});`,
    tables(s),
    ...functions.map((define) => define(s, lock)),
    `UPDATE ${s}.meta SET version = ${version} WHERE version < ${version};`,
  ].join("\n");
}
