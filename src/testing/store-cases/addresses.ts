/** Sealed addresses: kept with the reservation or not at all, and destroyed for good. @module */
import assert from "node:assert/strict";
import { cap, crowd, type StoreCase, verdict } from "./bench";

const day = "2026-11-22";
const sealed = (people: readonly string[], mark = "") =>
  people.map((person) => [person, `sealed ${mark}${person}`] as const);

export const addressCases: readonly StoreCase[] = [
  {
    name: "keeps the addresses of a reservation that passes",
    async run({ store, second, passes }) {
      await passes({ addresses: { bucket: day, sealed: sealed(["a", "b"]) } });
      await passes({ addresses: { bucket: "2026-11-21", sealed: sealed(["c"]) } });
      assert.deepEqual(await second.addresses(day, ["b", "c", "a", "b"]), [
        "sealed b",
        undefined,
        "sealed a",
        "sealed b",
      ]);
      assert.deepEqual(await second.addresses("2026-11-21", ["c"]), ["sealed c"]);
      assert.deepEqual(await second.addresses("never", ["a"]), [undefined]);
      assert.deepEqual(await second.addresses(day, []), []);
      assert.deepEqual(await store.addressBuckets(), ["2026-11-21", day]);
    },
  },
  {
    name: "keeps no address of a reservation that is refused",
    async run({ store, passes, reserve }) {
      await passes({ caps: [cap("k", 1, ["a"])] });
      const refused = await reserve({
        caps: [cap("k", 1, ["b"])],
        addresses: { bucket: day, sealed: sealed(["b"]) },
      });
      assert.equal(verdict(refused), "cap:k");
      assert.deepEqual(await store.addresses(day, ["b"]), [undefined]);
      assert.deepEqual(await store.addressBuckets(), []);
    },
  },
  {
    name: "keeps the first address of a person in a bucket, also among many at once",
    async run({ store, second, passes, reservation }) {
      await passes({ addresses: { bucket: day, sealed: sealed(["a"]) } });
      await second.reserve([
        reservation({ addresses: { bucket: day, sealed: sealed(["a", "b"], "later ") } }),
        reservation({ addresses: { bucket: day, sealed: sealed(["b", "c"], "last ") } }),
      ]);
      assert.deepEqual(await store.addresses(day, ["a", "b", "c"]), ["sealed a", "sealed later b", "sealed last c"]);
    },
  },
  {
    name: "keeps the addresses of a call to very many people",
    async run({ store, second, passes }) {
      const people = crowd(3_000);
      await passes({ caps: [cap("k", 5_000, people)], addresses: { bucket: day, sealed: sealed(people) } });
      assert.deepEqual(
        await second.addresses(day, people),
        people.map((person) => `sealed ${person}`),
      );
      assert.deepEqual(await store.usage([{ key: "k", windowMs: 3_600_000 }]), [3_000]);
    },
  },
  {
    name: "keeps no address of a call to very many people that is refused",
    async run({ store, reserve, passes }) {
      const people = crowd(5_000);
      const addresses = { bucket: day, sealed: sealed(people) };
      assert.equal(verdict(await reserve({ caps: [cap("k", 4_999, people)], addresses })), "cap:k");
      await store.halt({ scope: "*", reason: "stop", by: "dana" }, "{}");
      assert.equal(verdict(await reserve({ addresses })), "halted:*");
      assert.deepEqual(await store.addresses(day, ["person-0", ...people.slice(-2)]), [
        undefined,
        undefined,
        undefined,
      ]);
      assert.deepEqual(await store.addressBuckets(), []);
      await store.resume("*", "{}");
      await passes({ addresses });
      assert.deepEqual(await store.addressBuckets(), [day]);
    },
  },
  {
    name: "keeps a person's first address, whether it came with few or with very many",
    async run({ store, second, passes }) {
      const people = crowd(5_000);
      const [early = "", late = ""] = people.slice(2_500);
      await passes({ addresses: { bucket: day, sealed: sealed([early]) } });
      await passes({ addresses: { bucket: day, sealed: sealed(people, "crowd ") } });
      await passes({ addresses: { bucket: day, sealed: sealed([late, "new"], "again ") } });
      await passes({ addresses: { bucket: day, sealed: sealed(people, "once more ") } });
      assert.deepEqual(await second.addresses(day, [early, late, "new"]), [
        `sealed ${early}`,
        `sealed crowd ${late}`,
        "sealed again new",
      ]);
      assert.deepEqual(await store.addressBuckets(), [day]);
      assert.equal(await store.forgetAddresses({ people: [early, late] }), 2);
      assert.equal(await store.forgetAddresses({ bucket: day }), 4_999);
      assert.deepEqual(await store.addresses(day, people.slice(0, 2)), [undefined, undefined]);
    },
  },
  {
    name: "destroys a bucket, and nothing else",
    async run({ store, second, passes }) {
      await passes({ addresses: { bucket: day, sealed: sealed(["a", "b"]) } });
      await passes({ addresses: { bucket: "2026-11-21", sealed: sealed(["a"]) } });
      assert.equal(await store.forgetAddresses({ bucket: day }), 2);
      assert.equal(await store.forgetAddresses({ bucket: day }), 0);
      assert.deepEqual(await second.addresses(day, ["a", "b"]), [undefined, undefined]);
      assert.deepEqual(await second.addresses("2026-11-21", ["a"]), ["sealed a"]);
      assert.deepEqual(await store.addressBuckets(), ["2026-11-21"]);
    },
  },
  {
    name: "destroys what it holds of a person, in every bucket",
    async run({ store, second, passes }) {
      await passes({ addresses: { bucket: day, sealed: sealed(["a", "b", "c"]) } });
      await passes({ addresses: { bucket: "2026-11-21", sealed: sealed(["a", "d"]) } });
      assert.equal(await second.forgetAddresses({ people: ["a", "d", "nobody"] }), 3);
      assert.deepEqual(await store.addresses(day, ["a", "b", "c"]), [undefined, "sealed b", "sealed c"]);
      assert.deepEqual(await store.addresses("2026-11-21", ["a", "d"]), [undefined, undefined]);
      assert.deepEqual(await store.addressBuckets(), [day]);
      assert.equal(await store.forgetAddresses({ people: [] }), 0);
      // Reached again, kept again: forgetting is no ban.
      await passes({ addresses: { bucket: day, sealed: sealed(["a"], "again ") } });
      assert.deepEqual(await store.addresses(day, ["a"]), ["sealed again a"]);
    },
  },
  {
    name: "keeps addresses while their lines are dropped",
    async run({ store, passes }) {
      const { seq } = await passes({ addresses: { bucket: day, sealed: sealed(["a"]) } });
      await store.trim(seq);
      assert.deepEqual(await store.addresses(day, ["a"]), ["sealed a"]);
    },
  },
];
