/**
 * One connection to a SQLite file: statements prepared once, transactions that wait their turn
 * without stopping the process, and a way back after trouble.
 *
 * @module
 */
import { statSync } from "node:fs";
import { setTimeout } from "node:timers";
import { MailfuseError } from "../../store";
import { type SqliteDatabase, type SqliteStatement, type SqliteValue, sqliteCode, trouble } from "./driver";
import { CREATE_TABLES, READ_VERSION, schemaVersion } from "./schema";
import { decodeText, encodeText } from "./text";

/** A row by column names. */
export type Row = Readonly<Record<string, unknown>>;

/** Statements within one transaction. SQL is given as a constant: it is the key of its prepared statement. */
export interface Sql {
  /** Resolves to how many rows changed. */
  run(sql: string, ...values: SqliteValue[]): number;
  get(sql: string, ...values: SqliteValue[]): Row | undefined;
  all(sql: string, ...values: SqliteValue[]): readonly Row[];
}

/** Options of {@link connect}. */
export interface ConnectionOptions {
  /** Opens the database. Called again after trouble when the store opened it itself. */
  readonly open: () => Promise<SqliteDatabase>;
  /** Whether the connection is ours to close and to open anew. */
  readonly owned: boolean;
  readonly prefix: string;
  readonly synchronous: "NORMAL" | "FULL" | undefined;
  readonly timeoutMs: number;
}

/** A connection. `work` runs within one call of the event loop, and again if the lock was lost. */
export interface Connection {
  /** All of `work`, or nothing. */
  write<T>(work: (sql: Sql) => T): Promise<T>;
  /** One statement, or several that need not see the same moment. */
  read<T>(work: (sql: Sql) => T): Promise<T>;
  /** Runs outside any transaction. */
  bare<T>(work: (sql: Sql, database: SqliteDatabase) => T): Promise<T>;
  close(): Promise<void>;
}

interface Opened {
  readonly database: SqliteDatabase;
  readonly sql: Sql;
  /** The file and its identity, to notice when it was replaced; `undefined` in memory. */
  readonly file: { readonly path: string; readonly identity: string } | undefined;
}

/** How long SQLite itself waits for a lock. Short: it stops the whole process meanwhile. */
const busyTimeoutMs = 10;

// Node's own, taken when the module loads: fake timers of a test must not stop the mail it tests.
const later = setTimeout;

/** Makes a connection; it opens with its first use. */
export function connect(options: ConnectionOptions): Connection {
  let opened: Opened | undefined;
  let opening: Promise<Opened> | undefined;
  let closed = false;

  async function ready(): Promise<Opened> {
    if (closed) throw unavailable("The store is closed.", "Make a new store, or close the old one later.");
    if (opened && !replaced(opened)) return opened;
    if (opened && !options.owned) {
      throw unavailable(
        "Expected the file behind `database` to be in its place, got another or none.",
        "Open it anew.",
      );
    }
    reset();
    opening ??= openAndPrepare(options).finally(() => {
      opening = undefined;
    });
    opened = await opening;
    return opened;
  }

  function reset(): void {
    const former = opened;
    opened = undefined;
    if (!options.owned) return;
    try {
      former?.database.close();
    } catch {
      // It is given up either way.
    }
  }

  async function attempt<T>(work: (opened: Opened) => T): Promise<T> {
    for (let waited = 0, turn = 0; ; turn++) {
      try {
        return work(await ready());
      } catch (error) {
        if (MailfuseError.isInstance(error)) throw error;
        const kind = trouble(error);
        if (kind !== "busy" || waited >= options.timeoutMs) {
          if (kind === "connection") reset();
          throw failed(error, options.timeoutMs);
        }
        // Uneven steps: processes that wait for each other must not wake in step for ever.
        const pause = 1 + ((turn * 7 + process.pid) % 5);
        waited += busyTimeoutMs + pause;
        await new Promise<void>((resolve) => later(resolve, pause));
      }
    }
  }

  return {
    write: (work) => attempt(({ sql }) => transaction(sql, work)),
    read: (work) => attempt(({ sql }) => work(sql)),
    bare: (work) => attempt(({ sql, database }) => work(sql, database)),
    async close() {
      closed = true;
      await opening?.catch(() => undefined);
      reset();
    },
  };
}

function transaction<T>(sql: Sql, work: (sql: Sql) => T): T {
  // IMMEDIATE takes the write lock first: a transaction that read before it wrote could not get it any more.
  sql.run("BEGIN IMMEDIATE");
  try {
    const result = work(sql);
    sql.run("COMMIT");
    return result;
  } catch (error) {
    try {
      sql.run("ROLLBACK");
    } catch {
      // SQLite rolls back by itself on a full disk and the like, and then knows of no transaction.
    }
    throw error;
  }
}

async function openAndPrepare(options: ConnectionOptions): Promise<Opened> {
  const database = await options.open();
  try {
    database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    const sql = statements(database, options.prefix);
    // Readers then never wait for the writer, and a commit is one write.
    const mode = sql.get("PRAGMA journal_mode")?.journal_mode;
    if (mode !== "wal" && mode !== "memory") sql.get("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16000");
    // A statement that writes many rows first copies the pages it changes, to take itself back: not into a file.
    database.exec("PRAGMA temp_store = MEMORY");
    if (options.synchronous) database.exec(`PRAGMA synchronous = ${options.synchronous}`);
    createTables(sql, database, options.prefix);
    const path = sql.all("PRAGMA database_list").find((row) => row.name === "main")?.file;
    const file = typeof path === "string" && path !== "" ? { path, identity: identity(path) } : undefined;
    return { database, sql, file };
  } catch (error) {
    if (options.owned) database.close();
    throw error;
  }
}

function createTables(sql: Sql, database: SqliteDatabase, prefix: string): void {
  transaction(sql, () => {
    database.exec(CREATE_TABLES.replaceAll("mailfuse_", prefix));
    const version = Number(sql.get(READ_VERSION)?.version);
    if (version === schemaVersion) return;
    throw new MailfuseError({
      code: "CONFIG_INVALID",
      message: `Expected tables of version ${schemaVersion}, got version ${version}.`,
      fix: "Another version of mailfuse made them: use that one, another file, or another `prefix`.",
      where: "sqliteStore",
    });
  });
}

function statements(database: SqliteDatabase, prefix: string): Sql {
  const prepared = new Map<string, SqliteStatement>();

  function statement(sql: string): SqliteStatement {
    let found = prepared.get(sql);
    if (!found) {
      found = database.prepare(sql.replaceAll("mailfuse_", prefix));
      prepared.set(sql, found);
    }
    return found;
  }

  return {
    run: (sql, ...values) => Number((statement(sql).run(...encode(values)) as { changes?: unknown }).changes),
    get: (sql, ...values) => decode(statement(sql).get(...encode(values))),
    all: (sql, ...values) =>
      statement(sql)
        .all(...encode(values))
        .map((row) => decode(row) ?? {}),
  };
}

function encode(values: SqliteValue[]): SqliteValue[] {
  for (let at = 0; at < values.length; at++) {
    const value = values[at];
    if (typeof value === "string") values[at] = encodeText(value);
  }
  return values;
}

function decode(row: unknown): Row | undefined {
  if (typeof row !== "object" || row === null) return undefined;
  const columns = row as Record<string, unknown>;
  for (const name in columns) {
    const value = columns[name];
    if (typeof value === "string") columns[name] = decodeText(value);
  }
  return columns;
}

// A file that was moved away still takes what is written to it, where no other process sees it.
function replaced(opened: Opened): boolean {
  return opened.file !== undefined && identity(opened.file.path) !== opened.file.identity;
}

function identity(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat ? `${stat.dev}:${stat.ino}` : "gone";
}

function failed(cause: unknown, timeoutMs: number): MailfuseError {
  const code = sqliteCode(cause);
  if (code?.startsWith("BUSY") || code?.startsWith("LOCKED")) {
    return unavailable(
      `Expected the lock of the SQLite file within ${timeoutMs} ms, got none.`,
      "Look for a process that keeps a transaction open, or raise `timeoutMs`.",
      cause,
    );
  }
  const came = code ? `SQLITE_${code}` : cause instanceof Error ? cause.name : typeof cause;
  return unavailable(
    `Expected the SQLite file to be usable, got ${came}.`,
    "See the cause. Nothing was sent; the store goes on by itself once the file can be used again.",
    cause,
  );
}

/** A refusal that says the store cannot be asked now. */
function unavailable(message: string, fix: string, cause?: unknown): MailfuseError {
  return new MailfuseError({ code: "STORE_UNAVAILABLE", message, fix, where: "sqliteStore" }, { cause });
}
