/** A fuse with three approvers on a store in memory and a clock that is moved by hand, and plans of offers. */
import { createFuse, type FuseConfig, generateKeys, memoryStore, type Plan, signToken } from "../../src/index";
import { manualClock } from "../../src/testing/clock";
import { fakeAdapter, fakeClient } from "../support/fake-client";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
/** Dana asks; Erin and Frank confirm. */
export const keys = { erin: generateKeys(), frank: generateKeys(), dana: generateKeys() };

/** The store and clock are shared by every fuse that `make` makes. */
export function setUp(change: Partial<FuseConfig> = {}) {
  const clock = manualClock();
  const store = memoryStore({ clock });
  const make = (more: Partial<FuseConfig> = {}) => {
    const fuse = createFuse({
      environment: "production",
      environments: { production: { mode: "live" }, staging: { mode: "test", allow: ["*"] } },
      purposes: {
        offer: { kind: "bulk", match: { tag: "offer" }, caps: [{ people: 10, per: "24h" }] },
        refund: { kind: "bulk", caps: [{ people: 10, per: "24h" }], confirm: { approvals: 2 } },
      },
      defaults: { caps: [{ people: 5, per: "1h" }] },
      approvers: Object.fromEntries(Object.entries(keys).map(([name, pair]) => [name, { publicKey: pair.publicKey }])),
      secret: "a secret of some length",
      store,
      clock,
      logger: quiet,
      ...change,
      ...more,
    });
    const client = fuse.attach(fakeClient(), fakeAdapter());
    return { fuse, client };
  };
  const first = make();
  const token = async (
    plan: Plan,
    by: keyof typeof keys,
    more: { ttlMs?: number; digest?: string; plan?: string; key?: keyof typeof keys; view?: string } = {},
  ) => {
    const { view } = await first.fuse.view(plan.id, { by });
    const { key, ...rest } = more;
    const { privateKey } = keys[key ?? by];
    return signToken({ plan: plan.id, digest: plan.digest, view, by, privateKey, now: clock.now(), ...rest });
  };
  return { ...first, make, token, clock, store };
}

export type SetUp = ReturnType<typeof setUp>;
export const people = (count: number) => Array.from({ length: count }, (_, index) => `p${index}@acme.test`);

export function planOffer({ fuse, client }: Pick<SetUp, "fuse" | "client">, to = people(3), change: object = {}) {
  return fuse.plan(
    { purpose: "offer", expectedPeople: 3, requestedBy: "dana", ...change },
    {
      audience: to,
      send: (address) => client.send({ to: address, subject: "Offer", text: `for ${address}`, tag: "offer" }),
      data: (address) => ({ address }),
    },
  );
}

/** Moves the clock on as long as the work goes on: for a worker that waits for another one. */
export async function whileTimePasses<Result>({ clock }: Pick<SetUp, "clock">, work: Promise<Result>): Promise<Result> {
  let over = false;
  const ended = () => {
    over = true;
  };
  work.then(ended, ended);
  while (!over) {
    clock.advance(250);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return work;
}
