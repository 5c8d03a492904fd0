/**
 * A gate for tests: does with each call what it is told, and remembers what it saw.
 *
 * @module
 */
import type { Call, Commit, Fate, Gate, Intent, Outcome, RedirectNote } from "../adapter";
import { parseAddress } from "../address";
import { MailfuseError, type Refusal } from "../errors";
import { defaultSnapshotLimits } from "../snapshot";

/** What a {@link ScriptedGate} does with calls that mail somebody. */
export type Verdict =
  | "send"
  | { readonly refuse: Refusal }
  | { readonly simulate: "rehearsal" | "dropped" | "captured" | "duplicate" }
  | { readonly redirect: string; readonly note: RedirectNote }
  /** Passes, and has the last word before the wire refuse. */
  | { readonly refuseCommit: Refusal };

/** A gate for tests. */
export interface ScriptedGate extends Gate {
  verdict: Verdict;
  unattached: "refuse" | "pass";
  /** Every call that came, in order. */
  readonly calls: Call[];
  readonly intents: readonly Intent[];
  /** The outcome of each delivery, in order. */
  readonly outcomes: Outcome[];
  /** What each commit was told of the attempt before. */
  readonly commits: (Fate | undefined)[];
  /** Runs while a mail is being judged: the place for a test to change what the caller still holds. */
  during: () => void | Promise<void>;
}

/**
 * Makes a gate that lets everything through until it is told otherwise. Like the real exit, it lets
 * a further attempt pass only after a definite non-acceptance.
 *
 * @example
 * ```ts
 * const gate = scriptedGate();
 * const attachment = adapter.attach(client, gate);
 * gate.verdict = { refuse: { code: "HALTED", message: "Expected no halt, got one." } };
 * ```
 */
export function scriptedGate(): ScriptedGate {
  const calls: Call[] = [];
  const gate: ScriptedGate = {
    verdict: "send",
    unattached: "refuse",
    limits: defaultSnapshotLimits,
    calls,
    get intents() {
      return calls.map((call) => call.intent);
    },
    outcomes: [],
    commits: [],
    during: () => {},
    async pass<Result>(call: Call<Result>): Promise<Result> {
      calls.push(call as Call);
      const { kind } = call.intent;
      if (kind === "read" || kind === "management") return call.deliver(neverCommit);
      await gate.during();
      const { verdict } = gate;
      if (verdict === "send") return deliver(gate, call);
      if ("refuse" in verdict) throw new MailfuseError(verdict.refuse);
      if ("refuseCommit" in verdict) return deliver(gate, call, verdict.refuseCommit);
      if ("simulate" in verdict) return call.simulate(verdict.simulate);
      const to = parseAddress(verdict.redirect, "redirect");
      if ("code" in to) throw new MailfuseError(to);
      return deliver(gate, await call.redirect(to, verdict.note));
    },
  };
  return gate;
}

async function deliver<Result>(gate: ScriptedGate, call: Call<Result>, refusal?: Refusal): Promise<Result> {
  let attempts = 0;
  let before: Fate = "unknown";
  let refused: MailfuseError | undefined;
  const commit: Commit = (previous) => {
    gate.commits.push(previous);
    before = previous ?? before;
    const again = attempts > 0 && previous !== "refused" && previous !== "failed";
    const reason = refusal ?? (again ? duplicate : undefined);
    if (reason) {
      refused = new MailfuseError(reason);
      return Promise.reject(refused);
    }
    attempts += 1;
    return Promise.resolve({ reservation: `reservation-${gate.commits.length}` });
  };
  let settled: { readonly result: Result } | { readonly error: unknown };
  try {
    settled = { result: await call.deliver(commit) };
  } catch (error) {
    settled = { error };
  }
  if (attempts > 0) gate.outcomes.push(refused ? { fate: before } : call.outcome(settled));
  if (refused) throw refused;
  if ("error" in settled) throw settled.error;
  return settled.result;
}

const duplicate: Refusal = {
  code: "DUPLICATE",
  message: "Expected a further attempt only after a definite non-acceptance, got one after an unknown outcome.",
};

function neverCommit(): Promise<never> {
  return Promise.reject(new Error("Expected no commit from a read or management call, got one."));
}
