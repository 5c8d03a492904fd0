/** While the secret is changed, nothing is forgotten and nobody is counted twice. */
import { describe, expect, it } from "vitest";
import { codeOf } from "../support/fake-client";
import { people, setUp } from "./set-up";

const old = "a secret of some length";
const next = "another secret, as long";

const limited = {
  purposes: {
    offer: { kind: "bulk", caps: [{ people: 4, per: "24h" }] },
    note: { kind: "stream", match: { tag: "note" }, caps: [{ people: 4, per: "24h" }] },
    reset: {
      kind: "stream",
      match: { tag: "reset" },
      caps: [{ people: 100, per: "24h" }],
      perPerson: [{ messages: 2, per: "24h" }],
      duplicateWindow: "24h",
    },
  },
} as const;

function rotation() {
  const all = setUp(limited);
  return { all, rotating: all.make({ secret: [next, old] }), rotated: all.make({ secret: next }) };
}

describe("a change of the secret", () => {
  it("does not make a cap forget, nor count anybody twice", async () => {
    const { all, rotating } = rotation();
    for (const to of people(3)) await all.client.send({ to, tag: "note" });
    // The same three again: nobody new.
    for (const to of people(3)) await rotating.client.send({ to, tag: "note" });
    await rotating.client.send({ to: "p3@acme.test", tag: "note" });
    expect(await codeOf(rotating.client.send({ to: "p4@acme.test", tag: "note" }))).toBe("CAP_EXCEEDED");
    // A process that has not heard of the change yet.
    expect(await codeOf(all.client.send({ to: "p4@acme.test", tag: "note" }))).toBe("CAP_EXCEEDED");
    expect((await rotating.fuse.status()).caps.find(({ purpose }) => purpose === "note")).toMatchObject({ used: 4 });
  });

  it("has the new names by the time the former ones are dropped", async () => {
    const { all, rotating, rotated } = rotation();
    for (const to of people(4)) await all.client.send({ to, tag: "note" });
    all.clock.advance(12 * 3_600_000);
    for (const to of people(4)) await rotating.client.send({ to, tag: "note" });
    all.clock.advance(13 * 3_600_000);
    expect(await codeOf(rotated.client.send({ to: "p4@acme.test", tag: "note" }))).toBe("CAP_EXCEEDED");
    await rotated.client.send({ to: "p3@acme.test", tag: "note" });
  });

  it("does not let one mail out twice, by key or by text", async () => {
    const { all, rotating } = rotation();
    const once = ({ fuse, client }: Pick<typeof all, "fuse" | "client">) =>
      fuse.run({ purpose: "note", idempotencyKey: "order-1" }, () => client.send({ to: "ann@acme.test", tag: "note" }));
    await once(all);
    await once(rotating);
    await all.client.send({ to: "ann@acme.test", tag: "reset", text: "once" });
    await rotating.client.send({ to: "ann@acme.test", tag: "reset", text: "once" });
    await rotating.client.send({ to: "bob@acme.test", tag: "reset", text: "once" });
    await all.client.send({ to: "bob@acme.test", tag: "reset", text: "once" });
    expect(all.client.wire).toHaveLength(2);
    expect(rotating.client.wire).toHaveLength(1);
  });

  it("does not let a person get more than their share", async () => {
    const { all, rotating } = rotation();
    await all.client.send({ to: "ann@acme.test", tag: "reset", text: "1" });
    await rotating.client.send({ to: "ann@acme.test", tag: "reset", text: "2" });
    expect(await codeOf(rotating.client.send({ to: "ann@acme.test", tag: "reset", text: "3" }))).toBe("CAP_EXCEEDED");
    expect(await codeOf(all.client.send({ to: "ann@acme.test", tag: "reset", text: "3" }))).toBe("CAP_EXCEEDED");
  });

  it("does not make a plan's cap forget, whether planned before the change or after", async () => {
    for (const planner of ["all", "rotating"] as const) {
      const { all, rotating } = rotation();
      const { fuse, client } = planner === "all" ? all : rotating;
      const plan = (to: readonly string[]) =>
        fuse.plan(
          { purpose: "offer", expectedPeople: to.length, requestedBy: "dana", allowRepeat: true },
          { audience: to, send: (address) => client.send({ to: address, subject: "Offer", text: "x" }) },
        );
      const first = await plan(people(3));
      await rotating.fuse.release(first.id, { tokens: [await all.token(first, "erin", rotating)] });
      const same = await plan(people(3));
      await rotating.fuse.release(same.id, { tokens: [await all.token(same, "erin", rotating)] });
      const more = await plan(people(2, 3));
      expect(await codeOf(rotating.fuse.release(more.id, { tokens: [await all.token(more, "erin", rotating)] }))).toBe(
        "CAP_EXCEEDED",
      );
      expect(rotating.client.wire).toHaveLength(6);
    }
  });

  it("from one that the store kept is a change like any other", async () => {
    const all = setUp(limited);
    const keptInStore = { ...all.store };
    const bare = all.make({ store: keptInStore, secret: undefined as never });
    for (const to of people(4)) await bare.client.send({ to, tag: "note" });
    const own = all.make({ secret: next });
    expect(await codeOf(own.client.send({ to: "p4@acme.test", tag: "note" }))).toBe("CAP_EXCEEDED");
    await own.client.send({ to: "p0@acme.test", tag: "note" });
  });
});
