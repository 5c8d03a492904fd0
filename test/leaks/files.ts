/** Looks through every file before a test removes it, and through the folders that tests leave behind. */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Findings } from "./findings";

/** Read at once; an address that stands across the edge is seen by the next part. */
const part = 16 * 1024 * 1024;
const overlap = 256;

/** PostgreSQL's own catalogues, which it copies for every server. */
const templates = /\/data\/base\/[14]\//;

const original = { ...fs, promises: { ...fs.promises } };

/** Watches the calls of this process that remove. Returns what looks through folders that are still there. */
export function watchFiles(findings: Findings): () => void {
  const made: string[] = [];
  const look = (path: unknown) => {
    if (path instanceof URL) lookThrough(findings, fileURLToPath(path));
    else lookThrough(findings, String(path));
  };
  for (const name of ["rmSync", "rm", "unlinkSync", "unlink", "rmdirSync", "rmdir"] as const) before(fs, name, look);
  for (const name of ["rm", "unlink", "rmdir"] as const) before(fs.promises, name, look);
  // What is written over is gone as well.
  for (const name of ["renameSync", "rename"] as const) before(fs, name, (_from, to) => look(to));
  before(fs.promises, "rename", (_from, to) => look(to));
  const { mkdtempSync } = original;
  fs.mkdtempSync = ((...args: Parameters<typeof mkdtempSync>) => {
    const path = mkdtempSync(...args);
    made.push(String(path));
    return path;
  }) as typeof mkdtempSync;
  const { mkdtemp } = original.promises;
  fs.promises.mkdtemp = (async (...args: Parameters<typeof mkdtemp>) => {
    const path = await mkdtemp(...args);
    made.push(String(path));
    return path;
  }) as typeof mkdtemp;
  syncBuiltinESMExports();
  return () => made.forEach(look);
}

function before<Name extends string>(
  module: Record<Name, (...args: never[]) => unknown>,
  name: Name,
  look: (...args: unknown[]) => void,
): void {
  const call = module[name];
  module[name] = (...args: never[]) => {
    look(...args);
    return Reflect.apply(call, module, args);
  };
}

/** A file, or everything in a folder; links are not followed. */
function lookThrough(findings: Findings, path: string): void {
  const found = original.lstatSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) {
    for (const name of original.readdirSync(path)) lookThrough(findings, join(path, name));
  } else if (found?.isFile() && found.size > 0 && !templates.test(path)) lookInFile(findings, path);
}

function lookInFile(findings: Findings, path: string): void {
  let file: number;
  try {
    file = original.openSync(path, "r");
  } catch {
    // A server removes its own files while it stops; a test may have made one that nobody can read.
    return;
  }
  try {
    const bytes = Buffer.alloc(Math.min(part, original.fstatSync(file).size) + overlap);
    for (let at = 0; ; at += part) {
      const size = original.readSync(file, bytes, 0, bytes.length, at);
      if (size === 0) return;
      // Half of a message's id would pass for an address: a part begins behind the first quotation mark.
      const begin = at === 0 ? 0 : bytes.subarray(0, overlap).indexOf('"') + 1;
      findings.look("file", path, bytes.subarray(begin, size));
      if (size < bytes.length) return;
    }
  } finally {
    original.closeSync(file);
  }
}
