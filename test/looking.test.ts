import { describe, expect, it } from "vitest";
import { createFuse, type FuseConfig, memoryStore } from "../src/index";
import { manualClock } from "../src/testing/clock";
import { codeOf, fakeAdapter, fakeClient } from "./support/fake-client";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

function setUp(config: Partial<FuseConfig> & Pick<FuseConfig, "environments">, environment = "production") {
  const clock = manualClock();
  const fuse = createFuse({ environment, store: memoryStore({ clock }), clock, logger: quiet, ...config });
  const client = fuse.attach(fakeClient(), fakeAdapter());
  return { fuse, client, clock };
}

const live = {
  environments: { production: { mode: "live" } },
  purposes: {
    receipt: { kind: "stream", match: { tag: "receipt" }, caps: [{ people: 2, per: "1h" }] },
    refund: { kind: "bulk", caps: [{ people: 50, per: "24h" }] },
  },
  defaults: { caps: [{ people: 3, per: "1h" }], confirm: { abovePeople: 1_000 } },
} as const;

describe("fuse.check", () => {
  /** What `check` says must be what a mail meets. */
  async function agrees(config: Parameters<typeof setUp>[0], address: string, environment = "production") {
    const { fuse, client } = setUp(config, environment);
    const [answer] = await fuse.check([address]);
    const met = await codeOf(client.send({ to: address, subject: "s", text: "t" }));
    return { answer, met, wire: client.wire.length };
  }

  it("answers as a mail would be answered", async () => {
    const staging = { environments: { staging: { mode: "test", allow: ["*@acme.test"] } } } as const;
    const inside = await agrees(staging, "ann@acme.test", "staging");
    expect([inside.answer?.gets, inside.wire]).toEqual(["mail", 1]);
    const outside = await agrees(staging, "ann@other.example", "staging");
    expect(outside.answer?.reasons.map(({ code }) => code)).toEqual([outside.met]);
    expect(outside.answer?.gets).toBe("nothing");
    const list = await agrees(live, "everyone@acme.test");
    expect(list.answer?.reasons.map(({ code }) => code)).toEqual([list.met]);
    const unset = await agrees(live, "ann@acme.test", "prodution");
    expect(unset.answer?.reasons.map(({ code }) => code)).toContain(unset.met);
  });

  it("says redirected, dropped and captured", async () => {
    for (const [onNotAllowed, gets] of [
      ["drop", "dropped"],
      ["capture", "captured"],
      [{ redirectTo: "mail@acme.test" }, "redirected"],
    ] as const) {
      const { fuse } = setUp({ environments: { staging: { mode: "test", onNotAllowed } } }, "staging");
      expect(await fuse.check(["a@other.example"])).toMatchObject([{ gets }]);
    }
  });

  it("knows halts, full caps and who has unsubscribed, by purpose", async () => {
    const { fuse, client } = setUp({ ...live, isSuppressed: () => ["gone@acme.test"] });
    expect(await fuse.check(["gone@acme.test"], { purpose: "refund" })).toMatchObject([
      { gets: "nothing", reasons: [{ code: "SUPPRESSED" }] },
    ]);
    expect(await fuse.check(["gone@acme.test"], { purpose: "receipt" })).toMatchObject([{ gets: "mail" }]);
    for (const name of ["a", "b"]) await client.send({ to: `${name}@acme.test`, tag: "receipt" });
    expect(await fuse.check(["c@acme.test"], { purpose: "receipt" })).toMatchObject([
      { gets: "nothing", reasons: [{ code: "CAP_EXCEEDED" }] },
    ]);
    await fuse.halt({ purpose: "refund", reason: "r", by: "dana" });
    expect(await fuse.check(["c@acme.test"], { purpose: "refund" })).toMatchObject([
      { gets: "nothing", reasons: [{ code: "HALTED" }] },
    ]);
    expect(await codeOf(fuse.check(["c@acme.test"], { purpose: "refunds" }))).toBe("PURPOSE_UNKNOWN");
  });

  it("spends nothing and writes nothing", async () => {
    const { fuse, client } = setUp(live);
    for (let times = 0; times < 10; times++) await fuse.check([`p${times}@acme.test`]);
    expect((await fuse.status()).caps.map(({ used }) => used)).toEqual([0, 0, 0]);
    expect((await fuse.status()).refusals).toEqual([]);
    expect(client.wire).toEqual([]);
  });
});

describe("fuse.status", () => {
  it("says how full caps are, what is halted, and what was refused last", async () => {
    const { fuse, client } = setUp(live);
    for (const name of ["a", "b", "c"]) await codeOf(client.send({ to: `${name}@acme.test`, tag: "receipt" }));
    await fuse.halt({ purpose: "refund", reason: "wrong list", by: "dana" });
    const status = await fuse.status();
    expect(status.caps).toEqual([
      { purpose: "receipt", people: 2, windowMs: 3_600_000, used: 2, onExceeded: "refuse" },
      { purpose: "refund", people: 50, windowMs: 86_400_000, used: 0, onExceeded: "refuse" },
      { purpose: "(none)", people: 3, windowMs: 3_600_000, used: 0, onExceeded: "refuse" },
    ]);
    expect(status.halts).toMatchObject([{ scope: "purpose:refund", reason: "wrong list", by: "dana" }]);
    expect(status.refusals).toMatchObject([
      { purposes: ["receipt"], people: 1, reasons: { CAP_EXCEEDED: 1 }, left: false },
    ]);
    expect(JSON.stringify(status)).not.toContain("@acme.test");
  });

  it("finds the last refusals at the end of a long ledger", async () => {
    const { fuse, client } = setUp({ ...live, environments: { production: { mode: "test", allow: ["*@acme.test"] } } });
    await codeOf(client.send({ to: "first@other.example" }));
    for (let times = 0; times < 2_600; times++) await client.send({ to: "a@acme.test" }).catch(() => {});
    await fuse.flush();
    await codeOf(client.send({ to: "last@other.example", tag: "receipt" }));
    const { refusals } = await fuse.status();
    expect(refusals).toMatchObject([{ purposes: ["receipt"], reasons: { NOT_ALLOWLISTED: 1 } }]);
  });
});

describe("fuse.drill", () => {
  it("is refused in every mode and reaches no client", async () => {
    for (const environments of [
      { production: { mode: "live" } },
      { production: { mode: "observe" } },
      { production: { mode: "test", allow: ["*"] } },
      { production: { mode: "test", onNotAllowed: "drop" } },
    ] as const) {
      const { fuse, client } = setUp({ ...live, environments });
      expect(await fuse.drill()).toMatchObject({ refused: true, codes: expect.arrayContaining(["PLAN_REQUIRED"]) });
      expect(client.wire).toEqual([]);
      expect((await fuse.status()).refusals).toEqual([]);
    }
  });
});

describe("fuse.suggest", () => {
  it("derives purposes from tags, and caps that what was seen fits into", async () => {
    const { fuse, client, clock } = setUp({ environments: { production: { mode: "observe" } } });
    for (let person = 0; person < 30; person++) {
      await client.send({ to: `p${person}@acme.test`, tag: "Welcome mail" });
      clock.advance(60_000);
    }
    await client.send(Array.from({ length: 80 }, (_, index) => ({ to: `q${index}@acme.test`, tag: "offer" })));
    await client.send({ to: "ann@acme.test", tag: "order for ann@acme.test" });
    await fuse.flush();
    const { purposes, config } = await fuse.suggest();
    expect(purposes).toMatchObject([
      { name: "offer", match: { tag: "offer" }, kind: "bulk", seen: { messages: 80, hour: 80, day: 80, perPerson: 1 } },
      { name: "welcome-mail", match: { tag: "Welcome mail" }, kind: "stream", seen: { messages: 30, hour: 30 } },
      { name: "(none)", seen: { messages: 1 } },
    ]);
    for (const { caps, seen } of purposes) expect(caps[0]?.people).toBeGreaterThanOrEqual(seen.hour * 2);
    expect(config).not.toContain("@");
    // What is suggested is a configuration that lets the same mail through in live mode.
    const read = new Function(`return { ${config} }`) as () => Partial<FuseConfig>;
    const next = setUp({ environments: { production: { mode: "live" } }, ...read() });
    for (let person = 0; person < 30; person++)
      await next.client.send({ to: `p${person}@acme.test`, tag: "Welcome mail" });
    expect(next.client.wire).toHaveLength(30);
  });

  it("counts distinct people in any window, wherever it starts", async () => {
    const { fuse, client, clock } = setUp({ environments: { production: { mode: "observe" } } });
    clock.advance(3_000_000);
    for (let person = 0; person < 6; person++) {
      await client.send({ to: `p${person % 5}@acme.test` });
      clock.advance(900_000);
    }
    await fuse.flush();
    // Any hour holds four of the quarter-hourly mails.
    expect((await fuse.suggest()).purposes[0]?.seen).toMatchObject({ messages: 6, hour: 4, day: 5 });
  });
});
