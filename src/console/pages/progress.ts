/**
 * A release under way: live counts, the canary, and the way to stop it.
 *
 * @module
 */
import type { EntryState, Plan } from "../../index";
import { data, page } from "../answer";
import { type Html, html } from "../html";
import { formOf, type Visit } from "../visit";
import { field, layout, number, table } from "./layout";
import { stateMark } from "./plans";

const states: readonly (readonly [EntryState, string])[] = [
  ["accepted", "accepted by the provider"],
  ["refused", "refused by the provider"],
  ["failed", "failed"],
  ["unknown", "unknown: may have been delivered"],
  ["reserved", "on their way"],
  ["claimed", "taken by a worker"],
  ["waiting", "waiting"],
];

/** The page; with the script the counts move by themselves, without it the page loads again. */
export async function progress(visit: Visit): Promise<Response> {
  const { base, fuse, params } = visit;
  const [id = ""] = params;
  const plan = await fuse.findPlan(id);
  const counts = await fuse.progress(id);
  const settled = settledOf(plan, counts);
  const content = html`<h1>Release of <code>${id}</code></h1>
<div data-live="${base}/plans/${id}/progress.json"><p>State: <span data-count="state">${stateMark(plan.state)}</span></p>
<p><progress max="${plan.terms.entries}" value="${settled}" data-count="settled" aria-label="Entries settled"></progress> <span data-count="settled">${number(settled)}</span> of ${number(plan.terms.entries)} entries settled</p>
${table(
  "Entries by what became of them",
  ["Outcome", "Entries"],
  states.map(([state, text]) => [text, html`<span data-count="${state}">${number(counts[state] ?? 0)}</span>`]),
)}
<p class="sr" role="status" data-count="said"></p></div>
${canary(visit, plan)}${stop(visit, plan)}
<p><a href="${base}/plans/${id}">To the plan</a></p>`;
  return page(layout(visit, "Release", content, running(plan) ? { refresh: 5 } : {}));
}

/** The counts, for the script. */
export async function counts(visit: Visit): Promise<Response> {
  const [id = ""] = visit.params;
  const plan = await visit.fuse.findPlan(id);
  const found = await visit.fuse.progress(id);
  const shown = Object.fromEntries(states.map(([state]) => [state, found[state] ?? 0]));
  return data({ ...shown, settled: settledOf(plan, found), state: plan.state, running: running(plan) });
}

function settledOf({ terms }: Plan, found: Readonly<Partial<Record<EntryState, number>>>): number {
  const open = (found.waiting ?? 0) + (found.claimed ?? 0) + (found.reserved ?? 0);
  const known = Object.values(found).reduce((sum, count) => sum + count, 0);
  return Math.max(0, Math.min(terms.entries, known) - open);
}

function running({ state }: Plan): boolean {
  return ["confirmed", "releasing", "canary"].includes(state);
}

function canary(visit: Visit, plan: Plan): Html | undefined {
  if (plan.state !== "canary") return undefined;
  const { id, digest } = plan;
  return html`<section class="card"><h2>Canary</h2><p>The first ${number(plan.terms.canary?.people ?? 0)} people have their mail. Look at what they say before the rest goes.</p>
${formOf(visit, { action: "proceed", path: `/plans/${id}/proceed`, subject: id, digest }, html`<button>Let the rest go</button>`)}</section>`;
}

function stop(visit: Visit, { id, digest, state, terms }: Plan): Html | undefined {
  if (!["releasing", "canary", "partial"].includes(state) || visit.actor.roles.length === 0) return undefined;
  const why = field("Why (stands in the ledger: no addresses)", html`<input name="reason" required maxlength="200">`);
  return html`<section class="card"><h2>Stop it</h2>
${formOf(visit, { action: "halt", path: "/halt" }, html`<input type="hidden" name="purpose" value="${terms.purpose}">${why}<button class="danger">Halt this purpose now</button>`)}
${formOf(visit, { action: "revoke", path: `/plans/${id}/revoke`, subject: id, digest }, html`${why}<button class="danger">Revoke this plan for good</button>`)}</section>`;
}
