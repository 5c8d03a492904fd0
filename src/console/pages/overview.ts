/**
 * The overview: mode, halts, caps and how full they are, plans that wait, last refusals.
 *
 * @module
 */
import type { Status } from "../../index";
import { page, redirect } from "../answer";
import { type Html, html, told } from "../html";
import { boundOf, formOf, type Visit } from "../visit";
import { field, layout, number, span, table, time } from "./layout";
import { planRows } from "./plans";
import { problemPage } from "./problem";

/** The page. */
export async function overview(visit: Visit): Promise<Response> {
  const status = await visit.fuse.status();
  const { description } = status;
  const content = html`<h1>Overview</h1>
${notice(visit)}
<div class="columns"><section class="card"><h2>What leaves</h2><p>${told(description.letsThrough)}</p>
<p>Clients: ${description.clients.length > 0 ? told(description.clients.join(", ")) : "none attached in this process"}</p>
<p>Store: ${told(description.store?.says ?? "not opened yet")} Answers in ${status.store.latencyMs} ms.</p></section>
<section class="card"><h2>Halt</h2>${halts(visit, status)}${haltForm(visit, status)}</section></div>
<section><h2>Caps</h2>${status.caps.length === 0 ? html`<p>No cap over a window of time.</p>` : caps(status)}</section>
<section><h2>Plans that wait or are under way</h2>${status.plans.length === 0 ? html`<p>None.</p>` : planRows(visit, status.plans)}</section>
<section><h2>Last refusals</h2>${status.refusals.length === 0 ? html`<p>None.</p>` : refusals(status)}</section>`;
  return page(layout(visit, "Overview", content));
}

const notices: Readonly<Record<string, string>> = {
  halted: "Halted. Every process that shares the store sees it.",
  resumed: "Resumed.",
};

function notice({ url }: Visit): Html | undefined {
  const text = notices[url.searchParams.get("done") ?? ""];
  return text === undefined ? undefined : html`<p class="notice" role="status">${text}</p>`;
}

function halts(visit: Visit, { halts: on }: Status): Html {
  if (on.length === 0) return html`<p>Nothing is halted.</p>`;
  return html`<ul class="halts">${on.map(({ scope, by, reason, at }) => {
    const what = scope === "*" ? "everything" : scope.replace(/^purpose:/, "");
    const resume = formOf(
      visit,
      { action: "resume", path: "/resume", subject: scope },
      html`<input type="hidden" name="scope" value="${scope}"><button>Resume ${told(what)}</button>`,
    );
    return html`<li><strong>${told(what)}</strong> by ${told(by)} ${at && time(at)}: ${told(reason)} ${(scope === "*" || scope.startsWith("purpose:")) && resume}</li>`;
  })}</ul>`;
}

function haltForm(visit: Visit, { description }: Status): Html {
  const names = ["", ...description.purposes.map(({ name }) => name), "(none)"];
  return formOf(
    visit,
    { action: "halt", path: "/halt" },
    html`${field("What", html`<select name="purpose">${names.map((name) => html`<option value="${name}">${name === "" ? "everything" : name === "(none)" ? "mail without a purpose" : name}</option>`)}</select>`)}
${field("Why (stands in the ledger: no addresses)", html`<input name="reason" required maxlength="200">`)}
<button class="danger">Halt now</button>`,
  );
}

function caps({ caps: bounds }: Status): Html {
  return table(
    "Distinct people reached in each window",
    ["Purpose", "Reached", "At most", "Full"],
    bounds.map(({ purpose, people, windowMs, used, onExceeded }) => {
      const percent = Math.min(100, Math.round((used / people) * 100));
      return [
        purpose === "*" ? "everything" : purpose === "(none)" ? "mail without a purpose" : told(purpose),
        number(used),
        `${number(people)} per ${span(windowMs)}${onExceeded === "halt" ? ", then halted" : ""}`,
        html`<meter min="0" max="100" low="80" high="99" optimum="0" value="${percent}" aria-label="${percent} % full">${percent} %</meter> ${percent} %`,
      ];
    }),
  );
}

function refusals({ refusals: last }: Status): Html {
  return table(
    "Refusals, the newest first",
    ["When", "Purpose", "People", "Why", "Ledger"],
    last.map(({ seq, at, purposes, people, reasons, left }) => [
      time(at),
      told(purposes.join(", ")),
      number(people),
      Object.keys(reasons).join(", "),
      html`${left && "left; live would refuse it"} #${seq}`,
    ]),
  );
}

/** Halts. */
export async function halt(visit: Visit): Promise<Response> {
  const { form, forms, fuse, actor, base } = visit;
  const answer = forms.spend(form.get("token") ?? "", boundOf(visit, { action: "halt" }));
  if (answer !== "good") return problemPage(visit, 403, answer);
  const reason = (form.get("reason") ?? "").trim();
  if (reason === "") return problemPage(visit, 422, "no-reason");
  const purpose = form.get("purpose") ?? "";
  await fuse.halt({ ...(purpose === "" ? {} : { purpose }), reason: reason.slice(0, 200), by: actor.id });
  return redirect(`${base}/?done=halted`);
}

/** Ends a halt. */
export async function resume(visit: Visit): Promise<Response> {
  const { form, forms, fuse, actor, base } = visit;
  const scope = form.get("scope") ?? "";
  const answer = forms.spend(form.get("token") ?? "", boundOf(visit, { action: "resume", subject: scope }));
  if (answer !== "good") return problemPage(visit, 403, answer);
  await fuse.resume({ ...(scope === "*" ? {} : { purpose: scope.replace(/^purpose:/, "") }), by: actor.id });
  return redirect(`${base}/?done=resumed`);
}
