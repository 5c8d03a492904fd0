/**
 * How fast a plan may leave, as it was asked for: a canary first, and a rate. Both are frozen with the
 * plan, so that approvers see them and no worker goes faster.
 *
 * @module
 */
import { parseDuration } from "../clock";
import type { Duration } from "../config";
import { MailfuseError } from "../errors";
import type { Terms } from "./record";

/** How fast a plan may leave. */
export interface Tempo {
  /**
   * The first so many people get their mail, and the rest waits: for `wait`, or without it until
   * somebody calls `fuse.proceed`. Not every mail of theirs accepted: until somebody does in any case.
   */
  readonly canary?: { readonly people: number; readonly wait?: Duration };
  /** The most messages in any window of that length, over all workers. */
  readonly rate?: { readonly messages: number; readonly per: Duration };
}

/** The tempo as terms. Throws `PLAN_INVALID`. */
export function tempoOf({ canary, rate }: Tempo): Pick<Terms, "canary" | "rate"> {
  return {
    ...(canary
      ? {
          canary: {
            people: count("canary.people", canary.people),
            ...(canary.wait === undefined ? {} : { waitMs: duration("canary.wait", canary.wait) }),
          },
        }
      : {}),
    ...(rate
      ? { rate: { messages: count("rate.messages", rate.messages), windowMs: duration("rate.per", rate.per) } }
      : {}),
  };
}

function count(where: string, value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
  throw invalid(where, "a whole number above 0", value);
}

function duration(where: string, value: unknown): number {
  const ms = typeof value === "string" ? parseDuration(value) : undefined;
  if (ms !== undefined && ms > 0) return ms;
  throw invalid(where, 'a duration such as "10m"', value);
}

function invalid(where: string, expected: string, got: unknown): MailfuseError {
  return new MailfuseError({
    code: "PLAN_INVALID",
    message: `Expected ${where} to be ${expected}, got ${String(JSON.stringify(got)).slice(0, 80)}.`,
    fix: "Correct the request given to fuse.plan.",
    where,
  });
}
