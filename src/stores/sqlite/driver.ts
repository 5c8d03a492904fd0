/**
 * What the SQLite store needs of a driver. better-sqlite3, `node:sqlite` and libsql all have it.
 *
 * @module
 */
import { open as openFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { MailfuseError } from "../../store";

/** What is bound to a statement. */
export type SqliteValue = string | number | Uint8Array;

/** A prepared statement. */
export interface SqliteStatement {
  run(...values: SqliteValue[]): unknown;
  get(...values: SqliteValue[]): unknown;
  all(...values: SqliteValue[]): unknown[];
}

/** A connection whose calls answer at once. */
export interface SqliteDatabase {
  prepare(sql: string): SqliteStatement;
  exec(sql: string): unknown;
  close(): unknown;
}

type DatabaseClass = new (path: string) => SqliteDatabase;

/** Opens a file with the driver that is there: better-sqlite3, else `node:sqlite`. */
export async function openDatabase(path: string): Promise<SqliteDatabase> {
  const Database = await findDriver();
  // Made here so that keys and pseudonyms in it are its owner's alone; an existing file keeps its mode.
  if (path !== ":memory:") await (await openFile(path, "a", 0o600)).close();
  return new Database(path);
}

async function findDriver(): Promise<DatabaseClass> {
  const found = (await betterSqlite()) ?? (await nodeSqlite());
  if (found) return found;
  throw new MailfuseError({
    code: "CONFIG_INVALID",
    message: "Expected a SQLite driver for `path`, got neither a working better-sqlite3 nor node:sqlite.",
    fix: "Install better-sqlite3 (`npm install better-sqlite3`), run on Node 22.5 or later, or pass an open `database`.",
    where: "sqliteStore",
  });
}

async function betterSqlite(): Promise<DatabaseClass | undefined> {
  const Database = (await load("better-sqlite3"))?.default as DatabaseClass | undefined;
  try {
    // Its native part is loaded by the first connection: one built for another Node fails here.
    if (Database) new Database(":memory:").close();
    return Database;
  } catch {
    return undefined;
  }
}

async function nodeSqlite(): Promise<DatabaseClass | undefined> {
  return (await load("node:sqlite"))?.DatabaseSync as DatabaseClass | undefined;
}

type Loaded = { readonly default?: unknown; readonly DatabaseSync?: unknown };

// By a computed name, and marked, so that bundlers leave it alone: neither has to be there.
async function load(name: string): Promise<Loaded | undefined> {
  try {
    return (await import(/* webpackIgnore: true */ /* @vite-ignore */ name)) as Loaded;
  } catch {
    // Jest runs CommonJS where import() is refused.
    try {
      const loaded: unknown = createRequire(join(process.cwd(), "package.json"))(name);
      return { default: loaded, ...(loaded as Loaded) };
    } catch {
      return undefined;
    }
  }
}

/** What a driver's error means for what was asked. */
export type Trouble =
  /** Another process holds the lock: try again. */
  | "busy"
  /** One statement is at fault, and nothing has changed. */
  | "statement"
  /** The connection or its file cannot be used as it is. */
  | "connection";

// https://www.sqlite.org/rescode.html: the low byte of an extended code is its primary one.
const primary: Readonly<Record<number, string>> = {
  1: "ERROR",
  5: "BUSY",
  6: "LOCKED",
  18: "TOOBIG",
  19: "CONSTRAINT",
  20: "MISMATCH",
  25: "RANGE",
};

/** SQLite's own name of an error, without the `SQLITE_`; `undefined` when it is none of SQLite's. */
export function sqliteCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  if (typeof errcode === "number") return primary[errcode & 0xff] ?? String(errcode);
  return typeof code === "string" && code.startsWith("SQLITE_") ? code.slice("SQLITE_".length) : undefined;
}

/** Sorts a driver's error. */
export function trouble(error: unknown): Trouble {
  const code = sqliteCode(error);
  if (code === undefined) return "statement";
  if (/^(BUSY|LOCKED)/.test(code)) return "busy";
  return /^(ERROR|TOOBIG|CONSTRAINT|MISMATCH|RANGE)/.test(code) ? "statement" : "connection";
}
