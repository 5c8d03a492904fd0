/**
 * The SQLite store: one file on one machine, shared by all its processes. The embedded default.
 *
 * ```ts
 * import { createFuse } from "mailfuse";
 * import { sqliteStore } from "mailfuse/stores/sqlite";
 *
 * export const fuse = createFuse({ store: sqliteStore({ path: "mailfuse.db" }), ... });
 * ```
 *
 * Works with better-sqlite3, `node:sqlite` (Node 22.5 and later) and libsql. https://www.sqlite.org/wal.html
 *
 * @module
 */
import { resolve } from "node:path";
import { type Clock, MailfuseError, type Store, type StoreFacts, systemClock } from "../store";
import { coalesce } from "./coalesce";
import { addressBuckets, findAddresses, forgetAddresses } from "./sqlite/addresses";
import { connect, type Sql } from "./sqlite/connection";
import { openDatabase, type SqliteDatabase, trouble } from "./sqlite/driver";
import { deleteHalt, readHalts, writeHalt } from "./sqlite/halts";
import { acknowledgeLoss, appendLine, type Moment, readLines, readTime, trimLines, withMoment } from "./sqlite/ledger";
import { usedBy } from "./sqlite/people";
import { insertPlan, readPlan, readPlans, writePlan } from "./sqlite/plans";
import { reserveAll, settleAll } from "./sqlite/reserve";
import {
  addEntries,
  claimEntries,
  countStates,
  dropSealed,
  mark,
  readEntries,
  readInState,
  requeue,
} from "./sqlite/spool";
import { makeSweep } from "./sqlite/sweep";
import { readValue, setValue, takeLease, wipeValue } from "./sqlite/values";

export type { SqliteDatabase, SqliteStatement, SqliteValue } from "./sqlite/driver";

/** Options of {@link sqliteStore}: a `path`, or an open `database`. */
export interface SqliteStoreOptions {
  /** The file; made, readable by its owner only, when it is not there. Needs better-sqlite3 or Node 22.5. */
  readonly path?: string;
  /**
   * An open connection of better-sqlite3, `node:sqlite` or libsql, for the store alone: it sets
   * `journal_mode` and `busy_timeout` and begins transactions. The store does not close it.
   */
  readonly database?: SqliteDatabase;
  /**
   * What a written line survives: `"NORMAL"` the death of the process, `"FULL"` also power loss, at
   * the price of waiting for the disk with each batch.
   * @default "NORMAL" with `path`; with `database`, as the connection is set
   */
  readonly synchronous?: "NORMAL" | "FULL";
  /**
   * How long to wait for other processes' transactions, milliseconds, before `STORE_UNAVAILABLE`.
   * @default 2_000
   */
  readonly timeoutMs?: number;
  /** What the names of the tables begin with. @default "mailfuse_" */
  readonly prefix?: string;
  /** @default the machine's clock */
  readonly clock?: Pick<Clock, "now">;
}

/**
 * A store in a SQLite file.
 *
 * @throws MailfuseError `CONFIG_INVALID` for options that make no sense. Methods reject with
 * `STORE_UNAVAILABLE` while the file cannot be used, and with `CONFIG_INVALID` where no driver is there.
 *
 * @example
 * ```ts
 * const store = sqliteStore({ path: "mailfuse.db", synchronous: "FULL" });
 * ```
 *
 * @example
 * ```ts
 * import { DatabaseSync } from "node:sqlite";
 *
 * const store = sqliteStore({ database: new DatabaseSync("mailfuse.db") });
 * ```
 */
export function sqliteStore(options: SqliteStoreOptions): Store {
  const { path, database, timeoutMs = 2_000, prefix = "mailfuse_", clock = systemClock } = check(options);
  const connection = connect({
    open: async () => database ?? openDatabase(path ?? ""),
    owned: database === undefined,
    synchronous: options.synchronous ?? (database ? undefined : "NORMAL"),
    timeoutMs,
    prefix,
  });
  const sweep = makeSweep();

  /** A transaction that may number lines. */
  function change<T>(work: (sql: Sql, moment: Moment) => T): Promise<T> {
    return connection.write((sql) => withMoment(sql, clock.now(), (moment) => work(sql, moment)));
  }

  // One transaction for all that arrives in one turn of the event loop. An error in a statement may
  // be one call's own fault, and the transaction was rolled back: the others go again without it.
  const together = {
    gather: true,
    isolate: (error: unknown) => error instanceof Error && trouble(error.cause) === "statement",
  };
  const reserve = coalesce<Parameters<Store["reserve"]>[0][number], Awaited<ReturnType<Store["reserve"]>>[number]>(
    (all) =>
      change((sql, moment) => {
        const answers = reserveAll(sql, moment, all);
        sweep(sql, moment, all);
        return answers;
      }),
    { ...together, weigh: (one) => 1 + (one.caps[0]?.people.length ?? 0) / 32 + one.rates.length / 8 },
  );
  const settle = coalesce<Parameters<Store["settle"]>[0][number], number>(
    (all) => change((sql, moment) => settleAll(sql, moment, all)),
    together,
  );
  const append = coalesce<string, number>(
    (events) => change((_sql, moment) => events.map((event) => appendLine(moment, event))),
    together,
  );

  return {
    open: () => connection.read(facts),
    now: () => connection.read((sql) => readTime(sql, clock.now())),
    setOnce: (name, value) => connection.write((sql) => setValue(sql, name, value)),
    value: (name) => connection.read((sql) => readValue(sql, name)),
    forget: (name) => wipeValue(connection, name),
    lease: (name, holder, ms) => change((sql, { at }) => takeLease(sql, name, holder, at, ms)),

    reserve,
    settle,
    usage: (windows) =>
      connection.read((sql) => {
        const at = readTime(sql, clock.now());
        return windows.map(({ key }) => usedBy(sql, key, at));
      }),

    halt: (record, event) =>
      change((sql, moment) => {
        writeHalt(sql, record, moment.at);
        appendLine(moment, event);
      }),
    resume: (scope, event) =>
      change((sql, moment) => {
        appendLine(moment, event);
        return deleteHalt(sql, scope);
      }),
    halts: () => connection.read((sql) => [...readHalts(sql)].sort((a, b) => (a.scope < b.scope ? -1 : 1))),
    acknowledge: (event) => change((_sql, moment) => acknowledgeLoss(moment, event)),

    append,
    read: (after, limit) => connection.read((sql) => readLines(sql, after, limit)),
    trim: (seq) => trimLines(connection, seq),

    addresses: (bucket, people) => connection.read((sql) => findAddresses(sql, bucket, people)),
    addressBuckets: () => connection.read(addressBuckets),
    forgetAddresses: (what) => forgetAddresses(connection, what),

    addPlan: (row, event) => change((sql, moment) => insertPlan(sql, moment, row, event)),
    plan: (id) => connection.read((sql) => readPlan(sql, id)),
    plans: (limit) => connection.read((sql) => readPlans(sql, limit)),
    changePlan: (wanted) => change((sql, moment) => writePlan(sql, moment, wanted)),

    spool: (plan, entries) => connection.write((sql) => addEntries(sql, plan, entries)),
    entries: (plan, from, limit) => connection.read((sql) => readEntries(sql, plan, from, limit)),
    claimEntries: (plan, _worker, count, ms, below) =>
      change((sql, { at }) => claimEntries(sql, plan, count, at, ms, below)),
    entryStates: (plan) => connection.read((sql) => countStates(sql, plan)),
    entriesIn: (plan, state, after, limit) => connection.read((sql) => readInState(sql, plan, state, after, limit)),
    requeueEntries: (plan, from, event) =>
      change((sql, moment) => {
        appendLine(moment, event);
        return requeue(sql, plan, from);
      }),
    markEntries: (plan, indexes, to) => connection.write((sql) => mark(sql, plan, indexes, to)),
    dropSpool: (plan) => dropSealed(connection, plan),

    close: () => connection.close(),
  };
}

function facts(sql: Sql): StoreFacts {
  if (sql.get("PRAGMA journal_mode")?.journal_mode === "memory") {
    return {
      kind: "sqlite",
      shared: false,
      durability: "none",
      says: "SQLite in this process's memory: all is gone when it ends.",
    };
  }
  // 2 is FULL, 3 is EXTRA. https://www.sqlite.org/pragma.html#pragma_synchronous
  const full = Number(sql.get("PRAGMA synchronous")?.synchronous) >= 2;
  return {
    kind: "sqlite",
    shared: true,
    durability: full ? "power-loss" : "process",
    says: full
      ? "One SQLite file for all processes of this machine; a written line survives power loss."
      : 'One SQLite file for all processes of this machine; a written line survives their death, and power loss only with synchronous: "FULL".',
  };
}

function check(options: SqliteStoreOptions): SqliteStoreOptions {
  const { path, database, synchronous, timeoutMs, prefix } = options;
  const wrong = (message: string, fix: string) =>
    new MailfuseError({ code: "CONFIG_INVALID", message, fix, where: "sqliteStore" });
  if ((path === undefined) === (database === undefined)) {
    throw wrong(
      "Expected either `path` or `database`, got both or neither.",
      'Give one, such as { path: "mailfuse.db" }.',
    );
  }
  if (path === "")
    throw wrong("Expected `path` to name a file, got an empty text.", 'Name one, such as "mailfuse.db".');
  if (database && (typeof database.prepare !== "function" || typeof database.exec !== "function")) {
    throw wrong(
      "Expected `database` to be an open connection with prepare and exec, got something else.",
      "Pass a connection of better-sqlite3, node:sqlite or libsql; asynchronous drivers do not fit.",
    );
  }
  if (synchronous !== undefined && synchronous !== "NORMAL" && synchronous !== "FULL") {
    throw wrong('Expected `synchronous` to be "NORMAL" or "FULL", got something else.', "See docs/stores.md.");
  }
  if (timeoutMs !== undefined && !(timeoutMs >= 0 && timeoutMs <= 600_000)) {
    throw wrong("Expected `timeoutMs` to be between 0 and 600000 milliseconds.", "Leave it out for 2000.");
  }
  if (prefix !== undefined && !/^[A-Za-z_][A-Za-z0-9_]{0,40}$/.test(prefix)) {
    throw wrong("Expected `prefix` to be up to 41 letters, digits and underscores.", 'Leave it out for "mailfuse_".');
  }
  // Now, not when it is opened anew after trouble: the process may have changed its directory.
  return path === undefined || path === ":memory:" ? options : { ...options, path: resolve(path) };
}
