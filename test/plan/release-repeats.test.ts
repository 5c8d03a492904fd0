import { Resend } from "resend";
import { describe, expect, it } from "vitest";
import { resendAdapter } from "../../adapters/resend";
import { type Arrived, startEndpoint } from "../support/endpoint";
import { fakeAdapter } from "../support/fake-client";
import { people, planOffer, setUp, whileTimePasses } from "./release-set-up";

/** Resend as it documents itself: a known key gets the former answer and mails nobody. Some answers are lost. */
async function resendServer() {
  const mailed: string[] = [];
  const known = new Map<string, unknown>();
  let asked = 0;
  const endpoint = await startEndpoint((request: Arrived) => {
    const key = String(request.headers["idempotency-key"]);
    asked++;
    // The connection breaks before anything was done, and once more after it was.
    if (asked === 2) return { reset: true };
    if (!known.has(key)) {
      mailed.push((JSON.parse(request.body) as { to: string }).to);
      known.set(key, { id: `m-${known.size}` });
    }
    return asked === 4 ? { reset: true } : { body: known.get(key) };
  });
  return { endpoint, mailed };
}

describe("a provider that knows the entry's own key", () => {
  it("is asked again about what is unknown, and nobody gets two", async () => {
    const { endpoint, mailed } = await resendServer();
    const all = setUp();
    const resend = all.fuse.attach(new Resend("re_key", { baseUrl: endpoint.url }), resendAdapter());
    const audience = people(6);
    const plan = await all.fuse.plan(
      { purpose: "offer", expectedPeople: 6, requestedBy: "dana" },
      { audience, send: (to) => resend.emails.send({ from: "s@acme.test", to, subject: "Offer", text: `for ${to}` }) },
    );
    const releasing = all.fuse.release(plan.id, { tokens: [await all.token(plan, "erin")], concurrency: 1 });
    expect(await whileTimePasses(all, releasing)).toMatchObject({ state: "done", accepted: 6, unknown: 0 });
    expect(mailed.sort()).toEqual(audience);
    // Eight requests under six keys: a person's own key, however often it was asked.
    expect(endpoint.arrived).toHaveLength(8);
    const keyOf = new Map<string, string>();
    for (const { body, headers } of endpoint.arrived) {
      const { to } = JSON.parse(body) as { to: string };
      const key = String(headers["idempotency-key"]);
      expect(keyOf.get(to) ?? key).toBe(key);
      keyOf.set(to, key);
    }
    expect(new Set(keyOf.values()).size).toBe(6);
    await endpoint.close();
  });

  it("is not asked again when its time for that is over, and no provider is that knows no keys", async () => {
    for (const dropsRepeatsMs of [undefined, 1_000]) {
      const all = setUp();
      const adapter = fakeAdapter();
      const client = all.client;
      all.fuse.detach(client);
      all.fuse.attach(client, {
        name: "fake",
        attach: (held, gate) => ({
          ...adapter.attach(held, gate),
          ...(dropsRepeatsMs === undefined ? {} : { dropsRepeatsMs }),
        }),
      });
      const plan = await all.fuse.plan({ purpose: "offer", expectedPeople: 3, requestedBy: "dana" }, () =>
        Promise.all(people(3).map((to) => client.send({ to, tag: "offer" }))),
      );
      client.fates.push("accepted", "unknown");
      const releasing = all.fuse.release(plan.id, {
        tokens: [await all.token(plan, "erin")],
        concurrency: 1,
        onDelivered: () => all.clock.advance(400),
      });
      expect(await whileTimePasses(all, releasing)).toMatchObject({ state: "partial", accepted: 2, unknown: 1 });
      expect(client.wire).toHaveLength(2);
    }
  });
});

describe("what a worker that was killed had reserved", () => {
  it("ends the plan as unknown, also when several living workers are left with it", async () => {
    const all = setUp();
    // Slowly, so that all of them are there.
    const plan = await planOffer(all, people(3), { rate: { messages: 1, per: "1m" } });
    // The dead worker's: reserved, and never heard of again.
    await all.store.reserve([
      {
        id: "dead",
        scopes: [],
        once: [],
        entry: { plan: plan.id, index: 0 },
        caps: [],
        rates: [],
        event: "{}",
        seen: 0,
      },
    ]);
    const workers = [all, all.make(), all.make()];
    const tokens = [await all.token(plan, "erin")];
    const releasing = Promise.all(workers.map(({ fuse }) => fuse.release(plan.id, { tokens })));
    const results = await whileTimePasses(all, releasing);
    for (const result of results) expect(result).toMatchObject({ state: "partial", accepted: 2, unknown: 1 });
    expect(workers.flatMap(({ client }) => client.wire)).toHaveLength(2);
  });
});

describe("a worker's place", () => {
  it("is free when the release has ended, also where its last renewal came late", async () => {
    const all = setUp();
    const plan = await planOffer(all, people(2), { expectedPeople: 2 });
    let late: (() => void) | undefined;
    const store = {
      ...all.store,
      async lease(name: string, holder: string, ms: number) {
        // A renewal, not the first: on its way until everything else is done, or somebody waits for it.
        if (late === undefined && renews) {
          await new Promise<void>((resolve) => {
            late = resolve;
            setTimeout(resolve, 50);
          });
        }
        return all.store.lease(name, holder, ms);
      },
    };
    let renews = false;
    const { fuse } = all.make({ store });
    await fuse.release(plan.id, {
      tokens: [await all.token(plan, "erin")],
      concurrency: 1,
      onDelivered: () => {
        renews = true;
        all.clock.advance(11_000);
      },
    });
    late?.();
    await fuse.flush();
    expect((await all.fuse.findPlan(plan.id)).state).toBe("done");
    expect(await all.store.lease(`release:${plan.id}:0`, "another", 1_000)).toBe(true);
  });
});
