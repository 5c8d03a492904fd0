/**
 * A mail that claims something leaves only when the claim is proven for its recipient. In a
 * rehearsal the questions are gathered, so that a plan is asked about in batches.
 *
 * @module
 */
import type { Allowlist } from "../allowlist";
import { type ClaimItem, type Proof, prove } from "../claim";
import type { Clock } from "../clock";
import type { Guard, Part, Send } from "../guard";

/** What of the configuration this guard reads. */
export interface ClaimPolicy {
  /** Colleagues who get a copy need no claim of their own. */
  readonly internal: Allowlist;
  readonly clock: Clock;
}

/** Makes the guard. */
export function claimsGuard(policy: ClaimPolicy): Guard {
  return function claims(send, next) {
    // Whoever is refused already costs no look-up; a plan's claims are proven in batches.
    if (send.stage !== "single" || send.refusals.length > 0 || send.redirectedTo !== undefined) return next();
    const waits: Promise<void>[] = [];
    for (const part of send.parts) {
      const judging = judge(send, part, policy);
      if (judging) waits.push(judging);
    }
    return waits.length > 0 ? Promise.all(waits).then(next) : next();
  };
}

/** Judges one part; at once, where its claims are answered at once. */
function judge(send: Send, part: Part, policy: ClaimPolicy): Promise<void> | undefined {
  const { claim, name } = part.purpose;
  if (!claim) return undefined;
  const judged = (proofs: readonly Proof[]): void => {
    for (const proof of proofs) {
      if ("code" in proof) send.refuse(proof);
      else send.note("evidence", proof.evidence);
    }
    if (claim.haltAfter && claim.haltAfter.percent > 0) countProven(send, name, claim.haltAfter.windowMs);
  };
  const proofs = prove(name, claim, claimItems(send, part, policy.internal), policy.clock);
  if (proofs instanceof Promise) return proofs.then(judged);
  judged(proofs);
  return undefined;
}

/** The most that is counted of either kind: shares need no more. */
export const mostCounted = 100_000;

/** The window in which claims of one kind are counted. */
export function claimWindow(environment: string, purpose: string, kind: "failed" | "proven", windowMs: number): string {
  return `${environment}:claims:${purpose}:${kind}:${windowMs}`;
}

/** Counts a mail whose claims are proven, so that failures can be seen as a share. Refuses nothing. */
function countProven(send: Send, purpose: string, windowMs: number): void {
  const key = claimWindow(send.environment, purpose, "proven", windowMs);
  const cap = { key, windowMs, limit: mostCounted, people: [send.id], enforce: false };
  send.spend({
    cap,
    explain: () => ({ code: "CAP_EXCEEDED", message: "Expected room to count proven claims, got a full window." }),
  });
}

/** The claims of one part: one for each outside recipient of each message. */
export function claimItems(send: Send, part: Part, internal: Allowlist): ClaimItem[] {
  return part.messages.flatMap((message) =>
    message.recipients
      .filter((recipient) => message.recipients.length === 1 || !internal.allows(recipient))
      .map((recipient) => ({ data: send.context.data, recipient, message })),
  );
}
