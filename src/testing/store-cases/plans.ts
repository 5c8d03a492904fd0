/** Plans: every change against the version that was read, tokens spent once. @module */
import assert from "node:assert/strict";
import type { PlanChange } from "../../store";
import { cap, crowd, events, hour, type StoreCase, verdict } from "./bench";

const change = (more: Partial<PlanChange> = {}): PlanChange => ({
  id: "p",
  version: 1,
  state: "confirmed",
  record: '{"k":1}',
  event: '"changed"',
  ...more,
});

const plan = { id: "p", state: "planned", record: '{"k":0}' };

export const planCases: readonly StoreCase[] = [
  {
    name: "adds a plan once and gives it back",
    async run({ store, second }) {
      assert.equal(await store.plan("p"), undefined);
      assert.equal(await store.addPlan(plan, '"added"'), true);
      assert.equal(await second.addPlan({ ...plan, state: "other", record: "{}" }, '"twice"'), false);
      const at = (await store.read(0, 1))[0]?.at;
      assert.deepEqual(await second.plan("p"), { ...plan, version: 1, createdAt: at });
      assert.deepEqual(await events(store), ['"added"']);
    },
  },
  {
    name: "lists plans newest first",
    async run({ store }) {
      for (const id of ["b", "a", "c"]) await store.addPlan({ ...plan, id }, "{}");
      await store.changePlan(change({ id: "b" }));
      assert.deepEqual(
        (await store.plans(2)).map(({ id }) => id),
        ["c", "a"],
      );
      assert.deepEqual(
        (await store.plans(9)).map(({ id, version }) => [id, version]),
        [
          ["c", 1],
          ["a", 1],
          ["b", 2],
        ],
      );
    },
  },
  {
    name: "changes a plan against the version that was read",
    async run({ store, second }) {
      await store.addPlan(plan, "{}");
      const before = await store.plan("p");
      const answer = await second.changePlan(change());
      assert.ok(answer.ok);
      assert.deepEqual(await store.plan("p"), { ...before, state: "confirmed", version: 2, record: '{"k":1}' });
      const line = (await store.read(1, 1))[0];
      assert.deepEqual([answer.version, answer.seq, answer.at, line?.event], [2, line?.seq, line?.at, '"changed"']);
      assert.deepEqual(await store.changePlan(change({ state: "late" })), { ok: false, reason: "version" });
      assert.deepEqual(await store.changePlan(change({ version: 3 })), { ok: false, reason: "version" });
      assert.deepEqual(await store.changePlan(change({ id: "nowhere" })), { ok: false, reason: "version" });
      assert.equal((await store.plan("p"))?.state, "confirmed");
    },
  },
  {
    name: "lets one of many change a version",
    async run({ store, second }) {
      await store.addPlan(plan, "{}");
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          (index % 2 ? store : second).changePlan(change({ state: `s${index}` })),
        ),
      );
      assert.equal(answers.filter((answer) => answer.ok).length, 1);
      assert.equal((await store.plan("p"))?.version, 2);
      assert.equal((await events(store)).length, 2);
    },
  },
  {
    name: "spends a token once, over all plans and processes",
    async run({ store, second }) {
      const until = (await store.now()) + hour;
      for (let index = 0; index < 16; index++) await store.addPlan({ ...plan, id: `p${index}` }, "{}");
      const answers = await Promise.all(
        Array.from({ length: 16 }, (_, index) =>
          (index % 2 ? store : second).changePlan(
            change({
              id: `p${index}`,
              tokens: [
                { id: `own-${index}`, until },
                { id: "shared", until },
              ],
            }),
          ),
        ),
      );
      assert.equal(answers.filter((answer) => answer.ok).length, 1);
      const lost = answers.findIndex((answer) => !answer.ok);
      assert.deepEqual(answers[lost], { ok: false, reason: "token", id: "shared" });
      // Nothing of a refused change stays: its own token is still good.
      const again = await store.changePlan(change({ id: `p${lost}`, tokens: [{ id: `own-${lost}`, until }] }));
      assert.ok(again.ok);
    },
  },
  {
    name: "counts the same token twice in one change as spent",
    async run({ store }) {
      await store.addPlan(plan, "{}");
      const token = { id: "t", until: (await store.now()) + hour };
      assert.deepEqual(await store.changePlan(change({ tokens: [token, token] })), {
        ok: false,
        reason: "token",
        id: "t",
      });
      assert.ok((await store.changePlan(change({ tokens: [token] }))).ok);
    },
  },
  {
    name: "refuses a change while one of its scopes is halted",
    async run({ store }) {
      await store.addPlan(plan, "{}");
      await store.halt({ scope: "purpose:x", reason: "r", by: "b" }, "{}");
      const token = { id: "t", until: (await store.now()) + hour };
      const answer = await store.changePlan(change({ scopes: ["*", "purpose:x"], tokens: [token] }));
      assert.equal(answer.ok ? "ok" : answer.reason, "halted");
      assert.equal((await store.plan("p"))?.version, 1);
      assert.ok((await store.changePlan(change({ scopes: ["*"], tokens: [token] }))).ok);
    },
  },
  {
    name: "spends the caps of a whole plan with the change, or refuses both",
    async run({ store, reserve, passes }) {
      await store.addPlan(plan, "{}");
      await passes({ caps: [cap("k", 10, ["person-0"])] });
      const token = { id: "t", until: (await store.now()) + hour };
      const haltOnExceeded = { scope: "purpose:x", reason: "r", by: "cap:k" };
      const tooMany = change({
        caps: [cap("l", 99, ["a"]), cap("k", 10, crowd(11), { haltOnExceeded })],
        tokens: [token],
      });
      assert.deepEqual(await store.changePlan(tooMany), {
        ok: false,
        reason: "cap",
        key: "k",
        limit: 10,
        used: 1,
        wanted: 10,
      });
      assert.deepEqual(
        (await store.halts()).map(({ scope }) => scope),
        ["purpose:x"],
      );
      assert.deepEqual(await store.usage(["k", "l"].map((key) => ({ key, windowMs: hour }))), [1, 0]);
      assert.ok((await store.changePlan(change({ caps: [cap("k", 10, crowd(10))], tokens: [token] }))).ok);
      await passes({ caps: [cap("k", 10, ["person-9"])] });
      assert.equal(verdict(await reserve({ caps: [cap("k", 10, ["new"])] })), "cap:k");
    },
  },
];
