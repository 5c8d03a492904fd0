/** What only a PostgreSQL store must do: its schema, its database's settings, poolers, and a server that stops or is gone. */
import { Pool, types } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { MailfuseError, type Reservation } from "../../src/store";
import {
  type PostgresPool,
  type PostgresStoreOptions,
  postgresMigration,
  postgresStore,
} from "../../src/stores/postgres";
import { manualClock } from "../../src/testing/clock";
import { postgresServers, type TestServer } from "./servers";
import { largeCalls } from "./support/large";
import { startProxy } from "./support/proxy";
import { migrateOnClock, postgresOnClock } from "./support/told-time";

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo();
});

const hour = 3_600_000;
let server: TestServer;
let schemas = 0;
let ids = 0;

function pooled(url = server.url, max = 4): Pool {
  const pool = new Pool({ connectionString: url, max });
  cleanup.push(() => pool.end());
  return pool;
}

const freshSchema = () => `own_${process.pid}_${schemas++}`;

async function opened(options: Partial<PostgresStoreOptions> = {}) {
  const store = postgresStore({ pool: pooled(), schema: freshSchema(), ...options });
  await store.migrate();
  return store;
}

const reservation = (wants: Partial<Reservation> = {}): Reservation => ({
  id: `r-${ids++}`,
  scopes: ["*"],
  once: [],
  caps: [],
  rates: [],
  event: "{}",
  seen: 0,
  ...wants,
});

const cap = (limit: number, people: string[], key = "k") => ({ key, windowMs: hour, limit, people, enforce: true });

const refuses = (code: string) => (error: unknown) => {
  expect(MailfuseError.isInstance(error) && error.code).toBe(code);
};

/** Asks until there is an answer, and lets the process do its other work in between. */
async function eventually<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    try {
      return await ask();
    } catch {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const suite = postgresServers.own ? describe : describe.skip;

suite(`PostgreSQL servers${postgresServers.own ? "" : " (no PostgreSQL binaries on this machine)"}`, () => {
  beforeAll(async () => {
    server = await postgresServers.launch("-c", "fsync=off");
  });
  afterAll(() => server.stop());

  describe("large calls", () => {
    largeCalls(opened);

    for (const [how, among] of Object.entries({ alone: [], "beside another": [cap(9, ["somebody"], "full")] })) {
      it(`count people of a small call, judged ${how}, from the large one's own time`, async () => {
        const pool = pooled();
        const schema = freshSchema();
        await migrateOnClock(pool, schema);
        let time = 1_700_000_000_000;
        const clock = { now: () => time };
        const small = postgresOnClock(pool, clock, schema);
        let statements = 0;
        const interrupted = Object.assign(Object.create(pool), {
          async connect() {
            // One that judges and three that stage; next is the call itself.
            if (++statements === 5) {
              // With one that is over its cap, the batch is judged one by one.
              const over = among.map((full) => reservation({ caps: [{ ...full, limit: 0 }] }));
              await small.reserve([reservation({ caps: [cap(9_999, ["person-1007"])] }), ...over]);
              time += 1_000;
            }
            return pool.connect();
          },
        });
        const people = Array.from({ length: 3_000 }, (_, n) => `person-${1_000 + n}`);
        const large = reservation({ caps: [cap(9_999, people)] });
        const [answer] = await postgresOnClock(interrupted, clock, schema).reserve([large]);
        expect(answer).toMatchObject({ ok: true, at: time });
        expect(statements).toBe(5);
        time += hour - 1;
        expect(await small.usage([{ key: "k", windowMs: hour }])).toEqual([3_000]);
      });
    }
  });

  describe("schema", () => {
    it("is made once by many at once, again without harm, and is told when it is missing", async () => {
      const schema = freshSchema();
      const stores = Array.from({ length: 5 }, () => postgresStore({ pool: pooled(), schema }));
      await stores[0]!.open().then(() => expect.unreachable(), refuses("CONFIG_INVALID"));
      await Promise.all(stores.map((store) => store.migrate()));
      await stores[0]!.append(['"kept"']);
      await stores[1]!.migrate();
      expect((await stores[2]!.open()).kind).toBe("postgres");
      expect((await stores[3]!.read(0, 9)).map((line) => line.event)).toEqual(['"kept"']);
    });

    it("refuses one of another version", async () => {
      const schema = freshSchema();
      const store = await opened({ schema });
      await pooled().query(`UPDATE ${schema}.meta SET version = 99`);
      await store.open().then(() => expect.unreachable(), refuses("CONFIG_INVALID"));
    });

    it("may have any name, and two schemas are two stores", async () => {
      const odd = await opened({ schema: `we"ird; DROP ${process.pid} ß` });
      const other = await opened();
      await odd.reserve([reservation({ caps: [cap(1, ["a"])] })]);
      expect((await other.reserve([reservation({ caps: [cap(1, ["b"])] })]))[0]).toMatchObject({ ok: true, seq: 1 });
      expect((await odd.reserve([reservation({ caps: [cap(1, ["b"])] })]))[0]?.ok).toBe(false);
    });

    it("can be made by the statements alone", async () => {
      const schema = freshSchema();
      await pooled().query(postgresMigration(schema));
      expect((await postgresStore({ pool: pooled(), schema }).open()).kind).toBe("postgres");
    });

    it("refuses options that make no sense", () => {
      const pool = pooled();
      for (const options of [
        { pool: {} },
        { pool: null },
        { pool, schema: "" },
        { pool, schema: "s".repeat(64) },
        { pool, deadlineMs: -1 },
      ]) {
        expect(() => postgresStore(options as PostgresStoreOptions)).toThrow(/^CONFIG_INVALID/);
      }
      expect(() => postgresMigration("nul\0")).toThrow(/^CONFIG_INVALID/);
    });
  });

  describe("database", () => {
    it("refuses another isolation level than READ COMMITTED and another encoding than UTF8", async () => {
      const admin = pooled();
      await admin.query("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
      await admin.query("CREATE DATABASE strict");
      await admin.query("ALTER DATABASE strict SET default_transaction_isolation = 'repeatable read'");
      for (const [name, told] of [
        ["latin", "UTF8"],
        ["strict", "repeatable read"],
      ] as const) {
        const pool = pooled(server.url.replace(/postgres$/, name));
        const store = postgresStore({ pool });
        await store.open().then(
          () => expect.unreachable(),
          (error: unknown) => {
            refuses("CONFIG_INVALID")(error);
            expect(String(error)).toContain(told);
          },
        );
      }
    });

    it("tells what its lines survive", async () => {
      const schema = freshSchema();
      const store = await opened({ schema });
      expect((await store.open()).durability).toBe("process");
      const safe = await postgresServers.launch();
      cleanup.push(() => safe.stop());
      const durable = postgresStore({ pool: pooled(safe.url), schema });
      await durable.migrate();
      expect(await durable.open()).toMatchObject({ shared: true, durability: "power-loss" });
    });

    it("works behind a pooler that gives every statement another session and wipes it", async () => {
      const schema = freshSchema();
      const pool = pooled(server.url, 6);
      const texts: object[] = [];
      const transactionMode: PostgresPool = {
        async connect() {
          const client = await pool.connect();
          return {
            async query(query) {
              texts.push(query);
              try {
                return await client.query(query);
              } finally {
                await client.query("DISCARD ALL");
              }
            },
            release: (destroy) => client.release(destroy),
          };
        },
      };
      const store = await opened({ pool: transactionMode, schema });
      const asks = Array.from({ length: 60 }, (_, n) => reservation({ caps: [cap(25, [`p${n}`])] }));
      const answers = await Promise.all(asks.map((ask) => store.reserve([ask])));
      expect(answers.flat().filter((answer) => answer.ok).length).toBe(25);
      const locks = await pool.query("SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory'");
      expect(locks.rows).toEqual([{ n: 0 }]);
      expect(texts.length).toBeGreaterThan(1);
      expect(texts.every((query) => !("name" in query))).toBe(true);
    });

    it("does not depend on how the application reads bigints and JSON", async () => {
      const store = await opened();
      const before = [20, 3802, 114].map((oid) => [oid, types.getTypeParser(oid)] as const);
      cleanup.push(() => before.forEach(([oid, parser]) => void types.setTypeParser(oid, parser)));
      types.setTypeParser(20, Number);
      types.setTypeParser(3802, () => "not parsed");
      expect((await store.reserve([reservation({ caps: [cap(1, ["a"])] })]))[0]).toMatchObject({ ok: true, seq: 1 });
      expect(await store.read(0, 9)).toMatchObject([{ seq: 1 }]);
      expect(await store.usage([{ key: "k", windowMs: hour }])).toEqual([1]);
    });
  });

  describe("windows", () => {
    it("hold no more rows than the limit, and pass away", async () => {
      const schema = freshSchema();
      const store = await opened({ schema });
      const pool = pooled();
      const short = { ...cap(20, []), windowMs: 50 };
      for (let round = 0; round < 3; round++) {
        await store.reserve(
          Array.from({ length: 40 }, (_, n) => reservation({ caps: [{ ...short, people: [`${round}-${n}`] }] })),
        );
        const { rows } = await pool.query(
          `SELECT (SELECT count(*) FROM ${schema}.people)::int AS people, sum(held)::int AS held FROM ${schema}.windows`,
        );
        expect(rows).toEqual([{ people: 20, held: 20 }]);
        const until = (await store.now()) + 51;
        while ((await store.now()) < until);
      }
      const over = (await store.now()) + 1_100;
      while ((await store.now()) < over);
      expect(await store.prune()).toBe(20);
      const { rows } = await pool.query(`SELECT count(*)::int AS left FROM ${schema}.people`);
      expect(rows).toEqual([{ left: 0 }]);
    });

    it("agree on how many rows they have after everything that can happen to them", async () => {
      const schema = freshSchema();
      const store = await opened({ schema });
      const all: string[] = [];
      await Promise.all(
        Array.from({ length: 120 }, async (_, n) => {
          const ask = reservation({
            caps: [cap(30, [`p${n % 40}`, `q${n % 7}`]), { ...cap(9, [`p${n % 3}`], "small"), enforce: n % 2 === 0 }],
            rates: [{ key: `m${n % 5}`, windowMs: hour, limit: 11, messages: 1 + (n % 3), enforce: true }],
          });
          const [answer] = await store.reserve([ask]);
          if (!answer?.ok) return;
          all.push(ask.id);
          const fate = n % 3 === 0 ? "refused" : "accepted";
          await store.settle([{ reservation: ask.id, fate, refusedPeople: n % 5 ? [] : [`q${n % 7}`], event: "{}" }]);
        }),
      );
      expect(all.length).toBeGreaterThan(10);
      const { rows } = await pooled().query(
        `SELECT w.id FROM ${schema}.windows w WHERE w.held <> (SELECT count(*) FROM ${schema}.people p WHERE p.win = w.id)`,
      );
      expect(rows).toEqual([]);
    });
  });

  describe("trouble", () => {
    it("refuses at the deadline while the server stands still, and goes on when it does", async () => {
      const still = await postgresServers.launch("-c", "fsync=off");
      cleanup.push(() => still.stop());
      const pool = pooled(still.url);
      const clock = manualClock();
      const store = await opened({ pool, clock });
      const [row] = (await pool.query("SELECT pg_backend_pid() AS pid")).rows as { pid: number }[];
      process.kill(row!.pid, "SIGSTOP");
      const waiting = store.reserve([reservation()]);
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(2_000);
      await waiting.then(() => expect.unreachable(), refuses("STORE_UNAVAILABLE"));
      // The pool makes another connection in place of the one that does not answer.
      expect((await store.reserve([reservation()]))[0]?.ok).toBe(true);
      process.kill(row!.pid, "SIGCONT");
    });

    it("refuses when the lock is held by one who does not end, and waits no longer there either", async () => {
      const schema = freshSchema();
      const store = await opened({ schema, deadlineMs: 200 });
      const pool = pooled();
      const holder = await pool.connect();
      await holder.query("BEGIN");
      await holder.query(`SELECT ${schema}.enter(1000)`);
      await store
        .reserve([reservation({ event: '"given up"' })])
        .then(() => expect.unreachable(), refuses("STORE_UNAVAILABLE"));
      const waiting = "SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted";
      while ((await pool.query(waiting)).rows[0].n > 0) await new Promise((resolve) => setImmediate(resolve));
      await holder.query("ROLLBACK");
      holder.release();
      expect((await eventually(() => store.reserve([reservation()])))[0]?.ok).toBe(true);
      const events = (await store.read(0, 99)).map(({ event }) => event);
      expect(events).toContain("{}");
      expect(events).not.toContain('"given up"');
    });

    it("does not carry out its first call of all when nobody waits for it any more", async () => {
      const schema = freshSchema();
      const store = await opened({ schema, deadlineMs: 300 });
      await store.open();
      const pool = pooled();
      const holder = await pool.connect();
      await holder.query("BEGIN");
      await holder.query(`SELECT ${schema}.enter(1000)`);
      await store.reserve([reservation()]).then(() => expect.unreachable(), refuses("STORE_UNAVAILABLE"));
      await holder.query("ROLLBACK");
      holder.release();
      const busy = "SELECT count(*)::int AS n FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()";
      while ((await pool.query(busy)).rows[0].n > 0) await new Promise((resolve) => setImmediate(resolve));
      expect((await store.read(0, 9)).length).toBe(0);
    });

    it("changes nothing once nobody waits for the answer any more", async () => {
      const schema = freshSchema();
      const clock = manualClock();
      const store = await opened({ schema, clock, deadlineMs: 60_000 });
      const before = await store.now();
      await store.append(["{}"]);
      const ask = [Math.floor(before - 1), 1_000, '"late"'];
      const { rows } = await pooled().query(`SELECT ${schema}.append($1, $2, $3) AS answer`, ask);
      expect(rows[0].answer.length).toBe(1);
      expect((await store.read(0, 9)).length).toBe(1);
    });

    it("refuses while the server is gone, goes on by itself when it is back, and has lost nothing", async () => {
      const gone = await postgresServers.launch();
      cleanup.push(() => gone.stop());
      const store = await opened({ pool: pooled(gone.url), deadlineMs: 500 });
      await store.reserve([reservation({ caps: [cap(2, ["a"])] })]);
      await gone.kill();
      await store
        .reserve([reservation({ caps: [cap(2, ["b"])] })])
        .then(() => expect.unreachable(), refuses("STORE_UNAVAILABLE"));
      await gone.start();
      expect((await eventually(() => store.reserve([reservation({ caps: [cap(2, ["c"])] })])))[0]?.ok).toBe(true);
      expect((await store.read(0, 9)).length).toBe(2);
    });

    it("is refused by a connection that breaks before the answer, and may have been carried out", async () => {
      const proxy = await startProxy(server.port);
      cleanup.push(() => proxy.close());
      const store = await opened({ pool: pooled(`postgres://postgres@127.0.0.1:${proxy.port}/postgres`) });
      const sprung = proxy.swallowAnswerTo("lost-answer");
      const ask = reservation({ event: '"lost-answer"', caps: [cap(5, ["a"])] });
      await store.reserve([ask]).then(() => expect.unreachable(), refuses("STORE_UNAVAILABLE"));
      await sprung;
      expect((await store.read(0, 9)).length).toBe(1);
      expect((await store.reserve([ask]))[0]).toMatchObject({ ok: false, reason: "duplicate", key: "reservation" });
    });

    it("leaves nobody of a large call staged whose connection breaks at a step", async () => {
      const proxy = await startProxy(server.port);
      cleanup.push(() => proxy.close());
      const store = await opened({ pool: pooled(`postgres://postgres@127.0.0.1:${proxy.port}/postgres`) });
      const people = Array.from({ length: 3_000 }, (_, n) => `person-${n}`);
      const sprung = proxy.swallowAnswerTo("person-");
      const ask = reservation({ caps: [cap(9_999, people)] });
      await store.reserve([ask]).then(() => expect.unreachable(), refuses("STORE_UNAVAILABLE"));
      await sprung;
      expect(await store.usage([{ key: "k", windowMs: hour }])).toEqual([0]);
    });

    it("is not shaken by idle connections that break", async () => {
      const proxy = await startProxy(server.port);
      cleanup.push(() => proxy.close());
      const pool = new Pool({ host: "127.0.0.1", port: proxy.port, user: "postgres", database: "postgres" });
      cleanup.push(() => pool.end());
      const store = await opened({ pool });
      const closed = new Promise((resolve) => pool.once("remove", resolve));
      proxy.cut();
      await closed;
      expect(await store.append(["{}"])).toEqual([1]);
    });

    for (const [what, rows] of Object.entries({
      nothing: undefined,
      "no rows": [],
      "a row of nothing": [null],
      "text that is no JSON": [{ reserve: "yes" }],
      "a time and nonsense": [{ reserve: '[1700000000000, "x"]' }],
      "too many answers": [{ reserve: "[1700000000000, [1, 2, 3]]" }],
      "an unknown kind": [{ reserve: '[1700000000000, [["yes"]]]' }],
    })) {
      it(`takes ${what} for an answer as no answer`, async () => {
        const client = { query: () => Promise.resolve({ rows }) as Promise<{ rows: unknown[] }>, release: () => {} };
        const store = postgresStore({ pool: { connect: () => Promise.resolve(client) } });
        await store.reserve([reservation()]).then(() => expect.unreachable(), refuses("STORE_UNAVAILABLE"));
      });
    }

    it("gives every connection back, whatever became of the call", async () => {
      const pool = pooled(server.url, 2);
      const schema = freshSchema();
      const store = await opened({ pool, schema });
      await pool.query(`ALTER TABLE ${schema}.ledger RENAME TO elsewhere`);
      for (let n = 0; n < 9; n++)
        await store.append(["{}"]).then(() => expect.unreachable(), refuses("STORE_UNAVAILABLE"));
      await pool.query(`ALTER TABLE ${schema}.elsewhere RENAME TO ledger`);
      expect(await store.append(["{}"])).toEqual([1]);
      expect(pool.waitingCount).toBe(0);
      expect(pool.totalCount).toBeLessThanOrEqual(2);
    });
  });
});
