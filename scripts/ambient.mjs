/**
 * Holds that `src` and `adapters` take the time and chance from outside: no `Date.now()`, `new Date()`,
 * `performance.now()` or `Math.random()`, so that a test decides what time it is. `src/clock.ts` is where
 * the system's clock comes in.
 *
 *     node scripts/ambient.mjs [directory]
 *
 * @module
 */
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { line, sources, walk } from "./sources.mjs";

const calls = new Set(["Date.now", "performance.now", "process.hrtime", "Math.random"]);
const exempt = new Set(["src/clock.ts"]);

/**
 * @param {string} directory the package's folder
 * @returns {string[]} `file:line: what, and what to do`
 */
export function ambientReads(directory) {
  /** @type {string[]} */
  const found = [];
  for (const { name, tree } of sources(directory, ["src", "adapters"])) {
    if (exempt.has(name)) continue;
    walk(tree, (node) => {
      const read = ambientRead(node);
      if (read) found.push(`${name}:${line(node)}: reads ${read}. Take the clock, or the value, as an argument.`);
    });
  }
  return found;
}

/** @param {ts.Node} node */
function ambientRead(node) {
  if (ts.isPropertyAccessExpression(node) && calls.has(node.getText())) return node.getText();
  if (ts.isNewExpression(node) && node.expression.getText() === "Date" && !node.arguments?.length) return "new Date()";
  if (ts.isCallExpression(node) && node.expression.getText() === "Date") return "Date()";
  return undefined;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = ambientReads(path.resolve(process.argv[2] ?? path.join(path.dirname(process.argv[1]), "..")));
  for (const read of found) console.error(read);
  if (found.length > 0) process.exitCode = 1;
  else console.log("Time and chance come from outside.");
}
