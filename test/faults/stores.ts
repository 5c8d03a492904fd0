/** The stores that the checks run on, described so that another process can open the same one. */
import { setTimeout as pause } from "node:timers/promises";
import type { Reservation, Store } from "../../src/store";
import { postgresStore } from "../../src/stores/postgres";
import { redisStore } from "../../src/stores/redis";
import { sqliteStore } from "../../src/stores/sqlite";

/** How a process opens the store. */
export type StorePlace =
  | { readonly kind: "sqlite"; readonly path: string }
  | { readonly kind: "redis"; readonly port: number; readonly client: "ioredis" | "node-redis"; readonly spool: string }
  | { readonly kind: "postgres"; readonly port: number };

/** A store, and what belongs to it. */
export interface OpenPlace {
  readonly store: Store;
  /** SQLite only: lets the file grow no further, as a full disk does; `false` frees it again. */
  readonly full?: (full: boolean) => void;
  readonly end: () => Promise<unknown>;
}

/** How long the checks let a store take: shorter than the default, so that faults cost less time. */
export const deadlineMs = 1_000;

/** Opens it. Loads the one driver that it needs: processes are started many times. */
export async function openPlace(place: StorePlace): Promise<OpenPlace> {
  if (place.kind === "sqlite") {
    const { default: Database } = await import("better-sqlite3");
    const database = new Database(place.path);
    const store = sqliteStore({ database, timeoutMs: deadlineMs });
    const full = (on: boolean) => {
      const pages = Number(database.pragma("page_count", { simple: true }));
      database.pragma(`max_page_count = ${on ? pages : 1_000_000_000}`);
    };
    return { store, full, end: async () => database.close() };
  }
  if (place.kind === "postgres") {
    const { Pool } = await import("pg");
    const pool = new Pool({ host: "127.0.0.1", port: place.port, user: "postgres", database: "postgres", max: 4 });
    return { store: postgresStore({ pool, deadlineMs }), end: () => pool.end() };
  }
  const options = { spool: { directory: place.spool }, deadlineMs };
  if (place.client === "ioredis") {
    const { Redis } = await import("ioredis");
    const client = new Redis(place.port, "127.0.0.1");
    client.on("error", () => {});
    return { store: redisStore({ client, ...options }), end: async () => client.disconnect() };
  }
  const { createClient } = await import("redis");
  const client = createClient({ socket: { host: "127.0.0.1", port: place.port, reconnectStrategy: 50 } });
  client.on("error", () => {});
  await client.connect();
  return { store: redisStore({ client, ...options }), end: async () => client.destroy() };
}

/** How long the answer of a server in the next room takes. */
const networkMs = 5;

/**
 * The store with its lock or script taken out: it looks, decides, and then writes, as far from its server as in
 * production. A check that this one passes would prove nothing.
 */
export function takenApart(store: Store): Store {
  return {
    ...store,
    async reserve(reservations) {
      const answers = await Promise.all(reservations.map((reservation) => lookThenWrite(store, reservation)));
      return answers.flat();
    },
  };
}

async function lookThenWrite(store: Store, reservation: Reservation) {
  const used = await store.usage(reservation.caps);
  for (const [index, cap] of reservation.caps.entries()) {
    const [held, wanted] = [used[index] ?? 0, cap.people.length];
    if (held + wanted > cap.limit)
      return [{ ok: false, reason: "cap", key: cap.key, limit: cap.limit, used: held, wanted }] as const;
  }
  await pause(networkMs);
  const unlimited = reservation.caps.map((cap) => ({ ...cap, limit: Number.MAX_SAFE_INTEGER }));
  return store.reserve([{ ...reservation, caps: unlimited }]);
}
