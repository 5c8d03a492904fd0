/** Listens to what child processes say, whoever else reads it. */
import child from "node:child_process";
import { syncBuiltinESMExports } from "node:module";
import { basename } from "node:path";
import process from "node:process";
import type { Readable } from "node:stream";
import type { Findings } from "./findings";

/** What of the text before is looked at again, for an address that came in two parts. */
const overlap = 256;

/** Listens to every child of this process. */
export function watchChildren(findings: Findings): void {
  const { spawn, fork, spawnSync, execFileSync } = child;
  const heard = (started: child.ChildProcess, name: string, inherited: ReadonlySet<number>) => {
    for (const [fd, stream, own] of [
      [1, started.stdout, process.stdout],
      [2, started.stderr, process.stderr],
    ] as const) {
      if (!stream) continue;
      listen(findings, stream, `${name} ${fd === 1 ? "stdout" : "stderr"}`);
      if (inherited.has(fd)) stream.pipe(own, { end: false });
    }
    return started;
  };
  const starting =
    <Call extends (...args: never[]) => child.ChildProcess>(call: Call) =>
    (...args: unknown[]) => {
      const at = args.findIndex((arg, index) => index > 0 && typeof arg === "object" && !Array.isArray(arg));
      const inherited = new Set<number>();
      if (at > 0) args[at] = withPipes(args[at] as child.SpawnOptions, inherited);
      return heard(call(...(args as never[])), nameOf(args), inherited);
    };
  child.spawn = starting(spawn) as typeof spawn;
  child.fork = starting(fork) as typeof fork;
  child.spawnSync = ((...args: never[]) => {
    const done = Reflect.apply(spawnSync, child, args) as child.SpawnSyncReturns<string | Buffer>;
    for (const [name, said] of [
      ["stdout", done.stdout],
      ["stderr", done.stderr],
    ] as const)
      if (said) findings.look("child", `${nameOf(args)} ${name}`, said);
    return done;
  }) as typeof spawnSync;
  child.execFileSync = ((...args: never[]) => {
    const said = Reflect.apply(execFileSync, child, args) as string | Buffer | null;
    if (said) findings.look("child", `${nameOf(args)} stdout`, said);
    return said;
  }) as typeof execFileSync;
  syncBuiltinESMExports();
}

/** What a child would write past us goes through us. */
function withPipes(options: child.SpawnOptions, inherited: Set<number>): child.SpawnOptions {
  const { stdio } = options;
  if (stdio !== "inherit" && !Array.isArray(stdio)) return options;
  const all = stdio === "inherit" ? (["inherit", "inherit", "inherit"] as const) : stdio;
  const piped = all.map((how, fd) => {
    if (how !== "inherit" || fd === 0) return how;
    inherited.add(fd);
    return "pipe" as const;
  });
  return { ...options, stdio: piped };
}

/** The program and its first arguments, without folders and quotation marks. */
function nameOf(args: readonly unknown[]): string {
  const words = [args[0], ...(Array.isArray(args[1]) ? args[1] : [])].flatMap((word) => String(word).split(" "));
  return words
    .slice(0, 6)
    .map((word) => basename(word.replaceAll("'", "")).slice(0, 60))
    .join(" ");
}

/** Sees each part as it comes in, and leaves when and by whom it is read as it was. */
function listen(findings: Findings, stream: Readable, place: string): void {
  let before = "";
  const push = stream.push.bind(stream);
  stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk !== null) {
      const text = before + (typeof chunk === "string" ? chunk : Buffer.from(chunk as Uint8Array).toString("utf8"));
      findings.look("child", place, text);
      // From the beginning of a word: half of a message's id would pass for an address.
      before = text.slice(-overlap).replace(/^[^\s"<>]*[\s"<>]/, "");
    }
    return push(chunk, encoding);
  };
}
