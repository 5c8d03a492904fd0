/** Claims: something happens once, whoever asks and whatever crashes. @module */
import assert from "node:assert/strict";
import type { Fate } from "../../store";
import { cap, claim, hour, passed, type StoreCase, verdict } from "./bench";

const settled = (reservation: string, fate: Fate) => ({ reservation, fate, event: "{}" }) as const;

export const onceCases: readonly StoreCase[] = [
  {
    name: "grants a claim to one of many who ask at once",
    async run({ store, second, reservation }) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          (index % 2 ? store : second).reserve([reservation({ once: [claim("key")] })]),
        ),
      );
      assert.equal(passed(answers.flat()), 1);
    },
  },
  {
    name: "grants a claim once within one call",
    async run({ store, reservation }) {
      const ask = () => reservation({ once: [claim("key")] });
      assert.deepEqual((await store.reserve([ask(), ask()])).map(verdict), ["ok", "duplicate:key"]);
    },
  },
  {
    // One text to one person who stands in it twice, for example.
    name: "takes a claim that stands twice in one reservation once",
    async run({ store, reserve, passes }) {
      const { id } = await passes({ once: [claim("key"), claim("other"), claim("key")] });
      assert.equal(verdict(await reserve({ once: [claim("key")] })), "duplicate:key");
      await store.settle([settled(id, "refused")]);
      await passes({ once: [claim("key")] });
    },
  },
  {
    name: "tells a duplicate who was first and what became of it",
    async run({ second, reserve, passes }) {
      const { id, at } = await passes({ once: [claim("key")] });
      const under = await reserve({ once: [claim("key")] });
      assert.deepEqual(under, {
        ok: false,
        reason: "duplicate",
        key: "key",
        first: { reservation: id, state: "reserved", at },
      });
      await second.settle([{ ...settled(id, "accepted"), messageId: "<1@x>" }]);
      const after = await reserve({ once: [claim("key", { onUnknown: "resend" })] });
      const first = { reservation: id, state: "accepted", at, messageId: "<1@x>" };
      assert.deepEqual(after, { ok: false, reason: "duplicate", key: "key", first });
    },
  },
  {
    name: "frees a claim on a refusal",
    async run({ store, passes }) {
      const { id } = await passes({ once: [claim("key"), claim("other")] });
      await store.settle([settled(id, "refused")]);
      await passes({ once: [claim("other"), claim("key")] });
    },
  },
  {
    name: "holds what failed or is unknown, and lets it be sent again where that is declared",
    async run({ store, reserve, passes }) {
      for (const fate of ["failed", "unknown"] as const) {
        const { id } = await passes({ once: [claim(fate)] });
        await store.settle([settled(id, fate)]);
        assert.equal(verdict(await reserve({ once: [claim(fate)] })), `duplicate:${fate}`);
        await passes({ once: [claim(fate, { onUnknown: "resend" })] });
        assert.equal(verdict(await reserve({ once: [claim(fate, { onUnknown: "resend" })] })), `duplicate:${fate}`);
      }
    },
  },
  {
    name: "lets one of many send an unknown again",
    async run({ store, second, reservation, passes }) {
      const { id } = await passes({ once: [claim("key")] });
      await store.settle([settled(id, "unknown")]);
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, index) =>
          (index % 2 ? store : second).reserve([
            reservation({ once: [claim("key", { onUnknown: "resend", leaseMs: hour })] }),
          ]),
        ),
      );
      assert.equal(passed(answers.flat()), 1);
    },
  },
  {
    name: "takes a reserved claim over only after its lease, and only where that is declared",
    async run({ reserve, passes, pass, window }) {
      const { id } = await passes({ once: [claim("key", { ttlMs: 99 * hour })] });
      const resend = claim("key", { onUnknown: "resend", ttlMs: 99 * hour });
      assert.equal(verdict(await reserve({ once: [{ ...resend, leaseMs: 98 * hour }] })), "duplicate:key");
      await pass(window);
      assert.equal(verdict(await reserve({ once: [claim("key", { ttlMs: 99 * hour })] })), "duplicate:key");
      assert.equal(verdict(await reserve({ once: [resend] })), "duplicate:key");
      const over = await passes({ once: [{ ...resend, leaseMs: window }] });
      const third = await reserve({ once: [{ ...resend, leaseMs: hour }] });
      assert.ok(!third.ok && third.reason === "duplicate");
      assert.deepEqual([third.first.reservation, third.first.at], [over.id, over.at]);
      assert.notEqual(over.id, id);
    },
  },
  {
    name: "never takes over a reserved claim whose lease has no end",
    async run({ reserve, passes, pass, window }) {
      const resend = claim("key", { onUnknown: "resend", leaseMs: Number.POSITIVE_INFINITY, ttlMs: 99 * hour });
      await passes({ once: [resend] });
      await pass(window);
      assert.equal(verdict(await reserve({ once: [resend] })), "duplicate:key");
    },
  },
  {
    name: "leaves a claim alone when the one it was taken from settles late",
    async run({ store, reserve, passes, pass, window }) {
      const resend = claim("key", { onUnknown: "resend", leaseMs: window, ttlMs: 99 * hour });
      const slow = await passes({ once: [resend] });
      await pass(window);
      const next = await passes({ once: [resend] });
      await store.settle([settled(slow.id, "refused")]);
      const answer = await reserve({ once: [claim("key")] });
      assert.ok(!answer.ok && answer.reason === "duplicate");
      assert.deepEqual([answer.first.reservation, answer.first.state], [next.id, "reserved"]);
    },
  },
  {
    name: "forgets a claim when its time is over",
    async run({ store, passes, reserve, pass, window }) {
      const { id } = await passes({ once: [claim("short", { ttlMs: window }), claim("long")] });
      await store.settle([settled(id, "accepted")]);
      await pass(window);
      await passes({ once: [claim("short")] });
      // The long one is over as well on a clock that was moved by an hour.
      assert.equal(verdict(await reserve({ once: [claim("short")] })), "duplicate:short");
    },
  },
  {
    name: "spends nothing on a duplicate",
    async run({ store, passes, reserve }) {
      await passes({ once: [claim("taken")] });
      await reserve({ once: [claim("free"), claim("taken")], caps: [cap("k", 9, ["a"])] });
      assert.deepEqual(await store.usage([{ key: "k", windowMs: hour }]), [0]);
      await passes({ once: [claim("free")] });
    },
  },
];
