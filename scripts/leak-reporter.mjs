import process from "node:process";

/** @import { Reporter, TestModule } from "vitest/node" */

/**
 * What of one test file's run is read.
 *
 * @typedef {object} Searched
 * @property {boolean} whole Whether all of its tests ran: others cannot have used what is made for them.
 * @property {readonly string[]} used The exceptions it used, by their reasons.
 * @property {readonly { readonly why: string, readonly everywhere: boolean }[]} exceptions Those it could use.
 */

/** In fewer files than these, nothing that is for all of them has to be used. */
const wholeSuite = 100;

/**
 * The exceptions that nothing needed, of those that a run would have.
 *
 * @param {readonly Searched[]} run
 * @returns {string[]}
 */
export function idleExceptions(run) {
  const used = new Set(run.flatMap((file) => file.used));
  const idle = new Set(
    run
      .flatMap((file) => file.exceptions)
      .filter(({ why, everywhere }) => {
        if (used.has(why)) return false;
        if (everywhere) return run.length >= wholeSuite;
        return run.every((file) => file.whole || !file.exceptions.some((one) => one.why === why));
      })
      .map(({ why }) => why),
  );
  return [...idle];
}

/**
 * Closes a run with how much was searched for leaks (`test/leaks`), and fails it when an exception from the
 * search was for nothing.
 *
 * @implements {Reporter}
 */
export class LeakReporter {
  /** @param {readonly TestModule[]} modules */
  onTestRunEnd(modules) {
    /** @type {Record<string, number>} */
    const looks = {};
    let milliseconds = 0;
    /** @type {Searched[]} */
    const run = [];
    for (const module of modules) {
      const { leaks } = module.meta();
      if (!leaks) continue;
      for (const [kind, count] of Object.entries(leaks.looks)) looks[kind] = (looks[kind] ?? 0) + count;
      milliseconds += leaks.milliseconds;
      const whole = [...module.children.allTests()].every((test) => test.result().state === "passed");
      run.push({ whole, used: leaks.used, exceptions: leaks.exceptions });
    }
    const said = Object.entries(looks).map(([kind, count]) => `${kind} ${count}`);
    console.log(
      `\nSearched for addresses, subjects and bodies in ${Math.round(milliseconds / 1_000)} s: ${said.join(", ")}`,
    );
    const idle = idleExceptions(run);
    if (idle.length === 0) return;
    console.log(`Exceptions from that search which nothing needs:\n${idle.map((why) => `  ${why}`).join("\n")}`);
    process.exitCode = 1;
  }
}
