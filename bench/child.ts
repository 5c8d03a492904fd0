/** Runs one of the bench's programs in a process of its own and hears its one answer. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

export function inChild<Answer>(
  program: string,
  args: readonly string[] = [],
  flags: readonly string[] = [],
): Promise<Answer> {
  const child = fork(path.join(import.meta.dirname, program), [...args], {
    execArgv: [...flags, "--import", "tsx"],
    // The built package there, too, and not the sources.
    env: { ...process.env, TSX_TSCONFIG_PATH: path.join(import.meta.dirname, "tsconfig.json") },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  return answerOf(child, program);
}

/** The same for a program that is JavaScript already, with nothing loaded beside it. */
export function inPlainChild<Answer>(program: string, args: readonly string[]): Promise<Answer> {
  const child = fork(program, [...args], { execArgv: [], stdio: ["ignore", "ignore", "inherit", "ipc"] });
  return answerOf(child, program);
}

async function answerOf<Answer>(child: ChildProcess, program: string): Promise<Answer> {
  const failed = once(child, "exit").then(([code]) => {
    throw new Error(`Expected an answer of ${program}, got its end with ${code}.`);
  });
  const [answer] = (await Promise.race([once(child, "message"), failed])) as [Answer];
  failed.catch(() => {});
  child.kill();
  return answer;
}
