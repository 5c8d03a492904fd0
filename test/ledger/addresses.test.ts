import { describe, expect, it } from "vitest";
import { linesOf, people, release, setUp } from "./set-up";

const day = 86_400_000;

describe("sealed addresses", () => {
  it("are written with the reservation, once a day for each person, and never in clear", async () => {
    const { client, store, clock, fuse } = setUp();
    await client.send({ to: "ann@acme.test", cc: ["bob@acme.test"], tag: "note" });
    await client.send({ to: "ann@acme.test", tag: "note" });
    const [bucket = ""] = await store.addressBuckets();
    expect(bucket).toMatch(/^\d{4}-\d\d-\d\d\./);
    expect(await store.forgetAddresses({ bucket })).toBe(2);
    clock.advance(day);
    await client.send({ to: "ann@acme.test", tag: "note" });
    expect(await store.addressBuckets()).toHaveLength(1);
    expect(JSON.stringify(await linesOf(store))).not.toContain("acme.test");
    await fuse.close();
  });

  it("are the same day's for every process", async () => {
    const all = setUp();
    const second = all.make();
    await all.client.send({ to: "ann@acme.test", tag: "note" });
    await second.client.send({ to: "bob@acme.test", tag: "note" });
    const incident = await second.fuse.incident({ purpose: "note", from: all.clock.now() - 1_000 }, { right: [] });
    expect((await incident.audience()).map(({ address }) => address)).toEqual(["ann@acme.test", "bob@acme.test"]);
  });

  it("are not written for mail that does not leave", async () => {
    const all = setUp({ defaults: { caps: [{ people: 1, per: "1h" }] } });
    await all.client.send({ to: "ann@acme.test" });
    await all.client.send({ to: "bob@acme.test" }).catch(() => {});
    const [bucket = ""] = await all.store.addressBuckets();
    expect(await all.store.forgetAddresses({ bucket })).toBe(1);
  });

  it("are kept for mail that test and observe mode let out, and not for what they keep back", async () => {
    const test = setUp({
      environments: { production: { mode: "test", allow: ["*@acme.test"], onNotAllowed: "drop" } },
    });
    await test.client.send({ to: "ann@acme.test" });
    await test.client.send({ to: "eve@elsewhere.test" });
    const [bucket = ""] = await test.store.addressBuckets();
    expect(await test.store.forgetAddresses({ bucket })).toBe(1);
    const observe = setUp({ environments: { production: { mode: "observe" } } });
    await observe.client.send({ to: "ann@acme.test" });
    expect(await observe.store.addressBuckets()).toHaveLength(1);
  });

  it.each([
    [30, {}],
    [7, { retention: { addresses: "7d" } }],
  ] as const)("are destroyed by themselves after %i days, and the ledger holds all the same", async (days, config) => {
    const all = setUp(config);
    const plan = await release(all, people(3));
    await all.fuse.ledger.seal();
    all.clock.advance((days - 1) * day);
    expect(await all.fuse.ledger.retain()).toEqual({ days: [], addresses: 0 });
    const before = await all.fuse.incident({ plan: plan.id }, { right: [] });
    expect(before.data.correction).toMatchObject({ people: 3, unreachable: 0 });
    // Nobody asks for it: a mail sent later has the upkeep run.
    all.clock.advance(2 * day);
    await all.client.send({ to: "late@acme.test", tag: "note" });
    all.clock.advance(61_000);
    await all.fuse.flush();
    const after = await all.fuse.incident({ plan: plan.id }, { right: [] });
    expect(after.data.correction).toMatchObject({ people: 0, unreachable: 3 });
    expect(after.data.people).toMatchObject({ accepted: 3, wrongly: 3 });
    expect(after.data.warnings.join()).toContain("3 people are destroyed");
    expect(await all.fuse.ledger.verify()).toMatchObject({ ok: true });
    expect((await linesOf(all.store)).some(({ event }) => event.includes('"type":"addresses-destroyed"'))).toBe(true);
  });

  it("open for nobody else: one put in another's place is no address", async () => {
    const all = setUp();
    const plan = await release(all, people(2));
    const swapped = {
      ...all.store,
      addresses: async (bucket: string, who: readonly string[]) =>
        [...(await all.store.addresses(bucket, who))].reverse(),
    };
    const incident = await all.make({ store: swapped }).fuse.incident({ plan: plan.id }, { right: [] });
    expect(await incident.audience()).toEqual([]);
    expect(incident.data.correction).toMatchObject({ people: 0, unreachable: 2 });
  });

  it("are not destroyed on the word of one clock that is wrong", async () => {
    const all = setUp();
    await all.client.send({ to: "ann@acme.test", tag: "note" });
    // The store's clock is a year ahead; this process's is not.
    const ahead = { ...all.store, now: async () => all.clock.now() + 365 * day };
    const { fuse } = all.make({ store: ahead });
    expect(await fuse.ledger.retain()).toEqual({ days: [], addresses: 0 });
    expect(await all.store.addressBuckets()).toHaveLength(1);
  });

  it("of one person are destroyed on request, in every bucket, and kept anew when mailed again", async () => {
    const all = setUp();
    const plan = await release(all, people(3));
    all.clock.advance(day);
    await all.client.send({ to: "P1@acme.test", tag: "note" });
    expect(await all.fuse.ledger.forget({ address: "P1@ACME.test", by: "erin" })).toEqual({ addresses: 2 });
    const incident = await all.fuse.incident({ plan: plan.id }, { right: [] });
    expect((await incident.audience()).map(({ address }) => address)).toEqual(["p0@acme.test", "p2@acme.test"]);
    expect(incident.data.correction).toMatchObject({ people: 2, unreachable: 1 });
    expect(await all.fuse.ledger.verify()).toMatchObject({ ok: true });
    expect(JSON.stringify(await linesOf(all.store))).not.toContain("acme.test");
    await all.client.send({ to: "p1@acme.test", tag: "note" });
    expect(await all.fuse.ledger.forget({ address: "p1@acme.test" })).toEqual({ addresses: 1 });
  });
});

describe("a change of the secret", () => {
  const next = ["another secret, as long", "a secret of some length"];

  it("reads what was sealed before, and knows that one person is one person", async () => {
    const all = setUp();
    const since = all.clock.now();
    await all.client.send({ to: "ann@acme.test", tag: "note" });
    const rotated = all.make({ secret: next });
    await rotated.client.send({ to: "Ann@acme.test", tag: "note" });
    await rotated.client.send({ to: "bob@acme.test", tag: "note" });
    const incident = await rotated.fuse.incident({ purpose: "note", from: since }, { right: ["bob@acme.test"] });
    expect(incident.data.people).toMatchObject({ accepted: 2, rightly: 1, wrongly: 1 });
    expect(incident.fateOf("ann@acme.test")).toBe("accepted");
    expect(await rotated.fuse.ledger.forget({ address: "ann@acme.test" })).toEqual({ addresses: 2 });
  });

  it("while it is under way, leaves processes with the former secret sending", async () => {
    const all = setUp();
    const rotated = all.make({ secret: next });
    await rotated.client.send({ to: "ann@acme.test", tag: "note" });
    await all.client.send({ to: "bob@acme.test", tag: "note" });
    expect([...all.client.wire, ...rotated.client.wire]).toHaveLength(2);
  });

  it("without the former one says how many people are locked, and corrects nobody in silence", async () => {
    const all = setUp();
    const plan = await release(all, people(3));
    const wrong = all.make({ secret: "not the secret that it was" });
    const incident = await wrong.fuse.incident({ plan: plan.id }, { right: () => false });
    expect(incident.data.correction).toMatchObject({ people: 0, unreachable: 3 });
    expect(incident.data.warnings.join()).toContain("sealed under a secret that is not configured");
    await expect(incident.correction({ requestedBy: "dana", send: () => {} })).rejects.toMatchObject({
      code: "ADDRESSES_DESTROYED",
    });
  });
});
