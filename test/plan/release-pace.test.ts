import { describe, expect, it } from "vitest";
import { codeOf } from "../support/fake-client";
import { people, planOffer, type SetUp, setUp, whileTimePasses } from "./release-set-up";

const wide = () =>
  setUp({ purposes: { offer: { kind: "bulk", match: { tag: "offer" }, caps: [{ people: 500, per: "24h" }] } } });

const plan = (all: SetUp, count: number, change: object) =>
  planOffer(all, people(count), { expectedPeople: count, ...change });

describe("a canary", () => {
  it("goes first, and the rest when somebody says so", async () => {
    const all = wide();
    const made = await plan(all, 60, { canary: { people: 7 } });
    expect(made.terms.canary).toEqual({ people: 7 });
    const result = await all.fuse.release(made.id, { tokens: [await all.token(made, "erin")] });
    expect(result).toMatchObject({ state: "canary", accepted: 7, waiting: 53 });
    expect(all.client.wire.map((mail) => mail.to).sort()).toEqual(people(7).sort());
    // However often and by whomever it is called, nothing more leaves.
    await all.fuse.release(made.id);
    await all.make().fuse.release(made.id, { tokens: [await all.token(made, "frank")] });
    expect(all.client.wire).toHaveLength(7);
    expect(await codeOf(all.fuse.proceed(made.id, { by: "nobody" }))).toBe("PRINCIPAL_UNKNOWN");
    expect(await all.fuse.proceed(made.id, { by: "frank" })).toMatchObject({
      state: "releasing",
      canary: { by: "frank" },
    });
    expect(await codeOf(all.fuse.proceed(made.id, { by: "frank" }))).toBe("PLAN_STATE");
    expect(await all.fuse.release(made.id)).toMatchObject({ state: "done", accepted: 60 });
    expect(all.client.wire.map((mail) => mail.to).sort()).toEqual(people(60).sort());
  });

  it("is waited for, its time long, over all workers", async () => {
    const all = wide();
    const made = await plan(all, 40, { canary: { people: 5, wait: "10m" } });
    const second = all.make();
    const began = all.clock.now();
    const tokens = [await all.token(made, "erin")];
    const late: number[] = [];
    const onDelivered = ({ index }: { index: number }) => index >= 5 && late.push(all.clock.now() - began);
    const both = [all, second].map(({ fuse }) => fuse.release(made.id, { tokens, onDelivered }));
    const results = await whileTimePasses(all, Promise.all(both));
    expect(results.map(({ state, accepted }) => [state, accepted])).toEqual([
      ["done", 40],
      ["done", 40],
    ]);
    expect([...all.client.wire, ...second.client.wire].map((mail) => mail.to).sort()).toEqual(people(40).sort());
    expect(late).toHaveLength(35);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(600_000);
  });

  it("that is not accepted whole waits for a person, whatever its time", async () => {
    const all = wide();
    const made = await plan(all, 20, { canary: { people: 4, wait: "10m" } });
    all.client.fates.push("accepted", "refused");
    const tokens = [await all.token(made, "erin")];
    expect(await all.fuse.release(made.id, { tokens, concurrency: 1 })).toMatchObject({ state: "canary", accepted: 3 });
    all.clock.advance(3_600_000);
    expect(await all.fuse.release(made.id)).toMatchObject({ state: "canary" });
    expect(all.client.wire).toHaveLength(3);
    await all.fuse.proceed(made.id, { by: "erin" });
    expect(await all.fuse.release(made.id)).toMatchObject({ state: "partial", accepted: 19, refused: 1 });
  });

  it("comes back at once where nothing shall wait", async () => {
    const all = wide();
    const made = await plan(all, 20, { canary: { people: 4, wait: "10m" } });
    const tokens = [await all.token(made, "erin")];
    expect(await all.fuse.release(made.id, { tokens, wait: false })).toMatchObject({ state: "canary", waiting: 16 });
    all.clock.advance(600_000);
    expect(await all.fuse.release(made.id, { wait: false })).toMatchObject({ state: "done", accepted: 20 });
  });

  it("stops at a halt, and does not go on by itself after it", async () => {
    const all = wide();
    const made = await plan(all, 20, { canary: { people: 4, wait: "10m" } });
    const releasing = all.fuse.release(made.id, { tokens: [await all.token(made, "erin")] });
    const halting = (async () => {
      while (all.client.wire.length < 4) await new Promise((resolve) => setImmediate(resolve));
      await all.fuse.halt({ purpose: "offer", reason: "complaints", by: "erin" });
    })();
    const result = await whileTimePasses(all, Promise.all([releasing, halting]));
    expect(result[0].state).toBe("halted");
    await all.fuse.resume({ purpose: "offer", by: "erin" });
    all.clock.advance(3_600_000);
    expect(await codeOf(all.fuse.release(made.id))).toBe("APPROVALS_MISSING");
    expect(all.client.wire).toHaveLength(4);
    // Whoever confirms it again has seen what the canary did.
    const again = await all.fuse.findPlan(made.id);
    const rest = await all.fuse.release(made.id, { tokens: [await all.token(again, "frank")] });
    expect(rest).toMatchObject({ state: "done", accepted: 20 });
  });

  it("that a halt has cut short is finished first", async () => {
    const all = wide();
    const made = await plan(all, 20, { canary: { people: 6 } });
    let halting: Promise<void> | undefined;
    await all.fuse.release(made.id, {
      tokens: [await all.token(made, "erin")],
      concurrency: 1,
      onDelivered: () => {
        halting ??= all.fuse.halt({ purpose: "offer", reason: "complaints", by: "erin" });
        return halting;
      },
    });
    await all.fuse.resume({ purpose: "offer", by: "erin" });
    all.clock.advance(60_000);
    const again = await all.fuse.findPlan(made.id);
    const rest = await all.fuse.release(made.id, { tokens: [await all.token(again, "frank")] });
    expect(rest).toMatchObject({ state: "canary", accepted: 6, waiting: 14 });
  });

  it("of more people than there are is the whole plan", async () => {
    const all = wide();
    const made = await plan(all, 5, { canary: { people: 50 } });
    const tokens = [await all.token(made, "erin")];
    expect(await all.fuse.release(made.id, { tokens })).toMatchObject({ state: "done", accepted: 5 });
  });

  it("is not walked around by options that do not read", async () => {
    const all = wide();
    const made = await plan(all, 5, {});
    const tokens = [await all.token(made, "erin")];
    for (const options of [{ concurrency: 0 }, { concurrency: Number.NaN }, { concurrency: 1.5 }, { leaseMs: -1 }])
      expect(await codeOf(all.fuse.release(made.id, { tokens, ...options }))).toBe("PLAN_INVALID");
    expect(all.client.wire).toEqual([]);
  });

  it("and a rate have to read", async () => {
    const all = wide();
    for (const change of [
      { canary: { people: 0 } },
      { canary: { people: 1.5 } },
      { canary: { people: 2, wait: "soon" } },
      { canary: { people: 2, wait: "0s" } },
      { rate: { messages: -1, per: "1m" } },
      { rate: { messages: 1 } },
    ])
      expect(await codeOf(plan(all, 3, change))).toBe("PLAN_INVALID");
  });
});

describe("a rate", () => {
  it("holds in every window, over all workers", async () => {
    const all = wide();
    const made = await plan(all, 70, { rate: { messages: 10, per: "1m" } });
    const second = all.make();
    const tokens = [await all.token(made, "erin")];
    const at: number[] = [];
    const onDelivered = () => at.push(all.clock.now());
    const both = [all, second].map(({ fuse }) => fuse.release(made.id, { tokens, onDelivered }));
    await whileTimePasses(all, Promise.all(both));
    expect([...all.client.wire, ...second.client.wire].map((mail) => mail.to).sort()).toEqual(people(70).sort());
    // Room is taken before a mail leaves, by a turn of the test's clock at most.
    const most = Math.max(...at.map((from) => at.filter((time) => time >= from && time < from + 58_000).length));
    expect(most).toBeLessThanOrEqual(10);
    expect(Math.max(...at) - Math.min(...at)).toBeLessThan(10 * 60_000);
  });

  it("leaves the rest waiting where nothing shall wait", async () => {
    const all = wide();
    const made = await plan(all, 25, { rate: { messages: 10, per: "1m" } });
    const tokens = [await all.token(made, "erin")];
    expect(await all.fuse.release(made.id, { tokens, wait: false })).toMatchObject({ accepted: 10, waiting: 15 });
    expect(await all.fuse.release(made.id, { wait: false })).toMatchObject({ accepted: 10 });
    // The window is the plan's, not a worker's.
    expect(await all.make().fuse.release(made.id, { wait: false })).toMatchObject({ accepted: 10 });
    all.clock.advance(60_001);
    expect(await all.fuse.release(made.id, { wait: false })).toMatchObject({ accepted: 20 });
    all.clock.advance(60_001);
    expect(await all.fuse.release(made.id, { wait: false })).toMatchObject({ state: "done", accepted: 25 });
  });
});
