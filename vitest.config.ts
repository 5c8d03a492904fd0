import { defineConfig } from "vitest/config";
import { entries } from "./scripts/entries.mjs";
import { LeakReporter } from "./scripts/leak-reporter.mjs";
import { leakTaps } from "./scripts/leak-taps.mjs";
import { SkippedReporter } from "./scripts/skipped-reporter.mjs";

export default defineConfig({
  plugins: [leakTaps(import.meta.dirname)],
  resolve: {
    // Tests may import the package by its name, as users do, and get the sources.
    alias: entries().map(({ path, source }) => ({
      find: new RegExp(`^mailfuse${path.slice(1)}$`),
      replacement: `${import.meta.dirname}/${source}`,
    })),
  },
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/leaks/watch.ts"],
    // Needs a build and minutes: npm run test:package.
    exclude: ["test/package/**"],
    // Two cores: more workers only make the slow ones slower.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: [
      "default",
      new SkippedReporter(),
      new LeakReporter(),
      // .ci/run counts from this file.
      ...(process.env.TEST_REPORT
        ? [["json", { outputFile: process.env.TEST_REPORT }] satisfies [string, object]]
        : []),
    ],
    coverage: { include: ["src/**", "adapters/**"] },
  },
});
