import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonical } from "../../src/canonical";
import type { SpoolEntry, Terms } from "../../src/index";
import { MerkleTree } from "../../src/plan/digests";
import { confirmationDigest, termsDigest } from "../../src/plan/record";
import { packEntry, unpackEntry } from "../../src/plan/spool";
import { readTerms } from "../../src/plan/terms";
import { codeOf } from "../support/fake-client";
import { people, planOffer, setUp } from "./release-set-up";

/** Every way to change one value somewhere inside a value, one at a time. */
function* changes(value: unknown): Generator<unknown> {
  if (typeof value === "number") yield value + 1;
  else if (typeof value === "string") {
    yield `${value}x`;
    yield value.slice(1);
    if (value.toUpperCase() !== value) yield value.toUpperCase();
  } else if (typeof value === "boolean") yield !value;
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      for (const other of changes(item)) yield value.map((kept, place) => (place === index ? other : kept));
    if (value.length > 0) yield value.slice(1);
    yield [...value, ...(value.length > 0 ? [value[0]] : ["x"])];
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      for (const other of changes(item)) yield { ...value, [key]: other };
      const { [key]: _gone, ...rest } = value as Record<string, unknown>;
      yield rest;
    }
  }
}

const full = async () => {
  const all = setUp();
  const asked = { population: 9, canary: { people: 1, wait: "10m" }, rate: { messages: 5, per: "1m" } };
  const plan = await planOffer(all, people(3), asked);
  const terms: Terms = { ...plan.terms, from: "p_other", correctionOf: "i_1", mailsUnsubscribed: true, repeats: true };
  return { ...all, plan, terms };
};

describe("a plan's terms", () => {
  it("freeze everything people decide on", async () => {
    const { plan, fuse } = await full();
    expect(plan.terms).toMatchObject({
      v: 1,
      id: plan.id,
      purpose: "offer",
      environment: "production",
      clients: ["fake"],
      requester: "dana",
      entries: 3,
      people: 3,
      expectedPeople: 3,
      population: 9,
      caps: [{ of: "purpose:offer", people: 10, per: "window", windowMs: 86_400_000, onExceeded: "refuse" }],
      canary: { people: 1, waitMs: 600_000 },
      rate: { messages: 5, windowMs: 60_000 },
    });
    for (const digest of ["audience", "root", "summary", "policy"] as const)
      expect(plan.terms[digest]).toMatch(/^[\w-]{43}$/);
    expect(plan.terms.notAfter).toBeGreaterThan(plan.terms.notBefore);
    expect(plan.terms.policy).not.toBe("");
    expect((await fuse.findPlan(plan.id)).terms).toEqual(plan.terms);
  });

  it("have another digest after any change anywhere", async () => {
    const { terms } = await full();
    const digests = new Map([[termsDigest(terms), canonical(terms)]]);
    for (const changed of changes(terms)) {
      const digest = termsDigest(changed as Terms);
      const text = canonical(changed);
      // Two changes may lead to one text; two texts never to one digest.
      expect(digests.get(digest) ?? text).toBe(text);
      digests.set(digest, text);
    }
    expect(digests.size).toBeGreaterThan(60);
    const record = { terms, round: 1, approvals: [], refusals: [], refusalCounts: {} };
    expect(confirmationDigest(record)).not.toBe(confirmationDigest({ ...record, round: 2 }));
  });

  it("have one digest in any order of their members (RFC 8785)", async () => {
    const { terms } = await full();
    const reversed = Object.fromEntries(Object.entries(terms).reverse()) as unknown as Terms;
    expect(termsDigest(reversed)).toBe(termsDigest(terms));
  });

  it("are a closed schema: nothing may be missing, nothing added, nothing of another type", async () => {
    const { terms } = await full();
    expect(readTerms(terms)).toBe(terms);
    const optional = new Set(["population", "from", "correctionOf", "mailsUnsubscribed", "repeats", "canary", "rate"]);
    for (const key of Object.keys(terms)) {
      const { [key as keyof Terms]: value, ...rest } = terms;
      const read = async () => readTerms(rest);
      if (optional.has(key)) expect(await codeOf(read())).toContain("resolved");
      else expect([key, await codeOf(read())]).toEqual([key, "PLAN_TAMPERED"]);
      for (const other of [null, [], {}, typeof value === "number" ? "1" : 1.5]) {
        if (JSON.stringify(other) === JSON.stringify(value) || (key === "clients" && Array.isArray(other))) continue;
        if (key === "caps" && Array.isArray(other)) continue;
        const wrong = async () => readTerms({ ...terms, [key]: other });
        expect([key, other, await codeOf(wrong())]).toEqual([key, other, "PLAN_TAMPERED"]);
      }
    }
    for (const more of [
      { extra: 1 },
      { v: 2 },
      { caps: [{ ...terms.caps[0], extra: 1 }] },
      { canary: { people: 1, extra: 1 } },
    ]) {
      const read = async () => readTerms({ ...terms, ...more });
      expect(await codeOf(read())).toBe("PLAN_TAMPERED");
    }
  });
});

describe("a plan's spool", () => {
  it("is refused with any byte of any entry changed, and nothing is sent", async () => {
    const all = setUp();
    const plan = await planOffer(all, people(2));
    const tokens = [await all.token(plan, "erin")];
    const real = all.store.entries.bind(all.store);
    const entries = await real(plan.id, 0, 10);
    expect(entries).toHaveLength(2);
    const bytes = entries.reduce((sum, { sealed }) => sum + sealed.length, 0);
    for (let at = 0; at < bytes; at++) {
      let left = at;
      const changed = entries.map(({ index, sealed }): SpoolEntry => {
        const copy = Uint8Array.from(sealed);
        if (left >= 0 && left < copy.length) copy[left] = (copy[left] ?? 0) ^ (1 << (at % 8));
        left -= copy.length;
        return { index, sealed: copy };
      });
      all.store.entries = async (id, from, limit) =>
        id === plan.id ? changed.slice(from, from + limit) : real(id, from, limit);
      expect([at, await codeOf(all.fuse.release(plan.id, { tokens }))]).toEqual([at, "PLAN_TAMPERED"]);
    }
    const [first, second] = entries as [SpoolEntry, SpoolEntry];
    const forgeries: SpoolEntry[][] = [
      [first],
      [second],
      [
        { index: 0, sealed: second.sealed },
        { index: 1, sealed: first.sealed },
      ],
      [first, { index: 1, sealed: first.sealed }],
      [...entries, { index: 2, sealed: second.sealed }],
      [],
    ];
    for (const forged of forgeries) {
      all.store.entries = async (_id, from, limit) => forged.filter(({ index }) => index >= from).slice(0, limit);
      expect(await codeOf(all.fuse.release(plan.id, { tokens }))).toBe("PLAN_TAMPERED");
    }
    expect(all.client.wire).toEqual([]);
    all.store.entries = real;
    await all.fuse.release(plan.id, { tokens });
    expect(all.client.wire).toHaveLength(2);
  });

  const entry = fc.record(
    {
      client: fc.string(),
      people: fc.array(fc.stringMatching(/^[\w-]{22}$/)),
      data: fc.option(fc.json(), { nil: undefined }),
      evidence: fc.array(fc.string()),
      bytes: fc.uint8Array({ maxLength: 200 }),
      order: fc.integer(),
      item: fc.record(
        { distance: fc.integer(), digest: fc.string(), more: fc.constant(true) },
        { requiredKeys: ["distance", "digest"] },
      ),
      claims: fc.integer({ min: 1, max: 9 }),
      warned: fc.array(fc.constant("CONTENT_BLANK" as const), { minLength: 1 }),
    },
    { requiredKeys: ["client", "people", "data", "evidence", "bytes"] },
  );

  it("gives every entry back as it was, and binds all of it", () => {
    fc.assert(
      fc.property(entry, entry, (one, other) => {
        const packed = packEntry(one);
        expect(unpackEntry(packed)).toEqual({ ...one, bytes: Buffer.from(one.bytes) });
        const rootOf = (bytes: Uint8Array) => {
          const tree = new MerkleTree();
          tree.add(bytes);
          return tree.root();
        };
        const same = Buffer.from(packed).equals(Buffer.from(packEntry(other)));
        expect(rootOf(packEntry(other)) === rootOf(packed)).toBe(same);
      }),
    );
  });

  it("has another root for other entries, another order or another number", () => {
    const roots = (leaves: readonly string[]) => {
      const tree = new MerkleTree();
      for (const leaf of leaves) tree.add(Buffer.from(leaf));
      return tree.root();
    };
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 20 }), fc.array(fc.string(), { maxLength: 20 }), (a, b) => {
        expect(roots(a) === roots(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });
});

describe("a plan's audience digest", () => {
  it("is over who is reached, in no order and no spelling, and keyed", async () => {
    const all = setUp();
    const one = await planOffer(all, ["a@acme.test", "b@acme.test", "c@acme.test"]);
    const two = await planOffer(all, ["C@acme.test", "a@ACME.test", "b@acme.test"]);
    const three = await planOffer(all, ["a@acme.test", "b@acme.test", "d@acme.test"]);
    expect(two.terms.audience).toBe(one.terms.audience);
    expect(three.terms.audience).not.toBe(one.terms.audience);
    const other = setUp({ secret: "quite another secret" });
    expect((await planOffer(other, ["a@acme.test", "b@acme.test", "c@acme.test"])).terms.audience).not.toBe(
      one.terms.audience,
    );
  });
});

describe("a plan's summary in the store", () => {
  it("is the one that was shown, or none", async () => {
    const all = setUp();
    const plan = await planOffer(all);
    const other = await planOffer(all, people(2));
    const real = all.store.plan.bind(all.store);
    const rows = [await real(plan.id), await real(other.id)];
    const sealed = rows.map(
      (row) => /"summary":"([^"]{44,})"/.exec(String(row?.record).replace(/"summary":"[\w-]{43}"/, ""))?.[1],
    );
    expect(sealed.every(Boolean)).toBe(true);
    all.store.plan = async (id) => {
      const row = await real(id);
      return row && { ...row, record: row.record.replace(String(sealed[0]), String(sealed[1])) };
    };
    expect(await codeOf(all.fuse.summary(plan.id))).toBe("PLAN_TAMPERED");
    expect(await codeOf(all.fuse.view(plan.id, { by: "erin" }))).toBe("PLAN_TAMPERED");
  });
});
