import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { run } from "./installed";

/** The majors the package is tried on, the one that runs the tests among them. */
export const majors = ["20", "22", "24"];

const own = process.versions.node.split(".")[0];

/** Finds Node.js binaries: packages of the registry, fetched into a folder of their own. */
export class Nodes {
  readonly #directory = mkdtempSync(path.join(tmpdir(), "mailfuse-nodes-"));
  readonly #found = new Map<string, string>();
  readonly #missing = new Map<string, string>();

  constructor() {
    for (const major of majors) {
      if (major === own) this.#found.set(major, process.execPath);
      else this.#fetch(major);
    }
  }

  /** The binary of a major; `undefined` when it is not to be had here, and {@link why} says why. */
  command(major: string): string | undefined {
    return this.#found.get(major);
  }

  /** Why a major is not to be had, in a few words. */
  why(major: string): string {
    return `Node ${major} is not to be had here: ${this.#missing.get(major) ?? "it is not asked for"}`;
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #fetch(major: string): void {
    const directory = path.join(this.#directory, major);
    const name = `node-${process.platform}-${process.arch}`;
    const command = path.join(directory, "node_modules", name, "bin", "node");
    try {
      mkdirSync(directory);
      writeFileSync(path.join(directory, "package.json"), '{ "private": true }');
      run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", `${name}@${major}`], directory);
      run(command, ["--version"], directory);
      this.#found.set(major, command);
    } catch (error) {
      this.#missing.set(major, (error as Error).message.split("\n", 1)[0] as string);
    }
  }
}
