/**
 * What people decide about a plan beside its release: a no, a withdrawal, sending the unknown again,
 * letting go of the rest after a canary. Each names a person and stands in the ledger.
 *
 * @module
 */
import type { Core } from "../core";
import { MailfuseError } from "../errors";
import { actionEvent } from "../ledger/events";
import { planScope } from "../purpose";
import { anyWorker } from "./crew";
import { findPlan, readRecord, withoutMails, writeRecord } from "./keep";
import { type Plan, planOf } from "./plan";
import { confirmationDigest, type PlanRecord, type PlanState } from "./record";
import { verifyToken } from "./tokens";
import { requirePrincipal } from "./view";

/** Who decides, and why. */
export interface Decided {
  /** A declared approver or requester; stands in the plan and the ledger. */
  readonly by: string;
  /** For people; stands in the plan and the ledger, so it names nobody who is mailed. */
  readonly reason: string;
}

/** A no: a named person's, or a signed one. */
export type RejectRequest = Decided | { readonly token: string; readonly reason: string };

const open: readonly PlanState[] = ["planned", "confirmed", "halted"];
const running: readonly PlanState[] = ["releasing", "canary"];

/** One no ends the plan. */
export async function rejectPlan(core: Core, id: string, request: RejectRequest): Promise<Plan> {
  const by = "token" in request ? await signer(core, id, request.token) : request.by;
  requirePrincipal(core, by, "reject a plan");
  return end(core, id, "rejected", open, { by, reason: request.reason });
}

async function signer(core: Core, id: string, token: string): Promise<string> {
  const record = readRecord(core, await findPlan(core, id));
  const claims = await verifyToken(token, core.settings.approvers, await core.store.now(), "reject");
  if (claims.plan === id && claims.digest === confirmationDigest(record)) return claims.by;
  throw new MailfuseError({
    code: "TOKEN_OTHER_PLAN",
    message:
      "Expected a rejection of this plan as it stands, got one of another plan or of this one before it changed.",
    fix: "Reject it by name, or have the approver look at the plan again.",
  });
}

/** Takes a plan back, also while it is being released. */
export async function revokePlan(core: Core, id: string, request: Decided): Promise<Plan> {
  requirePrincipal(core, request.by, "revoke a plan");
  const { state } = await findPlan(core, id);
  const scope = planScope(id);
  // Workers ask for halts with every mail, and for the plan's state now and then.
  if (running.includes(state as PlanState)) {
    const halt = { scope, reason: request.reason, by: request.by };
    await core.store.halt(halt, actionEvent("halted", halt));
  }
  const plan = await end(core, id, "revoked", [...open, ...running, "partial"], request);
  if (running.includes(state as PlanState) && !(await anyWorker(core, id)))
    await core.store.resume(scope, actionEvent("resumed", { scope, by: request.by }));
  return plan;
}

async function end(
  core: Core,
  id: string,
  state: PlanState,
  from: readonly PlanState[],
  { by, reason }: Decided,
): Promise<Plan> {
  if (typeof reason !== "string" || reason.trim() === "") throw noReason(state);
  const ended = { by, reason: reason.slice(0, 500), at: await core.store.now() };
  const plan = await decide(core, id, from, state, { by, reason: ended.reason }, (record) => ({
    ...withoutMails(record),
    ended,
  }));
  await core.store.dropSpool(id);
  return plan;
}

/**
 * Lets entries whose outcome is unknown be sent again: their people may get the mail twice, which is
 * why a person decides it.
 */
export async function resendUnknown(core: Core, id: string, request: { readonly by: string }): Promise<Plan> {
  requirePrincipal(core, request.by, "send unknown entries again");
  if (await anyWorker(core, id)) {
    throw new MailfuseError({
      code: "PLAN_STATE",
      message: "Expected a plan that nobody releases at the moment, got one that a worker is delivering.",
      fix: "Wait until its workers have ended (one that was killed counts as alive for its lease); what they have under way is not unknown yet.",
    });
  }
  const fields = { by: request.by, action: "resend" };
  const plan = await decide(
    core,
    id,
    ["partial", "releasing", "canary", "done"],
    "releasing",
    fields,
    (record) => record,
  );
  for (const state of ["unknown", "reserved"] as const)
    await core.store.requeueEntries(id, state, actionEvent("resend", { plan: id, from: state, by: request.by }));
  return plan;
}

/** Lets the rest of a plan go after its canary. */
export async function proceedPlan(core: Core, id: string, request: { readonly by: string }): Promise<Plan> {
  requirePrincipal(core, request.by, "let a plan go on");
  const fields = { by: request.by, action: "proceed" };
  return decide(core, id, ["canary"], "releasing", fields, (record) => ({
    ...record,
    ...(record.canary ? { canary: { ...record.canary, by: request.by } } : {}),
  }));
}

/** Changes a plan that stands in one of these states; another process's change in between is looked at anew. */
export async function decide(
  core: Core,
  id: string,
  from: readonly PlanState[],
  state: PlanState,
  fields: Readonly<Record<string, unknown>>,
  change: (record: PlanRecord) => PlanRecord,
): Promise<Plan> {
  for (;;) {
    const row = await findPlan(core, id);
    const record = readRecord(core, row);
    if (!from.includes(row.state as PlanState)) throw wrongState(row.state, from);
    const next = writeRecord(core, id, state, change(record));
    const event = actionEvent("plan", { plan: id, state, purpose: record.terms.purpose, ...fields });
    const answer = await core.store.changePlan({ id, version: row.version, state, record: next, event });
    if (answer.ok) {
      core.saw(answer.seq);
      return planOf(core, { ...row, state, record: next, version: answer.version }, answer.at);
    }
  }
}

function wrongState(state: string, from: readonly PlanState[]): MailfuseError {
  return new MailfuseError({
    code: "PLAN_STATE",
    message: `Expected a plan that is ${from.join(" or ")}, got one that is ${state}.`,
    fix: "`npx mailfuse plan show <id>` says what happened to it.",
  });
}

function noReason(state: string): MailfuseError {
  return new MailfuseError({
    code: "PLAN_STATE",
    message: `Expected a reason for a plan to be ${state}, got none.`,
    fix: "Say in a sentence why, for whoever reads the ledger.",
  });
}
