/** Settling: only a definite refusal gives anything back, and only what this reservation brought in. @module */
import assert from "node:assert/strict";
import { cap, crowd, events, hour, rate, type StoreCase, verdict } from "./bench";

const used = [{ key: "k", windowMs: hour }];

export const refundCases: readonly StoreCase[] = [
  {
    name: "gives people and messages back on a refusal",
    async run({ store, second, passes, reserve }) {
      const { id } = await passes({ caps: [cap("k", 2, ["a", "b"])], rates: [rate("r", 2, 2)] });
      assert.equal(verdict(await reserve({ caps: [cap("k", 2, ["c"])] })), "cap:k");
      await second.settle([{ reservation: id, fate: "refused", event: "{}" }]);
      assert.deepEqual(await store.usage(used), [0]);
      await passes({ caps: [cap("k", 2, ["c", "d"])], rates: [rate("r", 2, 2)] });
    },
  },
  {
    name: "keeps what was accepted, failed or is unknown",
    async run({ store, passes, reserve }) {
      for (const fate of ["accepted", "failed", "unknown"] as const) {
        const { id } = await passes({ caps: [cap("k", 3, [fate])], rates: [rate("r", 3)] });
        await store.settle([{ reservation: id, fate, event: "{}" }]);
      }
      assert.deepEqual(await store.usage(used), [3]);
      assert.equal(verdict(await reserve({ rates: [rate("r", 3)] })), "cap:r");
    },
  },
  {
    name: "keeps a person whom an earlier reservation reached",
    async run({ store, passes }) {
      await passes({ caps: [cap("k", 9, ["a"])] });
      // One person and several may go different ways in a store.
      for (const people of [["a"], ["a", "b"]]) {
        const { id } = await passes({ caps: [cap("k", 9, people)] });
        await store.settle([{ reservation: id, fate: "refused", event: "{}" }]);
        assert.deepEqual(await store.usage(used), [1]);
      }
    },
  },
  {
    name: "gives back a person whose time from an earlier reservation was over",
    async run({ store, window, pass, passes }) {
      const usedNow = () => store.usage([{ key: "k", windowMs: window }]);
      const spend = { caps: [cap("k", 9, ["a"], { windowMs: window })] };
      await passes(spend);
      await pass(window + 1);
      const { id } = await passes(spend);
      assert.deepEqual(await usedNow(), [1]);
      await store.settle([{ reservation: id, fate: "refused", event: "{}" }]);
      assert.deepEqual(await usedNow(), [0]);
    },
  },
  {
    // A store may drop what is over in bounds, and then still meets somebody whose time was over.
    name: "gives back people whose time was over, after thousands whose time was over with theirs",
    async run({ store, window, pass, passes }) {
      const spend = (people: readonly string[]) => ({ caps: [cap("k", 9_999, people, { windowMs: window })] });
      for (let first = 0; first < 6_000; first += 1_500) await passes(spend(crowd(1_500, first)));
      await pass(window + 1);
      for (const people of [crowd(1, 5_999), crowd(2, 5_990)]) {
        const { id } = await passes(spend(people));
        await store.settle([{ reservation: id, fate: "refused", event: "{}" }]);
      }
      assert.deepEqual(await store.usage([{ key: "k", windowMs: window }]), [0]);
    },
  },
  {
    // In the same instant on an injected clock, and within one call: times do not tell the two apart.
    name: "keeps a person whom a later reservation reached, in the same instant too",
    async run({ store, reservation, passes }) {
      const spend = { caps: [cap("k", 9, ["a"])], rates: [rate("r", 9)] };
      const pair = [reservation(spend), reservation(spend)];
      await store.reserve(pair);
      await store.settle([{ reservation: pair[0]?.id ?? "", fate: "refused", event: "{}" }]);
      assert.deepEqual(await store.usage(used), [1]);
      await passes({ rates: [rate("r", 9, 8)] });
    },
  },
  {
    name: "gives back only the people named as refused",
    async run({ store, passes, reserve }) {
      await passes({ caps: [cap("k", 4, ["old"])] });
      const { id } = await passes({ caps: [cap("k", 4, ["old", "a", "b", "c"])] });
      await store.settle([{ reservation: id, fate: "accepted", refusedPeople: ["old", "a", "stranger"], event: "{}" }]);
      assert.deepEqual(await store.usage(used), [3]);
      await passes({ caps: [cap("k", 4, ["d"])] });
      assert.equal(verdict(await reserve({ caps: [cap("k", 4, ["a"])] })), "cap:k");
    },
  },
  {
    name: "settles once: a second outcome changes nothing and gets the first one's number",
    async run({ store, second, passes }) {
      const { id } = await passes({ caps: [cap("k", 1, ["a"])] });
      const [first] = await store.settle([{ reservation: id, fate: "unknown", event: '"first"' }]);
      const again = { reservation: id, fate: "refused", event: '"second"' } as const;
      assert.deepEqual(await second.settle([again, again]), [first, first]);
      assert.deepEqual(await store.usage(used), [1]);
      assert.equal((await events(store)).includes('"second"'), false);
    },
  },
  {
    name: "settles twice in one call once",
    async run({ store, passes }) {
      const one = await passes();
      const two = await passes();
      const settle = (reservation: string) => ({ reservation, fate: "accepted", event: "{}" }) as const;
      assert.deepEqual(await store.settle([settle(one.id), settle(two.id), settle(one.id)]), [3, 4, 3]);
    },
  },
  {
    name: "settles once under concurrency",
    async run({ store, second, passes }) {
      const { id } = await passes({ rates: [rate("r", 2, 1)] });
      const settlement = { reservation: id, fate: "refused", event: '"settled"' } as const;
      const seqs = await Promise.all(
        Array.from({ length: 20 }, (_, index) => (index % 2 ? store : second).settle([settlement])),
      );
      assert.equal(new Set(seqs.flat()).size, 1);
      assert.equal((await events(store)).filter((event) => event === '"settled"').length, 1);
    },
  },
  {
    name: "writes the outcome of a reservation it does not know, once",
    async run({ store, second, reserve }) {
      const settlement = { reservation: "lost", fate: "accepted", event: '"settled"' } as const;
      assert.deepEqual(await store.settle([settlement]), [1]);
      assert.deepEqual(await second.settle([settlement]), [1]);
      assert.deepEqual(await events(store), ['"settled"']);
      assert.equal(verdict(await reserve({ id: "lost" })), "duplicate:reservation");
    },
  },
  {
    name: "takes a reservation's id once, whatever became of it",
    async run({ store, reserve, passes }) {
      await passes({ id: "same", caps: [cap("k", 5, ["a"])] });
      const answer = await reserve({ id: "same", caps: [cap("k", 5, ["b"])] });
      assert.ok(!answer.ok && answer.reason === "duplicate");
      assert.deepEqual([answer.key, answer.first.reservation, answer.first.state], ["reservation", "same", "reserved"]);
      await store.settle([{ reservation: "same", fate: "refused", event: "{}" }]);
      assert.equal(verdict(await reserve({ id: "same" })), "duplicate:reservation");
      assert.deepEqual(await store.usage(used), [0]);
    },
  },
  {
    name: "takes a reservation's id once within one call",
    async run({ store, reservation }) {
      const twin = reservation({ id: "twin", caps: [cap("k", 5, ["a"])] });
      const answers = await store.reserve([twin, { ...twin, caps: [cap("k", 5, ["b"])] }]);
      assert.deepEqual(answers.map(verdict), ["ok", "duplicate:reservation"]);
      assert.deepEqual(await store.usage(used), [1]);
    },
  },
];
