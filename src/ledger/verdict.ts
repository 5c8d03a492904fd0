/**
 * What looking at a ledger gives: whether it is as it was written, and where it is not.
 *
 * @module
 */
import type { Head } from "../config";

export type { Head } from "../config";

/** One place where a ledger is not as it was written. */
export interface LedgerProblem {
  /**
   * `altered`: a line says something else than was sealed. `removed`: numbers are missing. `reordered`: a number comes
   * after a higher one. `truncated`: the end, up to a head that is known to exist, is missing. `head`: a head whose
   * signature does not hold. `cut`: a line that ends in the middle. `unreadable`: a line that is no event.
   */
  readonly kind: "altered" | "removed" | "reordered" | "truncated" | "head" | "cut" | "unreadable";
  /** The first and last number that it concerns. */
  readonly from: number;
  readonly to: number;
  /** What is wrong, in one sentence. */
  readonly message: string;
}

/** What `fuse.ledger.verify()` resolves to. */
export interface Verdict {
  /** Whether nothing speaks against the ledger. What is not sealed yet can be told by nobody. */
  readonly ok: boolean;
  /** The first 100 places. */
  readonly problems: readonly LedgerProblem[];
  /** How many there are. */
  readonly problemCount: number;
  /** Lines read, and the numbers of the first and the last; 0 for an empty ledger. */
  readonly lines: number;
  readonly first: number;
  readonly last: number;
  /** Heads whose signature holds. */
  readonly heads: number;
  /** The newest head that holds: up to there nothing can have been changed without the signing key. */
  readonly sealed?: Head;
  /** What no head speaks for yet: how many lines, and the time of the oldest of them, milliseconds. */
  readonly unsealed: { readonly lines: number; readonly since?: number };
  /** Lines that were trimmed after their export, up to this number. */
  readonly trimmed?: number;
  /** What a reader of this verdict has to know, one sentence each: an acknowledged gap, a weak key. */
  readonly notes: readonly string[];
}
