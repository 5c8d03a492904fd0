/**
 * Checks what a plan is asked for with, before anything is looked up.
 *
 * @module
 */
import { parseDuration } from "../clock";
import type { Core } from "../core";
import { MailfuseError } from "../errors";
import type { Purpose } from "../purpose";
import type { Terms } from "./record";
import type { PlanRequest } from "./rehearse";
import { tempoOf } from "./tempo";
import { capsOf } from "./terms";

/** How long a plan may wait for its release when nothing else is said. */
const defaultLife = 7 * 86_400_000;
const defaultTimeout = "15m";

/** What a correction is beside a plan. */
export interface CorrectionTerms {
  /** The incident. */
  readonly of: string;
  /** Pseudonyms of those whom it may mail; grows while its audience is read. */
  readonly people: ReadonlySet<string>;
  readonly mailsUnsubscribed: boolean;
}

/** A request that holds together. */
export interface Checked {
  readonly purpose: Purpose;
  readonly timeoutMs: number;
  readonly correction: CorrectionTerms | undefined;
  /** The terms as far as they are known before the job has run. */
  terms(id: string, now: number): Terms;
}

/** Throws for misuse: `PURPOSE_UNKNOWN`, `PRINCIPAL_UNKNOWN`, `PLAN_COUNT`, `PLAN_INVALID`, `PLAN_STATE`. */
export function checkRequest(core: Core, request: PlanRequest, correction: CorrectionTerms | undefined): Checked {
  const { settings } = core;
  const purpose = correction ? settings.purposes.correction : purposeOf(core, request.purpose);
  checkPeople(request);
  checkRequester(core, request.requestedBy);
  const { concurrency = 1, timeout = defaultTimeout, population } = request;
  if (!isCount(concurrency)) throw invalid("concurrency", "a whole number above 0");
  if (population !== undefined && !isCount(population)) throw invalid("population", "a whole number above 0");
  const timeoutMs = parseDuration(String(timeout));
  if (timeoutMs === undefined) throw invalid("timeout", 'a duration such as "15m"');
  const tempo = tempoOf(request);
  if (core.frames.getStore()?.rehearsal)
    throw new MailfuseError({
      code: "PLAN_STATE",
      message: "Expected fuse.plan outside a rehearsal, got one inside another plan's job.",
      fix: "Make the other plan when this one's job has ended.",
    });
  return {
    purpose,
    timeoutMs,
    correction,
    terms: (id, now) => ({
      v: 1,
      id,
      purpose: purpose.name,
      environment: settings.environment.name,
      clients: [],
      requester: request.requestedBy,
      entries: 0,
      people: 0,
      expectedPeople: request.expectedPeople,
      ...(population === undefined ? {} : { population }),
      audience: "",
      root: "",
      mails: "",
      summary: "",
      policy: settings.policyDigest,
      caps: capsOf(core, purpose),
      ...times(request, now),
      ...tempo,
      ...(correction ? { correctionOf: correction.of } : {}),
      ...(request.allowRepeat ? { repeats: true } : {}),
      ...(correction?.mailsUnsubscribed ? { mailsUnsubscribed: true } : {}),
    }),
  };
}

function purposeOf(core: Core, name: string): Purpose {
  const { purposes } = core.settings;
  const purpose = purposes.get(name);
  if (purpose) return purpose;
  throw new MailfuseError({
    code: "PURPOSE_UNKNOWN",
    message: `Expected a declared purpose (${purposes.names().join(", ") || "none is declared"}), got ${JSON.stringify(name ?? null).slice(0, 80)}.`,
    fix: "Declare it under `purposes`, or correct its spelling.",
  });
}

function checkPeople({ expectedPeople }: PlanRequest): void {
  if (isCount(expectedPeople)) return;
  throw new MailfuseError({
    code: "PLAN_COUNT",
    message: `Expected expectedPeople to be a whole number above 0, got ${typeof expectedPeople === "number" ? expectedPeople : typeof expectedPeople}.`,
    fix: "Say how many people this should reach before the audience is looked up.",
  });
}

function checkRequester(core: Core, requestedBy: string): void {
  const { principals } = core.settings;
  if (principals.has(requestedBy)) return;
  throw new MailfuseError({
    code: "PRINCIPAL_UNKNOWN",
    message: `Expected requestedBy to be a declared approver or requester (${[...principals].join(", ") || "none is declared"}), got ${JSON.stringify(requestedBy ?? null).slice(0, 80)}.`,
    fix: "Declare the person under `approvers` or `requesters`.",
  });
}

function times(request: PlanRequest, now: number): Pick<Terms, "notBefore" | "notAfter"> {
  const notBefore = Math.trunc(Number(request.notBefore ?? now));
  const notAfter = Math.trunc(Number(request.notAfter ?? Math.max(now, notBefore) + defaultLife));
  if (!Number.isSafeInteger(notBefore)) throw invalid("notBefore", "a time in milliseconds, or a Date");
  if (!Number.isSafeInteger(notAfter)) throw invalid("notAfter", "a time in milliseconds, or a Date");
  if (notAfter <= Math.max(now, notBefore)) throw invalid("notAfter", "a time to come, and behind notBefore");
  return { notBefore, notAfter };
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function invalid(where: string, expected: string): MailfuseError {
  return new MailfuseError({
    code: "PLAN_INVALID",
    message: `Expected \`${where}\` to be ${expected}, got something else.`,
    fix: "Correct the request of fuse.plan.",
    where,
  });
}
