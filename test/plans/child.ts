/** A process that releases a plan, and dies without warning at the point it is told. */
import { appendFileSync } from "node:fs";
import type { ReleaseResult } from "../../src/plan/release";
import type { Store } from "../../src/store";
import { guardedMailer } from "../faults/fuse";
import { openPlace, type StorePlace } from "../faults/stores";
import type { OwnPoint } from "./points";

/** What a process does. */
export interface Job {
  readonly place: StorePlace;
  readonly smtp: number;
  readonly approver: string;
  readonly plan: string;
  readonly tokens: readonly string[];
  readonly leaseMs: number;
  /** Where entries are written down that the application has heard of. */
  readonly told: string;
  /** Takes what a dead process had under way for not sent: the mistake that the checks must see. */
  readonly broken?: boolean;
  /** Dies at the given passage of this point, counted from 1. */
  readonly die?: { readonly at: OwnPoint; readonly passage: number };
}

/** What a process tells. */
export type Told =
  | { readonly tell: "released"; readonly result: ReleaseResult; readonly resent?: ReleaseResult }
  | { readonly tell: "failed"; readonly error: string };

const job = JSON.parse(process.argv[2] ?? "null") as Job;
let passed = 0;

function reach(point: OwnPoint): void {
  if (job.die?.at === point && ++passed === job.die.passage) process.kill(process.pid, "SIGKILL");
}

/** Calls the store with the points around each step. */
function mined(store: Store): Store {
  return {
    ...store,
    async changePlan(change) {
      const begins = change.state === "releasing" && (change.tokens?.length ?? 0) > 0;
      const closes = change.state === "done" || change.state === "partial";
      if (begins) reach("before-begin");
      if (closes) reach("before-close");
      const answer = await store.changePlan(change);
      if (begins) reach("after-begin");
      if (closes) reach("after-close");
      return answer;
    },
    async claimEntries(...given) {
      reach("before-claim");
      const claimed = await store.claimEntries(...given);
      if (claimed.length > 0) reach("after-claim");
      return claimed;
    },
    async reserve(reservations) {
      reach("before-reserve");
      const answers = await store.reserve(reservations);
      reach("after-reserve");
      return answers;
    },
    async settle(settlements) {
      reach("before-settle");
      const lines = await store.settle(settlements);
      reach("after-settle");
      return lines;
    },
    async markEntries(...given) {
      const moved = await store.markEntries(...given);
      reach("after-mark");
      return moved;
    },
  };
}

async function main(): Promise<Told> {
  const place = await openPlace(job.place);
  const { smtp, approver } = job;
  const { fuse, close } = guardedMailer({ store: mined(place.store), smtp, people: 1_000, per: "24h", approver });
  const onDelivered = ({ index }: { index: number }) => {
    reach("before-told");
    // On disk before anything else happens: a message to the parent would die with this process.
    appendFileSync(job.told, `${index}\n`);
    reach("after-told");
  };
  const release = (tokens: readonly string[]) =>
    fuse.release(job.plan, { tokens, onDelivered, concurrency: 3, leaseMs: job.leaseMs });
  try {
    if (job.broken) await place.store.requeueEntries(job.plan, "reserved", "{}");
    const { state } = await fuse.findPlan(job.plan);
    // Whoever comes after a process that died behind the last step finds everything done.
    const over = state === "done" || state === "partial";
    const result = await release(job.tokens).catch((error: unknown) => {
      if (over && (error as { code?: string }).code === "PLAN_STATE") return undefined;
      throw error;
    });
    if (!result) return { tell: "released", result: await left() };
    if (job.die || result.unknown === 0) return { tell: "released", result };
    await fuse.resend(job.plan, { by: "dana" });
    return { tell: "released", result, resent: await release([]) };
  } catch (error) {
    return { tell: "failed", error: error instanceof Error ? String(error.stack) : String(error) };
  } finally {
    close();
    await fuse.flush();
    await place.end();
  }
  async function left(): Promise<ReleaseResult> {
    const { state } = await fuse.findPlan(job.plan);
    const states = await place.store.entryStates(job.plan);
    const { told = 0, accepted = 0, unknown = 0, reserved = 0, waiting = 0, claimed = 0 } = states;
    return {
      plan: job.plan,
      state,
      accepted: told + accepted,
      refused: 0,
      unknown: unknown + reserved,
      removed: 0,
      waiting: waiting + claimed,
      unknownEntries: [],
      refusals: [],
    };
  }
}

main().then((told) => process.send?.(told, () => process.disconnect()));
