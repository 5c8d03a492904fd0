/**
 * Servers whose time is told: Redis' scripts and PostgreSQL's functions ask a test's clock instead of their own.
 * Everything else in them is as it is shipped.
 */
import type { Redis } from "ioredis";
import type { Pool } from "pg";
import { systemClock } from "../../../src/store";
import { postgresMigration, postgresStore } from "../../../src/stores/postgres";
import { type IoRedisClient, redisStore } from "../../../src/stores/redis";

type Now = { now(): number };

/** A client that runs scripts with the clock's time in place of `TIME`. */
function withTime(client: Redis, clock: Now): IoRedisClient {
  return {
    evalsha: () => Promise.reject(new Error("NOSCRIPT the time is part of the script")),
    eval(script, numkeys, ...args) {
      const time = clock.now();
      const told = `{'${Math.floor(time / 1_000)}', '${(time % 1_000) * 1_000}'}`;
      return client.eval(script.replaceAll("call('TIME')", told), numkeys, ...args);
    },
  };
}

/** A Redis store on a clock of the test's. */
export function redisOnClock(client: Redis, clock: Now, prefix: string, directory: string) {
  const options = { prefix, spool: { directory }, clock: { ...systemClock, now: () => clock.now() } };
  return redisStore({ client: withTime(client, clock), ...options });
}

/** Makes the schema of a PostgreSQL store on a clock of the test's; every handle tells the time before each statement. */
export async function migrateOnClock(pool: Pool, schema: string): Promise<void> {
  const sql = postgresMigration(schema).replaceAll(
    "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
    `(SELECT now FROM ${schema}_told)`,
  );
  await pool.query(`CREATE TABLE ${schema}_told (now bigint); INSERT INTO ${schema}_told VALUES (0); ${sql}`);
}

const lastTold = new WeakMap<Pool, Promise<unknown>>();

/** A handle on it. */
export function postgresOnClock(pool: Pool, clock: Now, schema: string) {
  const telling = {
    connect() {
      // One after the other, or a slow telling of an earlier time would turn the server's clock back.
      const told = (lastTold.get(pool) ?? Promise.resolve()).then(async () => {
        const client = await pool.connect();
        await client.query(`UPDATE ${schema}_told SET now = $1 WHERE now <> $1`, [clock.now()]);
        return client;
      });
      lastTold.set(
        pool,
        told.catch(() => {}),
      );
      return told;
    },
  };
  return postgresStore({ pool: telling, schema, clock: { ...systemClock, now: () => clock.now() } });
}
