/**
 * What a row of the table is: one promise, how it is measured, and what it is measured against.
 */

/** What measuring gave. Times in microseconds, memory in megabytes, sizes in kilobytes, the rest are ratios. */
export interface Measured {
  /** The median over the runs. */
  readonly value: number;
  /** The smallest and the largest of the runs. */
  readonly spread: readonly [number, number];
  readonly runs: number;
  /** What it was compared with, in figures of its own. */
  readonly peer?: string;
  /** What a reader has to know to judge the figure. */
  readonly note?: string;
  /** Whether the row's second promise holds, where it has one: its figure stands in the note. */
  readonly alsoMet?: boolean;
}

/** How long rows may take: a quick run only shows that everything runs. */
export interface Effort {
  readonly quick: boolean;
  /** Rounds in which the two sides take turns. */
  readonly rounds: number;
  /** Says on stderr how far it is. */
  readonly tell: (step: string) => void;
}

export interface Row {
  readonly id: string;
  readonly what: string;
  readonly unit: "us" | "%" | "x" | "MB" | "kB" | "ms" | "/s";
  readonly target: { readonly is: "<=" | ">="; readonly value: number };
  readonly measure: (effort: Effort) => Promise<Measured>;
  /** Why the row cannot run on this machine. */
  readonly skipped?: string | undefined;
  /** Takes minutes at full size: left out of a run that names no rows and is not `--all`. */
  readonly slow?: boolean;
}

export function isMet({ target }: Row, { value, alsoMet }: Measured): boolean {
  return (target.is === "<=" ? value <= target.value : value >= target.value) && alsoMet !== false;
}
