/**
 * Plans addresses in a process of its own: the sources as one file, without the compiler that the
 * bench's other programs have beside them, since a quarter of the memory would be the compiler's.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { inPlainChild } from "./child";

export interface Planned {
  readonly ms: number;
  readonly mb: number;
}

export async function planAlone(file: string, count: number): Promise<Planned> {
  const folder = mkdtempSync(path.join(tmpdir(), "mailfuse-bench-"));
  const program = path.join(folder, "plan.mjs");
  await build({
    entryPoints: [path.join(import.meta.dirname, "plan-process.ts")],
    outfile: program,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "error",
  });
  try {
    return await inPlainChild<Planned>(program, [file, String(count)]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
