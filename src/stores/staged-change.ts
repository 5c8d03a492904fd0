/**
 * A change of a plan whose caps count very many people: they are staged first, as those of a large reservation.
 *
 * @module
 */
import type { PlanChange, PlanChangeAnswer } from "../store";
import { isLarge, Staging, type StagingServer, settleStaging } from "./staging";

/** Asks the server for the change; `dry` only judges it. `undefined` when nothing speaks against it, or it came too late. */
type AskForChange = (wanted: PlanChange, staged?: Staging, dry?: boolean) => Promise<PlanChangeAnswer | undefined>;

/** Changes a plan, in steps where it is large. `fail` throws where the server gave no answer to a small one. */
export async function changeInSteps(
  server: StagingServer,
  wanted: PlanChange,
  ask: AskForChange,
  fail: () => never,
): Promise<PlanChangeAnswer> {
  const caps = wanted.caps ?? [];
  if (!isLarge({ caps, rates: [] })) return (await ask(wanted)) ?? fail();
  const obstacle = await ask(wanted, undefined, true);
  if (obstacle) return obstacle;
  const staged = await Staging.begin(server, caps, []);
  return settleStaging(staged, () => ask(wanted, staged));
}
