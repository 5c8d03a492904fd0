/** Values, leases, keys of every kind, and an end. @module */
import assert from "node:assert/strict";
import { MailfuseError } from "../../store";
import { cap, claim, crowd, hour, rate, type StoreCase, verdict } from "./bench";

/** Keys that have broken stores: quoting, patterns, prototypes, encodings, lengths, case and padding. */
const hostile = [
  "",
  " ",
  "a",
  "a ",
  "A",
  "__proto__",
  "constructor",
  "toString",
  "'; DROP TABLE mailfuse_ledger; --",
  '"quoted"',
  "`back\\slash",
  "{braces}",
  "%",
  "_",
  "*",
  "?1 $1 :a @b",
  "null",
  "0",
  "00",
  "1e3",
  "new\nline",
  "nul\u0000",
  "nul\u0000s",
  "é",
  "e\u0301",
  "ß",
  "İ",
  "\u{1F4E8}",
  "\u2028",
  "long".repeat(25_000),
  `${"long".repeat(25_000)}er`,
];

export const valueCases: readonly StoreCase[] = [
  {
    name: "takes a limit between two numbers as the lower one",
    async run({ reserve, passes }) {
      await passes({ caps: [cap("k", 1.5, ["a"])], rates: [rate("r", 1.5)] });
      assert.equal(verdict(await reserve({ caps: [cap("k", 1.5, ["b"])] })), "cap:k");
      assert.equal(verdict(await reserve({ rates: [rate("r", 1.5)] })), "cap:r");
    },
  },
  {
    name: "sets a value once: the first writer's is everyone's",
    async run({ store, second }) {
      assert.equal(await store.value("key"), undefined);
      const values = await Promise.all(
        Array.from({ length: 20 }, (_, index) => (index % 2 ? store : second).setOnce("key", `value-${index}`)),
      );
      assert.equal(new Set(values).size, 1);
      assert.equal(await second.value("key"), values[0]);
    },
  },
  {
    name: "destroys a value",
    async run({ store, second }) {
      await store.setOnce("key", "old");
      await store.setOnce("other", "kept");
      await second.forget("key");
      await second.forget("never set");
      assert.equal(await store.value("key"), undefined);
      assert.equal(await store.value("other"), "kept");
      assert.equal(await store.setOnce("key", "new"), "new");
    },
  },
  {
    name: "leases a name to one holder at a time",
    async run({ store, second, pass, window }) {
      const takes = await Promise.all(
        Array.from({ length: 10 }, (_, index) => (index % 2 ? store : second).lease("sealer", `holder-${index}`, hour)),
      );
      assert.equal(takes.filter(Boolean).length, 1);
      const holder = `holder-${takes.indexOf(true)}`;
      assert.equal(await second.lease("sealer", holder, window), true);
      assert.equal(await store.lease("other", "somebody", hour), true);
      await pass(window);
      assert.equal(await store.lease("sealer", "next", 9 * hour), true);
      assert.equal(await second.lease("sealer", holder, hour), false);
      assert.equal(await second.lease("sealer", "next", 0), true);
      assert.equal(await second.lease("sealer", holder, hour), true);
    },
  },
  {
    name: "tells keys of every kind apart, and gives them back as they were",
    async run({ store, second, passes, reserve }) {
      for (const key of hostile) {
        assert.equal(await store.setOnce(key, key), key);
        assert.equal(await store.lease(key, key, hour), true);
        assert.equal(await store.addPlan({ id: key, state: key, record: JSON.stringify(key) }, "{}"), true);
        await store.spool(key, [{ index: 0, sealed: Uint8Array.of(1) }]);
        await passes({
          id: key,
          caps: [cap(key, 1, [key]), cap("all", hostile.length, [key])],
          rates: [rate(key, 1)],
          once: [claim(key)],
          entry: { plan: key, index: 0 },
        });
      }
      assert.deepEqual(await store.usage([{ key: "all", windowMs: hour }]), [hostile.length]);
      for (const key of hostile) {
        assert.equal(await second.value(key), key);
        assert.equal(await second.lease(key, "another", hour), false);
        const row = await second.plan(key);
        assert.deepEqual([row?.id, row?.state, row?.record], [key, key, JSON.stringify(key)]);
        const twice = await reserve({ once: [claim(key)] });
        assert.equal(verdict(twice), `duplicate:${key}`);
        assert.ok(!twice.ok && twice.reason === "duplicate" && twice.first.reservation === key);
        assert.equal(verdict(await reserve({ id: key })), "duplicate:reservation");
        assert.equal(verdict(await reserve({ caps: [cap(key, 1, ["someone else"])] })), `cap:${key}`);
        assert.equal(verdict(await reserve({ rates: [rate(key, 1)] })), `cap:${key}`);
        assert.equal(verdict(await reserve({ entry: { plan: key, index: 0 } })), `duplicate:entry:${key}:0`);
        assert.ok(
          (
            await store.changePlan({
              id: key,
              version: 1,
              state: "s",
              record: "{}",
              tokens: [{ id: key, until: Number.MAX_SAFE_INTEGER }],
              event: "{}",
            })
          ).ok,
        );
      }
      const scopes = hostile.filter((key) => key !== "");
      for (const scope of scopes) await store.halt({ scope, reason: scope, by: scope }, "{}");
      for (const scope of scopes) assert.equal(verdict(await reserve({ scopes: [scope] }, second)), `halted:${scope}`);
      assert.deepEqual(
        (await second.halts()).map(({ scope, reason, by }) => [scope, reason, by]),
        [...scopes].sort((a, b) => (a < b ? -1 : 1)).map((scope) => [scope, scope, scope]),
      );
      for (const key of hostile) await store.settle([{ reservation: key, fate: "refused", event: "{}" }]);
      assert.deepEqual(await store.usage([{ key: "all", windowMs: hour }]), [0]);
    },
  },
  {
    name: "says how many people each window holds, in the order asked",
    async run({ store, passes }) {
      await passes({ caps: [cap("a", 9, crowd(3)), cap("b", 9, crowd(5))] });
      const asked = ["b", "nowhere", "a", "b"].map((key) => ({ key, windowMs: hour }));
      assert.deepEqual(await store.usage(asked), [5, 0, 3, 5]);
    },
  },
  {
    name: "describes itself",
    async run({ store }) {
      const facts = await store.open();
      assert.ok(facts.kind.length > 0 && facts.says.length > 0);
      assert.ok(["none", "process", "power-loss"].includes(facts.durability));
    },
  },
  {
    name: "refuses everything after it was closed",
    async run({ store, reservation }) {
      await store.close();
      await store.close();
      const unavailable = (error: unknown) => MailfuseError.isInstance(error) && error.code === "STORE_UNAVAILABLE";
      await assert.rejects(store.reserve([reservation()]), unavailable);
      await assert.rejects(store.settle([{ reservation: "r", fate: "accepted", event: "{}" }]), unavailable);
      await assert.rejects(store.append(["{}"]), unavailable);
      await assert.rejects(store.halts(), unavailable);
      await assert.rejects(store.now(), unavailable);
    },
  },
];
