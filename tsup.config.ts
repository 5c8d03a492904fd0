import { defineConfig, type Options } from "tsup";
import { alwaysBundled, bins, entries } from "./scripts/entries.mjs";

const shared: Options = {
  entry: Object.fromEntries(entries().map(({ name, source }) => [name, source])),
  platform: "node",
  target: "node20",
  noExternal: alwaysBundled.map((name) => new RegExp(`^${name}(?:/|$)`)),
  // Entries share chunks, so that two of them do not hold two copies of the core.
  splitting: true,
  // `sqlite` without its prefix is a package of the registry, not the builtin.
  removeNodeProtocol: false,
  // The npm script empties dist: the builds run side by side, and one would delete another's files.
  clean: false,
  silent: true,
};

// tsup sets `baseUrl` for its own d.ts build, which TypeScript 6 reports as deprecated.
const compilerOptions = { ignoreDeprecations: "6.0" };

export default defineConfig([
  { ...shared, format: "esm", dts: { compilerOptions } },
  // Declarations only: scripts/cjs.mjs writes the code, and says why.
  { ...shared, format: "cjs", dts: { compilerOptions, only: true } },
  ...bins().map(
    ({ source, file }): Options => ({
      ...shared,
      entry: { [file.replace(/^dist\/|\.js$/g, "")]: source },
      format: "esm",
      dts: false,
    }),
  ),
]);
