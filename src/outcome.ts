/**
 * What became of a call that was let out, as its adapter reads it.
 *
 * @module
 */
import type { Call, Fate, Outcome } from "./adapter";

/** What a client's promise came to. */
export type Settled<Result> = { readonly result: Result } | { readonly error: unknown };

const fates: ReadonlySet<unknown> = new Set<Fate>(["accepted", "refused", "failed", "unknown"]);

/** Reads an outcome. An answer nobody can read says nothing about the mail: it may have been sent. */
export function readOutcome<Result>(call: Call<Result>, settled: Settled<Result>): Outcome {
  let outcome: Outcome | undefined;
  try {
    outcome = call.outcome(settled);
  } catch {}
  return outcome && fates.has(outcome.fate) ? outcome : { fate: "unknown" };
}
