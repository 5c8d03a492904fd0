/**
 * Records refusals and makes their errors. The reason stands even when the record fails.
 *
 * @module
 */
import { type Core, codeOf } from "../core";
import { MailfuseError, type Refusal } from "../errors";
import { refusedEvent } from "../ledger/events";
import type { Judged } from "../send";
import { countFailedClaim } from "./failed-claims";

/** Logs and records that a call may not leave, and makes the error its caller gets. */
export async function refused(
  core: Core,
  send: Judged,
  refusals: readonly Refusal[],
  cause?: unknown,
): Promise<MailfuseError> {
  core.log.warn({ id: send.id, codes: refusals.map(({ code }) => code) }, `refused: ${refusals[0]?.message}`);
  const event = refusedEvent(send, core.settings.policyDigest, refusals, "refused");
  if (send.mode === "live") {
    for (const { purpose } of send.parts)
      core.watch.refused(
        purpose.name,
        refusals.map(({ code }) => code),
        send.at,
      );
  }
  let ledger: number | undefined;
  try {
    for (const part of send.parts) await countFailedClaim(core, send, part, refusals);
    [ledger] = await core.store.append([event]);
    if (ledger !== undefined) core.saw(ledger);
  } catch (error) {
    core.log.error({ error: codeOf(error) }, "a refusal could not be recorded");
  }
  return new MailfuseError(refusals, {
    ...(cause === undefined ? {} : { cause }),
    ...(ledger === undefined ? {} : { ledger }),
  });
}

/** Logs and records what live mode would have refused. */
export function wouldRefuse(core: Core, send: Judged, refusals: readonly Refusal[]): void {
  core.log.warn({ id: send.id, codes: refusals.map(({ code }) => code) }, `live would refuse: ${refusals[0]?.message}`);
  const event = refusedEvent(send, core.settings.policyDigest, refusals, "would-refuse");
  core.background(core.store.append([event]), "what live would refuse");
}
