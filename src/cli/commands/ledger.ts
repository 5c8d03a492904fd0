/**
 * `mailfuse ledger verify|export|tail`.
 *
 * @module
 */
import path from "node:path";
import type { Command } from "commander";
import type { Act, Context } from "../context";
import { exit, UsageError } from "../exit";
import { plain, time } from "../output";
import { progress } from "../progress";

interface TailOptions {
  readonly after?: string;
  readonly follow?: boolean;
}

interface ExportOptions {
  readonly format: string;
  readonly trimOlderThan?: `${number}d`;
}

export function addLedger(program: Command, act: Act): void {
  const ledger = program.command("ledger").description("the record of every decision and outcome");
  ledger
    .command("verify")
    .description("is the ledger as it was written, and where not; ends with 3 when it is not")
    .option("-f, --file <file>", "an exported file instead of the store")
    .option("--expect <seq:hash>", "a head known from elsewhere, as a former export or verdict printed it")
    .addHelpText(
      "after",
      "\nExamples:\n  $ npx mailfuse ledger verify\n  $ npx mailfuse ledger verify --file ledger.jsonl\n",
    )
    .action(
      act(async (context: Context, options: { file?: string; expect?: string }) => {
        const { out } = context;
        const bar = progress(context.io, "Reading lines");
        const fuse = await context.fuse();
        const verdict = await fuse.ledger
          .verify({
            ...(options.file === undefined ? {} : { file: path.resolve(context.directory, options.file) }),
            ...(options.expect === undefined ? {} : { expectedHead: expectedHead(options.expect) }),
            onProgress: (lines) => bar.at(lines),
          })
          .finally(() => bar.end());
        out.line(
          verdict.ok
            ? `${out.style("green", "As it was written")}: ${verdict.lines} lines, ${verdict.heads} signed heads.`
            : `${out.style("red", "NOT as it was written")}: ${verdict.problemCount} problems in ${verdict.lines} lines.`,
        );
        for (const { kind, from, to, message } of verdict.problems)
          out.line(`  ${kind} ${from === to ? `line ${from}` : `lines ${from} to ${to}`}: ${plain(message)}`);
        if (verdict.unsealed.lines > 0)
          out.line(`${verdict.unsealed.lines} lines are not sealed yet; of those nobody can tell.`);
        for (const note of verdict.notes) out.line(plain(note));
        if (verdict.sealed) out.line(`Keep elsewhere: --expect ${verdict.sealed.upto}:${verdict.sealed.hash}`);
        out.json(verdict);
        return verdict.ok ? exit.ok : exit.refused;
      }),
    );
  ledger
    .command("export")
    .description("write the ledger to a file, or to stdout with -; a file that holds an export is gone on with")
    .argument("<file>")
    .option("--format <format>", "jsonl or csv", "jsonl")
    .option("--trim-older-than <duration>", 'drop exported lines older than this from the store, for example "90d"')
    .addHelpText(
      "after",
      "\nExamples:\n  $ npx mailfuse ledger export ledger.jsonl\n  $ npx mailfuse ledger export - --format csv\n",
    )
    .action(
      act(async (context: Context, file: string, options: ExportOptions) => {
        const { format } = options;
        if (format !== "jsonl" && format !== "csv")
          throw new UsageError("Expected --format to be jsonl or csv, got another one.");
        const toStdout = file === "-";
        if (toStdout && context.out.options.json)
          throw new UsageError("Expected --json or the export on stdout, got both.");
        const bar = progress(context.io, "Exporting lines");
        const exported = await (await context.fuse()).ledger
          .export({
            to: toStdout ? (text) => void context.io.stdout.write(text) : path.resolve(context.directory, file),
            format,
            ...(options.trimOlderThan === undefined ? {} : { trimOlderThan: options.trimOlderThan }),
            onProgress: (lines) => bar.at(lines),
          })
          .finally(() => bar.end());
        context.out.line(`${exported.lines} lines written, up to number ${exported.last}.`);
        if (exported.trimmed !== undefined)
          context.out.line(`Lines up to ${exported.trimmed} are dropped from the store.`);
        if (exported.head) context.out.line(`Keep elsewhere: --expect ${exported.head.upto}:${exported.head.hash}`);
        context.out.json(exported);
        return exit.ok;
      }),
    );
  ledger
    .command("tail")
    .description("the newest lines")
    .option("--after <seq>", "lines after this number")
    .option("-f, --follow", "wait for new lines until Ctrl-C")
    .addHelpText(
      "after",
      "\nExamples:\n  $ npx mailfuse ledger tail --follow\n  $ npx mailfuse ledger tail --json | jq .event.type\n",
    )
    .action(
      act(async (context: Context, options: TailOptions) => {
        const stop = new AbortController();
        process.once("SIGINT", () => stop.abort());
        for (const stream of [context.io.stdout, context.io.stderr]) stream.once("error", () => stop.abort());
        const entries = (await context.fuse()).ledger.tail({
          ...(options.after === undefined ? {} : { after: wholeNumber(options.after, "--after") }),
          follow: options.follow === true,
          signal: stop.signal,
        });
        for await (const entry of entries) {
          const { type, v: _v, ...fields } = entry.event;
          context.out.line(
            `${entry.seq}  ${time(entry.at)}  ${context.out.style("bold", type)}  ${plain(JSON.stringify(fields)).slice(0, 300)}`,
          );
          // A line each, as they come.
          context.out.json(entry);
        }
        return exit.ok;
      }),
    );
}

function expectedHead(text: string): { readonly upto: number; readonly hash: string } {
  const [, upto, hash] = /^(\d+):([\w-]+)$/.exec(text) ?? [];
  if (upto === undefined || hash === undefined)
    throw new UsageError("Expected --expect as <number>:<hash>, got another form.");
  return { upto: Number(upto), hash };
}

/** A whole number from an option. */
export function wholeNumber(text: string, option: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`Expected ${option} to be a whole number, got something else.`);
}
