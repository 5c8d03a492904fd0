/**
 * `mailfuse status`: mode, halts, caps, plans, last refusals.
 *
 * @module
 */
import type { Command } from "commander";
import type { Status } from "../../index";
import type { Act, Context } from "../context";
import { exit } from "../exit";
import { duration, type Output, plain, time } from "../output";

/** The line about the mode, which nobody should overlook. */
export function modeLine(out: Output, { environment, mode, why, letsThrough }: Status["description"]): void {
  const shown = mode === "test" ? out.style("green", "TEST") : out.style(["bold", "red"], mode.toUpperCase());
  out.line(`${shown} in "${plain(environment)}", because ${plain(why)}: ${plain(letsThrough)}`);
}

export function addStatus(program: Command, act: Act): void {
  program
    .command("status")
    .description("mode, halts, how full the caps are, plans that wait, last refusals")
    .addHelpText("after", "\nExample:\n  $ npx mailfuse status --json | jq .halts\n")
    .action(
      act(async (context: Context, _options: object) => {
        const status = await (await context.fuse()).status();
        show(context.out, status);
        context.out.json(status);
        return exit.ok;
      }),
    );
}

function show(out: Output, status: Status): void {
  modeLine(out, status.description);
  out.line(`Clients: ${status.description.clients.join(", ") || "none is attached in the configuration"}`);
  out.title("Halts");
  if (status.halts.length === 0) out.line("  none");
  for (const { scope, by, reason, at } of status.halts)
    out.line(`  ${out.style("red", scope)} by ${plain(by)}${at ? ` at ${time(at)}` : ""}: ${plain(reason)}`);
  out.title("Caps");
  if (status.caps.length === 0) out.line("  none over a window of time");
  out.table(
    status.caps.map(({ purpose, people, windowMs, used }) => [
      purpose,
      fullness(out, used / people),
      `${used} of ${people} people per ${duration(windowMs)}`,
    ]),
  );
  out.title("Plans");
  if (status.plans.length === 0) out.line("  none waits or is under way");
  out.table(
    status.plans.map(({ id, state, phrase, terms }) => [id, state, phrase, `asked for by ${plain(terms.requester)}`]),
  );
  out.title("Last refusals");
  if (status.refusals.length === 0) out.line("  none");
  out.table(
    status.refusals.map(({ at, purposes, people, reasons, left }) => [
      time(at),
      purposes.join(", "),
      `${people} ${people === 1 ? "person" : "people"}`,
      `${Object.keys(reasons).join(", ")}${left ? " (it left; live would refuse it)" : ""}`,
    ]),
  );
}

function fullness(out: Output, share: number): string {
  const cells = Math.min(10, Math.ceil(share * 10));
  const bar = `${"#".repeat(cells)}${".".repeat(10 - cells)}`;
  return out.style(share >= 1 ? "red" : share >= 0.8 ? "yellow" : "green", bar);
}
