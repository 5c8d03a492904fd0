import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { makeSigner } from "../../src/ledger/chain";
import { exportedLine } from "../../src/ledger/file";
import { sealLines } from "../../src/ledger/seal";
import type { Head } from "../../src/ledger/verdict";
import { Verifier } from "../../src/ledger/verify";
import { verifyExport } from "../../src/ledger/verify-export";
import { acknowledgedGap, type LedgerLine } from "../../src/store";
import { lineStore, mutate, type Random, random, someEvent } from "./tamper";

const signer = makeSigner(undefined, [randomBytes(32)], []);
const stranger = makeSigner(undefined, [randomBytes(32)], []);
const folder = mkdtempSync(join(tmpdir(), "mailfuse-tamper-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function verdict(lines: readonly LedgerLine[], expectedHead?: Head) {
  const verifier = new Verifier({ trusted: signer.trusted, ...(expectedHead ? { expectedHead } : {}) });
  for (const line of lines) verifier.add(line);
  return verifier.finish();
}

/** A ledger of random length, sealed at random moments, now and then with an acknowledged gap. */
async function someLedger(next: Random, rounds = 1 + next(4)) {
  const store = lineStore();
  let head: Head | undefined;
  for (let round = 0; round < rounds; round++) {
    await store.append(Array.from({ length: 1 + next(40) }, () => someEvent(next)));
    store.advance(next(100_000));
    if (next(8) === 0) store.skip('{"v":1,"type":"acknowledged","by":"erin"}', acknowledgedGap + next(10));
    // Another process, which knows nothing of the last head.
    head = await sealLines({ store, signer }, next(2) === 0 ? head : undefined);
  }
  return { store, head: head as Head };
}

describe("a ledger that nobody touched", () => {
  it("is not accused, a thousand times, and says what is sealed", async () => {
    for (let seed = 0; seed < 1_000; seed++) {
      const next = random(seed);
      const { store, head } = await someLedger(next);
      const found = verdict(store.lines, head);
      expect(found.problems, `seed ${seed}`).toEqual([]);
      expect(found).toMatchObject({ ok: true, sealed: { upto: head.upto }, unsealed: { lines: 0 } });
      const more = next(5);
      const since = store.lines.at(-1)?.at;
      await store.append(Array.from({ length: more }, () => someEvent(next)));
      expect(verdict(store.lines, head)).toMatchObject({
        ok: true,
        unsealed: more === 0 ? { lines: 0 } : { lines: more, since },
      });
    }
  });

  it("is not accused when two processes seal at once, nor when a slow one seals late", async () => {
    for (let seed = 0; seed < 100; seed++) {
      const next = random(seed);
      const { store, head } = await someLedger(next);
      await store.append([someEvent(next), someEvent(next)]);
      // Both have read before either has written.
      const slow = {
        ...store,
        append: async (events: readonly string[]) => {
          await sealLines({ store, signer }, head);
          await store.append([someEvent(next)]);
          return store.append(events);
        },
      };
      await sealLines({ store: slow, signer }, head);
      const newest = await sealLines({ store, signer }, undefined);
      expect(verdict(store.lines, newest)).toMatchObject({ ok: true, problems: [], unsealed: { lines: 0 } });
    }
  });

  it("stays as it is when everything was sealed already: heads need no heads", async () => {
    const { store, head } = await someLedger(random(1));
    const before = store.lines.length;
    expect(await sealLines({ store, signer }, undefined)).toEqual(head);
    expect(store.lines).toHaveLength(before);
  });
});

/** Changes after which the store alone looks like a younger ledger. */
const headless = new Set([
  ...["the end cut off", "the last line cut off", "everything written anew", "heads removed and the rest altered"],
]);

describe("a ledger that was changed", () => {
  it("is found out in the store, a thousand times", async () => {
    const ways = new Map<string, number>();
    for (let seed = 0; seed < 1_000; seed++) {
      const next = random(seed + 10_000);
      const { store, head } = await someLedger(next);
      const { what, lines } = mutate(store.lines, head.upto, next);
      const found = verdict(lines, head);
      expect(found.ok, `seed ${seed}: ${what}`).toBe(false);
      expect(
        found.problems.every(({ from, to }) => Number.isInteger(from) && to >= from - 1),
        what,
      ).toBe(true);
      // Only what takes the newest heads away needs one that is known from elsewhere.
      if (!headless.has(what)) expect(verdict(lines).ok, `seed ${seed}, no known head: ${what}`).toBe(false);
      ways.set(what, (ways.get(what) ?? 0) + 1);
    }
    expect(ways.size).toBe(14);
  });

  it("is found out in an export, a thousand times", async () => {
    const file = join(folder, "ledger.jsonl");
    const publicKeys = [signer.publicKey];
    for (let seed = 0; seed < 1_000; seed++) {
      const next = random(seed + 20_000);
      const { store, head } = await someLedger(next, 1 + next(2));
      writeFileSync(file, store.lines.map(exportedLine).join(""));
      expect((await verifyExport(file, { publicKeys, expectedHead: head })).ok, `seed ${seed}`).toBe(true);
      const { what, lines } = mutate(store.lines, head.upto, next);
      writeFileSync(file, lines.map(exportedLine).join(""));
      expect((await verifyExport(file, { publicKeys, expectedHead: head })).ok, `seed ${seed}: ${what}`).toBe(false);
    }
  });

  it("is found out whatever byte of an export is another", async () => {
    const file = join(folder, "bytes.jsonl");
    const { store, head } = await someLedger(random(7), 2);
    const bytes = Buffer.from(store.lines.map(exportedLine).join(""));
    const next = random(8);
    for (let time = 0; time < 500; time++) {
      const changed = Buffer.from(bytes);
      const place = next(bytes.length);
      changed[place] = (changed[place] as number) ^ (1 << next(8));
      writeFileSync(file, changed);
      const found = await verifyExport(file, { publicKeys: [signer.publicKey], expectedHead: head });
      expect(found.ok, `byte ${place}`).toBe(false);
    }
  });

  it("is found out wherever an export is cut off, and says where", async () => {
    const file = join(folder, "cut.jsonl");
    const { store, head } = await someLedger(random(9), 2);
    const text = store.lines.map(exportedLine).join("");
    const next = random(10);
    for (let time = 0; time < 300; time++) {
      const length = next(text.length);
      writeFileSync(file, text.slice(0, length));
      const found = await verifyExport(file, { publicKeys: [signer.publicKey], expectedHead: head });
      const whole = text.slice(0, length).split("\n").length - 1;
      expect(found.ok).toBe(false);
      expect(found.problems.map(({ kind }) => kind)).toContain("truncated");
      if (text[length - 1] !== "\n" && length > 0)
        expect(found.problems).toContainEqual(expect.objectContaining({ kind: "cut", from: whole + 1 }));
    }
  });

  it("is told to the line", async () => {
    const next = random(11);
    const store = lineStore();
    await store.append(Array.from({ length: 300 }, () => someEvent(next)));
    const head = await sealLines({ store, signer }, undefined);
    const altered = store.lines.map((line) => ([7, 8, 200].includes(line.seq) ? { ...line, at: line.at + 1 } : line));
    expect(verdict(altered, head).problems.map(({ kind, from, to }) => [kind, from, to])).toEqual([
      ["altered", 7, 8],
      ["altered", 200, 200],
    ]);
    const without = store.lines.filter(({ seq }) => seq < 50 || seq > 52);
    expect(verdict(without).problems[0]).toMatchObject({ kind: "removed", from: 50, to: 52 });
    expect(verdict(store.lines.slice(0, 100), head).problems).toEqual([
      expect.objectContaining({ kind: "truncated", from: 101, to: head?.seq }),
    ]);
  });

  it("wholly, by somebody who has the store but not the key, has no head that holds", async () => {
    const next = random(12);
    const { head } = await someLedger(next);
    const forged = lineStore();
    await forged.append(Array.from({ length: 50 }, () => someEvent(next)));
    await sealLines({ store: forged, signer: stranger }, undefined);
    const found = verdict(forged.lines);
    expect(found).toMatchObject({ ok: false, heads: 0, unsealed: { lines: 51 } });
    expect(found.problems[0]?.message).toContain("is not trusted here");
    // Without any head it cannot be told from a young ledger; against a head that was told elsewhere it can.
    const bare = forged.lines.filter(({ event }) => !event.includes('"sealed"'));
    expect(verdict(bare)).toMatchObject({ ok: true, unsealed: { lines: 50 } });
    expect(verdict(bare, head).ok).toBe(false);
  });

  it("by a flood of lines before a head, so that nobody could compare it, is found out", async () => {
    const next = random(14);
    const store = lineStore();
    await store.append([someEvent(next), someEvent(next)]);
    await sealLines({ store, signer }, undefined);
    const event = someEvent(next);
    const [first, second, head] = store.lines as [LedgerLine, LedgerLine, LedgerLine];
    const flood = Array.from({ length: 70_000 }, (_, index) => ({ seq: 3 + index, at: second.at, event }));
    const lines = [first, { ...second, event }, ...flood, { ...head, seq: 70_003 }];
    expect(verdict(lines).problems.map(({ kind }) => kind)).toEqual(["head"]);
  });

  it("by an old head put at its end is found out", async () => {
    const next = random(13);
    const store = lineStore();
    await store.append([someEvent(next)]);
    const first = await sealLines({ store, signer }, undefined);
    await store.append([someEvent(next), someEvent(next)]);
    const second = await sealLines({ store, signer }, first);
    const replayed = store.lines.slice(0, -1).concat({ ...(store.lines[1] as LedgerLine), seq: store.lines.length });
    expect(verdict(replayed, second).ok).toBe(false);
  });
});
