/**
 * Tries unknown entries again where that is safe: the provider knows the request by the idempotency
 * key that is the entry's own, and drops a second one.
 *
 * @module
 */
import type { Core } from "../core";
import { actionEvent } from "../ledger/events";
import { decide } from "./decisions";
import { pause } from "./pace";
import type { Worker } from "./worker";

/** How often, and how long after one another at first, milliseconds. */
const retries = 3;
const firstPause = 1_000;

/** Lets unknown entries go again; resolves to whether there is more to deliver. */
export async function retryUnknown(core: Core, worker: Worker): Promise<boolean> {
  const { terms, startedAt = 0, retries: tried = 0 } = worker.record;
  const { unknown = 0, reserved = 0 } = await core.store.entryStates(terms.id);
  if (unknown + reserved === 0 || tried >= retries || worker.parts.options.wait === false) return false;
  const dropped = Math.min(...terms.clients.map((client) => core.held.get(client)?.attachment.dropsRepeatsMs ?? 0));
  // Half the time that the provider promises: what is retried now may be under way for long.
  if (dropped === 0 || (await core.store.now()) - startedAt > dropped / 2) return false;
  await pause(core, firstPause * 2 ** tried);
  const fields = { action: "retry", tried: tried + 1 };
  await decide(core, terms.id, ["releasing"], "releasing", fields, (record) => ({ ...record, retries: tried + 1 }));
  let again = 0;
  for (const from of ["unknown", "reserved"] as const)
    again += await core.store.requeueEntries(terms.id, from, actionEvent("retry", { plan: terms.id, from }));
  await worker.refresh();
  return again > 0;
}
