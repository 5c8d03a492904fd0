/** Adapters and stores of outsiders that do not do as they are told: what leaves, what is said, and what is recorded. */
import { describe, expect, it } from "vitest";
import { type Call, type Commit, createMessage, type Outcome, parseAddresses } from "../src/adapter";
import { createFuse, type FuseConfig, memoryStore, type Store } from "../src/index";
import { codeOf, fakeAdapter, fakeClient } from "./support/fake-client";
import { refuseUnheardRejections } from "./support/unheard";

refuseUnheardRejections();

const turns = () => new Promise((resolve) => setTimeout(resolve, 20));

function live(store: Store, more: Partial<FuseConfig> = {}) {
  return createFuse({
    environment: "production",
    environments: { production: { mode: "live" } },
    defaults: { caps: [{ people: 100, per: "1h" }] },
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    store,
    ...more,
  });
}

/** Passes one mail whose adapter delivers and reads its outcome as given. */
async function passed(deliver: (commit: Commit) => Promise<string>, outcome: () => Outcome) {
  const store = memoryStore();
  const fuse = live(store);
  const message = createMessage({
    recipients: parseAddresses("ann@acme.test", "to", "list").addresses.map((one) => ({ field: "to", ...one })),
    content: () => ({ subject: "Your order", text: "It is on its way." }),
  });
  const call: Call<string> = {
    intent: { kind: "send", messages: [message], problems: [] },
    deliver,
    outcome,
    simulate: () => "simulated",
    redirect: () => Promise.resolve(call),
    spool: () => new Uint8Array(),
  };
  const client = { send: () => Promise.resolve("unguarded") };
  fuse.attach(client, {
    name: "outsider",
    attach(held, gate) {
      held.send = () => gate.pass(call);
      return { detach() {}, verify: () => undefined, revive: () => call };
    },
  });
  const said = await codeOf(client.send());
  await turns();
  await fuse.flush();
  const lines = (await store.read(0, 100)).map(({ event }) => JSON.parse(event) as { type: string; fate?: string });
  return { said, lines: lines.map(({ type, fate }) => (fate === undefined ? type : `${type} ${fate}`)) };
}

const accepted = (): Outcome => ({ fate: "accepted" });

describe("an adapter that asks when its call is over", () => {
  /** Sends as soon as it may, whenever that is. */
  function sender(when: (ask: () => void) => void) {
    const sent: number[] = [];
    const deliver = async (commit: Commit) => {
      when(
        () =>
          void commit().then(
            () => sent.push(1),
            () => {},
          ),
      );
      return "done";
    };
    return { sent, deliver };
  }

  it.each([
    ["later", (ask: () => void) => void setTimeout(ask, 5)],
    ["without waiting for the answer", (ask: () => void) => ask()],
  ])("may send nothing: %s", async (_how, when) => {
    const { sent, deliver } = sender(when);
    const { said } = await passed(deliver, accepted);
    expect(said).toBe("INTERNAL");
    expect(sent).toEqual([]);
  });

  it("may not send again, either", async () => {
    const sent: number[] = [];
    const deliver = async (commit: Commit) => {
      await commit();
      setTimeout(
        () =>
          void commit("refused").then(
            () => sent.push(2),
            () => {},
          ),
        5,
      );
      return "done";
    };
    expect((await passed(deliver, accepted)).said).toBe('resolved: "done"');
    expect(sent).toEqual([]);
  });
});

describe("an adapter that cannot tell what became of a mail", () => {
  it.each([
    ["nothing", null],
    ["no fate", {}],
    ["a fate that no one knows", { fate: "delivered" }],
    ["a fate that would be a piece of the ledger's line", { fate: 'refused","fate":"accepted' }],
  ])("has it recorded as unknown: %s", async (_what, outcome) => {
    const deliver = async (commit: Commit) => {
      await commit();
      return "done";
    };
    const { said, lines } = await passed(deliver, () => outcome as Outcome);
    expect(said).toBe('resolved: "done"');
    expect(lines).toEqual(["reserved", "settled unknown"]);
  });
});

/** A memory store whose `settle` is replaced. */
function settlingAs(settle: (real: Store, given: Parameters<Store["settle"]>[0]) => unknown): Store {
  const real = memoryStore();
  return new Proxy(real, {
    get(target, name) {
      if (name === "settle") return (given: Parameters<Store["settle"]>[0]) => settle(real, given);
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

describe("a store", () => {
  it.each([
    ["nothing", (real: Store, given: never) => real.settle(given).then(() => undefined)],
    ["at once", (real: Store, given: never) => [void real.settle(given), 1]],
  ])("that answers an outcome with %s does not make an error of a mail that left", async (_what, settle) => {
    const fuse = live(settlingAs(settle as never));
    const client = fuse.attach(fakeClient(), fakeAdapter());
    for (const to of ["ann@acme.test", "bob@acme.test"]) expect(await codeOf(client.send({ to }))).toMatch(/^resolved/);
    await fuse.flush();
    await turns();
    expect(client.wire).toHaveLength(2);
  });

  it("that is slow to learn of an outcome does not make a repeat an error", async () => {
    const fuse = live(settlingAs((real, given) => turns().then(() => real.settle(given))));
    const client = fuse.attach(fakeClient(), fakeAdapter());
    const send = () => fuse.run({ idempotencyKey: "order-1" }, () => client.send({ to: "ann@acme.test" }));
    expect(await send()).toEqual({ id: "fake-1" });
    expect(await codeOf(send())).toBe('resolved: {"id":"simulated-duplicate"}');
    expect(client.wire).toHaveLength(1);
  });
});
