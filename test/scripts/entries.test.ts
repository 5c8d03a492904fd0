import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { builtFiles, disagreements, entries, manifestFields } from "../../scripts/entries.mjs";
import { layTree } from "./tree";

const sources = {
  "src/index.ts": "",
  "src/testing/index.ts": "",
  "src/stores/memory.ts": "export function memoryStore() {}",
  "src/stores/redis.ts": "export function redisStore() {}",
  "src/stores/deadline.ts": "export function deadline() {}",
  "adapters/nodemailer.ts": "",
  "adapters/nodemailer/pool.ts": "",
};

/** A package whose list, declarations and built files agree. */
function layPackage(): string {
  const directory = layTree(sources);
  lay(directory, "package.json", JSON.stringify(manifestFields(directory)));
  for (const file of builtFiles(directory)) lay(directory, file, "");
  return directory;
}

function lay(directory: string, file: string, text: string): void {
  mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
  writeFileSync(path.join(directory, file), text);
}

test("every adapter and store is an entry; parts of one, and the store of the main entry, are none", () => {
  expect(entries(layPackage()).map((entry) => entry.path)).toEqual([
    ".",
    "./testing",
    "./nodemailer",
    "./stores/redis",
  ]);
});

test("list, exports and built files that agree give no complaint", () => {
  expect(disagreements(layPackage())).toEqual([]);
});

test("code that entries share does not have to be listed", () => {
  const directory = layPackage();
  for (const chunk of [
    "chunk-73PLUG5N.js",
    "chunk-YL4MXI5H.cjs",
    "index-BXOMwAFw.d.ts",
    "stores/redis-B_OMw-Fw.d.cts",
  ]) {
    lay(directory, `dist/${chunk}`, "");
  }
  expect(disagreements(directory)).toEqual([]);
});

test.each<[string, (directory: string) => void, RegExp]>([
  ["an adapter that nobody exports", (d) => lay(d, "adapters/resend.ts", ""), /exports differs/],
  ["an entry without its file", (d) => rmSync(path.join(d, "dist/nodemailer.cjs")), /nodemailer\.cjs is listed/],
  ["an entry without its types", (d) => rmSync(path.join(d, "dist/index.d.cts")), /index\.d\.cts is listed/],
  ["a built file that is no entry", (d) => lay(d, "dist/internal.js", ""), /internal\.js was built/],
  ["a built file that is named like a chunk", (d) => lay(d, "dist/my-sendgrid.js", ""), /my-sendgrid\.js was built/],
  ["an entry whose source is gone", (d) => rmSync(path.join(d, "src/stores/redis.ts")), /exports differs/],
  ["an entry that acts and may be dropped", (d) => lay(d, "src/lock.ts", ""), /sideEffects differs/],
  ["a command that nobody declares", (d) => lay(d, "src/cli/bin.ts", ""), /bin differs/],
  [
    "an export added by hand",
    (d) => {
      const manifest = JSON.parse(readFileSync(path.join(d, "package.json"), "utf8"));
      manifest.exports["./internal"] = "./dist/index.js";
      lay(d, "package.json", JSON.stringify(manifest));
    },
    /exports differs/,
  ],
])("%s is found", (_, change, expected) => {
  const directory = layPackage();
  change(directory);
  expect(disagreements(directory)).toContainEqual(expect.stringMatching(expected));
});

test("two sources for one import path are refused", () => {
  const directory = layPackage();
  lay(directory, "adapters/testing.ts", "");
  expect(() => entries(directory)).toThrow(/"\.\/testing" from two sources/);
});

test("the compiler finds every entry's source by its import path", () => {
  const root = path.resolve(import.meta.dirname, "../..");
  const config = ts.readConfigFile(path.join(root, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  const importer = path.join(root, "examples/any.ts");
  for (const { path: exported, source } of entries()) {
    const found = ts.resolveModuleName(`mailfuse${exported.slice(1)}`, importer, options, ts.sys).resolvedModule;
    expect(found?.resolvedFileName).toBe(path.join(root, source));
  }
});
