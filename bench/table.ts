/** The table as people read it, in Markdown, as it stands in docs/performance.md. */
import type { Machine } from "./machine";
import { readable } from "./measure";

interface Line {
  readonly id: string;
  readonly what: string;
  readonly value: number | null;
  readonly unit: string;
  readonly target: string;
  readonly met: boolean;
  readonly peer: string | null;
  readonly spread: readonly number[];
  readonly note?: string;
  readonly skipped?: string;
}

export function printTable(machine: Machine, lines: readonly Line[]): void {
  console.log(Object.values(machine).join(", "));
  console.log("\n| id | what | measured | target | against | spread |\n| --- | --- | --- | --- | --- | --- |");
  for (const line of lines) console.log(row(line));
}

function row({ id, what, value, unit, target, met, peer, spread, note, skipped }: Line): string {
  const described = (note === undefined ? what : `${what}. ${note}`).replaceAll("|", "\\|");
  if (value === null) return `| \`${id}\` | ${described} | ${skipped ?? "could not run"} | ${target} ${unit} | | |`;
  const measured = `${readable(value)} ${unit}`;
  const between = spread.map(readable).join(" – ");
  return `| \`${id}\` | ${described} | ${met ? measured : `**${measured}, missed**`} | ${target} ${unit} | ${peer ?? ""} | ${between} |`;
}
