/**
 * The guards and their order, in one place. What can disqualify a person comes before what
 * spends a budget: a storm of wrong mails must not use up the room of the right ones.
 *
 * @module
 */
import type { Clock } from "../clock";
import type { Settings } from "../config/resolve";
import type { Guard } from "../guard";
import { capsGuard } from "./caps";
import { claimsGuard } from "./claims";
import { confirmationGuard, type Rehearsing } from "./confirmation";
import { contentGuard } from "./content";
import { environmentGuard } from "./environment";
import { freshnessGuard } from "./freshness";
import { haltGuard, type KnownHalts } from "./halt";
import { hintsGuard } from "./hints";
import { onceGuard } from "./once";
import { ownGuard } from "./own";
import { recipientsGuard } from "./recipients";
import { requestGuard } from "./request";

/** What guards need beside the settings. */
export interface GuardContext {
  readonly halts: KnownHalts;
  /** The time in which this process rehearses plans. */
  readonly rehearsing: Rehearsing;
  readonly clock: Clock;
  /** The user's own guards. */
  readonly own: readonly Guard[];
}

/** All guards, in the order in which they run. */
export function orderedGuards(settings: Settings, context: GuardContext): readonly Guard[] {
  const { environment } = settings;
  const redirect = environment.notAllowed.kind === "redirect" ? environment.notAllowed.cap : undefined;
  return [
    haltGuard(context.halts),
    requestGuard(settings),
    recipientsGuard(settings),
    environmentGuard(environment),
    freshnessGuard(),
    hintsGuard(),
    contentGuard({ internal: settings.internal }),
    ...context.own.map(ownGuard),
    claimsGuard({ internal: settings.internal, clock: context.clock }),
    onceGuard(),
    confirmationGuard(context.rehearsing),
    capsGuard({ caps: settings.caps, ...(redirect ? { redirect } : {}) }),
  ];
}
