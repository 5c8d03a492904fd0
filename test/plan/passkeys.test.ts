/**
 * Passkey tokens as the fuse judges them, with an authenticator made of node:crypto. A real browser's
 * is in test/console/browser.test.ts.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createFuse, memoryStore } from "../../src/index";
import { type PasskeyClaims, passkeyChallenge, passkeyToken } from "../../src/plan/passkeys";
import { manualClock } from "../../src/testing/clock";
import { codeOf, fakeAdapter, fakeClient } from "../support/fake-client";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const origin = "https://mail.acme.test";

/** A P-256 credential; its public key as COSE (RFC 9052): {1: 2, 3: -7, -1: 1, -2: x, -3: y}. */
function authenticator() {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const cose = Buffer.concat([
    Buffer.from("a5010203262001215820", "hex"),
    Buffer.from(x, "base64url"),
    Buffer.from("225820", "hex"),
    Buffer.from(y, "base64url"),
  ]);
  return {
    privateKey,
    passkey: { id: randomBytes(16).toString("base64url"), publicKey: cose.toString("base64url"), origin },
  };
}

interface Answer {
  readonly id: string;
  readonly key: KeyObject;
  readonly origin?: string;
  readonly host?: string;
  readonly type?: string;
  /** User present and verified. */
  readonly flags?: number;
}

function assertion(
  challenge: string,
  { id, key, origin: at = origin, host = "mail.acme.test", type = "webauthn.get", flags = 0x05 }: Answer,
) {
  const client = Buffer.from(JSON.stringify({ type, challenge, origin: at, crossOrigin: false }));
  const data = Buffer.concat([createHash("sha256").update(host).digest(), Buffer.from([flags, 0, 0, 0, 0])]);
  const signature = sign("sha256", Buffer.concat([data, createHash("sha256").update(client).digest()]), key);
  return {
    id,
    rawId: id,
    type: "public-key",
    clientExtensionResults: {},
    response: {
      clientDataJSON: client.toString("base64url"),
      authenticatorData: data.toString("base64url"),
      signature: signature.toString("base64url"),
    },
  };
}

async function setUp() {
  const clock = manualClock();
  const [erin, frank] = [authenticator(), authenticator()];
  const fuse = createFuse({
    environment: "production",
    environments: { production: { mode: "live" } },
    purposes: { refund: { kind: "bulk", caps: [{ people: 50, per: "24h" }] } },
    defaults: { caps: [{ people: 5, per: "1h" }] },
    approvers: {
      erin: { passkeys: [erin.passkey] },
      frank: { passkeys: [frank.passkey] },
      dana: { publicKey: "d".repeat(43) },
    },
    store: memoryStore({ clock }),
    secret: "a secret of the passkeys' tests",
    clock,
    logger: quiet,
  });
  const client = fuse.attach(fakeClient(), fakeAdapter());
  const plan = await fuse.plan(
    { purpose: "refund", expectedPeople: 1, requestedBy: "dana" },
    { audience: ["ann@acme.test"], send: (to) => client.send({ to }) },
  );
  const { view } = await fuse.view(plan.id, { by: "erin" });
  const now = clock.now();
  const claims: PasskeyClaims = {
    id: "a-token-of-erin",
    by: "erin",
    plan: plan.id,
    digest: plan.digest,
    view,
    decision: "confirm",
    issuedAt: now,
    expiresAt: now + 1_800_000,
  };
  const good = { id: erin.passkey.id, key: erin.privateKey };
  const signed = (said: PasskeyClaims = claims, answer: Answer = good) =>
    passkeyToken(said, assertion(passkeyChallenge(said), answer));
  return { fuse, client, clock, plan, claims, erin, frank, good, signed };
}

describe("a passkey's token", () => {
  it("confirms the plan it was shown for, once, and the release reaches exactly its people", async () => {
    const { fuse, client, plan, signed } = await setUp();
    const token = signed();
    expect(await fuse.confirm(plan.id, { tokens: [token] })).toMatchObject({ state: "confirmed", approvals: ["erin"] });
    await fuse.release(plan.id);
    expect(client.wire.map(({ to }) => to)).toEqual(["ann@acme.test"]);
  });

  it("is refused when anything that it says was not what was signed", async () => {
    const { fuse, plan, claims, good } = await setUp();
    const answer = assertion(passkeyChallenge(claims), good);
    const { view: franks } = await fuse.view(plan.id, { by: "frank" });
    const changed: Partial<PasskeyClaims>[] = [
      { id: "another-token" },
      { by: "frank" },
      { digest: "x".repeat(43) },
      { plan: "p_another" },
      { view: franks },
      { expiresAt: claims.expiresAt + 1 },
      { issuedAt: claims.issuedAt - 1 },
      { decision: "reject" },
    ];
    for (const change of changed) {
      expect([
        change,
        await codeOf(fuse.confirm(plan.id, { tokens: [passkeyToken({ ...claims, ...change }, answer)] })),
      ]).toEqual([change, "TOKEN_INVALID"]);
    }
    expect((await fuse.findPlan(plan.id)).approvals).toEqual([]);
  });

  it("is refused from another key, credential, origin or ceremony, and without the person's presence", async () => {
    const { fuse, plan, good, frank, signed, claims } = await setUp();
    const wrong: Answer[] = [
      { ...good, key: frank.privateKey },
      { id: frank.passkey.id, key: frank.privateKey },
      { ...good, id: "AAAAAAAAAAAAAAAAAAAAAA" },
      { ...good, origin: "https://mail.acme.test.evil.example" },
      { ...good, origin: "https://evil.acme.test" },
      { ...good, host: "acme.test" },
      { ...good, type: "webauthn.create" },
      { ...good, flags: 0x01 },
      { ...good, flags: 0x04 },
      { ...good, flags: 0x00 },
    ];
    for (const answer of wrong) {
      const { key: _key, ...told } = answer;
      expect([told, await codeOf(fuse.confirm(plan.id, { tokens: [signed(claims, answer)] }))]).toEqual([
        told,
        "TOKEN_INVALID",
      ]);
    }
    for (const junk of [
      "passkey.",
      "passkey.e30",
      `passkey.${Buffer.from("null").toString("base64url")}`,
      passkeyToken(claims, undefined),
      passkeyToken(claims, {}),
    ])
      expect(await codeOf(fuse.confirm(plan.id, { tokens: [junk] }))).toBe("TOKEN_INVALID");
    expect((await fuse.findPlan(plan.id)).approvals).toEqual([]);
  });

  it("says no as well as yes, and one is never taken for the other", async () => {
    const { fuse, plan, claims, signed } = await setUp();
    const no = signed({ ...claims, decision: "reject" });
    expect(await codeOf(fuse.confirm(plan.id, { tokens: [no] }))).toBe("TOKEN_INVALID");
    expect(await codeOf(fuse.reject(plan.id, { token: signed(), reason: "wrong list" }))).toBe("TOKEN_INVALID");
    expect(await fuse.reject(plan.id, { token: no, reason: "wrong list" })).toMatchObject({ state: "rejected" });
  });

  it("counts for its time, and never for more than a day", async () => {
    const { fuse, plan, clock, claims, signed } = await setUp();
    const endless = { ...claims, expiresAt: claims.issuedAt + 25 * 3_600_000 };
    expect(await codeOf(fuse.confirm(plan.id, { tokens: [signed(endless)] }))).toBe("TOKEN_INVALID");
    const future = { ...claims, issuedAt: claims.issuedAt + 600_000 };
    expect(await codeOf(fuse.confirm(plan.id, { tokens: [signed(future)] }))).toBe("TOKEN_INVALID");
    clock.advance(1_800_000 + 61_000);
    expect(await codeOf(fuse.confirm(plan.id, { tokens: [signed()] }))).toBe("TOKEN_EXPIRED");
  });
});

describe("the configuration", () => {
  const base = { environments: { production: { mode: "observe" } }, logger: quiet } as const;
  const { passkey } = authenticator();

  it("takes no passkey twice, none of a page without TLS, and no approver without any key", () => {
    const wrong = [
      { erin: { passkeys: [passkey] }, frank: { passkeys: [passkey] } },
      { erin: { passkeys: [{ ...passkey, origin: "http://mail.acme.test" }] } },
      { erin: { passkeys: [{ ...passkey, origin: "https://mail.acme.test/x" }] } },
      { erin: { passkeys: [{ ...passkey, id: "not base64" }] } },
      { erin: {} },
      { erin: { passkeys: [] } },
    ];
    for (const approvers of wrong)
      expect(() => createFuse({ ...base, approvers }), JSON.stringify(approvers)).toThrow("CONFIG_INVALID");
    expect(() =>
      createFuse({ ...base, approvers: { erin: { passkeys: [{ ...passkey, origin: "http://localhost:3000" }] } } }),
    ).not.toThrow();
  });
});
