/**
 * The store of a replayed program: memory, or a private server or file of its own. Every run begins
 * with an empty one; each replica has connections of its own, as processes have.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import Database from "better-sqlite3";
import { Redis } from "ioredis";
import { memoryStore, type Store } from "mailfuse";
import { postgresStore } from "mailfuse/stores/postgres";
import { redisStore } from "mailfuse/stores/redis";
import { sqliteStore } from "mailfuse/stores/sqlite";
import { Pool } from "pg";
import { postgresServers, redisServers } from "../test/stores/servers";

/** A store of one run. */
export interface RunStore {
  /** As one more process sees it. */
  open(): Store;
  end(): Promise<unknown>;
}

/** Empty stores of one kind, one after the other. */
export interface Stores {
  fresh(): Promise<RunStore>;
  end(): Promise<unknown>;
}

/** Why a kind cannot run on this machine. */
export const skippedStores: Readonly<Record<string, string | undefined>> = {
  redis: redisServers.skipped,
  postgres: postgresServers.skipped,
};

/** By what `--store` names. */
export const storeKinds: Readonly<Record<string, () => Promise<Stores>>> = {
  async memory() {
    return {
      async fresh() {
        const store = memoryStore();
        return { open: () => store, end: () => store.close() };
      },
      end: async () => {},
    };
  },
  async sqlite() {
    const folder = mkdtempSync(path.join(tmpdir(), "mailfuse-replay-"));
    let count = 0;
    return {
      async fresh() {
        const file = path.join(folder, `${count++}.db`);
        const opened: Database.Database[] = [];
        const open = () => {
          const database = new Database(file);
          opened.push(database);
          return sqliteStore({ database });
        };
        return { open, end: async () => opened.map((database) => database.close()) };
      },
      end: async () => rmSync(folder, { recursive: true, force: true }),
    };
  },
  async redis() {
    const folder = mkdtempSync(path.join(tmpdir(), "mailfuse-replay-"));
    const server = await redisServers.start();
    let count = 0;
    return {
      async fresh() {
        const prefix = `replay${count++}`;
        const opened: Redis[] = [];
        const open = () => {
          const client = new Redis(server.url);
          opened.push(client);
          return redisStore({ client, prefix, spool: { directory: path.join(folder, prefix) } });
        };
        return { open, end: async () => opened.map((client) => client.disconnect()) };
      },
      async end() {
        await server.stop();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
  async postgres() {
    const server = await postgresServers.start();
    let count = 0;
    return {
      async fresh() {
        const schema = `replay${count++}`;
        const opened: Pool[] = [];
        const open = () => {
          const pool = new Pool({ connectionString: server.url, max: 4 });
          opened.push(pool);
          return postgresStore({ pool, schema });
        };
        const pool = new Pool({ connectionString: server.url });
        await postgresStore({ pool, schema }).migrate();
        await pool.end();
        return { open, end: () => Promise.all(opened.map((each) => each.end())) };
      },
      end: () => server.stop(),
    };
  },
};
