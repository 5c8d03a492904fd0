/** Every token that must not count: each a coded error, and nothing arrives. */
import { createHmac, createPublicKey } from "node:crypto";
import { generateKeys, type Plan } from "../../src/index";
import type { Check, Result } from "../faults/check";
import { placeOf } from "./places";
import { codeOf, keys, openWorld, type World } from "./world";

/** Tokens that must not count, the code they are refused with, and where they are tried. */
interface Bad {
  readonly name: string;
  readonly code: string;
  readonly tokens: (world: World, plan: Plan) => Promise<readonly string[]>;
  readonly purpose?: "refund";
  /** Another process, whose settings are not those of the time of planning. */
  readonly open?: Parameters<World["open"]>[0];
}

const hour = 3_600_000;
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

async function headOf(world: World, plan: Plan) {
  const token = await world.token(plan, "erin");
  const [head = "", body = ""] = token.split(".");
  const { kid, typ } = JSON.parse(Buffer.from(head, "base64url").toString()) as { kid: string; typ: string };
  return { token, body, kid, typ };
}

async function hmac(world: World, plan: Plan, key: string | Buffer): Promise<string> {
  const { body, kid, typ } = await headOf(world, plan);
  const signed = `${part({ alg: "HS256", kid, typ })}.${body}`;
  return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
}

const spki = createPublicKey(keys.erin.privateKey).export({ type: "spki", format: "pem" }).toString();
const one = (name: string, code: string, token: (world: World, plan: Plan) => Promise<string>): Bad => ({
  name,
  code,
  tokens: async (world, plan) => [await token(world, plan)],
});

const bad: readonly Bad[] = [
  one("expired", "TOKEN_EXPIRED", async (world, plan) =>
    world.token(plan, "erin", { now: (await world.store.now()) - hour }),
  ),
  one("future", "TOKEN_INVALID", async (world, plan) =>
    world.token(plan, "erin", { now: (await world.store.now()) + hour }),
  ),
  one("forged", "TOKEN_INVALID", (world, plan) => world.token(plan, "erin", { privateKey: generateKeys().privateKey })),
  one("by-another-name", "TOKEN_INVALID", (world, plan) => world.token(plan, "frank", { by: "erin" })),
  one("truncated", "TOKEN_INVALID", async (world, plan) => (await world.token(plan, "erin")).slice(0, -8)),
  one("alg-none", "TOKEN_INVALID", async (world, plan) => {
    const { body, kid, typ } = await headOf(world, plan);
    return `${part({ alg: "none", kid, typ })}.${body}.`;
  }),
  one("hs256-public-key", "TOKEN_INVALID", (world, plan) => hmac(world, plan, keys.erin.publicKey)),
  one("hs256-public-pem", "TOKEN_INVALID", (world, plan) => hmac(world, plan, spki)),
  one("other-plan", "TOKEN_OTHER_PLAN", async (world) => world.token(await world.plan(["o@people.example"]), "erin")),
  one("other-digest", "TOKEN_OTHER_PLAN", (world, plan) => world.token(plan, "erin", { digest: "0" })),
  one("requesters-own", "TOKEN_OWN", (world, plan) => world.token(plan, "dana")),
  one("unseen", "TOKEN_UNSEEN", (world, plan) => world.token(plan, "erin", { view: "" })),
  one("seen-by-another", "TOKEN_UNSEEN", async (world, plan) => {
    const { view } = await world.fuse.view(plan.id, { by: "frank" });
    return world.token(plan, "erin", { view });
  }),
  one("a-no", "TOKEN_INVALID", (world, plan) => world.token(plan, "erin", { decision: "reject" })),
  {
    name: "spent",
    code: "TOKEN_SPENT",
    purpose: "refund",
    async tokens(world, plan) {
      const token = await world.token(plan, "erin");
      await world.fuse.confirm(plan.id, { tokens: [token] });
      return [token, await world.token(plan, "frank")];
    },
  },
  {
    name: "same-person-twice",
    code: "APPROVALS_MISSING",
    purpose: "refund",
    tokens: async (world, plan) => [await world.token(plan, "erin"), await world.token(plan, "erin")],
  },
  { name: "none", code: "APPROVALS_MISSING", tokens: async () => [] },
  {
    name: "key-taken-away",
    code: "TOKEN_INVALID",
    tokens: async (world, plan) => [await world.token(plan, "erin")],
    open: { approvers: { ...approversWithout("erin"), erin: { publicKey: generateKeys().publicKey } } },
  },
  {
    name: "other-environment",
    code: "PLAN_CHANGED",
    tokens: async (world, plan) => [await world.token(plan, "erin")],
    open: { environment: "staging" },
  },
  {
    name: "other-policy",
    code: "PLAN_CHANGED",
    tokens: async (world, plan) => [await world.token(plan, "erin")],
    open: { caps: [{ people: 1_000_000, per: "1h" }] },
  },
];

function approversWithout(left: string) {
  const names = Object.entries(keys).filter(([name]) => name !== left);
  return Object.fromEntries(names.map(([name, { publicKey }]) => [name, { publicKey }]));
}

/** `token/<how it is bad>`. */
export const badTokenChecks: readonly Check[] = bad.map((each) => ({
  id: `token/${each.name}`,
  run: () => refused(each),
}));

async function refused({ name, code, tokens, purpose, open }: Bad): Promise<Result> {
  const { store } = await placeOf("sqlite");
  const world = await openWorld(store);
  try {
    const audience = [0, 1, 2].map((n) => `${name}-${n}@people.example`);
    const plan = await world.plan(audience, purpose ? { purpose } : {});
    const given = await tokens(world, plan);
    const fuse = open ? world.open(open) : world.fuse;
    const got = await codeOf(fuse.release(plan.id, { tokens: given }));
    const arrived = world.office.arrived.size;
    // What refuses everything proves nothing: with good tokens it leaves.
    const good = purpose ? [await world.token(plan, "frank")] : [];
    const spent = name === "spent";
    const { accepted } = await world.fuse.release(plan.id, {
      tokens: spent ? good : [await world.token(plan, "erin"), ...good],
    });
    return {
      runs: 1,
      attempts: 1,
      delivered: arrived,
      violations: Number(got !== code) + arrived + Number(accepted !== 3),
      notes: { code: got },
    };
  } finally {
    await world.close();
  }
}
