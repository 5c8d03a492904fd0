/** Reserving on PostgreSQL with a durable commit, against rate-limiter-flexible's counter. */
import { postgresStore } from "mailfuse/stores/postgres";
import { Pool } from "pg";
import { RateLimiterPostgres } from "rate-limiter-flexible";
import { postgresServers } from "../../test/stores/servers";
import { atOnce, inTurns, median, readable, summary } from "../measure";
import { pseudonym, reservations, reserver } from "../reservation";
import type { Row } from "../row";

const skipped = postgresServers.own
  ? undefined
  : (postgresServers.skipped ?? "no PostgreSQL of our own can be started here");

/** A server that waits for the disk with every commit, as production's does. */
export async function withPostgres<Result>(use: (pool: Pool) => Promise<Result>): Promise<Result> {
  const server = await postgresServers.launch();
  const pool = new Pool({ host: "127.0.0.1", port: server.port, user: "postgres", database: "postgres", max: 20 });
  pool.on("error", () => {});
  try {
    return await use(pool);
  } finally {
    await pool.end();
    await server.stop();
  }
}

function limiter(pool: Pool): Promise<RateLimiterPostgres> {
  return new Promise((resolve, reject) => {
    const made = new RateLimiterPostgres(
      {
        storeClient: pool,
        storeType: "pool",
        points: 100_000_000,
        duration: 3_600,
        tableName: "rlf",
        clearExpiredByTimeout: false,
      },
      (error?: Error) => (error ? reject(error) : resolve(made)),
    );
  });
}

function row(id: string, what: string, factor: number, people: number): Row {
  return {
    id,
    what,
    unit: "x",
    target: { is: ">=", value: factor },
    skipped,
    measure: (effort) =>
      withPostgres(async (pool) => {
        const store = postgresStore({ pool });
        await store.migrate();
        await store.open();
        const reserve = reserver(store, reservations(1, people));
        const counter = await limiter(pool);
        let index = 0;
        const rounds = await inTurns(
          effort,
          people === 1 ? 1_000 : 3_000,
          (times) => atOnce(times, 50, reserve),
          (times) => atOnce(times, 50, () => counter.consume(pseudonym(index++ % people))),
        );
        return {
          ...summary(rounds.map(({ ours, theirs }) => theirs.wall / ours.wall)),
          peer: `rate-limiter-flexible ${readable(1_000_000 / median(rounds.map(({ theirs }) => theirs.wall)))}/s`,
          note: `${readable(1_000_000 / median(rounds.map(({ ours }) => ours.wall)))} reservations/s`,
        };
      }),
  };
}

export const postgresRows: readonly Row[] = [
  row(
    "pg-c50",
    "reserve on PostgreSQL, durable commit, 50 at once, 10,000 people, against one counter of rate-limiter-flexible",
    5,
    10_000,
  ),
  row("pg-hot", "the same with one hot key: one person is mailed again and again", 30, 1),
];
