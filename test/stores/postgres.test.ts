import { Pool } from "pg";
import { afterAll, beforeAll, describe, it } from "vitest";
import type { Store } from "../../src/store";
import { postgresStore } from "../../src/stores/postgres";
import { storeConformance } from "../../src/testing/store";
import { postgresServers, type TestServer } from "./servers";
import { sameAsMemory } from "./support/model";
import { migrateOnClock, postgresOnClock } from "./support/told-time";

let server: TestServer;
let schemas = 0;
const freshSchema = () => `test_${process.pid}_${schemas++}`;

const suite = postgresServers.skipped ? describe.skip : describe;

suite(`PostgreSQL store${postgresServers.skipped ? ` (${postgresServers.skipped})` : ""}`, () => {
  beforeAll(async () => {
    server = await postgresServers.start();
  });
  afterAll(async () => {
    await server.stop();
  });

  storeConformance(
    { describe, it },
    {
      name: "PostgreSQL, told the time",
      async open() {
        const schema = freshSchema();
        const pool = new Pool({ connectionString: server.url, max: 8 });
        await migrateOnClock(pool, schema);
        let time = 1_700_000_000_000;
        const open = () => postgresOnClock(pool, { now: () => time }, schema);
        const advance = (ms: number) => {
          time += ms;
        };
        return { store: open(), reopen: async () => open(), advance, close: () => pool.end() };
      },
    },
  );

  it("gives the same answers as memory, whatever is asked in whatever order", { timeout: 120_000 }, async () => {
    const pool = new Pool({ connectionString: server.url, max: 2 });
    const open = async (clock: { now(): number }) => {
      const schema = freshSchema();
      await migrateOnClock(pool, schema);
      return { store: postgresOnClock(pool, clock, schema), close: () => pool.query(`DROP SCHEMA ${schema} CASCADE`) };
    };
    // Memory forgets a settled reservation with its line, this store keeps it longer.
    await sameAsMemory(open, 40, /^trim/).finally(() => pool.end());
  });

  storeConformance(
    { describe, it },
    {
      name: "PostgreSQL by pg",
      clock: "server",
      async open() {
        const schema = freshSchema();
        const pools: Pool[] = [];
        const open = async (): Promise<Store> => {
          const pool = new Pool({ connectionString: server.url, max: 4 });
          pools.push(pool);
          return postgresStore({ pool, schema });
        };
        const pool = new Pool({ connectionString: server.url, max: 4 });
        pools.push(pool);
        const store = postgresStore({ pool, schema });
        await store.migrate();
        return {
          store,
          reopen: open,
          async close() {
            await pool.query(`DROP SCHEMA "${schema}" CASCADE`);
            for (const one of pools) await one.end();
          },
        };
      },
    },
  );
});
