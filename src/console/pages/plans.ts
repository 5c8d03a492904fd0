/**
 * The list of plans.
 *
 * @module
 */
import type { Plan } from "../../index";
import { page } from "../answer";
import { type Html, html, told } from "../html";
import type { Visit } from "../visit";
import { layout, number, table } from "./layout";

/** The page: the newest hundred. */
export async function plans(visit: Visit): Promise<Response> {
  const found = await visit.fuse.plans({ limit: 100 });
  const content = html`<h1>Plans</h1>${found.length === 0 ? html`<p>No plan has been made.</p>` : planRows(visit, found)}`;
  return page(layout(visit, "Plans", content));
}

/** Plans as a table. */
export function planRows({ base }: Pick<Visit, "base">, found: readonly Plan[]): Html {
  return table(
    "Plans, the newest first",
    ["Plan", "State", "People", "Asked for by", "Confirmed by"],
    found.map(({ id, state, terms, approvals }) => [
      html`<a href="${base}/plans/${id}">${told(terms.purpose)} <code>${id}</code></a>`,
      stateMark(state),
      number(terms.people),
      told(terms.requester),
      approvals.length === 0 ? "nobody" : told(approvals.join(", ")),
    ]),
  );
}

/** A state in a word, told by its shape too and not by colour alone. */
export function stateMark(state: Plan["state"]): Html {
  const kind =
    state === "done" || state === "confirmed"
      ? "good"
      : ["planned", "releasing", "canary", "rehearsing"].includes(state)
        ? "open"
        : "bad";
  return html`<span class="state ${kind}">${state}</span>`;
}
