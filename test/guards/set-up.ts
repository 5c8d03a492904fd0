/** A live fuse around the fake client, on a clock that the test moves, with one approver. */
import {
  createFuse,
  type FuseConfig,
  generateKeys,
  memoryStore,
  type Plan,
  type Store,
  signToken,
} from "../../src/index";
import { manualClock } from "../../src/testing/clock";
import { fakeAdapter, fakeClient } from "../support/fake-client";

const erin = generateKeys();
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

export const caps = [{ people: 1_000_000, per: "1h" }] as const;

export function setUp(purposes: FuseConfig["purposes"], more: Partial<FuseConfig> = {}, shared?: Store) {
  const clock = manualClock();
  const store = shared ?? memoryStore({ clock });
  const make = () => {
    const fuse = createFuse({
      environment: "production",
      environments: { production: { mode: "live" } },
      defaults: { caps },
      approvers: { erin: { publicKey: erin.publicKey } },
      requesters: ["dana"],
      purposes,
      store,
      clock,
      logger: quiet,
      secret: "a secret that all processes share",
      ...more,
    } as FuseConfig);
    return { fuse, client: fuse.attach(fakeClient(), fakeAdapter()) };
  };
  const viewer = make();
  const token = async ({ id }: Plan) => {
    const { plan, view } = await viewer.fuse.view(id, { by: "erin" });
    return signToken({
      plan: id,
      digest: plan.digest,
      view,
      by: "erin",
      privateKey: erin.privateKey,
      now: clock.now(),
    });
  };
  const lines = async () =>
    (await store.read(0, 10_000)).map(({ event }) => JSON.parse(event) as Readonly<Record<string, unknown>>);
  return { ...make(), make, clock, store, token, lines };
}
