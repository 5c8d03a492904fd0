/**
 * Questions to a person. Without a terminal nothing is ever asked: a pipe must not answer for
 * somebody who has not read.
 *
 * @module
 */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { UsageError } from "./exit";
import type { Io } from "./output";

/** Whether somebody sits there. Questions stand on stderr, answers come from stdin. */
function isInteractive(io: Io): boolean {
  return io.stdin.isTTY === true && io.stderr.isTTY === true;
}

/** Throws a usage error where nobody sits. */
export function requireTerminal(io: Io, what: string, instead: string): void {
  if (isInteractive(io)) return;
  throw new UsageError(`Expected a terminal, since ${what}, got none.`, instead);
}

/** Asks one question. */
export async function ask(io: Io, question: string): Promise<string> {
  const lines = createInterface({ input: io.stdin, output: io.stderr, terminal: true, historySize: 0 });
  try {
    return await answer(lines, question);
  } finally {
    lines.close();
  }
}

/** Asks for a secret: what is typed is not shown. */
export async function askSecret(io: Io, question: string): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: io.stdin, output: silent, terminal: true, historySize: 0 });
  // After the terminal has stopped echoing: who types at once must not be shown either.
  io.stderr.write(question);
  try {
    return await answer(lines, "");
  } finally {
    lines.close();
    io.stderr.write("\n");
  }
}

/** The line; Ctrl-C and Ctrl-D are no answer. */
function answer(lines: ReturnType<typeof createInterface>, question: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const stopped = () => reject(new UsageError("Expected an answer, got none."));
    lines.once("close", stopped);
    lines.once("SIGINT", stopped);
    lines.question(question).then(resolve, reject);
  });
}
