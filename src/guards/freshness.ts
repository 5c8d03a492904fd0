/**
 * Mail that comes too late does not leave: a queue that was forgotten for months is drained
 * without anybody being mailed.
 *
 * @module
 */
import type { Guard, Send } from "../guard";

/** How far ahead of this machine's clock a job may have been made, milliseconds. */
const clockSkew = 5 * 60_000;

/** Makes the guard. */
export function freshnessGuard(): Guard {
  return function freshness(send, next) {
    // A release has its own times: the plan's not-before and not-after.
    if (send.stage === "single") {
      refuseLate(send);
      for (const { purpose } of send.parts) if (purpose.freshness) refuseOld(send, purpose.name, purpose.freshness);
    }
    return next();
  };
}

function refuseLate(send: Send): void {
  const { notAfter } = send.context;
  if (notAfter === undefined) return;
  const until = Number(notAfter);
  // NaN compares as false, so the comparison is written to refuse it.
  if (send.at <= until) return;
  send.refuse({
    code: "STALE",
    message: `Expected to send before notAfter (${time(until)}), got a send at ${time(send.at)}.`,
    fix: "Drop the job; make a new one if the mail still matters.",
  });
}

function refuseOld(
  send: Send,
  purpose: string,
  policy: { readonly maxAgeMs: number; readonly required: boolean },
): void {
  const { createdAt } = send.context;
  if (createdAt === undefined && !policy.required) return;
  const made = createdAt === undefined ? Number.NaN : Number(createdAt);
  if (!Number.isFinite(made) || made > send.at + clockSkew) {
    send.refuse({
      code: "FRESHNESS_MISSING",
      message: `Expected to know when the job behind mail of the purpose "${purpose}" was made, got ${createdAt === undefined ? "nothing" : "no such time"}.`,
      fix: "fuse.run({ createdAt: job.timestamp }, …), in milliseconds since the epoch or as a Date.",
    });
    return;
  }
  if (send.at - made <= policy.maxAgeMs) return;
  send.refuse({
    code: "STALE",
    message: `Expected mail of the purpose "${purpose}" within ${policy.maxAgeMs / 1000} s of its job, got one made at ${time(made)}.`,
    fix: "Drop the job; make a new one if the mail still matters.",
  });
}

function time(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString() : "no time";
}
