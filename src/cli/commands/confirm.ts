/**
 * `mailfuse confirm`: an approver looks at a plan, types what it does, and signs with their own key.
 *
 * @module
 */
import type { Command } from "commander";
import { signToken } from "../../index";
import { sameName } from "../../principals";
import type { Act, Context } from "../context";
import { effectOf } from "../effect";
import { exit } from "../exit";
import { readKeyFile } from "../key-file";
import { ask, askSecret, requireTerminal } from "../prompt";
import { keyPath } from "./keys";
import { showPlan } from "./plan";

interface Options {
  readonly key?: string;
  readonly by?: string;
  readonly record?: boolean;
}

const examples = `
Needs a terminal: nobody confirms for somebody else. The token goes to stdout; hand it to whoever releases the plan,
or have it recorded with --record.

Examples:
  $ npx mailfuse confirm p_7f3k --key ~/.mailfuse/erin.key
  $ npx mailfuse confirm p_7f3k --by erin --record
`;

export function addConfirm(program: Command, act: Act): void {
  program
    .command("confirm")
    .description("look at a plan and sign it with your own key")
    .argument("<plan>")
    .option("-k, --key <file>", "your key file @default ~/.mailfuse/<by>.key, or MAILFUSE_KEY")
    .option("--by <name>", "your name, where --key is not given")
    .option("--record", "record the confirmation in the store: then the release needs no token")
    .addHelpText("after", examples)
    .action(
      act(async (context: Context, id: string, options: Options) => {
        const { io, out } = context;
        requireTerminal(
          io,
          "a confirmation is typed by a person",
          "Run it in a terminal, or confirm in the console with a passkey.",
        );
        const key = await readKeyFile(keyPath(context, options.key, options.by));
        const fuse = await context.fuse();
        const { plan, view } = await fuse.view(id, { by: key.name });
        showPlan(out, plan, await effectOf(fuse, id));
        if (sameName(plan.terms.requester, key.name)) {
          out.line(out.style("red", "\nYou asked for this plan: another approver has to confirm it."));
          out.json({ confirmed: false, reason: "own" });
          return exit.refused;
        }
        out.line("");
        const typed = await ask(io, `Type ${out.style("bold", plan.phrase)} to confirm, anything else to leave: `);
        if (typed.trim() !== plan.phrase) {
          out.line("Not confirmed.");
          out.json({ confirmed: false, reason: "phrase" });
          return exit.refused;
        }
        const { privateKey } = await key.unlock(await askSecret(io, `Passphrase of ${key.name}'s key: `));
        const token = await signToken({
          plan: id,
          digest: plan.digest,
          view,
          by: key.name,
          privateKey,
          now: context.clock.now(),
        });
        if (!options.record) {
          out.line("Confirmed. The token counts for 30 minutes, once:");
          out.result(token, { confirmed: true, by: key.name, plan: id, token });
          return exit.ok;
        }
        const { state, approvals } = await fuse.confirm(id, { tokens: [token] });
        out.line(`Recorded: ${id} is ${state}, confirmed by ${approvals.join(", ")}.`);
        out.json({ confirmed: true, by: key.name, plan: id, state, approvals });
        return state === "confirmed" ? exit.ok : exit.waiting;
      }),
    );
}
