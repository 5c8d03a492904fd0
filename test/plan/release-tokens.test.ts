import { createHmac, createPublicKey } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFuse, type FuseConfig, generateKeys, type Plan, signToken } from "../../src/index";
import { codeOf } from "../support/fake-client";
import { keys, people, planOffer, type SetUp, setUp } from "./release-set-up";

const caps = [{ people: 1_000, per: "24h" }] as const;
const approver = (name: keyof typeof keys, roles: readonly string[] = []) => ({
  publicKey: keys[name].publicKey,
  roles,
});
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Refused with this code, and nothing has left. */
async function refused(all: SetUp, plan: Plan, tokens: readonly string[], code: string) {
  expect(await codeOf(all.fuse.release(plan.id, { tokens }))).toBe(code);
  expect(await codeOf(all.fuse.confirm(plan.id, { tokens }))).toBe(code);
  expect(all.client.wire).toEqual([]);
}

describe("a token", () => {
  it("is refused when it is of another algorithm, also one keyed by the public key", async () => {
    const all = setUp();
    const plan = await planOffer(all);
    const good = await all.token(plan, "erin");
    const [head = "", body = ""] = good.split(".");
    const { kid, typ } = JSON.parse(Buffer.from(head, "base64url").toString()) as { kid: string; typ: string };
    const spki = createPublicKey(keys.erin.privateKey).export({ type: "spki", format: "pem" });
    const hmac = (key: string | Buffer) => {
      const signed = `${part({ alg: "HS256", kid, typ })}.${body}`;
      return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
    };
    await refused(all, plan, [`${part({ alg: "none", kid, typ })}.${body}.`], "TOKEN_INVALID");
    for (const key of [keys.erin.publicKey, spki, Buffer.from(keys.erin.publicKey, "base64url")])
      await refused(all, plan, [hmac(key)], "TOKEN_INVALID");
    await refused(all, plan, [good.replace(/^[^.]+/, part({ alg: "EdDSA", kid, typ: "JWT" }))], "TOKEN_INVALID");
  });

  it("is refused when it is cut anywhere, or a character of it is another", async () => {
    const all = setUp();
    const plan = await planOffer(all);
    const good = await all.token(plan, "erin");
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.constantFrom("cut", "A", "_", ".", " "), async (at, how) => {
        const bad = how === "cut" ? good.slice(0, at) : good.slice(0, at) + how + good.slice(at + 1);
        // The last character of base64url may hold bits that belong to no byte.
        const same = (token: string) => token.split(".").map((p) => Buffer.from(p, "base64url").toString("hex"));
        fc.pre(bad !== good && same(bad).join() !== same(good).join());
        expect(await codeOf(all.fuse.release(plan.id, { tokens: [bad] }))).toBe("TOKEN_INVALID");
      }),
      { numRuns: 200 },
    );
    expect(all.client.wire).toEqual([]);
    await all.fuse.release(plan.id, { tokens: [good] });
    expect(all.client.wire).toHaveLength(3);
  });

  it("counts within its time, as clocks a minute apart see it", async () => {
    const all = setUp();
    const plan = await planOffer(all);
    const sign = async (now: number, ttlMs?: number) => {
      const { view } = await all.fuse.view(plan.id, { by: "erin" });
      const { id, digest } = plan;
      return signToken({
        plan: id,
        digest,
        view,
        by: "erin",
        privateKey: keys.erin.privateKey,
        now,
        ...(ttlMs ? { ttlMs } : {}),
      });
    };
    const now = all.clock.now();
    await refused(all, plan, [await sign(now + 120_000)], "TOKEN_INVALID");
    await refused(all, plan, [await sign(now - 31 * 60_000 - 1_000)], "TOKEN_EXPIRED");
    // Whatever it says itself, no token is good for longer than a day.
    await refused(all, plan, [await sign(now - 25 * 3_600_000, 90 * 86_400_000)], "TOKEN_EXPIRED");
    await all.fuse.release(plan.id, { tokens: [await sign(now + 50_000)] });
    expect(all.client.wire).toHaveLength(3);
  });

  it("is spent once, whatever becomes of the plan and however late", async () => {
    const all = setUp({
      purposes: { offer: { kind: "bulk", match: { tag: "offer" }, caps: [...caps], confirm: { approvals: 2 } } },
    });
    const plan = await planOffer(all);
    const token = await all.token(plan, "erin");
    expect((await all.fuse.confirm(plan.id, { tokens: [token] })).approvals).toEqual(["erin"]);
    await refused(all, plan, [token, await all.token(plan, "frank")], "TOKEN_SPENT");
    // Within the tolerance behind its end it would still verify.
    all.clock.advance(30 * 60_000 + 30_000);
    await refused(all, plan, [token, await all.token(plan, "frank")], "TOKEN_SPENT");
    expect(await codeOf(all.fuse.release(plan.id, { tokens: [await all.token(plan, "erin")] }))).toBe(
      "APPROVALS_MISSING",
    );
    const confirmed = await all.fuse.confirm(plan.id, { tokens: [await all.token(plan, "frank")] });
    expect(confirmed).toMatchObject({ state: "confirmed", approvals: ["erin", "frank"] });
    expect(all.client.wire).toEqual([]);
    await all.fuse.release(plan.id);
    expect(all.client.wire).toHaveLength(3);
  });

  it("of another environment, or of another fuse's view, is refused", async () => {
    const all = setUp();
    const staging = all.make({ environment: "staging" });
    const other = await planOffer(staging);
    const plan = await planOffer(all);
    await refused(all, plan, [await all.token(other, "erin")], "TOKEN_OTHER_PLAN");
    expect(await codeOf(all.fuse.release(other.id, { tokens: [await all.token(other, "erin")] }))).toBe("PLAN_CHANGED");
    expect(staging.client.wire).toEqual([]);
  });
});

describe("a view", () => {
  it("is one that the fuse issued, to this person, of the plan as it stands, within a day", async () => {
    const all = setUp();
    const plan = await planOffer(all);
    const other = await planOffer(all);
    const view = async (id: string, by: string) => (await all.fuse.view(id, { by })).view;
    const stranger = all.make({
      secret: "quite another secret",
      store: (await import("../../src/index")).memoryStore(),
    });
    const foreign = await planOffer(stranger);
    const bad = [
      "",
      "x",
      await view(plan.id, "frank"),
      await view(other.id, "erin"),
      (await stranger.fuse.view(foreign.id, { by: "erin" })).view,
      `${(await view(plan.id, "erin")).slice(0, -4)}AAAA`,
    ];
    for (const given of bad) await refused(all, plan, [await all.token(plan, "erin", { view: given })], "TOKEN_UNSEEN");
    const old = await view(plan.id, "erin");
    all.clock.advance(25 * 3_600_000);
    await refused(all, plan, [await all.token(plan, "erin", { view: old })], "TOKEN_UNSEEN");
    expect(await codeOf(all.fuse.view(plan.id, { by: "nobody" }))).toBe("PRINCIPAL_UNKNOWN");
  });

  it("serves one token", async () => {
    const all = setUp({
      purposes: { offer: { kind: "bulk", match: { tag: "offer" }, caps: [...caps], confirm: { approvals: 2 } } },
    });
    const plan = await planOffer(all);
    const { view } = await all.fuse.view(plan.id, { by: "erin" });
    await all.fuse.confirm(plan.id, { tokens: [await all.token(plan, "erin", { view })] });
    await refused(all, plan, [await all.token(plan, "erin", { view }), await all.token(plan, "frank")], "TOKEN_SPENT");
  });

  it("stands in the ledger with who looked", async () => {
    const all = setUp();
    const plan = await planOffer(all);
    await all.fuse.view(plan.id, { by: "erin" });
    const lines = (await all.store.read(0, 100)).map(({ event }) => JSON.parse(event) as object);
    expect(lines).toContainEqual(expect.objectContaining({ type: "plan-shown", plan: plan.id, by: "erin" }));
  });
});

describe("who may confirm", () => {
  const fuseOf = (change: Partial<FuseConfig>) => () =>
    createFuse({ environments: { production: { mode: "observe" } }, ...change } as FuseConfig);

  it("is nobody twice: neither by another spelling nor by a shared key", async () => {
    for (const approvers of [
      { dana: approver("dana"), Dana: approver("erin") },
      { dana: approver("dana"), "da.na": approver("erin") },
      { "dana-k": approver("dana"), dana_k: approver("erin") },
      { dana: approver("dana"), erin: approver("dana") },
      { dana: { publicKey: [keys.dana.publicKey, keys.erin.publicKey] }, erin: approver("erin") },
    ])
      expect(fuseOf({ approvers })).toThrow(/CONFIG_INVALID/);
    expect(fuseOf({ approvers: { dana: approver("dana") }, requesters: ["DANA"] })).toThrow(/CONFIG_INVALID/);
    expect(fuseOf({ approvers: { dana: approver("dana") }, requesters: ["dana"] })).not.toThrow();
    for (const name of ["dána", "dana ", "ｄana", "dana\u200b", ""])
      expect(fuseOf({ approvers: { [name]: approver("dana") } })).toThrow(/CONFIG_INVALID/);
  });

  it("is never the requester, with no key and under no spelling", async () => {
    const spare = generateKeys();
    const publicKey = [keys.dana.publicKey, spare.publicKey];
    const all = setUp({ approvers: { dana: { publicKey }, erin: approver("erin") } });
    const plan = await planOffer(all);
    const { view } = await all.fuse.view(plan.id, { by: "dana" });
    const { id, digest } = plan;
    const now = all.clock.now();
    for (const privateKey of [keys.dana.privateKey, spare.privateKey]) {
      const own = await signToken({ plan: id, digest, view, by: "dana", privateKey, now });
      await refused(all, plan, [own], "TOKEN_OWN");
      for (const by of ["Dana", "DANA", "dana ", " dana", "dаna", "erin"])
        await refused(all, plan, [await signToken({ plan: id, digest, view, by, privateKey, now })], "TOKEN_INVALID");
    }
    for (const requestedBy of ["Dana", "dana ", "DANA", "dana\u200b"])
      expect(await codeOf(planOffer(all, people(3), { requestedBy }))).toBe("PRINCIPAL_UNKNOWN");
  });

  it("has the roles asked for, and more people decide more mail", async () => {
    const confirm = {
      roles: ["crm"],
      stepUp: [
        { abovePeople: 3, approvals: 2 },
        { abovePeople: 5, approvals: 1, roles: ["director"] },
      ],
    };
    const approvers = {
      dana: approver("dana", ["crm", "director"]),
      erin: approver("erin", ["crm"]),
      frank: approver("frank", ["director"]),
    };
    const all = setUp({
      approvers,
      requesters: ["gus"],
      purposes: { offer: { kind: "bulk", match: { tag: "offer" }, caps: [...caps], confirm } },
    });
    const plan = (count: number) => planOffer(all, people(count), { expectedPeople: count, requestedBy: "gus" });
    const small = await plan(3);
    await refused(all, small, [await all.token(small, "frank")], "TOKEN_INVALID");
    const middle = await plan(4);
    expect(middle.requirements).toEqual([
      { approvals: 1, roles: ["crm"] },
      { approvals: 2, roles: ["crm"] },
    ]);
    expect(await codeOf(all.fuse.release(middle.id, { tokens: [await all.token(middle, "erin")] }))).toBe(
      "APPROVALS_MISSING",
    );
    const large = await plan(6);
    const [erin, frank] = [await all.token(large, "erin"), await all.token(large, "frank")];
    expect(await codeOf(all.fuse.release(large.id, { tokens: [erin, frank] }))).toBe("APPROVALS_MISSING");
    expect(all.client.wire).toEqual([]);
    await all.fuse.release(large.id, { tokens: [erin, await all.token(large, "dana")] });
    expect(all.client.wire).toHaveLength(6);
    await all.fuse.release(small.id, { tokens: [await all.token(small, "erin")] });
    expect(all.client.wire).toHaveLength(9);
  });

  it("may have several keys while they rotate; one taken away counts no more, also where it was spent", async () => {
    const next = generateKeys();
    const confirm = { approvals: 2 };
    const purposes = { offer: { kind: "bulk", match: { tag: "offer" }, caps: [...caps], confirm } } as const;
    const both = { publicKey: [next.publicKey, keys.erin.publicKey] };
    const others = { dana: approver("dana"), frank: approver("frank") };
    const all = setUp({ purposes });
    const plan = await planOffer(all);
    const old = await all.token(plan, "erin");
    const rotating = all.make({ approvers: { ...others, erin: both } });
    await rotating.fuse.confirm(plan.id, { tokens: [old] });
    const after = all.make({ approvers: { ...others, erin: { publicKey: next.publicKey } } });
    const tokens = [await all.token(plan, "frank")];
    expect(await codeOf(after.fuse.release(plan.id, { tokens }))).toBe("APPROVALS_MISSING");
    const { view } = await after.fuse.view(plan.id, { by: "erin" });
    const fresh = await signToken({
      ...{ plan: plan.id, digest: plan.digest, view, by: "erin" },
      ...{ privateKey: next.privateKey, now: all.clock.now() },
    });
    await after.fuse.release(plan.id, { tokens: [fresh, ...tokens] });
    expect(after.client.wire).toHaveLength(3);
  });

  it("keeps the private key under a passphrase", async () => {
    const { privateKey, publicKey } = generateKeys({ passphrase: "a long one" });
    expect(privateKey).toContain("ENCRYPTED PRIVATE KEY");
    const all = setUp({ approvers: { dana: approver("dana"), erin: { publicKey } } });
    const plan = await planOffer(all);
    const { view } = await all.fuse.view(plan.id, { by: "erin" });
    const request = { plan: plan.id, digest: plan.digest, view, by: "erin", privateKey, now: all.clock.now() };
    expect(await codeOf(signToken(request))).toBe("TOKEN_INVALID");
    expect(await codeOf(signToken({ ...request, passphrase: "another" }))).toBe("TOKEN_INVALID");
    await all.fuse.release(plan.id, { tokens: [await signToken({ ...request, passphrase: "a long one" })] });
    expect(all.client.wire).toHaveLength(3);
  });
});
