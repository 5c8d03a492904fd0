/**
 * Counts failed claims over all processes. Beyond the declared number, and share of the purpose's
 * mail, the purpose halts: the program that sends is wrong, not the single mail.
 *
 * @module
 */
import type { Core } from "../core";
import type { Refusal } from "../errors";
import type { Part, Send } from "../guard";
import { claimWindow, mostCounted } from "../guards/claims";
import { actionEvent } from "../ledger/events";
import { purposeScope } from "../purpose";

/** Counts one refused call of a purpose that declares `haltAfter`, and halts the purpose if it is time. */
export async function countFailedClaim(
  core: Core,
  send: Send,
  part: Part,
  refusals: readonly Refusal[],
): Promise<void> {
  const { name, claim } = part.purpose;
  const { haltAfter } = claim ?? {};
  if (!haltAfter || send.mode === "observe" || !refusals.some(({ code }) => code.startsWith("CLAIM_"))) return;
  const { windowMs } = haltAfter;
  const failed = { key: claimWindow(send.environment, name, "failed", windowMs), windowMs };
  const proven = { key: claimWindow(send.environment, name, "proven", windowMs), windowMs };
  // Each failure is a "person" of its own in the window: the send's id.
  const cap = { ...failed, limit: mostCounted, people: [send.id], enforce: false };
  const event = actionEvent("claim-failed", { id: send.id, purposes: [name] });
  const reservation = {
    id: `${send.id}:claim:${name}`,
    scopes: [],
    once: [],
    rates: [],
    caps: [cap],
    event,
    seen: core.seen,
  };
  await core.store.reserve([reservation]);
  const [failures = 0, passed = 0] = await core.store.usage([failed, proven]);
  if (failures < haltAfter.failures || failures * 100 < (failures + passed) * haltAfter.percent) return;
  const scope = purposeScope(name);
  const reason = `${failures} claims failed within ${windowMs / 1000} s, ${passed} were proven`;
  const record = { scope, reason, by: "claim.haltAfter" };
  await core.store.halt(record, actionEvent("halted", record));
  core.haltedScopes.add(scope);
  core.log.error({ scope }, `halted "${name}": ${reason}`);
}
