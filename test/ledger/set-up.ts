/** What tests of the ledger share: a fuse on a memory store, a clock moved by hand, and a wire that can fail. */
import {
  createFuse,
  type FuseConfig,
  generateKeys,
  type MailfuseError,
  memoryStore,
  type Plan,
  signToken,
} from "../../src/index";
import type { LedgerLine, Store } from "../../src/store";
import { manualClock } from "../../src/testing/clock";
import { fakeAdapter, fakeClient } from "../support/fake-client";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const keys = { erin: generateKeys(), frank: generateKeys() };

const secret = "a secret of some length";

export function setUp(change: Partial<FuseConfig> = {}) {
  const clock = manualClock();
  const store = change.store ?? memoryStore({ clock });
  const make = (more: Partial<FuseConfig> = {}) => {
    const fuse = createFuse({
      environment: "production",
      environments: { production: { mode: "live" } },
      purposes: {
        offer: { kind: "bulk", caps: [{ people: 1_000, per: "24h" }] },
        note: { kind: "stream", match: { tag: "note" }, caps: [{ people: 1_000, per: "24h" }] },
      },
      defaults: { caps: [{ people: 100, per: "1h" }] },
      approvers: Object.fromEntries(Object.entries(keys).map(([name, { publicKey }]) => [name, { publicKey }])),
      requesters: ["dana"],
      secret,
      store,
      clock,
      logger: quiet,
      ...change,
      ...more,
    });
    return { fuse, client: fuse.attach(fakeClient(), fakeAdapter()) };
  };
  const first = make();
  const token = async (plan: Plan, by: keyof typeof keys = "erin", { fuse } = first) => {
    const { view } = await fuse.view(plan.id, { by });
    return signToken({
      plan: plan.id,
      digest: plan.digest,
      view,
      by,
      privateKey: keys[by].privateKey,
      now: clock.now(),
    });
  };
  return { ...first, make, token, clock, store };
}

export type SetUp = ReturnType<typeof setUp>;

export const people = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => `p${from + index}@acme.test`);

/** Plans and releases an offer to these people. */
export async function release(all: SetUp, to: readonly string[]): Promise<Plan> {
  const plan = await all.fuse.plan(
    { purpose: "offer", expectedPeople: to.length, requestedBy: "dana" },
    { audience: to, send: (address) => all.client.send({ to: address, subject: "Offer", text: "A secret offer." }) },
  );
  await all.fuse.release(plan.id, { tokens: [await all.token(plan)], concurrency: 1 });
  return plan;
}

/** Everything in the ledger. */
export async function linesOf(store: Pick<Store, "read">): Promise<LedgerLine[]> {
  const lines: LedgerLine[] = [];
  for (;;) {
    const batch = await store.read(lines.at(-1)?.seq ?? 0, 1_000);
    if (batch.length === 0) return lines;
    lines.push(...batch);
  }
}

/** The error a promise rejects with. */
export async function errorOf(work: Promise<unknown>): Promise<MailfuseError> {
  return work.then(
    () => Promise.reject(new Error("Expected a rejection, got none.")),
    (error: MailfuseError) => error,
  );
}
