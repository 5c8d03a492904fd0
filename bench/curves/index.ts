/** The curves of docs/performance.md, and the figures they are drawn from. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { inChild } from "../child";
import { readable } from "../measure";
import { planAlone } from "../planning";
import type { Effort } from "../row";
import { writeAddresses } from "../rows/plan";
import { growths } from "./growth";
import { drawPlot, type Line, type Point } from "./svg";

const images = path.resolve(import.meta.dirname, "../../docs/images");

/** Measures and draws; prints the points. A quick run draws nothing: its figures mean nothing. */
export async function drawCurves(effort: Effort): Promise<void> {
  const save = effort.quick ? () => {} : draw;
  mkdirSync(images, { recursive: true });
  const sends = await costPerSend(effort);
  save("cost-per-send.svg", {
    title: "Processor time of one guarded send, by what is around it",
    x: "how many of them",
    y: "microseconds",
    lines: sends,
  });
  print("cost per send, us", sends);
  const { time, memory } = await planning(effort);
  save("planning-time.svg", {
    title: "Planning: time for each address",
    x: "addresses",
    y: "microseconds for each",
    lines: [time],
  });
  save("planning-memory.svg", { title: "Planning: peak memory", x: "addresses", y: "megabytes", lines: [memory] });
  print("planning", [time, memory]);
}

/** Microseconds of processor time for each send, by how many there are: the median of the rounds, and their middle half. */
async function costPerSend(effort: Effort): Promise<readonly Line[]> {
  const lines: Line[] = [];
  const rounds = effort.quick ? 1 : Math.max(fewest, effort.rounds);
  for (const { name } of growths) {
    effort.tell(name);
    const args = [name, String(rounds), ...(effort.quick ? ["quick"] : [])];
    const measured = await inChild<readonly Figures[]>("curves/growth-process.ts", args);
    lines.push({ name, points: measured.map(({ size, figures }): Point => [size, ...quartiles(figures)]) });
  }
  return lines;
}

interface Figures {
  readonly size: number;
  readonly figures: readonly number[];
}

/** Fewer rounds than this do not tell growth from noise. */
const fewest = 15;

function quartiles(figures: readonly number[]): readonly [middle: number, low: number, high: number] {
  const sorted = [...figures].sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.round((sorted.length - 1) * part)] ?? Number.NaN;
  return [at(0.5), at(0.25), at(0.75)];
}

async function planning(effort: Effort): Promise<{ readonly time: Line; readonly memory: Line }> {
  const folder = mkdtempSync(path.join(tmpdir(), "mailfuse-bench-"));
  const time: [number, number][] = [];
  const memory: [number, number][] = [];
  for (const count of effort.quick ? [1_000, 10_000] : [10_000, 100_000, 1_000_000, 2_000_000, 5_000_000]) {
    effort.tell(`planning ${count.toLocaleString("en-US")}`);
    const file = path.join(folder, String(count));
    await writeAddresses(file, count);
    const { ms, mb } = await planAlone(file, count);
    time.push([count, (ms * 1_000) / count]);
    memory.push([count, mb]);
    rmSync(file);
  }
  rmSync(folder, { recursive: true });
  return { time: { name: "time for each", points: time }, memory: { name: "peak memory", points: memory } };
}

function draw(name: string, plot: Parameters<typeof drawPlot>[0]): void {
  writeFileSync(path.join(images, name), drawPlot(plot));
}

function print(title: string, lines: readonly Line[]): void {
  console.log(`${title}:`);
  for (const { name, points } of lines) console.log(`  ${name}: ${points.map(written).join(", ")}`);
}

function written([x, y, low, high]: Point): string {
  const spread = low === undefined || high === undefined ? "" : ` (${readable(low)} – ${readable(high)})`;
  return `${x.toLocaleString("en-US")} → ${readable(y)}${spread}`;
}
