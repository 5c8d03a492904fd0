/**
 * Says which lines are not the ones that a head was signed over, as closely as the head can tell.
 *
 * @module
 */
import { checkAt, checkOf, type Signed } from "./chain";
import type { Recent } from "./recent";
import type { LedgerProblem } from "./verdict";

/** Where the chain is known to hold: the first line there is, and the last one that a head speaks for. */
export interface Before {
  readonly first: number;
  readonly sealed: number | undefined;
}

/** The problems of a head in line `seq` whose chain differs; `place` is where its last line stands, if it is there. */
export function* locate(
  recent: Recent,
  seq: number,
  head: Extract<Signed, { type: "sealed" }>,
  place: number | undefined,
  { first, sealed }: Before,
): Generator<LedgerProblem> {
  const { from, upto, lines, checks } = head;
  const start = firstAfter(recent, from);
  const end = place ?? recent.count - 1;
  const present = end - start + 1;
  const altered = checks === undefined ? [] : alteredIn(recent, start, end, checks, lines);
  const where = `as line ${seq} has sealed them`;
  if (present === lines && altered.length > 0) {
    for (const [low, high] of runs(altered))
      yield problem("altered", low, high, `Expected ${span(low, high)} ${where}, got something else.`);
  } else if (present < lines) {
    const got = `Expected ${lines} lines from ${from + 1} to ${upto} ${where}, got ${Math.max(0, present)}.`;
    yield problem("removed", altered[0] ?? from + 1, upto, got);
  } else {
    // Its own lines are as they were: what differs stands before them, where a head is missing.
    const isBefore = present === lines && checks !== undefined && from >= first;
    const low = isBefore ? (sealed ?? first - 1) + 1 : (altered[0] ?? from + 1);
    const high = isBefore ? Math.max(low, from) : upto;
    yield problem("altered", low, high, `Expected ${span(low, high)} ${where}, got something else in between.`);
  }
}

function problem(kind: LedgerProblem["kind"], from: number, to: number, message: string): LedgerProblem {
  return { kind, from, to, message };
}

function alteredIn(recent: Recent, start: number, end: number, checks: string, lines: number): number[] {
  const altered: number[] = [];
  for (let at = start; at <= end && at - start < lines; at++) {
    if (checkOf(recent.leafAt(at)) !== checkAt(checks, at - start)) altered.push(recent.numberAt(at));
  }
  return altered;
}

function firstAfter(recent: Recent, number: number): number {
  let place = recent.first;
  while (place < recent.count && recent.numberAt(place) <= number) place++;
  return place;
}

/** Neighbouring numbers as spans. */
function* runs(numbers: readonly number[]): Generator<readonly [number, number]> {
  let start = numbers[0] ?? 0;
  for (const [index, number] of numbers.entries()) {
    if (numbers[index + 1] === number + 1) continue;
    yield [start, number];
    start = numbers[index + 1] ?? 0;
  }
}

function span(from: number, to: number): string {
  return from === to ? `line ${from}` : `lines ${from} to ${to}`;
}
