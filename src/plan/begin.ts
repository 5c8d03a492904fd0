/**
 * The beginning of a release: everything that must still hold is looked at again, and tokens, caps
 * and the change of state are one atomic step.
 *
 * @module
 */
import type { Core } from "../core";
import { MailfuseError } from "../errors";
import { halted } from "../guards/halt";
import { actionEvent } from "../ledger/events";
import { everything, type Purpose, planScope, purposeScope } from "../purpose";
import type { PlanChange, PlanRow } from "../store";
import { type CheckedTokens, checkTokens, requirementsOf } from "./approvals";
import { openSpool } from "./entries";
import { expireIfDue } from "./expire";
import { findPlan, readRecord, writeRecord } from "./keep";
import { type Plan, planOf } from "./plan";
import { changed, outOfTime, repeated, spent, wrongState } from "./problems";
import { confirmationDigest, type PlanRecord, type PlanState } from "./record";
import type { ReleaseOptions } from "./release";
import { planCaps, sendBack, verifySpool } from "./review";
import { openView } from "./view";

const waiting: readonly string[] = ["planned", "confirmed", "halted"];
const running: readonly string[] = ["releasing", "canary"];

/** How long the same mails are not released again where the purpose declares no `duplicateWindow`. */
const repeatWindowMs = 12 * 3_600_000;

/** Everything that must still hold, whatever was confirmed. */
export function checkPlan(core: Core, state: string, record: PlanRecord, now: number): Purpose {
  const { terms } = record;
  const { settings } = core;
  if (state === "expired") throw outOfTime("not after", terms.notAfter, now);
  if (![...waiting, ...running, "partial"].includes(state)) throw wrongState(state);
  if (terms.environment !== settings.environment.name)
    throw changed("environment", `"${terms.environment}"`, `"${settings.environment.name}"`);
  const purpose = settings.purposes.ofPlan(terms);
  if (!purpose || terms.policy !== settings.policyDigest)
    throw changed("policy", terms.policy.slice(0, 8), settings.policyDigest.slice(0, 8));
  for (const client of terms.clients)
    if (!core.held.has(client)) throw changed("attached client", client, [...core.held.keys()].join(", ") || "none");
  if (now < terms.notBefore) throw outOfTime("not before", terms.notBefore, now);
  if (now > terms.notAfter) throw outOfTime("not after", terms.notAfter, now);
  return purpose;
}

function check(core: Core, record: PlanRecord, purpose: Purpose, tokens: readonly string[], now: number) {
  const { terms } = record;
  return checkTokens(tokens, {
    plan: terms.id,
    digest: confirmationDigest(record),
    requester: terms.requester,
    requirements: requirementsOf(purpose.confirm, terms.people),
    approvers: core.settings.approvers,
    given: record.approvals,
    openView: (view) => openView(core, view),
    now,
  });
}

/** Spends tokens of a plan that waits, without releasing it. */
export async function collectApprovals(core: Core, id: string, tokens: readonly string[]): Promise<Plan> {
  for (;;) {
    const now = await readyNow(core);
    const row = await expireIfDue(core, await findPlan(core, id), now);
    const record = readRecord(core, row);
    if (running.includes(row.state)) throw wrongState(row.state);
    const purpose = checkPlan(core, row.state, { ...record, terms: { ...record.terms, notBefore: 0 } }, now);
    const approved = await check(core, record, purpose, tokens, now);
    // A plan halted half-way stays halted until it is released again.
    const enough = approved.missing ? row.state : "confirmed";
    const state = (row.state === "halted" ? "halted" : enough) as PlanState;
    const done = await write(core, row, { ...record, approvals: approved.approvals }, state, approved);
    if (done) return planOf(core, done, now);
  }
}

async function readyNow(core: Core): Promise<number> {
  await core.ready();
  return core.store.now();
}

/** The one step in which a plan becomes a release; or joins one that runs. Resolves to its record. */
export async function beginRelease(core: Core, id: string, options: ReleaseOptions): Promise<PlanRecord> {
  for (;;) {
    const now = await readyNow(core);
    const row = await expireIfDue(core, await findPlan(core, id), now);
    const record = readRecord(core, row);
    const purpose = checkPlan(core, row.state, record, now);
    const joins = running.includes(row.state) || (row.state === "partial" && (await hasRest(core, id)));
    if (row.state === "partial" && !joins) throw wrongState(row.state);
    // A running release has its tokens already: those given again are not spent a second time.
    const given = joins ? await check(core, record, purpose, [], now) : undefined;
    const approved = given && !given.missing ? given : await check(core, record, purpose, options.tokens ?? [], now);
    if (approved.missing) throw approved.missing;
    const listens = record.listens === true || options.onDelivered !== undefined;
    if (joins && approved === given && listens === (record.listens === true) && row.state !== "partial") return record;
    const next = { ...record, approvals: approved.approvals, ...(listens ? { listens: true as const } : {}) };
    const done = joins
      ? await write(core, row, next, row.state === "canary" ? "canary" : "releasing", approved)
      : await start(core, row, next, purpose, approved, now);
    if (done) return readRecord(core, done);
  }
}

async function hasRest(core: Core, id: string): Promise<boolean> {
  const { waiting: rest = 0, claimed = 0 } = await core.store.entryStates(id);
  return rest + claimed > 0;
}

/** Looks at every entry, and then changes the state; `undefined` when another process was faster. */
async function start(
  core: Core,
  row: PlanRow,
  record: PlanRecord,
  purpose: Purpose,
  approved: CheckedTokens,
  now: number,
): Promise<PlanRow | undefined> {
  const found = await verifySpool(core, record, purpose, openSpool(core, record));
  if (found.tooMany) throw await sendBack(core, row, record, found.removed);
  const { canary } = record.terms;
  const begun: PlanRecord = {
    ...record,
    startedAt: record.startedAt ?? now,
    ...(canary ? canaryOf(record, found.canaryBelow) : {}),
  };
  return write(core, row, begun, "releasing", approved, {
    ...(record.startedAt === undefined ? { repeat: repeatOf(record, purpose, now) } : {}),
    caps: planCaps(core, purpose, found.people),
    scopes: [everything, purposeScope(purpose.name), planScope(row.id)],
  });
}

/**
 * Two identical plans, of a button pressed twice or of every replica's timer, would each be confirmed and
 * reach everybody twice. Like a token, the right to release these mails is spent once, in the same step.
 */
function repeatOf({ terms }: PlanRecord, purpose: Purpose, now: number) {
  if (terms.repeats) return [];
  const until = now + (purpose.duplicateWindowMs ?? repeatWindowMs);
  return [{ id: `mails:${terms.environment}:${terms.purpose}:${terms.mails}`, until }];
}

/** What is left of the canary: none where it is the whole plan. */
function canaryOf({ canary, terms }: PlanRecord, below: number): Pick<PlanRecord, "canary"> {
  if (!canary) return below < terms.entries ? { canary: { below } } : {};
  // Whoever confirms a plan again whose canary is through lets the rest go.
  return canary.doneAt === undefined || canary.by !== undefined
    ? { canary }
    : { canary: { ...canary, by: "confirmed" } };
}

/** One atomic step; `undefined` when the plan was changed by another process meanwhile. */
async function write(
  core: Core,
  row: PlanRow,
  record: PlanRecord,
  state: PlanState,
  approved: CheckedTokens,
  { repeat = [], ...more }: Pick<PlanChange, "caps" | "scopes"> & { readonly repeat?: CheckedTokens["spent"] } = {},
): Promise<PlanRow | undefined> {
  const { id, purpose, people } = record.terms;
  const by = [...new Set(approved.approvals.map((approval) => approval.by))];
  const text = writeRecord(core, id, state, record);
  const answer = await core.store.changePlan({
    id,
    version: row.version,
    state,
    record: text,
    tokens: [...approved.spent, ...repeat],
    ...more,
    event: actionEvent(state === "releasing" ? "release" : "plan", { plan: id, state, purpose, people, by }),
  });
  if (answer.ok) {
    core.saw(answer.seq);
    return { ...row, state, record: text, version: answer.version };
  }
  if (answer.reason === "version") return undefined;
  if (answer.reason === "halted") throw new MailfuseError(halted(answer.halt));
  if (answer.reason === "token") throw repeat.some(({ id: one }) => one === answer.id) ? repeated() : spent();
  throw new MailfuseError({
    code: "CAP_EXCEEDED",
    message: `Expected the plan within its cap of ${answer.limit} people, got ${answer.used} already reached and ${answer.wanted} more.`,
    fix: "Release it when the window has passed, or raise the cap where people review the change.",
  });
}
