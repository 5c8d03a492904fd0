/**
 * What can speak against releasing a plan, as errors.
 *
 * @module
 */
import { MailfuseError } from "../errors";

export function wrongState(state: string): MailfuseError {
  return new MailfuseError({
    code: "PLAN_STATE",
    message: `Expected a plan that waits for its release, got one that is ${state}.`,
    fix: "`npx mailfuse plan show <id>` says what happened to it; plan again if mail has still to leave.",
  });
}

export function changed(what: string, planned: string, present: string): MailfuseError {
  return new MailfuseError({
    code: "PLAN_CHANGED",
    message: `Expected the ${what} of the time of planning (${planned}), got ${present}.`,
    fix: "Release it where it was planned, or plan again under the present configuration.",
  });
}

export function outOfTime(bound: string, at: number, now: number): MailfuseError {
  return new MailfuseError({
    code: "PLAN_EXPIRED",
    message: `Expected a release ${bound} ${new Date(at).toISOString()}, got one at ${new Date(now).toISOString()}.`,
    fix: "Release it in its time, or plan again.",
  });
}

export function spent(): MailfuseError {
  return new MailfuseError({
    code: "TOKEN_SPENT",
    message: "Expected tokens that were not used before, got one that was.",
    fix: "Have the approver confirm again: every token counts once.",
  });
}

/** The error for a plan whose mails another one has just sent. */
export function repeated(): MailfuseError {
  return new MailfuseError({
    code: "PLAN_REPEATED",
    message: "Expected mails that no other plan released a short while ago, got the same texts to the same people.",
    fix: "Revoke one of the two. If they are meant to go out again, plan with allowRepeat: true, so that approvers see it.",
  });
}
