/**
 * The one configuration under which every scenario runs. It knows the company, not the scenarios:
 * a configuration tuned to each of them would prove nothing.
 */
import { createFuse, type Fuse, type FuseConfig, generateKeys, type Store, signToken } from "mailfuse";
import { z } from "zod";
import type { World } from "./world";

/** The data that claims rest on here: whose row it is. */
const Person = z.object({ email: z.string() });
type Person = z.infer<typeof Person>;

/** Two people who approve; in the replay they approve whatever is not refused by the fuse. */
const keys = { erin: generateKeys(), frank: generateKeys() };

export function productionConfig(world: World, environment: string, store: Store): FuseConfig {
  return {
    environment,
    environments: {
      production: { mode: "live" },
      staging: { mode: "test", allow: [`qa+*@${world.domain}`] },
    },
    purposes: {
      "password-reset": {
        kind: "stream",
        match: { tag: "password-reset" },
        caps: [{ people: 2_500, per: "1h" }],
        perPerson: [{ messages: 5, per: "1h" }],
      },
      "service-notice": {
        kind: "stream",
        match: { tag: "service-notice" },
        caps: [{ people: 400, per: "24h" }],
        duplicateWindow: "24h",
      },
      reminder: {
        kind: "stream",
        match: { tag: "reminder" },
        caps: [{ people: 1_000, per: "24h" }],
        freshness: { maxAge: "7d", required: true },
      },
      "security-alert": {
        kind: "stream",
        match: { tag: "security-alert" },
        caps: [{ people: 200, per: "1h" }],
        claim: { data: Person, verify: ({ email }: Person) => world.records.changedFactor.has(email) },
      },
      refund: {
        kind: "bulk",
        caps: [{ people: 10_000, per: "24h" }],
        claim: {
          data: Person,
          subject: ({ email }: Person) => email,
          verifyMany: (questions) =>
            questions.map(({ person }) => {
              const order = world.records.refunds.get(person.address);
              return order === undefined ? false : { evidence: order };
            }),
          looksLike: { subject: /refund/i },
        },
      },
      admission: {
        kind: "bulk",
        caps: [{ people: 1_000, per: "24h" }],
        claim: { data: Person, verify: ({ email }: Person) => world.records.admitted.has(email) },
      },
      statement: {
        kind: "bulk",
        caps: [{ people: 2_000, per: "24h" }],
        claim: { data: Person, subject: ({ email }: Person) => email },
      },
      offer: { kind: "bulk", match: { tag: "offer" }, caps: [{ people: 5_000, per: "24h" }] },
    },
    defaults: { caps: [{ people: 100, per: "1h" }], confirm: { abovePeople: 25 } },
    internal: [`*@${world.domain}`],
    lists: [`*@${world.listDomain}`],
    approvers: { erin: { publicKey: keys.erin.publicKey }, frank: { publicKey: keys.frank.publicKey } },
    requesters: ["dana"],
    secret: "the replay's own secret",
    store,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  };
}

/** What mail naming no purpose can reach at most before a person looks. */
export const defaultBound = 25;

/** An approver who looks at nothing: what remains is what the fuse itself prevents. */
export async function approveBlindly(fuse: Fuse, id: string): Promise<string> {
  const { plan, view } = await fuse.view(id, { by: "erin" });
  const { privateKey } = keys.erin;
  return signToken({ plan: id, digest: plan.digest, view, by: "erin", privateKey, now: Date.now() });
}

export { createFuse };
