/**
 * The workers of one release. Each holds a lease while it lives, so that others can tell what is under
 * way from what a dead process left behind.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import type { Core } from "../core";
import { MailfuseError } from "../errors";

/** The most workers that share one release. */
const places = 32;

/** How long a worker that was killed counts as alive, and its leased entries as taken, milliseconds. */
export const workerLeaseMs = 30_000;

/** A worker's place among the others. */
export interface Place {
  readonly name: string;
  /** Whether another worker of the plan is alive and may have something under way. */
  others(): Promise<boolean>;
  /** Nothing is under way here: others need not wait for this worker, or all would wait for each other. */
  rest(): Promise<void>;
  /** Before anything is under way again. */
  wake(): Promise<void>;
  leave(): Promise<void>;
}

/** Takes a place and keeps it until left. Throws `PLAN_STATE` when all are taken. */
export async function joinCrew(core: Core, plan: string, leaseMs: number): Promise<Place> {
  const name = randomUUID();
  let own = await firstFree(core, plan, name, leaseMs);
  let left = false;
  let resting = false;
  // Waited for before the place is given up: on another connection it could come after, and take it once more.
  let renewing: Promise<unknown> = Promise.resolve();
  let cancel = () => {};
  const renew = () => {
    cancel = core.clock.after(leaseMs / 3, () => {
      if (left) return;
      if (!resting) {
        const renewal = core.store.lease(own, name, leaseMs);
        renewing = Promise.allSettled([renewing, renewal]);
        core.background(renewal, "a worker's lease");
      }
      renew();
    });
  };
  renew();
  return {
    name,
    others: () => anyWorker(core, plan, resting ? undefined : own),
    async rest() {
      if (resting) return;
      resting = true;
      await renewing;
      await core.store.lease(own, name, 0);
    },
    async wake() {
      if (!resting) return;
      // Another worker may have taken the place meanwhile.
      own = await firstFree(core, plan, name, leaseMs);
      resting = false;
    },
    async leave() {
      left = true;
      cancel();
      await renewing;
      if (!resting) await core.store.lease(own, name, 0);
    },
  };
}

/** Whether a worker of this plan is alive, other than the one at `own`. */
export async function anyWorker(core: Core, plan: string, own?: string): Promise<boolean> {
  const asking = randomUUID();
  for (let place = 0; place < places; place++) {
    const lease = leaseName(plan, place);
    if (lease !== own && !(await core.store.lease(lease, asking, 0))) return true;
  }
  return false;
}

async function firstFree(core: Core, plan: string, name: string, leaseMs: number): Promise<string> {
  for (let place = 0; place < places; place++) {
    const lease = leaseName(plan, place);
    if (await core.store.lease(lease, name, leaseMs)) return lease;
  }
  throw new MailfuseError({
    code: "PLAN_STATE",
    message: `Expected fewer than ${places} workers on one release, got one more.`,
    fix: "Raise `concurrency` instead of starting more workers.",
  });
}

function leaseName(plan: string, place: number): string {
  return `release:${plan}:${place}`;
}
