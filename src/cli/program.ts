/**
 * The commands and their help, in one place.
 *
 * @module
 */
import { Command } from "commander";
import { addCheck } from "./commands/check";
import { addCompletion } from "./commands/completion";
import { addConfirm } from "./commands/confirm";
import { addConsole } from "./commands/console";
import { addDoctor } from "./commands/doctor";
import { addHalt } from "./commands/halt";
import { addIncident } from "./commands/incident";
import { addInit } from "./commands/init";
import { addKeys } from "./commands/keys";
import { addLedger } from "./commands/ledger";
import { addPlan } from "./commands/plan";
import { addRelease } from "./commands/release";
import { addStatus } from "./commands/status";
import { addSuggest } from "./commands/suggest";
import type { Act } from "./context";

const after = `
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused, 4 waiting for approval.
Text for people goes to stderr; --json writes one JSON value to stdout.

Examples:
  $ npx mailfuse doctor
  $ npx mailfuse plan show p_7f3k
  $ npx mailfuse confirm p_7f3k --key ~/.mailfuse/erin.key
  $ npx mailfuse halt refund --reason "wrong list"
`;

/** The whole command line. */
export function makeProgram(act: Act, version: string): Command {
  const program = new Command("mailfuse")
    .description("A fuse for outgoing mail: look at plans, confirm them, stop mail, and find out what happened.")
    .version(version)
    .option("-c, --config <file>", "the configuration @default the nearest mailfuse.config.{ts,mjs,js,json}")
    .option("--json", "one JSON value on stdout")
    .option("--no-color", "no colours; NO_COLOR does the same")
    .addHelpText("after", after)
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError("(add --help for what there is)");
  for (const add of [
    addInit,
    addDoctor,
    addStatus,
    addCheck,
    addSuggest,
    addPlan,
    addConfirm,
    addRelease,
    addHalt,
    addLedger,
    addIncident,
    addKeys,
    addConsole,
    addCompletion,
  ])
    add(program, act);
  return program;
}
