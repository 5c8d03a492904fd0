/**
 * The plans programme: releases under kills, tampering and bad tokens, through the real library, on a real mail server.
 *
 *     npm run plans                       a table
 *     npm run plans -- --json             {"checks":[{"id":"kill/after-data/sqlite","runs":…,"violations":0},…]}
 *     npm run plans -- --quick            one run of each
 *     npm run plans -- --only kill/data   one check, or all whose id begins so; several by commas
 */
import { parseArgs } from "node:util";
import type { Check, Result } from "../faults/check";
import { badTokenChecks } from "./bad-tokens";
import { brokenKillChecks, killChecks } from "./kill";
import { endPlaces } from "./places";
import { queueChecks } from "./queues";
import { tamperChecks } from "./tamper";

const kinds = ["sqlite", "redis", "postgres"] as const;

const checks: readonly Check[] = [
  ...kinds.flatMap((kind) => killChecks(kind)),
  ...brokenKillChecks("sqlite"),
  ...badTokenChecks,
  ...kinds.map((kind) => tamperChecks(kind)),
  ...queueChecks,
];

const { values: options } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
  },
});

/** A whole check takes seconds; one that hangs must not take the programme with it. */
const mostMs = options.quick ? 60_000 : 300_000;

const only = options.only.flatMap((list) => list.split(","));
const wanted = checks.filter(({ id }) => only.length === 0 || only.some((one) => id.startsWith(one)));
if (wanted.length === 0) {
  console.error(`Expected --only to name a check, got ${options.only.join(", ")}. There are:`);
  for (const { id } of checks) console.error(`  ${id}`);
  process.exit(2);
}

const results: { readonly id: string; readonly result: Result }[] = [];
const left: { readonly id: string; readonly why: string }[] = [];
const progress = (text: string) => {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`);
};

/** Checks mostly wait for processes to start and leases to end, so a few go on at once. */
const lanes = 3;
let begun = 0;

async function lane(): Promise<void> {
  for (let check = wanted[begun++]; check; check = wanted[begun++]) {
    const { id, skipped, run } = check;
    if (skipped !== undefined) {
      left.push({ id, why: skipped });
      continue;
    }
    const say = (what: string) => progress(`${results.length + 1}/${wanted.length} ${id}: ${what}`);
    const result = await limited(run({ quick: options.quick, say })).catch((error: unknown): Result => {
      console.error(`${id}: ${error instanceof Error ? error.stack : String(error)}`);
      return { runs: 1, attempts: 0, delivered: 0, violations: 1, notes: { failed: "see above" } };
    });
    results.push({ id, result });
    progress("");
    if (!options.json) console.log(row(id, result));
  }
}

await Promise.all(Array.from({ length: lanes }, lane));
results.sort((a, b) => wanted.findIndex(({ id }) => id === a.id) - wanted.findIndex(({ id }) => id === b.id));

function limited(work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Result>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Expected the check to end within ${mostMs / 1_000} s.`)), mostMs);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function row(id: string, { runs, attempts, delivered, violations, notes }: Result): string {
  const figures = `${String(runs).padStart(4)} runs ${String(attempts).padStart(5)} attempts ${String(delivered).padStart(5)} delivered ${violations} violations`;
  const rest = Object.entries(notes).map(([name, value]) => `${name} ${value}`);
  return `${violations === 0 ? "ok  " : "FAIL"} ${id.padEnd(30)} ${figures}   ${rest.join(", ")}`;
}

if (options.json) {
  const rows = results.map(({ id, result: { notes, ...figures } }) => ({ id, ...figures, notes }));
  console.log(JSON.stringify({ checks: rows, skipped: left }));
} else {
  for (const { id, why } of left) console.log(`skip ${id.padEnd(30)} ${why}`);
  const failed = results.filter(({ result }) => result.violations > 0).length;
  console.log(`\n${results.length - failed} passed, ${failed} failed, ${left.length} skipped`);
}
await endPlaces();
process.exit(results.some(({ result }) => result.violations > 0) ? 1 : 0);
