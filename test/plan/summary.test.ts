import { describe, expect, it } from "vitest";
import { type PlanSummary, type SampleReason, type SummarySample, summaryHtml, summaryText } from "../../src/index";
import { codeOf } from "../support/fake-client";
import { people, planOffer, setUp } from "./release-set-up";

const wide = {
  purposes: {
    offer: { kind: "bulk" as const, match: { tag: "offer" }, caps: [{ people: 1_000, per: "24h" as const }] },
  },
};

interface Person {
  readonly email: string;
  readonly name?: string;
  readonly text?: string;
  readonly subject?: string;
  readonly since?: number;
}

async function planFor(audience: readonly Person[], change: object = {}, config: Parameters<typeof setUp>[0] = wide) {
  const all = setUp(config);
  const plan = await all.fuse.plan(
    { purpose: "offer", expectedPeople: 1_000, requestedBy: "dana", ...change },
    {
      audience,
      send: ({ email, name = "you", text, subject = "Offer" }) =>
        all.client.send({
          to: email,
          subject,
          text: text ?? `Dear ${name},\nyour renewal is due soon and we have an offer.\nSee https://acme.com/offer`,
          tag: "offer",
        }),
      data: ({ name }) => ({ name: name ?? null }),
      orderBy: ({ since = 0 }) => since,
    },
  );
  return { ...all, plan, summary: plan.summary as PlanSummary };
}

const sampled = (summary: PlanSummary, why: SampleReason): SummarySample =>
  summary.samples.find((sample) => sample.why.includes(why)) as SummarySample;
const crowd = (count: number, domain = "acme.test"): Person[] =>
  Array.from({ length: count }, (_, index) => ({
    email: `p${index}@${domain}`,
    name: `Name${index}`,
    since: 1_000 + index,
  }));

describe("a plan's summary", () => {
  it("counts people, mails and domains, against what was expected and the population", async () => {
    const { summary } = await planFor([...crowd(20), ...crowd(3, "other.test")], { population: 92 });
    expect(summary).toMatchObject({
      people: 23,
      expectedPeople: 1_000,
      messages: 23,
      entries: 23,
      items: 23,
      silentItems: 0,
      failed: 0,
      population: { people: 92, perMille: 250 },
      domains: [
        { name: "acme.test", count: 20 },
        { name: "other.test", count: 3 },
      ],
      otherDomains: { domains: 0, people: 0 },
      hosts: [{ name: "acme.com", count: 23 }],
    });
    expect(summary.last).toBeUndefined();
  });

  it("picks the mails in which a mistake shows first", async () => {
    const audience = crowd(60);
    audience[7] = { email: "p7@acme.test", name: "X".repeat(400), since: 5 };
    audience[8] = { email: "p8@acme.test", text: "Dear,", since: 7_000 };
    audience[9] = { email: "p9@rival.test", name: "Name9" };
    const { summary } = await planFor(audience);
    expect(sampled(summary, "longest").entry).toBe(7);
    expect(sampled(summary, "shortest").entry).toBe(8);
    expect(sampled(summary, "newest").entry).toBe(8);
    expect(sampled(summary, "oldest").entry).toBe(9);
    expect(sampled(summary, "empty-field")).toMatchObject({ entry: 8, emptyFields: ["name"] });
    expect(sampled(summary, "outlier-domain").to).toEqual([{ field: "to", address: "p9@rival.test" }]);
    expect(summary.samples.filter(({ why }) => why.includes("random"))).toHaveLength(3);
    expect(sampled(summary, "shortest")).toMatchObject({ subject: "Offer", text: "Dear,", length: 5 });
  });

  it("tells texts apart that differ in more than names and values", async () => {
    const usual = crowd(200);
    const some = crowd(200).map((person, index) => ({
      ...person,
      text: `Dear ${person.name},\nyour renewal is due soon.${index === 150 ? "\nYou owe us the rest, pay it before Friday or else." : ""}\nAmount ${index * 7} EUR`,
    }));
    expect((await planFor(usual)).summary.variants).toMatchObject({ count: 1, most: [{ messages: 200 }] });
    const { variants, samples } = (await planFor(some)).summary;
    expect(variants).toMatchObject({ count: 2, most: [{ messages: 199 }, { messages: 1, entry: 150 }] });
    expect(samples.find(({ why }) => why.includes("rare-text"))?.entry).toBe(150);
    const two = (
      await planFor([
        { email: "a@acme.test", text: "one thing" },
        { email: "b@acme.test", text: "quite another" },
      ])
    ).summary;
    expect(two.variants.count).toBe(2);
  });

  it("says which claims are proven, and that one record stands for several people", async () => {
    const config = {
      purposes: {
        offer: {
          ...wide.purposes.offer,
          claim: {
            data: { "~standard": { version: 1 as const, vendor: "test", validate: (value: unknown) => ({ value }) } },
            verify: (_data: unknown, { address }: { address: string }) =>
              address.startsWith("p3@") ? false : { ok: true as const, evidence: "order-1" },
          },
        },
      },
    };
    const { summary, plan, fuse } = await planFor(
      crowd(6).map(({ email }) => ({ email, name: "same" })),
      {},
      config as never,
    );
    expect(summary.claims).toEqual({
      asked: 6,
      proven: 5,
      failed: 1,
      evidence: 1,
      mostShared: 5,
      references: ["order-1"],
    });
    expect(plan.state).toBe("refused");
    expect(summary).toMatchObject({ failed: 1, refusals: [{ name: "CLAIM_FAILED", count: 1 }] });
    expect(sampled(summary, "refused")).toMatchObject({ entry: 3, codes: ["CLAIM_FAILED"] });
    const good = await fuse.exclude(plan.id, { by: "frank" });
    expect(good.summary?.claims).toEqual({
      asked: 5,
      proven: 5,
      failed: 0,
      evidence: 1,
      mostShared: 5,
      references: ["order-1"],
    });
  });

  it("shows placeholders, warnings and mails that say nothing", async () => {
    const content = { placeholders: "warn" as const };
    const config = { purposes: { offer: { ...wide.purposes.offer, content } } };
    const audience = [...crowd(4), { email: "x@acme.test", text: "Dear {{name}}, your renewal is due" }];
    const { summary } = await planFor(audience, {}, config);
    expect(summary.placeholders).toEqual([{ name: "a {{…}} placeholder in the plain text", count: 1 }]);
    expect(summary.warnings).toEqual([{ name: "CONTENT_PLACEHOLDER", count: 1 }]);
    expect(sampled(summary, "warned")).toMatchObject({ entry: 4, codes: ["CONTENT_PLACEHOLDER"] });
    const off = { purposes: { offer: { ...wide.purposes.offer, content: { placeholders: "off" as const } } } };
    expect((await planFor(audience, {}, off)).summary.placeholders).toHaveLength(1);
  });

  it("compares with the last release of its purpose", async () => {
    const all = setUp();
    const first = await planOffer(all, people(3));
    expect(first.summary?.last).toBeUndefined();
    const unreleased = await planOffer(all, people(2));
    expect(unreleased.summary?.last).toBeUndefined();
    await all.fuse.release(first.id, { tokens: [await all.token(first, "erin")] });
    const second = await planOffer(all, ["P1@acme.test", "p2@acme.test", "new@acme.test"]);
    expect(second.summary?.last).toMatchObject({ plan: first.id, state: "done", people: 3, gained: 1, lost: 1 });
    const rotated = all.make({ secret: ["another secret of that length", "a secret of some length"] });
    const third = await planOffer(rotated, people(3));
    const { last } = third.summary as PlanSummary;
    expect(last).toMatchObject({ plan: first.id, people: 3 });
    expect(last && "gained" in last).toBe(false);
  });

  it("is what its plan's digest stands for, sealed, and gone with the plan", async () => {
    const all = setUp();
    const plan = await planOffer(all);
    const summary = await all.fuse.summary(plan.id);
    expect(summary).toEqual(plan.summary);
    expect(JSON.stringify(plan) + JSON.stringify({ ...plan })).not.toContain("@acme.test");
    const row = await all.store.plan(plan.id);
    expect(row?.record).not.toMatch(/acme\.test|Offer/);
    const other = await planOffer(all, people(2));
    expect(other.terms.summary).not.toBe(plan.terms.summary);
    await all.fuse.release(plan.id, { tokens: [await all.token(plan, "erin")] });
    expect(await codeOf(all.fuse.summary(plan.id))).toBe("PLAN_STATE");
    expect(await codeOf(all.fuse.summary("p_none"))).toBe("PLAN_NOT_FOUND");
  });

  it("is the same for the entries that are left when failed ones are excluded", async () => {
    const audience: Person[] = [...crowd(8), { email: "p1@acme.test", name: "Twice" }];
    const { fuse, plan } = await planFor(audience);
    expect(plan.refusalCounts).toEqual({ PLAN_DUPLICATE: 1 });
    const made = await fuse.exclude(plan.id, { by: "frank" });
    expect(made.state).toBe("planned");
    const { summary } = made;
    expect(summary).toMatchObject({
      people: 8,
      entries: 8,
      failed: 0,
      excluded: { from: plan.id, by: "frank", entries: 1 },
    });
    const direct = (await planFor(audience.slice(0, 8))).summary;
    for (const part of ["domains", "variants", "hosts", "senders", "links"] as const)
      expect(summary?.[part]).toEqual(direct[part]);
    expect(sampled(summary as PlanSummary, "newest")).toMatchObject({ entry: 7, to: [{ address: "p7@acme.test" }] });
  });

  it("stays small whatever the mails say", async () => {
    const audience = Array.from({ length: 300 }, (_, index) => ({
      email: `p${index}@d${index}.test`,
      name: "N".repeat(500),
      text: `${index} ${"word".repeat(index)} ${"\u{1f600}".repeat(3_000)} https://h${index}.test/`,
    }));
    const { summary, store, plan } = await planFor(audience);
    expect(JSON.stringify(summary).length).toBeLessThan(150_000);
    expect((await store.plan(plan.id))?.record.length).toBeLessThan(150_000);
    expect(summary.domains).toHaveLength(20);
    expect(summary.otherDomains).toEqual({ domains: 280, people: 280 });
  });
});

describe("a summary shown", () => {
  const hostile =
    '<img src=x onerror="alert(1)"><script>alert(1)</script></pre><a href="https://evil.test">&amp; \u202egpj.exe';
  it("is text and nothing else, whatever stands in a mail", async () => {
    const { summary } = await planFor([
      { email: "a@acme.test", subject: hostile, text: `${hostile}\n\u001b[2J3 offer`, name: "\u001b]0;x" },
    ]);
    const odd = {
      ...summary,
      requester: "x\n2 offer",
      samples: summary.samples.map((one) => ({
        ...one,
        to: [{ field: "to" as const, address: "a@acme.test", name: `Bob\n\r99 offer ${hostile}` }],
      })),
    };
    const html = summaryHtml(odd);
    expect(html).not.toMatch(/<img|<script|<a[ >]|onerror="|\u202e|[^\n\P{Cc}]/u);
    expect(html).toContain("&lt;img src=x onerror=&quot;alert(1)&quot;&gt;");
    expect(html).toContain("default-src 'none'");
    expect([...html.matchAll(/<\/?([a-z0-9]+)/g)].map(([, name]) => name)).not.toContain("form");
    const text = summaryText(odd);
    expect(text).not.toMatch(/[^\n\P{Cc}]|\u202e/u);
    // No line of a mail, a name or a requester stands where the fuse's own lines begin.
    expect(
      text.split("\n").filter((line) => /^\s*(?:\||.*⟨)/.test(line) === false && line.includes("99 offer")),
    ).toEqual([]);
    expect(text.split("\n")[0]).toBe("1 offer");
  });
});
