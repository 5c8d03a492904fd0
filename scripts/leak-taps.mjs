/** @import { Plugin } from "vitest/config" */

const tap = "globalThis.mailfuseTaps";

/**
 * In which file which text becomes which. A text that is not there once stops the run: the search would be deaf.
 *
 * @type {readonly (readonly [file: string, text: string, to: string])[]}
 */
const changes = [
  ["src/errors.ts", "this.refusals = refusals;", `this.refusals = refusals; ${tap}?.error(this);`],
  [
    "src/fuse.ts",
    "checked.store ?? memoryStore({ clock }),",
    `((store) => ${tap}?.store(store) ?? store)(checked.store ?? memoryStore({ clock })),`,
  ],
  [
    "src/fuse.ts",
    "checked.logger ?? consoleLogger,",
    `((log) => ${tap}?.log(log) ?? log)(checked.logger ?? consoleLogger),`,
  ],
  ["src/fuse.ts", "checked.onAlert,", `${tap} ? ${tap}.told("onAlert", checked.onAlert) : checked.onAlert,`],
  [
    "src/fuse.ts",
    "core.onPlan = checked.onPlan;",
    `core.onPlan = ${tap} ? ${tap}.told("onPlan", checked.onPlan) : checked.onPlan;`,
  ],
  ["src/fuse.ts", "export function createFuse(config", `${tap}?.fuse(Fuse); export function createFuse(config`],
];

/**
 * Makes the sources tell the search for leaks (`test/leaks`) what passes: every error as it is made, and of every
 * fuse its store, its logger, its callbacks and its answers. Tests give loggers that are silent and catch errors
 * that nobody prints; what users would have seen is seen there. Lines stay where they are.
 *
 * @param {string} root
 * @returns {Plugin}
 */
export function leakTaps(root) {
  return {
    name: "mailfuse-leak-taps",
    enforce: "pre",
    transform(code, id) {
      const mine = changes.filter(([file]) => id === `${root}/${file}`);
      if (mine.length === 0) return undefined;
      return mine.reduce((changed, [file, text, to]) => {
        const parts = changed.split(text);
        if (parts.length !== 2)
          throw new Error(
            `Expected ${file} to hold "${text}" once, for scripts/leak-taps.mjs, got it ${parts.length - 1} times.`,
          );
        return parts.join(to);
      }, code);
    },
  };
}
