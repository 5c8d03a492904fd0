/** The search that runs in every test file finds what it is for: each kind of leak is planted, and reported. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { Redis } from "ioredis";
import { Pool } from "pg";
import { describe, expect, it } from "vitest";
import { idleExceptions } from "../../scripts/leak-reporter.mjs";
import { leakTaps } from "../../scripts/leak-taps.mjs";
import { createFuse, memoryStore } from "../../src/index";
import { MailfuseError } from "../../src/store";
import { sqliteStore } from "../../src/stores/sqlite";
import { postgresServers, redisServers } from "../stores/servers";
import { fakeAdapter, fakeClient } from "../support/fake-client";
import { addressesIn, ownExamples } from "./addresses";
import type { Finding, Kind } from "./findings";

const leaked = "ann@planted.test";
const mail = { to: "ben@planted.test", subject: "The planted subject", text: "The planted body." };

/** What the search has found by now; it is not held against this file. */
const found = (): readonly Finding[] => globalThis.mailfuseFindings?.take() ?? [];
const a = (kind: Kind, place: string | RegExp, what = leaked) =>
  expect.objectContaining({ kind, place: expect.stringMatching(place), found: what });

const folderOf = () => mkdtempSync(join(tmpdir(), "mailfuse-planted-"));

function fuseOf(store = memoryStore()) {
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const fuse = createFuse({
    environment: "production",
    environments: { production: { mode: "live" } },
    env: {},
    defaults: { caps: [{ people: 100, per: "1h" }] },
    secret: "the secret of planted leaks",
    logger: quiet,
    store,
  });
  return { fuse, client: fuse.attach(fakeClient(), fakeAdapter()) };
}

describe("a leak is found", () => {
  it("in a log line, though the logger is silent, in the ledger and in an answer", async () => {
    const { fuse } = fuseOf();
    await fuse.halt({ reason: `${leaked} complained`, by: "erin" });
    await fuse.halts();
    expect(found()).toEqual(expect.arrayContaining([a("log", "warn"), a("store", "halt"), a("answer", "halts")]));
    await fuse.close();
  });

  it("in an error, whether anybody prints it or not: in its message, a further reason, its cause", () => {
    const fine = { code: "INTERNAL", message: "Nothing." } as const;
    new MailfuseError({ ...fine, message: `Expected ${leaked} to be there.` });
    expect(found()).toContainEqual(a("error", "message"));
    new MailfuseError([fine, { ...fine, fix: `Ask ${leaked}.` }]);
    expect(found()).toEqual([a("error", "refusals")]);
    new MailfuseError(fine, { cause: new Error("outer", { cause: new Error(`No such user ${leaked}`) }) });
    expect(found()).toEqual([a("error", "cause")]);
  });

  it("in a SQLite file, before the test removes it", async () => {
    const folder = folderOf();
    const store = sqliteStore({ path: join(folder, "a.db") });
    await store.open();
    await store.append([`{"who":"${leaked}"}`]);
    await store.close();
    expect(found()).toEqual([]);
    rmSync(folder, { recursive: true });
    expect(found()).toContainEqual(a("file", /a\.db/));
  });

  it.skipIf(!redisServers.own)("in Redis, at whatever kind of key, before the server is stopped", async () => {
    const server = await redisServers.launch();
    const client = new Redis(server.port, "127.0.0.1");
    await client.hset("h", "field", `so long that Redis would press it ${"x".repeat(500)} ${leaked}`);
    await client.zadd("z", 1, "bob@planted.test");
    client.disconnect();
    await server.stop();
    expect(found()).toEqual(expect.arrayContaining([a("server", "redis"), a("server", "redis", "bob@planted.test")]));
  });

  it.skipIf(!postgresServers.own)("in PostgreSQL, also in what it presses, before the server is stopped", async () => {
    const server = await postgresServers.launch("-c", "fsync=off");
    const pool = new Pool({ connectionString: server.url });
    await pool.query("create schema s; create table s.t (event text, bytes bytea)");
    // As a byte of PostgreSQL's own before a word of a function would look; an address of one label is seen by the client.
    await pool.query("insert into s.t values ($1)", ["carl@test"]);
    await pool.query("insert into s.t values ($1, $2)", [
      `${"abcdefgh ".repeat(3_000)} ${leaked}`,
      Buffer.from("\u0000bob@planted.test\u0001"),
    ]);
    await pool.end();
    await server.stop();
    const planted = found();
    expect(planted).toEqual(
      expect.arrayContaining([
        a("server", "postgres"),
        a("server", "postgres", "bob@planted.test"),
        a("file", "pg_wal", "bob@planted.test"),
        a("server", "postgres", "carl@test"),
      ]),
    );
    expect(planted).not.toContainEqual(a("file", "pg_wal", "carl@test"));
  });

  it("in an export, in an answer of the ledger, and in an incident", async () => {
    const folder = folderOf();
    const { fuse, client } = fuseOf();
    await client.send({ to: mail.to });
    await fuse.halt({ reason: `${leaked} complained`, by: "erin" });
    found();
    await fuse.ledger.export({ to: join(folder, "ledger.jsonl") });
    await fuse.incident({ purpose: "(none)", from: 0 });
    await fuse.close();
    rmSync(folder, { recursive: true });
    expect(found()).toEqual(expect.arrayContaining([a("file", "ledger.jsonl"), a("answer", "incident")]));
  });

  it("of a subject and a body that the test file mails", async () => {
    const { fuse, client } = fuseOf();
    await client.send(mail);
    expect(found()).toEqual([]);
    await fuse.halt({ reason: `about "${mail.subject}": ${mail.text}`, by: "erin" });
    expect(found()).toEqual(expect.arrayContaining([a("log", "warn", mail.subject), a("log", "warn", mail.text)]));
    await fuse.close();
  });

  it("in what this process and its children print, also in two parts", async () => {
    const parts = "process.stdout.write('ann@pla'); setTimeout(() => process.stdout.write('nted.test'), 50)";
    await new Promise((done) =>
      spawn(process.execPath, ["-e", parts], { stdio: ["ignore", "pipe", "inherit"] }).once("close", done),
    );
    expect(found()).toEqual([a("child", "stdout")]);
    const id = "<0b5d2a3e-9a56-4bb1-8a0c-2f3f6a0ec0de@planted.test>";
    const cut = `process.stdout.write('${id}' + ' '.repeat(220)); setTimeout(() => process.stdout.write('more'), 50)`;
    await new Promise((done) =>
      spawn(process.execPath, ["-e", cut], { stdio: ["ignore", "pipe", "inherit"] }).once("close", done),
    );
    expect(found()).toEqual([]);
    spawnSync(process.execPath, ["-e", `console.error('${leaked}')`]);
    expect(found()).toEqual([a("child", "stderr")]);
    console.log(leaked);
    expect(found()).toContainEqual(a("console", "log"));
  });

  it("in every spelling of the @, and in no pattern, no id and no example of ours", () => {
    for (const text of [
      leaked,
      leaked.toUpperCase(),
      "ann%40planted.test",
      "ann=40planted.test",
      "ann&#64;planted.test",
    ])
      expect(addressesIn(`x ${text}, y`)).toEqual([text]);
    expect(addressesIn("Ann <ann@b\u00fccher.test>,bob@sub.planted.example.")).toHaveLength(2);
    const fine = [
      "*@acme.test",
      "qa+*@acme.com",
      "<0b5d2a3e-9a56-4bb1-8a0c-2f3f6a0ec0de@acme.test>",
      "name@example.com",
      "@acme.test",
      "a@1.2.3",
    ];
    expect(addressesIn(fine.join(" "))).toEqual([]);
  });
});

describe("the search", () => {
  it("fails the file in which it finds something, and says what, where and in which test", () => {
    const config = resolve(import.meta.dirname, "planted/vitest.config.ts");
    const program = resolve("node_modules/vitest/vitest.mjs");
    const folder = folderOf();
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, "run", "--config", config], {
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1", TEST_REPORT: "", TMPDIR: folder },
    });
    rmSync(folder, { recursive: true });
    expect(found()).toContainEqual(a("file", "left"));
    expect(status, stdout + stderr).toBe(1);
    expect(stdout).toContain("1 passed");
    expect(stderr).toMatch(
      /planted\.ts[\s\S]*log warn: ann@planted\.test\n.*in "halted: ann@planted\.test complained"\n.*a test that passes/,
    );
    // What a test forgets to remove is looked at when its file ends.
    expect(stderr).toMatch(/file .*\/left: ann@planted\.test/);
  });

  it("does not start where the sources no longer tell it what passes", () => {
    const transform = leakTaps("/root").transform as (code: string, id: string) => string | undefined;
    expect(() => transform("class Fuse {}", "/root/src/fuse.ts")).toThrow(/Expected src\/fuse\.ts to hold/);
    expect(transform("class Fuse {}", "/root/src/other.ts")).toBeUndefined();
  });

  it("holds every exception to be needed, where all that could need it has run", () => {
    const file = (used: string[], own: string, whole = true) => ({
      whole,
      used,
      exceptions: [
        { why: own, everywhere: false },
        { why: "everywhere", everywhere: true },
      ],
    });
    const run = [file(["used"], "used"), file([], "idle"), file([], "half run", false), file([], "half run")];
    expect(idleExceptions(run)).toEqual(["idle"]);
    const suite = Array.from({ length: 100 }, () => file(["used"], "used"));
    expect(idleExceptions(suite)).toEqual(["everywhere"]);
    expect(idleExceptions([...suite, file(["everywhere"], "used")])).toEqual([]);
  });

  it("knows every domain that tests write addresses of and every way they start a child, and no test mails to our examples", () => {
    const [unknown, taken, unheard] = [new Set<string>(), new Set<string>(), new Set<string>()];
    // A package and its version, or a machine's number instead of a domain, is nobody.
    const noAddress = /@v?\d+\.[\d.]+$|@0x/;
    for (const folder of ["test", "src/testing"])
      for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
        if (!name.endsWith(".ts") || name.startsWith("leaks/")) continue;
        const source = readFileSync(join(folder, name), "utf8");
        for (const [text] of source.matchAll(/\w[\w.+-]*@(?:[\w-]+\.)+\w+/g)) {
          if (ownExamples.test(text)) taken.add(`${name}: ${text}`);
          else if (!noAddress.test(text) && addressesIn(text).length === 0) unknown.add(`${name}: ${text}`);
        }
        // Of these ways to start a child, nothing is heard.
        if (/(?<![.\w])(?:exec|execFile|execSync)\(/.test(source)) unheard.add(name);
      }
    expect([...unknown]).toEqual([]);
    expect([...taken]).toEqual([]);
    expect([...unheard]).toEqual([]);
  });
});
