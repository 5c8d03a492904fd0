/**
 * What the exit code of a command says.
 *
 * @module
 */
import { type ErrorCode, MailfuseError } from "../errors";

/** The exit codes. Scripts rely on them: none changes its meaning. */
export const exit = { ok: 0, failure: 1, usage: 2, refused: 3, waiting: 4 } as const;

/** How a command ends. */
export type ExitCode = (typeof exit)[keyof typeof exit];

/** The command line was used wrongly: says what was expected and what to do. */
export class UsageError extends Error {
  constructor(
    message: string,
    readonly fix?: string,
  ) {
    super(message);
  }
}

/** Something broke, as against: it works and says no. */
const failures: ReadonlySet<string> = new Set<ErrorCode | "LEDGER_UNREADABLE" | "EXPORT_FAILED">([
  "CONFIG_INVALID",
  "ATTACH_CONFLICT",
  "ATTACH_UNSUPPORTED",
  "CHOKE_POINT_CHANGED",
  "STORE_UNAVAILABLE",
  "INTERNAL",
  "LEDGER_UNREADABLE",
  "EXPORT_FAILED",
]);
/** What was named is not there: mostly a spelling. */
const wrongNames: ReadonlySet<string> = new Set([
  "PLAN_NOT_FOUND",
  "PURPOSE_UNKNOWN",
  "PRINCIPAL_UNKNOWN",
  "INCIDENT_UNKNOWN",
]);

/** The exit code for something that was thrown. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return exit.usage;
  if (!MailfuseError.isInstance(error) || failures.has(error.code)) return exit.failure;
  if (wrongNames.has(error.code)) return exit.usage;
  return error.code === "APPROVALS_MISSING" ? exit.waiting : exit.refused;
}
