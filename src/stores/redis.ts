/**
 * The Redis store: caps, claims, halts and the ledger of all processes in one Redis 6+ or Valkey.
 *
 * ```ts
 * import { Redis } from "ioredis"; // or createClient from "redis"
 * import { redisStore } from "mailfuse/stores/redis";
 *
 * export const fuse = createFuse({ store: redisStore({ client: new Redis(url) }), ... });
 * ```
 *
 * Every operation is one Lua script, atomic in Redis; a script's invariant stands above it.
 *
 * @see https://redis.io/docs/latest/develop/programmability/eval-intro/
 * @module
 */
import { randomBytes } from "node:crypto";
import { type Clock, type Store, systemClock } from "../store";
import { coalesce } from "./coalesce";
import { addressesOn } from "./redis/addresses";
import { checkServer, invalid } from "./redis/check";
import { clientRunner, type IoRedisClient, type NodeRedisClient, Server, text, whole } from "./redis/client";
import { stagingOn } from "./redis/large";
import * as ledger from "./redis/lua-ledger";
import { milliseconds, written } from "./redis/names";
import { plansOn } from "./redis/plans";
import { haltText, readHalt } from "./redis/records";
import { reservingOn } from "./redis/reserving";
import { noSpool, type SealedBytes, spoolInStore } from "./redis/spool";
import { spoolDirectory } from "./redis/spool-directory";

export type { IoRedisClient, NodeRedisClient } from "./redis/client";

/** Options of {@link redisStore}. */
export interface RedisStoreOptions {
  /** A connected client of ioredis or node-redis, single or cluster. It is yours: the store never closes it. */
  readonly client: IoRedisClient | NodeRedisClient;
  /**
   * Stands before every key, in the braces of a cluster's hash tag. Fuses that share a prefix share everything.
   * @default "mailfuse"
   */
  readonly prefix?: string;
  /**
   * Where the rendered mails of plans lie: a directory that every worker sees, or another store. Needed for plans only.
   */
  readonly spool?: { readonly directory: string } | { readonly store: Store };
  /**
   * How long an answer may take before the mail is refused, milliseconds.
   * @default 2_000
   */
  readonly deadlineMs?: number;
  /** For the deadline only: what counts is the server's time. @default the machine's clock */
  readonly clock?: Clock;
}

/**
 * A store in Redis, shared by all processes that use the same server and prefix.
 *
 * A reserve that timed out here may have been carried out there: its mail was refused, its budget stays
 * spent until the window has passed.
 *
 * @throws `CONFIG_INVALID` for a client that is neither ioredis nor node-redis, or for a wrong option; from `open()`
 * also for an eviction policy other than `noeviction`
 *
 * @example
 * ```ts
 * const client = await createClient({ url: "redis://localhost" }).connect();
 * const store = redisStore({ client, spool: { directory: "/var/lib/app/spool" } });
 * ```
 */
export function redisStore(options: RedisStoreOptions): Store {
  const { clock = systemClock, prefix = "mailfuse", deadlineMs = 2_000 } = options;
  const run = clientRunner(options.client);
  if (!run) {
    throw invalid("a client of ioredis or node-redis", "Pass the client itself, not its options.", "redisStore.client");
  }
  if (!/^[^{}\s]{1,200}$/.test(prefix)) {
    throw invalid("a prefix without braces and spaces", 'Use a name such as "mailfuse".', "redisStore.prefix");
  }
  if (!Number.isSafeInteger(deadlineMs) || deadlineMs < 1) {
    throw invalid("a deadline in whole milliseconds", "Leave it out for 2,000.", "redisStore.deadlineMs");
  }
  const server = new Server(run, `{${prefix}}`, clock, deadlineMs);
  const staging = stagingOn(server);
  const bytes = openSpool(options.spool, prefix);

  // Names one call, so that a repeat by the client's reconnection is known as one.
  const instance = randomBytes(9).toString("base64url");
  let calls = 0;
  const nonce = () => `${instance}.${(calls++).toString(36)}`;

  const appendMany = coalesce(async (events: readonly string[]) => {
    const [, ...numbers] = await server.write(ledger.append, [nonce()], events);
    return numbers.map(whole);
  });

  const store: Store = {
    async open() {
      const facts = await checkServer(server, options.client, clock);
      await store.now();
      return facts;
    },
    async now() {
      const [now] = await server.write(ledger.time, []);
      return whole(now);
    },
    async setOnce(name, value) {
      const [, kept] = await server.write(ledger.setOnce, [], [name, value]);
      return text(kept);
    },
    async value(name) {
      const [kept] = await server.read(ledger.value, [name]);
      return kept === null ? undefined : text(kept);
    },
    async forget(name) {
      await server.write(ledger.forget, [], [name]);
    },
    async lease(name, holder, ms) {
      const [, taken] = await server.write(ledger.lease, [name, holder, ms > 0 ? milliseconds(ms) : 0]);
      return whole(taken) === 1;
    },

    ...reservingOn(server, staging, nonce),
    async usage(asked) {
      if (asked.length === 0) return [];
      const rows = asked.map(({ key, windowMs }) => [written(`c:${key}`), milliseconds(windowMs)]);
      const [, ...counts] = await server.write(ledger.usage, [rows]);
      return counts.map(whole);
    },

    async halt(record, event) {
      await server.write(ledger.halt, [nonce()], [event, record.scope, haltText(record)]);
    },
    async resume(scope, event) {
      const [, was] = await server.write(ledger.resume, [nonce()], [event, scope]);
      return whole(was) === 1;
    },
    async halts() {
      const [, ...rows] = await server.read(ledger.halts, []);
      return rows.map(readHalt).sort((a, b) => (a.scope < b.scope ? -1 : 1));
    },
    async acknowledge(event) {
      const [, number] = await server.write(ledger.acknowledge, [nonce()], [event]);
      return whole(number);
    },

    append: appendMany,
    async read(after, limit) {
      const [, ...rows] = await server.read(ledger.read, [String(Math.max(0, after)), String(Math.max(0, limit))]);
      return threes(rows).map(([seq, at, event]) => ({ seq: whole(seq), at: whole(at), event: text(event) }));
    },
    async trim(seq) {
      for (let left = 1; left === 1; ) left = whole((await server.read(ledger.trim, [String(seq)]))[0]);
    },

    ...addressesOn(server),

    ...plansOn(server, staging, bytes, nonce),

    async close() {
      server.close();
    },
  };
  return store;
}

function openSpool(spool: RedisStoreOptions["spool"], prefix: string): SealedBytes {
  if (!spool) return noSpool();
  if ("store" in spool) return spoolInStore(spool.store);
  if (typeof spool.directory === "string" && spool.directory !== "") return spoolDirectory(spool.directory, prefix);
  throw invalid(
    "`spool` with a `directory` or a `store`",
    "Name a directory that every worker sees.",
    "redisStore.spool",
  );
}

function threes(rows: readonly unknown[]): [unknown, unknown, unknown][] {
  return rows.flatMap((row, index) =>
    index % 3 === 0 ? [[row, rows[index + 1], rows[index + 2]] as [unknown, unknown, unknown]] : [],
  );
}
