/**
 * The end of a release, or of one worker's part of it: how every entry stands, and the plan's state.
 *
 * @module
 */
import { type Core, codeOf } from "../core";
import type { Refusal } from "../errors";
import { actionEvent } from "../ledger/events";
import type { PlanRow } from "../store";
import { findPlan, readRecord, withoutMails, writeRecord } from "./keep";
import type { PlanRecord, PlanState } from "./record";

/** How a release stands when this call of it ends. */
export interface ReleaseResult {
  readonly plan: string;
  readonly state: PlanState;
  /** Entries by outcome. */
  readonly accepted: number;
  /** Definitely not delivered: the provider said so, or could not be reached. */
  readonly refused: number;
  /** May have been delivered, and is not tried again: `fuse.resend` is a person's decision. */
  readonly unknown: number;
  /** Taken out at a re-check: a claim fails, or the person has unsubscribed. Never delivered. */
  readonly removed: number;
  readonly waiting: number;
  /** The first 1,000 entries whose outcome is unknown. */
  readonly unknownEntries: readonly number[];
  /** Why entries could not be delivered, the first 1,000. */
  readonly refusals: readonly Refusal[];
}

/** What a worker leaves. */
export interface Ending {
  readonly record: PlanRecord;
  /** Whether a halt has stopped it. */
  readonly halted: boolean;
  readonly refusals: readonly Refusal[];
}

/** How a plan stands. */
export async function summarize(core: Core, id: string, refusals: readonly Refusal[]): Promise<ReleaseResult> {
  const [row, states] = await Promise.all([findPlan(core, id), core.store.entryStates(id)]);
  const of = (...names: readonly (keyof typeof states)[]) => names.reduce((sum, name) => sum + (states[name] ?? 0), 0);
  const unknown = of("unknown", "reserved");
  return {
    plan: id,
    state: row.state as PlanState,
    accepted: of("accepted", "told"),
    refused: of("refused", "failed"),
    unknown,
    removed: of("removed"),
    waiting: of("waiting", "claimed"),
    unknownEntries: unknown > 0 ? await unknownEntries(core, id) : [],
    refusals,
  };
}

const listed = 1_000;

/** `done` and `partial` may still keep mails that the application has not heard of. */
const unclosed: ReadonlySet<string> = new Set(["releasing", "canary", "done", "partial"]);

async function unknownEntries(core: Core, id: string): Promise<readonly number[]> {
  const found = await Promise.all(
    (["unknown", "reserved"] as const).map((s) => core.store.entriesIn(id, s, -1, listed)),
  );
  return found
    .flat()
    .sort((a, b) => a - b)
    .slice(0, listed);
}

/** Closes the plan when nothing is left to do, or when a halt has stopped it. */
export async function finish(core: Core, ending: Ending): Promise<ReleaseResult> {
  const { id } = ending.record.terms;
  const found = await summarize(core, id, ending.refusals);
  const state = stateOf(found, ending.halted);
  if (state === undefined) return found;
  await closePlan(core, ending.record, state, found);
  return { ...found, state: (await findPlan(core, id)).state as PlanState };
}

function stateOf(found: ReleaseResult, halted: boolean): PlanState | undefined {
  if (!unclosed.has(found.state)) return undefined;
  if (halted) return "halted";
  if (found.state === "canary") return undefined;
  return found.waiting + found.refused + found.unknown + found.removed > 0 ? "partial" : "done";
}

/** Another worker may close it too; whoever comes second finds it closed, or in a later round, and leaves it. */
async function closePlan(core: Core, own: PlanRecord, state: PlanState, found: ReleaseResult): Promise<void> {
  const { id, purpose } = own.terms;
  for (;;) {
    const row = await findPlan(core, id);
    const record = readRecord(core, row);
    if (record.round !== own.round) return;
    const { accepted: untold = 0 } = await core.store.entryStates(id);
    const kept = record.listens === true && untold > 0;
    if (row.state === state && (state !== "done" || kept || !record.key)) return;
    if (!unclosed.has(row.state)) return;
    const text = writeRecord(core, id, state, closed(record, state, kept));
    const { accepted, refused, unknown, removed, waiting } = found;
    const event = actionEvent("plan", { plan: id, state, purpose, accepted, refused, unknown, removed, waiting });
    const answer = await core.store.changePlan({ id, version: row.version, state, record: text, event });
    if (!answer.ok && answer.reason === "version") continue;
    if (answer.ok && state === "done" && !kept) await core.store.dropSpool(id);
    return;
  }
}

/** A halted plan needs new confirmations for its rest; a done one needs its mails no more. */
function closed(record: PlanRecord, state: PlanState, kept: boolean): PlanRecord {
  if (state === "halted") return { ...record, round: record.round + 1, approvals: [] };
  return state !== "done" || kept ? record : withoutMails(record);
}

function readable(core: Core, row: PlanRow): PlanRecord | undefined {
  try {
    return readRecord(core, row);
  } catch (error) {
    // What does not open here cannot be released here either.
    core.log.error({ plan: row.id, error: codeOf(error) }, "a plan in the store cannot be read");
    return undefined;
  }
}

/** Halts the plans under way of a purpose, or all: going on needs new confirmations, even when no worker saw the halt. */
export async function haltRunning(core: Core, purpose: string | undefined): Promise<void> {
  for (const { id, state } of await core.store.plans(1_000)) {
    if (state !== "releasing" && state !== "canary") continue;
    const record = readable(core, await findPlan(core, id));
    if (!record || (purpose !== undefined && record.terms.purpose !== purpose)) continue;
    await closePlan(core, record, "halted", await summarize(core, id, []));
  }
}
