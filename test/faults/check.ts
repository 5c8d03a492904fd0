/** What every check of the faults programme is and gives. */

/** The figures of one check. */
export interface Result {
  /** How many times it was run from the start. */
  readonly runs: number;
  /** Sends, or spends of a token, that were tried. */
  readonly attempts: number;
  /** People whom mail reached, or changes that went through. */
  readonly delivered: number;
  /** What must be nought. */
  readonly violations: number;
  /** Further figures, for people. */
  readonly notes: Readonly<Record<string, number | string>>;
}

/** A check by its id, for example `race/redis`. */
export interface Check {
  readonly id: string;
  /** Why it cannot run here; left out when it can. */
  readonly skipped?: string;
  readonly run: (options: RunOptions) => Promise<Result>;
}

/** How a check is run. */
export interface RunOptions {
  /** Smaller counts, for every change. */
  readonly quick: boolean;
  readonly say: (what: string) => void;
}

/** Numbers from a seed, so that a run can be repeated: mulberry32. */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}
