/**
 * Runs every example as a reader would, from its source, and says which failed.
 *
 *     npm run examples                runs all
 *     npm run examples -- halt        runs those whose name holds "halt"
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import process from "node:process";

/** An example that takes longer hangs. */
const limitMs = 120_000;

const folder = path.resolve("examples");
const wanted = process.argv.slice(2);
const names = existsSync(folder)
  ? readdirSync(folder)
      .filter((name) => name.endsWith(".ts") && (wanted.length === 0 || wanted.some((part) => name.includes(part))))
      .sort()
  : [];

let failed = 0;
for (const name of names) {
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", "tsx", path.join(folder, name)],
    // No marker of a test runner or of CI: an example shows what a reader sees.
    { encoding: "utf8", timeout: limitMs, env: without(["CI", "VITEST", "NODE_ENV"]) },
  );
  const passed = status === 0;
  if (!passed) failed += 1;
  console.log(`${passed ? "ok    " : "FAILED"} examples/${name}`);
  if (!passed) console.log(`${stdout}${stderr}${signal ? `Ended by ${signal} after ${limitMs / 1000} s.\n` : ""}`);
}
console.log(failed > 0 ? `${failed} of ${names.length} examples failed.` : `${names.length} examples ran.`);
if (failed > 0) process.exitCode = 1;

/** @param {readonly string[]} names */
function without(names) {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !names.includes(name)));
}
