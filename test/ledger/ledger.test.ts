import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { generateKeys, type Head, type LedgerEntry, memoryStore, verifyExport } from "../../src/index";
import { codeOf } from "../support/fake-client";
import { errorOf, linesOf, people, release, setUp } from "./set-up";

const folder = mkdtempSync(join(tmpdir(), "mailfuse-ledger-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newFile = () => join(folder, `${files++}.jsonl`);

const day = 86_400_000;

describe("sealing", () => {
  it("happens by itself, at intervals and on close, and the heads are told to a witness", async () => {
    const told: Head[] = [];
    const all = setUp({ ledger: { sealEvery: "10s", heads: (head: Head) => told.push(head) } });
    await all.client.send({ to: "ann@acme.test", tag: "note" });
    await all.fuse.flush();
    expect((await all.fuse.ledger.verify()).unsealed).toEqual({ lines: 2, since: all.clock.now() });
    all.clock.advance(10_000);
    await all.fuse.flush();
    expect(told).toMatchObject([{ upto: 2, seq: 3 }]);
    expect(await all.fuse.ledger.verify()).toMatchObject({ ok: true, heads: 1, unsealed: { lines: 0 } });
    await all.client.send({ to: "bob@acme.test", tag: "note" });
    await all.fuse.close();
    expect(told.map(({ upto }) => upto)).toEqual([2, 5]);
    const { fuse } = all.make();
    expect(await fuse.ledger.verify({ expectedHead: told[1] as Head })).toMatchObject({ ok: true, heads: 2 });
  });

  it("is done by one process for all, and by the next when that one is gone", async () => {
    const all = setUp({ ledger: { sealEvery: "10s" } });
    const second = all.make();
    await all.client.send({ to: "ann@acme.test", tag: "note" });
    await second.client.send({ to: "bob@acme.test", tag: "note" });
    await Promise.all([all.fuse.flush(), second.fuse.flush()]);
    all.clock.advance(10_000);
    await Promise.all([all.fuse.flush(), second.fuse.flush()]);
    const heads = (await linesOf(all.store)).filter(({ event }) => event.includes('"sealed"'));
    expect(heads).toHaveLength(1);
    // A process that died with the lease in its hand.
    await all.store.lease("ledger", "dead", 60_000);
    await second.client.send({ to: "cid@acme.test", tag: "note" });
    await second.fuse.flush();
    for (let time = 0; time < 9; time++) {
      all.clock.advance(10_000);
      await second.client.send({ to: "cid@acme.test", tag: "note" });
      await second.fuse.flush();
    }
    expect((await second.fuse.ledger.verify()).unsealed.lines).toBeLessThanOrEqual(4);
  });

  it("tells heads to a file, against which a ledger cut at its end is found out by any process", async () => {
    const file = newFile();
    const all = setUp({ ledger: { heads: { file } } });
    await release(all, people(3));
    await all.fuse.close();
    const lines = await linesOf(all.store);
    const cut = {
      ...all.store,
      read: async (after: number, limit: number) =>
        lines
          .slice(0, 4)
          .filter(({ seq }) => seq > after)
          .slice(0, limit),
    };
    const { fuse } = all.make({ store: cut });
    expect((await fuse.ledger.verify()).problems).toEqual([expect.objectContaining({ kind: "truncated", from: 5 })]);
    // A process that died while it wrote.
    appendFileSync(file, '{"mailfuse":"head","se');
    expect((await all.make().fuse.ledger.verify()).ok).toBe(true);
    expect((await all.make({ store: cut }).fuse.ledger.verify()).ok).toBe(false);
  });

  it("tells heads to stdout, one line of JSON each", async () => {
    const all = setUp({ ledger: { heads: "stdout" } });
    await all.client.send({ to: "ann@acme.test", tag: "note" });
    const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    const head = await all.fuse.ledger.seal();
    const told = write.mock.calls.map(([text]) => String(text));
    write.mockRestore();
    expect(told.map((text) => JSON.parse(text))).toEqual([{ mailfuse: "head", ...head }]);
    expect(told[0]).toMatch(/^[^\n]+\n$/);
  });

  it("holds over a clock that was moved back: no line is older than the one before it", async () => {
    const all = setUp();
    await all.client.send({ to: "ann@acme.test", tag: "note" });
    await all.fuse.ledger.seal();
    const from = all.clock.now();
    all.clock.advance(-3 * day);
    // A process that was started afterwards, and knows no other time.
    const { fuse, client } = all.make();
    await client.send({ to: "bob@acme.test", tag: "note" });
    await fuse.ledger.seal();
    const times = (await linesOf(all.store)).map(({ at }) => at);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(await fuse.ledger.verify()).toMatchObject({ ok: true, unsealed: { lines: 0 } });
    const { data } = await fuse.incident({ purpose: "note", from }, { right: [] });
    expect(data.people).toMatchObject({ accepted: 2, wrongly: 2 });
    expect(data.correction).toMatchObject({ people: 2, unreachable: 0 });
  });

  it("goes on when the witness fails", async () => {
    const all = setUp({ ledger: { heads: { file: join(folder, "no", "such", "folder") } } });
    await all.client.send({ to: "ann@acme.test", tag: "note" });
    expect(await all.fuse.ledger.seal()).toMatchObject({ upto: 2 });
  });

  it("holds under a key of its own, and under former ones that are named", async () => {
    const [first, second] = [generateKeys(), generateKeys()];
    const all = setUp({ ledger: { signingKey: first.privateKey } });
    await all.client.send({ to: "ann@acme.test", tag: "note" });
    await all.fuse.close();
    const other = all.make({ ledger: { signingKey: second.privateKey } });
    expect((await other.fuse.ledger.verify()).problems[0]?.kind).toBe("head");
    const named = all.make({ ledger: { signingKey: second.privateKey, trustedKeys: [first.publicKey] } });
    await named.client.send({ to: "bob@acme.test", tag: "note" });
    await named.fuse.ledger.seal();
    expect(await named.fuse.ledger.verify()).toMatchObject({ ok: true, heads: 2, unsealed: { lines: 0 } });
    expect(Object.values(await named.fuse.ledger.publicKeys())).toEqual([second.publicKey]);
  });

  it("under another secret is not believed, and with the former one behind it is", async () => {
    const all = setUp();
    await all.client.send({ to: "ann@acme.test", tag: "note" });
    await all.fuse.close();
    const wrong = await all.make({ secret: "not the secret that it was" }).fuse.ledger.verify();
    expect(wrong).toMatchObject({ ok: false, heads: 0 });
    expect(wrong.problems[0]?.message).toContain("which is not trusted here");
    const rotated = all.make({ secret: ["a new secret, of some length", "a secret of some length"] });
    expect((await rotated.fuse.ledger.verify()).ok).toBe(true);
  });

  it("says that it proves little where the store keeps the secret itself", async () => {
    const all = setUp({ secret: undefined as never });
    await all.client.send({ to: "ann@acme.test", tag: "note" });
    await all.fuse.ledger.seal();
    const { ok, notes } = await all.fuse.ledger.verify();
    expect(ok).toBe(true);
    expect(notes.join()).toContain("seals prove nothing");
  });

  it("refuses a key that is none", () => {
    expect(() => setUp({ ledger: { signingKey: "-----BEGIN PRIVATE KEY-----" } })).toThrow(/CONFIG_INVALID/);
  });

  it("notices in the process that sealed it that the ledger has lost its end", async () => {
    let lost = false;
    const store = memoryStore();
    const shortened = {
      ...store,
      read: async (after: number, limit: number) =>
        (await store.read(after, limit)).filter(({ seq }) => !lost || seq < 3),
    };
    const all = setUp({ store: shortened });
    await all.client.send({ to: "ann@acme.test", tag: "note" });
    await all.fuse.ledger.seal();
    expect((await all.fuse.ledger.verify()).ok).toBe(true);
    lost = true;
    expect((await all.fuse.ledger.verify()).problems[0]).toMatchObject({ kind: "truncated", from: 3, to: 3 });
  });
});

describe("what the ledger records", () => {
  it("names the provider's message ids, the policy, the purpose and the counts, and no address", async () => {
    const all = setUp();
    await all.client.send({ to: "ann@acme.test", tag: "note", subject: "Your secret subject", text: "the body" });
    await all.client.send({ to: "bob@acme.test", tag: "unknown-purpose" });
    await all.fuse.flush();
    const entries: LedgerEntry[] = [];
    for await (const entry of all.fuse.ledger.tail()) entries.push(entry);
    expect(entries.map(({ event }) => event.type)).toEqual(["reserved", "settled", "reserved", "settled"]);
    expect(entries[0]?.event).toMatchObject({
      v: 1,
      env: "production",
      mode: "live",
      purposes: ["note"],
      messages: 1,
      policy: all.fuse.describe().policyDigest,
    });
    expect(entries[1]?.event).toMatchObject({ fate: "accepted", messageId: expect.any(String) });
    const text = JSON.stringify(entries);
    for (const secret of ["ann@", "acme.test", "secret subject", "the body"]) expect(text).not.toContain(secret);
  });

  it("is followed as it grows, until somebody has seen enough", async () => {
    const all = setUp();
    const enough = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      for await (const { event } of all.fuse.ledger.tail({ after: 0, follow: true, signal: enough.signal }))
        if (seen.push(event.type) === 4) enough.abort();
    })();
    for (const to of people(2)) {
      await all.client.send({ to, tag: "note" });
      await all.fuse.flush();
      for (let turn = 0; turn < 5; turn++) {
        all.clock.advance(1_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await following;
    expect(seen).toEqual(["reserved", "settled", "reserved", "settled"]);
  });
});

describe("an export", () => {
  it("can be verified by itself, by somebody who has the public key and nothing else", async () => {
    const all = setUp();
    await release(all, people(5));
    const file = newFile();
    const exported = await all.fuse.ledger.export({ to: file });
    const publicKeys = Object.values(await all.fuse.ledger.publicKeys());
    const verdict = await verifyExport(file, { publicKeys, expectedHead: exported.head as Head });
    expect(verdict).toMatchObject({ ok: true, last: exported.last, unsealed: { lines: 0 } });
    expect(
      readFileSync(file, "utf8")
        .split("\n")
        .slice(0, -1)
        .every((line) => typeof JSON.parse(line).event === "object"),
    ).toBe(true);
    expect(await codeOf(verifyExport(join(folder, "none"), { publicKeys }))).toBe("LEDGER_UNREADABLE");
  });

  it("goes on where it stopped, and makes a line whole that was cut", async () => {
    const all = setUp();
    const file = newFile();
    await release(all, people(3));
    const first = await all.fuse.ledger.export({ to: file });
    expect(await all.fuse.ledger.export({ to: file })).toEqual({ ...first, lines: 0 });
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.slice(0, -30));
    expect((await all.fuse.ledger.verify({ file })).problems.map(({ kind }) => kind)).toContain("cut");
    await all.client.send({ to: "ann@acme.test", tag: "note" });
    const second = await all.fuse.ledger.export({ to: file });
    expect(second.lines).toBe(1 + 3);
    expect(await all.fuse.ledger.verify({ file })).toMatchObject({ ok: true, last: second.last });
    expect(readFileSync(file, "utf8").startsWith(text)).toBe(true);
  });

  it("into a file that cannot take it loses nothing, and goes on when there is room", async () => {
    const all = setUp();
    await release(all, people(3));
    const full = await errorOf(all.fuse.ledger.export({ to: "/dev/full" }));
    expect(full).toMatchObject({ code: "EXPORT_FAILED" });
    expect(full.message).toContain("ENOSPC");
    let room = false;
    const written: string[] = [];
    const to = async (text: string) => {
      if (!room) throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
      written.push(text);
    };
    expect(await codeOf(all.fuse.ledger.export({ to }))).toBe("EXPORT_FAILED");
    room = true;
    await all.fuse.ledger.export({ to });
    expect(written.join("").split("\n")).toHaveLength((await linesOf(all.store)).length + 1);
  });

  it("does not touch a file that is something else", async () => {
    const all = setUp();
    await all.client.send({ to: "ann@acme.test", tag: "note" });
    for (const content of ["My notes.\nOf long ago.\n", "one line", '{"seq":1}\n']) {
      const file = newFile();
      writeFileSync(file, content);
      expect(await codeOf(all.fuse.ledger.export({ to: file }))).toBe("EXPORT_FAILED");
      expect(readFileSync(file, "utf8")).toBe(content);
    }
  });

  it("counts by day, environment and purpose", async () => {
    const all = setUp();
    all.client.fates.push("accepted", "refused", "unknown");
    for (const to of people(3)) await all.client.send({ to, tag: "note" }).catch(() => {});
    all.clock.advance(day);
    for (const to of people(2)) await all.client.send({ to, tag: "note" });
    await all.fuse.run({ purpose: "offer" }, () => all.client.send({ to: "x@acme.test" })).catch(() => {});
    await all.fuse.flush();
    const rows: string[] = [];
    await all.fuse.ledger.export({ to: (text) => rows.push(text), format: "csv" });
    expect(rows.join("").split("\r\n")).toEqual([
      "day,environment,purpose,accepted,refused,failed,unknown,stopped,would_stop,diverted",
      "2023-11-14,production,note,1,1,0,1,0,0,0",
      "2023-11-15,production,note,2,0,0,0,0,0,0",
      "2023-11-15,production,offer,0,0,0,0,1,0,0",
      "",
    ]);
  });

  it("relieves the store of old lines, which stay verifiable there and in the file", async () => {
    const all = setUp();
    const file = newFile();
    for (let week = 0; week < 4; week++) {
      await all.client.send({ to: "ann@acme.test", tag: "note" });
      await all.fuse.flush();
      await all.fuse.ledger.seal();
      all.clock.advance(7 * day);
    }
    const before = (await linesOf(all.store)).length;
    const { trimmed } = await all.fuse.ledger.export({ to: file, trimOlderThan: "10d" });
    expect(trimmed).toBeGreaterThan(3);
    expect((await linesOf(all.store)).length).toBeLessThan(before);
    expect(await all.fuse.ledger.verify()).toMatchObject({ ok: true, trimmed, first: (trimmed ?? 0) + 1 });
    await all.client.send({ to: "bob@acme.test", tag: "note" });
    const second = await all.fuse.ledger.export({ to: file, trimOlderThan: "1ms" });
    expect(second.trimmed).toBeGreaterThan(trimmed ?? 0);
    await all.fuse.ledger.export({ to: file });
    expect(await all.fuse.ledger.verify({ file })).toMatchObject({ ok: true, first: 1 });
    expect((await all.make().fuse.ledger.verify()).ok).toBe(true);
  });

  it("drops nothing from a ledger that is not as it was written", async () => {
    const all = setUp();
    await all.client.send({ to: "ann@acme.test", tag: "note" });
    await all.fuse.ledger.seal();
    all.clock.advance(7 * day);
    const altered = {
      ...all.store,
      read: async (after: number, limit: number) =>
        (await all.store.read(after, limit)).map((line) => (line.seq === 1 ? { ...line, at: line.at + 1 } : line)),
    };
    const { fuse } = all.make({ store: altered });
    expect(await codeOf(fuse.ledger.export({ to: newFile(), trimOlderThan: "1d" }))).toBe("LEDGER_TAMPERED");
    expect((await linesOf(all.store))[0]?.seq).toBe(1);
    expect(await codeOf(fuse.ledger.export({ to: () => {}, trimOlderThan: "1d" }))).toBe("CONFIG_INVALID");
  });

  it("missing its beginning is found out, unless a signed line says that it was dropped", async () => {
    const all = setUp();
    for (const to of people(4)) await all.client.send({ to, tag: "note" });
    await all.fuse.flush();
    const file = newFile();
    await all.fuse.ledger.export({ to: file });
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.split("\n").slice(3).join("\n"));
    const verdict = await all.fuse.ledger.verify({ file });
    expect(verdict.problems[0]).toMatchObject({ kind: "removed", from: 1, to: 3 });
  });
});
