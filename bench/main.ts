/**
 * Measures mailfuse and its peers side by side, against the built package.
 *
 *     npm run bench -- [--json] [--quick] [--all] [--only id,…] [--curves] [--list]
 *
 * Every set-up is proven first: with one fact flipped per guard, that guard has to refuse. `--quick` runs
 * everything small, to see that it runs; its figures mean nothing. `--all` takes in the rows that need
 * minutes; `--curves` draws the growth curves into docs/images.
 */
import { existsSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { inChild } from "./child";
import { drawCurves } from "./curves/index";
import { describeMachine } from "./machine";
import { type Effort, isMet, type Measured, type Row } from "./row";
import { rows } from "./rows/index";
import { printTable } from "./table";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    all: { type: "boolean", default: false },
    curves: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    only: { type: "string" },
    rounds: { type: "string" },
  },
});

if (!existsSync(`${import.meta.dirname}/../dist/index.js`))
  fail("Expected a built package, got none. Run: npm run build");
const only = values.only?.split(",").map((id) => id.trim());
for (const id of only ?? [])
  if (!rows.some((row) => row.id === id)) fail(`Expected --only to name rows (${ids(rows)}), got ${id}.`);
const rounds = values.rounds === undefined ? (values.quick ? 1 : 7) : Number(values.rounds);
if (!Number.isSafeInteger(rounds) || rounds < 1)
  fail(`Expected --rounds to be a whole number above 0, got ${values.rounds}.`);

/** A row as `--json` prints it. */
interface Printed {
  readonly id: string;
  readonly value: number | null;
  readonly unit: Row["unit"];
  readonly peer: string | null;
  readonly target: string;
  readonly met: boolean;
  readonly runs: number;
  readonly spread: readonly number[];
  readonly what: string;
  readonly note?: string;
  readonly skipped?: string;
}

if (values.list) {
  for (const { id, what, slow } of rows) console.log(`${id.padEnd(14)} ${what}${slow ? " (with --all)" : ""}`);
} else if (values.curves) {
  await drawCurves(effortOf("curves"));
} else {
  const proven = await inChild<readonly string[]>("row-process.ts", ["proof"]);
  console.error(`Proven: ${proven.join(", ")} refuse when their fact is flipped.`);
  const printed: Printed[] = [];
  for (const row of rows) if (chosen(row)) printed.push(await one(row));
  const machine = describeMachine();
  if (values.json) console.log(JSON.stringify({ machine, rows: printed }));
  else printTable(machine, printed);
  if (printed.some(({ value, skipped }) => value === null && skipped === undefined)) process.exitCode = 1;
}
// Clients of providers keep connections open that nothing here has to wait for.
process.exit();

function chosen(row: Row): boolean {
  return only ? only.includes(row.id) : !row.slow || values.all || values.quick;
}

async function one(row: Row): Promise<Printed> {
  const { id, unit, what, target } = row;
  const head = { id, unit, what, target: `${target.is}${target.value}` };
  const none = { ...head, value: null, peer: null, met: false, runs: 0, spread: [] };
  if (row.skipped !== undefined) return { ...none, skipped: row.skipped };
  try {
    const args = [id, String(rounds), ...(values.quick ? ["quick"] : [])];
    const measured = await inChild<Measured>("row-process.ts", args, ["--expose-gc"]);
    const { value, peer = null, runs, spread, note } = measured;
    return { ...head, value, peer, met: isMet(row, measured), runs, spread, ...(note === undefined ? {} : { note }) };
  } catch (error) {
    console.error(`${id} could not run:`, error);
    return none;
  }
}

function effortOf(id: string): Effort {
  const tell = (step: string) => console.error(`${id}: ${step}`);
  return { quick: values.quick, rounds, tell };
}

function ids(list: readonly Row[]): string {
  return list.map(({ id }) => id).join(", ");
}

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}
