import { describe, expect, it } from "vitest";
import { signToken } from "../../src/index";
import { codeOf } from "../support/fake-client";
import { keys, people, planOffer, setUp } from "./release-set-up";

const why = { by: "frank", reason: "the price is wrong" };

describe("a plan", () => {
  it("is ended by one no, of a declared person or signed", async () => {
    const all = setUp();
    const named = await planOffer(all);
    const early = await all.token(named, "erin");
    expect(await codeOf(all.fuse.reject(named.id, { ...why, by: "nobody" }))).toBe("PRINCIPAL_UNKNOWN");
    expect(await codeOf(all.fuse.reject(named.id, { ...why, reason: " " }))).toBe("PLAN_STATE");
    const rejected = await all.fuse.reject(named.id, why);
    expect(rejected).toMatchObject({ state: "rejected", ended: why });
    for (const tokens of [[early], [await all.token(named, "erin")], []]) {
      expect(await codeOf(all.fuse.release(named.id, { tokens }))).toBe("PLAN_STATE");
      expect(await codeOf(all.fuse.confirm(named.id, { tokens }))).toBe("PLAN_STATE");
    }
    expect(await all.store.entries(named.id, 0, 9)).toEqual([]);

    const plan = await planOffer(all);
    const other = await planOffer(all);
    const { view } = await all.fuse.view(plan.id, { by: "erin" });
    const request = { by: "erin", privateKey: keys.erin.privateKey, now: all.clock.now(), decision: "reject" } as const;
    const no = await signToken({ plan: plan.id, digest: plan.digest, view, ...request });
    const reason = "not now";
    // A no is no yes, a yes is no no, and a no to one plan is none to another.
    expect(await codeOf(all.fuse.release(plan.id, { tokens: [no] }))).toBe("TOKEN_INVALID");
    const yes = await all.token(plan, "erin");
    expect(await codeOf(all.fuse.reject(plan.id, { token: yes, reason }))).toBe("TOKEN_INVALID");
    expect(await codeOf(all.fuse.reject(other.id, { token: no, reason }))).toBe("TOKEN_OTHER_PLAN");
    expect(await all.fuse.reject(plan.id, { token: no, reason })).toMatchObject({
      state: "rejected",
      ended: { by: "erin" },
    });
    expect(all.client.wire).toEqual([]);
  });

  it("is revoked while it waits, and while it is released within the mails in flight", async () => {
    const all = setUp();
    const waiting = await planOffer(all);
    await all.fuse.confirm(waiting.id, { tokens: [await all.token(waiting, "erin")] });
    await all.fuse.revoke(waiting.id, why);
    expect(await codeOf(all.fuse.release(waiting.id))).toBe("PLAN_STATE");

    const plan = await planOffer(all, people(9), { expectedPeople: 9 });
    let revoking: Promise<unknown> | undefined;
    const result = await all.fuse.release(plan.id, {
      tokens: [await all.token(plan, "erin")],
      concurrency: 1,
      onDelivered: () => {
        revoking ??= all.fuse.revoke(plan.id, why);
        return revoking;
      },
    });
    expect(result.state).toBe("revoked");
    expect(all.client.wire).toHaveLength(1);
    expect(await codeOf(all.fuse.release(plan.id, { tokens: [await all.token(plan, "frank")] }))).toBe("PLAN_STATE");
    // Other mail of the purpose goes on.
    const next = await planOffer(all, ["x@acme.test"], { expectedPeople: 1 });
    await all.fuse.release(next.id, { tokens: [await all.token(next, "erin")] });
    expect(all.client.wire).toHaveLength(2);
  });

  it("is shown as expired when its time is over, and keeps no mails", async () => {
    const all = setUp();
    const plan = await planOffer(all, people(3), { notAfter: all.clock.now() + 1_000 });
    all.clock.advance(1_001);
    expect((await all.fuse.findPlan(plan.id)).state).toBe("expired");
    expect((await all.fuse.plans()).map(({ state }) => state)).toEqual(["expired"]);
    expect(await codeOf(all.fuse.release(plan.id, { tokens: [await all.token(plan, "erin")] }))).toBe("PLAN_EXPIRED");
    expect((await all.store.plan(plan.id))?.state).toBe("expired");
    expect(await all.store.entries(plan.id, 0, 9)).toEqual([]);
    expect(await codeOf(all.fuse.revoke(plan.id, why))).toBe("PLAN_STATE");
  });

  it("that expires half-way stops there", async () => {
    const all = setUp();
    const notAfter = all.clock.now() + 1_000;
    const plan = await planOffer(all, people(60), { expectedPeople: 60, notAfter, purpose: "offer" }).catch(
      () => undefined,
    );
    expect(plan?.state).toBe("refused");
    const wide = setUp({
      purposes: { offer: { kind: "bulk", match: { tag: "offer" }, caps: [{ people: 100, per: "24h" }] } },
    });
    const long = await planOffer(wide, people(60), { expectedPeople: 60, notAfter: wide.clock.now() + 1_000 });
    const late = wide.fuse.release(long.id, {
      tokens: [await wide.token(long, "erin")],
      concurrency: 1,
      onDelivered: ({ index }) => index === 5 && wide.clock.advance(2_000),
    });
    expect(await codeOf(late)).toBe("PLAN_EXPIRED");
    expect(wide.client.wire.length).toBeLessThanOrEqual(20);
    expect((await wide.fuse.findPlan(long.id)).state).toBe("expired");
  });

  it("is listed, newest first, and left out when it does not open", async () => {
    const all = setUp();
    const ids: string[] = [];
    for (let count = 1; count <= 3; count++) ids.unshift((await planOffer(all, people(count))).id);
    expect((await all.fuse.plans()).map(({ id }) => id)).toEqual(ids);
    expect((await all.fuse.plans({ limit: 2 })).map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect(await all.make({ secret: "quite another secret" }).fuse.plans()).toEqual([]);
  });

  it("whose release was halted needs new confirmations, also when no worker saw the halt", async () => {
    const all = setUp();
    const plan = await planOffer(all, people(6), { expectedPeople: 6 });
    const failing = all.fuse.release(plan.id, {
      tokens: [await all.token(plan, "erin")],
      concurrency: 1,
      onDelivered: () => {
        throw new Error("the database is down");
      },
    });
    expect(await codeOf(failing)).toBe("threw: Error: the database is down");
    expect((await all.fuse.findPlan(plan.id)).state).toBe("releasing");
    // A halt that only the store knows, as a cap's: the plan learns of it at the latest when somebody resumes.
    const halt = { scope: "purpose:offer", reason: "wrong list", by: "cap" };
    await all.store.halt(halt, "{}");
    await all.fuse.resume({ purpose: "offer", by: "dana" });
    expect((await all.fuse.findPlan(plan.id)).state).toBe("halted");
    expect(await codeOf(all.fuse.release(plan.id))).toBe("APPROVALS_MISSING");
    expect(all.client.wire).toHaveLength(1);
    const again = await all.fuse.findPlan(plan.id);
    all.clock.advance(60_000);
    await all.fuse.release(plan.id, { tokens: [await all.token(again, "frank")] });
    expect(all.client.wire.map((mail) => mail.to).sort()).toEqual(people(6).sort());
  });
});
