import { randomBytes } from "node:crypto";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import type { Plan, PlanRequest, SpoolEntry, Store } from "../../src/index";
import { sqliteStore } from "../../src/stores/sqlite";
import { codeOf } from "../support/fake-client";
import { people, planOffer, type SetUp, setUp, whileTimePasses } from "./release-set-up";

const wide = {
  purposes: {
    offer: { kind: "bulk" as const, match: { tag: "offer" }, caps: [{ people: 5_000, per: "24h" as const }] },
  },
};
const request: PlanRequest = { purpose: "offer", expectedPeople: 5_000, requestedBy: "dana" };

/** The mails of these people as the job sends them; `seen` hears of every item that is rendered. */
function source({ client }: Pick<SetUp, "client">, audience: Iterable<string>, seen: string[] = []) {
  return {
    audience,
    send: async (to: string) => {
      seen.push(to);
      await client.send({ to, subject: "Offer", text: `for ${to}`, tag: "offer" });
    },
    data: (address: string) => ({ address }),
  };
}

async function releaseOf(all: SetUp, plan: Plan): Promise<string[]> {
  await all.fuse.release(plan.id, { tokens: [await all.token(plan, "erin")] });
  return all.client.wire.map(({ to }) => String(to)).sort();
}

/** An audience that ends the process, as far as the plan can tell, before this item. */
function* dyingAt(count: number, audience: readonly string[]): Generator<string> {
  for (const [index, person] of audience.entries()) {
    if (index === count) throw new Error("the process dies here");
    yield person;
  }
}

describe("a job", () => {
  it("that throws half-way makes no plan that could be released, and sends nothing", async () => {
    const all = setUp(wide);
    const failing = all.fuse.plan(request, async () => {
      for (const to of people(600)) await all.client.send({ to, tag: "offer" });
      throw new Error("half-way");
    });
    expect(await codeOf(failing)).toBe("PLAN_JOB_FAILED");
    const [plan] = await all.fuse.plans();
    expect(plan?.state).toBe("revoked");
    expect(await all.store.entries(String(plan?.id), 0, 1)).toEqual([]);
    expect(await codeOf(all.fuse.release(String(plan?.id)))).toBe("PLAN_STATE");
    expect(all.client.wire).toEqual([]);
  });

  it("that sends nothing makes no plan", async () => {
    const all = setUp(wide);
    expect(await codeOf(all.fuse.plan(request, () => {}))).toBe("PLAN_EMPTY");
    expect(await codeOf(all.fuse.plan(request, { audience: people(3), send: () => {} }))).toBe("PLAN_EMPTY");
    expect(await all.fuse.plans()).toEqual([]);
  });

  it("that never ends is given up after its timeout, and what it still sends goes nowhere", async () => {
    for (const form of ["job", "source"] as const) {
      const all = setUp(wide);
      let goOn = () => {};
      const late: Promise<string>[] = [];
      const job = async () => {
        await all.client.send({ to: "a@acme.test", tag: "offer" });
        await new Promise<void>((resolve) => {
          goOn = resolve;
        });
        late.push(codeOf(all.client.send({ to: "b@acme.test", tag: "offer" })));
      };
      const planning = all.fuse.plan(
        { ...request, timeout: "30s" },
        form === "job" ? job : { audience: [1], send: job },
      );
      expect(await codeOf(whileTimePasses(all, planning))).toBe("PLAN_JOB_FAILED");
      goOn();
      await new Promise((resolve) => setImmediate(resolve));
      expect(await Promise.all(late)).toEqual(["CONTEXT_LOST"]);
      expect(all.client.wire).toEqual([]);
    }
  });

  it("that goes on sending is not given up, however long it takes", async () => {
    const all = setUp(wide);
    const plan = await all.fuse.plan({ ...request, timeout: "30s" }, async () => {
      for (const to of people(20)) {
        all.clock.advance(29_000);
        await all.client.send({ to, tag: "offer" });
      }
    });
    expect(plan.terms.people).toBe(20);
  });

  it("is refused with requests that do not hold together", async () => {
    const all = setUp(wide);
    const now = all.clock.now();
    const wrong: [object, string][] = [
      [{ concurrency: 0 }, "PLAN_INVALID"],
      [{ concurrency: 1.5 }, "PLAN_INVALID"],
      [{ timeout: "soon" }, "PLAN_INVALID"],
      [{ population: -1 }, "PLAN_INVALID"],
      [{ notBefore: Number.NaN }, "PLAN_INVALID"],
      [{ notAfter: new Date("nonsense") }, "PLAN_INVALID"],
      [{ notAfter: now - 1 }, "PLAN_INVALID"],
      [{ notBefore: now + 2_000, notAfter: now + 1_000 }, "PLAN_INVALID"],
      [{ expectedPeople: Number.POSITIVE_INFINITY }, "PLAN_COUNT"],
      [{ resume: "p_none" }, "PLAN_NOT_FOUND"],
    ];
    for (const [change, code] of wrong) {
      const planning = all.fuse.plan({ ...request, ...change }, source(all, people(1)));
      expect([change, await codeOf(planning)]).toEqual([change, code]);
    }
  });

  it("may not reach more people than there are", async () => {
    const all = setUp(wide);
    const plan = await planOffer(all, people(3), { population: 2 });
    expect(plan).toMatchObject({ state: "refused", refusalCounts: { PLAN_COUNT: 1 } });
  });

  it("may be planned twice: two plans, each confirmed by itself", async () => {
    const all = setUp(wide);
    const [one, two] = [await planOffer(all), await planOffer(all)];
    expect(one.digest).not.toBe(two.digest);
    expect(one.terms.audience).toBe(two.terms.audience);
    await all.fuse.release(one.id, { tokens: [await all.token(one, "erin")] });
    expect(await codeOf(all.fuse.release(two.id))).toBe("APPROVALS_MISSING");
    expect(all.client.wire).toHaveLength(3);
  });

  it("is released once within half a day, however it was ordered and confirmed, unless approvers saw that it repeats", async () => {
    const all = setUp(wide);
    const audience = people(3);
    const first = await planOffer(all, audience);
    const twins = [await planOffer(all, audience), await planOffer(all, [...audience].reverse())];
    const others = [await planOffer(all, people(2)), await planOffer(all, audience, { allowRepeat: true })];
    for (const twin of twins) expect(twin.terms.mails).toBe(first.terms.mails);
    expect(others[0]?.terms.mails).not.toBe(first.terms.mails);
    const release = async (plan: Plan) => {
      const { state } = await all.fuse.release(plan.id, { tokens: [await all.token(plan, "erin")] });
      return state;
    };
    const answers = await Promise.all([first, ...twins].map((plan) => codeOf(release(plan))));
    expect(answers.sort()).toEqual(["PLAN_REPEATED", "PLAN_REPEATED", 'resolved: "done"']);
    expect(all.client.wire.map(({ to }) => to).sort()).toEqual([...audience].sort());
    for (const plan of others) expect(await release(plan)).toBe("done");
    expect(all.client.wire).toHaveLength(8);
    all.clock.advance(12 * 3_600_000 + 1);
    expect(await release(await planOffer(all, audience))).toBe("done");
  });

  it("is no repeat with another text for the same people", async () => {
    const all = setUp(wide);
    for (const text of ["one", "two"]) {
      const send = (to: string) => all.client.send({ to, subject: "Offer", text, tag: "offer" });
      const plan = await all.fuse.plan(request, { audience: people(3), send });
      await all.fuse.release(plan.id, { tokens: [await all.token(plan, "erin")] });
    }
    expect(all.client.wire.map(({ text }) => text).sort()).toEqual(["one", "one", "one", "two", "two", "two"]);
  });

  it("has every entry looked at: 1,000 reasons are kept, all are counted, and the good ones can go by themselves", async () => {
    const all = setUp(wide);
    const audience = people(3_000).map((address, index) => (index % 2 === 0 ? address : "no-address"));
    const plan = await all.fuse.plan(request, source(all, audience));
    expect(plan.state).toBe("refused");
    expect(plan.refusals).toHaveLength(1_000);
    expect(plan.refusalCounts).toMatchObject({ ADDRESS_INVALID: 1_500 });
    expect(plan.summary).toMatchObject({ entries: 3_000, failed: 1_500 });
    expect(JSON.stringify(plan)).not.toMatch(/p\d+@/);
    const good = await all.fuse.exclude(plan.id, { by: "frank" });
    expect(good.excluded).toEqual({ by: "frank", entries: 1_500 });
    expect(await releaseOf(all, good)).toEqual(audience.filter((address) => address.includes("@")).sort());
    expect(await codeOf(all.fuse.exclude(good.id, { by: "frank" }))).toBe("PLAN_STATE");
    expect(await codeOf(all.fuse.exclude(plan.id, { by: "nobody" }))).toBe("PRINCIPAL_UNKNOWN");
  });

  it("may send with several lanes, each mail with its own item's data", async () => {
    const all = setUp(wide);
    const plan = await all.fuse.plan({ ...request, concurrency: 7 }, source(all, people(500)));
    const delivered: [unknown, unknown][] = [];
    await all.fuse.release(plan.id, {
      tokens: [await all.token(plan, "erin")],
      onDelivered: ({ index, data }) => delivered.push([index, data]),
    });
    expect(all.client.wire.map(({ to }) => to).sort()).toEqual(people(500).sort());
    const mails = await all.fuse.mails(plan.id).catch(() => []);
    expect(mails).toEqual([]);
    expect(delivered.map(([, data]) => (data as { address: string }).address).sort()).toEqual(people(500).sort());
  });
});

describe("planning that was interrupted", () => {
  /** Plans until the audience breaks off, and gives the id of what is left. */
  async function interrupted(all: SetUp, count: number, audience = people(1_000)): Promise<string> {
    const failing = all.fuse.plan(request, source(all, dyingAt(count, audience)));
    expect(await codeOf(failing)).toBe("PLAN_JOB_FAILED");
    const [plan] = await all.fuse.plans();
    expect(plan?.state).toBe("rehearsing");
    return String(plan?.id);
  }

  it("goes on without rendering anything twice, and makes the plan it would have made", async () => {
    const all = setUp(wide);
    const id = await interrupted(all, 700);
    expect(await codeOf(all.fuse.release(id))).toBe("PLAN_STATE");
    expect(await codeOf(all.fuse.summary(id))).toBe("PLAN_STATE");
    expect(await codeOf(all.fuse.view(id, { by: "erin" }).then(() => all.fuse.release(id)))).toBe("PLAN_STATE");
    const seen: string[] = [];
    const other = all.make();
    const plan = await other.fuse.plan({ ...request, resume: id }, source(other, people(1_000), seen));
    expect(plan).toMatchObject({ id, state: "planned", terms: { people: 1_000, entries: 1_000 } });
    // Whole batches were written: no more than one is rendered again.
    expect(seen.length).toBeLessThanOrEqual(300 + 256);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(people(1_000).slice(-seen.length));
    const direct = await all.fuse.plan(request, source(all, people(1_000)));
    expect(plan.terms.audience).toBe(direct.terms.audience);
    const comparable = ({ summary }: Plan) => ({ ...summary, plan: "", samples: [] });
    expect(comparable(plan)).toEqual(comparable(direct));
    await whileTimePasses(all, other.fuse.release(id, { tokens: [await all.token(plan, "erin")] }));
    expect(other.client.wire.map(({ to }) => to).sort()).toEqual(people(1_000).sort());
    expect(all.client.wire).toEqual([]);
  });

  it("remembers what was refused", async () => {
    const all = setUp(wide);
    const audience = people(900);
    audience[5] = "no-address";
    audience[6] = "P7@acme.test";
    const id = await interrupted(all, 800, audience);
    const plan = await all.fuse.plan({ ...request, resume: id }, source(all, audience));
    expect(plan.refusalCounts).toEqual({ ADDRESS_INVALID: 1, NO_RECIPIENTS: 1, PLAN_DUPLICATE: 1 });
    expect(plan.state).toBe("refused");
  });

  it("is refused for another audience, another request or another form", async () => {
    const all = setUp(wide);
    const id = await interrupted(all, 700);
    const changed = people(1_000);
    changed[3] = "other@acme.test";
    const again = (audience: readonly string[], change: object = {}) =>
      codeOf(all.fuse.plan({ ...request, resume: id, ...change }, source(all, audience)));
    expect(await again(changed)).toBe("PLAN_CHANGED");
    expect(await again(people(100))).toBe("PLAN_CHANGED");
    expect(await again(people(1_000).reverse())).toBe("PLAN_CHANGED");
    expect(await again(people(1_000), { requestedBy: "frank" })).toBe("PLAN_CHANGED");
    expect(await again(people(1_000), { expectedPeople: 4_999 })).toBe("PLAN_CHANGED");
    expect(await codeOf(all.fuse.plan({ ...request, resume: id }, () => {}))).toBe("PLAN_STATE");
    expect((await all.fuse.findPlan(id)).state).toBe("rehearsing");
    const { fuse, client } = all.make({ caps: [{ people: 4_000, per: "1h" }] });
    expect(await codeOf(fuse.plan({ ...request, resume: id }, source({ client }, people(1_000))))).toBe("PLAN_CHANGED");
    expect(await again(people(1_000))).toContain("resolved");
    expect(await again(people(1_000))).toBe("PLAN_STATE");
    expect(all.client.wire).toEqual([]);
  });

  it("knows items by their key, where their data change", async () => {
    const all = setUp(wide);
    const items = (at: number) => people(900).map((address, index) => ({ index, address, at }));
    const form = (audience: Iterable<{ index: number; address: string; at: number }>) => ({
      audience,
      send: ({ address }: { address: string }) => all.client.send({ to: address, tag: "offer" }),
      key: ({ index }: { index: number }) => index,
    });
    function* dying() {
      for (const item of items(1)) {
        if (item.index === 600) throw new Error("dies");
        yield item;
      }
    }
    expect(await codeOf(all.fuse.plan(request, form(dying())))).toBe("PLAN_JOB_FAILED");
    const [left] = await all.fuse.plans();
    const plan = await all.fuse.plan({ ...request, resume: String(left?.id) }, form(items(2)));
    expect(plan.terms.people).toBe(900);
  });

  it("is left to the process that is at it, until that has died for two minutes", async () => {
    const all = setUp(wide);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* slow() {
      yield* people(600);
      await held;
      yield* people(650).slice(600);
    }
    const planning = all.fuse.plan(request, { ...source(all, []), audience: slow() });
    let id = "";
    while (id === "") {
      await new Promise((resolve) => setImmediate(resolve));
      id = (await all.fuse.plans())[0]?.id ?? "";
    }
    const other = all.make();
    const resume = () => other.fuse.plan({ ...request, resume: id }, source(other, people(650)));
    expect(await codeOf(resume())).toBe("PLAN_STATE");
    expect(await codeOf(other.fuse.drop(id, { by: "erin" }))).toBe("PLAN_STATE");
    release();
    expect((await planning).terms.people).toBe(650);
    expect(await codeOf(other.fuse.drop(id, { by: "erin" }))).toBe("PLAN_STATE");
  });

  it("cannot be finished by a process that was thought dead", async () => {
    const all = setUp(wide);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    async function* slow() {
      yield* people(600);
      await held;
    }
    // A process that sleeps renews nothing.
    const sleeping = all.make({ clock: { now: () => all.clock.now(), after: () => () => {} } });
    const planning = codeOf(sleeping.fuse.plan(request, { ...source(sleeping, []), audience: slow() }));
    let id = "";
    while (id === "") {
      await new Promise((resolve) => setImmediate(resolve));
      id = (await all.fuse.plans())[0]?.id ?? "";
    }
    all.clock.advance(121_000);
    const plan = await all.fuse.plan({ ...request, resume: id }, source(all, people(600)));
    release();
    expect(await planning).toBe("PLAN_STATE");
    expect((await all.fuse.findPlan(id)).digest).toBe(plan.digest);
    expect(await releaseOf(all, plan)).toEqual(people(600).sort());
    expect(sleeping.client.wire).toEqual([]);
  });

  it("can be dropped: its mails are destroyed", async () => {
    const all = setUp(wide);
    const id = await interrupted(all, 700);
    expect(await codeOf(all.fuse.drop(id, { by: "nobody" }))).toBe("PRINCIPAL_UNKNOWN");
    expect(await all.fuse.drop(id, { by: "erin" })).toMatchObject({ state: "revoked", ended: { by: "erin" } });
    expect(await all.store.entries(id, 0, 1)).toEqual([]);
    expect(await codeOf(all.fuse.plan({ ...request, resume: id }, source(all, people(1_000))))).toBe("PLAN_STATE");
  });

  it("leaves nobody out whose bytes were written and whose state was not", async () => {
    const all = setUp(wide);
    const [spool, entries] = [all.store.spool.bind(all.store), all.store.entries.bind(all.store)];
    // As Redis does it: the bytes first, and a crash in between.
    const orphans: SpoolEntry[] = [];
    let batches = 0;
    all.store.spool = async (plan, given) => {
      if (++batches !== 2) return spool(plan, given);
      orphans.push(...given);
      throw new Error("the process dies here");
    };
    all.store.entries = async (plan, from, limit) => {
      const real = await entries(plan, from, limit);
      const there = new Set(real.map(({ index }) => index));
      return [...real, ...orphans.filter(({ index }) => index >= from && !there.has(index))].slice(0, limit);
    };
    expect(await codeOf(all.fuse.plan(request, source(all, people(600))))).toBe("STORE_UNAVAILABLE");
    expect(orphans).toHaveLength(256);
    const [left] = await all.fuse.plans();
    const plan = await all.fuse.plan({ ...request, resume: String(left?.id) }, source(all, people(600)));
    expect(await releaseOf(all, plan)).toEqual(people(600).sort());
  });

  it("keeps an item's mails together", async () => {
    const all = setUp(wide);
    const three = {
      audience: Array.from({ length: 200 }, (_, index) => index),
      send: async (index: number) => {
        for (const part of ["a", "b", "c"]) await all.client.send({ to: `${part}${index}@acme.test`, tag: "offer" });
      },
    };
    function* dying() {
      for (const index of three.audience) {
        if (index === 150) throw new Error("dies");
        yield index;
      }
    }
    expect(await codeOf(all.fuse.plan({ ...request, concurrency: 4 }, { ...three, audience: dying() }))).toBe(
      "PLAN_JOB_FAILED",
    );
    const [left] = await all.fuse.plans();
    const plan = await all.fuse.plan({ ...request, concurrency: 4, resume: String(left?.id) }, three);
    expect(plan).toMatchObject({ state: "planned", terms: { people: 600, entries: 600 } });
  });
});

describe("a store that fails while a plan is rehearsed", () => {
  /** Lets the store's spool fail from its second batch on. */
  function failing(store: Store): void {
    const real = store.spool.bind(store);
    let batches = 0;
    store.spool = (plan, entries) =>
      ++batches > 1 ? Promise.reject(Object.assign(new Error("disk full"), { code: "ENOSPC" })) : real(plan, entries);
  }

  it("ends it with an error, also when the job swallows all of them", async () => {
    for (const form of ["job", "source"] as const) {
      const all = setUp(wide);
      failing(all.store);
      const send = (to: string) => all.client.send({ to, tag: "offer" }).catch(() => {});
      const planning = all.fuse.plan(
        request,
        form === "source"
          ? { audience: people(2_000), send }
          : async () => {
              for (const to of people(2_000)) await send(to);
            },
      );
      expect(await codeOf(planning)).toBe("STORE_UNAVAILABLE");
      for (const plan of await all.fuse.plans()) {
        expect(["rehearsing", "revoked"]).toContain(plan.state);
        expect(await codeOf(all.fuse.release(plan.id))).toBe("PLAN_STATE");
      }
      expect(all.client.wire).toEqual([]);
    }
  });

  it("on a disk that is full leaves nothing that could be released", async () => {
    const database = new Database(":memory:");
    const all = setUp({ ...wide, store: sqliteStore({ database }) });
    await all.fuse.halts();
    const used = database.pragma("page_count", { simple: true });
    database.pragma(`max_page_count = ${Number(used) + 40}`);
    const planning = all.fuse.plan(request, {
      ...source(all, people(3_000)),
      send: (to) => all.client.send({ to, text: randomBytes(400).toString("base64"), tag: "offer" }),
    });
    expect(await codeOf(planning)).toBe("STORE_UNAVAILABLE");
    database.pragma("max_page_count = 1000000");
    const [plan] = await all.fuse.plans();
    expect(plan?.state).toBe("rehearsing");
    expect(await codeOf(all.fuse.release(String(plan?.id)))).toBe("PLAN_STATE");
    expect(all.client.wire).toEqual([]);
    await all.fuse.drop(String(plan?.id), { by: "erin" });
    expect(database.prepare("SELECT count(*) AS n FROM mailfuse_sealed").get()).toEqual({ n: 0 });
  });
});
