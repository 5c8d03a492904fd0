/** Reserving on SQLite, and the ledger's line on a disk that has to have it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import Database from "better-sqlite3";
import { postgresStore } from "mailfuse/stores/postgres";
import { sqliteStore } from "mailfuse/stores/sqlite";
import { RateLimiterSQLite } from "rate-limiter-flexible";
import { postgresServers } from "../../test/stores/servers";
import { atOnce, inTurns, median, readable, summary } from "../measure";
import { pseudonym, reservations, reserver } from "../reservation";
import type { Effort, Row } from "../row";
import { withPostgres } from "./postgres";

async function inFolder<Result>(use: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(path.join(tmpdir(), "mailfuse-bench-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function limiter(database: Database.Database): Promise<RateLimiterSQLite> {
  return new Promise((resolve, reject) => {
    const made = new RateLimiterSQLite(
      { storeClient: database, storeType: "better-sqlite3", points: 100_000_000, duration: 3_600, tableName: "rlf" },
      (error?: Error) => (error ? reject(error) : resolve(made)),
    );
  });
}

const sqliteC50: Row = {
  id: "sqlite-c50",
  what: "reserve on SQLite (better-sqlite3, WAL), 50 at once, against rate-limiter-flexible's counter on SQLite; also 40,000 a second",
  unit: "x",
  target: { is: ">=", value: 5 },
  measure: (effort) =>
    inFolder(async (folder) => {
      const store = sqliteStore({ path: path.join(folder, "ours.db") });
      await store.open();
      const reserve = reserver(store, reservations());
      const database = new Database(path.join(folder, "theirs.db"));
      database.pragma("journal_mode = WAL");
      database.pragma("synchronous = NORMAL");
      const counter = await limiter(database);
      let index = 0;
      const rounds = await inTurns(
        effort,
        5_000,
        (times) => atOnce(times, 50, reserve),
        (times) => atOnce(times, 50, () => counter.consume(pseudonym(index++ % 10_000))),
      );
      await store.close();
      database.close();
      const perSecond = 1_000_000 / median(rounds.map(({ ours }) => ours.wall));
      return {
        ...summary(rounds.map(({ ours, theirs }) => theirs.wall / ours.wall)),
        peer: `rate-limiter-flexible ${readable(1_000_000 / median(rounds.map(({ theirs }) => theirs.wall)))}/s`,
        note: `${readable(perSecond)} reservations/s`,
        alsoMet: perSecond >= 40_000,
      };
    }),
};

interface Lines {
  /** One commit for each line. */
  readonly each: (times: number) => Promise<void>;
  /** Lines of 100 callers at once, as the store commits them. */
  readonly together: (times: number) => Promise<void>;
}

async function gain(effort: Effort, times: number, { each, together }: Lines) {
  const rounds = await inTurns(effort, times, together, (count) => each(Math.max(1, Math.ceil(count / 20))));
  // The side with one commit each does a twentieth of the lines.
  const share = effort.quick ? Math.max(1, Math.ceil(times / 50)) : times;
  const factor = Math.max(1, Math.ceil(share / 20)) / share;
  return rounds.map(({ ours, theirs }) => theirs.wall / factor / ours.wall);
}

const line = JSON.stringify({
  v: 1,
  type: "settled",
  id: "0".repeat(36),
  fate: "accepted",
  messageId: "x".repeat(160),
});

const ledger: Row = {
  id: "ledger",
  what: "a ledger line that survives power loss, 100 callers at once: SQLite FULL, against a commit for each",
  unit: "x",
  target: { is: ">=", value: 15 },
  measure: (effort) =>
    inFolder(async (folder) => {
      const store = sqliteStore({ path: path.join(folder, "ledger.db"), synchronous: "FULL" });
      await store.open();
      const one = async () => void (await store.append([line]));
      const sqlite = await gain(effort, 4_000, {
        each: async (times) => {
          for (let count = 0; count < times; count++) await one();
        },
        together: (times) => atOnce(times, 100, one),
      });
      await store.close();
      const postgres = postgresServers.own ? await ledgerOnPostgres(effort) : undefined;
      const also = postgres === undefined ? undefined : median(postgres);
      return {
        ...summary(sqlite),
        peer: "one commit for each line, same store",
        note: also === undefined ? "PostgreSQL is not on this machine" : `on PostgreSQL ${readable(also)} x`,
        ...(also === undefined ? {} : { alsoMet: also >= 15 }),
      };
    }),
};

function ledgerOnPostgres(effort: Effort): Promise<readonly number[]> {
  return withPostgres(async (pool) => {
    const store = postgresStore({ pool });
    await store.migrate();
    await store.open();
    const one = async () => void (await store.append([line]));
    return gain(effort, 2_000, {
      each: async (times) => {
        for (let count = 0; count < times; count++) await one();
      },
      together: (times) => atOnce(times, 100, one),
    });
  });
}

export const sqliteRows: readonly Row[] = [sqliteC50, ledger];
