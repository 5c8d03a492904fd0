/** The ledger: one numbered sequence that gives back what went in. @module */
import assert from "node:assert/strict";
import { cap, events, hour, type StoreCase } from "./bench";

const awkward = [
  "{}",
  '{ "spaced" : 1.0, "order": "kept", "a": 1e3, "big": 12345678901234567890 }',
  JSON.stringify({
    quotes: `'"\`\\`,
    lines: "\r\n\t\u2028\u2029",
    nul: "\u0000",
    emoji: "\u{1F4E8}",
    accents: "é e\u0301 ü ß İ",
  }),
  '{"raw":"\u2028 \u{1F4E8} é e\u0301 \u007f"}',
  '{"half":"\\ud83d","percent":"%s %d $1 :a ?1 @b {0}","__proto__":{"x":1}}',
  JSON.stringify({ long: "x".repeat(200_000) }),
];

export const ledgerCases: readonly StoreCase[] = [
  {
    name: "numbers every line once, in one sequence without gaps",
    async run({ store, second, reservation, passes }) {
      await store.append(["a", "b"].map((name) => JSON.stringify(name)));
      const first = await passes({ caps: [cap("k", 1, ["p"])], event: '"reserved"' });
      const refused = await store.reserve([reservation({ caps: [cap("k", 1, ["q"])], event: '"never written"' })]);
      assert.equal(refused[0]?.ok, false);
      await second.settle([{ reservation: first.id, fate: "accepted", event: '"settled"' }]);
      await store.halt({ scope: "purpose:x", reason: "r", by: "b" }, '"halt"');
      await second.resume("purpose:x", '"resume"');
      await store.addPlan({ id: "p", state: "planned", record: "{}" }, '"plan"');
      await store.addPlan({ id: "p", state: "planned", record: "{}" }, '"never written"');
      await second.changePlan({ id: "p", version: 1, state: "rejected", record: "{}", event: '"changed"' });
      await store.changePlan({ id: "p", version: 1, state: "rejected", record: "{}", event: '"never written"' });
      await store.requeueEntries("p", "refused", '"requeued"');
      const lines = await store.read(0, 100);
      const names = ["a", "b", "reserved", "settled", "halt", "resume", "plan", "changed", "requeued"];
      assert.deepEqual(
        lines.map((line) => [line.seq, JSON.parse(line.event)]),
        names.map((name, index) => [index + 1, name]),
      );
      assert.equal(first.seq, 3);
      assert.equal(first.at, lines[2]?.at);
    },
  },
  {
    name: "numbers lines without gaps under concurrency",
    async run({ store, second, reservation }) {
      const handles = [store, second];
      const seqs = await Promise.all(
        Array.from({ length: 60 }, async (_, index) => {
          const handle = handles[index % 2] ?? store;
          if (index % 3 === 0) return handle.append([`"${index}"`, `"${index}"`]);
          const [answer] = await handle.reserve([reservation({ event: `"${index}"` })]);
          assert.ok(answer?.ok);
          return [answer.seq];
        }),
      );
      const sorted = seqs.flat().sort((a, b) => a - b);
      assert.deepEqual(
        sorted,
        Array.from({ length: 80 }, (_, index) => index + 1),
      );
      const lines = await store.read(0, 1_000);
      assert.deepEqual(
        lines.map((line) => line.seq),
        sorted,
      );
    },
  },
  {
    name: "gives events back byte for byte",
    async run({ store, second, passes }) {
      await store.append(awkward);
      for (const event of awkward) {
        const { id } = await passes({ event });
        await store.settle([{ reservation: id, fate: "accepted", event }]);
      }
      const back = await events(second);
      assert.deepEqual(back.slice(0, awkward.length), awkward);
      assert.deepEqual(
        back.slice(awkward.length),
        awkward.flatMap((event) => [event, event]),
      );
    },
  },
  {
    name: "answers an empty call with nothing and writes no line",
    async run({ store }) {
      assert.deepEqual(await store.reserve([]), []);
      assert.deepEqual(await store.settle([]), []);
      assert.deepEqual(await store.append([]), []);
      assert.deepEqual(await store.usage([]), []);
      assert.deepEqual(await store.read(0, 10), []);
    },
  },
  {
    name: "reads in pages, oldest first",
    async run({ store }) {
      await store.append(Array.from({ length: 25 }, (_, index) => String(index + 1)));
      const pages: number[][] = [];
      for (let after = 0; ; ) {
        const page = await store.read(after, 10);
        if (page.length === 0) break;
        pages.push(page.map((line) => Number(line.event)));
        after = page.at(-1)?.seq ?? after;
      }
      assert.deepEqual(
        pages.map((page) => page.length),
        [10, 10, 5],
      );
      assert.deepEqual(
        pages.flat(),
        Array.from({ length: 25 }, (_, index) => index + 1),
      );
    },
  },
  {
    name: "drops trimmed lines and never uses a number again",
    async run({ store, second, passes }) {
      await store.append(['"1"', '"2"', '"3"']);
      await store.trim(2);
      assert.deepEqual(await events(second), ['"3"']);
      await store.trim(99);
      assert.deepEqual(await events(second), []);
      assert.deepEqual(await second.append(['"4"']), [4]);
      assert.equal((await passes()).seq, 5);
    },
  },
  {
    name: "settles a reservation whose line was trimmed",
    async run({ store, passes }) {
      const { id, seq } = await passes({ caps: [cap("k", 1, ["p"])] });
      await store.trim(seq);
      await store.settle([{ reservation: id, fate: "refused", event: '"settled"' }]);
      assert.deepEqual(await store.usage([{ key: "k", windowMs: hour }]), [0]);
    },
  },
  {
    name: "gives every line the store's time, which never goes back",
    clock: "injected",
    async run({ store, pass, passes, window, reserve }) {
      const start = await store.now();
      await passes({ caps: [cap("k", 1, ["p"], { windowMs: window })] });
      await pass(window - 1);
      await store.append(['"late"']);
      await pass(-window);
      const { at } = await passes({ event: '"back"' });
      assert.equal(at, start + window - 1);
      assert.equal(await store.now(), start + window - 1);
      assert.equal((await reserve({ caps: [cap("k", 1, ["q"], { windowMs: window })] })).ok, false);
      const times = (await store.read(0, 10)).map((line) => line.at - start);
      assert.deepEqual(times, [0, window - 1, window - 1]);
    },
  },
  {
    name: "keeps everything for another process",
    async run({ store, another, passes }) {
      const { id } = await passes({ caps: [cap("k", 5, ["p", "q"])], event: '"reserved"' });
      await store.setOnce("key", "value");
      await store.halt({ scope: "*", reason: "r", by: "b" }, '"halt"');
      const other = await another();
      assert.deepEqual(await events(other), ['"reserved"', '"halt"']);
      assert.equal(await other.value("key"), "value");
      assert.deepEqual(await other.usage([{ key: "k", windowMs: hour }]), [2]);
      assert.equal((await other.halts()).length, 1);
      await other.settle([{ reservation: id, fate: "refused", event: '"settled"' }]);
      assert.deepEqual(await store.usage([{ key: "k", windowMs: hour }]), [0]);
    },
  },
];
