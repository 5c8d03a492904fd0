/**
 * Ends plans that were never finished.
 *
 * @module
 */
import type { Core } from "../core";
import { findPlan, readRecord } from "./keep";
import { type Plan, planOf } from "./plan";
import { endUnfinished, holdLease, notResumable } from "./unfinished";
import { requirePrincipal } from "./view";

/** Ends an unfinished plan: its key is destroyed, and what it has rendered is forgotten. */
export async function dropPlan(core: Core, id: string, request: { readonly by: string }): Promise<Plan> {
  const row = await findPlan(core, id);
  requirePrincipal(core, request.by, "drop a plan");
  const record = readRecord(core, row);
  if (row.state !== "rehearsing") throw notResumable(row.state, record.unfinished);
  const lease = holdLease(core, id);
  await lease.take();
  try {
    await endUnfinished(core, { terms: record.terms, version: row.version }, request.by, "dropped unfinished");
  } finally {
    await lease.leave();
  }
  return planOf(core, await findPlan(core, id));
}
