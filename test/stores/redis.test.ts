import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, it } from "vitest";
import type { Store } from "../../src/store";
import { redisStore } from "../../src/stores/redis";
import { storeConformance } from "../../src/testing/store";
import { redisServers, type TestServer } from "./servers";
import { sameAsMemory } from "./support/model";
import { redisOnClock } from "./support/told-time";

let server: TestServer;
let prefixes = 0;
const freshPrefix = () => `test-${process.pid}-${prefixes++}`;
const directory = mkdtempSync(join(tmpdir(), "mailfuse-spool-"));

/** A connected client and how to let go of it. */
type Connect = () => Promise<{ readonly client: Parameters<typeof redisStore>[0]["client"]; readonly end: () => void }>;

const connects: Readonly<Record<string, Connect>> = {
  async ioredis() {
    const client = new Redis(server.url, { lazyConnect: true });
    await client.connect();
    return { client, end: () => client.disconnect() };
  },
  async "node-redis"() {
    const client = createClient({ url: server.url });
    await client.connect();
    return { client, end: () => client.destroy() };
  },
};

const suite = redisServers.skipped ? describe.skip : describe;

suite(`Redis store${redisServers.skipped ? ` (${redisServers.skipped})` : ""}`, () => {
  beforeAll(async () => {
    server = await redisServers.start();
  });
  afterAll(async () => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  storeConformance(
    { describe, it },
    {
      name: "Redis, told the time",
      async open() {
        const prefix = freshPrefix();
        const client = new Redis(server.url);
        let time = 1_700_000_000_000;
        const open = () => redisOnClock(client, { now: () => time }, prefix, directory);
        const advance = (ms: number) => {
          time += ms;
        };
        return { store: open(), reopen: async () => open(), advance, close: async () => client.disconnect() };
      },
    },
  );

  it("gives the same answers as memory, whatever is asked in whatever order", { timeout: 120_000 }, async () => {
    const client = new Redis(server.url);
    const open = async (clock: { now(): number }) => ({
      store: redisOnClock(client, clock, freshPrefix(), directory),
      close: async () => {},
    });
    // Memory forgets a settled reservation with its line, this store keeps it longer.
    await sameAsMemory(open, 40, /^trim/).finally(() => client.disconnect());
  });

  for (const [name, connect] of Object.entries(connects)) {
    storeConformance(
      { describe, it },
      {
        name: `Redis by ${name}`,
        clock: "server",
        async open() {
          const prefix = freshPrefix();
          const ends: (() => void)[] = [];
          const open = async (): Promise<Store> => {
            const { client, end } = await connect();
            ends.push(end);
            return redisStore({ client, prefix, spool: { directory } });
          };
          return { store: await open(), reopen: open, close: async () => ends.forEach((end) => void end()) };
        },
      },
    );
  }
});
