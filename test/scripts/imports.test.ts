import { spawnSync } from "node:child_process";
import path from "node:path";
import { expect, test } from "vitest";
import { violations } from "../../scripts/imports.mjs";
import { layTree } from "./tree";

/** A small tree that keeps every rule. Each case below changes one file of it. */
const sound = {
  "src/errors.ts": "export const a = 1;",
  "src/message.ts": 'import { a } from "./errors"; export const b = a;',
  "src/adapter.ts": 'export { a } from "./errors"; export { b } from "./message";',
  "src/store.ts": 'import type { b } from "./adapter"; export type B = typeof b;',
  "src/config.ts": 'import * as z from "zod/mini"; export const c = z;',
  "src/guards/caps.ts": 'import { c } from "../config"; export const caps = c;',
  "src/stores/sqlite.ts":
    'import type { B } from "../store"; import { x } from "./sqlite/sql"; export const q: B = x;\nexport function sqliteStore() {}',
  "src/stores/sqlite/sql.ts":
    'import { a } from "../../store"; export const x = a; export const d = () => process.getBuiltinModule("node:sqlite");',
  "src/stores/judge.ts": 'import type { B } from "../store"; export type J = B;',
  "src/stores/redis.ts": 'import type { J } from "./judge"; \nexport const redisStore = (j: J) => j;',
  "src/stores/sqlite/driver.ts": "export const driver = (name: string) => import(name);",
  "src/fuse.ts": 'import { caps } from "./guards/caps"; export const fuse = caps;',
  "src/index.ts": 'export { fuse } from "./fuse";',
  "src/cli/bin.ts": 'import { fuse } from "../index"; import { Command } from "commander"; fuse(new Command());',
  "adapters/nodemailer.ts":
    'import type { Transporter } from "nodemailer"; import { b } from "../src/adapter"; import { p } from "./nodemailer/pool"; export const n = (t: Transporter) => [t, b, p];',
  "adapters/fetch.ts": 'import { n } from "./nodemailer"; export const f = n;',
  "adapters/nodemailer/pool.ts":
    'import { b } from "../../src/adapter"; import net from "node:net"; export const p = [b, net];',
};

test("a tree that keeps the rules has no violation", () => {
  expect(violations(layTree(sound))).toEqual([]);
});

test.each<[string, string, string, RegExp]>([
  [
    "upwards",
    "src/errors.ts",
    'import { b } from "./message"; export const a = b;',
    /errors\.ts:1: imports itself by way/,
  ],
  ["upwards, types only", "src/message.ts", 'import type { fuse } from "./fuse";', /message\.ts:1: imports src\/fuse/],
  ["upwards by re-export", "src/adapter.ts", 'export { fuse } from "./fuse";', /adapter\.ts:1: imports src\/fuse/],
  ["upwards by import()", "src/guards/caps.ts", '\nawait import("../cli/bin");', /caps\.ts:2: imports src\/cli\/bin/],
  ["upwards in a type", "src/adapter.ts", 'type F = import("./fuse").F;', /adapter\.ts:1: imports src\/fuse/],
  ["a file in no layer", "src/utils.ts", "export const u = 1;", /utils\.ts:1: stands in no layer/],
  ["a folder in no layer", "src/helpers/a.ts", "export const u = 1;", /a\.ts:1: stands in no layer/],
  [
    "src knows an adapter",
    "src/fuse.ts",
    'import "../adapters/nodemailer";',
    /fuse\.ts:1: imports adapters\/nodemailer/,
  ],
  ["adapter past its seam", "adapters/x.ts", 'import { a } from "../src/errors";', /x\.ts:1: imports src\/errors/],
  ["adapter past its seam, types", "adapters/x.ts", 'import type { a } from "../src/errors";', /imports src\/errors/],
  ["adapter to adapter", "adapters/x.ts", 'import { n } from "./nodemailer";', /imports adapters\/nodemailer/],
  [
    "fetch past its seam",
    "adapters/fetch.ts",
    'import { a } from "../src/errors";',
    /fetch\.ts:1: imports src\/errors/,
  ],
  ["adapter loads its SDK", "adapters/x.ts", 'import { Resend } from "resend";', /the package "resend"/],
  ["inline type still loads", "adapters/x.ts", 'import { type Resend } from "resend";', /the package "resend"/],
  ["scoped package, subpath", "adapters/x.ts", 'import "@sendgrid/mail/x";', /the package "@sendgrid\/mail"/],
  ["adapter loads a package of the core", "adapters/x.ts", 'import "jose";', /the package "jose"/],
  ["require", "adapters/x.ts", 'const r = require("resend");', /the package "resend"/],
  ["import()", "adapters/x.ts", 'const r = await import("resend");', /the package "resend"/],
  ["computed import()", "adapters/x.ts", "const r = await import(name);", /computed name/],
  ["createRequire", "src/stores/x.ts", 'createRequire(import.meta.url)("better-sqlite3");', /computed name/],
  ["createRequire of a literal", "src/stores/x.ts", 'createRequire("/x")("better-sqlite3");', /computed name/],
  ["store past its seam", "src/stores/x.ts", 'import { a } from "../errors";', /imports src\/errors/],
  ["store loads its driver", "src/stores/x.ts", 'import Database from "better-sqlite3";', /"better-sqlite3"/],
  ["computed import() beside the driver's place", "src/stores/sqlite/sql.ts", "await import(name);", /computed name/],
  ["store to store", "src/stores/x.ts", 'import { q } from "./sqlite";', /imports src\/stores\/sqlite/],
  ["core loads a package of the command line", "src/fuse.ts", 'import "commander";', /the package "commander"/],
  ["conformance suites load a test runner", "src/testing/x.ts", 'import { it } from "vitest";', /the package "vitest"/],
  ["a file that is not there", "src/fuse.ts", 'import "./gone";', /"\.\/gone", which is no file/],
  ["a file outside", "src/fuse.ts", 'import "../test/x";', /"\.\.\/test\/x", which is no file/],
])("%s is a violation", (_, file, text, expected) => {
  const found = violations(layTree({ ...sound, [file]: text }));
  expect(found).toContainEqual(expect.stringMatching(expected));
});

test("cycles inside one layer are found, cycles of types are not", () => {
  const cycle = { ...sound, "src/guards/a.ts": 'import "./b";', "src/guards/b.ts": 'import "./a";' };
  expect(violations(layTree(cycle))).toEqual([
    "src/guards/a.ts:1: imports itself by way of src/guards/a → src/guards/b → src/guards/a.",
  ]);
  const types = { ...cycle, "src/guards/b.ts": 'import type { a } from "./a";' };
  expect(violations(layTree(types))).toEqual([]);
});

test("the command fails on a violation and passes without one", () => {
  const script = path.resolve(import.meta.dirname, "../../scripts/imports.mjs");
  const run = (directory: string) => spawnSync(process.execPath, [script, directory], { encoding: "utf8" });
  expect(run(layTree(sound)).status).toBe(0);
  const bad = run(layTree({ ...sound, "adapters/x.ts": 'import "resend";' }));
  expect(bad.status).toBe(1);
  expect(bad.stderr).toContain("adapters/x.ts:1: ");
});
