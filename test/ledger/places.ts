/** A store of each kind, and every byte that it keeps. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { Pool } from "pg";
import { memoryStore, type Store } from "../../src/index";
import { postgresStore } from "../../src/stores/postgres";
import { redisStore } from "../../src/stores/redis";
import { sqliteStore } from "../../src/stores/sqlite";
import { postgresBytes, redisBytes } from "../leaks/dumps";
import { postgresServers, redisServers } from "../stores/servers";

export interface Place {
  readonly store: Store;
  /** Everything the store keeps, as bytes. */
  bytes(): Promise<readonly Buffer[]>;
  end(): Promise<void>;
}

export interface PlaceKind {
  readonly kind: "memory" | "sqlite" | "redis" | "postgres";
  readonly skipped?: string | undefined;
  readonly open: () => Promise<Place>;
}

export const placeKinds: readonly PlaceKind[] = [
  { kind: "memory", open: inMemory },
  { kind: "sqlite", open: inFile },
  { kind: "redis", skipped: redisServers.skipped, open: onRedis },
  { kind: "postgres", skipped: postgresServers.skipped, open: onPostgres },
];

/** What goes through the seam is all that a store in memory has. */
async function inMemory(): Promise<Place> {
  const inner = memoryStore();
  const seen: Buffer[] = [];
  const store = new Proxy(inner, {
    get(target, name, receiver) {
      const method: unknown = Reflect.get(target, name, receiver);
      if (typeof method !== "function") return method;
      return (...args: unknown[]) => {
        seen.push(
          Buffer.from(
            JSON.stringify(args, (_, value) =>
              value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value,
            ),
          ),
        );
        return Reflect.apply(method, target, args);
      };
    },
  });
  return { store, bytes: async () => seen, end: async () => {} };
}

async function inFile(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), "mailfuse-leaks-"));
  const store = sqliteStore({ path: join(folder, "mailfuse.db") });
  return {
    store,
    bytes: async () => filesIn(folder),
    end: async () => {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function onRedis(): Promise<Place> {
  const server = await redisServers.launch();
  const folder = mkdtempSync(join(tmpdir(), "mailfuse-leaks-"));
  const client = new Redis(server.port, "127.0.0.1");
  return {
    store: redisStore({ client, spool: { directory: folder } }),
    async bytes() {
      const found = filesIn(folder);
      for await (const bytes of redisBytes(client)) found.push(bytes);
      return found;
    },
    async end() {
      client.disconnect();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function onPostgres(): Promise<Place> {
  const server = await postgresServers.launch();
  const pool = new Pool({ connectionString: server.url });
  const store = postgresStore({ pool });
  await store.migrate();
  return {
    store,
    async bytes() {
      const found: Buffer[] = [];
      for await (const bytes of postgresBytes(pool)) found.push(bytes);
      return found;
    },
    async end() {
      await pool.end();
      await server.stop();
    },
  };
}

function filesIn(folder: string): Buffer[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path));
}
