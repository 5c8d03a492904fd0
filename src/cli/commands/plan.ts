/**
 * `mailfuse plan list|show|diff|reject|revoke|exclude`.
 *
 * @module
 */
import type { Command } from "commander";
import { type Plan, type PlanSummary, summaryText } from "../../index";
import type { Act, Context } from "../context";
import { effectOf } from "../effect";
import { type ExitCode, exit, UsageError } from "../exit";
import { type Output, plain, time } from "../output";
import { wholeNumber } from "./ledger";

interface Decision {
  readonly reason: string;
  readonly by?: string;
}

export function addPlan(program: Command, act: Act): void {
  const plan = program.command("plan").description("mass mails: look, compare, say no");
  plan
    .command("list")
    .description("the plans of the store, newest first")
    .option("--limit <n>", "how many at most @default 50")
    .addHelpText("after", "\nExample:\n  $ npx mailfuse plan list\n")
    .action(
      act(async (context: Context, options: { limit?: string }) => {
        const limit = options.limit === undefined ? {} : { limit: wholeNumber(options.limit, "--limit") };
        const plans = await (await context.fuse()).plans(limit);
        if (plans.length === 0) context.out.line("No plans in this store.");
        context.out.table(
          plans.map(({ id, state, phrase, terms, approvals }) => [
            id,
            stateText(context.out, state),
            phrase,
            `asked for by ${plain(terms.requester)}`,
            approvals.length > 0 ? `confirmed by ${approvals.map(plain).join(", ")}` : "",
          ]),
        );
        context.out.json(plans);
        return exit.ok;
      }),
    );
  plan
    .command("show")
    .description("the computed effect: counts, domains, samples, unmet claims")
    .argument("<plan>")
    .addHelpText(
      "after",
      "\nShows addresses and excerpts of mails: for people who may see them.\n\nExample:\n  $ npx mailfuse plan show p_7f3k\n",
    )
    .action(
      act(async (context: Context, id: string) => {
        const fuse = await context.fuse();
        const found = await fuse.findPlan(id);
        const summary = await effectOf(fuse, id);
        showPlan(context.out, found, summary);
        context.out.json({ plan: found, ...(summary ? { summary } : {}) });
        return exit.ok;
      }),
    );
  plan
    .command("diff")
    .description("what is other than in the last release of the purpose")
    .argument("<plan>")
    .addHelpText("after", "\nExample:\n  $ npx mailfuse plan diff p_7f3k\n")
    .action(
      act(async (context: Context, id: string) => {
        const summary = await effectOf(await context.fuse(), id);
        if (!summary) throw new UsageError("Expected a plan whose mails can still be read, got one that is over.");
        showDiff(context.out, summary);
        context.out.json({ plan: id, people: summary.people, last: summary.last ?? null });
        return exit.ok;
      }),
    );
  deciding(plan.command("reject").description("say no: the plan is over"), "reject").action(
    act(async (context: Context, id: string, options: Decision) =>
      decided(context, await (await context.fuse()).reject(id, { by: context.by(options.by), reason: options.reason })),
    ),
  );
  deciding(plan.command("revoke").description("take a plan back, also while it is being released"), "revoke").action(
    act(async (context: Context, id: string, options: Decision) =>
      decided(context, await (await context.fuse()).revoke(id, { by: context.by(options.by), reason: options.reason })),
    ),
  );
  plan
    .command("exclude")
    .description("make another plan without the refused entries; it is confirmed anew")
    .argument("<plan>")
    .option("--by <name>", "a declared approver or requester")
    .addHelpText("after", "\nExample:\n  $ npx mailfuse plan exclude p_7f3k --by dana\n")
    .action(
      act(async (context: Context, id: string, options: Pick<Decision, "by">) => {
        const made = await (await context.fuse()).exclude(id, { by: context.by(options.by) });
        const left = made.excluded?.entries ?? 0;
        context.out.line(`Planned ${made.id}: ${made.phrase}, ${left} ${left === 1 ? "entry" : "entries"} left out.`);
        return decided(context, made);
      }),
    );
}

function deciding(command: Command, name: string): Command {
  return command
    .argument("<plan>")
    .requiredOption("-r, --reason <text>", "why; stands in the ledger, so no addresses")
    .option("--by <name>", "a declared approver or requester")
    .addHelpText("after", `\nExample:\n  $ npx mailfuse plan ${name} p_7f3k --reason "wrong list" --by erin\n`);
}

function decided(context: Context, plan: Plan): ExitCode {
  context.out.line(`${plan.id} is ${stateText(context.out, plan.state)}.`);
  context.out.json(plan);
  return plan.state === "refused" ? exit.refused : plan.state === "planned" ? exit.waiting : exit.ok;
}

/** A plan and what is known of its effect. */
export function showPlan(out: Output, plan: Plan, summary: PlanSummary | undefined): void {
  out.line(
    `${out.style("bold", plan.id)} is ${stateText(out, plan.state)}: ${out.style("bold", plan.phrase)} in "${plan.terms.environment}"`,
  );
  out.line(
    `Asked for by ${plain(plan.terms.requester)}; may leave from ${time(plan.terms.notBefore)} to ${time(plan.terms.notAfter)}.`,
  );
  out.line(`Confirmed by ${plan.approvals.map(plain).join(", ") || "nobody"}.`);
  if (summary) out.line(`\n${summaryText(summary)}`);
  else out.line("Its mails are gone with its key: the plan is over.");
  const counts = Object.entries(plan.refusalCounts);
  if (counts.length > 0) out.title("Refused");
  out.table(counts.map(([code, count]) => [code, String(count)]));
  for (const { code, message } of plan.refusals.slice(0, 5)) out.line(`  ${code}: ${plain(message)}`);
}

function showDiff(out: Output, { people, last }: PlanSummary): void {
  if (!last) {
    out.line(`${people} people. Nothing of this purpose was released here before.`);
    return;
  }
  out.line(
    `${people} people; ${last.people} in the last release (${last.plan}, planned ${time(last.at)}, ${last.state}).`,
  );
  if (last.gained === undefined || last.lost === undefined) out.line("Who of them is the same can no longer be told.");
  else
    out.line(
      `${out.style("green", `+${last.gained}`)} who were not in it, ${out.style("red", `-${last.lost}`)} who are not in this one.`,
    );
}

function stateText(out: Output, state: Plan["state"]): string {
  if (state === "done" || state === "confirmed") return out.style("green", state);
  if (state === "planned" || state === "releasing" || state === "canary" || state === "rehearsing")
    return out.style("yellow", state);
  return out.style("red", state);
}
