/**
 * Two sides taking turns in one process, so that what the machine does besides reaches both. The
 * median of the rounds' ratios counts, never the ratio of two medians taken at different times.
 */
import type { Effort, Measured } from "./row";

/** One side: does its work so many times. */
export type Side = (times: number) => Promise<void> | void;

/** What one turn took. */
export interface Turn {
  /** Microseconds of processor time of this process, for each time. */
  readonly cpu: number;
  /** Microseconds on the clock, for each time. */
  readonly wall: number;
}

export interface Round {
  readonly ours: Turn;
  readonly theirs: Turn;
}

async function turn(side: Side, times: number): Promise<Turn> {
  const cpu = process.cpuUsage();
  const wall = performance.now();
  await side(times);
  const took = performance.now() - wall;
  const used = process.cpuUsage(cpu);
  return { cpu: (used.user + used.system) / times, wall: (took * 1_000) / times };
}

/** Runs both sides warm, and then in turns; who begins changes with each round. */
export async function inTurns(effort: Effort, times: number, ours: Side, theirs: Side): Promise<readonly Round[]> {
  const each = effort.quick ? Math.max(1, Math.ceil(times / 50)) : times;
  await theirs(each);
  await ours(each);
  const rounds: Round[] = [];
  for (let round = 0; round < effort.rounds; round++) {
    effort.tell(`round ${round + 1} of ${effort.rounds}`);
    if (round % 2 === 0) {
      const first = await turn(theirs, each);
      rounds.push({ theirs: first, ours: await turn(ours, each) });
    } else {
      const first = await turn(ours, each);
      rounds.push({ ours: first, theirs: await turn(theirs, each) });
    }
  }
  return rounds;
}

/** The median, the extremes and the number of figures. */
export function summary(figures: readonly number[]): Pick<Measured, "value" | "spread" | "runs"> {
  const sorted = [...figures].sort((a, b) => a - b);
  return { value: middle(sorted), spread: [sorted[0] ?? Number.NaN, sorted.at(-1) ?? Number.NaN], runs: sorted.length };
}

export function median(figures: readonly number[]): number {
  return middle([...figures].sort((a, b) => a - b));
}

function middle(sorted: readonly number[]): number {
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? upper)) / 2;
}

/** Runs `job` so many times, so many at once. */
export async function atOnce(times: number, lanes: number, job: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let index = next++; index < times; index = next++) await job(index);
  };
  await Promise.all(Array.from({ length: Math.min(lanes, times) }, lane));
}

/** A figure as people read it. */
export function readable(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { maximumFractionDigits: digits, minimumFractionDigits: digits });
}
