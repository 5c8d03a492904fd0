/**
 * Runs one command line and says with which code the process ends.
 *
 * @module
 */
import { type Command, CommanderError } from "commander";
import { type Act, Context, type GlobalOptions } from "./context";
import { type ExitCode, exit, exitCodeOf } from "./exit";
import type { Io } from "./output";
import { makeProgram } from "./program";

/** Parses `argv` (without node and script) and runs what it names. */
export async function main(argv: readonly string[], io: Io, directory: string, version: string): Promise<ExitCode> {
  let code: ExitCode = exit.ok;
  const act: Act =
    (work) =>
    async (...given) => {
      const command = given.pop() as Command;
      const context = new Context(io, directory, command.optsWithGlobals<GlobalOptions>());
      try {
        code = await work(context, ...(given as never[]));
      } catch (error) {
        context.out.error(error);
        code = exitCodeOf(error);
      }
      await context.close().catch(() => {});
    };
  const program = makeProgram(act, version);
  eachCommand(program, (command) =>
    command.exitOverride().configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    }),
  );
  try {
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version that were asked for are no mistake; help because nothing was asked for is.
    return error.exitCode === 0 ? exit.ok : exit.usage;
  }
  return code;
}

/** Every command, at any depth. */
function eachCommand(command: Command, work: (command: Command) => void): void {
  work(command);
  for (const inner of command.commands) eachCommand(inner, work);
}
