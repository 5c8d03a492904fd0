/** Claims: the ways around them, and what is kept of what proved them. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { ClaimQuestion } from "../../src/index";
import { codeOf } from "../support/fake-client";
import { caps, setUp } from "./set-up";

const Refund = z.object({ email: z.string() });
const data = (email: string) => ({ email });
const audience = ["a@acme.test", "b@acme.test"];

describe("evidence", () => {
  it("stands in the ledger beside each delivery of a release, as it was proven last", async () => {
    let round = 0;
    const all = setUp({
      refund: {
        kind: "bulk",
        caps,
        claim: {
          data: Refund,
          verifyMany: (questions: readonly ClaimQuestion[]) => {
            round++;
            return questions.map(({ person }) => ({ evidence: `round-${round}-${person.address[0]}` }));
          },
        },
      },
    });
    const plan = await all.fuse.plan(
      { purpose: "refund", expectedPeople: 2, requestedBy: "dana" },
      { audience, send: (to) => all.client.send({ to }), data: (email) => ({ email }) },
    );
    await all.fuse.release(plan.id, { tokens: [await all.token(plan)] });
    const notes = (await all.lines()).filter(({ type }) => type === "reserved").map((line) => line.notes);
    expect(notes).toHaveLength(2);
    expect(notes.flat().sort()).toEqual([
      expect.stringMatching(/^evidence:[\w-]{22}:round-3-a$/),
      expect.stringMatching(/^evidence:[\w-]{22}:round-3-b$/),
    ]);
  });

  it("stands in the ledger for a single mail, without the address a careless reference holds", async () => {
    const verify = ({ email }: { email: string }) => ({ evidence: email });
    const all = setUp({ refund: { kind: "stream", caps, claim: { data: Refund, verify } } });
    const data = { email: "a@acme.test" };
    expect(await codeOf(all.fuse.run({ purpose: "refund", data }, () => all.client.send({ to: data.email })))).toMatch(
      /^resolved/,
    );
    const [line] = (await all.lines()).filter(({ type }) => type === "reserved");
    expect(line?.notes).toEqual([expect.stringMatching(/^evidence:[\w-]{22}$/)]);
    expect(JSON.stringify(line)).not.toContain("acme.test");
  });
});

describe("mail that looks like a claiming purpose's", () => {
  const open = () =>
    setUp({
      refund: {
        kind: "stream",
        caps,
        claim: { data: Refund, verify: () => true, looksLike: [{ subject: "your refund" }, { template: "d-refund" }] },
      },
      receipt: { kind: "stream", caps, match: { tag: "receipt" } },
    });

  it.each([
    ["as it is declared", "Your refund"],
    ["in capitals", "YOUR REFUND is here"],
    ["behind a reply's mark", "Re: your refund"],
    ["with two blanks", "Your  refund"],
    ["with a blank that does not break", "Your\u00a0refund"],
    ["with a soft hyphen", "Your re\u00adfund"],
    ["with a joiner of no width", "Your re\u200bfund"],
    ["in full width", "Ｙｏｕｒ refund"],
    ["folded", "Your\r\n refund"],
  ])("is refused untagged, %s", async (_how, subject) => {
    const { client, fuse } = open();
    expect(await codeOf(client.send({ to: "a@acme.test", subject }))).toBe("PURPOSE_UNTAGGED");
    // Another purpose, by name or by tag, is no way around.
    const named = () => client.send({ to: "a@acme.test", subject });
    expect(await codeOf(fuse.run({ purpose: "receipt" }, named))).toBe("PURPOSE_UNTAGGED");
    expect(await codeOf(client.send({ to: "a@acme.test", subject, tag: "receipt" }))).toBe("PURPOSE_UNTAGGED");
    expect(client.wire).toEqual([]);
  });

  it("is refused among other mails of one call, and in a plan of another purpose", async () => {
    const { client, fuse } = setUp({
      refund: { kind: "stream", caps, claim: { data: Refund, verify: () => true, looksLike: { subject: /refund/i } } },
      news: { kind: "bulk", caps },
    });
    const mails = [{ to: "a@acme.test" }, { to: "b@acme.test", subject: "Your refund" }];
    expect(await codeOf(client.send(mails))).toBe("PURPOSE_UNTAGGED");
    const plan = await fuse.plan(
      { purpose: "news", expectedPeople: 2, requestedBy: "dana" },
      { audience: mails, send: (mail) => client.send(mail) },
    );
    expect(plan).toMatchObject({ state: "refused", refusalCounts: { PURPOSE_UNTAGGED: 1 } });
    expect(client.wire).toEqual([]);
  });

  it("leaves the purpose itself, and mail of other words, alone", async () => {
    const { client, fuse } = open();
    const refund = () => client.send({ to: "a@acme.test", subject: "Your  refund" });
    expect(await codeOf(fuse.run({ purpose: "refund", data: data("a@acme.test") }, refund))).toMatch(/^resolved/);
    expect(await codeOf(client.send({ to: "a@acme.test", subject: "Your order refunded nothing" }))).toMatch(
      /^resolved/,
    );
  });
});

describe("questions", () => {
  it("of a plan go to the system of record in batches", async () => {
    const batches: number[] = [];
    const verifyMany = (questions: readonly ClaimQuestion[]) => {
      batches.push(questions.length);
      return questions.map(() => true);
    };
    const all = setUp({ refund: { kind: "bulk", caps, claim: { data: Refund, verifyMany } } });
    const people = Array.from({ length: 3_000 }, (_, index) => `p${index}@acme.test`);
    const plan = await all.fuse.plan(
      { purpose: "refund", expectedPeople: people.length, requestedBy: "dana" },
      { audience: people, send: (to) => all.client.send({ to }), data },
    );
    expect(plan.state).toBe("planned");
    expect(batches.reduce((sum, size) => sum + size)).toBe(people.length);
    // A hundred thousand people are four hundred queries, not a hundred thousand.
    expect(batches.length).toBe(Math.ceil(people.length / 256));
  });

  it.each(["verify", "verifyMany"] as const)(
    "that %s does not answer in time are refused, in a plan too",
    async (how) => {
      let asked = () => {};
      const asking = new Promise<void>((resolve) => {
        asked = resolve;
      });
      const never = () => {
        asked();
        return new Promise<never>(() => {});
      };
      const all = setUp({ refund: { kind: "bulk", caps, claim: { data: Refund, [how]: never, timeout: "2s" } } });
      const planning = all.fuse.plan(
        { purpose: "refund", expectedPeople: 2, requestedBy: "dana" },
        { audience, send: (to) => all.client.send({ to }), data },
      );
      await asking;
      all.clock.advance(2_001);
      expect(await planning).toMatchObject({ state: "refused", refusalCounts: { CLAIM_UNVERIFIABLE: 2 } });
    },
  );

  const never = new Promise<never>(() => {});
  it.each([
    ["a schema", (asked: () => Promise<never>) => ({ data: Refund.refine(asked), verify: () => true })],
    [
      "what an answer promises",
      (asked: () => unknown) => ({
        data: Refund,
        // biome-ignore lint/suspicious/noThenProperty: a promise in name only is what this is about.
        verify: () => ({ then: (take: (value: unknown) => void) => take(asked()) }),
      }),
    ],
  ])("are unanswered when the time is over for %s", async (_what, claimOf) => {
    let heard = () => {};
    const asking = new Promise<void>((resolve) => {
      heard = resolve;
    });
    const claim = claimOf(() => {
      heard();
      return never;
    });
    const all = setUp({ refund: { kind: "stream", caps, claim: { ...claim, timeout: "2s" } as never } });
    const to = "a@acme.test";
    const sending = codeOf(all.fuse.run({ purpose: "refund", data: data(to) }, () => all.client.send({ to })));
    await asking;
    all.clock.advance(2_001);
    expect(await sending).toBe("CLAIM_UNVERIFIABLE");
    expect(all.client.wire).toEqual([]);
  });

  it("answered by another number of answers are all unanswered", async () => {
    const verifyMany = () => [true];
    const all = setUp({ refund: { kind: "bulk", caps, claim: { data: Refund, verifyMany } } });
    const plan = await all.fuse.plan(
      { purpose: "refund", expectedPeople: 2, requestedBy: "dana" },
      { audience, send: (to) => all.client.send({ to }), data },
    );
    expect(plan.refusalCounts).toEqual({ CLAIM_UNVERIFIABLE: 2 });
  });
});

describe("order", () => {
  it("asks nobody about a mail that is refused already, and spends nothing on it", async () => {
    let asked = 0;
    const verify = () => {
      asked++;
      return true;
    };
    const all = setUp({
      refund: {
        kind: "stream",
        caps: [{ people: 1, per: "1h" }],
        perPerson: [{ messages: 1, per: "1h" }],
        freshness: { maxAge: "15m", required: true },
        claim: { data: Refund, verify },
      },
    });
    const send = (mail: { to: string; text?: string }, createdAt = all.clock.now()) =>
      codeOf(all.fuse.run({ purpose: "refund", data: data(mail.to), createdAt }, () => all.client.send(mail)));
    expect(await send({ to: "everyone@acme.test" })).toBe("AUDIENCE_UNDECLARED");
    expect(await send({ to: "x@acme.test" }, 1)).toBe("STALE");
    expect(await send({ to: "x@acme.test", text: "Dear {{name}}" })).toBe("CONTENT_PLACEHOLDER");
    await all.fuse.halt({ purpose: "refund", reason: "wrong list", by: "dana" });
    expect(await send({ to: "x@acme.test" })).toBe("HALTED");
    expect(asked).toBe(0);
    await all.fuse.resume({ purpose: "refund", by: "dana" });
    expect(await send({ to: "a@acme.test" })).toMatch(/^resolved/);
    expect(asked).toBe(1);
  });
});
