/**
 * Asks "are the types wrong?" and judges the answer: the command itself exits with 0 for a package without
 * types, and knows nothing of entries that package.json forgot.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { entries } from "./entries.mjs";

/** The ways to resolve that package `exports` serve. `node10` knows no exports and is out of support. */
const kinds = ["node16-cjs", "node16-esm", "bundler"];

/**
 * @typedef {{ resolution?: { isTypeScript?: boolean } }} Resolution
 * @typedef {{ kind: string, resolutionKind?: string, entrypoint?: string }} Problem
 * @typedef {{ types: unknown, problems: Problem[], entrypoints: Record<string, { resolutions: Record<string, Resolution> }> }} Analysis
 */

/**
 * @param {Analysis} analysis what the command prints as JSON under `analysis`
 * @param {readonly string[]} expected import paths
 * @returns {string[]}
 */
export function complaints(analysis, expected) {
  if (!analysis.types) return ["The package has no types."];
  const missing = expected.flatMap((entry) =>
    kinds
      .filter((kind) => analysis.entrypoints[entry]?.resolutions[kind]?.resolution?.isTypeScript !== true)
      .map((kind) => `${entry} has no types for ${kind}.`),
  );
  const problems = analysis.problems
    .filter(({ resolutionKind }) => resolutionKind === undefined || kinds.includes(resolutionKind))
    .map((problem) => JSON.stringify(problem));
  return [...missing, ...problems];
}

/** What the command prints. Into a file: it exits before a pipe has taken a long answer. */
function ask() {
  const directory = mkdtempSync(path.join(tmpdir(), "mailfuse-attw-"));
  const file = path.join(directory, "answer.json");
  try {
    const output = openSync(file, "w");
    const { error } = spawnSync("npx", ["--no-install", "attw", "--pack", ".", "--format", "json"], {
      stdio: ["ignore", output, "inherit"],
    });
    closeSync(output);
    if (error) throw error;
    const text = readFileSync(file, "utf8");
    if (!text.trimStart().startsWith("{")) throw new Error(`Expected attw to print JSON, got: ${text}`);
    return JSON.parse(text);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const answer = ask();
  const expected = entries().map((entry) => entry.path);
  const found = complaints(answer.analysis, expected);
  for (const complaint of found) console.error(complaint);
  if (found.length > 0) process.exitCode = 1;
  else console.log(`${expected.length} entries resolve with types for ${kinds.join(", ")}.`);
}
