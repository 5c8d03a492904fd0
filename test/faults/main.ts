/**
 * The faults programme: caps, tokens and plans under races, kills and broken servers, through the real library, on a real
 * mail server.
 *
 *     npm run faults                      a table
 *     npm run faults -- --json            {"checks":[{"id":"race/redis","runs":…,"attempts":…,"delivered":…,"violations":0},…]}
 *     npm run faults -- --quick           smaller counts
 *     npm run faults -- --only race/redis one check, or all whose id begins so; several by commas
 */
import { parseArgs } from "node:util";
import type { Check, Result } from "./check";
import { faultChecks } from "./faults";
import { raceCheck } from "./race";
import { tokenCheck } from "./token";

const kinds = ["sqlite", "redis", "postgres"] as const;

const checks: readonly Check[] = [
  ...kinds.map((kind) => raceCheck(kind, false)),
  ...kinds.map((kind) => raceCheck(kind, true)),
  ...kinds.map((kind) => tokenCheck(kind)),
  ...faultChecks,
];

const { values: options } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
  },
});

/** A whole check takes minutes at most; one that hangs must not take the programme with it. */
const mostMs = options.quick ? 120_000 : 900_000;

const only = options.only.flatMap((list) => list.split(","));
const wanted = checks.filter(({ id }) => only.length === 0 || only.some((one) => id.startsWith(one)));
if (wanted.length === 0) {
  console.error(`Expected --only to name a check, got ${options.only.join(", ")}. There are:`);
  for (const { id } of checks) console.error(`  ${id}`);
  process.exit(2);
}

const results: { readonly id: string; readonly result: Result }[] = [];
const left: { readonly id: string; readonly why: string }[] = [];
let toldAt = 0;
/** One line that is written over, or, where that cannot be, one now and then. */
const progress = (text: string) => {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`);
  else if (text !== "" && performance.now() - toldAt > 10_000) {
    console.error(`     ${text}`);
    toldAt = performance.now();
  }
};

for (const { id, skipped, run } of wanted) {
  if (skipped !== undefined) {
    left.push({ id, why: skipped });
    continue;
  }
  const began = performance.now();
  const say = (what: string) => progress(`${id}: ${what}`);
  const result = await limited(run({ quick: options.quick, say })).catch((error: unknown): Result => {
    console.error(`${id}: ${error instanceof Error ? error.stack : String(error)}`);
    return { runs: 1, attempts: 0, delivered: 0, violations: 1, notes: { failed: "see above" } };
  });
  results.push({ id, result });
  progress("");
  // People read along while the figures go to a file.
  (options.json ? console.error : console.log)(row(id, result, Math.round((performance.now() - began) / 1_000)));
}

function limited(work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Result>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Expected the check to end within ${mostMs / 1_000} s.`)), mostMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function row(id: string, { attempts, delivered, violations, notes }: Result, seconds: number): string {
  const figures = `${String(attempts).padStart(7)} attempts ${String(delivered).padStart(6)} delivered ${violations} violations`;
  const rest = Object.entries(notes).map(([name, value]) => `${name} ${value}`);
  return `${violations === 0 ? "ok  " : "FAIL"} ${id.padEnd(28)} ${figures} ${String(seconds).padStart(4)} s   ${rest.join(", ")}`;
}

if (options.json) {
  const rows = results.map(({ id, result: { notes, ...figures } }) => ({ id, ...figures, notes }));
  console.log(JSON.stringify({ checks: rows, skipped: left }));
} else {
  for (const { id, why } of left) console.log(`skip ${id.padEnd(28)} ${why}`);
}
process.exit(results.some(({ result }) => result.violations > 0) ? 1 : 0);
