/** Claims, freshness and once: what counting cannot catch. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createFuse, type FuseConfig, generateKeys, memoryStore, type Plan, signToken } from "../src/index";
import { manualClock } from "../src/testing/clock";
import { codeOf, fakeAdapter, fakeClient } from "./support/fake-client";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const erin = generateKeys();
const caps = [{ people: 1_000, per: "1h" }] as const;

function setUp(purposes: FuseConfig["purposes"], more: Partial<FuseConfig> = {}) {
  const clock = manualClock();
  const store = memoryStore({ clock });
  const make = () => {
    const fuse = createFuse({
      environment: "production",
      environments: { production: { mode: "live" } },
      defaults: { caps },
      approvers: { erin: { publicKey: erin.publicKey } },
      requesters: ["dana"],
      purposes,
      store,
      clock,
      logger: quiet,
      ...more,
    } as FuseConfig);
    return { fuse, client: fuse.attach(fakeClient(), fakeAdapter()) };
  };
  const first = make();
  const token = async ({ id }: Plan) => {
    const { plan, view } = await first.fuse.view(id, { by: "erin" });
    return signToken({
      plan: id,
      digest: plan.digest,
      view,
      by: "erin",
      privateKey: erin.privateKey,
      now: clock.now(),
    });
  };
  return { ...first, make, clock, token, store };
}

const due = new Set(["a@acme.test", "b@acme.test"]);
const Refund = z.object({ orderId: z.string(), email: z.string() });

function refunds(change: object = {}, kind: "stream" | "bulk" = "stream") {
  return {
    refund: {
      kind,
      caps,
      claim: {
        data: Refund,
        verify: (data: z.infer<typeof Refund>) => (due.has(data.email) ? { evidence: data.orderId } : false),
        ...change,
      },
    },
  } as FuseConfig["purposes"];
}

describe("claims", () => {
  const send = ({ fuse, client }: Pick<ReturnType<typeof setUp>, "fuse" | "client">, to: string, data: unknown) =>
    fuse.run({ purpose: "refund", data }, () => client.send({ to, subject: "s", text: "t" }));

  it("let through only what is proven for this person", async () => {
    const all = setUp(refunds());
    await send(all, "a@acme.test", { orderId: "1", email: "a@acme.test" });
    expect(await codeOf(send(all, "x@acme.test", { orderId: "1", email: "x@acme.test" }))).toBe("CLAIM_FAILED");
    expect(await codeOf(send(all, "a@acme.test", undefined))).toBe("CLAIM_UNVERIFIABLE");
    expect(await codeOf(send(all, "a@acme.test", { orderId: 1 }))).toBe("CLAIM_UNVERIFIABLE");
    expect(all.client.wire.map((mail) => mail.to)).toEqual(["a@acme.test"]);
  });

  it.each<[string, () => unknown]>([
    ["undefined", () => undefined],
    ["null", () => null],
    ["a truthy text", () => "yes"],
    ["a promise of nothing", () => Promise.resolve()],
    ["an error", () => Promise.reject(new Error("down"))],
    [
      "a throw",
      () => {
        throw new Error("down");
      },
    ],
    ["a number", () => 1],
  ])("are refused when the answer is %s", async (_name, verify) => {
    const all = setUp(refunds({ verify }));
    expect(await codeOf(send(all, "a@acme.test", { orderId: "1", email: "a@acme.test" }))).toBe("CLAIM_UNVERIFIABLE");
    expect(all.client.wire).toEqual([]);
  });

  it("are refused when the answer does not come in time", async () => {
    let ask = () => {};
    const running = new Promise<void>((resolve) => {
      ask = resolve;
    });
    const all = setUp(
      refunds({
        verify: () => {
          ask();
          return new Promise(() => {});
        },
      }),
    );
    const code = codeOf(send(all, "a@acme.test", { orderId: "1", email: "a@acme.test" }));
    await running;
    all.clock.advance(5_001);
    expect(await code).toBe("CLAIM_UNVERIFIABLE");
  });

  it("bind a text to its person", async () => {
    const all = setUp(refunds({ verify: undefined, subject: (data: z.infer<typeof Refund>) => data.email }));
    await send(all, "A@acme.test", { orderId: "1", email: "a@ACME.test" });
    expect(await codeOf(send(all, "b@acme.test", { orderId: "1", email: "a@acme.test" }))).toBe("CLAIM_OTHER_PERSON");
    expect(await codeOf(send(all, "b@acme.test", { orderId: "1", email: "nobody" }))).toBe("CLAIM_UNVERIFIABLE");
    expect(all.client.wire).toHaveLength(1);
  });

  it("are asked before a budget is spent", async () => {
    const all = setUp({ refund: { ...refunds()?.refund, kind: "stream", caps: [{ people: 1, per: "1h" }] } });
    for (let index = 0; index < 5; index++)
      expect(await codeOf(send(all, `x${index}@acme.test`, { orderId: "1", email: "x" }))).toBe("CLAIM_FAILED");
    await send(all, "a@acme.test", { orderId: "1", email: "a@acme.test" });
    expect(all.client.wire).toHaveLength(1);
  });

  it("halt the purpose when too many fail", async () => {
    const all = setUp(refunds({ haltAfter: { failures: 3, per: "1h" } }));
    for (let index = 0; index < 3; index++)
      expect(await codeOf(send(all, "x@acme.test", { orderId: "1", email: "x" }))).toBe("CLAIM_FAILED");
    expect(await codeOf(send(all, "a@acme.test", { orderId: "1", email: "a@acme.test" }))).toBe("HALTED");
    expect((await all.fuse.halts()).map((halt) => halt.scope)).toEqual(["purpose:refund"]);
  });

  it("halt the purpose only when the failures are the declared share", async () => {
    const all = setUp(refunds({ haltAfter: { failures: 2, percent: 50, per: "1h" } }));
    const good = () => send(all, "a@acme.test", { orderId: "1", email: "a@acme.test" });
    const bad = () => codeOf(send(all, "x@acme.test", { orderId: "1", email: "x" }));
    for (let index = 0; index < 4; index++) await good();
    for (let index = 0; index < 3; index++) expect(await bad()).toBe("CLAIM_FAILED");
    await good();
    for (let index = 0; index < 2; index++) expect(await bad()).toBe("CLAIM_FAILED");
    expect(await codeOf(good())).toBe("HALTED");
    expect(all.client.wire).toHaveLength(5);
  });

  it("cannot be walked around by forgetting the tag", async () => {
    const all = setUp(refunds({ looksLike: { subject: /refund/i } }));
    expect(await codeOf(all.client.send({ to: "a@acme.test", subject: "Your Refund" }))).toBe("PURPOSE_UNTAGGED");
    await all.client.send({ to: "a@acme.test", subject: "Your order" });
    expect(all.client.wire).toHaveLength(1);
  });

  it("in a plan are asked in batches, refuse the plan, and the good entries can be planned anew", async () => {
    const batches: number[] = [];
    const all = setUp(
      refunds(
        {
          verify: undefined,
          verifyMany: (questions: { data: { email: string } }[]) => {
            batches.push(questions.length);
            return questions.map(({ data }) => due.has(data.email));
          },
        },
        "bulk",
      ),
    );
    const people = ["a@acme.test", "x@acme.test", "b@acme.test"];
    const plan = await all.fuse.plan(
      { purpose: "refund", expectedPeople: 3, requestedBy: "dana" },
      { audience: people, send: (to) => all.client.send({ to, text: to }), data: (email) => ({ orderId: "1", email }) },
    );
    expect(plan).toMatchObject({ state: "refused", refusalCounts: { CLAIM_FAILED: 1 } });
    expect(batches).toEqual([3]);
    expect(await codeOf(all.fuse.exclude(plan.id, { by: "nobody" }))).toBe("PRINCIPAL_UNKNOWN");
    const rest = await all.fuse.exclude(plan.id, { by: "dana" });
    expect(rest).toMatchObject({
      state: "planned",
      terms: { people: 2, from: plan.id },
      excluded: { by: "dana", entries: 1 },
    });
    await all.fuse.release(rest.id, { tokens: [await all.token(rest)] });
    expect(all.client.wire.map((mail) => mail.text).sort()).toEqual(["a@acme.test", "b@acme.test"]);
  });

  it("are asked again at release, and may only take people out", async () => {
    const still = new Set(Array.from({ length: 100 }, (_, index) => `p${index}@acme.test`));
    const all = setUp(refunds({ verify: (data: { email: string }) => still.has(data.email) }, "bulk"));
    const planIt = () =>
      all.fuse.plan(
        { purpose: "refund", expectedPeople: 100, requestedBy: "dana" },
        { audience: [...still], send: (to) => all.client.send({ to }), data: (email) => ({ orderId: "1", email }) },
      );
    const plan = await planIt();
    for (let index = 0; index < 6; index++) still.delete(`p${index}@acme.test`);
    expect(await codeOf(all.fuse.release(plan.id, { tokens: [await all.token(plan)] }))).toBe("PLAN_CHANGED");
    expect(all.client.wire).toEqual([]);
    const second = await planIt();
    still.delete("p50@acme.test");
    const result = await all.fuse.release(second.id, { tokens: [await all.token(second)] });
    expect(result).toMatchObject({ accepted: 93, refusals: [{ code: "CLAIM_FAILED" }] });
    expect(all.client.wire.map((mail) => mail.to)).not.toContain("p50@acme.test");
  });
});

describe("suppression", () => {
  it("keeps unsubscribed people out of bulk, at planning and at release; not knowing is no permission", async () => {
    const out = new Set(["b@acme.test"]);
    let answer: (addresses: readonly string[]) => readonly string[] = (addresses) =>
      addresses.filter((address) => out.has(address));
    const all = setUp({ news: { kind: "bulk", caps } }, { isSuppressed: (addresses) => answer(addresses) });
    const planIt = (audience: string[]) =>
      all.fuse.plan(
        { purpose: "news", expectedPeople: 9, requestedBy: "dana" },
        { audience, send: (to) => all.client.send({ to }) },
      );
    expect((await planIt(["a@acme.test", "B@acme.test"])).refusalCounts).toEqual({ SUPPRESSED: 1 });
    const plan = await planIt(["a@acme.test", "c@acme.test"]);
    out.add("c@acme.test");
    await all.fuse.release(plan.id, { tokens: [await all.token(plan)] });
    expect(all.client.wire.map((mail) => mail.to)).toEqual(["a@acme.test"]);
    answer = () => {
      throw new Error("down");
    };
    expect((await planIt(["d@acme.test"])).refusalCounts).toEqual({ SUPPRESSED: 1 });
  });
});

describe("freshness", () => {
  const purposes = { alert: { kind: "stream", caps, freshness: { maxAge: "15m", required: true } } } as const;

  it("refuses what is old, undated, or misdated", async () => {
    const { fuse, client, clock } = setUp(purposes);
    const at = (createdAt: unknown) =>
      codeOf(fuse.run({ purpose: "alert", createdAt: createdAt as number }, () => client.send({ to: "a@acme.test" })));
    const now = clock.now();
    expect(await at(now - 15 * 60_000 - 1)).toBe("STALE");
    expect(await at(Math.floor(now / 1000))).toBe("STALE");
    for (const wrong of [undefined, Number.NaN, new Date("no"), "yesterday", now + 3_600_000])
      expect(await at(wrong)).toBe("FRESHNESS_MISSING");
    expect(client.wire).toEqual([]);
    expect(await at(now - 15 * 60_000)).toMatch(/^resolved/);
    expect(await at(new Date(now))).toMatch(/^resolved/);
  });

  it("refuses after notAfter, whatever it holds", async () => {
    const { fuse, client, clock } = setUp({});
    const until = (notAfter: unknown) =>
      codeOf(fuse.run({ notAfter: notAfter as number }, () => client.send({ to: "a@acme.test" })));
    expect(await until(clock.now() - 1)).toBe("STALE");
    expect(await until(Number.NaN)).toBe("STALE");
    expect(await until(clock.now() + 1)).toMatch(/^resolved/);
  });
});

describe("once", () => {
  const keyed = (
    { fuse, client }: Pick<ReturnType<typeof setUp>, "fuse" | "client">,
    key: string,
    to = "a@acme.test",
    text = "t",
  ) => fuse.run({ idempotencyKey: key }, () => client.send({ to, text }));

  it("sends once under one key, over processes, and answers the repeat as the first", async () => {
    const all = setUp({});
    const second = all.make();
    expect(await keyed(all, "k")).toEqual({ id: "fake-1" });
    await all.fuse.flush();
    expect(await keyed(all, "k")).toEqual({ id: "simulated-duplicate" });
    expect(await keyed(second, "k")).toEqual({ id: "simulated-duplicate" });
    await keyed(second, "other");
    expect([all.client.wire.length, second.client.wire.length]).toEqual([1, 1]);
  });

  it("lets concurrent repeats have the first's outcome", async () => {
    const all = setUp({});
    const answers = await Promise.all(Array.from({ length: 8 }, () => keyed(all, "k")));
    expect(all.client.wire).toHaveLength(1);
    expect(answers.filter((answer) => answer.id === "simulated-duplicate")).toHaveLength(7);
    all.client.fates.push("refused");
    const failed = await Promise.allSettled([keyed(all, "r"), keyed(all, "r")]);
    expect(failed.map((outcome) => outcome.status)).toEqual(["rejected", "rejected"]);
    await keyed(all, "r");
    expect(all.client.wire).toHaveLength(2);
  });

  it("tells several mails of one key apart", async () => {
    const { fuse, client } = setUp({});
    const job = () =>
      fuse.run({ idempotencyKey: "order-1" }, async () => {
        await client.send({ to: "a@acme.test", text: "receipt" });
        await client.send({ to: "a@acme.test", text: "terms" });
        await client.send({ to: "b@acme.test", text: "copy" });
      });
    await job();
    await fuse.flush();
    await job();
    expect(client.wire.map((mail) => mail.text)).toEqual(["receipt", "terms", "copy"]);
  });

  it("holds or resends after an unknown outcome, as the purpose declares", async () => {
    const all = setUp({
      hold: { kind: "stream", caps, onUnknown: "hold" },
      resend: { kind: "stream", caps, onUnknown: "resend" },
    });
    const run = (purpose: string) =>
      codeOf(all.fuse.run({ purpose, idempotencyKey: "k" }, () => all.client.send({ to: "a@acme.test" })));
    all.client.fates.push("unknown", "unknown");
    expect(await run("hold")).toMatch(/^threw/);
    expect(await run("resend")).toMatch(/^threw/);
    expect(await run("hold")).toBe("DUPLICATE");
    expect(await run("resend")).toMatch(/^resolved/);
    expect(all.client.wire).toHaveLength(1);
  });

  it("keeps the same text from the same person within a declared window, and only then", async () => {
    const { fuse, client, clock } = setUp({
      notice: { kind: "stream", caps, match: { tag: "notice" }, duplicateWindow: "1h" },
    });
    const notice = (text: string, tag?: string) => client.send({ to: "a@acme.test", text, ...(tag ? { tag } : {}) });
    await notice("one", "notice");
    await fuse.flush();
    await notice("one", "notice");
    await notice("two", "notice");
    await notice("reset");
    await notice("reset");
    expect(client.wire.map((mail) => mail.text)).toEqual(["one", "two", "reset", "reset"]);
    clock.advance(3_600_001);
    await notice("one", "notice");
    expect(client.wire).toHaveLength(5);
  });
});

describe("being wrong the other way", () => {
  it("alerts when mail that passed all day is refused for a new reason, and when refusals jump", async () => {
    const alerts: object[] = [];
    const { client, clock } = setUp({}, { onAlert: (alert) => alerts.push(alert), defaults: { caps, maxVisible: 2 } });
    const crowd = ["x@acme.test", "y@acme.test", "z@acme.test"];
    expect(await codeOf(client.send({ to: "everyone@acme.test" }))).toBe("AUDIENCE_UNDECLARED");
    for (let index = 0; index < 20; index++) await client.send({ to: `p${index}@acme.test` });
    expect(alerts).toEqual([]);
    expect(await codeOf(client.send({ to: "everyone@acme.test" }))).toBe("AUDIENCE_UNDECLARED");
    expect(alerts).toEqual([]);
    expect(await codeOf(client.send({ to: crowd }))).toBe("RECIPIENTS_VISIBLE");
    expect(alerts).toMatchObject([
      { kind: "newly-refused", purpose: "(none)", code: "RECIPIENTS_VISIBLE", passed: 20 },
    ]);
    clock.advance(3_600_000);
    for (let index = 0; index < 12; index++) await codeOf(client.send({ to: crowd }));
    expect(alerts).toMatchObject([{ kind: "newly-refused" }, { kind: "refusals-jumped", refused: 10, passed: 0 }]);
  });
});
