import { describe, expect, it } from "vitest";
import { createFuse, type FuseConfig, memoryStore } from "../src/index";
import { sqliteStore } from "../src/stores/sqlite";
import { manualClock } from "../src/testing/clock";
import { codeOf, fakeAdapter, fakeClient } from "./support/fake-client";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

function setUp(config: Partial<FuseConfig> & Pick<FuseConfig, "environments">, environment = "production") {
  const clock = manualClock();
  const fuse = createFuse({ environment, store: memoryStore({ clock }), clock, logger: quiet, ...config });
  const client = fuse.attach(fakeClient(), fakeAdapter());
  return { fuse, client, clock };
}

const live = { environments: { production: { mode: "live" } } } as const;
const capped = { ...live, defaults: { caps: [{ people: 3, per: "1h" }], confirm: { abovePeople: 1000 } } } as const;

describe("environments", () => {
  it("refuses everything while the environment is unset or unknown", async () => {
    for (const environment of [undefined, "", "prodution"]) {
      const client = fakeClient();
      createFuse({ environment, environments: { production: { mode: "observe" } }, logger: quiet }).attach(
        client,
        fakeAdapter(),
      );
      expect(await codeOf(client.send({ to: "ann@acme.test" }))).toBe("ENVIRONMENT_UNKNOWN");
      expect(client.wire).toEqual([]);
    }
  });

  it("lets test mail reach the allowlist and nobody else", async () => {
    const { client } = setUp({ environments: { staging: { mode: "test", allow: ["*@acme.test"] } } }, "staging");
    await client.send({ to: "ann@acme.test" });
    expect(await codeOf(client.send({ to: ["ann@acme.test", "customer@example.org"] }))).toBe("NOT_ALLOWLISTED");
    expect(await codeOf(client.send({ to: "ann@acme.test", bcc: ["customer@example.org"] }))).toBe("NOT_ALLOWLISTED");
    expect(client.wire.map((mail) => mail.to)).toEqual(["ann@acme.test"]);
  });

  it("redirects all recipients to the inbox, within its own cap", async () => {
    const { client } = setUp(
      {
        environments: {
          staging: {
            mode: "test",
            allow: [],
            onNotAllowed: { redirectTo: "mail@acme.test", cap: { messages: 2, per: "1h" } },
          },
        },
      },
      "staging",
    );
    await client.send({ to: "customer@example.org", subject: "hi" });
    await client.send({ to: "customer@example.org", cc: ["other@example.org"] });
    expect(await codeOf(client.send({ to: "customer@example.org" }))).toBe("REDIRECT_CAP_EXCEEDED");
    expect(client.wire.map((mail) => mail.to)).toEqual(["mail@acme.test", "mail@acme.test"]);
    expect(client.wire[0]?.subject).toBe("[staging] hi");
  });

  it("captures and drops", async () => {
    const captured = setUp({ environments: { staging: { mode: "test", onNotAllowed: "capture" } } }, "staging");
    await captured.client.send({ to: "customer@example.org", subject: "s", text: "t" });
    expect(captured.client.wire).toEqual([]);
    expect(captured.fuse.outbox).toMatchObject([{ to: ["customer@example.org"], subject: "s", text: "t" }]);
    const dropped = setUp({ environments: { staging: { mode: "test", onNotAllowed: "drop" } } }, "staging");
    expect(await dropped.client.send({ to: "customer@example.org" })).toEqual({ id: "simulated-dropped" });
    expect(dropped.client.wire).toEqual([]);
  });

  it("refuses in live while a marker contradicts, until it is waived by name", async () => {
    const { client } = setUp({ ...capped, env: { CI: "true" } });
    expect(await codeOf(client.send({ to: "ann@acme.test" }))).toBe("ENVIRONMENT_CONTRADICTED");
    const waived = setUp({ ...capped, env: { CI: "true" }, live: { despite: ["CI"] } });
    await waived.client.send({ to: "ann@acme.test" });
    expect(waived.client.wire).toHaveLength(1);
  });

  it("observes without blocking, but enforces halts and bulk purposes", async () => {
    const { client, fuse } = setUp({
      environments: { production: { mode: "observe" } },
      purposes: { offer: { kind: "bulk", match: { tag: "offer" } } },
      defaults: { caps: [{ people: 1, per: "1h" }] },
    });
    for (const name of ["a", "b", "c"]) await client.send({ to: `${name}@acme.test` });
    await client.send({ to: Array.from({ length: 40 }, (_, index) => `p${index}@acme.test`) });
    expect(client.wire).toHaveLength(4);
    expect(await codeOf(client.send({ to: "a@acme.test", tag: "offer" }))).toBe("PLAN_REQUIRED");
    await fuse.halt({ reason: "test", by: "erin" });
    expect(await codeOf(client.send({ to: "a@acme.test" }))).toBe("HALTED");
    expect(client.wire).toHaveLength(4);
  });
});

describe("caps", () => {
  it("never lets a window reach more distinct people than the cap", async () => {
    const { client, clock } = setUp(capped);
    for (const name of ["a", "A", "b", "c"]) await client.send({ to: `${name}@acme.test` });
    expect(await codeOf(client.send({ to: "d@acme.test" }))).toBe("CAP_EXCEEDED");
    await client.send({ to: "a@acme.test" });
    clock.advance(3_600_001);
    await client.send({ to: "d@acme.test" });
    expect(client.wire).toHaveLength(6);
  });

  it("is all or nothing over the messages of one call", async () => {
    const { client } = setUp(capped);
    const mails = ["a", "b", "c", "d"].map((name) => ({ to: `${name}@acme.test` }));
    expect(await codeOf(client.send(mails))).toBe("CAP_EXCEEDED");
    expect(client.wire).toEqual([]);
    await client.send(mails.slice(0, 3));
    expect(client.wire).toHaveLength(3);
  });

  it("counts the parts of one call together for caps over everything", async () => {
    const purposes = Object.fromEntries(
      ["x", "y"].map((tag) => [
        tag,
        { kind: "stream" as const, match: { tag }, caps: [{ people: 10, per: "1h" as const }] },
      ]),
    );
    const { client } = setUp({ ...capped, purposes, caps: [{ people: 1, per: "1h" }] });
    expect(
      await codeOf(
        client.send([
          { to: "a@acme.test", tag: "x" },
          { to: "b@acme.test", tag: "y" },
        ]),
      ),
    ).toBe("CAP_EXCEEDED");
    expect(client.wire).toEqual([]);
  });

  it("gives budget back on a definite refusal and keeps it on an unknown outcome", async () => {
    const { client } = setUp({
      ...capped,
      defaults: { caps: [{ people: 1, per: "1h" }], confirm: { abovePeople: 1000 } },
    });
    client.fates.push("refused");
    await expect(client.send({ to: "a@acme.test" })).rejects.toThrow("refused");
    client.fates.push("unknown");
    await expect(client.send({ to: "b@acme.test" })).rejects.toThrow("unknown");
    expect(await codeOf(client.send({ to: "c@acme.test" }))).toBe("CAP_EXCEEDED");
  });

  it("latches a halt until a person resumes", async () => {
    const { client, fuse, clock } = setUp({
      ...capped,
      purposes: {
        news: { kind: "stream", match: { tag: "news" }, caps: [{ people: 1, per: "1h", onExceeded: "halt" }] },
      },
    });
    await client.send({ to: "a@acme.test", tag: "news" });
    expect(await codeOf(client.send({ to: "b@acme.test", tag: "news" }))).toBe("CAP_EXCEEDED");
    clock.advance(7_200_000);
    expect(await codeOf(client.send({ to: "a@acme.test", tag: "news" }))).toBe("HALTED");
    await client.send({ to: "a@acme.test" });
    await fuse.resume({ purpose: "news", by: "erin" });
    await client.send({ to: "b@acme.test", tag: "news" });
    expect(client.wire).toHaveLength(3);
  });

  it("asks for a plan beyond abovePeople, counted over the longest window", async () => {
    const { client } = setUp({
      ...live,
      defaults: { caps: [{ people: 100, per: "1h" }], confirm: { abovePeople: 2 } },
    });
    await client.send({ to: "a@acme.test" });
    await client.send({ to: "b@acme.test" });
    expect(await codeOf(client.send({ to: "c@acme.test" }))).toBe("CONFIRMATION_REQUIRED");
    expect(client.wire).toHaveLength(2);
  });

  it("bounds the messages one person gets", async () => {
    const { client } = setUp({
      ...live,
      defaults: { caps: [{ people: 9, per: "1h" }], perPerson: [{ messages: 2, per: "1h" }] },
    });
    await client.send({ to: "a@acme.test" });
    await client.send({ to: "A@acme.test" });
    expect(await codeOf(client.send({ to: "a@ACME.test" }))).toBe("CAP_EXCEEDED");
    await client.send({ to: "b@acme.test" });
    expect(client.wire).toHaveLength(3);
  });
});

describe("recipients", () => {
  it("refuses nobody, lists, and too many visible addresses", async () => {
    const { client } = setUp({ ...capped, internal: ["*@acme.test"] });
    expect(await codeOf(client.send({ to: [] }))).toBe("NO_RECIPIENTS");
    expect(await codeOf(client.send({ to: "everyone@example.org" }))).toBe("AUDIENCE_UNDECLARED");
    expect(await codeOf(client.send({ to: "x@lists.example.org" }))).toBe("AUDIENCE_UNDECLARED");
    const crowd = Array.from({ length: 11 }, (_, index) => `p${index}@example.org`);
    expect(await codeOf(client.send({ to: crowd }))).toBe("RECIPIENTS_VISIBLE");
    expect(client.wire).toEqual([]);
  });

  it("counts a declared list at its size and asks for a release", async () => {
    const { client } = setUp({
      ...capped,
      audiences: { "everyone@example.org": { people: 50 }, "all@small.example.org": { people: 1 } },
    });
    expect(await codeOf(client.send({ to: "everyone@example.org" }))).toBe("CONFIRMATION_REQUIRED");
    await client.send({ to: "all@small.example.org" });
    expect(client.wire).toHaveLength(1);
  });
});

describe("purposes", () => {
  const purposes = {
    receipt: { kind: "stream", caps: [{ people: 5, per: "1h" }] },
    refund: { kind: "bulk", match: { subject: "refund" }, caps: [{ people: 5, per: "1h" }] },
  } as const;

  it("refuses an unknown name and a name that hides another purpose", async () => {
    const { client, fuse } = setUp({ ...capped, purposes });
    expect(() => fuse.run({ purpose: "reciept" }, () => 1)).toThrow("PURPOSE_UNKNOWN");
    expect(
      await codeOf(fuse.run({ purpose: "receipt" }, () => client.send({ to: "a@acme.test", subject: "Your refund" }))),
    ).toBe("PURPOSE_CONFLICT");
    await fuse.run({ purpose: "receipt" }, () => client.send({ to: "a@acme.test", subject: "Your receipt" }));
    expect(client.wire).toHaveLength(1);
  });
});

describe("the kill switch", () => {
  it("does not pretend to stop a purpose that is not there", async () => {
    const { fuse } = setUp({ ...capped, purposes: { refund: { kind: "bulk", caps: [{ people: 5, per: "1h" }] } } });
    expect(await codeOf(fuse.halt({ purpose: "refnd", reason: "wrong list", by: "dana" }))).toBe("PURPOSE_UNKNOWN");
    expect(await codeOf(fuse.resume({ purpose: "refnd", by: "dana" }))).toBe("PURPOSE_UNKNOWN");
  });
});

describe("a live fuse with plans and no store", () => {
  const plans = {
    ...capped,
    environment: "production",
    purposes: { offer: { kind: "bulk", caps: [{ people: 5, per: "1h" }] } },
  } as const;

  it("warns in one process, and is an error where several workers are seen", () => {
    const warnings: string[] = [];
    const logger = { ...quiet, warn: (_: object, text: string) => warnings.push(text) };
    createFuse({ ...plans, env: {}, logger });
    expect(warnings).toEqual([expect.stringMatching(/hold in this process only/)]);
    expect(() => createFuse({ ...plans, env: { WEB_CONCURRENCY: "4" }, logger })).toThrow("CONFIG_INVALID at store");
    expect(() => createFuse({ ...plans, env: { NODE_APP_INSTANCE: "0" }, logger })).toThrow("CONFIG_INVALID at store");
    // One that was written down holds no longer than one that was left out.
    createFuse({ ...plans, store: memoryStore(), env: {}, logger });
    expect(warnings).toHaveLength(2);
    const store = memoryStore();
    expect(() => createFuse({ ...plans, store, env: { WEB_CONCURRENCY: "4" }, logger })).toThrow("CONFIG_INVALID");
  });

  it("finds out about any other store of one process when it is opened, before anything is sent", async () => {
    const warnings: string[] = [];
    const logger = { ...quiet, warn: (_: object, text: string) => warnings.push(text) };
    const store = () => sqliteStore({ path: ":memory:" });
    const workers = createFuse({ ...plans, store: store(), env: { WEB_CONCURRENCY: "4" }, logger });
    const client = fakeClient();
    workers.attach(client, fakeAdapter());
    expect(await codeOf(client.send({ to: "p1@acme.test" }))).toBe("CONFIG_INVALID");
    expect(client.wire).toHaveLength(0);
    const alone = createFuse({ ...plans, store: store(), env: {}, secret: "s".repeat(32), logger });
    await alone.halt({ reason: "wrong list", by: "dana" });
    expect(warnings[0]).toEqual(expect.stringMatching(/sqlite.*hold in this process only/));
  });
});

describe("attaching", () => {
  it("is harmless twice, refuses another policy, and detaches", async () => {
    const { client, fuse } = setUp(capped);
    fuse.attach(client, fakeAdapter());
    expect(fuse.describe().clients).toEqual(["fake"]);
    const other = createFuse({ ...capped, environment: "production", caps: [{ people: 1, per: "1h" }], logger: quiet });
    expect(() => other.attach(client, fakeAdapter())).toThrow("ATTACH_CONFLICT");
    fuse.detach(client);
    for (let index = 0; index < 9; index++) await client.send({ to: `p${index}@acme.test` });
    expect(client.wire).toHaveLength(9);
  });
});
