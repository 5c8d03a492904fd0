/**
 * Every error mailfuse throws is a {@link MailfuseError} with a stable `code`.
 * What each code means and how to fix it stands in `docs/errors.md`.
 *
 * @module
 */

/** Every code mailfuse can throw or list as a reason. Held equal to `docs/errors.md` by a test. */
export const errorCodes = [
  // Configuration and attaching
  "CONFIG_INVALID",
  "ATTACH_CONFLICT",
  "ATTACH_UNSUPPORTED",
  "CHOKE_POINT_CHANGED",
  // The copy
  "COPY_CYCLE",
  "COPY_TOO_LARGE",
  "COPY_UNSUPPORTED",
  "STREAM_FAILED",
  "PROTOTYPE_POLLUTED",
  // Recipients and what a request may carry
  "ADDRESS_INVALID",
  "ADDRESS_AMBIGUOUS",
  "NO_RECIPIENTS",
  "RECIPIENTS_VISIBLE",
  "HEADER_REFUSED",
  "FIELD_UNKNOWN",
  "REQUEST_UNKNOWN",
  "AUDIENCE_UNDECLARED",
  "AUDIENCE_EMPTY",
  "SYSTEM_MAIL_REFUSED",
  "UNATTACHED_SEND",
  "UNGUARDED_SEND",
  // Environment
  "ENVIRONMENT_UNKNOWN",
  "ENVIRONMENT_CONTRADICTED",
  "NOT_ALLOWLISTED",
  "REDIRECT_CAP_EXCEEDED",
  // Purposes and caps
  "PURPOSE_UNKNOWN",
  "PURPOSE_AMBIGUOUS",
  "PURPOSE_CONFLICT",
  "CAP_EXCEEDED",
  "CONFIRMATION_REQUIRED",
  "HALTED",
  "GUARD_REFUSED",
  "DUPLICATE",
  "PURPOSE_UNTAGGED",
  "SUPPRESSED",
  "STALE",
  "FRESHNESS_MISSING",
  // Content
  "CONTENT_PLACEHOLDER",
  "CONTENT_UNDEFINED",
  "CONTENT_BLANK",
  "CONTENT_EMPTY",
  "CONTENT_TEST_FIXTURE",
  "CONTENT_STAGING_LINK",
  "CONTENT_PRODUCTION_LINK",
  "CONTENT_IDENTICAL",
  // Claims
  "CLAIM_FAILED",
  "CLAIM_UNVERIFIABLE",
  "CLAIM_OTHER_PERSON",
  // Plans, tokens, releases
  "PLAN_REQUIRED",
  "CONTEXT_LOST",
  "PLAN_EMPTY",
  "PLAN_JOB_FAILED",
  "PLAN_DUPLICATE",
  "PLAN_REPEATED",
  "TEXT_NOT_BOUND",
  "PLAN_NOT_FOUND",
  "PLAN_STATE",
  "PLAN_COUNT",
  "PLAN_INVALID",
  "PLAN_TAMPERED",
  "PLAN_CHANGED",
  "PLAN_EXPIRED",
  "PRINCIPAL_UNKNOWN",
  "TOKEN_INVALID",
  "TOKEN_EXPIRED",
  "TOKEN_SPENT",
  "TOKEN_OTHER_PLAN",
  "TOKEN_OWN",
  "TOKEN_UNSEEN",
  "APPROVALS_MISSING",
  // Ledger, incidents, corrections
  "SECRET_WRONG",
  "LEDGER_TAMPERED",
  "LEDGER_UNREADABLE",
  "EXPORT_FAILED",
  "INCIDENT_UNKNOWN",
  "CORRECTION_UNDECIDED",
  "CORRECTION_AUDIENCE",
  "ADDRESSES_DESTROYED",
  // Stores
  "STORE_UNAVAILABLE",
  "STORE_REGRESSED",
  // Our own defects: refused, never sent
  "INTERNAL",
] as const;

/** A stable error code, for example `"CAP_EXCEEDED"`. */
export type ErrorCode = (typeof errorCodes)[number];

/** One reason why a mail may not leave. Holds no address and no body. */
export interface Refusal {
  readonly code: ErrorCode;
  /** What is wrong, in one sentence: what was expected and what came. */
  readonly message: string;
  /** What to do about it, in one sentence. */
  readonly fix?: string;
  /** The place in the request, for example `messages[2].to[0]`. */
  readonly where?: string;
}

const brand = Symbol.for("mailfuse.error");

/**
 * Thrown for every refusal and every misuse. When a call is refused for several reasons,
 * `code` is the first one's and `refusals` holds them all.
 *
 * @example
 * ```ts
 * try {
 *   await transporter.sendMail(mail);
 * } catch (error) {
 *   if (MailfuseError.isInstance(error) && error.code === "CAP_EXCEEDED") page(error.message);
 * }
 * ```
 */
export class MailfuseError extends Error {
  override readonly name = "MailfuseError";
  readonly code: ErrorCode;
  readonly refusals: readonly Refusal[];
  /** The number of the ledger line that records the refusal, where there is one. */
  readonly ledger?: number;

  constructor(refusal: Refusal | readonly Refusal[], options: { cause?: unknown; ledger?: number } = {}) {
    const refusals = Array.isArray(refusal) ? (refusal as readonly Refusal[]) : [refusal as Refusal];
    const first = refusals[0] ?? { code: "INTERNAL", message: "A refusal came without a reason." };
    super(render(first, refusals), "cause" in options ? { cause: options.cause } : undefined);
    this.code = first.code;
    this.refusals = refusals;
    if (options.ledger !== undefined) this.ledger = options.ledger;
    // Without a prototype: a polluted `Object.prototype.get` would make any other descriptor throw, here of all places.
    Object.defineProperty(this, brand, Object.assign(Object.create(null), { value: true }));
  }

  /** Recognises an error of any copy of mailfuse, whether loaded as ESM or CJS. */
  static isInstance(value: unknown): value is MailfuseError {
    return typeof value === "object" && value !== null && (value as Record<symbol, unknown>)[brand] === true;
  }
}

function render(first: Refusal, all: readonly Refusal[]): string {
  const more = all.length > 1 ? ` (and ${all.length - 1} more reason${all.length > 2 ? "s" : ""})` : "";
  const where = first.where ? ` at ${first.where}` : "";
  const fix = first.fix ? ` ${first.fix}` : "";
  return `${first.code}${where}: ${first.message}${fix}${more}`;
}
