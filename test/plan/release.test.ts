import { describe, expect, it } from "vitest";
import { writeRecord } from "../../src/plan/keep";
import type { PlanRecord } from "../../src/plan/record";
import { createSecrets } from "../../src/secrets";
import { codeOf } from "../support/fake-client";
import { people, planOffer, setUp, whileTimePasses } from "./release-set-up";

describe("plan, confirm, release", () => {
  it("sends nothing before it is confirmed, and exactly the rehearsed mails after", async () => {
    const all = setUp();
    const plan = await planOffer(all);
    expect(plan).toMatchObject({ state: "planned", phrase: "3 offer", refusals: [] });
    expect(all.client.wire).toEqual([]);
    expect(await codeOf(all.fuse.release(plan.id))).toBe("APPROVALS_MISSING");
    expect(all.client.wire).toEqual([]);
    const delivered: unknown[] = [];
    const result = await all.fuse.release(plan.id, {
      tokens: [await all.token(plan, "erin")],
      onDelivered: (entry) => delivered.push(entry.data),
    });
    expect(result).toMatchObject({ state: "done", accepted: 3, refused: 0, unknown: 0, waiting: 0 });
    expect(all.client.wire.map((mail) => mail.text).sort()).toEqual(people(3).map((address) => `for ${address}`));
    expect(delivered).toHaveLength(3);
    expect(await codeOf(all.fuse.release(plan.id, { tokens: [await all.token(plan, "frank")] }))).toBe("PLAN_STATE");
    expect(all.client.wire).toHaveLength(3);
  });

  it("runs a plain job once", async () => {
    const all = setUp();
    let unsent = people(3);
    const plan = await all.fuse.plan(
      { purpose: "offer", expectedPeople: 3, requestedBy: "dana" },
      async ({ rehearsal }) => {
        expect(rehearsal).toBe(true);
        for (const to of unsent) await all.client.send({ to, tag: "offer" });
        unsent = [];
      },
    );
    await all.fuse.release(plan.id, { tokens: [await all.token(plan, "erin")] });
    expect(all.client.wire).toHaveLength(3);
  });

  it("refuses a plan that reaches more people than were expected, with all reasons as data", async () => {
    const all = setUp();
    const plan = await planOffer(all, [...people(4), "P0@acme.test", "no-address"]);
    expect(plan.state).toBe("refused");
    expect(Object.keys(plan.refusalCounts).sort()).toEqual(
      ["ADDRESS_INVALID", "NO_RECIPIENTS", "PLAN_COUNT", "PLAN_DUPLICATE"].sort(),
    );
    expect(JSON.stringify(plan)).not.toMatch(/p\d@/i);
    expect(await codeOf(all.fuse.release(plan.id, { tokens: [await all.token(plan, "erin")] }))).toBe("PLAN_STATE");
    expect(all.client.wire).toEqual([]);
  });

  it("refuses bulk mail outside a release, whoever names it", async () => {
    const { client, fuse } = setUp();
    expect(await codeOf(client.send({ to: "a@acme.test", tag: "offer" }))).toBe("PLAN_REQUIRED");
    expect(await codeOf(fuse.run({ purpose: "refund" }, () => client.send({ to: "a@acme.test" })))).toBe(
      "PLAN_REQUIRED",
    );
    expect(client.wire).toEqual([]);
  });

  it("refuses misuse", async () => {
    const all = setUp();
    expect(await codeOf(planOffer(all, []))).toBe("PLAN_EMPTY");
    expect(await codeOf(planOffer(all, people(1), { purpose: "ofer" }))).toBe("PURPOSE_UNKNOWN");
    expect(await codeOf(planOffer(all, people(1), { requestedBy: "nobody" }))).toBe("PRINCIPAL_UNKNOWN");
    expect(await codeOf(planOffer(all, people(1), { expectedPeople: 0 }))).toBe("PLAN_COUNT");
    expect(
      await codeOf(
        all.fuse.plan({ purpose: "offer", expectedPeople: 3, requestedBy: "dana" }, () =>
          Promise.reject(new Error("no")),
        ),
      ),
    ).toBe("PLAN_JOB_FAILED");
    expect(await codeOf(all.fuse.release("p_nothing"))).toBe("PLAN_NOT_FOUND");
    expect(all.client.wire).toEqual([]);
  });

  it("does not send for a send that lost its context while a plan is rehearsed", async () => {
    const { client, fuse, clock } = setUp();
    let release = () => {};
    let started = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const running = new Promise<void>((resolve) => {
      started = resolve;
    });
    const planning = fuse.plan({ purpose: "offer", expectedPeople: 3, requestedBy: "dana" }, async () => {
      await client.send({ to: "a@acme.test", tag: "offer" });
      started();
      await held;
    });
    await running;
    expect(await codeOf(client.send({ to: "b@acme.test" }))).toBe("CONTEXT_LOST");
    await fuse.run({}, () => client.send({ to: "c@acme.test" }));
    release();
    await planning;
    expect(client.wire.map((mail) => mail.to)).toEqual(["c@acme.test"]);
    // The queue that lost one context may go on when the job has ended: for a minute of quiet.
    expect(await codeOf(client.send({ to: "b@acme.test" }))).toBe("CONTEXT_LOST");
    clock.advance(60_000);
    await client.send({ to: "b@acme.test" });
  });
});

describe("a plan", () => {
  it("is refused when its mails are of another purpose", async () => {
    const all = setUp();
    const named = await all.fuse.plan({ purpose: "refund", expectedPeople: 3, requestedBy: "dana" }, () =>
      all.client.send({ to: "a@acme.test", tag: "offer" }),
    );
    expect(named.refusalCounts).toMatchObject({ PURPOSE_CONFLICT: expect.any(Number) });
    const nested = await all.fuse.plan({ purpose: "offer", expectedPeople: 3, requestedBy: "dana" }, () =>
      all.fuse.run({ purpose: "refund" }, () => all.client.send({ to: "a@acme.test" })),
    );
    expect(nested.refusalCounts).toMatchObject({ PURPOSE_CONFLICT: 1 });
    expect(all.client.wire).toEqual([]);
  });

  it("of a test environment ends, whatever becomes of its mails there", async () => {
    for (const onNotAllowed of ["drop", "capture", { redirectTo: "inbox@acme.test" }] as const) {
      const all = setUp({
        environment: "staging",
        environments: { staging: { mode: "test", allow: [], onNotAllowed } },
      });
      const plan = await planOffer(all);
      expect(await all.fuse.release(plan.id, { tokens: [await all.token(plan, "erin")] })).toMatchObject({
        state: "done",
        accepted: 3,
      });
      expect(new Set(all.client.wire.map((mail) => mail.to))).toEqual(
        new Set(typeof onNotAllowed === "string" ? [] : ["inbox@acme.test"]),
      );
    }
  });
});

describe("tokens", () => {
  it("count only when they are for this plan, by another person, in time, once", async () => {
    const all = setUp();
    const plan = await planOffer(all);
    const other = await planOffer(all);
    const good = await all.token(plan, "erin");
    const bad: [string, string][] = [
      [await all.token(plan, "dana"), "TOKEN_OWN"],
      [await all.token(other, "erin"), "TOKEN_OTHER_PLAN"],
      [await all.token(plan, "erin", { digest: "0" }), "TOKEN_OTHER_PLAN"],
      [await all.token(plan, "erin", { key: "frank" }), "TOKEN_INVALID"],
      [await all.token(plan, "erin", { ttlMs: -7_200_000 }), "TOKEN_EXPIRED"],
      [good.slice(0, -10), "TOKEN_INVALID"],
      [
        `${good.split(".")[0]}.${(await all.token(other, "erin")).split(".")[1]}.${good.split(".")[2]}`,
        "TOKEN_INVALID",
      ],
      [`${Buffer.from('{"alg":"none"}').toString("base64url")}.${good.split(".")[1]}.`, "TOKEN_INVALID"],
      ["", "TOKEN_INVALID"],
    ];
    for (const [token, code] of bad) expect(await codeOf(all.fuse.release(plan.id, { tokens: [token] }))).toBe(code);
    expect(all.client.wire).toEqual([]);
    await all.fuse.release(plan.id, { tokens: [good] });
    expect(all.client.wire).toHaveLength(3);
  });

  it("need distinct people", async () => {
    const all = setUp();
    const plan = await all.fuse.plan({ purpose: "refund", expectedPeople: 1, requestedBy: "dana" }, () =>
      all.client.send({ to: "a@acme.test" }),
    );
    const twice = [await all.token(plan, "erin"), await all.token(plan, "erin")];
    expect(await codeOf(all.fuse.release(plan.id, { tokens: twice }))).toBe("APPROVALS_MISSING");
    expect(all.client.wire).toEqual([]);
    await all.fuse.release(plan.id, { tokens: [await all.token(plan, "erin"), await all.token(plan, "frank")] });
    expect(all.client.wire).toHaveLength(1);
  });
});

describe("a release", () => {
  it("is refused when the policy, the environment or the time is another", async () => {
    const all = setUp();
    const plan = await planOffer(all, people(3), { notAfter: all.clock.now() + 1000 });
    const tokens = [await all.token(plan, "erin")];
    const policy = all.make({ caps: [{ people: 1000, per: "1h" }] });
    expect(await codeOf(policy.fuse.release(plan.id, { tokens }))).toBe("PLAN_CHANGED");
    const staging = all.make({ environment: "staging" });
    expect(await codeOf(staging.fuse.release(plan.id, { tokens }))).toBe("PLAN_CHANGED");
    all.clock.advance(1001);
    expect(await codeOf(all.fuse.release(plan.id, { tokens }))).toBe("PLAN_EXPIRED");
    expect([...all.client.wire, ...policy.client.wire, ...staging.client.wire]).toEqual([]);
  });

  it("works from another process that has the secret, and not without it", async () => {
    const all = setUp();
    const plan = await planOffer(all);
    const tokens = [await all.token(plan, "erin")];
    const stranger = all.make({ secret: "quite another secret" });
    expect(await codeOf(stranger.fuse.release(plan.id, { tokens }))).toBe("PLAN_TAMPERED");
    const second = all.make();
    await second.fuse.release(plan.id, { tokens });
    expect(second.client.wire).toHaveLength(3);
    expect(all.client.wire).toEqual([]);
  });

  it("notices a spool or a record that was changed in the store", async () => {
    const all = setUp();
    const plan = await planOffer(all);
    const other = await planOffer(all, ["x@acme.test", "y@acme.test", "z@acme.test"]);
    const entries = await all.store.entries(other.id, 0, 10);
    const real = all.store.entries.bind(all.store);
    const realPlan = all.store.plan.bind(all.store);
    const tokens = [await all.token(plan, "erin")];
    all.store.entries = async (id, from, limit) =>
      id === plan.id ? entries.slice(from, from + limit) : real(id, from, limit);
    expect(await codeOf(all.fuse.release(plan.id, { tokens }))).toBe("PLAN_TAMPERED");
    all.store.entries = async (id, from, limit) => (await real(id, from, limit)).slice(0, -1);
    expect(await codeOf(all.fuse.release(plan.id, { tokens }))).toBe("PLAN_TAMPERED");
    all.store.entries = real;
    all.store.plan = async (id) => {
      const row = await realPlan(id);
      return row && { ...row, record: row.record.replace('"people":3', '"people":2') };
    };
    expect(await codeOf(all.fuse.release(plan.id, { tokens }))).toBe("PLAN_TAMPERED");
    all.store.plan = realPlan;
    await all.fuse.release(plan.id, { tokens });
    expect(all.client.wire).toHaveLength(3);
  });

  it("counts approvals by their signatures, also towards whoever can authenticate a record", async () => {
    const all = setUp();
    const plan = await planOffer(all);
    const row = await all.store.plan(plan.id);
    const secrets = createSecrets(["a secret of some length"]);
    const record = JSON.parse(row?.record ?? "") as PlanRecord & { mac?: string };
    delete record.mac;
    const other = await planOffer(all);
    const approvals = [
      { by: "erin", token: "1", signed: "", at: all.clock.now() },
      { by: "erin", token: "2", signed: await all.token(other, "erin"), at: all.clock.now() },
      { by: "erin", token: "3", signed: await all.token(plan, "dana"), at: all.clock.now() },
    ];
    for (const state of ["confirmed", "releasing", "canary", "partial"] as const) {
      for (const approval of approvals) {
        const forged = writeRecord({ secrets }, plan.id, state, { ...record, approvals: [approval] });
        const store = { ...all.store, plan: async () => row && { ...row, state, record: forged } };
        const { fuse, client } = all.make({ store });
        expect(await codeOf(fuse.release(plan.id))).toBe("APPROVALS_MISSING");
        expect(client.wire).toEqual([]);
      }
    }
  });

  it("is shared by two workers without anybody getting two", async () => {
    const all = setUp({
      purposes: { offer: { kind: "bulk", match: { tag: "offer" }, caps: [{ people: 100, per: "24h" }] } },
    });
    const plan = await planOffer(all, people(90), { expectedPeople: 90 });
    const second = all.make();
    const tokens = [await all.token(plan, "erin")];
    let hasBegun = () => {};
    const begun = new Promise<void>((resolve) => {
      hasBegun = resolve;
    });
    let joined: Promise<unknown> | undefined;
    const first = all.fuse.release(plan.id, {
      tokens,
      // The first waits until the second has delivered something.
      onDelivered: () => {
        joined ??= second.fuse.release(plan.id, { tokens, onDelivered: hasBegun });
        return begun;
      },
    });
    await whileTimePasses(
      all,
      first.then(() => joined),
    );
    expect(second.client.wire.length).toBeGreaterThan(0);
    const reached = [...all.client.wire, ...second.client.wire].map((mail) => mail.to);
    expect(reached.sort()).toEqual(people(90).sort());
    expect((await all.fuse.findPlan(plan.id)).state).toBe("done");
  });

  it("stops at a halt, and needs a new confirmation for the rest", async () => {
    const all = setUp();
    const plan = await planOffer(all, people(6), { expectedPeople: 6 });
    const spare = await all.token(plan, "frank");
    let halting: Promise<void> | undefined;
    const result = await all.fuse.release(plan.id, {
      tokens: [await all.token(plan, "erin")],
      concurrency: 1,
      onDelivered: () => {
        halting ??= all.fuse.halt({ purpose: "offer", reason: "wrong list", by: "dana" });
        return halting;
      },
    });
    expect(result.state).toBe("halted");
    expect(all.client.wire).toHaveLength(1);
    await all.fuse.resume({ purpose: "offer", by: "dana" });
    expect(await codeOf(all.fuse.release(plan.id))).toBe("APPROVALS_MISSING");
    expect(await codeOf(all.fuse.release(plan.id, { tokens: [spare] }))).toBe("TOKEN_OTHER_PLAN");
    const again = await all.fuse.findPlan(plan.id);
    all.clock.advance(10 * 60_000);
    await all.fuse.release(plan.id, { tokens: [await all.token(again, "frank")] });
    expect(all.client.wire.map((mail) => mail.to).sort()).toEqual(people(6).sort());
  });

  it("does not repeat a mail whose outcome is unknown, and gives it back as such", async () => {
    const all = setUp();
    const plan = await planOffer(all);
    all.client.fates.push("accepted", "unknown", "accepted");
    const result = await all.fuse.release(plan.id, { tokens: [await all.token(plan, "erin")], concurrency: 1 });
    expect(result).toMatchObject({ state: "partial", accepted: 2, unknown: 1 });
    await all.fuse.release(plan.id).catch(() => {});
    expect(all.client.wire).toHaveLength(2);
  });

  it("spends the cap of its window as a whole", async () => {
    const all = setUp();
    const first = await planOffer(all, people(7), { expectedPeople: 7 });
    await all.fuse.release(first.id, { tokens: [await all.token(first, "erin")] });
    const second = await planOffer(all, people(12).slice(7), { expectedPeople: 5 });
    expect(await codeOf(all.fuse.release(second.id, { tokens: [await all.token(second, "erin")] }))).toBe(
      "CAP_EXCEEDED",
    );
    expect(all.client.wire).toHaveLength(7);
  });
});
