/**
 * `mailfuse check`: would these addresses get mail here, and why not.
 *
 * @module
 */
import type { Command } from "commander";
import type { Act, Context } from "../context";
import { exit } from "../exit";
import { plain } from "../output";

const examples = `
Each address is asked about alone; content and claims are not asked. Ends with 3 when one would get nothing.

Examples:
  $ npx mailfuse check name@example.com
  $ npx mailfuse check --purpose refund name@example.com other@example.com
`;

export function addCheck(program: Command, act: Act): void {
  program
    .command("check")
    .description("would these addresses get mail here, and why not")
    .argument("<address...>")
    .option("-p, --purpose <name>", "as mail of this purpose")
    .addHelpText("after", examples)
    .action(
      act(async (context: Context, addresses: string[], options: { purpose?: string }) => {
        const { out } = context;
        const fuse = await context.fuse();
        const answers = await fuse.check(addresses, options.purpose === undefined ? {} : { purpose: options.purpose });
        const { environment, mode } = fuse.describe();
        out.line(`In "${environment}" (${mode} mode):`);
        for (const { address, gets, reasons } of answers) {
          const style = gets === "mail" ? "green" : gets === "nothing" ? "red" : "yellow";
          out.line(`  ${plain(address)}: ${out.style(style, gets)}`);
          for (const { code, message, fix } of reasons) {
            out.line(`    ${gets === "mail" ? "live would refuse it, " : ""}${code}: ${plain(message)}`);
            if (fix) out.line(`      ${out.style("cyan", "fix:")} ${plain(fix)}`);
          }
        }
        out.json({ environment, mode, answers });
        return answers.some(({ gets }) => gets === "nothing") ? exit.refused : exit.ok;
      }),
    );
}
