/** Reserving on Redis: against a PING, and against rate-limiter-flexible doing three counters. */
import { Redis } from "ioredis";
import { redisStore } from "mailfuse/stores/redis";
import { RateLimiterRedis } from "rate-limiter-flexible";
import { redisServers } from "../../test/stores/servers";
import { atOnce, inTurns, median, readable, summary } from "../measure";
import { pseudonym, reservations, reserver } from "../reservation";
import type { Effort, Row } from "../row";

const skipped = redisServers.own
  ? undefined
  : (redisServers.skipped ?? "no redis-server of our own can be started here");

async function withRedis<Result>(extra: readonly string[], use: (client: Redis) => Promise<Result>): Promise<Result> {
  const server = await redisServers.launch(...extra);
  const client = new Redis({ port: server.port, host: "127.0.0.1" });
  try {
    return await use(client);
  } finally {
    client.disconnect();
    await server.stop();
  }
}

async function openStore(client: Redis) {
  // The reservation is measured; plans are kept elsewhere.
  const store = redisStore({ client });
  await store.open();
  return store;
}

/** Wall time of a reservation, as a multiple of a PING's. */
async function againstPing(effort: Effort, extra: readonly string[]) {
  return withRedis(extra, async (client) => {
    const reserve = reserver(await openStore(client), reservations());
    const rounds = await inTurns(
      effort,
      1_500,
      async (times) => {
        for (let count = 0; count < times; count++) await reserve();
      },
      async (times) => {
        for (let count = 0; count < times; count++) await client.ping();
      },
    );
    return {
      ratios: rounds.map(({ ours, theirs }) => ours.wall / theirs.wall),
      ping: rounds.map(({ theirs }) => theirs.wall),
    };
  });
}

export const redisRows: readonly Row[] = [
  {
    id: "redis-c1",
    what: "reserve on Redis (halt, three sliding caps, a key, the ledger's line) in one call, one at a time, no persistence",
    unit: "x",
    target: { is: "<=", value: 2.5 },
    skipped,
    async measure(effort) {
      const { ratios, ping } = await againstPing(effort, []);
      const everysec = await againstPing(effort, ["--appendonly", "yes", "--appendfsync", "everysec"]);
      const always = await againstPing(effort, ["--appendonly", "yes", "--appendfsync", "always"]);
      return {
        ...summary(ratios),
        peer: `PING ${readable(median(ping))} us`,
        note: `with appendfsync everysec ${readable(median(everysec.ratios))} x, always ${readable(median(always.ratios))} x`,
      };
    },
  },
  {
    id: "redis-c50",
    what: "the same, 50 at once: reservations a second, against rate-limiter-flexible doing three counters",
    unit: "x",
    target: { is: ">=", value: 2.5 },
    skipped,
    measure: (effort) =>
      withRedis([], async (client) => {
        const reserve = reserver(await openStore(client), reservations());
        const limiters = [60, 3_600, 86_400].map(
          (duration) =>
            new RateLimiterRedis({ storeClient: client, points: 100_000_000, duration, keyPrefix: `rlf-${duration}` }),
        );
        let person = 0;
        const rounds = await inTurns(
          effort,
          6_000,
          (times) => atOnce(times, 50, reserve),
          (times) =>
            atOnce(times, 50, () => {
              const key = pseudonym(person++ % 10_000);
              return Promise.all(limiters.map((limiter) => limiter.consume(key)));
            }),
        );
        return {
          ...summary(rounds.map(({ ours, theirs }) => theirs.wall / ours.wall)),
          peer: `rate-limiter-flexible ${readable(1_000_000 / median(rounds.map(({ theirs }) => theirs.wall)))}/s`,
          note: `${readable(1_000_000 / median(rounds.map(({ ours }) => ours.wall)))} reservations/s`,
        };
      }),
  },
  {
    id: "distinct-10k",
    what: "10,000 new people counted in one call on Redis, against one SADD of the same",
    unit: "x",
    target: { is: "<=", value: 1.25 },
    skipped,
    measure: (effort) =>
      withRedis([], async (client) => {
        const store = await openStore(client);
        const size = 10_000;
        let next = 0;
        const fresh = () => Array.from({ length: size }, () => pseudonym(next++));
        const make = reservations();
        const turns: string[][] = [];
        const people = () => turns.pop() ?? fresh();
        const prepare = (count: number) => {
          while (turns.length < count) turns.push(fresh());
        };
        let key = 0;
        const ratios: number[] = [];
        const sadd: number[] = [];
        for (let round = 0; round <= effort.rounds; round++) {
          effort.tell(`round ${round} of ${effort.rounds}`);
          prepare(2);
          const reservation = make(round);
          const list = people();
          const windowMs = 86_400_000;
          const cap = { key: `distinct-${key}`, windowMs, limit: 100_000_000, people: list, enforce: true };
          const from = performance.now();
          const [answer] = await store.reserve([{ ...reservation, caps: [cap] }]);
          const ours = performance.now() - from;
          if (!answer?.ok) throw new Error("Expected ten thousand people to be counted, got a refusal.");
          const others = people();
          const start = performance.now();
          await client.sadd(`sadd-${key++}`, ...others);
          const theirs = performance.now() - start;
          // The first round is for the machine to get warm.
          if (round > 0) {
            ratios.push(ours / theirs);
            sadd.push(theirs);
          }
        }
        return { ...summary(ratios), peer: `SADD ${readable(median(sadd))} ms` };
      }),
  },
];
