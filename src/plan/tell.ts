/**
 * Tells the application of a plan that waits for people, so that they are asked to look at it.
 *
 * @module
 */
import { type Core, codeOf } from "../core";
import type { Plan } from "./plan";

/** Calls `onPlan` once for a new plan that people have to confirm. It decides nothing, and stops nothing when it throws. */
export function tellPlan(core: Core, { id, state, terms }: Plan): void {
  const { onPlan } = core;
  if (!onPlan || state !== "planned") return;
  const { purpose, environment, requester, people, notAfter } = terms;
  const told = Promise.resolve()
    // Outside of every rehearsal and release: a mail that it sends is a mail like any other.
    .then(() => core.frames.exit(() => onPlan({ id, purpose, environment, requester, people, notAfter })))
    .catch((error: unknown) => core.log.error({ plan: id, error: codeOf(error) }, "onPlan threw"));
  core.background(told, "the notification of a plan");
}
