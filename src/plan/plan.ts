/**
 * Makes plans: checks the request, rehearses the job, freezes the result and puts it into the
 * store. What speaks against a plan comes back as data; misuse is thrown.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import { type Core, codeOf } from "../core";
import { type ErrorCode, MailfuseError, type Refusal } from "../errors";
import type { PlanRow } from "../store";
import { type Requirement, requirementsOf } from "./approvals";
import { isExpired } from "./expire";
import { freezePlan } from "./freeze";
import { readRecord } from "./keep";
import { changed } from "./problems";
import {
  confirmationDigest,
  confirmationPhrase,
  type PlanRecord,
  type PlanState,
  type Terms,
  termsDigest,
} from "./record";
import { type PlanJob, type PlanRequest, type PlanSource, rehearse } from "./rehearse";
import { type Checked, type CorrectionTerms, checkRequest } from "./request";
import type { PlanSummary } from "./summary/types";
import { tellPlan } from "./tell";
import { beginPlan, endUnfinished, takeUp, type Unfinished } from "./unfinished";

/** A plan, as people look at it. */
export interface Plan {
  readonly id: string;
  readonly state: PlanState;
  readonly terms: Terms;
  /** What a confirmation token signs now. */
  readonly digest: string;
  /** What an approver types to confirm: `"75 refund"`. */
  readonly phrase: string;
  /** Why it may not be released: the first 1,000 reasons. Empty for a good plan. */
  readonly refusals: readonly Refusal[];
  /** How often each reason occurs. */
  readonly refusalCounts: Readonly<Partial<Record<ErrorCode, number>>>;
  /** Who has confirmed. */
  readonly approvals: readonly string[];
  /** What has to be met before it leaves: so many distinct approvers, each with one of these roles. */
  readonly requirements: readonly Requirement[];
  /** People who fell out when claims and unsubscribes were asked about again; confirming says so. */
  readonly removed?: number;
  /** Entries below this index go first; when they were through, and who (or `"time"`) let the rest go. */
  readonly canary?: NonNullable<PlanRecord["canary"]>;
  /** Who rejected or revoked it, and why. */
  readonly ended?: NonNullable<PlanRecord["ended"]>;
  /** Who left out failed entries of the plan this one was made from, and how many. */
  readonly excluded?: { readonly by: string; readonly entries: number };
  /**
   * What approvers see, on a plan that was just made; otherwise `fuse.summary(id)`. Holds addresses, and is
   * not enumerable: logs and JSON of a plan leave it out.
   */
  readonly summary?: PlanSummary;
}

/** Rehearses and freezes, and tells of it. */
export async function makePlan<Item>(
  core: Core,
  request: PlanRequest,
  source: PlanSource<Item> | PlanJob,
  correction?: CorrectionTerms,
): Promise<Plan> {
  const plan = await madePlan(core, request, source, correction);
  tellPlan(core, plan);
  return plan;
}

async function madePlan<Item>(
  core: Core,
  request: PlanRequest,
  source: PlanSource<Item> | PlanJob,
  correction?: CorrectionTerms,
): Promise<Plan> {
  // At once: what the job sets off before the store has answered is part of its rehearsal.
  const close = core.rehearsing.open();
  const before = core.rehearsing.lost;
  let late = false;
  try {
    const checked = checkRequest(core, request, correction);
    await core.ready();
    const plan = await openPlan(core, request, checked, typeof source === "function" ? "job" : "source");
    late = true;
    try {
      const made = await rehearse(core, checked, request, plan, source);
      await plan.stillOurs();
      const lostSends = core.rehearsing.lost - before;
      const fewer = typeof source === "function" && made.summarizer.people.size < request.expectedPeople;
      late = made.entries === 0 || made.silent > 0 || lostSends > 0 || fewer;
      const { row, summary } = await freezePlan(core, checked.purpose, plan, made, { lostSends });
      return withSummary(planOf(core, row), summary);
    } catch (error) {
      if (plan.version > 0 && typeof source === "function")
        await endUnfinished(core, plan, request.requestedBy, `planning failed: ${codeOf(error)}`).catch(() => {});
      throw error;
    } finally {
      await plan.leave();
    }
  } finally {
    close(late);
  }
}

async function openPlan(
  core: Core,
  request: PlanRequest,
  checked: Checked,
  form: "source" | "job",
): Promise<Unfinished> {
  const now = await core.store.now();
  if (request.resume === undefined)
    return beginPlan(core, checked.terms(`p_${randomBytes(9).toString("base64url")}`, now), form);
  if (form === "job") throw notTwice();
  const plan = await takeUp(core, request.resume);
  const asked = checked.terms(plan.terms.id, now);
  const { notBefore, notAfter } = plan.terms;
  const same = {
    ...asked,
    ...(request.notBefore === undefined ? { notBefore } : {}),
    ...(request.notAfter === undefined ? { notAfter } : {}),
  };
  if (termsDigest(same) === termsDigest(plan.terms)) return plan;
  await plan.leave();
  throw changed("request and the policy", termsDigest(plan.terms).slice(0, 8), termsDigest(same).slice(0, 8));
}

function notTwice(): MailfuseError {
  return new MailfuseError({
    code: "PLAN_STATE",
    message: "Expected an audience and a send to go on with a plan, got a plain job, which would run a second time.",
    fix: "Plan anew, or use the form with `audience` and `send`, which can go on after a crash.",
  });
}

/** The plan with its summary: not enumerable, so that a plan that is logged or sent as JSON names nobody. */
export function withSummary(plan: Plan, summary: PlanSummary): Plan {
  return Object.defineProperty({ ...plan }, "summary", { value: summary, enumerable: false });
}

/** A plan from the store's row, as it stands at `now`. Throws `PLAN_TAMPERED`. */
export function planOf(core: Core, row: PlanRow, now = 0): Plan {
  const record = readRecord(core, row);
  const purpose = core.settings.purposes.ofPlan(record.terms);
  return {
    id: row.id,
    state: isExpired(row.state, record, now) ? "expired" : (row.state as PlanState),
    terms: record.terms,
    digest: confirmationDigest(record),
    phrase: confirmationPhrase(record.terms),
    refusals: record.refusals,
    refusalCounts: record.refusalCounts,
    approvals: record.approvals.map((approval) => approval.by),
    requirements: purpose ? requirementsOf(purpose.confirm, record.terms.people) : [],
    ...(record.review ? { removed: record.review.removed } : {}),
    ...(record.canary ? { canary: record.canary } : {}),
    ...(record.ended ? { ended: record.ended } : {}),
    ...(record.excluded ? { excluded: record.excluded } : {}),
  };
}
