/** The laws that no single guard holds: one exit, closed by default, nothing lost, no leaks. */
import { describe, expect, it } from "vitest";
import type { Adapter, Call, Commit, Gate, Intent } from "../src/adapter";
import { createFuse, type FuseConfig, MailfuseError, memoryStore, type Store } from "../src/index";
import { manualClock } from "../src/testing/clock";
import { codeOf, fakeAdapter, fakeClient } from "./support/fake-client";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const capped = { defaults: { caps: [{ people: 100, per: "1h" }] } } as const;

/** A client whose every call is of one intent, and that counts what reached the wire. */
function callsOf(
  intent: Intent,
  environments: FuseConfig["environments"] = { production: { mode: "live" } },
  more: Partial<FuseConfig> = {},
) {
  const client = { wire: 0 };
  let gate: Gate | undefined;
  const asks = intent.kind !== "read" && intent.kind !== "management";
  const adapter: Adapter<typeof client> = {
    name: "calls",
    attach(_client, given) {
      gate = given;
      return { detach() {}, verify: () => undefined, revive: () => call };
    },
  };
  const call: Call<string> = {
    intent,
    async deliver(commit: Commit) {
      if (asks) await commit();
      client.wire++;
      return "sent";
    },
    simulate: () => "simulated",
    outcome: () => ({ fate: "accepted" }),
    redirect: () => Promise.reject(new Error("not asked for")),
    spool: () => new Uint8Array(),
  };
  const fuse = createFuse({
    environment: Object.keys(environments)[0],
    environments,
    ...capped,
    logger: quiet,
    ...more,
  });
  fuse.attach(client, adapter);
  return { client, fuse, pass: () => (gate as Gate).pass(call) };
}

describe("law 1: one exit", () => {
  const none = { messages: [], problems: [] };
  it.each<[string, Intent, string]>([
    ["an unknown request", { kind: "unknown", what: "POST /v3/somewhere" }, "REQUEST_UNKNOWN"],
    ["mail the provider writes", { kind: "system", what: "a verification", ...none }, "SYSTEM_MAIL_REFUSED"],
    [
      "an undeclared audience",
      { kind: "audience", what: "a broadcast", audiences: ["s1"], ...none },
      "AUDIENCE_UNDECLARED",
    ],
    ["an audience of everyone", { kind: "audience", what: "a broadcast", audiences: [], ...none }, "AUDIENCE_EMPTY"],
    ["a send to nobody", { kind: "send", ...none }, "NO_RECIPIENTS"],
    [
      "a send with a problem",
      { kind: "send", messages: [], problems: [{ code: "FIELD_UNKNOWN", message: "x" }] },
      "FIELD_UNKNOWN",
    ],
  ])("refuses %s in live and in test mode, whatever is on the allowlist", async (_name, intent, code) => {
    for (const environments of [
      { production: { mode: "live" } },
      { staging: { mode: "test", allow: ["*"] } },
    ] as const) {
      const { pass, client } = callsOf(intent, environments);
      expect(await codeOf(pass())).toBe(code);
      expect(client.wire).toBe(0);
    }
  });

  it("asks for a confirmed release for a declared audience, and takes system mail only where it is allowed", async () => {
    const audience = callsOf({ kind: "audience", what: "a broadcast", audiences: ["s1"], ...none }, undefined, {
      audiences: { s1: { people: 9 } },
    });
    expect(await codeOf(audience.pass())).toBe("CONFIRMATION_REQUIRED");
    expect(audience.client.wire).toBe(0);
  });

  it("keeps system mail to nobody knows whom inside the allowlist, too", async () => {
    const staging = { staging: { mode: "test", allow: ["*@acme.test"] } } as const;
    const { pass, client } = callsOf({ kind: "system", what: "a resent verification", ...none }, staging, {
      allowSystemMail: true,
    });
    expect(await codeOf(pass())).toBe("NOT_ALLOWLISTED");
    expect(client.wire).toBe(0);
  });

  it("lets reads and listed management pass, even where nothing leaves", async () => {
    for (const intent of [{ kind: "read" }, { kind: "management", what: "an unsubscribe" }] as const) {
      const { pass, client } = callsOf(intent, {});
      expect(await pass()).toBe("sent");
      expect(client.wire).toBe(1);
    }
  });

  it("refuses when a guard does not call next, throws, or calls it twice", async () => {
    const guards: [NonNullable<FuseConfig["guards"]>[number], boolean][] = [
      [async () => ({ status: "sent" }), true],
      [
        () => {
          throw new Error("no");
        },
        true,
      ],
      [() => Promise.reject(new Error("no")), true],
      [(_send, next) => next(), false],
    ];
    for (const [guard, refuses] of guards) {
      const fuse = createFuse({
        environment: "production",
        environments: { production: { mode: "live" } },
        ...capped,
        guards: [guard],
        logger: quiet,
      });
      const client = fuse.attach(fakeClient(), fakeAdapter());
      expect(await codeOf(client.send({ to: "a@acme.test", subject: "s", text: "t" }))).toMatch(
        refuses ? "GUARD_REFUSED" : /^resolved/,
      );
      expect(client.wire).toHaveLength(refuses ? 0 : 1);
    }
  });
});

/** A fuse over a store some of whose methods are replaced. */
function over(change: (store: Store) => Partial<Store>, config: Partial<FuseConfig> = {}) {
  const clock = manualClock();
  const real = memoryStore({ clock });
  const store = Object.assign(Object.create(real) as Store, change(real));
  for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(real) as object)) {
    if (!(name in store)) Object.defineProperty(store, name, { value: Reflect.get(real, name) });
  }
  const fuse = createFuse({
    environment: "production",
    environments: { production: { mode: "live" } },
    ...capped,
    store,
    clock,
    logger: quiet,
    ...config,
  });
  return { fuse, client: fuse.attach(fakeClient(), fakeAdapter()), real, clock };
}

describe("law 3: closed by default", () => {
  it.each<[string, (store: Store) => Partial<Store>]>([
    ["cannot be opened", () => ({ open: () => Promise.reject(new Error("down")) })],
    ["cannot reserve", () => ({ reserve: () => Promise.reject(new Error("down")) })],
    ["answers nothing", () => ({ reserve: () => Promise.resolve([]) })],
    ["answers nonsense", () => ({ reserve: () => Promise.resolve([{ ok: false, reason: "?" }] as never) })],
  ])("refuses in live and in observe when the store %s", async (_name, change) => {
    for (const mode of ["live", "observe"] as const) {
      const { client } = over(change, { environments: { production: { mode } } });
      expect(await codeOf(client.send({ to: "a@acme.test", subject: "s", text: "t" }))).toMatch(
        /^(STORE_UNAVAILABLE|INTERNAL)$/,
      );
      expect(client.wire).toEqual([]);
    }
  });

  it("goes on by itself when the store is back", async () => {
    let down = true;
    const { client } = over((real) => ({ open: () => (down ? Promise.reject(new Error("down")) : real.open()) }));
    const mail = { to: "a@acme.test", subject: "s", text: "t" };
    expect(await codeOf(client.send(mail))).toBe("STORE_UNAVAILABLE");
    down = false;
    await client.send(mail);
    expect(client.wire).toHaveLength(1);
  });
});

describe("law 7: nothing is lost", () => {
  it("has the ledger's line before the mail is on the wire, and settles it after", async () => {
    const { client, fuse, real } = over(() => ({}));
    const types = async () =>
      (await real.read(0, 100)).map((line) => (JSON.parse(line.event) as { type: string }).type);
    let before: string[] = [];
    fuse.detach(client);
    const deliver = client.send.bind(client);
    client.send = async (request) => {
      before = await types();
      return deliver(request);
    };
    fuse.attach(client, fakeAdapter());
    await client.send({ to: "a@acme.test", subject: "s", text: "t" });
    await fuse.flush();
    expect(before).toEqual(["reserved"]);
    expect(await types()).toEqual(["reserved", "settled"]);
  });

  it("records every refusal with its reasons", async () => {
    const { client, real } = over(() => ({}));
    const error = await client
      .send({ to: "everyone@acme.test", subject: "s", text: "t" })
      .catch((thrown: unknown) => thrown);
    const [line] = await real.read(0, 10);
    expect(JSON.parse(line?.event ?? "")).toMatchObject({
      type: "refused",
      reasons: { AUDIENCE_UNDECLARED: 1 },
      count: 1,
    });
    expect(MailfuseError.isInstance(error) && error.ledger).toBe(line?.seq);
  });
});

describe("law 8: no leaks", () => {
  it("keeps addresses, subjects and bodies out of errors, logs and the ledger", async () => {
    const said: string[] = [];
    const keep = (fields: object, text: string) => void said.push(JSON.stringify(fields), text);
    const logger = { debug: keep, info: keep, warn: keep, error: keep };
    const secrets = /secretperson|secretdomain|secretsubject|secretbody/i;
    const mail = { to: "secretperson@secretdomain.test", subject: "secretsubject", text: "secretbody" };
    for (const environments of [
      { production: { mode: "live" } },
      { production: { mode: "observe" } },
      { production: { mode: "test", allow: ["secretperson@secretdomain.test", "b@acme.test"] } },
    ] as const) {
      const { client, fuse, real } = over(() => ({}), { environments, logger });
      client.fates.push("accepted", "refused", "unknown");
      for (const to of [
        mail.to,
        mail.to,
        mail.to,
        "everyone@secretdomain.test",
        "secretperson@@secretdomain.test",
        '"secretperson" <secretdomain',
        "x@secretdomain.test",
      ]) {
        await client.send({ ...mail, to }).catch((error: unknown) => {
          if (MailfuseError.isInstance(error)) said.push(error.message, JSON.stringify(error.refusals));
        });
      }
      await fuse.flush();
      said.push(JSON.stringify(fuse.describe()), ...(await real.read(0, 100)).map((line) => line.event));
    }
    expect(said.length).toBeGreaterThan(40);
    expect(said.filter((text) => secrets.test(text))).toEqual([]);
  });
});
