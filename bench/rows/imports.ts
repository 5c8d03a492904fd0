/** What importing costs: the time of a cold start, and the bytes a bundle carries. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { readable, summary } from "../measure";
import type { Row } from "../row";

const root = path.resolve(import.meta.dirname, "../..");

export const importRow: Row = {
  id: "import",
  what: "importing `mailfuse` and one adapter, cold, over an empty program; also 40 kB at most, minified and compressed, of what is loaded at once",
  unit: "ms",
  target: { is: "<=", value: 60 },
  async measure(effort) {
    const took = (program: string) => {
      const start = performance.now();
      execFileSync(process.execPath, ["--input-type=module", "--eval", program], { cwd: root, stdio: "ignore" });
      return performance.now() - start;
    };
    const both =
      'import { createFuse } from "mailfuse"; import { nodemailerAdapter } from "mailfuse/nodemailer"; createFuse; nodemailerAdapter;';
    took(both);
    const added: number[] = [];
    for (let round = 0; round < effort.rounds; round++) {
      effort.tell(`round ${round + 1} of ${effort.rounds}`);
      const empty = took("");
      added.push(took(both) - empty);
    }
    const { first, later } = await sizes();
    return {
      ...summary(added),
      note: `${readable(first)} kB at once, and ${readable(later)} kB that are loaded when they are first needed`,
      alsoMet: first <= 40,
    };
  },
};

/** Bundled as an application is, dependencies included: what the entry loads, and what it may load later. */
async function sizes(): Promise<{ first: number; later: number }> {
  const folder = mkdtempSync(path.join(tmpdir(), "mailfuse-bench-"));
  const entry = path.join(folder, "app.mjs");
  writeFileSync(
    entry,
    'import { createFuse } from "mailfuse"; import { nodemailerAdapter } from "mailfuse/nodemailer"; globalThis.kept = [createFuse, nodemailerAdapter];',
  );
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    platform: "node",
    target: "node20",
    outdir: path.join(folder, "out"),
    write: false,
    metafile: true,
    logLevel: "error",
    absWorkingDir: root,
    nodePaths: [path.join(root, "node_modules")],
    alias: { mailfuse: path.join(root, "dist/index.js"), "mailfuse/nodemailer": path.join(root, "dist/nodemailer.js") },
  });
  rmSync(folder, { recursive: true, force: true });
  const outputs = metafile.outputs;
  const at = (name: string) => outputFiles.find((file) => path.relative(root, file.path) === name);
  const start = Object.keys(outputs).find((name) => outputs[name]?.entryPoint !== undefined && name.endsWith("app.js"));
  const first = new Set<string>();
  const visit = (name: string | undefined) => {
    if (name === undefined || first.has(name)) return;
    first.add(name);
    for (const { path: next, kind } of outputs[name]?.imports ?? [])
      if (kind === "import-statement" && outputs[next]) visit(next);
  };
  visit(start);
  // As one file: compressed one by one, small files would be charged for what they share.
  const sum = (names: readonly string[]) => {
    const contents = names.map((name) => at(name)?.contents ?? new Uint8Array());
    return gzipSync(Buffer.concat(contents), { level: 9 }).length / 1_000;
  };
  const all = Object.keys(outputs);
  return { first: sum([...first]), later: sum(all.filter((name) => !first.has(name))) };
}
