/** The content guard as applications meet it: through createFuse, a client and a plan. */
import { describe, expect, it } from "vitest";
import { createFuse, type FuseConfig, memoryStore } from "../../src/index";
import { manualClock } from "../../src/testing/clock";
import { codeOf, fakeAdapter, fakeClient } from "../support/fake-client";

const caps = [{ people: 1_000, per: "1h" }] as const;
const hastings = { subject: "Your refund", text: "Since you renewed your car insurance on, null" };
const fixture = { subject: "Integration Test Email #1", text: "This template is used by integration tests only." };
const right = { subject: "Your refund", text: "Since you renewed on 3 May, we owe you £50." };

type Content = NonNullable<NonNullable<FuseConfig["defaults"]>["content"]>;

function setUp(content: Content = {}, mode: "live" | "observe" | "test" = "live", more: Partial<FuseConfig> = {}) {
  const warnings: string[] = [];
  const clock = manualClock();
  const fuse = createFuse({
    environment: "here",
    environments: { here: mode === "test" ? { mode, allow: ["*"] } : { mode } },
    defaults: { caps, content, confirm: { abovePeople: 1_000 } },
    purposes: {
      refund: { kind: "bulk", caps, content },
      docs: { kind: "stream", caps, content: { missingValues: "off", placeholders: "warn" } },
    },
    requesters: ["dana"],
    store: memoryStore({ clock }),
    clock,
    logger: { debug() {}, info() {}, error() {}, warn: (_fields: object, message: string) => warnings.push(message) },
    ...more,
  } as FuseConfig);
  return { fuse, client: fuse.attach(fakeClient(), fakeAdapter()), warnings, clock };
}

describe("the content guard", () => {
  it("stops the mails of Hastings and of HBO, and lets the right one pass", async () => {
    const { client } = setUp();
    expect(await codeOf(client.send({ to: "a@acme.test", ...hastings }))).toBe("CONTENT_UNDEFINED");
    expect(await codeOf(client.send({ to: "a@acme.test", ...fixture }))).toBe("CONTENT_TEST_FIXTURE");
    await client.send({ to: "a@acme.test", ...right });
    expect(client.wire).toHaveLength(1);
  });

  it("refuses a call whole for one of its mails, and says which", async () => {
    const { client } = setUp();
    const error = await client
      .send([
        { to: "a@acme.test", ...right },
        { to: "b@acme.test", ...hastings },
      ])
      .catch((e) => e);
    expect(error.refusals).toMatchObject([{ code: "CONTENT_UNDEFINED", where: "messages[1].text" }]);
    expect(client.wire).toEqual([]);
  });

  it("refuses a plan with one wrong text before anybody gets anything", async () => {
    const { fuse, client } = setUp();
    const plan = await fuse.plan(
      { purpose: "refund", expectedPeople: 3, requestedBy: "dana" },
      {
        audience: ["a", "b", "c"],
        send: (name: string) => client.send({ to: `${name}@acme.test`, ...(name === "b" ? hastings : right) }),
      },
    );
    expect(plan).toMatchObject({ state: "refused", refusalCounts: { CONTENT_UNDEFINED: 1 } });
    expect(plan.refusals[0]?.where).toBe("entry 1, text");
  });

  it("obeys a purpose's switches", async () => {
    const { fuse, client, warnings } = setUp({ blanks: "refuse", fixtures: "off" });
    expect(await codeOf(client.send({ to: "a@acme.test", subject: "Hi", text: "Dear ,\nwelcome." }))).toBe(
      "CONTENT_BLANK",
    );
    await client.send({ to: "a@acme.test", ...fixture });
    await fuse.run({ purpose: "docs" }, () => client.send({ to: "a@acme.test", ...hastings }));
    expect(warnings.join()).not.toMatch(/placeholder/);
    await fuse.run({ purpose: "docs" }, () =>
      client.send({ to: "a@acme.test", subject: "Hi", text: "Use {{ name }}" }),
    );
    expect(warnings.join()).toMatch(/placeholder/);
    expect(client.wire).toHaveLength(3);
  });

  it("warns in a test environment, where production links alone are refused", async () => {
    const { client, warnings } = setUp({ links: { production: ["acme.com"] } }, "test");
    await client.send({ to: "a@acme.test", ...hastings });
    await client.send({
      to: "a@acme.test",
      subject: "test",
      text: "Open http://localhost:3000 or https://staging.acme.com",
    });
    expect(warnings).toHaveLength(1);
    const wrong = { to: "a@acme.test", subject: "Hi", text: "Open https://www.acme.com/orders" };
    expect(await codeOf(client.send(wrong))).toBe("CONTENT_PRODUCTION_LINK");
    expect(client.wire).toHaveLength(2);
  });

  it("lets everything out in observe mode and says what live would refuse", async () => {
    const { client, warnings } = setUp({}, "observe");
    await client.send({ to: "a@acme.test", ...hastings });
    expect(client.wire).toHaveLength(1);
    expect(warnings.join()).toMatch(/live would refuse: Expected a value/);
  });

  it("lets colleagues test on each other, and nobody else", async () => {
    const { client } = setUp({}, "live", { internal: ["*@acme.test"] });
    const mail = { ...fixture, text: "Open http://localhost:3000" };
    await client.send({ to: "dana@acme.test", ...mail });
    expect(await codeOf(client.send({ to: ["dana@acme.test", "a@customer.test"], ...mail }))).toBe(
      "CONTENT_TEST_FIXTURE",
    );
    expect(await codeOf(client.send({ to: "dana@acme.test", ...hastings }))).toBe("CONTENT_UNDEFINED");
  });
});

describe("personal text", () => {
  const to = (name: string) => ({ to: `${name}@acme.test`, ...right });

  it("goes to no more people than declared, whatever call it comes in", async () => {
    const { client } = setUp({ personal: { people: 2 } });
    await client.send(to("a"));
    await client.send(to("b"));
    await client.send(to("a"));
    expect(await codeOf(client.send(to("c")))).toBe("CONTENT_IDENTICAL");
    const call = ["d", "e", "f"].map((name) => ({ ...to(name), text: "Another one for you, at £5." }));
    expect(await codeOf(client.send(call))).toBe("CONTENT_IDENTICAL");
    expect(client.wire).toHaveLength(3);
  });

  it("may repeat after a day, and when it differs", async () => {
    const { client, clock } = setUp({ personal: { people: 1 } });
    await client.send(to("a"));
    await client.send({ ...to("b"), text: "Since you renewed on 4 May, we owe you £60." });
    clock.advance(24 * 3_600_000);
    await client.send(to("c"));
    expect(client.wire).toHaveLength(3);
  });

  it("refuses a plan of one text for all, and not the same plan made again with the right ones", async () => {
    const { fuse, client } = setUp({ personal: true });
    const people = ["a", "b", "c", "d", "e"];
    const plan = (text: (name: string) => string) =>
      fuse.plan(
        { purpose: "refund", expectedPeople: 5, requestedBy: "dana" },
        { audience: people, send: (name: string) => client.send({ ...to(name), text: text(name) }) },
      );
    expect(await plan(() => right.text)).toMatchObject({ state: "refused", refusalCounts: { CONTENT_IDENTICAL: 2 } });
    expect(await plan((name) => `Dear ${name}, we owe you £50.`)).toMatchObject({ state: "planned" });
    expect(await plan((name) => `Dear ${name}, we owe you £50.`)).toMatchObject({ state: "planned" });
  });
});

describe("its configuration", () => {
  const make = (content: object) => () => setUp(content as Content);
  it.each([
    [{ placeholder: "off" }, /placeholders/],
    [{ blanks: "no" }, /"refuse", "warn" or "off"/],
    [{ personal: { people: 0 } }, /above 0/],
    [{ links: { production: ["https://acme.com"] } }, /without scheme/],
  ])("%o is an error", (content, message) => expect(make(content)).toThrow(message));
});
