/**
 * A mail that repeats another: it is answered like its first, where that was accepted, and refused where not.
 *
 * @module
 */
import type { Outcome } from "../adapter";
import type { Core, Frame } from "../core";
import type { MailfuseError } from "../errors";
import { actionEvent } from "../ledger/events";
import type { Judged } from "../send";
import type { OnceRecord } from "../store";
import { refused } from "./refuse";
import { duplicate } from "./store-refusals";

/** A repeat is answered like its first only where the whole call is one: a key, or a single mail. */
export function isRepeatable(send: Judged, frame: Frame | undefined): boolean {
  return !frame?.release && (send.messages.length === 1 || send.context.idempotencyKey !== undefined);
}

/**
 * Why a repeat is refused; nothing where its first was accepted.
 *
 * @param underWay What becomes of the first, where it was on its way out of this process.
 */
export async function refuseRepeat(
  core: Core,
  send: Judged,
  first: OnceRecord,
  underWay: Promise<Outcome | undefined> | undefined,
): Promise<MailfuseError | undefined> {
  const here = await underWay;
  if (first.state !== "accepted" && here?.fate !== "accepted")
    return refused(core, send, [duplicate(here?.fate ?? first.state)]);
  core.background(
    core.store.append([actionEvent("repeated", { id: send.id, first: first.reservation })]),
    "a repeated mail",
  );
  return undefined;
}
