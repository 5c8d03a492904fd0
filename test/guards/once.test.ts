/** Once and suppression: what runs at the same time, and who is asked. */
import { describe, expect, it } from "vitest";
import { codeOf } from "../support/fake-client";
import { caps, setUp } from "./set-up";

describe("a duplicate window", () => {
  const purposes = {
    notice: { kind: "stream", caps, match: { tag: "notice" }, duplicateWindow: "1h" },
  } as const;

  it("lets one of many at once go out, from every process, and answers the others as the first", async () => {
    const all = setUp(purposes);
    const processes = [all, all.make(), all.make()];
    const sends = processes.flatMap(({ client }) =>
      Array.from({ length: 5 }, () => codeOf(client.send({ to: "a@acme.test", text: "one", tag: "notice" }))),
    );
    const outcomes = await Promise.all(sends);
    expect(processes.flatMap(({ client }) => client.wire)).toHaveLength(1);
    // Another process cannot see how the first is doing: it says so and does not send.
    expect(outcomes.filter((outcome) => !/^resolved|^DUPLICATE$/.test(outcome))).toEqual([]);
    expect(outcomes.filter((outcome) => outcome.startsWith("resolved")).length).toBeGreaterThanOrEqual(5);
  });

  it("tells people and texts apart, at once too", async () => {
    const { client } = setUp(purposes);
    const mails = ["a", "b"].flatMap((who) =>
      ["one", "two"].map((text) => ({ to: `${who}@acme.test`, text, tag: "notice" })),
    );
    await Promise.all([...mails, ...mails].map((mail) => client.send(mail)));
    expect(client.wire.map(({ to, text }) => `${to} ${text}`).sort()).toEqual([
      ...["a@acme.test one", "a@acme.test two", "b@acme.test one", "b@acme.test two"],
    ]);
  });

  it("is free again when the provider refused the first", async () => {
    const { client } = setUp(purposes);
    client.fates.push("refused");
    const send = () => codeOf(client.send({ to: "a@acme.test", text: "one", tag: "notice" }));
    expect(await send()).toMatch(/^threw/);
    expect(await send()).toMatch(/^resolved/);
    expect(client.wire).toHaveLength(1);
  });
});

describe("messages to one person", () => {
  it("are capped over processes and spellings, whatever runs at the same time", async () => {
    const all = setUp({
      reset: { kind: "stream", caps, match: { tag: "reset" }, perPerson: [{ messages: 3, per: "1h" }] },
    });
    const processes = [all, all.make()];
    const send = (index: number) => {
      const { client } = processes[index % 2] as (typeof processes)[number];
      const to = index % 3 === 0 ? "A@acme.test" : "a@ACME.test";
      return codeOf(client.send({ to, text: `code ${index}`, tag: "reset" }));
    };
    const outcomes = await Promise.all(Array.from({ length: 12 }, (_, index) => send(index)));
    expect(outcomes.filter((outcome) => outcome === "CAP_EXCEEDED")).toHaveLength(9);
    expect(processes.flatMap(({ client }) => client.wire)).toHaveLength(3);
    all.clock.advance(3_600_001);
    expect(await send(1)).toMatch(/^resolved/);
  });

  it("count every field of a mail, and a mail twice in one call", async () => {
    const { client } = setUp({
      reset: { kind: "stream", caps, match: { tag: "reset" }, perPerson: [{ messages: 1, per: "1h" }] },
    });
    const mail = { to: "a@acme.test", tag: "reset" };
    expect(await codeOf(client.send([mail, { to: "b@acme.test", bcc: ["A@acme.test"], tag: "reset" }]))).toBe(
      "CAP_EXCEEDED",
    );
    expect(await codeOf(client.send({ to: "a@acme.test", cc: ["a@acme.test"], tag: "reset" }))).toMatch(/^resolved/);
    expect(client.wire).toHaveLength(1);
  });
});

describe("suppression", () => {
  it("is asked in batches, at planning and at release, and never about mail that goes one by one", async () => {
    const batches: number[] = [];
    const isSuppressed = (addresses: readonly string[]) => {
      batches.push(addresses.length);
      return [];
    };
    const all = setUp({ news: { kind: "bulk", caps }, reset: { kind: "stream", caps } }, { isSuppressed });
    await all.fuse.run({ purpose: "reset" }, () => all.client.send({ to: "p1@acme.test" }));
    expect(batches).toEqual([]);
    const people = Array.from({ length: 1_000 }, (_, index) => `p${index}@acme.test`);
    const plan = await all.fuse.plan(
      { purpose: "news", expectedPeople: people.length, requestedBy: "dana" },
      { audience: people, send: (to) => all.client.send({ to }) },
    );
    expect(plan.state).toBe("planned");
    expect(batches.length).toBeLessThanOrEqual(4);
    const planned = batches.length;
    await all.fuse.release(plan.id, { tokens: [await all.token(plan)] });
    expect(batches.length).toBeGreaterThan(planned);
    expect(all.client.wire).toHaveLength(people.length + 1);
  });

  it("reaches copies, too", async () => {
    const isSuppressed = (addresses: readonly string[]) => addresses.filter((address) => address === "out@acme.test");
    const { fuse, client } = setUp({ news: { kind: "bulk", caps, maxVisible: 3 } }, { isSuppressed });
    for (const field of ["cc", "bcc"] as const) {
      const plan = await fuse.plan(
        { purpose: "news", expectedPeople: 2, requestedBy: "dana" },
        { audience: ["a@acme.test"], send: (to) => client.send({ to, [field]: ["Out@acme.test"] }) },
      );
      expect(plan.refusalCounts).toEqual({ SUPPRESSED: 1 });
    }
  });
});
