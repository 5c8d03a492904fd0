/**
 * What can speak against an entry of a plan beside its guards, and against going on with planning.
 *
 * @module
 */
import { codeOf } from "../core";
import { MailfuseError, type Refusal } from "../errors";

/** A store of somebody else's may reject with anything. */
export function notKept(error: unknown): never {
  if (MailfuseError.isInstance(error)) throw error;
  throw new MailfuseError(
    {
      code: "STORE_UNAVAILABLE",
      message: `Expected the store to keep the plan's mails, got ${codeOf(error)}; nothing was sent and no plan was made.`,
      fix: "Look at the store, and at the room it has; then plan again, or go on with `resume`.",
    },
    { cause: error },
  );
}

/** Text that lives at the provider. */
export function textNotBound(what: string): Refusal {
  return {
    code: "TEXT_NOT_BOUND",
    message: `Expected mail whose text is known, got text that lives at the provider: ${what}.`,
    fix: "Let the adapter resolve templates, or plan with allowUnboundText: true so that approvers see it.",
  };
}

/** Mail of another purpose than the plan. */
export function otherPurpose(planned: string, found: string): Refusal {
  return {
    code: "PURPOSE_CONFLICT",
    message: `Expected every mail of the plan to be of the purpose "${planned}", got one of "${found}".`,
    fix: "Plan each purpose by itself.",
  };
}

/** A correction to somebody whom the mistake did not reach. */
export const notReached: Refusal = {
  code: "CORRECTION_AUDIENCE",
  message: "Expected a correction to go to people whom the mistake reached or may have reached, got another recipient.",
  fix: "Mail the one address that `send` is given, without copies to others.",
};

/** A second mail to one person. */
export const twice: Refusal = {
  code: "PLAN_DUPLICATE",
  message: "Expected one mail to each person of a plan, got a person addressed before.",
  fix: "Make the audience distinct by address, as the mail server sees it (case does not tell people apart).",
};
