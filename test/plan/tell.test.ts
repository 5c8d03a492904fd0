import { expect, it } from "vitest";
import { createFuse, memoryStore, type PendingPlan } from "../../src/index";
import { fakeAdapter, fakeClient } from "../support/fake-client";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

function setUp(onPlan: (plan: PendingPlan) => unknown) {
  const fuse = createFuse({
    environment: "production",
    environments: { production: { mode: "live" } },
    purposes: {
      refund: { kind: "bulk", caps: [{ people: 50, per: "24h" }] },
      ops: { kind: "stream", match: { tag: "ops" }, caps: [{ people: 5, per: "1h" }] },
    },
    defaults: { caps: [{ people: 5, per: "1h" }] },
    approvers: { erin: { publicKey: "e".repeat(43) } },
    requesters: ["dana"],
    isSuppressed: () => ["gone@acme.test"],
    store: memoryStore(),
    logger: quiet,
    onPlan,
  });
  const client = fuse.attach(fakeClient(), fakeAdapter());
  const plan = (...people: string[]) =>
    fuse.plan(
      { purpose: "refund", expectedPeople: people.length, requestedBy: "dana" },
      { audience: people, send: (to) => client.send({ to }) },
    );
  return { fuse, client, plan };
}

it("is told of each plan that waits, once, without addresses; and of none that is refused", async () => {
  const told: PendingPlan[] = [];
  const { fuse, plan } = setUp((pending) => told.push(pending));
  const good = await plan("ann@acme.test", "ben@acme.test");
  const refused = await plan("ann@acme.test", "gone@acme.test");
  expect(refused.state).toBe("refused");
  const excluded = await fuse.exclude(refused.id, { by: "dana" });
  await fuse.flush();
  expect(told).toMatchObject([
    { id: good.id, purpose: "refund", people: 2, requester: "dana", environment: "production" },
    { id: excluded.id, people: 1 },
  ]);
  expect(JSON.stringify(told)).not.toContain("@");
});

it("lets the callback mail the approvers: its mail is a mail like any other, and stands in no plan", async () => {
  const { fuse, client, plan } = setUp(({ id }) => client.send({ to: "erin@acme.test", tag: "ops", subject: id }));
  const { terms } = await fuse.run({ purpose: "refund" }, () => plan("ann@acme.test"));
  await fuse.flush();
  expect(terms.entries).toBe(1);
  expect(client.wire.map(({ to }) => to)).toEqual(["erin@acme.test"]);
});

it("plans all the same when the callback throws, and takes its answer for no confirmation", async () => {
  for (const onPlan of [() => Promise.reject(new Error("down")), () => "confirmed", () => ({ tokens: ["x"] })]) {
    const { fuse, plan } = setUp(onPlan);
    const { id } = await plan("ann@acme.test");
    await fuse.flush();
    expect(await fuse.findPlan(id)).toMatchObject({ state: "planned", approvals: [] });
  }
});
