/**
 * Refuses what is no plain send to named people: unknown requests, mail that the provider writes,
 * audiences that only the provider knows, and requests whose copy shows problems.
 *
 * @module
 */
import type { Guard, Send } from "../guard";

/** What of the configuration this guard reads. */
export interface RequestPolicy {
  readonly allowSystemMail: boolean;
  /** Declared audiences by lower-case id, with their largest size. */
  readonly audiences: ReadonlyMap<string, number>;
}

/** Makes the guard. */
export function requestGuard(policy: RequestPolicy): Guard {
  return function request(send, next) {
    const { intent } = send;
    if (intent.kind === "unknown") refuseUnknown(send, intent.what);
    if (intent.kind === "system" && !policy.allowSystemMail) refuseSystem(send, intent.what);
    if (intent.kind === "audience") refuseAudience(send, intent.what, intent.audiences, policy.audiences);
    if ("problems" in intent) for (const problem of intent.problems ?? []) send.refuse(problem);
    return next();
  };
}

function refuseUnknown(send: Send, what: string): void {
  send.refuse({
    code: "REQUEST_UNKNOWN",
    message: `Expected a known send, a listed management call or a plain read, got ${what}.`,
    fix: "Use a documented method of the client, or update mailfuse if the provider has added this one.",
  });
}

function refuseSystem(send: Send, what: string): void {
  send.refuse({
    code: "SYSTEM_MAIL_REFUSED",
    message: `Expected no mail written by the provider itself, got ${what}.`,
    fix: "Set allowSystemMail: true in the process that is meant to do this.",
  });
}

function refuseAudience(send: Send, what: string, ids: readonly string[], declared: ReadonlyMap<string, number>): void {
  if (ids.length === 0) {
    send.refuse({
      code: "AUDIENCE_EMPTY",
      message: `Expected ${what} to name its audience, got none, which means everyone.`,
      fix: "Name the list or segment, and declare it under `audiences` with its largest size.",
    });
  }
  for (const id of ids) {
    if (declared.has(id.toLowerCase())) continue;
    send.refuse({
      code: "AUDIENCE_UNDECLARED",
      message: `Expected ${what} to mail a declared audience, got one whose size nobody here knows.`,
      fix: "Declare its id under `audiences` with its largest size; it then leaves inside a confirmed release.",
    });
  }
  if (ids.length > 0 && send.stage === "single") {
    send.refuse({
      code: "CONFIRMATION_REQUIRED",
      message: `Expected a confirmed release for ${what}, got a single call.`,
      fix: "Plan it with fuse.plan, have it confirmed, and release it.",
    });
  }
}
