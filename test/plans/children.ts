/** Starts the processes of a check, bundled once, and hears what they tell. */
import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "tsup";
import type { Job, Told } from "./child";

const live = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of live) child.kill("SIGKILL");
});

let program: Promise<string> | undefined;

function bundled(): Promise<string> {
  program ??= (async () => {
    const folder = resolve("node_modules/.cache/mailfuse-plans", String(process.pid));
    mkdirSync(folder, { recursive: true });
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    await build({
      entry: { child: "test/plans/child.ts" },
      format: "esm",
      outDir: folder,
      outExtension: () => ({ js: ".mjs" }),
      platform: "node",
      target: "node20",
      config: false,
      dts: false,
      silent: true,
      splitting: false,
    });
    return join(folder, "child.mjs");
  })();
  return program;
}

/** A process under way. */
export interface Running {
  /** What it told; nothing when it died before. */
  readonly ended: Promise<Told | undefined>;
  /** Kills it without warning. */
  kill(): void;
}

/** Starts one. */
export async function start(job: Job): Promise<Running> {
  const file = await bundled();
  const env = { PATH: process.env.PATH ?? "" };
  const child = fork(file, [JSON.stringify(job)], { env, stdio: ["ignore", "ignore", "inherit", "ipc"] });
  live.add(child);
  let told: Told | undefined;
  child.on("message", (message: Told) => {
    told = message;
  });
  const ended = new Promise<Told | undefined>((resolve) => {
    child.once("close", () => {
      live.delete(child);
      resolve(told);
    });
  });
  return { ended, kill: () => void child.kill("SIGKILL") };
}
