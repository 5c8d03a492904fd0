/**
 * The kill switch: stops sending, of everything or of one purpose, and starts it again. The halt
 * stands in the store before anything else is done, and before anything else is loaded.
 *
 * @module
 */
import type { Core } from "./core";
import { actionEvent } from "./ledger/action-event";
import { correctionName, everything, purposeScope, undeclared } from "./purpose";
import { knownPurpose } from "./purposes";
import type { HaltRecord } from "./store";

/** What stops and starts sending. */
export interface HaltRequest {
  /** Only this purpose; without it, everything. */
  readonly purpose?: string;
  readonly reason: string;
  /** Who asks: stands in the ledger. */
  readonly by: string;
}

/** See `Fuse.halt`. */
export async function halt(core: Core, request: HaltRequest): Promise<void> {
  const scope = scopeOf(core, request.purpose);
  await core.ready();
  const record: HaltRecord = { scope, reason: request.reason, by: request.by };
  await core.store.halt(record, actionEvent("halted", { ...record }));
  core.haltedScopes.add(scope);
  core.log.warn({ scope, by: request.by }, `halted: ${request.reason}`);
  await haltPlans(core, request.purpose);
}

/** See `Fuse.resume`. */
export async function resume(
  core: Core,
  request: { readonly purpose?: string; readonly by: string },
): Promise<boolean> {
  const scope = scopeOf(core, request.purpose);
  await core.ready();
  // A plan whose release the halt has interrupted needs new confirmations, also when no worker was there to see it.
  const halts = await core.refreshHalts();
  if (halts.some((record) => record.scope === scope)) await haltPlans(core, request.purpose);
  const was = await core.store.resume(scope, actionEvent("resumed", { scope, by: request.by }));
  core.haltedScopes.delete(scope);
  core.log.warn({ scope, by: request.by }, was ? "resumed" : "resumed, though nothing was halted");
  return was;
}

async function haltPlans(core: Core, purpose: string | undefined): Promise<void> {
  const { haltRunning } = await import("./plan/finish");
  await haltRunning(core, purpose);
}

/** A kill switch for a misspelt purpose would stop nothing, so the name has to be known. */
function scopeOf(core: Core, purpose: string | undefined): string {
  if (purpose === undefined) return everything;
  if (purpose !== undeclared && purpose !== correctionName) knownPurpose(core.settings.purposes, purpose);
  return purposeScope(purpose);
}
