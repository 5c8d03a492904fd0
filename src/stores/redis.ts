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
import {
  type Clock,
  MailfuseError,
  type PlanChange,
  type PlanChangeAnswer,
  type Reservation,
  type ReserveAnswer,
  type Store,
  systemClock,
} from "../store";
import { coalesce } from "./coalesce";
import { addressesOn } from "./redis/addresses";
import { checkServer, invalid } from "./redis/check";
import { clientRunner, type IoRedisClient, type NodeRedisClient, nonsense, Server, text, whole } from "./redis/client";
import {
  capRefusal,
  entryStates,
  haltText,
  letter,
  milliseconds,
  ReserveCall,
  readHalt,
  Spends,
  settleRows,
} from "./redis/encode";
import { stagingOn } from "./redis/large";
import * as ledger from "./redis/lua-ledger";
import * as plans from "./redis/lua-plans";
import { reserve, settle } from "./redis/lua-reserve";
import { noSpool, type SealedBytes, spoolInStore } from "./redis/spool";
import { spoolDirectory } from "./redis/spool-directory";
import { isLarge, Staging, settleStaging, weight } from "./staging";

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

/** The year 2286: times beyond overflow when they are turned into Redis' expiry. */
const farFuture = 9_999_999_999_999;

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

  const reserveSmall = coalesce(
    async (reservations: readonly Reservation[]) => {
      const call = new ReserveCall(reservations);
      const answers = call.answers(await server.write(reserve, call.head(nonce()), call.rest()));
      return answers.map((answer) => answer ?? fail());
    },
    { weigh: weight, most: 1_500 },
  );

  async function reserveLarge(reservation: Reservation): Promise<ReserveAnswer> {
    const dry = new ReserveCall([reservation], { dry: true });
    const [obstacle] = dry.answers(await server.write(reserve, dry.head(nonce()), dry.rest()));
    if (obstacle) return obstacle;
    const staged = await Staging.begin(staging, reservation.caps, reservation.rates);
    return settleStaging(staged, async () => {
      const call = new ReserveCall([reservation], { staged });
      const [answer] = call.answers(await server.write(reserve, call.head(nonce()), call.rest()));
      return answer;
    });
  }

  async function change(wanted: PlanChange, staged?: Staging, dry = false): Promise<PlanChangeAnswer | undefined> {
    const spends = new Spends(3);
    const rows = dry ? [] : spends.add(wanted.caps ?? [], [], staged);
    const tokens = (wanted.tokens ?? []).map(({ id, until }) => [id, Math.min(until, farFuture)]);
    const head = [nonce(), dry ? 1 : 0, wanted.id, wanted.version, wanted.scopes ?? [], tokens];
    const tables = [spends.keys.rows, spends.specs.rows, rows, staged?.stamp ?? 0];
    const rest = [wanted.event, wanted.state, wanted.record, ...spends.packed];
    const [at, kind, first, second, third] = await server.write(plans.changePlan, [...head, ...tables], rest);
    switch (kind) {
      case "ok":
        return { ok: true, version: wanted.version + 1, seq: whole(first), at: whole(at) };
      case "version":
        return { ok: false, reason: "version" };
      case "halted":
        return { ok: false, reason: "halted", halt: readHalt(first) };
      case "token":
        return { ok: false, reason: "token", id: text(wanted.tokens?.[whole(first) - 1]?.id) };
      case "cap":
        return capRefusal(spends.at(first), second, third);
      case "dry":
      case "late":
        return undefined;
      default:
        return fail();
    }
  }

  const settleMany = coalesce(async (settlements: Parameters<Store["settle"]>[0]) => {
    const events = settlements.map((settlement) => settlement.event);
    const [, ...numbers] = await server.write(settle, [settleRows(settlements)], events);
    return numbers.map(whole);
  });

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

    async reserve(reservations) {
      if (!reservations.some(isLarge)) return reserveSmall(reservations);
      const answers: ReserveAnswer[] = [];
      for (const reservation of reservations) {
        if (isLarge(reservation)) answers.push(await reserveLarge(reservation));
        else answers.push(...(await reserveSmall([reservation])));
      }
      return answers;
    },
    settle: settleMany,
    async usage(asked) {
      if (asked.length === 0) return [];
      const rows = asked.map(({ key, windowMs }) => [`c:${key}`, milliseconds(windowMs)]);
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

    async addPlan(row, event) {
      const [, added] = await server.write(plans.addPlan, [nonce()], [event, row.id, row.state, row.record]);
      return whole(added) === 1;
    },
    async plan(id) {
      const [found, ...row] = await server.read(plans.plan, [id]);
      return whole(found) === 1 ? planRow([id, ...row]) : undefined;
    },
    async plans(most) {
      if (most < 1) return [];
      const [, ...rows] = await server.read(plans.plans, [String(most)]);
      return rows.filter((_, index) => index % 5 === 0).map((_, row) => planRow(rows.slice(row * 5, row * 5 + 5)));
    },
    async changePlan(wanted) {
      const caps = wanted.caps ?? [];
      if (!isLarge({ caps, rates: [] })) return (await change(wanted)) ?? fail();
      const obstacle = await change(wanted, undefined, true);
      if (obstacle) return obstacle;
      const staged = await Staging.begin(staging, caps, []);
      return settleStaging(staged, () => change(wanted, staged));
    },

    async spool(plan, entries) {
      for (let from = 0; from < entries.length; from += 1_000) {
        const part = entries.slice(from, from + 1_000);
        const indexes = JSON.stringify(part.map((entry) => entry.index));
        const [states] = await server.read(plans.statesOf, [plan, indexes]);
        const fresh = part.filter((_, index) => text(states)[index] === "\0");
        if (fresh.length === 0) continue;
        // The bytes first: an entry that waits must have them. A crash in between leaves bytes that nobody asks for.
        await bytes.put(plan, fresh);
        await server.write(plans.addEntries, [plan, fresh.map((entry) => entry.index)]);
      }
    },
    entries: (plan, from, most) => bytes.from(plan, from, most),
    async claimEntries(plan, _worker, count, leaseMs, below) {
      const head = [plan, count, milliseconds(leaseMs), Math.min(below ?? farFuture, farFuture)];
      const [, , ...indexes] = await server.write(plans.claimEntries, head);
      const found = indexes.length > 0 ? await bytes.get(plan, indexes.map(whole)) : [];
      return found.length === indexes.length ? found : missing(indexes.length, found.length);
    },
    async entryStates(plan) {
      const [, ...rows] = await server.read(plans.countEntries, [plan]);
      const counts = new Map(pairs(rows).map(([name, count]) => [name, count]));
      const states = Object.entries(entryStates).map(([name, state]) => [state, whole(counts.get(name) ?? 0)] as const);
      return Object.fromEntries(states.filter(([, count]) => count > 0));
    },
    async entriesIn(plan, state, after, most) {
      const args = [plan, letter(state), String(Math.max(-1, after)), String(Math.max(0, most))];
      const [, ...indexes] = await server.read(plans.entriesIn, args);
      return indexes.map(whole);
    },
    async requeueEntries(plan, from, event) {
      const [, count] = await server.write(plans.requeue, [nonce()], [event, plan, letter(from)]);
      return whole(count);
    },
    async markEntries(plan, indexes, to) {
      let moved = 0;
      for (let from = 0; from < indexes.length; from += 1_000) {
        const head = [plan, indexes.slice(from, from + 1_000), letter(to)];
        moved += whole((await server.write(plans.markEntries, head))[1]);
      }
      return moved;
    },
    async dropSpool(plan) {
      await server.write(plans.dropEntries, [plan]);
      await bytes.drop(plan);
    },

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

function planRow(row: readonly unknown[]) {
  const [id, state, version, record, at] = row;
  return { id: text(id), state: text(state), version: whole(version), record: text(record), createdAt: whole(at) };
}

function pairs(rows: readonly unknown[]): [unknown, unknown][] {
  return rows.flatMap((row, index) => (index % 2 === 0 ? [[row, rows[index + 1]] as [unknown, unknown]] : []));
}

function threes(rows: readonly unknown[]): [unknown, unknown, unknown][] {
  return rows.flatMap((row, index) =>
    index % 3 === 0 ? [[row, rows[index + 1], rows[index + 2]] as [unknown, unknown, unknown]] : [],
  );
}

function fail(): never {
  throw nonsense();
}

function missing(expected: number, got: number): never {
  throw new MailfuseError({
    code: "STORE_UNAVAILABLE",
    message: `Expected the bytes of ${expected} spooled entries, got ${got}.`,
    fix: "Nothing was sent. Check that every worker sees the same spool directory.",
  });
}
