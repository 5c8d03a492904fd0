/** Starts, stops and kills the processes of a check, and adds up what they tell. */
import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { build } from "tsup";
import type { Job, Told } from "./child";

/** What the processes of a check have told so far. */
export interface Tally {
  attempts: number;
  readonly codes: Map<string, number>;
  /** The longest that one attempt has taken, milliseconds. */
  slowest: number;
  readonly reserves: (readonly [number, number])[];
  /** Processes that ended without being asked to. */
  crashes: number;
  kills: number;
}

/** One process. */
export interface Member {
  readonly job: Job;
  child: ChildProcess;
  /** Where a sender goes on after a kill. */
  next: number;
  ended: boolean;
  /** Between a kill and the first word of the next one. */
  starting?: boolean;
  spent?: boolean;
  code?: string | undefined;
}

const live = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of live) child.kill("SIGKILL");
});

let program: Promise<string> | undefined;

/** Bundled once: a process that is killed and started again a hundred times must start fast. */
export function bundled(): Promise<string> {
  program ??= (async () => {
    const folder = resolve("node_modules/.cache/mailfuse-faults", String(process.pid));
    mkdirSync(folder, { recursive: true });
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    await build({
      entry: { child: "test/faults/child.ts" },
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

/** The processes of one check. */
export class Crew {
  readonly members: Member[] = [];
  readonly tally: Tally = { attempts: 0, codes: new Map(), slowest: 0, reserves: [], crashes: 0, kills: 0 };
  readonly #file: string;
  #waiting: (() => void)[] = [];
  /** Taken down as the processes tell it: whether to keep when each reserve was. */
  keepReserves = false;

  constructor(file: string) {
    this.#file = file;
  }

  /** Starts one process for each job; resolves when all are ready. */
  async start(jobs: readonly Job[]): Promise<void> {
    for (const job of jobs) {
      const next = job.kind === "send" ? job.from : 0;
      this.members.push(this.#spawn({ job, next, ended: false } as Member));
    }
    await Promise.all(this.members.map((member) => this.#ready(member)));
    if (this.tally.crashes > 0) throw new Error("Expected all processes to start; what they said stands above.");
  }

  /** Lets them begin, all at once. */
  go(): void {
    for (const { child } of this.members) child.send("go");
  }

  /** Tells all of them something. */
  tellAll(what: "stop" | "full" | "free"): void {
    for (const { child, ended } of this.members) if (!ended && child.connected) child.send(what);
  }

  /** Kills one without warning and starts it again where it was. */
  async killAndRestart(member: Member): Promise<void> {
    this.tally.kills++;
    member.starting = true;
    await this.#end(member);
    this.#spawn(member);
    await this.#ready(member);
    member.starting = false;
    if (member.child.connected) member.child.send("go");
  }

  /** Resolves when the condition holds; looks again whenever a process tells something. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  get done(): boolean {
    return this.members.every((member) => member.ended);
  }

  /** How often attempts ended with a code so far. */
  count(code: string): number {
    return this.tally.codes.get(code) ?? 0;
  }

  /** Ends what is left. */
  async kill(): Promise<void> {
    await Promise.all(this.members.map((member) => this.#end(member)));
  }

  async #end({ child }: Member): Promise<void> {
    child.removeAllListeners("exit");
    live.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  /** Looks again. */
  wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #spawn(member: Member): Member {
    const job = member.job.kind === "send" ? { ...member.job, from: member.next } : member.job;
    const env = { PATH: process.env.PATH ?? "" };
    // Without this program's own loader: it makes a start four times as slow.
    const options = {
      env,
      execArgv: [],
      stdio: ["ignore", "ignore", "inherit", "ipc"] as ("ignore" | "inherit" | "ipc")[],
    };
    const child = fork(this.#file, [JSON.stringify(job)], options);
    live.add(child);
    member.child = child;
    member.ended = false;
    child.on("message", (told: Told) => {
      if (member.child === child) this.#hear(member, told);
    });
    child.on("exit", () => {
      live.delete(child);
      if (member.child !== child || member.ended) return;
      member.ended = true;
      this.tally.crashes++;
      this.wake();
    });
    return member;
  }

  #ready(member: Member): Promise<void> {
    const { child } = member;
    return new Promise((resolve) => {
      child.on("message", (told: Told) => told.tell === "ready" && resolve());
      child.once("exit", () => resolve());
    });
  }

  #hear(member: Member, told: Told): void {
    if (told.tell === "progress") {
      member.next = told.next;
      this.tally.attempts += told.attempts;
      this.tally.slowest = Math.max(this.tally.slowest, told.slowest);
      for (const [code, count] of Object.entries(told.codes))
        this.tally.codes.set(code, (this.tally.codes.get(code) ?? 0) + count);
      if (this.keepReserves) this.tally.reserves.push(...told.reserves);
    }
    if (told.tell === "spent") member.spent = told.ok;
    if (told.tell === "spent" || told.tell === "done") member.ended = true;
    if (told.tell === "done") member.code = told.code;
    this.wake();
  }
}

/** How many intervals there are at once at most. */
export function peak(intervals: readonly (readonly [number, number])[]): number {
  const edges = intervals.flatMap(([from, to]) => [[from, 1] as const, [to, -1] as const]);
  edges.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let now = 0;
  let most = 0;
  for (const [, step] of edges) {
    now += step;
    most = Math.max(most, now);
  }
  return most;
}
