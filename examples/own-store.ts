/**
 * A store of one's own, and the suite that says whether it is one. This one keeps a journal: a file with every call
 * that changes anything and when it came. What the calls amount to is the memory store's to know, which is told them
 * again when the file is opened. One process at a time, and a file that grows: a start, not a database.
 */
import assert from "node:assert/strict";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { deserialize, serialize } from "node:v8";
import { MailfuseError, memoryStore, type Reservation, type SpoolEntry, type Store, type StoreFacts } from "mailfuse";
import { storeConformance } from "mailfuse/testing";

/** A call: when it came, the method, and what it was given. */
type Call = readonly [at: number, method: string, args: readonly unknown[]];
type Forget = Parameters<Store["forgetAddresses"]>[0];
type Method = (...args: readonly unknown[]) => Promise<unknown>;

// The shorter of the two lists: a method that comes to the seam and changes something must not be forgotten here.
const reads: ReadonlySet<string> = new Set<keyof Store>([
  ...(["now", "value", "usage", "halts", "read", "addresses", "addressBuckets"] as const),
  ...(["plan", "plans", "entries", "entryStates", "entriesIn"] as const),
]);

const facts: StoreFacts = {
  kind: "journal",
  shared: false,
  durability: "process",
  says: "A journal in a file, for one process; a line survives its death.",
};

function journalStore(path: string, clock: { now(): number } = { now: () => Date.now() }): Store {
  let time = 0;
  let memory = memoryStore();
  let calls: Call[] | undefined;
  let closed = false;

  const line = (call: Call) => `${serialize(call).toString("base64")}\n`;
  const apply = ([at, method, args]: Call) => {
    time = at;
    return (memory[method as keyof Store] as Method)(...args);
  };

  /** Reads the file, once and after trouble. A last line that was cut short belongs to a call that was not answered. */
  function journal(): Call[] {
    if (calls) return calls;
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    if (whole !== text) writeFileSync(path, whole);
    calls = whole
      .split("\n")
      .filter(Boolean)
      .map((kept) => deserialize(Buffer.from(kept, "base64")) as Call);
    // It does its work before it answers: told in order, it is where it was.
    memory = memoryStore({ clock: { now: () => time } });
    for (const call of calls) void apply(call);
    return calls;
  }

  /** What must be forgotten for good may not stay in an old line. */
  function rewrite(change: (call: Call) => Call): void {
    const kept = journal().map(change);
    writeFileSync(`${path}.new`, kept.map(line).join(""));
    renameSync(`${path}.new`, path);
    calls = kept;
  }

  function forgetIn(method: string, args: readonly unknown[]): void {
    const [what] = args;
    if (method === "forget") rewrite((call) => (call[1] === "setOnce" && call[2][0] === what ? gone(call) : call));
    if (method === "dropSpool")
      rewrite((call) => (call[1] === "spool" && call[2][0] === what ? withoutBytes(call) : call));
    if (method === "forgetAddresses")
      rewrite((call) => (call[1] === "reserve" ? withoutAddresses(call, what as Forget) : call));
  }

  function answer(method: string, args: readonly unknown[]): Promise<unknown> {
    if (method === "close") {
      closed = true;
      return Promise.resolve();
    }
    try {
      if (closed) throw new Error("the journal was closed");
      const known = journal();
      if (method === "open") return Promise.resolve(facts);
      const call: Call = [clock.now(), method, args];
      if (reads.has(method)) return apply(call);
      // Written before it counts: what was answered survives this process.
      appendFileSync(path, line(call));
      known.push(call);
      const answered = apply(call);
      forgetIn(method, args);
      return answered;
    } catch (cause) {
      calls = closed ? calls : undefined;
      const fix = "Nothing was sent. Look at the file and its disk.";
      const message = "Expected the journal to be read and written, got an error.";
      return Promise.reject(new MailfuseError({ code: "STORE_UNAVAILABLE", message, fix }, { cause }));
    }
  }

  const methods = Object.keys(memory).map((name): [string, Method] => [name, (...args) => answer(name, args)]);
  return Object.fromEntries(methods) as Record<keyof Store, Method> as Store;
}

// What is left of a call in which something must be forgotten.
const gone = ([at]: Call): Call => [at, "now", []];

function withoutBytes([at, method, [plan, entries]]: Call): Call {
  const empty = (entries as readonly SpoolEntry[]).map(({ index }) => ({ index, sealed: new Uint8Array() }));
  return [at, method, [plan, empty]];
}

function withoutAddresses([at, method, [reservations]]: Call, what: Forget): Call {
  const stays = (bucket: string, person: string) =>
    "bucket" in what ? bucket !== what.bucket : !what.people.includes(person);
  const kept = (reservations as readonly Reservation[]).map(({ addresses, ...rest }) => {
    if (!addresses) return rest;
    const { bucket, sealed } = addresses;
    return { ...rest, addresses: { bucket, sealed: sealed.filter(([person]) => stays(bucket, person)) } };
  });
  return [at, method, [kept]];
}

const folder = mkdtempSync(join(tmpdir(), "mailfuse-own-store-"));
after(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

storeConformance(
  { describe, it },
  {
    name: "a journal",
    async open() {
      const path = join(folder, `${files++}.journal`);
      let time = 1_700_000_000_000;
      const store = journalStore(path, { now: () => time });
      const advance = (ms: number) => {
        time += ms;
      };
      return { store, advance, close: async () => rmSync(path, { force: true }) };
    },
    skip: { "keeps everything for another process": "one process at a time has the file" },
  },
);

describe("after a restart", () => {
  it("a cap still holds, and what was forgotten is not in the file", async () => {
    const path = join(folder, "restarted.journal");
    const people = { key: "purpose:refund", windowMs: 3_600_000, limit: 2, enforce: true };
    const ask = (id: string, person: string): Reservation => ({
      ...{ id, scopes: ["*"], once: [], rates: [], event: "{}", seen: 0 },
      caps: [{ ...people, people: [person] }],
      addresses: { bucket: "today", sealed: [[person, `sealed-${person}`]] },
    });
    const before = journalStore(path);
    await before.reserve([ask("1", "ann"), ask("2", "bob")]);
    await before.forgetAddresses({ people: ["ann"] });
    // Killed in the middle of a line.
    appendFileSync(path, "half a li");

    const restarted = journalStore(path);
    const [third] = await restarted.reserve([ask("3", "eve")]);
    assert.equal(third?.ok, false);
    assert.deepEqual(await restarted.addresses("today", ["ann", "bob"]), [undefined, "sealed-bob"]);
    const kept = readFileSync(path, "utf8")
      .split("\n")
      .map((line) => Buffer.from(line, "base64").toString("latin1"));
    assert.ok(kept.some((line) => line.includes("sealed-bob")) && !kept.some((line) => line.includes("sealed-ann")));
  });
});
