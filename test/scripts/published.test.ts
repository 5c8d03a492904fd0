import { expect, test } from "vitest";
import { complaints } from "../../scripts/attw.mjs";
import { foreignTypes } from "../../scripts/declarations.mjs";
import { layTree } from "./tree";

const typed = { resolution: { isTypeScript: true } };
const everywhere = { "node16-cjs": typed, "node16-esm": typed, bundler: typed, node10: {} };

test("a package whose entries all have types passes", () => {
  const analysis = { types: { kind: "included" }, problems: [], entrypoints: { ".": { resolutions: everywhere } } };
  expect(complaints(analysis, ["."])).toEqual([]);
});

test("resolutions that know no exports are not asked for", () => {
  const problems = [{ kind: "NoResolution", entrypoint: "./x", resolutionKind: "node10" }];
  const analysis = { types: { kind: "included" }, problems, entrypoints: { ".": { resolutions: everywhere } } };
  expect(complaints(analysis, ["."])).toEqual([]);
});

test("no types at all, an entry without types, a forgotten entry and any other problem are complaints", () => {
  expect(complaints({ types: false, problems: [], entrypoints: {} }, ["."])).toEqual(["The package has no types."]);
  const untyped = { ...everywhere, "node16-cjs": { resolution: { isTypeScript: false } } };
  const problems = [{ kind: "FalseESM", entrypoint: "." }];
  const analysis = { types: { kind: "included" }, problems, entrypoints: { ".": { resolutions: untyped } } };
  expect(complaints(analysis, [".", "./testing"])).toEqual([
    ". has no types for node16-cjs.",
    "./testing has no types for node16-cjs.",
    "./testing has no types for node16-esm.",
    "./testing has no types for bundler.",
    expect.stringContaining("FalseESM"),
  ]);
});

test("declarations may import node, themselves and the dependencies", () => {
  const directory = layTree({
    "package.json": JSON.stringify({ dependencies: { zod: "4" }, peerDependencies: { pg: "8" } }),
    "dist/index.d.ts": 'import { z } from "zod/mini"; export * from "./a"; import type { Server } from "node:net";',
    "dist/index.js": 'import "pg";',
  });
  expect(foreignTypes(directory)).toEqual([]);
});

test.each([
  'import type { Pool } from "pg";',
  'export type { Pool } from "pg/types";',
  'export declare const pool: import("pg").Pool;',
  'import type { Client } from "@sendgrid/client";',
])("%s in a declaration is found", (code) => {
  const directory = layTree({ "package.json": "{}", "dist/stores/x.d.cts": code });
  expect(foreignTypes(directory)).toEqual([expect.stringContaining("dist/stores/x.d.cts needs the types of")]);
});

test("a package that was not built is no package without foreign types", () => {
  expect(foreignTypes(layTree({ "package.json": "{}" }))).toEqual([expect.stringContaining("npm run build")]);
});
