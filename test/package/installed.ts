import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** This repository. */
export const root = path.resolve(import.meta.dirname, "../..");

/** A folder in which the packed package is installed, and nothing else: no SDK, no driver, no compiler. */
export interface Installed {
  readonly directory: string;
  /** What the tarball holds, as paths inside the package. */
  readonly files: readonly string[];
  remove(): void;
}

/** Packs the package as it would be published and installs it as a user would. */
export function installPacked(): Installed {
  const directory = mkdtempSync(path.join(tmpdir(), "mailfuse-package-"));
  const packed = run("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", directory], root);
  const [tarball] = JSON.parse(packed.stdout) as [{ filename: string; files: { path: string }[] }];
  writeFileSync(path.join(directory, "package.json"), '{ "private": true }');
  run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", `./${tarball.filename}`], directory);
  return {
    directory,
    files: tarball.files.map((file) => file.path).sort(),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Lays a project inside the folder; it finds the installed package the way Node and TypeScript look for it. */
export function layProject(installed: Installed, name: string, files: Readonly<Record<string, string>>): string {
  const project = path.join(installed.directory, name);
  mkdirSync(project);
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(project, file), text);
  return project;
}

/** Runs a command to its end and throws with its output when it fails. */
export function run(command: string, args: readonly string[], cwd: string): SpawnSyncReturns<string> {
  const result = spawnSync(command, args, { cwd, encoding: "utf8", timeout: 240_000, env: plainEnvironment() });
  if (result.status !== 0) {
    const why = result.error?.message ?? `exit ${result.status ?? result.signal}`;
    throw new Error(`${command} ${args.join(" ")}: ${why}\n${result.stdout}${result.stderr}`);
  }
  return result;
}

/** Without what vitest and npm tell their children: a user's project has none of it. */
function plainEnvironment(): NodeJS.ProcessEnv {
  const ours = /^(?:VITEST|VITE_|NODE_ENV$|NODE_OPTIONS$|TEST$|npm_(?:lifecycle|package|config_local|command))/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
}
