/**
 * `mailfuse suggest`: purposes and caps from what left so far.
 *
 * @module
 */
import type { Command } from "commander";
import type { Act, Context } from "../context";
import { exit } from "../exit";
import { duration } from "../output";

const examples = `
Reads the ledger. The configuration goes to stdout, what it rests on to stderr. Let "observe" run for a week first.

Example:
  $ npx mailfuse suggest > purposes.txt
`;

export function addSuggest(program: Command, act: Act): void {
  program
    .command("suggest")
    .description("purposes and caps, derived from what left so far, as configuration to paste")
    .addHelpText("after", examples)
    .action(
      act(async (context: Context, _options: object) => {
        const { out } = context;
        const found = await (await context.fuse()).suggest();
        if (found.messages === 0) {
          out.line("The ledger holds no mail that left. Let the application send in observe mode, then ask again.");
          out.json(found);
          return exit.ok;
        }
        const hours = Math.round(found.spanMs / 3_600_000);
        out.line(
          `${found.messages} messages over ${hours < 48 ? `${hours} hours` : duration(Math.round(hours / 24) * 86_400_000)}.`,
        );
        if (hours < 24 * 7) out.line(out.style("yellow", "That is less than a week: a weekly mail may be missing."));
        for (const { name, kind, seen, declared } of found.purposes) {
          if (kind === "bulk" && !declared)
            out.line(
              `${name}: most of a day's mail left within ten minutes, to ${seen.day} people. A mass mail needs a plan.`,
            );
        }
        out.result(found.config.trimEnd(), found);
        return exit.ok;
      }),
    );
}
