/**
 * Runs every check of the console and lists each with its result: in a real browser, over HTTP in
 * every server, and against whoever attacks it.
 *
 *     node scripts/ui-checks.mjs            a line each
 *     node scripts/ui-checks.mjs --json     one JSON value on stdout
 *     node scripts/ui-checks.mjs --images   takes the pictures in docs/images as well
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const json = process.argv.includes("--json");
const folder = mkdtempSync(path.join(tmpdir(), "mailfuse-ui-"));
const report = path.join(folder, "report.json");

const { status } = spawnSync(
  process.execPath,
  [
    path.join(root, "node_modules/vitest/vitest.mjs"),
    "run",
    "test/console",
    "--reporter=json",
    `--outputFile=${report}`,
  ],
  {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ...process.env,
      MAILFUSE_UI_CHECKS: "1",
      ...(process.argv.includes("--images") ? { MAILFUSE_IMAGES: "1" } : {}),
    },
  },
);

/** @type {{ testResults: { name: string, status: string, message: string, assertionResults: { ancestorTitles: string[], title: string, status: string, duration?: number, failureMessages: string[] }[] }[] }} */
const found = JSON.parse(readFileSync(report, "utf8"));
rmSync(folder, { recursive: true });
const results = { passed: "passed", failed: "failed" };
const checks = found.testResults.flatMap(({ name, status: whole, message, assertionResults }) => {
  const file = path.relative(root, name);
  // A file that does not load has no tests, and is no success.
  if (whole === "failed" && assertionResults.length === 0)
    return [{ check: file, file, result: "failed", why: message }];
  return assertionResults.map(({ ancestorTitles, title, status: one, failureMessages }) => ({
    check: [...ancestorTitles, title].join(" › "),
    file,
    result: results[/** @type {"passed"} */ (one)] ?? "skipped",
    ...(failureMessages.length > 0 ? { why: failureMessages[0]?.split("\n")[0] } : {}),
  }));
});

const count = (/** @type {string} */ result) => checks.filter((check) => check.result === result).length;
const summary = { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
if (json) process.stdout.write(`${JSON.stringify({ ...summary, checks }, null, 1)}\n`);
else {
  for (const { check, result, ...rest } of checks)
    console.log(`${result.padEnd(8)} ${check}${"why" in rest ? `: ${rest.why}` : ""}`);
  console.log(`${summary.passed} passed, ${summary.failed} failed, ${summary.skipped} skipped`);
}
process.exitCode = status === 0 && summary.failed === 0 && checks.length > 0 ? 0 : 1;
