/** Guards of users' own that do not do as they are told: what leaves, what its caller hears, and what is recorded. */
import { describe, expect, it } from "vitest";
import type { FuseConfig } from "../../src/index";
import { codeOf } from "../support/fake-client";
import { refuseUnheardRejections } from "../support/unheard";
import { setUp } from "./set-up";

type Guard = NonNullable<FuseConfig["guards"]>[number];

/** A guard in JavaScript, which may answer with nothing. */
const forgetful = ((_send: unknown, next: () => unknown) => {
  next();
}) as unknown as Guard;

refuseUnheardRejections();

const turns = () => new Promise((resolve) => setTimeout(resolve, 20));
const types = async (world: ReturnType<typeof setUp>) => {
  await world.fuse.flush();
  return (await world.lines()).map(({ type }) => type);
};

const slow = { data: { "~standard": { version: 1, vendor: "test", validate: async (value: unknown) => ({ value }) } } };

describe("a guard that does not wait for what it lets through", () => {
  it("has it waited for: its caller hears what became of the mail", async () => {
    const world = setUp({}, { guards: [forgetful] });
    expect(await world.client.send({ to: "ann@acme.test" })).toEqual({ id: "fake-1" });
    expect(await types(world)).toEqual(["reserved", "settled"]);
  });

  it("has its mail's refusal heard, and said once", async () => {
    const world = setUp({}, { guards: [forgetful], defaults: { caps: [{ people: 1, per: "1h" }] } });
    expect(await codeOf(world.client.send({ to: ["ann@acme.test", "bob@acme.test"] }))).toBe("CAP_EXCEEDED");
    await turns();
    expect(world.client.wire).toEqual([]);
    expect(await types(world)).toEqual(["refused"]);
  });

  it("cannot make a refusal its own secret", async () => {
    const secretive: Guard = async (_send, next) => {
      await next().catch(() => {});
      return { status: "sent" };
    };
    const world = setUp({}, { guards: [secretive], defaults: { caps: [{ people: 1, per: "1h" }] } });
    expect(await codeOf(world.client.send({ to: ["ann@acme.test", "bob@acme.test"] }))).toBe("CAP_EXCEEDED");
  });
});

describe("a guard that lets through when it has answered", () => {
  const late = (after: () => Promise<never>): Guard => {
    return (_send, next) => {
      setTimeout(() => void next(), 5);
      return after();
    };
  };
  const answers = {
    "with nothing": () => Promise.resolve(undefined as never),
    "by throwing": () => Promise.reject(new Error("no")),
  };
  for (const [how, answer] of Object.entries(answers)) {
    it(`lets nothing out, having answered ${how}`, async () => {
      const world = setUp({}, { guards: [late(answer)] });
      expect(await codeOf(world.client.send({ to: "ann@acme.test" }))).toBe("GUARD_REFUSED");
      await turns();
      expect(world.client.wire).toEqual([]);
      expect(await types(world)).toEqual(["refused"]);
    });
  }
});

describe("in observe mode, a guard that throws", () => {
  const environments = { production: { mode: "observe" } } as const;
  const throwing: Guard = () => {
    throw new Error("no");
  };
  const hasty: Guard = (_send, next) => {
    void next();
    throw new Error("no");
  };

  it.each([
    ["before it lets through", throwing],
    ["when it has let through", hasty],
  ])("does not let bulk mail out of its release: %s", async (_when, guard) => {
    const bulk = { offer: { kind: "bulk", match: { tag: "offer" } } } as const;
    const world = setUp(bulk, { environments, guards: [guard] });
    expect(await codeOf(world.client.send({ to: "ann@acme.test", tag: "offer" }))).toMatch(/PLAN_REQUIRED|threw/);
    await turns();
    expect(world.client.wire).toEqual([]);
  });

  it("lets other mail leave, and once under its key", async () => {
    const world = setUp({}, { environments, guards: [throwing, throwing] });
    const send = () => world.fuse.run({ idempotencyKey: "order-1" }, () => world.client.send({ to: "ann@acme.test" }));
    expect(await send()).toEqual({ id: "fake-1" });
    expect(await send()).toEqual({ id: "simulated-duplicate" });
    expect(world.client.wire).toHaveLength(1);
  });

  it("sends one mail where a guard has let through and thrown while a claim is asked about", async () => {
    const claimed = { receipt: { kind: "stream", claim: { ...slow, verify: async () => true } } } as never;
    const world = setUp(claimed, { environments, guards: [hasty] });
    await world.fuse.run({ purpose: "receipt", data: {} }, () =>
      world.client.send({ to: "ann@acme.test" }).catch(() => {}),
    );
    await turns();
    expect(world.client.wire).toHaveLength(1);
  });
});
