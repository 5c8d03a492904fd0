/** Once, per-person caps and claims hold on every store, whatever runs at the same time. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { Redis } from "ioredis";
import { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { createFuse, memoryStore, type Store } from "../../src/index";
import { postgresStore } from "../../src/stores/postgres";
import { redisStore } from "../../src/stores/redis";
import { sqliteStore } from "../../src/stores/sqlite";
import { fakeAdapter, fakeClient } from "../support/fake-client";
import { postgresServers, redisServers, type TestServer } from "./servers";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const folder = mkdtempSync(join(tmpdir(), "mailfuse-guards-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** People whose claim is true have an even number. */
const isTrue = (to: string) => Number(/\d+/.exec(to)?.[0]) % 2 === 0;

let runs = 0;

/** Several processes' worth of fuses on one store, each with its own connection where there are any. */
function fuses(open: () => Store) {
  // Keys carry the environment's name, so every run counts from nothing.
  const environment = `run-${runs++}`;
  return Array.from({ length: 3 }, () => {
    const fuse = createFuse({
      environment,
      environments: { [environment]: { mode: "live" } },
      defaults: { caps: [{ people: 1_000, per: "1h" }], confirm: { abovePeople: 1_000 } },
      purposes: {
        twice: { kind: "stream", caps: [{ people: 1_000, per: "1h" }], perPerson: [{ messages: 2, per: "1h" }] },
        claimed: {
          kind: "stream",
          caps: [{ people: 3, per: "1h" }],
          claim: {
            data: z.object({ to: z.string() }),
            verify: async ({ to }: { to: string }) => isTrue(to),
            subject: ({ to }: { to: string }) => to,
          },
        },
      },
      secret: "the same secret for all of them",
      store: open(),
      logger: quiet,
    });
    return { fuse, client: fuse.attach(fakeClient(), fakeAdapter()) };
  });
}

const send = fc.record({
  fuse: fc.nat({ max: 2 }),
  person: fc.nat({ max: 5 }),
  key: fc.option(fc.constantFrom("a", "b"), { nil: undefined }),
  purpose: fc.constantFrom(undefined, "twice", "claimed"),
  /** Whether the data is the recipient's own. */
  own: fc.boolean(),
});

function holds(open: () => Store): void {
  it("nobody twice under one key, nobody more than their cap, nobody without a proven claim", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(send, { minLength: 1, maxLength: 25 }), async (sends) => {
        const all = fuses(open);
        const results = await Promise.allSettled(
          sends.map(({ fuse: number, person, key, purpose, own }) => {
            const { fuse, client } = all[number] as (typeof all)[number];
            const to = `p${person}@acme.test`;
            const context = {
              ...(key ? { idempotencyKey: key } : {}),
              ...(purpose ? { purpose } : {}),
              data: { to: own ? to : `p${person + 1}@acme.test` },
            };
            return fuse.run(context, () =>
              client.send({ to, subject: "Your order", text: JSON.stringify([key ?? "", purpose ?? "", own]) }),
            );
          }),
        );
        for (const { fuse } of all) await fuse.flush();
        const wire = all
          .flatMap(({ client }) => client.wire)
          .map(({ to, text }) => ({
            to: String(to),
            said: JSON.parse(text as string) as [string, string, boolean],
          }));
        const counts = (of: (mail: (typeof wire)[number]) => string | undefined) => {
          const counted = new Map<string, number>();
          for (const mail of wire) {
            const name = of(mail);
            if (name !== undefined) counted.set(name, (counted.get(name) ?? 0) + 1);
          }
          return Math.max(0, ...counted.values());
        };
        expect(
          counts(({ to, said: [key, purpose] }) => (key === "" ? undefined : `${key} ${purpose} ${to}`)),
        ).toBeLessThanOrEqual(1);
        expect(counts(({ to, said: [, purpose] }) => (purpose === "twice" ? to : undefined))).toBeLessThanOrEqual(2);
        const claimed = wire.filter(({ said }) => said[1] === "claimed");
        expect(claimed.every(({ to, said }) => said[2] && isTrue(to))).toBe(true);
        expect(new Set(claimed.map(({ to }) => to)).size).toBeLessThanOrEqual(3);
        // The other error: mail that nothing speaks against arrives. Each send without key and purpose leaves.
        const free = sends.filter(({ key, purpose }) => key === undefined && purpose === undefined).length;
        expect(wire.filter(({ said: [key, purpose] }) => key === "" && purpose === "")).toHaveLength(free);
        expect(results).toHaveLength(sends.length);
      }),
      { numRuns: 25 },
    );
  }, 60_000);
}

describe("memory", () => {
  const store = memoryStore();
  holds(() => store);
});

describe("SQLite", () => {
  const stores: Store[] = [];
  afterAll(() => Promise.all(stores.map((store) => store.close())));
  let next = 0;
  holds(() => {
    // Three stores on one file, as three processes have them.
    if (stores.length < 3) stores.push(sqliteStore({ path: join(folder, "guards.db") }));
    return stores[next++ % 3] as Store;
  });
});

(redisServers.skipped ? describe.skip : describe)("Redis", () => {
  let server: TestServer;
  const clients: Redis[] = [];
  beforeAll(async () => {
    server = await redisServers.start();
    clients.push(...Array.from({ length: 3 }, () => new Redis(server.url)));
  });
  afterAll(async () => {
    for (const client of clients) client.disconnect();
    await server.stop();
  });
  let next = 0;
  holds(() => redisStore({ client: clients[next++ % 3] as Redis, prefix: "guards", spool: { directory: folder } }));
});

(postgresServers.skipped ? describe.skip : describe)("PostgreSQL", () => {
  let server: TestServer;
  let pool: Pool;
  beforeAll(async () => {
    server = await postgresServers.start();
    pool = new Pool({ connectionString: server.url, max: 6 });
    await postgresStore({ pool, schema: "guards" }).migrate();
  });
  afterAll(async () => {
    await pool.end();
    await server.stop();
  });
  holds(() => postgresStore({ pool, schema: "guards" }));
});
