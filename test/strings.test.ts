import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";

/** Runs a program that asks the engine how it keeps the methods of strings. */
function run(steps: string): unknown {
  const folder = mkdtempSync(path.join(tmpdir(), "mailfuse-strings-"));
  const file = path.join(folder, "program.mjs");
  writeFileSync(
    file,
    `const { createFuse } = await import(${JSON.stringify(path.resolve("src/index.ts"))});
     const fast = () => %HasFastProperties(String.prototype);
     const logger = { debug() {}, info() {}, warn() {}, error() {} };
     const fuse = () => createFuse({ environments: {}, logger });
     ${steps}`,
  );
  try {
    const args = ["--allow-natives-syntax", "--import", "tsx", file];
    return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const subclass = "globalThis.Verbatim = class extends String {};";
const print = "console.log(JSON.stringify(said));";

describe("strings", () => {
  it("are made slow by a class that extends String, and fast again by a fuse", () => {
    expect(run(`${subclass} const said = [fast()]; fuse(); said.push(fast()); ${print}`)).toEqual([false, true]);
  });

  it("stay fast when such a class is declared after the fuse was made", () => {
    expect(run(`fuse(); ${subclass} const said = [fast()]; ${print}`)).toEqual([true]);
  });

  it("stay fast with ioredis loaded", () => {
    const load = `await import(${JSON.stringify(path.resolve("node_modules/ioredis/built/index.js"))});`;
    expect(run(`${load} const said = [fast()]; fuse(); said.push(fast()); ${print}`)).toEqual([false, true]);
  });
});
