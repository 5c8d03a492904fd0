/**
 * `mailfuse release`: delivers a confirmed plan through the clients that the configuration attaches.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Command } from "commander";
import type { ReleaseResult } from "../../index";
import type { Act, Context } from "../context";
import { type ExitCode, exit, UsageError } from "../exit";
import { plain } from "../output";
import { progress } from "../progress";

interface Options {
  readonly token?: readonly string[];
  readonly tokens?: string;
  readonly concurrency?: string;
}

const examples = `
Ends with 4 when confirmations are missing, with 3 when it was stopped. Run again after a crash, it goes on where it was;
no token is needed then.

Examples:
  $ npx mailfuse release p_7f3k --token "$ERINS" --token "$FRANKS"
  $ npx mailfuse release p_7f3k --tokens tokens.txt
`;

export function addRelease(program: Command, act: Act): void {
  program
    .command("release")
    .description("deliver a confirmed plan, exactly as it was confirmed")
    .argument("<plan>")
    .option("-t, --token <token>", "a confirmation; once for each approver", (token: string, all: string[] = []) => [
      ...all,
      token,
    ])
    .option("--tokens <file>", "a file of confirmations, one a line")
    .option("--concurrency <n>", "deliveries under way at once @default 5")
    .addHelpText("after", examples)
    .action(
      act(async (context: Context, id: string, options: Options) => {
        const { out } = context;
        const fuse = await context.fuse();
        const plan = await fuse.findPlan(id);
        const tokens = [...(options.token ?? []), ...(await fileTokens(context, options.tokens))];
        const bar = progress(context.io, "Delivering");
        let delivered = 0;
        const result = await fuse
          .release(id, {
            tokens,
            ...(options.concurrency === undefined ? {} : { concurrency: concurrency(options.concurrency) }),
            onDelivered: () => bar.at(++delivered, plan.terms.entries),
          })
          .finally(() => bar.end());
        out.line(
          `${id} is ${out.style(result.state === "done" ? "green" : "red", result.state)}: ${result.accepted} accepted, ${result.refused} refused by the provider, ${result.unknown} unknown, ${result.waiting} waiting.`,
        );
        for (const { code, message } of result.refusals.slice(0, 10)) out.line(`  ${code}: ${plain(message)}`);
        out.json(result);
        return codeOf(result);
      }),
    );
}

function codeOf({ state, unknown, refused, waiting }: ReleaseResult): ExitCode {
  if (state === "done") return exit.ok;
  return state === "partial" || unknown + refused > 0 || waiting === 0 ? exit.failure : exit.refused;
}

async function fileTokens(context: Context, file: string | undefined): Promise<readonly string[]> {
  if (file === undefined) return [];
  const text = await readFile(path.resolve(context.directory, file), "utf8").catch(() => {
    throw new UsageError("Expected the file named with --tokens, got none that can be read.");
  });
  return text.split(/\s+/).filter(Boolean);
}

function concurrency(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new UsageError("Expected --concurrency to be a whole number from 1 to 999, got something else.");
}
