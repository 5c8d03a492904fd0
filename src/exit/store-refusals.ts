/**
 * Why a store did not let a mail leave, in words.
 *
 * @module
 */
import { type Core, codeOf } from "../core";
import { MailfuseError, type Refusal } from "../errors";
import { halted } from "../guards/halt";
import type { Judged } from "../send";
import type { ReserveAnswer } from "../store";

/** The refusal for what a reservation was answered. */
export function explain(core: Core, send: Judged, answer: Exclude<ReserveAnswer, { ok: true }> | undefined): Refusal {
  if (!answer) return { code: "STORE_UNAVAILABLE", message: "Expected an answer from the store, got none." };
  if (answer.reason === "halted") {
    core.haltedScopes.add(answer.halt.scope);
    return halted(answer.halt);
  }
  if (answer.reason === "regressed") return regressed(answer.seq, core.seen);
  if (answer.reason === "duplicate") return duplicate(answer.first.state);
  for (const spend of send.spends) {
    if (!("explain" in spend) || boundOf(spend).key !== answer.key) continue;
    if ("cap" in spend && spend.cap.haltOnExceeded) core.haltedScopes.add(spend.cap.haltOnExceeded.scope);
    return spend.explain(answer);
  }
  return { code: "INTERNAL", message: "Expected the store to refuse a cap that was asked for, got another one." };
}

/** What live mode would have refused: the keys of caps and rates that are only observed, and are full. */
export function explainExceeded(send: Judged, exceeded: readonly string[]): readonly Refusal[] {
  const reasons = new Map<string, Refusal>();
  for (const spend of send.spends) {
    if (!("explain" in spend) || !exceeded.includes(boundOf(spend).key)) continue;
    const { limit } = boundOf(spend);
    const refusal = spend.explain({ limit, used: limit, wanted: 1 });
    // While the secret is being changed, one cap is spent under each of a person's names, and is one reason.
    reasons.set(refusal.message, refusal);
  }
  return [...reasons.values()];
}

function boundOf(spend: Extract<Judged["spends"][number], { explain: unknown }>) {
  return "cap" in spend ? spend.cap : spend.rate;
}

/** The refusal of a mail whose first attempt came to `state`. */
export function duplicate(state: string): Refusal {
  return {
    code: "DUPLICATE",
    message: `Expected a mail that was not sent before, got one whose first attempt is ${state === "reserved" ? "under way or was interrupted" : state}.`,
    fix: 'Nothing to do if it was accepted; otherwise a person decides, or the purpose declares onUnknown: "resend".',
  };
}

function regressed(seq: number, seen: number): Refusal {
  return {
    code: "STORE_REGRESSED",
    message: `Expected a store that has kept what it counted, got one whose ledger stands at ${seq} (${seen} was seen here): a failover, a restored backup or a flush lost some.`,
    fix: "Find out what was lost, then accept the store as it is with fuse.acknowledge.",
  };
}

/** The error for a store that does not answer. */
export function unavailableError(cause: unknown): MailfuseError {
  if (MailfuseError.isInstance(cause)) return cause;
  return new MailfuseError(
    {
      code: "STORE_UNAVAILABLE",
      message: `Expected the store to answer, got ${codeOf(cause)}; nothing is sent without it.`,
      fix: "Check that the store is up and reachable; sending goes on by itself when it is.",
    },
    { cause },
  );
}

/** Throws {@link unavailableError}. */
export function unavailable(cause: unknown): never {
  throw unavailableError(cause);
}
