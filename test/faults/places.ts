/** Fresh stores for checks, each on a server or file of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "pg";
import { postgresStore } from "../../src/stores/postgres";
import { postgresServers, redisServers, type TestServer } from "../stores/servers";
import type { StorePlace } from "./stores";

export type Kind = StorePlace["kind"];

/** A fresh store. */
export interface FreshPlace {
  /** How process `n` opens it; by way of a proxy's port where one is given. */
  readonly place: (n: number, port?: number) => StorePlace;
  /** The server; none for SQLite. */
  readonly server?: TestServer;
  readonly end: () => Promise<void>;
}

/** Why checks of a kind cannot run here. */
export const skipped: Readonly<Record<Kind, string | undefined>> = {
  sqlite: undefined,
  redis: redisServers.own ? undefined : "no redis-server or valkey-server on this machine",
  postgres: postgresServers.own ? undefined : "no PostgreSQL binaries on this machine",
};

/** Makes one. Servers write to disk before they answer, as in production. */
export async function freshPlace(kind: Kind): Promise<FreshPlace> {
  const folder = mkdtempSync(join(tmpdir(), "mailfuse-faults-"));
  const clear = () => rmSync(folder, { recursive: true, force: true });
  if (kind === "sqlite") {
    const path = join(folder, "mailfuse.db");
    return { place: () => ({ kind, path }), end: async () => clear() };
  }
  if (kind === "redis") {
    const server = await redisServers.launch("--appendonly", "yes", "--appendfsync", "always");
    return {
      place: (n, port = server.port) => ({
        ...{ kind, port, spool: join(folder, "spool") },
        client: n % 2 ? "node-redis" : "ioredis",
      }),
      server,
      end: async () => {
        await server.stop();
        clear();
      },
    };
  }
  const server = await postgresServers.launch();
  const pool = new Pool({ connectionString: server.url });
  await postgresStore({ pool }).migrate();
  await pool.end();
  return {
    place: (_, port = server.port) => ({ kind, port }),
    server,
    end: async () => {
      await server.stop();
      clear();
    },
  };
}
