import { describe, expect, it } from "vitest";
import type { Fate } from "../../src/adapter";
import { codeOf } from "../support/fake-client";
import { errorOf, linesOf, people, release, type SetUp, setUp } from "./set-up";

const fates: readonly Fate[] = ["accepted", "unknown", "refused", "accepted", "failed"];

/** Six people: taken, without an answer, refused, taken, never handed over, taken. */
async function mistake(all: SetUp) {
  all.client.fates.push(...fates);
  return release(all, people(6));
}

const apologise =
  (all: SetUp) =>
  ({ address, mayHave }: { readonly address: string; readonly mayHave: boolean }) =>
    all.client.send({ to: address, subject: "Correction", text: mayHave ? "You may have received" : "You got" });

async function correct(all: SetUp, scope: { plan: string }, right: readonly string[], more: object = {}) {
  const incident = await all.fuse.incident(scope, { right });
  const plan = await incident.correction({ requestedBy: "dana", send: apologise(all), ...more });
  all.client.wire.length = 0;
  return { incident, plan };
}

describe("an incident", () => {
  it("tells who was reached, who may have been, and who was not", async () => {
    const all = setUp();
    const plan = await mistake(all);
    const { data } = await all.fuse.incident({ plan: plan.id }, { right: ["p0@acme.test", "nobody@acme.test"] });
    expect(data.people).toEqual({
      accepted: 3,
      unknown: 1,
      rightly: 1,
      wrongly: 3,
      undecided: 0,
      refused: 2,
      stopped: 0,
      notSent: 0,
    });
    expect(data).toMatchObject({ plan: plan.id, purpose: "offer", environment: "production", calls: 6 });
    expect(data.correction).toEqual({ people: 3, unreachable: 0, unsubscribed: 0 });
    expect(data.stop).toMatchObject({ by: "partial" });
  });

  it("asks an oracle, and decides nothing where it fails", async () => {
    const all = setUp();
    const plan = await mistake(all);
    const right = (address: string) => {
      if (address === "p3@acme.test") throw new Error("down");
      return address === "p0@acme.test";
    };
    const incident = await all.fuse.incident({ plan: plan.id }, { right });
    expect(incident.data.people).toMatchObject({ rightly: 1, wrongly: 2, undecided: 1 });
    const error = await errorOf(incident.correction({ requestedBy: "dana", send: apologise(all) }));
    expect(error.code).toBe("CORRECTION_UNDECIDED");
  });

  it("without an oracle says that it does not know, and makes no correction", async () => {
    const all = setUp();
    const plan = await mistake(all);
    const incident = await all.fuse.incident({ plan: plan.id });
    expect(incident.data.people).toMatchObject({ rightly: undefined, wrongly: undefined, undecided: 4 });
    expect(await codeOf(incident.correction({ requestedBy: "dana", send: apologise(all) }))).toBe(
      "CORRECTION_UNDECIDED",
    );
    expect(all.client.wire).toHaveLength(3);
  });

  it("counts mail whose process died as possibly there", async () => {
    const all = setUp();
    const since = all.clock.now();
    // The process dies between the reservation and the answer: nothing is settled.
    const dying = all.make({ store: { ...all.store, settle: () => new Promise(() => {}) } });
    await dying.client.send({ to: "ann@acme.test", tag: "note" });
    await all.client.send({ to: "bob@acme.test", tag: "note" });
    await all.fuse.flush();
    const young = await all.fuse.incident({ purpose: "note", from: since }, { right: [] });
    expect(young.data.people).toMatchObject({ accepted: 1, unknown: 1 });
    expect(young.data.warnings.join()).toContain("1 calls have no outcome yet");
    all.clock.advance(3_600_000);
    const later = await all.make().fuse.incident({ purpose: "note", from: since }, { right: [] });
    expect(await later.audience()).toEqual([
      { address: "bob@acme.test", mayHave: false },
      { address: "ann@acme.test", mayHave: true },
    ]);
    expect(later.data.warnings).toEqual([]);
  });

  it("holds to its time, its purpose and its environment", async () => {
    const all = setUp();
    await all.client.send({ to: "before@acme.test", tag: "note" });
    all.clock.advance(60_000);
    const from = all.clock.now();
    await all.client.send({ to: "in@acme.test", tag: "note" });
    await all.client.send({ to: "other@acme.test" });
    const staging = all.make({
      environment: "staging",
      environments: { staging: { mode: "observe" }, production: { mode: "live" } },
    });
    await staging.client.send({ to: "elsewhere@acme.test", tag: "note" });
    all.clock.advance(60_000);
    const to = all.clock.now();
    await all.client.send({ to: "after@acme.test", tag: "note" });
    const incident = await all.fuse.incident({ purpose: "note", from: new Date(from), to }, { right: [] });
    expect((await incident.audience()).map(({ address }) => address)).toEqual(["in@acme.test"]);
    const there = await all.fuse.incident({ purpose: "note", from, to }, { right: [], environment: "staging" });
    expect((await there.audience()).map(({ address }) => address)).toEqual(["elsewhere@acme.test"]);
  });

  it("of one purpose leaves out the people of others in the same call", async () => {
    const all = setUp({
      purposes: {
        note: { kind: "stream", match: { tag: "note" }, caps: [{ people: 9, per: "1h" }] },
        receipt: { kind: "stream", match: { tag: "receipt" }, caps: [{ people: 9, per: "1h" }] },
      },
    });
    const from = all.clock.now();
    await all.client.send([
      { to: "a@acme.test", tag: "note" },
      { to: "b@acme.test", tag: "receipt" },
      { to: "c@acme.test", tag: "note" },
    ]);
    const of = async (purpose: string) =>
      (await (await all.fuse.incident({ purpose, from }, { right: [] })).audience()).map(({ address }) => address);
    expect(await of("note")).toEqual(["a@acme.test", "c@acme.test"]);
    expect(await of("receipt")).toEqual(["b@acme.test"]);
  });

  it("says what stopped it and when, and what can still send", async () => {
    const all = setUp();
    const plan = await all.fuse.plan(
      { purpose: "offer", expectedPeople: 20, requestedBy: "dana" },
      { audience: people(20), send: (to) => all.client.send({ to, subject: "Offer", text: "x" }) },
    );
    await all.fuse.release(plan.id, {
      tokens: [await all.token(plan)],
      concurrency: 1,
      onDelivered: ({ index }) =>
        index === 4 ? all.fuse.halt({ purpose: "offer", reason: "wrong <list>", by: "erin" }) : undefined,
    });
    const { data } = await all.fuse.incident({ plan: plan.id }, { right: [] });
    expect(data.people).toMatchObject({ accepted: 5, wrongly: 5, notSent: 15 });
    expect(data.stop).toMatchObject({ by: "HALTED" });
    expect(data.stop?.what).toContain("by erin");
    expect(data.waiting).toEqual([{ plan: plan.id, state: "halted", entries: 15 }]);
    expect(data.timeline.map(({ what }) => what).join("\n")).toMatch(
      /planned by dana[\s\S]*released[\s\S]*halted by erin/,
    );
  });

  it("names the cap that halted it", async () => {
    const all = setUp({
      purposes: {
        note: { kind: "stream", match: { tag: "note" }, caps: [{ people: 3, per: "1h", onExceeded: "halt" }] },
      },
    });
    const from = all.clock.now();
    for (const to of people(6)) await all.client.send({ to, tag: "note" }).catch(() => {});
    await all.fuse.flush();
    const { data } = await all.fuse.incident({ purpose: "note", from });
    expect(data.people).toMatchObject({ accepted: 3, stopped: 3 });
    expect(data.reasons).toEqual({ CAP_EXCEEDED: 1, HALTED: 2 });
    expect(data.stop?.what).toContain("the cap of 3 people per 3600 s was reached");
  });

  it("is there on another machine that knows neither the client nor the purpose", async () => {
    const all = setUp();
    const plan = await mistake(all);
    const { fuse } = all.make({ purposes: {}, environments: { production: { mode: "observe" } } });
    const incident = await fuse.incident({ plan: plan.id }, { right: [] });
    expect(await incident.audience()).toHaveLength(4);
  });

  it("of a ledger that lacks lines, or has some that are cut, says what it can and that it may be too little", async () => {
    const all = setUp();
    const plan = await mistake(all);
    const whole = await linesOf(all.store);
    const reserved = whole.filter(({ event }) => event.includes('"reserved"')).map(({ seq }) => seq);
    const settled = whole.filter(({ event }) => event.includes('"settled"')).map(({ seq }) => seq);
    const damaged = whole
      .filter(({ seq }) => seq !== settled[0])
      .map((line) => (line.seq === reserved[3] ? { ...line, event: line.event.slice(0, 40) } : line));
    const read = async (after: number, limit: number) => damaged.filter(({ seq }) => seq > after).slice(0, limit);
    const { fuse } = all.make({ store: { ...all.store, read } });
    const { data } = await fuse.incident({ plan: plan.id }, { right: [] });
    // Of the first person the outcome is gone, of the fourth everything.
    expect(data.people).toMatchObject({ accepted: 1, unknown: 2, refused: 2 });
    expect(data.warnings.join("\n")).toMatch(
      new RegExp(
        `cannot be read \\(1, the first is line ${reserved[3]}\\)[^]*in 1 places.* behind line ${(settled[0] ?? 0) - 1}\\)`,
      ),
    );
    expect(await fuse.ledger.verify()).toMatchObject({ ok: false });
    expect((await all.fuse.incident({ plan: plan.id }, { right: [] })).data.warnings).toEqual([]);
  });

  it("is unknown where nothing is known of it", async () => {
    const all = setUp();
    expect(await codeOf(all.fuse.incident({ plan: "p_none" }))).toBe("INCIDENT_UNKNOWN");
    expect(await codeOf(all.fuse.incident({ purpose: "offer", from: 0 }))).toBe("INCIDENT_UNKNOWN");
    expect(await codeOf(all.fuse.incident({ purpose: "offer", from: new Date("never") }))).toBe("CONFIG_INVALID");
    const plan = await mistake(all);
    const bad = await errorOf(all.fuse.incident({ plan: plan.id }, { right: ["p0@acme.test", "no address, this"] }));
    expect(bad.message).toContain("right[1]");
    expect(bad.message).not.toContain("no address, this");
  });
});

describe("its reports", () => {
  it("give the help desk's text first, then the status page's, then the mail", async () => {
    const all = setUp();
    const plan = await mistake(all);
    const incident = await all.fuse.incident({ plan: plan.id }, { right: ["p0@acme.test"] });
    for (const text of [incident.markdown(), incident.html()]) {
      const places = ["For the help desk", "For the status page", "The mail, last", "you may have received"].map(
        (part) => text.indexOf(part),
      );
      expect(places).toEqual([...places].sort((a, b) => a - b));
      expect(places.every((place) => place > 0)).toBe(true);
      expect(text).not.toContain("@acme.test");
    }
    expect(incident.data.drafts.helpDesk).toContain("For 3 people it was wrong, for 1 person it was right.");
    expect(JSON.stringify(incident.data)).not.toContain("@acme.test");
  });

  it("escape what people wrote", async () => {
    const all = setUp();
    const plan = await mistake(all);
    const reason = `</pre><script>alert(1)</script> "x" 'y' & [a](javascript:b) | **c** \`d\``;
    await all.fuse.halt({ purpose: "offer", reason, by: "<img src=x onerror=1>" });
    const incident = await all.fuse.incident({ plan: plan.id }, { right: [] });
    const html = incident.html();
    expect(html).not.toMatch(/<script|<img|<a |https?:/);
    expect(html).toContain("default-src 'none'");
    expect(html).toMatch(/<svg[\s\S]*<rect[\s\S]*<\/svg>/);
    expect(incident.markdown()).not.toMatch(/[^\\]\[a\]|[^\\]<script/);
  });

  it("leave drafts that no fuse lets out as they are", async () => {
    const all = setUp();
    const plan = await mistake(all);
    const incident = await all.fuse.incident({ plan: plan.id }, { right: [] });
    const { subject, text } = incident.data.drafts.mail;
    const draft = await incident.correction({
      requestedBy: "dana",
      send: ({ address }) => all.client.send({ to: address, subject, text }),
    });
    expect(draft.state).toBe("refused");
    expect(draft.refusalCounts).toMatchObject({ CONTENT_PLACEHOLDER: 4 });
  });

  it("answer the help desk about one person", async () => {
    const all = setUp();
    const plan = await mistake(all);
    const incident = await all.fuse.incident({ plan: plan.id });
    const asked = ["P0@acme.test", "p1@acme.test", "p2@acme.test", "x@acme.test"].map((to) => incident.fateOf(to));
    expect(asked).toEqual(["accepted", "unknown", "refused", "none"]);
  });
});

describe("a correction", () => {
  it("goes to those it reached or may have reached, less those for whom it was right, and to nobody else", async () => {
    const all = setUp();
    const wrong = await mistake(all);
    const { plan } = await correct(all, { plan: wrong.id }, ["p0@acme.test"], { rate: { messages: 100, per: "1h" } });
    expect(plan).toMatchObject({ state: "planned", phrase: "3 correction", terms: { people: 3, expectedPeople: 3 } });
    expect(plan.terms).toMatchObject({ correctionOf: wrong.id, rate: { messages: 100, windowMs: 3_600_000 } });
    expect(all.client.wire).toEqual([]);
    expect(await codeOf(all.fuse.release(plan.id))).toBe("APPROVALS_MISSING");
    await all.fuse.release(plan.id, { tokens: [await all.token(plan)] });
    const got = all.client.wire.map(({ to, text }) => `${to} ${text}`).sort();
    expect(got).toEqual(["p1@acme.test You may have received", "p3@acme.test You got", "p5@acme.test You got"]);
    expect((await linesOf(all.store)).some(({ event }) => event.includes('"type":"correction"'))).toBe(true);
  });

  it("leaves slowly when nothing is said", async () => {
    const all = setUp();
    const wrong = await mistake(all);
    const { plan } = await correct(all, { plan: wrong.id }, []);
    expect(plan.terms.rate).toEqual({ messages: 1_000, windowMs: 3_600_000 });
  });

  it("is possible while the wrong purpose is halted, and stops at a halt of its own", async () => {
    const all = setUp();
    const wrong = await mistake(all);
    await all.fuse.halt({ purpose: "offer", reason: "wrong", by: "erin" });
    const { plan } = await correct(all, { plan: wrong.id }, []);
    await all.fuse.halt({ purpose: "correction", reason: "typo", by: "erin" });
    expect(await codeOf(all.fuse.release(plan.id, { tokens: [await all.token(plan)] }))).toBe("HALTED");
    await all.fuse.resume({ purpose: "correction", by: "erin" });
    await all.fuse.release(plan.id, { tokens: [await all.token(plan)] });
    expect(all.client.wire).toHaveLength(4);
  });

  it("may speak of what the mistake was about, though such mail belongs to a purpose with a claim", async () => {
    const refund = {
      kind: "bulk" as const,
      caps: [{ people: 100, per: "24h" as const }],
      match: { subject: /refund/i },
    };
    const all = setUp({ purposes: { offer: { kind: "bulk", caps: [{ people: 100, per: "24h" }] }, refund } });
    const wrong = await mistake(all);
    const incident = await all.fuse.incident({ plan: wrong.id }, { right: [] });
    const plan = await incident.correction({
      requestedBy: "dana",
      send: ({ address }) => all.client.send({ to: address, subject: "About your refund", text: "It was wrong." }),
    });
    expect(plan.state).toBe("planned");
  });

  it("cannot be widened by its own job", async () => {
    const all = setUp();
    const wrong = await mistake(all);
    const incident = await all.fuse.incident({ plan: wrong.id }, { right: ["p0@acme.test"] });
    const before = all.client.wire.length;
    for (const more of [{ bcc: ["all@acme.test"] }, { cc: ["p0@acme.test"] }, { to: "p0@acme.test" }]) {
      const plan = await incident.correction({
        requestedBy: "dana",
        send: ({ address }) => all.client.send({ to: address, subject: "Correction", text: "x", ...more }),
      });
      expect(plan.state).toBe("refused");
      expect(plan.refusalCounts).toHaveProperty("CORRECTION_AUDIENCE");
    }
    expect(all.client.wire).toHaveLength(before);
  });

  it("is nobody's to use as a purpose without limits", async () => {
    const all = setUp();
    const request = { purpose: "correction", expectedPeople: 1, requestedBy: "dana" };
    const source = { audience: ["x@acme.test"], send: (to: string) => all.client.send({ to }) };
    expect(await codeOf(all.fuse.plan(request, source))).toBe("PURPOSE_UNKNOWN");
    expect(
      await codeOf(
        Promise.resolve().then(() => all.fuse.run({ purpose: "correction" }, () => source.send("x@acme.test"))),
      ),
    ).toBe("PURPOSE_UNKNOWN");
    expect(all.client.wire).toEqual([]);
  });

  it("is confirmed by somebody else, declared and not its requester", async () => {
    const all = setUp();
    const wrong = await mistake(all);
    const incident = await all.fuse.incident({ plan: wrong.id }, { right: [] });
    expect(await codeOf(incident.correction({ requestedBy: "mallory", send: apologise(all) }))).toBe(
      "PRINCIPAL_UNKNOWN",
    );
    const before = all.client.wire.length;
    const own = await incident.correction({ requestedBy: "erin", send: apologise(all) });
    expect(await codeOf(all.fuse.release(own.id, { tokens: [await all.token(own, "erin")] }))).toBe("TOKEN_OWN");
    await all.fuse.release(own.id, { tokens: [await all.token(own, "frank")] });
    expect(all.client.wire).toHaveLength(before + 4);
  });

  it("of nobody is no plan", async () => {
    const all = setUp();
    const wrong = await mistake(all);
    const incident = await all.fuse.incident({ plan: wrong.id }, { right: people(6) });
    expect(await codeOf(incident.correction({ requestedBy: "dana", send: apologise(all) }))).toBe("PLAN_EMPTY");
  });

  it("follows the rules of a purpose declared for it", async () => {
    const all = setUp({
      purposes: {
        offer: { kind: "bulk", caps: [{ people: 100, per: "24h" }] },
        correction: { kind: "bulk", caps: [{ people: 100, per: "24h" }], confirm: { approvals: 2 } },
      },
    });
    const wrong = await mistake(all);
    const { plan } = await correct(all, { plan: wrong.id }, []);
    expect(await codeOf(all.fuse.release(plan.id, { tokens: [await all.token(plan, "erin")] }))).toBe(
      "APPROVALS_MISSING",
    );
    await all.fuse.release(plan.id, { tokens: [await all.token(plan, "erin"), await all.token(plan, "frank")] });
    expect(all.client.wire).toHaveLength(4);
  });
});

describe("people who have unsubscribed since", () => {
  const gone = "p3@acme.test";
  const withGone = () => {
    let since = false;
    const all = setUp({ isSuppressed: (addresses) => (since ? addresses.filter((address) => address === gone) : []) });
    return { all, unsubscribe: () => (since = true) };
  };

  it("are listed, and neither dropped nor mailed before a person decides", async () => {
    const { all, unsubscribe } = withGone();
    const wrong = await mistake(all);
    unsubscribe();
    const { incident, plan } = await correct(all, { plan: wrong.id }, []);
    expect(incident.data.correction).toMatchObject({ people: 4, unsubscribed: 1 });
    expect(await incident.unsubscribed()).toEqual([gone]);
    expect(plan).toMatchObject({ state: "refused", refusalCounts: { SUPPRESSED: 1 } });
  });

  it("are left out of the refused plan by a named person, as of any plan", async () => {
    const { all, unsubscribe } = withGone();
    const wrong = await mistake(all);
    unsubscribe();
    const { plan } = await correct(all, { plan: wrong.id }, []);
    const rest = await all.fuse.exclude(plan.id, { by: "dana" });
    expect(rest).toMatchObject({ state: "planned", terms: { people: 3, correctionOf: wrong.id } });
    await all.fuse.release(rest.id, { tokens: [await all.token(rest)] });
    expect(all.client.wire.map(({ to }) => to).sort()).toEqual(["p0@acme.test", "p1@acme.test", "p5@acme.test"]);
  });

  it("are mailed, or left out, as it was decided", async () => {
    for (const unsubscribed of ["mail", "leave-out"] as const) {
      const { all, unsubscribe } = withGone();
      const wrong = await mistake(all);
      unsubscribe();
      const { plan } = await correct(all, { plan: wrong.id }, [], { unsubscribed });
      await all.fuse.release(plan.id, { tokens: [await all.token(plan)] });
      expect(all.client.wire.map(({ to }) => to).includes(gone)).toBe(unsubscribed === "mail");
      expect(all.client.wire).toHaveLength(unsubscribed === "mail" ? 4 : 3);
      const line = (await linesOf(all.store)).find(({ event }) => event.includes('"type":"correction"'));
      expect(line?.event).toContain(`"decision":"${unsubscribed}"`);
    }
  });
});

describe("people whose address is destroyed", () => {
  it("stop the correction until a person goes on without them", async () => {
    const all = setUp();
    const wrong = await mistake(all);
    await all.fuse.ledger.forget({ address: "p3@acme.test" });
    const incident = await all.fuse.incident({ plan: wrong.id }, { right: [] });
    const error = await errorOf(incident.correction({ requestedBy: "dana", send: apologise(all) }));
    expect(error.code).toBe("ADDRESSES_DESTROYED");
    expect(error.message).toContain("Expected the addresses of 4 people, got none for 1 of them");
    const plan = await incident.correction({ requestedBy: "dana", send: apologise(all), withoutDestroyed: true });
    expect(plan.terms.people).toBe(3);
  });
});
