import path from "node:path";
import process from "node:process";

/** @import { Reporter, TestCase, TestModule } from "vitest/node" */

/**
 * Closes a run with the names of the groups that did not run and why, so that nobody takes a run without
 * Redis for a run with it. A group is skipped with a reason by `ctx.skip("needs redis-server")`, or by
 * `describe.skipIf(…)("redis store (needs redis-server)", …)`.
 *
 * @implements {Reporter}
 */
export class SkippedReporter {
  /** @param {readonly TestModule[]} modules */
  onTestRunEnd(modules) {
    /** @type {Map<string, number>} */
    const groups = new Map();
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const name = skippedGroup(test);
        if (name !== undefined) groups.set(name, (groups.get(name) ?? 0) + 1);
      }
    }
    if (groups.size === 0) return;
    console.log("\nDid not run:");
    for (const [name, count] of groups) console.log(`  ${name}: ${count} ${count === 1 ? "test" : "tests"}`);
  }
}

/** @param {TestCase} test */
function skippedGroup(test) {
  const result = test.result();
  if (result.state !== "skipped") return undefined;
  const file = path.relative(process.cwd(), test.module.moduleId);
  const group = test.parent.type === "suite" ? test.parent.fullName : test.name;
  // A case that is left out says why in its own name, after the group's.
  const why = result.note ?? (group.endsWith(")") ? undefined : /\(([^()]*)\)$/.exec(test.name)?.[1]);
  return `${file} › ${group}${why ? ` (${why})` : ""}`;
}
