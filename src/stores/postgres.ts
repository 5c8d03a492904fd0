/**
 * The PostgreSQL store: caps, claims, halts, plans, their spool and the ledger of all processes, in one schema of
 * PostgreSQL 13 or newer.
 *
 * ```ts
 * import { Pool } from "pg";
 * import { postgresStore } from "mailfuse/stores/postgres";
 *
 * const store = postgresStore({ pool: new Pool() });
 * await store.migrate(); // once, for example in a deployment step
 * ```
 *
 * Every operation is one call of a function in the schema: one statement, one transaction. It works behind PgBouncer
 * in transaction mode: no named statements, locks that end with the transaction, nothing kept in a session.
 *
 * @see https://www.postgresql.org/docs/current/transaction-iso.html
 * @module
 */
import { type Clock, type Store, systemClock } from "../store";
import { addressesIn } from "./postgres/addresses";
import { checkDatabase } from "./postgres/check";
import {
  Database,
  invalid,
  milliseconds,
  name,
  type PostgresPool,
  pack,
  quoted,
  unpack,
  whole,
} from "./postgres/database";
import { ledgerIn } from "./postgres/ledger";
import { plansIn } from "./postgres/plans";
import { reserveIn } from "./postgres/reserve";
import { migration } from "./postgres/schema";
import { spoolIn } from "./postgres/spool";
import { stagingIn } from "./postgres/staging";

export type { PostgresClient, PostgresPool } from "./postgres/database";

/** Options of {@link postgresStore}. */
export interface PostgresStoreOptions {
  /** A `Pool` of `pg`. It is yours: the store never ends it. */
  readonly pool: PostgresPool;
  /** The schema that holds the tables and functions. Fuses that share it share everything. @default "mailfuse" */
  readonly schema?: string;
  /**
   * How long an answer may take before the mail is refused, milliseconds. A connection that does not answer in time
   * is closed, so that the pool makes another one.
   * @default 2_000
   */
  readonly deadlineMs?: number;
  /** For the deadline only: what counts is the server's time. @default the machine's clock */
  readonly clock?: Clock;
}

/** A {@link Store} in PostgreSQL. */
export interface PostgresStore extends Store {
  /**
   * Makes the schema, its tables and functions, or brings them up to date: one transaction under an advisory lock, so
   * that any number of processes may do it at once. Running it again changes nothing.
   */
  migrate(): Promise<void>;
  /**
   * Removes rows whose time is over, a bounded number; resolves to how many. The store does it by itself about once a
   * minute while mail is sent, so this is for those who want to do it at night.
   */
  prune(): Promise<number>;
}

/** How many rows of each kind one pruning removes, and how long after the one before it comes. */
const pruneRows = 2_000;
const pruneMs = 60_000;

/** A migration may wait for another one. */
const migrationMs = 60_000;

/**
 * The statements of {@link PostgresStore.migrate}, for migrations that are run by other means: as one script in one
 * transaction, by a role that owns the schema.
 */
export function postgresMigration(schema = "mailfuse"): string {
  return migration(checkSchema(schema));
}

/**
 * A store in PostgreSQL, shared by all processes that use the same database and schema.
 *
 * A reserve that timed out here may have been carried out there: its mail was refused, its budget stays
 * spent until the window has passed.
 *
 * @throws `CONFIG_INVALID` for a wrong option; from `open()` also for a database that was not migrated, is older than
 * 13, not in UTF8, or whose default isolation is not READ COMMITTED
 *
 * @example
 * ```ts
 * const store = postgresStore({ pool: new Pool({ connectionString }), schema: "mailfuse" });
 * ```
 */
export function postgresStore(options: PostgresStoreOptions): PostgresStore {
  const { pool, clock = systemClock, deadlineMs = 2_000 } = options;
  const schema = checkSchema(options.schema ?? "mailfuse");
  if (typeof pool?.connect !== "function") {
    throw invalid("a Pool of pg", "Pass `new Pool(...)` from pg.", "postgresStore.pool");
  }
  if (!Number.isSafeInteger(deadlineMs) || deadlineMs < 1) {
    throw invalid("a deadline in whole milliseconds", "Leave it out for 2,000.", "postgresStore.deadlineMs");
  }
  const database = new Database(pool, clock, deadlineMs);
  const s = quoted(schema);
  const staging = stagingIn(database, s);

  async function prune(): Promise<number> {
    const [, removed] = await database.write(`${s}.prune`, [pruneRows]);
    return whole(removed);
  }

  let prunedAt = clock.now();
  function pruneAtTimes(): void {
    const now = clock.now();
    if (Math.abs(now - prunedAt) < pruneMs) return;
    prunedAt = now;
    // Beside the sends, and without a say in them. What it cannot remove now it removes later.
    prune().catch(() => {});
  }

  return {
    async migrate() {
      await database.rows(migration(schema), undefined, migrationMs);
    },
    prune,
    async open() {
      const facts = await checkDatabase(database, schema, s);
      await database.time(`${s}.now`);
      return facts;
    },
    async now() {
      return database.time(`${s}.now`);
    },
    async setOnce(key, value) {
      const [, kept] = await database.write(`${s}.set_once`, [name(key), pack(value)]);
      return unpack(kept);
    },
    async value(key) {
      const kept = await database.one(`SELECT (SELECT value FROM ${s}.kept WHERE name = $1)`, [name(key)]);
      return kept === null ? undefined : unpack(kept);
    },
    async forget(key) {
      await database.rows(`DELETE FROM ${s}.kept WHERE name = $1`, [name(key)]);
    },
    async lease(key, holder, ms) {
      const values = [name(key), pack(holder), ms > 0 ? milliseconds(ms) : 0];
      const [, taken] = await database.write(`${s}.lease`, values);
      return whole(taken) === 1;
    },

    ...reserveIn(database, s, staging, pruneAtTimes),
    ...ledgerIn(database, s),
    ...addressesIn(database, s),
    ...plansIn(database, s, staging),
    ...spoolIn(database, s),
    async close() {
      database.close();
    },
  };
}

function checkSchema(schema: string): string {
  // Longer names are cut by PostgreSQL, and two of them could be one.
  if (/^[^\p{Cc}]+$/u.test(schema) && Buffer.byteLength(schema) <= 63) return schema;
  throw invalid("a schema name of 1 to 63 bytes", 'Use a name such as "mailfuse".', "postgresStore.schema");
}
