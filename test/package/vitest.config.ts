import path from "node:path";
import { defineConfig } from "vitest/config";
import { SkippedReporter } from "../../scripts/skipped-reporter.mjs";

/** The packed package, in projects of its users. Needs `npm run build` before: `npm run test:package`. */
export default defineConfig({
  root: path.resolve(import.meta.dirname, "../.."),
  test: {
    include: ["test/package/**/*.test.ts"],
    // Packing, installing and compiling take their time on a slow machine.
    testTimeout: 180_000,
    hookTimeout: 300_000,
    reporters: [
      "default",
      new SkippedReporter(),
      ...(process.env.TEST_REPORT
        ? [["json", { outputFile: process.env.TEST_REPORT }] satisfies [string, object]]
        : []),
    ],
  },
});
