import type { KnipConfig } from "knip";
import { bins, entries } from "./scripts/entries.mjs";

const config: KnipConfig = {
  entry: [
    ...[...entries(), ...bins()].map(({ source }) => source),
    // The seams export what outsiders may need, used here or not.
    "src/adapter.ts",
    "src/store.ts",
    "src/guard.ts",
    "scripts/*.mjs",
    "{examples,bench,replay}/*.ts",
    // Forked by their paths.
    "bench/curves/growth-process.ts",
    "replay/drill/child.ts",
    "test/ledger/crash-child.ts",
    "test/**/*.test.ts",
    "test/content/measure.ts",
    "test/plan/scale/*.ts",
    "test/ledger/scale.ts",
    "test/leaks/planted/*.ts",
  ],
  project: ["{src,adapters,test,examples,bench,replay}/**/*.ts", "scripts/*.mjs"],
  // The type of a parameter is exported for its readers.
  ignoreExportsUsedInFile: { interface: true, type: true },
  // Part of every Debian (util-linux): makes pseudo-terminals for the command line's tests.
  ignoreBinaries: ["script"],
  // Installed ahead: the SDKs and drivers that adapters and stores are tested with.
  rules: { devDependencies: "off" },
};

export default config;
