/** Caps on distinct people and on messages: exact, sliding, all or nothing. @module */
import assert from "node:assert/strict";
import type { Store } from "../../store";
import { cap, claim, crowd, events, hour, passed, random, rate, type StoreCase, verdict } from "./bench";

export const capCases: readonly StoreCase[] = [
  {
    name: "admits people up to the limit and says why it refuses the next",
    async run({ store, reserve, passes }) {
      await passes({ caps: [cap("k", 3, ["a", "b"])] });
      const refused = await reserve({ caps: [cap("k", 3, ["b", "c", "d"])] });
      assert.deepEqual(refused, { ok: false, reason: "cap", key: "k", limit: 3, used: 2, wanted: 2 });
      await passes({ caps: [cap("k", 3, ["c"])] });
      assert.deepEqual(await store.usage([{ key: "k", windowMs: hour }]), [3]);
    },
  },
  {
    name: "counts people, not messages: one person a hundred times is one",
    async run({ store, passes }) {
      for (let count = 0; count < 100; count++) await passes({ caps: [cap("k", 1, ["a"])] });
      assert.deepEqual(await store.usage([{ key: "k", windowMs: hour }]), [1]);
    },
  },
  {
    name: "lets nobody through a cap of nought",
    async run({ reserve, passes }) {
      assert.equal(verdict(await reserve({ caps: [cap("k", 0, ["a"])] })), "cap:k");
      assert.equal(verdict(await reserve({ rates: [rate("k", 0)] })), "cap:k");
      await passes({ caps: [cap("k", 0, [])] });
    },
  },
  {
    name: "refuses everything while a lowered limit is exceeded",
    async run({ reserve, passes }) {
      await passes({ caps: [cap("k", 5, crowd(5))] });
      assert.deepEqual(await reserve({ caps: [cap("k", 3, crowd(1))] }), {
        ok: false,
        reason: "cap",
        key: "k",
        limit: 3,
        used: 5,
        wanted: 0,
      });
      await passes({ caps: [cap("k", 5, crowd(1))] });
    },
  },
  {
    name: "spends all caps, rates and claims of a reservation, or none",
    async run({ store, reserve, passes }) {
      await passes({ caps: [cap("full", 1, ["a"])], rates: [rate("busy", 1)], once: [claim("taken")] });
      const wants = { caps: [cap("x", 9, ["b"]), cap("y", 9, ["b"])], rates: [rate("r", 2, 2)], once: [claim("free")] };
      const lines = (await events(store)).length;
      for (const [more, expected] of [
        [{ caps: [...wants.caps, cap("full", 1, ["b"])] }, "cap:full"],
        [{ caps: [cap("full", 1, ["b"]), ...wants.caps] }, "cap:full"],
        [{ rates: [...wants.rates, rate("busy", 1)] }, "cap:busy"],
        [{ once: [...wants.once, claim("taken")] }, "duplicate:taken"],
        [{ entry: { plan: "nowhere", index: 0 } }, "duplicate:entry:nowhere:0"],
      ] as const) {
        assert.equal(verdict(await reserve({ ...wants, ...more })), expected);
      }
      assert.deepEqual(await store.usage(["x", "y"].map((key) => ({ key, windowMs: hour }))), [0, 0]);
      assert.equal((await events(store)).length, lines);
      await passes(wants);
      assert.equal(verdict(await reserve({ rates: [rate("r", 2)] })), "cap:r");
    },
  },
  {
    name: "judges the reservations of one call in order, each on its own",
    async run({ store, reserve, reservation }) {
      const asks = [["a", "b"], ["c", "d"], ["c"], ["a"], ["e"]].map((people) =>
        reservation({ caps: [cap("k", 3, people)] }),
      );
      const answers = await store.reserve(asks);
      assert.deepEqual(answers.map(verdict), ["ok", "cap:k", "ok", "ok", "cap:k"]);
      assert.deepEqual(
        answers.flatMap((answer) => (answer.ok ? [answer.seq] : [])),
        [1, 2, 3],
      );
      const messages = [2, 2, 1].map((count) => reservation({ rates: [rate("r", 3, count)] }));
      assert.deepEqual((await store.reserve(messages)).map(verdict), ["ok", "cap:r", "ok"]);
      assert.equal(verdict(await reserve({ rates: [rate("r", 3)] })), "cap:r");
    },
  },
  {
    name: "never admits more than the limit, however many ask at once",
    async run({ store, second, reservation }) {
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, index) =>
          (index % 2 ? store : second).reserve([
            reservation({ caps: [cap("k", 50, [`p${index}`]), cap("l", 70, [`p${index}`])] }),
          ]),
        ),
      );
      assert.equal(passed(answers.flat()), 50);
      assert.deepEqual(await store.usage(["k", "l"].map((key) => ({ key, windowMs: hour }))), [50, 50]);
    },
  },
  {
    name: "forgets a person one window after the last time, not the first",
    async run({ store, window, pass, passes, reserve, still }) {
      const spend = (people: string[]) => ({ caps: [cap("k", 2, people, { windowMs: window })] });
      const first = await passes(spend(["a", "b"]));
      await pass(window / 2);
      const again = await passes(spend(["a"]));
      if (still) {
        await pass(window / 2 - 1);
        assert.equal(verdict(await reserve(spend(["c"]))), "cap:k");
      }
      while ((await store.now()) < first.at + window) await pass(1);
      await passes(spend(["c"]));
      const refused = await reserve(spend(["d"]));
      // On a server's clock the second window may be over as well by now.
      if (still || (await store.now()) < again.at + window) assert.equal(verdict(refused), "cap:k");
      await pass(window);
      assert.deepEqual(await store.usage([{ key: "k", windowMs: window }]), [0]);
      await passes(spend(["e", "f"]));
    },
  },
  {
    name: "reaches in no window more people than the cap, whatever the phase, and refuses no more than it must",
    async run({ store, second, window, pass, reservation, still }) {
      const any = random(20_250_601);
      const limit = 7;
      const windowMs = still ? window : 40;
      const reached: { readonly at: number; readonly people: readonly string[] }[] = [];
      const within = (after: number, until: number) =>
        new Set(reached.filter(({ at }) => at > after && at <= until).flatMap(({ people }) => people));
      let refusals = 0;
      for (let step = 0; step < 400; step++) {
        await pass(still ? any(windowMs / 3) : any(3));
        const people = crowd(1 + any(3), any(20));
        const before = await lineNow(store);
        const [answer] = await (any(2) ? store : second).reserve([
          reservation({ caps: [cap("k", limit, people, { windowMs })], rates: [rate("k", 10_000, 1, { windowMs })] }),
        ]);
        if (answer?.ok) {
          reached.push({ at: answer.at, people });
          assert.ok(within(answer.at - windowMs, answer.at).size <= limit, `more than ${limit} people at step ${step}`);
        } else {
          refusals++;
          const held = within(before - windowMs, Number.POSITIVE_INFINITY);
          const told = JSON.stringify({ answer, people, before, after: await store.now(), held: [...held] });
          assert.ok(new Set([...held, ...people]).size > limit, `refused without need at step ${step}: ${told}`);
        }
      }
      assert.ok(reached.length > 20 && (refusals > 20 || !still));
    },
  },
  {
    name: "admits in no window more messages than a rate, whatever the phase, and refuses no more than it must",
    async run({ store, second, window, pass, reservation, still }) {
      const any = random(7);
      const limit = 9;
      const windowMs = still ? window : 40;
      const sent: { readonly at: number; readonly messages: number }[] = [];
      const within = (after: number, until: number) =>
        sent.filter(({ at }) => at > after && at <= until).reduce((sum, { messages }) => sum + messages, 0);
      let refusals = 0;
      for (let step = 0; step < 400; step++) {
        await pass(still ? any(windowMs / 3) : any(3));
        const messages = 1 + any(4);
        const before = await lineNow(store);
        const [answer] = await (any(2) ? store : second).reserve([
          reservation({ rates: [rate("k", limit, messages, { windowMs })] }),
        ]);
        if (answer?.ok) {
          sent.push({ at: answer.at, messages });
          assert.ok(within(answer.at - windowMs, answer.at) <= limit, `more than ${limit} messages at step ${step}`);
        } else {
          refusals++;
          const held = within(before - windowMs, Number.POSITIVE_INFINITY);
          const told = JSON.stringify({ answer, messages, before, after: await store.now(), held });
          assert.ok(held + messages > limit, `refused without need at step ${step}: ${told}`);
        }
      }
      assert.ok(sent.length > 20 && (refusals > 20 || !still));
    },
  },
  {
    name: "says how many messages a rate holds and refuses those beyond",
    async run({ reserve, passes }) {
      await passes({ rates: [rate("k", 5, 3)] });
      assert.deepEqual(await reserve({ rates: [rate("k", 5, 3)] }), {
        ok: false,
        reason: "cap",
        key: "k",
        limit: 5,
        used: 3,
        wanted: 3,
      });
      await passes({ rates: [rate("k", 5, 2)] });
    },
  },
  {
    name: "keeps rates and caps of the same key apart",
    async run({ store, reserve, passes }) {
      await passes({ caps: [cap("k", 1, ["a"])], rates: [rate("k", 2, 2)] });
      await passes({ caps: [cap("k", 1, ["a"])] });
      assert.equal(verdict(await reserve({ rates: [rate("k", 2)] })), "cap:k");
      assert.deepEqual(await store.usage([{ key: "k", windowMs: hour }]), [1]);
    },
  },
  {
    name: "takes two limits on one key as the lower one, and counts the people once",
    async run({ store, reserve, passes }) {
      const spend = (people: string[], rates: number) => ({
        caps: [cap("k", 5, people), cap("k", 3, people)],
        rates: [rate("r", rates), rate("r", 9)],
      });
      const { id } = await passes(spend(["a", "b"], 1));
      assert.equal(verdict(await reserve(spend(["c", "d"], 9))), "cap:k");
      assert.equal(verdict(await reserve(spend(["c"], 1))), "cap:r");
      await passes(spend(["c"], 2));
      await store.settle([{ reservation: id, fate: "refused", event: "{}" }]);
      assert.deepEqual(await store.usage([{ key: "k", windowMs: hour }]), [1]);
      await passes(spend(["a"], 2));
    },
  },
  {
    name: "reports what is not enforced, refuses nothing for it, and holds no more than the limit",
    async run({ store, passes, reserve }) {
      const watch = (people: string[]) => ({
        caps: [cap("k", 2, people, { enforce: false }), cap("wide", 99, people)],
        rates: [rate("r", 2, people.length, { enforce: false })],
      });
      assert.deepEqual((await passes(watch(["a"]))).exceeded, []);
      assert.deepEqual([...(await passes(watch(["b", "c"]))).exceeded].sort(), ["k", "r"]);
      assert.deepEqual(await store.usage(["k", "wide"].map((key) => ({ key, windowMs: hour }))), [1, 3]);
      assert.deepEqual((await passes(watch(["b"]))).exceeded, []);
      assert.deepEqual(await store.usage([{ key: "k", windowMs: hour }]), [2]);
      assert.equal(verdict(await reserve({ caps: [cap("k", 2, ["z"])] })), "cap:k");
    },
  },
  {
    name: "takes a call to ten thousand people, with a rate for each",
    async run({ store, reserve, passes }) {
      const people = crowd(10_000);
      const wants = { caps: [cap("k", 10_000, people)], rates: people.map((person) => rate(person, 1)) };
      const { id } = await passes(wants);
      assert.equal(verdict(await reserve({ caps: [cap("k", 10_000, crowd(2, 9_999))] })), "cap:k");
      assert.equal(verdict(await reserve({ rates: [rate("fresh", 1), rate("person-9999", 1)] })), "cap:person-9999");
      await store.settle([{ reservation: id, fate: "refused", event: "{}" }]);
      assert.deepEqual(await store.usage([{ key: "k", windowMs: hour }]), [0]);
      await passes(wants);
      assert.deepEqual(await store.usage([{ key: "k", windowMs: hour }]), [10_000]);
    },
  },
];

/**
 * The store's time, as a line says it. Nothing is judged at an earlier moment, also not when a clock is set back:
 * `now()` is no more than what the clock says at that instant.
 */
async function lineNow(store: Store): Promise<number> {
  const [seq = 0] = await store.append(["{}"]);
  const [line] = await store.read(seq - 1, 1);
  assert.equal(line?.seq, seq);
  return line?.at ?? Number.NaN;
}
