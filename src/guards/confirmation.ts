/**
 * Bulk mail leaves only inside a release, and a send that lost its rehearsal does not leave at all.
 *
 * @module
 */
import type { Guard, Send } from "../guard";
import { showsPurpose } from "../purposes";

/** The time in which this process rehearses plans. */
export interface Rehearsing {
  readonly isOpen: boolean;
  /** Says that a send has lost its context; whether it must not leave. */
  refuses(): boolean;
}

/** Makes the guard. */
export function confirmationGuard(rehearsing: Rehearsing): Guard {
  return function confirmation(send, next) {
    // A redirected copy was judged before.
    if (send.stage !== "single" || send.redirectedTo !== undefined) return next();
    refuseBulk(send);
    const { run } = send.context;
    const isFirst = run === undefined || run.calls++ === 0;
    if (!rehearsing.isOpen) return next();
    // A queue shared with the job runs its sends outside the job's context: in none, or in that of
    // whoever used the queue last. Sending here would deliver part of a plan that nobody has confirmed.
    if (!send.inContext || (!isFirst && !showsItself(send))) return refuseLost(send, rehearsing, next);
    if (!run) return next();
    // What ends a run is under way when the queue goes on; one turn later it has ended.
    return turn().then(() => (run.ended ? refuseLost(send, rehearsing, next) : next()));
  };
}

function refuseBulk(send: Send): void {
  for (const part of send.parts) {
    if (part.purpose.kind !== "bulk") continue;
    send.refuse({
      code: "PLAN_REQUIRED",
      message: `Expected mail of the bulk purpose "${part.purpose.name}" inside a release, got a single call.`,
      fix: "Plan it with fuse.plan, have it confirmed with `npx mailfuse confirm`, then call fuse.release.",
    });
  }
}

/** Whether every mail of the call shows the purpose that it is taken for. */
function showsItself(send: Send): boolean {
  return send.parts.every(({ purpose, messages }) => messages.every((message) => showsPurpose(purpose, message)));
}

function refuseLost(send: Send, rehearsing: Rehearsing, next: Parameters<Guard>[1]): ReturnType<Guard> {
  if (rehearsing.refuses()) {
    send.refuse({
      code: "CONTEXT_LOST",
      message: `Expected the send to run in its own context while a plan is being rehearsed in this process, got ${send.inContext ? "one that is over, or that has sent its mail before" : "none"}.`,
      fix: "Give the job its own queue, plan in a process of its own, or wrap each unrelated send in a fuse.run of its own that awaits it.",
    });
  }
  return next();
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
