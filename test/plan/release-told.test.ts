import { describe, expect, it } from "vitest";
import { z } from "zod";
import { codeOf } from "../support/fake-client";
import { people, planOffer, setUp, whileTimePasses } from "./release-set-up";

const caps = [{ people: 500, per: "24h" }] as const;
const bulk = { kind: "bulk", match: { tag: "offer" }, caps: [...caps] } as const;

describe("the application", () => {
  it("hears of every delivery after a callback that threw, and of some twice at most", async () => {
    const all = setUp({ purposes: { offer: bulk } });
    const plan = await planOffer(all, people(30), { expectedPeople: 30 });
    const told: number[] = [];
    const first = all.fuse.release(plan.id, {
      tokens: [await all.token(plan, "erin")],
      onDelivered: ({ index }) => {
        if (told.length === 12) throw new Error("the database is down");
        told.push(index);
      },
    });
    expect(await codeOf(first)).toBe("threw: Error: the database is down");
    // It stopped: what the application cannot note down is not sent on and on.
    expect(all.client.wire.length).toBeLessThan(20);
    all.clock.advance(60_000);
    const data: unknown[] = [];
    const onDelivered = (entry: { index: number; data: unknown }) => {
      told.push(entry.index);
      data.push(entry.data);
    };
    expect(await all.fuse.release(plan.id, { onDelivered })).toMatchObject({ state: "done", accepted: 30 });
    expect(new Set(told).size).toBe(30);
    expect(data).toContainEqual({ address: "p29@acme.test" });
    expect(all.client.wire).toHaveLength(30);
    const again: unknown[] = [];
    expect(await codeOf(all.fuse.release(plan.id, { onDelivered: (entry) => again.push(entry) }))).toBe("PLAN_STATE");
    expect(again).toEqual([]);
  });

  it("hears of what a dead worker had delivered, also when the plan was finished without a callback", async () => {
    const all = setUp({ purposes: { offer: bulk } });
    const plan = await planOffer(all, people(6), { expectedPeople: 6 });
    // A worker that dies between the provider's yes and the callback: no promise of it ends, no timer of it fires.
    const dying = all.make({ clock: { now: all.clock.now, after: () => () => {} } });
    void dying.fuse.release(plan.id, {
      tokens: [await all.token(plan, "erin")],
      onDelivered: () => new Promise(() => {}),
    });
    while (dying.client.wire.length < 5) await new Promise((resolve) => setImmediate(resolve));
    const second = all.make();
    const without = await whileTimePasses(all, second.fuse.release(plan.id, { leaseMs: 30_000 }));
    expect(without).toMatchObject({ state: "done", accepted: 6 });
    const told: number[] = [];
    const late = all.make().fuse.release(plan.id, { onDelivered: ({ index }) => told.push(index) });
    await whileTimePasses(all, late);
    expect([...new Set(told)].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...dying.client.wire, ...second.client.wire].map((mail) => mail.to).sort()).toEqual(people(6).sort());
  });
});

describe("people who fall out", () => {
  const due = new Set<string>();
  const gone = new Set<string>();
  const world = () => {
    due.clear();
    gone.clear();
    for (const to of people(300)) due.add(to);
    return setUp({
      purposes: {
        offer: {
          ...bulk,
          claim: { data: z.object({ address: z.string() }), verify: ({ address }) => due.has(address) },
        },
      },
      isSuppressed: (addresses) => addresses.filter((address) => gone.has(address)),
    });
  };

  it("are taken out visibly, and the plan ends", async () => {
    const all = world();
    const plan = await planOffer(all, people(20), { expectedPeople: 20 });
    due.delete("p3@acme.test");
    gone.add("p7@acme.test");
    const result = await all.fuse.release(plan.id, { tokens: [await all.token(plan, "erin")] });
    expect(result).toMatchObject({ state: "partial", accepted: 18, removed: 2, waiting: 0 });
    expect(result.refusals.map(({ code }) => code).sort()).toEqual(["CLAIM_FAILED", "SUPPRESSED"]);
    expect(await all.store.entriesIn(plan.id, "removed", -1, 9)).toEqual([3, 7]);
    const lines = (await all.store.read(0, 1_000)).map(({ event }) => JSON.parse(event) as Record<string, unknown>);
    expect(lines.filter(({ type }) => type === "removed").flatMap(({ entries }) => entries)).toEqual([3, 7]);
    const reached = all.client.wire.map((mail) => mail.to);
    expect(reached).not.toContain("p3@acme.test");
    expect(reached).not.toContain("p7@acme.test");
    expect(await codeOf(all.fuse.release(plan.id))).toBe("PLAN_STATE");
  });

  it("in numbers send the plan back, and the next confirmation says how many", async () => {
    const all = world();
    const plan = await planOffer(all, people(20), { expectedPeople: 20 });
    for (const to of people(6)) gone.add(to);
    const token = await all.token(plan, "erin");
    expect(await codeOf(all.fuse.release(plan.id, { tokens: [token] }))).toBe("PLAN_CHANGED");
    expect(all.client.wire).toEqual([]);
    expect(await codeOf(all.fuse.release(plan.id, { tokens: [token] }))).toBe("TOKEN_OTHER_PLAN");
    const { plan: again } = await all.fuse.view(plan.id, { by: "frank" });
    expect(again).toMatchObject({ state: "planned", removed: 6 });
    expect(again.digest).not.toBe(plan.digest);
    const result = await all.fuse.release(plan.id, { tokens: [await all.token(again, "frank")] });
    expect(result).toMatchObject({ state: "partial", accepted: 14, removed: 6 });
    expect(all.client.wire.map((mail) => mail.to).sort()).toEqual(people(20).slice(6).sort());
  });

  it("in numbers while it leaves stop it, and the rest needs new confirmations", async () => {
    const all = world();
    const plan = await planOffer(all, people(60), { expectedPeople: 60 });
    const result = all.fuse.release(plan.id, {
      tokens: [await all.token(plan, "erin")],
      concurrency: 1,
      onDelivered: ({ index }) => {
        if (index === 0) for (const to of people(60).slice(20)) gone.add(to);
      },
    });
    expect(await codeOf(result)).toBe("PLAN_CHANGED");
    const stopped = await all.fuse.findPlan(plan.id);
    expect(stopped).toMatchObject({ state: "halted", removed: expect.any(Number) });
    expect(all.client.wire.length).toBeLessThanOrEqual(20);
    gone.clear();
    all.clock.advance(60_000);
    const rest = await all.fuse.release(plan.id, { tokens: [await all.token(stopped, "frank")] });
    expect(rest).toMatchObject({ state: "partial", waiting: 0 });
    expect(rest.accepted + rest.removed).toBe(60);
    expect(new Set(all.client.wire.map((mail) => mail.to)).size).toBe(rest.accepted);
  });

  it("are not those who have their mail: what was delivered may well be due no more", async () => {
    const all = world();
    const plan = await planOffer(all, people(20), { expectedPeople: 20 });
    let halting: Promise<void> | undefined;
    await all.fuse.release(plan.id, {
      tokens: [await all.token(plan, "erin")],
      concurrency: 1,
      onDelivered: ({ index, data }) => {
        due.delete((data as { address: string }).address);
        if (index === 9) halting ??= all.fuse.halt({ purpose: "offer", reason: "lunch", by: "dana" });
        return halting;
      },
    });
    await all.fuse.resume({ purpose: "offer", by: "dana" });
    all.clock.advance(60_000);
    const again = await all.fuse.findPlan(plan.id);
    const rest = await all.fuse.release(plan.id, { tokens: [await all.token(again, "frank")] });
    expect(rest).toMatchObject({ state: "done", accepted: 20, removed: 0 });
    expect(all.client.wire.map((mail) => mail.to).sort()).toEqual(people(20).sort());
  });
});

describe("an unknown outcome", () => {
  it("is listed, and sent again when a declared person says so", async () => {
    const all = setUp({ purposes: { offer: bulk } });
    const plan = await planOffer(all, people(5), { expectedPeople: 5 });
    all.client.fates.push("accepted", "unknown", "refused", "accepted", "unknown");
    const result = await all.fuse.release(plan.id, { tokens: [await all.token(plan, "erin")], concurrency: 1 });
    expect(result).toMatchObject({ state: "partial", unknown: 2, refused: 1, unknownEntries: [1, 4] });
    expect(await codeOf(all.fuse.release(plan.id))).toBe("PLAN_STATE");
    expect(await codeOf(all.fuse.resend(plan.id, { by: "nobody" }))).toBe("PRINCIPAL_UNKNOWN");
    expect((await all.fuse.resend(plan.id, { by: "dana" })).state).toBe("releasing");
    expect(await all.fuse.release(plan.id)).toMatchObject({ state: "partial", accepted: 4, unknown: 0, refused: 1 });
    expect(all.client.wire.map((mail) => mail.to)).toEqual(["p0", "p3", "p1", "p4"].map((name) => `${name}@acme.test`));
  });

  it("is not sent again while a worker that may have it under way is alive", async () => {
    const all = setUp({ purposes: { offer: bulk } });
    const plan = await planOffer(all, people(5), { expectedPeople: 5 });
    let codes: Promise<string> | undefined;
    await all.fuse.release(plan.id, {
      tokens: [await all.token(plan, "erin")],
      onDelivered: () => {
        codes ??= codeOf(all.make().fuse.resend(plan.id, { by: "dana" }));
        return codes;
      },
    });
    expect(await codes).toBe("PLAN_STATE");
    expect(all.client.wire).toHaveLength(5);
  });
});

describe("what guards refuse at the release", () => {
  it("waits for a later one, which needs no new confirmation, and leaves then", async () => {
    let sunday = true;
    const all = setUp({
      purposes: { offer: bulk },
      guards: [
        (send, next) => {
          const [to] = send.messages.flatMap(({ recipients }) => recipients.map(({ address }) => address));
          if (sunday && send.stage === "release" && to !== "p1@acme.test")
            send.refuse({ code: "GUARD_REFUSED", message: "Expected a weekday, got a Sunday." });
          return next();
        },
      ],
    });
    const plan = await planOffer(all, people(3));
    const first = await all.fuse.release(plan.id, { tokens: [await all.token(plan, "erin")] });
    expect(first).toMatchObject({ state: "partial", accepted: 1, waiting: 2, removed: 0 });
    expect(first.refusals.map(({ code }) => code)).toEqual(["GUARD_REFUSED", "GUARD_REFUSED"]);
    expect(await whileTimePasses(all, all.fuse.release(plan.id))).toMatchObject({ state: "partial", waiting: 2 });
    sunday = false;
    expect(await whileTimePasses(all, all.fuse.release(plan.id))).toMatchObject({ state: "done", accepted: 3 });
    expect(all.client.wire.map((mail) => mail.to).sort()).toEqual(people(3).sort());
  });
});
