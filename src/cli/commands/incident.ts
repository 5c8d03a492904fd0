/**
 * `mailfuse incident show|report|correct`: what a mistake did, and what puts it right.
 *
 * @module
 */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { Command } from "commander";
import type { Incident, IncidentScope } from "../../index";
import type { Act, Context } from "../context";
import { exit, UsageError } from "../exit";
import { plain, time } from "../output";
import { progress } from "../progress";

interface Scope {
  readonly purpose?: string;
  readonly from?: string;
  readonly to?: string;
}

const whose = `
Name a plan, or a purpose and a time. For whom the mails were right, the configuration says:
  export const incident = { right: (address) => refunds.isDue(address), send: ({ address, mayHave }) => apologise(address, mayHave) };
`;

export function addIncident(program: Command, act: Act): void {
  const incident = program.command("incident").description("what a mistake did, and what puts it right");
  scoped(incident.command("show").description("whom mail reached, what stopped it, the timeline"))
    .addHelpText(
      "after",
      `${whose}\nExamples:\n  $ npx mailfuse incident show p_7f3k\n  $ npx mailfuse incident show --purpose refund --from 2026-11-22T09:00Z\n`,
    )
    .action(
      act(async (context: Context, plan: string | undefined, options: Scope) => {
        const found = await open(context, plan, options);
        show(context, found);
        context.out.json(found.data);
        return exit.ok;
      }),
    );
  scoped(incident.command("report").description("figures, timeline and drafts, for a ticket or as one HTML file"))
    .option("--html <file>", "write one HTML file instead of Markdown on stdout")
    .addHelpText("after", `${whose}\nExample:\n  $ npx mailfuse incident report p_7f3k --html incident.html\n`)
    .action(
      act(async (context: Context, plan: string | undefined, options: Scope & { readonly html?: string }) => {
        const found = await open(context, plan, options);
        if (options.html === undefined)
          context.out.result(found.markdown(), { ...found.data, markdown: found.markdown() });
        else {
          await writeFile(path.resolve(context.directory, options.html), found.html(), {
            flag: "wx",
            mode: 0o600,
          }).catch((error: NodeJS.ErrnoException) => {
            throw new UsageError(`Expected --html to name a file that can be made, got ${error.code ?? "another"}.`);
          });
          context.out.line("Written.");
          context.out.json({ html: options.html });
        }
        return exit.ok;
      }),
    );
  scoped(incident.command("correct").description("plan the correction: to the people reached, and nobody else"))
    .option("--by <name>", "a declared approver or requester, who cannot confirm it")
    .option("--without-destroyed", "go on without people whose address is destroyed")
    .addHelpText(
      "after",
      `${whose}\nNothing leaves: the plan is confirmed and released like any other.\n\nExample:\n  $ npx mailfuse incident correct p_7f3k --by dana\n`,
    )
    .action(
      act(
        async (
          context: Context,
          plan: string | undefined,
          options: Scope & { readonly by?: string; readonly withoutDestroyed?: boolean },
        ) => {
          const { incident: given } = await context.load();
          if (!given?.send) {
            throw new UsageError(
              "Expected the configuration to export `incident` with `right` and `send`, got none.",
              "export const incident = { right: (address) => …, send: ({ address, mayHave }) => … };",
            );
          }
          const found = await open(context, plan, options);
          const correction = await found.correction({
            requestedBy: context.by(options.by),
            send: given.send,
            ...(given.data ? { data: given.data } : {}),
            ...(given.unsubscribed ? { unsubscribed: given.unsubscribed } : {}),
            ...(options.withoutDestroyed ? { withoutDestroyed: true } : {}),
          });
          context.out.line(
            `Planned ${correction.id}: ${correction.phrase}, ${correction.state}. Look at it with \`mailfuse plan show ${correction.id}\`.`,
          );
          context.out.json(correction);
          return correction.state === "refused" ? exit.refused : exit.waiting;
        },
      ),
    );
}

function scoped(command: Command): Command {
  return command
    .argument("[plan]", "the plan that went wrong")
    .option("-p, --purpose <name>", "mails of this purpose")
    .option("--from <time>", "since this time, ISO 8601")
    .option("--to <time>", "until this time @default now");
}

async function open(context: Context, plan: string | undefined, options: Scope): Promise<Incident> {
  const { fuse, incident } = await context.load();
  const bar = progress(context.io, "Reading lines");
  const right = incident?.right;
  return fuse
    .incident(scopeOf(plan, options), {
      ...(right === undefined ? {} : { right }),
      onProgress: (lines) => bar.at(lines),
    })
    .finally(() => bar.end());
}

function scopeOf(plan: string | undefined, { purpose, from, to }: Scope): IncidentScope {
  if (plan !== undefined && purpose === undefined) return { plan };
  if (plan === undefined && purpose !== undefined && from !== undefined) {
    return { purpose, from: moment(from, "--from"), ...(to === undefined ? {} : { to: moment(to, "--to") }) };
  }
  throw new UsageError("Expected a plan, or --purpose with --from, got neither or both.");
}

function moment(text: string, option: string): number {
  // A zone is asked for: a report about the wrong hour is worse than none.
  if (/^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:?\d{2}))$/.test(text) && !Number.isNaN(Date.parse(text)))
    return Date.parse(text);
  throw new UsageError(`Expected ${option} as 2026-11-22T09:00Z, with its zone, got another form.`);
}

function show({ out }: Context, { data }: Incident): void {
  const { people } = data;
  const count = (value: number | undefined) => (value === undefined ? "nobody said" : String(value));
  out.line(
    `${out.style("bold", plain(data.id))}: "${data.purpose}" in "${data.environment}", ${time(data.from)} to ${time(data.to)}`,
  );
  out.title("People");
  out.table([
    ["reached", String(people.accepted)],
    ["may have been reached", String(people.unknown)],
    ["of these rightly", count(people.rightly)],
    ["of these wrongly", count(people.wrongly)],
    ["undecided", String(people.undecided)],
    ["refused by the provider", String(people.refused)],
    ["stopped by the fuse", String(people.stopped)],
    ["still waiting", String(people.notSent)],
  ]);
  if (data.stop) out.line(`\nStopped ${time(data.stop.at)} by ${data.stop.by}: ${plain(data.stop.what)}`);
  out.title("Timeline");
  for (const { at, what } of data.timeline) out.line(`  ${time(at)}  ${plain(what)}`);
  for (const { plan, state, entries } of data.waiting)
    out.line(
      out.style(
        "red",
        `\n${plan} is ${state} and could still send ${entries} entries: \`mailfuse plan revoke ${plan}\`.`,
      ),
    );
  out.line(
    `\nA correction would go to ${count(data.correction.people)}; ${data.correction.unreachable} can no longer be reached, ${data.correction.unsubscribed} have unsubscribed.`,
  );
  for (const warning of data.warnings) out.line(out.style("yellow", plain(warning)));
}
