/**
 * The look at a whole spool before a release: is it what was confirmed, and does it still hold? A plan
 * of which too much has fallen out goes back to the people who confirmed it.
 *
 * @module
 */
import type { Core } from "../core";
import type { MailfuseError } from "../errors";
import { windowKey } from "../guards/caps";
import { actionEvent } from "../ledger/events";
import { type Cap, everything, type Purpose, purposeScope } from "../purpose";
import { peopleIn } from "../send";
import type { CapSpend, EntryState, PlanRow } from "../store";
import { readEntries } from "./entries";
import { writeRecord } from "./keep";
import { goesBack, recheck, removable } from "./recheck";
import type { PlanRecord } from "./record";
import type { Spool } from "./spool";
import { messagesOf } from "./summary/samples";

/** What the look found. */
export interface Reviewed {
  /** Everybody in the plan, under each way of naming people. */
  readonly people: ReadonlyMap<string, ReadonlySet<string>>;
  /** How many people fall out, and whether that is more than was confirmed. */
  readonly removed: number;
  readonly tooMany: boolean;
  /** The canary's entries lie below this index. */
  readonly canaryBelow: number;
}

/** How many people may fall out of a plan before others look at it again. */
export function mayFallOut({ terms, review }: PlanRecord): number {
  return Math.max(removable.people, terms.people * removable.share) + (review?.removed ?? 0);
}

/** Opens every entry, which compares the whole with what was confirmed, and asks again about what is left. */
export async function verifySpool(core: Core, record: PlanRecord, purpose: Purpose, spool: Spool): Promise<Reviewed> {
  const people = new Set<string>();
  const others = new Set<string>();
  const isChanging = core.secrets.namings.length > 1;
  const { canary, entries } = record.terms;
  let removed = 0;
  let canaryBelow = 0;
  const isOver = await entriesOver(core, record);
  for await (const batch of readEntries(core, record, spool)) {
    for (const { index, entry } of batch) {
      if (canary && people.size < canary.people) canaryBelow = index + 1;
      for (const person of entry.people) people.add(person);
      // Entries have the names of the time of planning; the others are read from the mails.
      if (isChanging)
        for (const person of peopleIn(messagesOf(core, entry), core.settings.audiences)) others.add(person);
    }
    // A refund that was mailed is no longer due: what was delivered is not asked about again.
    const { out } = await recheck(
      core,
      purpose,
      record.terms,
      batch.filter(({ index }) => !isOver(index)),
    );
    for (const { index, entry } of batch) if (out.has(index)) removed += entry.people.length;
  }
  return {
    people: named(core, people, others),
    removed,
    tooMany: removed > mayFallOut(record),
    canaryBelow: Math.min(canaryBelow, entries),
  };
}

/** The people under each way of naming them; `persons` are who they are, where there is more than one way. */
function named(core: Core, planned: ReadonlySet<string>, persons: ReadonlySet<string>): Reviewed["people"] {
  const { namings } = core.secrets;
  if (namings.length === 1) return new Map([[core.secrets.ids[0] as string, planned]]);
  return new Map(namings.map(({ id, pseudonym }) => [id, new Set(Array.from(persons, pseudonym))]));
}

const overStates: readonly EntryState[] = ["accepted", "told", "refused", "failed", "unknown", "reserved", "removed"];

/** Which entries need no more delivery, in a plan that was begun before. */
async function entriesOver(core: Core, record: PlanRecord): Promise<(index: number) => boolean> {
  if (record.startedAt === undefined) return () => false;
  const over = new Uint8Array(record.terms.entries);
  for (const state of overStates) {
    for (let after = -1; ; ) {
      const indexes = await core.store.entriesIn(record.terms.id, state, after, 10_000);
      for (const index of indexes) over[index] = 1;
      const last = indexes.at(-1);
      if (last === undefined) break;
      after = last;
    }
  }
  return (index) => over[index] === 1;
}

/** Sends a plan back for review: what people now confirm says how many have fallen out. */
export async function sendBack(core: Core, row: PlanRow, record: PlanRecord, removed: number): Promise<MailfuseError> {
  const state = record.startedAt === undefined ? "planned" : "halted";
  const next: PlanRecord = { ...record, round: record.round + 1, approvals: [], review: { removed } };
  const { id, people, purpose } = record.terms;
  const text = writeRecord(core, id, state, next);
  const event = actionEvent("plan", { plan: id, state, purpose, people, removed, action: "review" });
  await core.store.changePlan({ id, version: row.version, state, record: text, event });
  return goesBack(removed, people);
}

/** The whole audience is counted at once: a plan leaves as a whole or not at all. */
export function planCaps(core: Core, purpose: Purpose, people: Reviewed["people"]): CapSpend[] {
  const { environment } = core.settings;
  const named = [...people].map(([naming, names]) => ({ naming, names: [...names] }));
  const spend = (cap: Cap, scope: string): CapSpend[] =>
    cap.per === "window"
      ? named.map(({ naming, names }) => ({
          key: windowKey(environment.name, scope, cap.windowMs, naming),
          windowMs: cap.windowMs,
          limit: cap.people,
          people: names,
          enforce: environment.mode !== "observe",
        }))
      : [];
  return [
    ...purpose.caps.flatMap((cap) => spend(cap, purposeScope(purpose.name))),
    ...core.settings.caps.flatMap((cap) => spend(cap, everything)),
  ];
}
