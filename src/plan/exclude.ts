/**
 * Makes another plan from the good entries of a refused one. A named person decides it, the plan
 * says so, and approvers confirm the new plan like any other: nothing is filtered silently.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import type { Core } from "../core";
import { MailfuseError } from "../errors";
import { openSpool } from "./entries";
import { readEntriesSoFar } from "./entries-so-far";
import { freezePlan } from "./freeze";
import { findPlan, readRecord } from "./keep";
import { type Plan, planOf, withSummary } from "./plan";
import { changed } from "./problems";
import type { PlanRecord } from "./record";
import { Recorder } from "./recorder";
import { Summarizer } from "./summary/summarizer";
import { tellPlan } from "./tell";
import { beginPlan, endUnfinished, type Unfinished } from "./unfinished";
import { requirePrincipal } from "./view";

/** Who leaves out the failed entries. */
export interface ExcludeRequest {
  /** A declared approver or requester; stands in the plan and the ledger. */
  readonly by: string;
}

/** Plans the entries of `id` that were not refused. */
export async function excludeFailed(core: Core, id: string, request: ExcludeRequest): Promise<Plan> {
  const row = await findPlan(core, id);
  const record = readRecord(core, row);
  requirePrincipal(core, request.by, "exclude entries");
  if (row.state !== "refused") throw nothingToExclude(row.state);
  const terms = {
    ...record.terms,
    id: `p_${randomBytes(9).toString("base64url")}`,
    policy: core.settings.policyDigest,
    from: id,
  };
  const plan = beginPlan(core, terms, "job");
  try {
    return await copyGood(core, plan, record, request.by);
  } catch (error) {
    if (plan.version > 0) await endUnfinished(core, plan, request.by, "excluding failed").catch(() => {});
    throw error;
  } finally {
    await plan.leave();
  }
}

async function copyGood(core: Core, plan: Unfinished, record: PlanRecord, by: string): Promise<Plan> {
  const { terms } = record;
  const purpose = core.settings.purposes.ofPlan(terms);
  if (!purpose) throw changed("purpose", terms.purpose, "none");
  for (const client of terms.clients)
    if (!core.held.has(client)) throw changed("attached client", client, [...core.held.keys()].join(", ") || "none");
  const summarizer = new Summarizer(plan.terms.id, purpose, core.secrets.pseudonym, terms.expectedPeople);
  const recorder = new Recorder(core, plan.terms.id, purpose, {
    allowUnboundText: true,
    mailsUnsubscribed: terms.mailsUnsubscribed === true,
    summarizer,
    begin: (spool) => plan.begin(spool),
  });
  let entries = 0;
  for await (const { entry, provider, messages, data } of readEntriesSoFar(core, terms.id, openSpool(core, record))) {
    if (entry.refusals === undefined)
      await recorder.put([{ entry, item: undefined, provider, messages, data, claims: [], refusals: [] }]);
    else entries++;
  }
  const made = { ...(await recorder.finish()), items: 0, silent: 0, summarizer };
  const excluded = { by, entries };
  if (entries === 0) throw nothingToExclude("refused for what it is as a whole");
  const { row, summary } = await freezePlan(core, purpose, plan, made, { lostSends: 0, excluded });
  const next = withSummary(planOf(core, row), summary);
  tellPlan(core, next);
  return next;
}

function nothingToExclude(state: string): MailfuseError {
  return new MailfuseError({
    code: "PLAN_STATE",
    message: `Expected a plan with refused entries, got one that is ${state}.`,
    fix: "Only a refused plan can be made anew without its failed entries.",
  });
}
