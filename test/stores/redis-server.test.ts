/** What only a Redis store must do: its server's settings, its keys, and a server that stops, forgets or lies. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Cluster, Redis } from "ioredis";
import { createClient, createCluster } from "redis";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { MailfuseError, type Reservation, type Store } from "../../src/store";
import { memoryStore } from "../../src/stores/memory";
import { type RedisStoreOptions, redisStore } from "../../src/stores/redis";
import { manualClock } from "../../src/testing/clock";
import { redisServers, type TestServer } from "./servers";
import { largeCalls } from "./support/large";
import { startProxy } from "./support/proxy";
import { redisOnClock } from "./support/told-time";

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo();
});

const hour = 3_600_000;
let server: TestServer;
let prefixes = 0;
let ids = 0;

const address = (url: string) => ({ host: new URL(url).hostname, port: Number(new URL(url).port) });

type Options = { username?: string; password?: string; keyPrefix?: string };

function connected(url = server.url, options: Options = {}): Redis {
  const client = new Redis({ ...options, ...address(url) });
  client.on("error", () => {});
  cleanup.push(() => client.disconnect());
  return client;
}

function opened(options: Partial<RedisStoreOptions> = {}): Store {
  return redisStore({ client: connected(), prefix: `own-${process.pid}-${prefixes++}`, ...options });
}

async function launched(...extra: string[]): Promise<TestServer> {
  const started = await redisServers.launch(...extra);
  cleanup.push(() => started.stop());
  return started;
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

const refuses = (code: string) => (error: unknown) => {
  expect(MailfuseError.isInstance(error) && error.code).toBe(code);
};

const suite = redisServers.own ? describe : describe.skip;

suite(`Redis servers${redisServers.own ? "" : " (no redis-server or valkey-server on this machine)"}`, () => {
  beforeAll(async () => {
    server = await redisServers.launch();
  });
  afterAll(() => server.stop());

  describe("large calls", () => {
    largeCalls(async () => opened());

    it("may be thousands of small ones, in order", async () => {
      const store = opened();
      const many = Array.from({ length: 9_000 }, (_, n) => reservation({ caps: [cap(4_000, [`p${n % 4_500}`])] }));
      const large = reservation({
        caps: [
          cap(
            9_000,
            Array.from({ length: 2_500 }, (_, n) => `p${n}`),
          ),
        ],
      });
      const answers = await store.reserve([...many.slice(0, 10), large, ...many.slice(10)]);
      const passes = [...many.slice(0, 10), large, ...many.slice(10)].map(({ caps: [one] }) =>
        Number(one?.people[0]?.slice(1)) < 4_000 ? "ok" : "refused",
      );
      expect(answers.map(({ ok }) => (ok ? "ok" : "refused"))).toEqual(passes);
      const numbers = answers.flatMap((answer) => (answer.ok ? [answer.seq] : []));
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    });

    for (const fate of ["accepted", "refused"] as const) {
      it(`count a person whom a small call counts while they are staged, and are ${fate} then`, async () => {
        const client = connected();
        let time = 1_700_000_000_000;
        const clock = { now: () => time };
        const prefix = `meanwhile-${fate}`;
        const small = redisOnClock(client, clock, prefix, "/nowhere");
        let scripts = 0;
        const interrupted: Redis = Object.assign(Object.create(client), {
          async eval(...script: Parameters<Redis["eval"]>) {
            const answer = await client.eval(...script);
            // One that judges and three that stage; next is the call itself.
            if (++scripts === 4) {
              await small.reserve([reservation({ caps: [cap(9_999, ["person-1007"])] })]);
              time += 1_000;
            }
            return answer;
          },
        });
        const people = Array.from({ length: 3_000 }, (_, n) => `person-${1_000 + n}`);
        const large = reservation({ caps: [cap(9_999, people)] });
        const [answer] = await redisOnClock(interrupted, clock, prefix, "/nowhere").reserve([large]);
        expect(answer).toMatchObject({ ok: true, at: time });
        expect(scripts).toBe(5);
        await small.settle([{ reservation: large.id, fate, event: "{}" }]);
        const used = () => small.usage([{ key: "k", windowMs: hour }]);
        expect(await used()).toEqual([fate === "accepted" ? 3_000 : 1]);
        time += hour - 1;
        if (fate === "accepted") expect(await used()).toEqual([3_000]);
      });
    }
  });

  describe("settings", () => {
    for (const policy of ["allkeys-lru", "volatile-ttl"]) {
      it(`refuses to open on ${policy}`, async () => {
        const evicting = await launched("--maxmemory", "100mb", "--maxmemory-policy", policy);
        await redisStore({ client: connected(evicting.url) })
          .open()
          .then(() => expect.unreachable(), refuses("CONFIG_INVALID"));
      });
    }

    it("finds the eviction policy also where CONFIG is forbidden, and says so where nothing may be asked", async () => {
      const evicting = await launched("--maxmemory-policy", "allkeys-lru");
      const admin = connected(evicting.url);
      await admin.call("ACL", "SETUSER", "managed", "on", ">secret", "~*", "+@all", "-config");
      await admin.call("ACL", "SETUSER", "closed", "on", ">secret", "~*", "+@all", "-config", "-info");
      const as = (username: string) => connected(evicting.url, { username, password: "secret" });
      await redisStore({ client: as("managed") })
        .open()
        .then(() => expect.unreachable(), refuses("CONFIG_INVALID"));
      const facts = await redisStore({ client: as("closed") }).open();
      expect(facts.says).toContain("could not be read");
      expect(facts.durability).toBe("process");
    });

    it("tells what its lines survive", async () => {
      const says = async (...extra: string[]) => {
        const facts = await redisStore({ client: connected((await launched(...extra)).url) }).open();
        return [facts.kind, facts.shared, facts.durability, facts.says.includes("append-only file") ? "none" : "aof"];
      };
      expect(await says()).toEqual(["redis", true, "process", "none"]);
      expect(await says("--appendonly", "yes", "--appendfsync", "everysec")).toEqual(["redis", true, "process", "aof"]);
      expect(await says("--appendonly", "yes", "--appendfsync", "always")).toEqual([
        "redis",
        true,
        "power-loss",
        "aof",
      ]);
    });

    it("refuses options that make no sense", () => {
      const client = connected();
      for (const options of [
        { client: {} },
        { client: { evalsha: 1, eval: 2 } },
        { client: null },
        { client, prefix: "a{b}" },
        { client, prefix: "" },
        { client, deadlineMs: 0 },
        { client, deadlineMs: Number.NaN },
        { client, spool: { directory: "" } },
        { client, spool: {} },
      ]) {
        expect(() => redisStore(options as RedisStoreOptions)).toThrow(/^CONFIG_INVALID/);
      }
    });
  });

  describe("keys", () => {
    it("stand under the prefix in one slot, and all that is not the ledger's or a plan's passes away", async () => {
      const client = connected();
      const prefix = `keys-${process.pid}`;
      const store = opened({ client, prefix });
      await store.reserve([
        reservation({
          caps: [cap(9, ["a", "b"])],
          rates: [{ key: "r", windowMs: hour, limit: 9, messages: 2, enforce: true }],
          once: [{ key: "o{x}", ttlMs: hour, onUnknown: "hold" }],
        }),
      ]);
      await store.lease("l", "h", hour);
      await store.append(["{}"]);
      await store.halt({ scope: "*", reason: "r", by: "b" }, "{}");
      const keys = await client.keys("*");
      const own = keys.filter((key) => key.includes(prefix));
      expect(own.every((key) => key.startsWith(`{${prefix}}:`))).toBe(true);
      const lasting: string[] = [];
      for (const key of own) if ((await client.pttl(key)) < 0) lasting.push(key.slice(prefix.length + 3));
      expect(lasting.sort()).toEqual(["ledger", "meta"]);
    });

    it("keep two prefixes apart", async () => {
      const [one, other] = [opened(), opened()];
      await one.reserve([reservation({ caps: [cap(1, ["a"])] })]);
      const [answer] = await other.reserve([reservation({ caps: [cap(1, ["b"])] })]);
      expect(answer).toMatchObject({ ok: true, seq: 1 });
    });

    it("follow the client's own key prefix", async () => {
      const client = connected(server.url, { keyPrefix: "tenant:" });
      const store = opened({ client, prefix: "inner" });
      await store.append(["{}"]);
      expect(await connected().exists("tenant:{inner}:ledger")).toBe(1);
    });

    it("never hold more people than the limit", async () => {
      const client = connected();
      const store = opened({ client, prefix: "bounded" });
      const asks = Array.from({ length: 300 }, (_, n) =>
        store.reserve([reservation({ caps: [{ ...cap(20, [`p${n}`]), enforce: n % 2 === 0 }] })]),
      );
      await Promise.all(asks);
      expect(await client.zcard("{bounded}:c:k")).toBe(20);
    });

    it("give back what is theirs, whatever their names hold", async () => {
      const store = opened();
      const names = ["line\nbreak", "100%", "c:x\no:y\ne:0:z", "e:0:p"];
      for (const name of names) {
        const once = [{ key: name, ttlMs: hour, onUnknown: "hold" as const }];
        const rates = [{ key: name, windowMs: hour, limit: 1, messages: 1, enforce: true }];
        for (const people of [["a"], ["a", "b"]]) {
          const wants = { caps: [cap(2, people, name)], rates, once };
          const asked = reservation(wants);
          expect((await store.reserve([asked]))[0]?.ok, name).toBe(true);
          expect((await store.reserve([reservation(wants)]))[0]).toMatchObject({ reason: "duplicate", key: name });
          await store.settle([{ reservation: asked.id, fate: "refused", event: "{}" }]);
        }
        expect((await store.reserve([reservation({ caps: [cap(2, ["c", "d"], name)], rates, once })]))[0]?.ok).toBe(
          true,
        );
      }
      expect(await store.usage(names.map((key) => ({ key, windowMs: hour })))).toEqual([2, 2, 2, 2]);
    });

    it("lie in one slot of a cluster, by ioredis and node-redis", async () => {
      const node = await launched("--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1");
      const admin = connected(node.url);
      const slots = Array.from({ length: 16_384 }, (_, slot) => slot);
      await admin.call("CLUSTER", "ADDSLOTS", ...slots);
      while (!((await admin.call("CLUSTER", "INFO")) as string).includes("cluster_state:ok"));
      const cluster = new Cluster([{ host: "127.0.0.1", port: node.port }]);
      cleanup.push(() => cluster.disconnect());
      const other = createCluster({ rootNodes: [{ url: node.url }] });
      await other.connect();
      cleanup.push(() => other.destroy());
      const stores = [redisStore({ client: cluster }), redisStore({ client: other })];
      for (const store of stores) await store.open();
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, n) => stores[n % 2]!.reserve([reservation({ caps: [cap(15, [`p${n}`])] })])),
      );
      expect(answers.flat().filter((answer) => answer.ok).length).toBe(15);
      const placed = new Set<unknown>();
      for (const key of await admin.keys("*")) placed.add(await admin.call("CLUSTER", "KEYSLOT", key));
      expect(placed.size).toBe(1);
    });
  });

  describe("spool", () => {
    it("asks for a place when a plan needs one", async () => {
      const store = opened();
      await store.addPlan({ id: "p", state: "planned", record: "{}" }, "{}");
      await store
        .spool("p", [{ index: 0, sealed: Uint8Array.of(1) }])
        .then(() => expect.unreachable(), refuses("CONFIG_INVALID"));
      expect(await store.claimEntries("p", "w", 9, hour)).toEqual([]);
    });

    it("may lie in another store", async () => {
      const other = memoryStore();
      const store = opened({ spool: { store: other } });
      await store.spool(
        "p",
        [5, 0, 3].map((index) => ({ index, sealed: Uint8Array.of(index) })),
      );
      expect((await store.claimEntries("p", "w", 9, hour)).map(({ index }) => index)).toEqual([0, 3, 5]);
      expect((await other.entries("p", 0, 9)).length).toBe(3);
      await store.dropSpool("p");
      expect(await store.entries("p", 0, 9)).toEqual([]);
    });

    it("stays in its directory, whatever a plan is called, and leaves no half of a file", async () => {
      const directory = mkdtempSync(join(tmpdir(), "mailfuse-spool-"));
      cleanup.push(() => rmSync(directory, { recursive: true, force: true }));
      const store = opened({ spool: { directory: join(directory, "made", "here") } });
      for (const plan of ["../../escape", "/etc/passwd", "..", "a/b", "nul\0", ""]) {
        await store.spool(plan, [{ index: 7, sealed: Uint8Array.of(7) }]);
        expect((await store.entries(plan, 0, 9)).map(({ index }) => index)).toEqual([7]);
      }
      expect(readdirSync(directory)).toEqual(["made"]);
      const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
      expect(files.length).toBe(6);
      expect(files.every((file) => file.name.endsWith(".seg"))).toBe(true);
    });

    it("refuses when the directory cannot be used, and when a worker does not see it", async () => {
      const directory = mkdtempSync(join(tmpdir(), "mailfuse-spool-"));
      cleanup.push(() => rmSync(directory, { recursive: true, force: true }));
      const prefix = `spool-${process.pid}`;
      const store = opened({ prefix, spool: { directory: join(directory, "here") } });
      await store.spool("p", [{ index: 0, sealed: Uint8Array.of(1) }]);
      const elsewhere = opened({ prefix, spool: { directory: join(directory, "elsewhere") } });
      await elsewhere.claimEntries("p", "w", 1, hour).then(() => expect.unreachable(), refuses("STORE_UNAVAILABLE"));
      const nowhere = opened({ spool: { directory: "/dev/null/spool" } });
      await nowhere
        .spool("p", [{ index: 0, sealed: Uint8Array.of(1) }])
        .then(() => expect.unreachable(), refuses("STORE_UNAVAILABLE"));
    });
  });

  describe("trouble", () => {
    it("learns its scripts again after the server has forgotten them", async () => {
      const client = connected();
      const store = opened({ client });
      await store.append(["1"]);
      await client.call("SCRIPT", "FLUSH");
      expect(await store.append(["2"])).toEqual([2]);
    });

    it("refuses at the deadline while the server stands still, and goes on when it does", async () => {
      const still = await launched();
      const clock = manualClock();
      const store = opened({ client: connected(still.url), clock });
      expect((await store.reserve([reservation()]))[0]?.ok).toBe(true);
      still.signal("SIGSTOP");
      const waiting = store.reserve([reservation()]);
      const settling = store.settle([{ reservation: "r", fate: "accepted", event: "{}" }]);
      clock.advance(2_000);
      await waiting.then(() => expect.unreachable(), refuses("STORE_UNAVAILABLE"));
      await settling.then(() => expect.unreachable(), refuses("STORE_UNAVAILABLE"));
      still.signal("SIGCONT");
      expect((await store.reserve([reservation()]))[0]?.ok).toBe(true);
    });

    it("changes nothing once nobody waits for the answer any more", async () => {
      const still = await launched();
      const clock = manualClock();
      const client = connected(still.url);
      const store = opened({ client, clock, prefix: "late", deadlineMs: 1 });
      const before = await store.now();
      still.signal("SIGSTOP");
      const waiting = store.reserve([reservation({ caps: [cap(9, ["a"])] })]);
      clock.advance(1);
      await waiting.then(() => expect.unreachable(), refuses("STORE_UNAVAILABLE"));
      // The server's clock goes on while it stands still: past the moment the call expires at.
      const other = opened();
      while ((await other.now()) < before + 100);
      still.signal("SIGCONT");
      expect(await client.zcard("{late}:c:k")).toBe(0);
      expect(await client.exists("{late}:ledger")).toBe(0);
    });

    it("refuses while the server is gone, and goes on by itself when it is back", async () => {
      const gone = await launched("--appendonly", "yes", "--appendfsync", "always");
      const store = opened({ client: connected(gone.url), prefix: "back", deadlineMs: 300 });
      const [first] = await store.reserve([reservation({ caps: [cap(2, ["a"])] })]);
      await gone.kill();
      await store
        .reserve([reservation({ caps: [cap(2, ["b"])] })])
        .then(() => expect.unreachable(), refuses("STORE_UNAVAILABLE"));
      await gone.start();
      expect(await eventually(() => store.reserve([reservation({ caps: [cap(2, ["c"])] })]))).toMatchObject([
        { ok: true },
      ]);
      expect(first?.ok).toBe(true);
      expect((await store.read(0, 9)).length).toBe(2);
    });

    it("carries out once what a client sends twice, because the answer was lost", async () => {
      const proxy = await startProxy(server.port);
      cleanup.push(() => proxy.close());
      // The server must know the scripts: an answer lost that only says it does not is no test.
      const before = opened();
      await before.reserve([reservation()]);
      await before.append(["{}"]);
      await before.halt({ scope: "*", reason: "r", by: "b" }, "{}");
      await before.settle([{ reservation: "r", fate: "accepted", event: "{}" }]);
      // ioredis sends unanswered commands again when it is connected again.
      const client = connected(`redis://127.0.0.1:${proxy.port}`);
      const store = opened({ client });
      await store.append(['"first"']);
      for (const [mark, call] of [
        [
          "twice-reserved",
          () =>
            store.reserve([
              reservation({
                event: '"twice-reserved"',
                caps: [cap(5, ["a"])],
                once: [{ key: "o", ttlMs: hour, onUnknown: "hold" }],
              }),
            ]),
        ],
        ["twice-appended", () => store.append(['"twice-appended"'])],
        ["twice-halted", () => store.halt({ scope: "purpose:x", reason: "r", by: "b" }, '"twice-halted"')],
        ["twice-settled", () => store.settle([{ reservation: "s", fate: "accepted", event: '"twice-settled"' }])],
      ] as const) {
        const sprung = proxy.swallowAnswerTo(mark);
        const answer: unknown = await call();
        await sprung;
        if (mark === "twice-reserved") expect(answer).toMatchObject([{ ok: true, seq: 2 }]);
        const lines = (await store.read(0, 99)).filter((line) => line.event.includes(mark));
        expect(lines.length, mark).toBe(1);
      }
    });

    it("leaves nobody of a refused large call staged, also when a step of it was sent twice", async () => {
      const proxy = await startProxy(server.port);
      cleanup.push(() => proxy.close());
      const people = Array.from({ length: 3_000 }, (_, n) => `person-${n}`);
      // The server must know the scripts.
      await opened().reserve([reservation({ caps: [cap(9_999, people)] })]);
      const store = opened({ client: connected(`redis://127.0.0.1:${proxy.port}`) });
      const sprung = proxy.swallowAnswerTo("person-");
      const [answer] = await store.reserve([reservation({ caps: [cap(2_500, people)] })]);
      await sprung;
      expect(answer).toMatchObject({ ok: false, reason: "cap", used: 0, wanted: 3_000 });
      expect(await store.usage([{ key: "k", windowMs: hour }])).toEqual([0]);
    });

    it("keeps the addresses of a large call, also when they were sent twice", async () => {
      const proxy = await startProxy(server.port);
      cleanup.push(() => proxy.close());
      const sealed = Array.from({ length: 2_500 }, (_, n) => [`person-${n}`, "sealed"] as const);
      const prefix = "sent-twice";
      await opened({ prefix }).reserve([reservation({ addresses: { bucket: "day", sealed } })]);
      const store = opened({ prefix, client: connected(`redis://127.0.0.1:${proxy.port}`) });
      const sprung = proxy.swallowAnswerTo("newcomer");
      const all = [...sealed, ["newcomer", "sealed too"] as const];
      const [answer] = await store.reserve([reservation({ addresses: { bucket: "day", sealed: all } })]);
      await sprung;
      expect(answer).toMatchObject({ ok: true });
      expect(await store.addresses("day", ["newcomer"])).toEqual(["sealed too"]);
    });

    it("is not shaken by a connection that breaks under node-redis", async () => {
      const proxy = await startProxy(server.port);
      cleanup.push(() => proxy.close());
      const client = createClient({ url: `redis://127.0.0.1:${proxy.port}`, socket: { reconnectStrategy: 5 } });
      await client.connect();
      cleanup.push(() => client.destroy());
      const store = opened({ client });
      await store.append(["1"]);
      proxy.cut();
      expect(await eventually(() => store.append(["2"]))).toEqual([2]);
    });

    for (const [what, answer] of Object.entries({
      nothing: undefined,
      text: "OK",
      "an empty list": [],
      "a list of nonsense": [1, "x", {}],
      "a time and too few": [1_700_000_000_000, 5],
      "too many answers": [1_700_000_000_000, 5, 1, 2, 3],
      "an unknown kind": [1_700_000_000_000, 5, ["yes"]],
      "an error": new Error("READONLY You can't write against a read only replica."),
    })) {
      it(`takes ${what} for an answer as no answer`, async () => {
        const reply = () => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer));
        const store = redisStore({ client: { evalsha: reply, eval: reply } });
        await store.reserve([reservation()]).then(() => expect.unreachable(), refuses("STORE_UNAVAILABLE"));
      });
    }

    it("says nothing of what it was asked in an error", async () => {
      const secret = "a-pseudonym-of-somebody";
      const client = connected();
      await client.set("{broken}:c:k", "not a set");
      const store = opened({ client, prefix: "broken" });
      const error = await store.reserve([reservation({ event: `"${secret}"`, caps: [cap(9, [secret])] })]).then(
        () => expect.unreachable(),
        (thrown: unknown) => thrown,
      );
      refuses("STORE_UNAVAILABLE")(error);
      const seen: unknown[] = [];
      for (let one: unknown = error; one instanceof Error; one = one.cause) seen.push(one.message, Object.values(one));
      expect(JSON.stringify(seen)).not.toContain(secret);
    });

    for (const options of [{ stringNumbers: true }, { replyMapping: "resp3" as const }])
      it(`works with an ioredis of ${Object.keys(options)}`, async () => {
        const client = new Redis({ ...options, ...address(server.url) });
        cleanup.push(() => client.disconnect());
        const store = opened({ client });
        expect((await store.reserve([reservation({ caps: [cap(1, ["a"])] })]))[0]).toMatchObject({ ok: true, seq: 1 });
        const [refused] = await store.reserve([reservation({ caps: [cap(1, ["b"])] })]);
        expect(refused).toMatchObject({ ok: false, used: 1, wanted: 1 });
        expect(await store.usage([{ key: "k", windowMs: hour }])).toEqual([1]);
      });
  });
});
