/**
 * The canary: the first people get their mail, and the rest waits for a time or for a person. A canary
 * of which not every mail was accepted always waits for a person.
 *
 * @module
 */
import type { Core } from "../core";
import { actionEvent } from "../ledger/events";
import type { EntryState } from "../store";
import type { Place } from "./crew";
import { findPlan, readRecord, writeRecord } from "./keep";
import type { PlanRecord } from "./record";
import type { Worker } from "./worker";

/** What a worker does that has nothing to lease below the canary's end. */
export async function runCanary(
  core: Core,
  worker: Worker,
  place: Place,
  waits: boolean,
): Promise<"again" | "wait" | "over"> {
  const { canary, terms } = worker.record;
  if (!canary) return "again";
  if (canary.doneAt === undefined) {
    const open = await openBelow(core, worker, place, canary.below);
    if (open === "some") return "wait";
    const doneAt = await core.store.now();
    const held = open === "whole" ? {} : { held: true as const };
    await change(core, worker, "canary", (record) => ({ ...record, doneAt, ...held }));
    return "again";
  }
  const waitMs = terms.canary?.waitMs;
  // Waiting for a person can take days: the caller comes back when one has decided.
  if (canary.held || waitMs === undefined) return "over";
  if ((await core.store.now()) < canary.doneAt + waitMs) return waits ? "wait" : "over";
  await change(core, worker, "releasing", (record) => ({ ...record, by: "time" }));
  return "again";
}

type Canary = NonNullable<PlanRecord["canary"]>;

/** Whether some of the canary is still to come, all was accepted, or not all was. */
async function openBelow(core: Core, worker: Worker, place: Place, below: number): Promise<"some" | "whole" | "parts"> {
  const { id } = worker.record.terms;
  let parts = false;
  for (const state of ["waiting", "claimed", "reserved"] satisfies EntryState[]) {
    const found = (await core.store.entriesIn(id, state, -1, below)).filter((index) => index < below);
    const open = found.filter((index) => !worker.refusedHere.has(index));
    if (found.length > 0) parts = true;
    if (open.length > 0 && (state !== "reserved" || (await place.others()))) return "some";
  }
  for (const state of ["refused", "failed", "unknown"] satisfies EntryState[]) {
    const [first] = await core.store.entriesIn(id, state, -1, 1);
    if (first !== undefined && first < below) parts = true;
  }
  return parts ? "parts" : "whole";
}

/** Writes the canary's next step; another worker may have been faster, which is as good. */
async function change(
  core: Core,
  worker: Worker,
  state: "canary" | "releasing",
  next: (canary: Canary) => Canary,
): Promise<void> {
  const { id, purpose } = worker.record.terms;
  const row = await findPlan(core, id);
  const record = readRecord(core, row);
  const same = record.canary?.doneAt === worker.record.canary?.doneAt && record.canary?.by === undefined;
  if (same && record.canary && (row.state === "releasing" || row.state === "canary")) {
    const canary = next(record.canary);
    const text = writeRecord(core, id, state, { ...record, canary });
    const event = actionEvent("plan", { plan: id, state, purpose, action: "canary", by: canary.by, held: canary.held });
    await core.store.changePlan({ id, version: row.version, state, record: text, event });
  }
  await worker.refresh();
}
