/** The spool of a plan: sealed bytes, each entry sent at most once. @module */
import assert from "node:assert/strict";
import type { SpoolEntry } from "../../store";
import { events, passed, random, type StoreCase, verdict } from "./bench";

const any = random(42);
const bytes = (length: number) => Uint8Array.from({ length }, () => any(256));
const spooled = (count: number, first = 0): SpoolEntry[] =>
  Array.from({ length: count }, (_, index) => ({ index: first + index, sealed: Uint8Array.of(first + index, 0, 255) }));
const indexes = (entries: readonly SpoolEntry[]) => entries.map(({ index }) => index);
const minute = 60_000;

export const spoolCases: readonly StoreCase[] = [
  {
    name: "gives entries back byte for byte, in order, in pages",
    async run({ store, second }) {
      const entries = [0, 1, 2, 100, 70_000].map((length, index) => ({ index, sealed: bytes(length) }));
      const shuffled = [3, 0, 4, 2, 1].flatMap((index) => entries.slice(index, index + 1));
      await store.spool("p", shuffled.slice(0, 2));
      await second.spool("p", shuffled.slice(2));
      await store.spool("other", spooled(3));
      const back = await store.entries("p", 0, 10);
      assert.deepEqual(
        back.map(({ index, sealed }) => [index, Buffer.from(sealed).toString("hex")]),
        entries.map(({ index, sealed }) => [index, Buffer.from(sealed).toString("hex")]),
      );
      assert.deepEqual(indexes(await store.entries("p", 1, 2)), [1, 2]);
      assert.deepEqual(indexes(await store.entries("p", 4, 9)), [4]);
      assert.deepEqual(await store.entries("nowhere", 0, 9), []);
    },
  },
  {
    name: "keeps what it was given: the caller's buffer may change, and an index is written once",
    async run({ store }) {
      const sealed = Uint8Array.of(1, 2, 3);
      await store.spool("p", [{ index: 0, sealed }]);
      sealed.fill(9);
      await store.spool("p", [
        { index: 0, sealed },
        { index: 1, sealed },
      ]);
      const [first, second] = await store.entries("p", 0, 9);
      assert.deepEqual([...(first?.sealed ?? [])], [1, 2, 3]);
      assert.deepEqual([...(second?.sealed ?? [])], [9, 9, 9]);
    },
  },
  {
    name: "leases each entry to one worker, lowest index first",
    async run({ store, second }) {
      await store.spool("p", spooled(40));
      assert.deepEqual(indexes(await store.claimEntries("p", "w0", 3, minute)), [0, 1, 2]);
      const claimed = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          (index % 2 ? store : second).claimEntries("p", `w${index}`, 2, minute),
        ),
      );
      assert.deepEqual(
        claimed.flatMap(indexes).sort((a, b) => a - b),
        Array.from({ length: 37 }, (_, index) => index + 3),
      );
      assert.deepEqual([...(claimed.flat().find(({ index }) => index === 9)?.sealed ?? [])], [9, 0, 255]);
      assert.deepEqual(await store.claimEntries("p", "w0", 2, minute), []);
      assert.deepEqual(await store.claimEntries("nowhere", "w0", 2, minute), []);
    },
  },
  {
    name: "leases no entry from an index on, when told so",
    async run({ store, second, pass, window }) {
      await store.spool("p", spooled(5));
      assert.deepEqual(indexes(await store.claimEntries("p", "w0", 9, minute, 2)), [0, 1]);
      assert.deepEqual(await second.claimEntries("p", "w1", 9, minute, 2), []);
      assert.deepEqual(indexes(await second.claimEntries("p", "w1", 9, minute)), [2, 3, 4]);
      await store.spool("q", spooled(3));
      await store.claimEntries("q", "dead", 3, window);
      await pass(window + 1);
      assert.deepEqual(indexes(await second.claimEntries("q", "w1", 9, minute, 1)), [0]);
      assert.deepEqual(indexes(await second.claimEntries("q", "w1", 9, minute)), [1, 2]);
    },
  },
  {
    name: "leases entries again after the lease, but never one that was reserved",
    async run({ store, passes, pass, window }) {
      await store.spool("p", spooled(5));
      await store.claimEntries("p", "dead", 3, window);
      await passes({ entry: { plan: "p", index: 1 } });
      await pass(window);
      assert.deepEqual(indexes(await store.claimEntries("p", "next", 9, minute)), [0, 2, 3, 4]);
      assert.deepEqual(await store.entryStates("p"), { claimed: 4, reserved: 1 });
    },
  },
  {
    name: "reserves an entry once, whoever asks",
    async run({ store, second, reservation }) {
      await store.spool("p", spooled(2));
      const ask = (index: number) => reservation({ entry: { plan: "p", index } });
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, index) => (index % 2 ? store : second).reserve([ask(0), ask(1)])),
      );
      assert.equal(passed(answers.flat()), 2);
      assert.deepEqual((await store.reserve([ask(0), ask(7)])).map(verdict), [
        "duplicate:entry:p:0",
        "duplicate:entry:p:7",
      ]);
    },
  },
  {
    name: "tells of an entry what became of it",
    async run({ store, passes, reserve }) {
      await store.spool("p", spooled(4));
      const fates = ["accepted", "refused", "failed", "unknown"] as const;
      for (const [index, fate] of fates.entries()) {
        const entry = { plan: "p", index };
        const { id, at } = await passes({ entry });
        await store.settle([{ reservation: id, fate, messageId: `<${index}>`, event: "{}" }]);
        const first = { reservation: id, state: fate, at, messageId: `<${index}>` };
        assert.deepEqual(await reserve({ entry }), { ok: false, reason: "duplicate", key: `entry:p:${index}`, first });
      }
      assert.deepEqual(await store.entryStates("p"), { accepted: 1, refused: 1, failed: 1, unknown: 1 });
      assert.deepEqual(await store.claimEntries("p", "w", 9, minute), []);
      assert.deepEqual(await store.entriesIn("p", "failed", -1, 9), [2]);
    },
  },
  {
    name: "lists the entries of one state in pages",
    async run({ store }) {
      await store.spool("p", spooled(12));
      await store.claimEntries("p", "w", 5, minute);
      assert.deepEqual(await store.entryStates("p"), { claimed: 5, waiting: 7 });
      assert.deepEqual(await store.entriesIn("p", "waiting", -1, 4), [5, 6, 7, 8]);
      assert.deepEqual(await store.entriesIn("p", "waiting", 8, 4), [9, 10, 11]);
      assert.deepEqual(await store.entriesIn("p", "claimed", 3, 4), [4]);
      assert.deepEqual(await store.entriesIn("p", "accepted", -1, 4), []);
      assert.deepEqual(await store.entryStates("nowhere"), {});
    },
  },
  {
    name: "lets entries go again on a person's word, and then ignores the outcome of the reservation before",
    async run({ store, passes, reserve }) {
      await store.spool("p", spooled(3));
      const slow = await passes({ entry: { plan: "p", index: 0 } });
      await passes({ entry: { plan: "p", index: 2 } });
      assert.equal(await store.requeueEntries("p", "reserved", '"requeued"'), 2);
      assert.deepEqual(await store.entryStates("p"), { waiting: 3 });
      assert.equal(await store.requeueEntries("p", "reserved", '"again"'), 0);
      assert.equal((await events(store)).at(-1), '"again"');
      await store.settle([{ reservation: slow.id, fate: "accepted", event: "{}" }]);
      assert.deepEqual(indexes(await store.claimEntries("p", "w", 2, minute)), [0, 1]);
      const next = await passes({ entry: { plan: "p", index: 0 } });
      await store.settle([{ reservation: slow.id, fate: "refused", event: "{}" }]);
      const answer = await reserve({ entry: { plan: "p", index: 0 } });
      assert.ok(!answer.ok && answer.reason === "duplicate");
      assert.deepEqual([answer.first.reservation, answer.first.state], [next.id, "reserved"]);
    },
  },
  {
    name: "marks accepted entries as told and those not yet reserved as removed, and no others",
    async run({ store, second, passes, reserve }) {
      await store.spool("p", spooled(6));
      for (const [index, fate] of (["accepted", "accepted", "refused"] as const).entries()) {
        const { id } = await passes({ entry: { plan: "p", index } });
        await store.settle([{ reservation: id, fate, event: "{}" }]);
      }
      await store.claimEntries("p", "w", 1, minute);
      const all = [0, 1, 2, 3, 4, 99];
      assert.equal(await second.markEntries("p", [0, 2, 3], "told"), 1);
      assert.equal(await store.markEntries("p", all, "removed"), 2);
      assert.equal(await store.markEntries("p", [], "told"), 0);
      assert.deepEqual(await store.entryStates("p"), { told: 1, accepted: 1, refused: 1, removed: 2, waiting: 1 });
      assert.deepEqual(await store.entriesIn("p", "removed", -1, 9), [3, 4]);
      assert.deepEqual(indexes(await store.claimEntries("p", "w", 9, minute)), [5]);
      const told = await reserve({ entry: { plan: "p", index: 0 } });
      const removed = await reserve({ entry: { plan: "p", index: 3 } });
      assert.deepEqual(
        [told, removed].map((answer) => !answer.ok && answer.reason === "duplicate" && answer.first.state),
        ["accepted", "unknown"],
      );
      assert.equal(await store.markEntries("p", all, "told"), 1);
    },
  },
  {
    name: "forgets the bytes of a plan and keeps the states",
    async run({ store, passes }) {
      await store.spool("p", spooled(3));
      await store.spool("other", spooled(1));
      const { id } = await passes({ entry: { plan: "p", index: 0 } });
      await store.settle([{ reservation: id, fate: "accepted", event: "{}" }]);
      await store.dropSpool("p");
      assert.deepEqual(await store.entries("p", 0, 9), []);
      assert.deepEqual(await store.claimEntries("p", "w", 9, minute), []);
      assert.deepEqual(await store.entryStates("p"), { accepted: 1, waiting: 2 });
      assert.equal((await store.entries("other", 0, 9)).length, 1);
    },
  },
];
