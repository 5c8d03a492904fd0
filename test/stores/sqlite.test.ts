import { spawn } from "node:child_process";
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Reservation, Store } from "../../src/store";
import {
  type SqliteDatabase,
  type SqliteStatement,
  type SqliteStoreOptions,
  sqliteStore,
} from "../../src/stores/sqlite";
import { connect } from "../../src/stores/sqlite/connection";
import { storeConformance } from "../../src/testing/store";

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "mailfuse-sqlite-"));
  cleanup.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function opened(options: SqliteStoreOptions): Store {
  const store = sqliteStore(options);
  cleanup.push(() => store.close());
  return store;
}

function conformance(
  name: string,
  connect: (path: string, clock: { now(): number }) => { store: Store; end?: () => void },
) {
  storeConformance(
    { describe, it },
    {
      name,
      async open() {
        let time = 1_700_000_000_000;
        const clock = { now: () => time };
        const directory = mkdtempSync(join(tmpdir(), "mailfuse-sqlite-"));
        const made = [connect(join(directory, "mailfuse.db"), clock)];
        return {
          store: made[0]!.store,
          async reopen() {
            const another = connect(join(directory, "mailfuse.db"), clock);
            made.push(another);
            return another.store;
          },
          advance(ms) {
            time += ms;
          },
          async close() {
            for (const { store, end } of made) {
              await store.close();
              end?.();
            }
            rmSync(directory, { recursive: true });
          },
        };
      },
    },
  );
}

conformance("sqlite, two connections to one file", (path, clock) => ({ store: sqliteStore({ path, clock }) }));

conformance("sqlite, an injected connection that gives BigInts, with a prefix", (path, clock) => {
  const database = new Database(path);
  database.defaultSafeIntegers(true);
  return { store: sqliteStore({ database, clock, prefix: "app_mail_" }), end: () => database.close() };
});

const libsql = tryRequire("libsql") as (new (path: string) => SqliteDatabase) | undefined;
if (libsql) {
  conformance("sqlite by libsql", (path, clock) => {
    const database = new libsql(path);
    return { store: sqliteStore({ database, clock }), end: () => void database.close() };
  });
} else {
  describe.skip("store conformance: sqlite by libsql (needs the package libsql)", () => it("runs", () => {}));
}

function tryRequire(name: string): unknown {
  try {
    return createRequire(import.meta.url)(name);
  } catch {
    return undefined;
  }
}

/** A Node that has `node:sqlite`: this one, or the one named. */
const node22 = process.getBuiltinModule?.("node:sqlite") ? process.execPath : process.env.MAILFUSE_TEST_NODE22;

describe.skipIf(!node22)(
  "sqlite by node:sqlite (needs Node 22.5: run on it, or name one in MAILFUSE_TEST_NODE22)",
  () => {
    it("passes the conformance suite under node:test, opening by path and injected", { timeout: 240_000 }, async () => {
      const suite = fileURLToPath(new URL("support/node-sqlite.ts", import.meta.url));
      const { code, output } = await run(node22 ?? "", [
        "--import",
        "tsx",
        "--no-warnings",
        "--test-reporter=tap",
        suite,
      ]);
      expect(output).toMatch(/^# fail 0$/m);
      expect(Number(/^# pass (\d+)$/m.exec(output)?.[1])).toBeGreaterThan(2 * 75);
      expect(code).toBe(0);
    });
  },
);

async function run(file: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
  return { code, output };
}

let count = 0;
function reservation(wants: Partial<Reservation> = {}): Reservation {
  count++;
  return { id: `r${count}`, scopes: ["*"], once: [], caps: [], rates: [], event: `"r${count}"`, seen: 0, ...wants };
}

const cap = (people: readonly string[], limit = 10, key = "k", windowMs = 3_600_000) => ({
  key,
  windowMs,
  limit,
  people,
  enforce: true,
});

const unavailable = { code: "STORE_UNAVAILABLE" };

describe("sqlite store: what it says of itself", () => {
  it("tells what a written line survives", async () => {
    const path = join(folder(), "m.db");
    expect(await opened({ path }).open()).toMatchObject({ kind: "sqlite", shared: true, durability: "process" });
    expect(await opened({ path, synchronous: "FULL" }).open()).toMatchObject({
      shared: true,
      durability: "power-loss",
    });
    expect(await opened({ path: ":memory:" }).open()).toMatchObject({ shared: false, durability: "none" });
    const database = new Database(join(folder(), "m.db"));
    cleanup.push(() => database.close());
    database.pragma("synchronous = EXTRA");
    expect(await opened({ database }).open()).toMatchObject({ durability: "power-loss" });
  });

  it("sets what it promises: WAL and synchronous", async () => {
    const database = new Database(join(folder(), "m.db"));
    cleanup.push(() => database.close());
    await opened({ database, synchronous: "FULL" }).open();
    expect(database.pragma("journal_mode", { simple: true })).toBe("wal");
    expect(database.pragma("synchronous", { simple: true })).toBe(2);
  });

  it("makes a file that only its owner can read, and leaves the mode of one that is there", async () => {
    const directory = folder();
    await opened({ path: join(directory, "new.db") }).append(["{}"]);
    writeFileSync(join(directory, "old.db"), "", { mode: 0o640 });
    await opened({ path: join(directory, "old.db") }).append(["{}"]);
    const modes = readdirSync(directory).map((name) => [name, statSync(join(directory, name)).mode & 0o777]);
    expect(Object.fromEntries(modes)).toMatchObject({ "new.db": 0o600, "new.db-wal": 0o600, "old.db": 0o640 });
  });

  it.each([
    [{}, "neither"],
    [{ path: "" }, "empty"],
    [{ path: "x.db", database: new Database(":memory:") }, "both"],
    [{ database: { query() {} } }, "prepare"],
    [{ path: "x.db", synchronous: "OFF" }, "synchronous"],
    [{ path: "x.db", timeoutMs: Number.NaN }, "timeoutMs"],
    [{ path: "x.db", prefix: "a; DROP TABLE b" }, "prefix"],
  ])("refuses options that make no sense: %o", (options, word) => {
    expect(() => sqliteStore(options as SqliteStoreOptions)).toThrow(word);
    expect(() => sqliteStore(options as SqliteStoreOptions)).toThrow("CONFIG_INVALID");
  });

  it("refuses tables of another version", async () => {
    const path = join(folder(), "m.db");
    await opened({ path }).open();
    const database = new Database(path);
    cleanup.push(() => database.close());
    database.exec("UPDATE mailfuse_state SET version = 99");
    await expect(opened({ path }).open()).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });

  it("keeps two prefixes in one file apart", async () => {
    const path = join(folder(), "m.db");
    const [one, two] = [opened({ path, prefix: "one_" }), opened({ path, prefix: "two_" })];
    await one.append(["1"]);
    await one.halt({ scope: "*", reason: "r", by: "b" }, "{}");
    expect(await two.append(["2"])).toEqual([1]);
    expect(await two.halts()).toEqual([]);
  });

  it("leaves an injected connection open", async () => {
    const database = new Database(":memory:");
    cleanup.push(() => database.close());
    const store = sqliteStore({ database });
    await store.append(["{}"]);
    await store.close();
    expect(database.prepare("SELECT count(*) AS n FROM mailfuse_ledger").get()).toEqual({ n: 1 });
    await expect(store.append(["{}"])).rejects.toMatchObject(unavailable);
  });
});

describe("sqlite store: what goes wrong", () => {
  it("refuses while another process holds the lock, without stopping this one, and goes on after", async () => {
    const path = join(folder(), "m.db");
    const store = opened({ path, timeoutMs: 150 });
    await store.open();
    const other = new Database(path);
    cleanup.push(() => other.close());
    other.exec("BEGIN IMMEDIATE");
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const error: unknown = await store.reserve([reservation({ caps: [cap(["person-x"])] })]).catch((reason) => reason);
    clearInterval(timer);
    expect(error).toMatchObject(unavailable);
    expect(turns).toBeGreaterThan(2);
    expect(String(error)).not.toContain("person-x");
    // Readers do not wait.
    expect(await store.halts()).toEqual([]);
    other.exec("ROLLBACK");
    expect(await store.reserve([reservation({ caps: [cap(["person-x"])] })])).toMatchObject([{ ok: true, seq: 1 }]);
  });

  it("waits for a lock that is let go in time", async () => {
    const path = join(folder(), "m.db");
    const store = opened({ path, timeoutMs: 60_000 });
    await store.open();
    const other = new Database(path);
    cleanup.push(() => other.close());
    other.exec("BEGIN IMMEDIATE");
    const answer = store.reserve([reservation()]);
    setTimeout(() => other.exec("COMMIT"), 30);
    expect(await answer).toMatchObject([{ ok: true }]);
  });

  it("never joins a transaction of the application, and goes on after it", async () => {
    const database = new Database(join(folder(), "m.db"));
    cleanup.push(() => database.close());
    const store = opened({ database });
    await store.open();
    database.exec("BEGIN");
    await expect(store.reserve([reservation()])).rejects.toMatchObject(unavailable);
    expect(database.inTransaction).toBe(true);
    database.exec("ROLLBACK");
    expect(await store.reserve([reservation()])).toMatchObject([{ ok: true, seq: 1 }]);
  });

  it("refuses on a full disk, with nothing spent and nothing lost, and goes on when there is room", async () => {
    const database = new Database(join(folder(), "m.db"));
    cleanup.push(() => database.close());
    const store = opened({ database });
    await store.reserve([reservation({ caps: [cap(["a"], 90_000)] })]);
    database.pragma(`max_page_count = ${Number(database.pragma("page_count", { simple: true })) + 8}`);
    const crowd = Array.from({ length: 20_000 }, (_, index) => `person-${index}`);
    const error: unknown = await store.reserve([reservation({ caps: [cap(crowd, 90_000)] })]).catch((reason) => reason);
    expect(error).toMatchObject(unavailable);
    expect(String(error)).toContain("FULL");
    expect(String(error)).not.toContain("person-");
    expect(await store.usage([{ key: "k", windowMs: 3_600_000 }])).toEqual([1]);
    expect(await store.read(0, 9)).toHaveLength(1);
    database.pragma("max_page_count = 1000000");
    expect(await store.reserve([reservation({ caps: [cap(crowd, 90_000)] })])).toMatchObject([{ ok: true, seq: 2 }]);
    expect(await store.usage([{ key: "k", windowMs: 3_600_000 }])).toEqual([20_001]);
  });

  it("refuses for a file that is none of SQLite's, and goes on when it is gone", async () => {
    const path = join(folder(), "m.db");
    writeFileSync(path, "not a database, but long enough to be looked at as one".repeat(100));
    const store = opened({ path });
    await expect(store.open()).rejects.toMatchObject(unavailable);
    await expect(store.reserve([reservation()])).rejects.toMatchObject(unavailable);
    rmSync(path);
    expect(await store.reserve([reservation()])).toMatchObject([{ ok: true }]);
  });

  it("refuses where there is no folder, and goes on when there is", async () => {
    const path = join(folder(), "later", "m.db");
    const store = opened({ path });
    await expect(store.open()).rejects.toMatchObject(unavailable);
    await expect(store.append(["{}"])).rejects.toMatchObject(unavailable);
    const { mkdirSync } = await import("node:fs");
    mkdirSync(join(path, ".."));
    expect(await store.append(["{}"])).toEqual([1]);
  });

  it("refuses when a commit fails, with nothing kept of it, and goes on", async () => {
    const database = new Database(join(folder(), "m.db"));
    cleanup.push(() => database.close());
    let failing = false;
    const failure = Object.assign(new Error("disk I/O error"), { code: "SQLITE_IOERR_FSYNC" });
    const faulty: SqliteDatabase = {
      exec: (sql) => database.exec(sql),
      close() {},
      prepare(sql) {
        const statement = database.prepare(sql);
        return {
          run(...values) {
            if (failing && sql === "COMMIT") throw failure;
            return statement.run(...values);
          },
          get: (...values) => statement.get(...values),
          all: (...values) => statement.all(...values),
        };
      },
    };
    const store = opened({ database: faulty });
    const spend = () => store.reserve([reservation({ caps: [cap(["a"], 1)] })]);
    await store.open();
    failing = true;
    const error = await spend().catch((reason) => reason);
    expect(error).toMatchObject({ ...unavailable, cause: failure });
    expect(database.inTransaction).toBe(false);
    failing = false;
    expect(await store.read(0, 9)).toEqual([]);
    expect(await spend()).toMatchObject([{ ok: true, seq: 1 }]);
  });

  it("opens its own file anew after an I/O error", async () => {
    const path = join(folder(), "m.db");
    const connections: { database: Database.Database; broken: boolean }[] = [];
    const connection = connect({
      owned: true,
      prefix: "mailfuse_",
      synchronous: "NORMAL",
      timeoutMs: 100,
      open: async () => {
        const one = { database: new Database(path), broken: false };
        connections.push(one);
        return {
          exec: (sql) => one.database.exec(sql),
          close: () => one.database.close(),
          prepare(sql) {
            if (one.broken) throw Object.assign(new Error("disk I/O error"), { code: "SQLITE_IOERR_READ" });
            return one.database.prepare(sql) as unknown as SqliteStatement;
          },
        };
      },
    });
    cleanup.push(() => connection.close());
    const read = (column: string) => connection.read((sql) => sql.get(`SELECT ${column} FROM mailfuse_state`));
    expect(await read("seq")).toEqual({ seq: 0 });
    connections[0]!.broken = true;
    await expect(read("at")).rejects.toMatchObject(unavailable);
    expect(connections[0]!.database.open).toBe(false);
    expect(await read("at")).toEqual({ at: 0 });
    expect(connections).toHaveLength(2);
  });

  it("notices that its file was deleted or replaced, and that data is lost", async () => {
    const directory = folder();
    const path = join(directory, "m.db");
    const store = opened({ path });
    await store.append(["1", "2"]);
    await store.forget("nothing");
    copyFileSync(path, join(directory, "backup.db"));
    const [third] = await store.append(["3"]);
    for (const name of readdirSync(directory)) if (name.startsWith("m.db")) rmSync(join(directory, name));
    expect(await store.reserve([reservation({ seen: third! })])).toEqual([{ ok: false, reason: "regressed", seq: 0 }]);
    for (const name of readdirSync(directory)) if (name.startsWith("m.db")) rmSync(join(directory, name));
    renameSync(join(directory, "backup.db"), path);
    expect(await store.reserve([reservation({ seen: third! })])).toEqual([{ ok: false, reason: "regressed", seq: 2 }]);
    const number = await store.acknowledge("{}");
    expect(await store.reserve([reservation({ seen: number })])).toMatchObject([{ ok: true, seq: number + 1 }]);
  });

  it("does not write into a replaced file through an injected connection", async () => {
    const path = join(folder(), "m.db");
    const database = new Database(path);
    cleanup.push(() => database.close());
    const store = opened({ database });
    await store.append(["1"]);
    renameSync(path, `${path}.old`);
    await expect(store.append(["2"])).rejects.toMatchObject(unavailable);
    writeFileSync(path, "");
    await expect(store.append(["2"])).rejects.toMatchObject(unavailable);
  });

  it("refuses through a connection that was closed", async () => {
    const database = new Database(":memory:");
    const store = opened({ database });
    await store.open();
    database.close();
    await expect(store.reserve([reservation()])).rejects.toMatchObject(unavailable);
    await expect(store.halts()).rejects.toMatchObject(unavailable);
  });

  it("refuses nobody for a neighbour whose call makes no sense", async () => {
    const store = opened({ path: join(folder(), "m.db") });
    const broken = reservation({ once: [{ key: "o", ttlMs: Number.NaN, onUnknown: "hold" }] });
    const results = await Promise.allSettled([
      store.reserve([reservation()]),
      store.reserve([broken]),
      store.reserve([reservation()]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect((await store.read(0, 9)).map(({ seq }) => seq)).toEqual([1, 2]);
  });

  it("sends on under fake timers", async () => {
    const store = opened({ path: join(folder(), "m.db") });
    await store.open();
    vi.useFakeTimers();
    try {
      expect(await store.reserve([reservation()])).toMatchObject([{ ok: true }]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("sqlite store: processes whose clocks differ", () => {
  it("keeps no window too full after a call by a clock that is ahead, although that call was refused", async () => {
    const path = join(folder(), "mailfuse.db");
    let now = 1_700_000_000_000;
    const right = opened({ path, clock: { now: () => now } });
    const ahead = opened({ path, clock: { now: () => now + 3_600_000 } });
    const ask = async (store: Store, ...people: string[]) => {
      const [answer] = await store.reserve([reservation({ caps: [cap(people, 2)] })]);
      return answer?.ok;
    };
    expect(await ask(right, "a", "b")).toBe(true);
    expect(await ask(ahead, "x", "y", "z")).toBe(false);
    expect(await ask(right, "c", "d")).toBe(true);
    now += 3_600_000;
    // Whoever stands in the window refuses, and nobody else does.
    const [held] = await right.usage([{ key: "k", windowMs: 3_600_000 }]);
    expect(await ask(right, "e", "f")).toBe(held === 0);
    now += 3_600_000;
    expect(await ask(right, "e", "f")).toBe(true);
  });

  it("takes nobody out early when a clock that is ahead clears away, although its calls were refused", async () => {
    const path = join(folder(), "mailfuse.db");
    const now = 1_700_000_000_000;
    const right = opened({ path, clock: { now: () => now } });
    const ahead = opened({ path, clock: { now: () => now + 7_200_000 } });
    const [first] = await right.reserve([reservation({ caps: [cap(["a"], 1)] })]);
    const refused = Array.from({ length: 300 }, () => reservation({ caps: [cap(["x"], 0, "other")] }));
    expect((await ahead.reserve(refused)).every(({ ok }) => !ok)).toBe(true);
    const [second] = await right.reserve([reservation({ caps: [cap(["b"], 1)] })]);
    if (!first?.ok) throw new Error("Expected the first to pass.");
    if (second?.ok) expect(second.at).toBeGreaterThanOrEqual(first.at + 3_600_000);
  });
});

describe("sqlite store: what stays in the file", () => {
  it("destroys a forgotten value for good", async () => {
    const directory = folder();
    const store = opened({ path: join(directory, "m.db") });
    const key = "c2VjcmV0LWFkZHJlc3Mta2V5";
    const bytes = () => readdirSync(directory).map((name) => readFileSync(join(directory, name)).includes(key));
    await store.setOnce("address-key", key);
    expect(bytes()).toContain(true);
    await store.forget("address-key");
    expect(bytes()).not.toContain(true);
  });

  it("destroys forgotten addresses for good, those of one person or of a bucket", async () => {
    const path = join(folder(), "mailfuse.db");
    const store = opened({ path });
    const sealed = [
      ["a", "ciphertext-of-a"],
      ["b", "ciphertext-of-b"],
      ["c", "ciphertext-of-c"],
    ] as const;
    const found = () => {
      const bytes = Buffer.concat([readFileSync(path), readFileSync(`${path}-wal`)]);
      return sealed.map(([, text]) => bytes.includes(text));
    };
    await store.reserve([
      reservation({ addresses: { bucket: "one", sealed: sealed.slice(0, 2) } }),
      reservation({ addresses: { bucket: "two", sealed: sealed.slice(2) } }),
    ]);
    expect(found()).toEqual([true, true, true]);
    expect(await store.forgetAddresses({ people: ["a"] })).toBe(1);
    expect(found()).toEqual([false, true, true]);
    expect(await store.forgetAddresses({ bucket: "two" })).toBe(1);
    expect(found()).toEqual([false, true, false]);
  });

  it("clears away keys that nobody spends any more", async () => {
    let time = 1_700_000_000_000;
    const database = new Database(":memory:");
    const store = opened({ database, clock: { now: () => time } });
    const rows = (table: string) => database.prepare(`SELECT count(*) FROM mailfuse_${table}`).pluck().get();
    for (let round = 0; round < 300; round++) {
      time += 1_000;
      const all = Array.from({ length: 10 }, (_, index) => {
        const key = `key-${round}-${index}`;
        return reservation({
          caps: [cap([key, "p"], 10, key, 5_000)],
          rates: [{ key, windowMs: 5_000, limit: 3, messages: 1, enforce: true }],
          once: [{ key, ttlMs: 5_000, onUnknown: "hold" }],
        });
      });
      await store.reserve(all);
    }
    // 50 of each still count.
    for (const table of ["window", "rate", "once"]) expect(rows(table), table).toBeLessThan(500);
    expect(rows("person")).toBeLessThan(1_000);
    expect(rows("window")).toBeGreaterThanOrEqual(50);
  });

  it("lets a window full of a mass mail end in steps, and never counts wrong meanwhile", async () => {
    let time = 1_700_000_000_000;
    const database = new Database(":memory:");
    const store = opened({ database, clock: { now: () => time } });
    const crowd = Array.from({ length: 9_000 }, (_, index) => `person-${index}`);
    const used = () => store.usage([{ key: "k", windowMs: 1_000 }]);
    // The window's figure is that of its moments, and each moment's that of the people who leave then.
    const invariant = () =>
      database
        .prepare(`SELECT used - (SELECT sum(people) FROM mailfuse_leaving) + (SELECT count(*) FROM mailfuse_leaving AS moment
          WHERE people <> (SELECT count(*) FROM mailfuse_counted WHERE until = moment.until)) FROM mailfuse_window`)
        .pluck()
        .get();
    await store.reserve([reservation({ caps: [cap(crowd, 10_000, "k", 1_000)] })]);
    time += 1_000;
    expect(await store.reserve([reservation({ caps: [cap(["a"], 10_000, "k", 1_000)] })])).toMatchObject([
      { ok: true },
    ]);
    expect(await used()).toEqual([1]);
    expect(invariant()).toBe(0);
    // With a limit that what is over would exceed, all of it goes at once.
    const answers = await store.reserve([
      reservation({ caps: [cap(["b", "c"], 3, "k", 1_000)] }),
      reservation({ caps: [cap(["d"], 3, "k", 1_000)] }),
    ]);
    expect(answers).toMatchObject([{ ok: true }, { ok: false, used: 3, wanted: 1 }]);
    expect(await used()).toEqual([3]);
    expect(invariant()).toBe(0);
  });

  it("counts whoever comes again after their time was over as one more", async () => {
    let time = 1_700_000_000_000;
    const store = opened({ path: ":memory:", clock: { now: () => time } });
    const ask = async (person: string) =>
      (await store.reserve([reservation({ caps: [cap([person], 2, "k", 1_000)] })]))[0]?.ok;
    expect(await ask("a")).toBe(true);
    time += 1_000;
    expect([await ask("a"), await ask("b"), await ask("c")]).toEqual([true, true, false]);
  });

  it("keeps count of a window when everything is refused after something old was dropped", async () => {
    let time = 1_700_000_000_000;
    const database = new Database(":memory:");
    const store = opened({ database, clock: { now: () => time } });
    await store.reserve([reservation({ caps: [cap(["a", "b"], 3, "k", 1_000)] })]);
    time += 1_000;
    await store.addPlan({ id: "p", state: "s", record: "{}" }, "{}");
    const tooMany = cap(["c", "d", "e", "f"], 3, "k", 1_000);
    expect(
      await store.changePlan({ id: "p", version: 1, state: "t", record: "{}", caps: [tooMany], event: "{}" }),
    ).toMatchObject({
      ok: false,
      used: 0,
      wanted: 4,
    });
    expect(await store.reserve([reservation({ caps: [tooMany] })])).toMatchObject([{ ok: false, used: 0, wanted: 4 }]);
    expect(await store.reserve([reservation({ caps: [cap(["c", "d", "e"], 3, "k", 1_000)] })])).toMatchObject([
      { ok: true },
    ]);
    expect(database.prepare("SELECT used FROM mailfuse_window").pluck().get()).toBe(3);
  });
});

describe("sqlite store: several processes on one file", () => {
  it("holds a cap over processes that are killed at random, and has a line for every answer given", {
    timeout: 240_000,
  }, async () => {
    const path = join(folder(), "m.db");
    const worker = fileURLToPath(new URL("support/sqlite-worker.ts", import.meta.url));
    const limit = 300;
    const passed: string[] = [];
    await opened({ path }).open();

    async function process(name: string, killAfter: number): Promise<void> {
      const child = spawn(globalThis.process.execPath, ["--import", "tsx", worker, path, name, String(limit)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let rest = "";
      let seen = 0;
      for await (const chunk of child.stdout.setEncoding("utf8")) {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) if (line.startsWith("passed ")) passed.push(line.slice("passed ".length));
        seen += lines.length;
        if (seen > killAfter) child.kill("SIGKILL");
      }
    }

    // Two are killed amid their sends and started again; all of them ask for far more than there is.
    await Promise.all([
      process("a", 40).then(() => process("a2", Number.POSITIVE_INFINITY)),
      process("b", 70).then(() => process("b2", Number.POSITIVE_INFINITY)),
      process("c", Number.POSITIVE_INFINITY),
    ]);
    const store = opened({ path });
    const reserved = (await store.read(0, 10_000)).map(({ event }) => JSON.parse(event) as string);
    expect(new Set(passed).size).toBe(passed.length);
    expect(reserved).toEqual(expect.arrayContaining(passed));
    // Whoever was killed between the line and its answer has spent it: never more than the limit, and no less.
    expect(reserved).toHaveLength(limit);
    expect(new Set(reserved).size).toBe(limit);
    expect(await store.usage([{ key: "k", windowMs: 3_600_000 }])).toEqual([limit]);
  });
});
