/** Halts, and a store that has lost data: both stop everything until a person says otherwise. @module */
import assert from "node:assert/strict";
import { acknowledgedGap } from "../../store";
import { cap, claim, events, hour, passed, type StoreCase, verdict } from "./bench";

const refund = { scopes: ["*", "purpose:refund"] };
const receipt = { scopes: ["*", "purpose:receipt"] };

export const haltCases: readonly StoreCase[] = [
  {
    name: "halts one scope, for every process, until it is resumed",
    async run({ store, second, reserve, passes }) {
      await store.halt({ scope: "purpose:refund", reason: "wrong list", by: "dana" }, '"halt"');
      const at = (await store.read(0, 1))[0]?.at;
      const halt = { scope: "purpose:refund", reason: "wrong list", by: "dana", at };
      assert.deepEqual(await reserve(refund, second), { ok: false, reason: "halted", halt });
      assert.deepEqual(await second.halts(), [halt]);
      await passes(receipt, second);
      assert.equal(await second.resume("purpose:refund", '"resume"'), true);
      assert.equal(await store.resume("purpose:refund", '"again"'), false);
      await passes(refund);
      assert.deepEqual(await store.halts(), []);
      assert.deepEqual(
        (await events(store)).filter((event) => event.startsWith('"')),
        ['"halt"', '"resume"', '"again"'],
      );
    },
  },
  {
    name: "halts everything",
    async run({ store, reserve, passes }) {
      await store.halt({ scope: "*", reason: "stop", by: "dana" }, "{}");
      assert.equal(verdict(await reserve(refund)), "halted:*");
      assert.equal(verdict(await reserve(receipt)), "halted:*");
      await store.resume("*", "{}");
      await passes(refund);
    },
  },
  {
    name: "keeps one record per scope, the newest, in order of scopes",
    async run({ store }) {
      for (const [scope, reason] of [
        ["purpose:b", "1"],
        ["*", "2"],
        ["purpose:B", "3"],
        ["purpose:b", "4"],
      ] as const) {
        await store.halt({ scope, reason, by: "dana" }, "{}");
      }
      assert.deepEqual(
        (await store.halts()).map((halt) => [halt.scope, halt.reason]),
        [
          ["*", "2"],
          ["purpose:B", "3"],
          ["purpose:b", "4"],
        ],
      );
    },
  },
  {
    name: "spends nothing while halted",
    async run({ store, reserve, passes }) {
      await store.halt({ scope: "*", reason: "stop", by: "dana" }, "{}");
      await reserve({ caps: [cap("k", 9, ["a"])], once: [claim("key")] });
      await store.resume("*", "{}");
      assert.deepEqual(await store.usage([{ key: "k", windowMs: hour }]), [0]);
      await passes({ once: [claim("key")] });
    },
  },
  {
    name: "latches a halt in the step that finds a cap exceeded",
    async run({ store, reservation }) {
      const haltOnExceeded = { scope: "purpose:refund", reason: "cap", by: "cap:k" };
      const ask = (person: string) => reservation({ ...refund, caps: [cap("k", 2, [person], { haltOnExceeded })] });
      const answers = await store.reserve([ask("a"), ask("b"), ask("c"), ask("a"), reservation(receipt)]);
      assert.deepEqual(answers.map(verdict), ["ok", "ok", "cap:k", "halted:purpose:refund", "ok"]);
      const [halt] = await store.halts();
      assert.deepEqual(
        [halt?.scope, halt?.reason, halt?.by, typeof halt?.at],
        ["purpose:refund", "cap", "cap:k", "number"],
      );
    },
  },
  {
    name: "latches every halt whose cap is exceeded, also behind the first that refuses, and keeps a person's record",
    async run({ store, reserve }) {
      await store.halt({ scope: "kept", reason: "by hand", by: "dana" }, "{}");
      const latch = (scope: string, enforce = true) => ({
        enforce,
        haltOnExceeded: { scope, reason: "cap", by: "cap" },
      });
      const answer = await reserve({
        caps: [
          cap("full", 0, ["a"]),
          cap("one", 0, ["a"], latch("one")),
          cap("watched", 0, ["a"], latch("watched", false)),
          cap("kept", 0, ["a"], latch("kept")),
          cap("wide", 1, ["a"], latch("never")),
        ],
      });
      assert.equal(verdict(answer), "cap:full");
      assert.deepEqual(
        (await store.halts()).map((halt) => [halt.scope, halt.by]),
        [
          ["kept", "dana"],
          ["one", "cap"],
          ["watched", "cap"],
        ],
      );
    },
  },
  {
    name: "lets nothing out once a halt has been answered",
    async run({ store, second, reservation }) {
      let halted = false;
      const late: boolean[] = [];
      const sends = Array.from({ length: 40 }, async (_, index) => {
        for (let count = 0; count < 5; count++) {
          const before = halted;
          const answers = await (index % 2 ? store : second).reserve([reservation()]);
          if (before) late.push(passed(answers) > 0);
        }
      });
      await second.halt({ scope: "*", reason: "stop", by: "dana" }, "{}");
      halted = true;
      await Promise.all(sends);
      const [after] = await store.reserve([reservation()]);
      assert.ok(after && !after.ok);
      assert.ok(!late.includes(true));
    },
  },
  {
    name: "refuses everything once it is found behind what a process has seen, until a person acknowledges",
    async run({ store, second, reserve, passes }) {
      const { seq } = await passes({ seen: 0 });
      await passes({ seen: seq });
      const refused = await reserve({ seen: 50, caps: [cap("k", 9, ["a"])] });
      assert.deepEqual(refused, { ok: false, reason: "regressed", seq: 2 });
      // Also for those who have seen nothing, and also when other lines have filled the loss.
      assert.equal(verdict(await reserve({ seen: 0 }, second)), "regressed");
      await store.append(Array.from({ length: 60 }, () => '"filler"'));
      assert.equal(verdict(await reserve({ seen: 50 })), "regressed");
      assert.deepEqual(await store.usage([{ key: "k", windowMs: hour }]), [0]);
      const number = await second.acknowledge('"acknowledged"');
      const line = (await store.read(62, 10))[0];
      assert.deepEqual([line?.seq, line?.event], [number, '"acknowledged"']);
      // A process that had seen a little more than the one that noticed goes on as well.
      await passes({ seen: 50 + 1_000 });
      await passes({ seen: number }, second);
    },
  },
  {
    name: "goes on numbering above everything presented since a loss",
    async run({ store, reserve, passes }) {
      for (const seen of [70, 5_000_000, 90]) assert.equal(verdict(await reserve({ seen })), "regressed");
      const number = await store.acknowledge("{}");
      assert.equal(number, 5_000_000 + acknowledgedGap + 1);
      assert.equal((await passes({ seen: 5_000_000 })).seq, number + 1);
      assert.equal((await store.read(number, 5)).length, 1);
      assert.equal(verdict(await reserve({ seen: number + 50 })), "regressed");
      assert.equal(await store.acknowledge("{}"), number + 50 + acknowledgedGap + 1);
    },
  },
  {
    name: "writes a plain line when there is nothing to acknowledge",
    async run({ store, passes }) {
      await passes();
      assert.equal(await store.acknowledge('"nothing"'), 2);
      assert.equal((await passes()).seq, 3);
    },
  },
  {
    name: "settles what is under way while halted or behind",
    async run({ store, reserve, passes }) {
      const { id } = await passes({ once: [claim("key")], caps: [cap("k", 9, ["a"])] });
      await store.halt({ scope: "*", reason: "stop", by: "dana" }, "{}");
      assert.equal(verdict(await reserve({ seen: 999 })), "regressed");
      await store.settle([{ reservation: id, fate: "refused", event: "{}" }]);
      assert.deepEqual(await store.usage([{ key: "k", windowMs: hour }]), [0]);
    },
  },
];
