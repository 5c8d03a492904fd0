/**
 * Runs every check and names all that failed, not only the first.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { performance } from "node:perf_hooks";
import process from "node:process";

/** Scripts of package.json, in this order. Those after the build judge what it wrote. */
const beforeBuild = ["check:format", "check:imports", "check:ambient", "check:types", "check:unused"];
const afterBuild = ["check:exports", "check:declarations", "check:publint", "check:attw", "check:size"];

/** @param {string} script */
function passes(script) {
  console.log(`\n--- ${script}`);
  const start = performance.now();
  const passed = spawnSync("npm", ["run", "--silent", script], { stdio: "inherit" }).status === 0;
  console.log(`--- ${script}: ${passed ? "passed" : "FAILED"}, ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return passed;
}

const failed = beforeBuild.filter((script) => !passes(script));
if (passes("build")) failed.push(...afterBuild.filter((script) => !passes(script)));
else failed.push("build", ...afterBuild.map((script) => `${script} (not run)`));

if (failed.length > 0) {
  console.error(`\nFailed: ${failed.join(", ")}`);
  process.exitCode = 1;
} else console.log("\nEvery check passed.");
