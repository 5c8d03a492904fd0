/**
 * Releases a confirmed plan: verifies and spends the tokens in one atomic step with the change of
 * state, and then delivers the spooled bytes, each entry at most once, whatever crashes and
 * however many workers share the work. The job is never run again.
 *
 * @module
 */
import { type Core, codeOf } from "../core";
import { MailfuseError } from "../errors";
import { beginRelease, checkPlan, collectApprovals } from "./begin";
import { runCanary } from "./canary";
import { joinCrew, type Place, workerLeaseMs } from "./crew";
import { openSpool } from "./entries";
import { expireIfDue } from "./expire";
import { finish, type ReleaseResult, summarize } from "./finish";
import { findPlan, readRecord } from "./keep";
import { pause } from "./pace";
import type { Plan } from "./plan";
import type { PlanRecord } from "./record";
import { retryUnknown } from "./retry";
import { sendBack } from "./review";
import { type Delivered, Teller } from "./telling";
import { type Pass, Worker } from "./worker";

export type { ReleaseResult } from "./finish";

/** What a release is started with. */
export interface ReleaseOptions {
  /** Confirmation tokens; none are needed to go on with a release that was interrupted. */
  readonly tokens?: readonly string[];
  /**
   * Told of every accepted entry, in the caller's own context: at least once, also when a worker died
   * in between, so it may come twice. When it throws, deliveries stop and `release` rejects with its
   * error; the next call tells it again.
   */
  readonly onDelivered?: (entry: Delivered) => unknown;
  /** Deliveries under way at once. @default 5 */
  readonly concurrency?: number;
  /**
   * Waits for what has to pass first: a canary's time, the rate, entries that another worker holds.
   * `false` comes back instead, with the rest `waiting`; call again to go on. @default true
   */
  readonly wait?: boolean;
  /** How long a worker that died still holds its place and the entries it took, milliseconds. @default 30_000 */
  readonly leaseMs?: number;
}

/** Spends tokens ahead of the release. */
export function confirmPlan(core: Core, id: string, tokens: readonly string[]): Promise<Plan> {
  return collectApprovals(core, id, tokens);
}

/** Confirms, if that is still to be done, and delivers. */
export async function releasePlan(core: Core, pass: Pass, id: string, options: ReleaseOptions): Promise<ReleaseResult> {
  checkOptions(options);
  const over = await tellOnly(core, id, options);
  if (over) return over;
  const record = await beginRelease(core, id, options);
  const leaseMs = options.leaseMs ?? workerLeaseMs;
  const place = await joinCrew(core, id, leaseMs);
  try {
    return await work(core, pass, record, place, { ...options, leaseMs });
  } finally {
    await place.leave().catch((error: unknown) => core.log.error({ error: codeOf(error) }, "a worker's lease"));
  }
}

function checkOptions({ concurrency = 1, leaseMs = workerLeaseMs }: ReleaseOptions): void {
  const wrong = (name: string, least: number, got: unknown) =>
    new MailfuseError({
      code: "PLAN_INVALID",
      message: `Expected ${name} to be a whole number of at least ${least}, got ${String(got).slice(0, 40)}.`,
      fix: "Correct the options given to fuse.release.",
      where: name,
    });
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) throw wrong("concurrency", 1, concurrency);
  if (!Number.isSafeInteger(leaseMs) || leaseMs < 100) throw wrong("leaseMs", 100, leaseMs);
}

/** A plan that is over, but whose application may not have heard of every delivery. */
async function tellOnly(core: Core, id: string, { onDelivered }: ReleaseOptions): Promise<ReleaseResult | undefined> {
  const row = await findPlan(core, id);
  if (!onDelivered || (row.state !== "done" && row.state !== "partial")) return undefined;
  const record = readRecord(core, row);
  const { accepted = 0, waiting = 0, claimed = 0 } = await core.store.entryStates(id);
  if (!record.listens || !record.key || accepted === 0 || waiting + claimed > 0) return undefined;
  const place = await joinCrew(core, id, workerLeaseMs);
  try {
    const teller = new Teller(core, id, openSpool(core, record), onDelivered);
    if (!(await place.others())) await teller.sweep();
    return await finish(core, { record, halted: false, refusals: [] });
  } finally {
    await place.leave();
  }
}

async function work(
  core: Core,
  pass: Pass,
  record: PlanRecord,
  place: Place,
  options: ReleaseOptions & { readonly leaseMs: number },
): Promise<ReleaseResult> {
  const spool = openSpool(core, record);
  const teller = options.onDelivered && new Teller(core, record.terms.id, spool, options.onDelivered);
  const purpose = checkPlan(core, "releasing", record, await core.store.now());
  const worker = new Worker({ core, pass, record, purpose, spool, place, teller, options });
  while (!worker.ended) {
    await worker.deliver();
    if (worker.ended) break;
    const next = await step(core, worker, place, options);
    if (next === "over") break;
    if (next === "wait") {
      if (options.wait === false) break;
      await place.rest();
      await pause(core, Math.min(1_000, options.leaseMs / 2));
    }
  }
  await teller?.flush();
  if (worker.failure) throw worker.failure.error;
  if (teller && !(await place.others())) await teller.sweep();
  const halted = worker.stopped?.code === "HALTED";
  if (worker.stopped && !halted) throw await stopped(core, worker, worker.stopped);
  return worker.ended || (await isOver(core, worker, place))
    ? finish(core, { record: worker.record, halted, refusals: worker.refusals })
    : summarize(core, worker.record.terms.id, worker.refusals);
}

/** Writes down why a release cannot go on, where that is about the plan. */
async function stopped(core: Core, worker: Worker, error: MailfuseError): Promise<MailfuseError> {
  const row = await findPlan(core, worker.record.terms.id);
  if (error.code === "PLAN_EXPIRED") await expireIfDue(core, row, await core.store.now());
  if (worker.fellOut === undefined || row.state !== "releasing") return error;
  return sendBack(core, row, readRecord(core, row), worker.fellOut);
}

/** What comes when nothing can be claimed: more work, a wait, or the end. */
async function step(
  core: Core,
  worker: Worker,
  place: Place,
  options: ReleaseOptions,
): Promise<"again" | "wait" | "over"> {
  await worker.flush();
  await worker.refresh();
  if (worker.ended) return "over";
  if (worker.below !== undefined) return runCanary(core, worker, place, options.wait !== false);
  if (!(await isOver(core, worker, place))) return "wait";
  return (await retryUnknown(core, worker)) ? "again" : "over";
}

/** Whether nothing is left that this worker, or another one alive, could still deliver. */
async function isOver(core: Core, worker: Worker, place: Place): Promise<boolean> {
  if (worker.below !== undefined) return false;
  const states = await core.store.entryStates(worker.record.terms.id);
  const { waiting = 0, claimed = 0, reserved = 0, accepted = 0 } = states;
  if (waiting + claimed > worker.refusedHere.size) return false;
  // What another worker has under way, or is about to tell, may turn out to be left behind.
  const open = reserved + (worker.parts.teller ? accepted : 0);
  return open === 0 || !(await place.others());
}
