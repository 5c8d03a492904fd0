/**
 * Freezes a plan whose entries are all in the spool: its terms, its summary, and what speaks against
 * it, in one record.
 *
 * @module
 */
import type { Core } from "../core";
import { type ErrorCode, MailfuseError, type Refusal } from "../errors";
import { actionEvent } from "../ledger/events";
import { everything, type Purpose } from "../purpose";
import type { PlanRow } from "../store";
import { writeRecord } from "./keep";
import type { PlanRecord, PlanState, Terms } from "./record";
import type { Rehearsed } from "./rehearse";
import { compareWithLast, keepPeople } from "./summary/last";
import { readSamples } from "./summary/samples";
import { sealSummary, summaryDigest } from "./summary/seal";
import type { PlanSummary } from "./summary/types";
import { sealedKeys, type Unfinished } from "./unfinished";

/** What a plan is frozen with, beside its entries. */
export interface FreezeOptions {
  /** Sends without a context that were refused meanwhile. */
  readonly lostSends: number;
  readonly excluded?: { readonly by: string; readonly entries: number };
}

/** Freezes, and changes the plan's state from `rehearsing`. Throws `PLAN_EMPTY`, `PLAN_STATE`. */
export async function freezePlan(
  core: Core,
  purpose: Purpose,
  plan: Unfinished,
  made: Rehearsed,
  options: FreezeOptions,
): Promise<{ readonly row: PlanRow; readonly summary: PlanSummary }> {
  const { spool, summarizer } = made;
  if (!spool || made.entries === 0) throw emptyPlan();
  const { people } = summarizer;
  const counted = {
    ...plan.terms,
    clients: made.clients,
    entries: made.entries,
    people: people.size,
    audience: people.digest(),
    root: made.root,
    mails: made.mails,
  };
  const { refusals, counts } = whatSpeaksAgainst(core, purpose, counted, made);
  const summary = await summarise(core, counted, made, counts, options);
  const terms: Terms = { ...counted, summary: summaryDigest(summary) };
  // A refused plan is never released, so nothing will be compared with it.
  if (refusals.length === 0) await keepPeople(core, terms.id, people);
  const record: PlanRecord = {
    terms,
    round: 1,
    ...sealedKeys(core, spool),
    summary: sealSummary(summary, spool.key),
    approvals: [],
    refusals,
    refusalCounts: counts,
    ...(options.excluded ? { excluded: options.excluded } : {}),
  };
  return { row: await write(core, plan, record, options), summary };
}

async function write(core: Core, plan: Unfinished, record: PlanRecord, options: FreezeOptions): Promise<PlanRow> {
  const { terms, refusals, refusalCounts } = record;
  const state: PlanState = refusals.length > 0 ? "refused" : "planned";
  const text = writeRecord(core, terms.id, state, record);
  const event = actionEvent("plan", {
    plan: terms.id,
    state,
    purpose: terms.purpose,
    people: terms.people,
    by: options.excluded?.by ?? terms.requester,
    ...(terms.from === undefined ? {} : { from: terms.from, excluded: options.excluded?.entries }),
    ...(terms.correctionOf === undefined ? {} : { correctionOf: terms.correctionOf }),
    reasons: refusalCounts,
  });
  const answer = await core.store.changePlan({ id: terms.id, version: plan.version, state, record: text, event });
  if (!answer.ok) throw takenOver();
  core.saw(answer.seq);
  return { id: terms.id, state, version: answer.version, record: text, createdAt: terms.notBefore };
}

async function summarise(
  core: Core,
  terms: Terms,
  made: Rehearsed,
  counts: Readonly<Partial<Record<ErrorCode, number>>>,
  options: FreezeOptions,
): Promise<PlanSummary> {
  const { summarizer, spool } = made;
  const { population, from } = terms;
  const last = await compareWithLast(core, terms, summarizer.people);
  const samples = spool ? await readSamples(core, spool, summarizer.picks()) : [];
  return summarizer.finish(
    {
      environment: terms.environment,
      requester: terms.requester,
      expectedPeople: terms.expectedPeople,
      entries: terms.entries,
      failed: made.failed,
      items: made.items,
      silentItems: made.silent,
      lostSends: options.lostSends,
      refusals: Object.entries(counts)
        .map(([name, count]) => ({ name, count }))
        .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1)),
      ...(population === undefined
        ? {}
        : { population: { people: population, perMille: Math.round((terms.people * 1_000) / population) } }),
      ...(last ? { last } : {}),
      ...(from !== undefined && options.excluded ? { excluded: { from, ...options.excluded } } : {}),
    },
    samples,
  );
}

/** The first 1,000 reasons, those against the plan as a whole before those against entries; all are counted. */
function whatSpeaksAgainst(core: Core, purpose: Purpose, terms: Terms, made: Rehearsed) {
  const whole = planRefusals(core, purpose, terms);
  const counts: Partial<Record<ErrorCode, number>> = { ...made.refusalCounts };
  for (const { code } of whole) counts[code] = (counts[code] ?? 0) + 1;
  return { refusals: [...whole, ...made.refusals].slice(0, 1_000), counts };
}

function planRefusals(core: Core, purpose: Purpose, terms: Terms): Refusal[] {
  const refusals: Refusal[] = [];
  const { people, expectedPeople, population } = terms;
  if (people > expectedPeople) refusals.push(tooMany(`at most ${expectedPeople} people, as was declared`, people));
  if (population !== undefined && people > population)
    refusals.push(tooMany(`people out of a population of ${population}`, people));
  const named = [
    ...purpose.caps.map((cap) => ({ cap, of: `the purpose "${purpose.name}"` })),
    ...core.settings.caps.map((cap) => ({ cap, of: everything })),
  ];
  for (const { cap, of } of named) {
    if (cap.per !== "window" || people <= cap.people) continue;
    refusals.push({
      code: "CAP_EXCEEDED",
      message: `Expected a plan within the cap of ${of}, ${cap.people} people per ${cap.windowMs / 1000} s, got ${people}.`,
      fix: "Find out why there are so many; then raise the cap where people review the change.",
    });
  }
  return refusals;
}

function tooMany(expected: string, people: number): Refusal {
  return {
    code: "PLAN_COUNT",
    message: `Expected ${expected}, got ${people}.`,
    fix: "Look at how the audience is selected: an option or a filter may be missing.",
  };
}

function emptyPlan(): MailfuseError {
  return new MailfuseError({
    code: "PLAN_EMPTY",
    message: "Expected a job that sends at least one mail, got none.",
    fix: "Look at how the audience is selected, and await every send in the job.",
  });
}

function takenOver(): MailfuseError {
  return new MailfuseError({
    code: "PLAN_STATE",
    message: "Expected a plan that this process alone is rehearsing, got one that another has taken over or dropped.",
    fix: "`npx mailfuse plan list` shows what became of it.",
  });
}
