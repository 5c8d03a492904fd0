/**
 * `mailfuse halt` and `mailfuse resume`: the kill switch. It asks nothing: who needs it is in a hurry.
 *
 * @module
 */
import type { Command } from "commander";
import type { Act, Context } from "../context";
import { exit } from "../exit";

interface HaltOptions {
  readonly reason: string;
  readonly by?: string;
}

export function addHalt(program: Command, act: Act): void {
  program
    .command("halt")
    .description("stop everything, or one purpose, in every process")
    .argument("[purpose]", "only this purpose")
    .requiredOption("-r, --reason <text>", "why; stands in the ledger, so no addresses")
    .option("--by <name>", "who asks")
    .addHelpText(
      "after",
      '\nExamples:\n  $ npx mailfuse halt --reason "wrong list"\n  $ npx mailfuse halt refund --reason "wrong list"\n',
    )
    .action(
      act(async (context: Context, purpose: string | undefined, options: HaltOptions) => {
        const by = context.by(options.by);
        const fuse = await context.fuse();
        await fuse.halt({ ...(purpose === undefined ? {} : { purpose }), reason: options.reason, by });
        context.out.line(
          context.out.style("red", `Halted: ${purpose ?? "everything"}. Mail stays stopped until \`mailfuse resume\`.`),
        );
        context.out.json({ halted: purpose ?? "*", by });
        return exit.ok;
      }),
    );
  program
    .command("resume")
    .description("end a halt")
    .argument("[purpose]", "only this purpose")
    .option("--by <name>", "who asks")
    .addHelpText("after", "\nExample:\n  $ npx mailfuse resume refund\n")
    .action(
      act(async (context: Context, purpose: string | undefined, options: Pick<HaltOptions, "by">) => {
        const by = context.by(options.by);
        const fuse = await context.fuse();
        const was = await fuse.resume({ ...(purpose === undefined ? {} : { purpose }), by });
        const still = (await fuse.halts()).map(({ scope }) => scope);
        context.out.line(was ? `Resumed: ${purpose ?? "everything"}.` : "Nothing was halted under that name.");
        if (still.length > 0) context.out.line(`Still halted: ${still.join(", ")}.`);
        context.out.json({ resumed: was, still });
        return exit.ok;
      }),
    );
}
