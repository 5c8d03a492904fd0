/**
 * The ledger: its lines, filtered, and whether it is as it was written.
 *
 * @module
 */
import type { LedgerEntry, Verdict } from "../../index";
import { page } from "../answer";
import { type Html, html, told } from "../html";
import { boundOf, formOf, type Visit } from "../visit";
import { field, layout, number, table, time } from "./layout";
import { problemPage } from "./problem";

/** Lines on one page, and how many are looked at for them. */
const perPage = 100;
const looksAt = 5_000;

/** The page. */
export async function ledger(visit: Visit): Promise<Response> {
  return page(layout(visit, "Ledger", await content(visit, undefined)));
}

/** The page with a verdict. Reading the whole ledger costs: a few times a minute. */
export async function verify(visit: Visit): Promise<Response> {
  const { form, forms, fuse, tries } = visit;
  const answer = forms.spend(form.get("token") ?? "", boundOf(visit, { action: "verify" }));
  if (answer !== "good") return problemPage(visit, 403, answer);
  if (!tries.costly.allows("verify")) return problemPage(visit, 429, "too-many");
  const verdict = await fuse.ledger.verify();
  return page(layout(visit, "Ledger", await content(visit, verdict)));
}

async function content(visit: Visit, verdict: Verdict | undefined): Promise<Html> {
  const { base, url } = visit;
  const { type, about, after } = filterOf(url);
  const { lines, next } = await read(visit, { type, about, after });
  const query = (from: number) => new URLSearchParams({ type, about, after: String(from) }).toString();
  return html`<h1>Ledger</h1>
<section class="card"><h2>As it was written?</h2>${verdict && verdictOf(verdict)}${formOf(visit, { action: "verify", path: "/ledger/verify" }, html`<button>Verify the whole ledger</button>`)}</section>
<form method="get" action="${base}/ledger" class="filter">${field("Type, for example refused", html`<input name="type" value="${type}" maxlength="40">`)}
${field("Mentions a purpose, plan or code", html`<input name="about" value="${about}" maxlength="80">`)}
${field("After line number; empty for the newest", html`<input name="after" inputmode="numeric" pattern="\\d*" value="${after === undefined ? "" : String(after)}">`)}<button>Show</button></form>
${lines.length === 0 ? html`<p>No such lines.</p>` : table("Oldest first", ["Line", "When", "Type", "What"], lines.map(row))}
<nav class="pages" aria-label="Lines">${after !== undefined && after > 0 && html`<a href="${base}/ledger?${query(Math.max(0, after - perPage))}">Earlier</a>`} ${next !== undefined && html`<a href="${base}/ledger?${query(next)}">Later</a>`}</nav>`;
}

function filterOf(url: URL) {
  const text = (name: string) => (url.searchParams.get(name) ?? "").slice(0, 80);
  const after = text("after");
  return { type: text("type"), about: text("about"), after: /^\d{1,15}$/.test(after) ? Number(after) : undefined };
}

async function read({ fuse }: Visit, { type, about, after }: ReturnType<typeof filterOf>) {
  const lines: LedgerEntry[] = [];
  let next: number | undefined;
  let looked = 0;
  let newest = after;
  if (newest === undefined) for await (const { seq } of fuse.ledger.tail()) newest = seq;
  const from = after ?? Math.max(0, (newest ?? 0) - (type || about ? looksAt : perPage));
  for await (const entry of fuse.ledger.tail({ after: from })) {
    const fits =
      (type === "" || entry.event.type === type) && (about === "" || JSON.stringify(entry.event).includes(about));
    if (fits) lines.push(entry);
    looked++;
    if (looked < looksAt && (after === undefined || lines.length < perPage)) continue;
    next = entry.seq;
    break;
  }
  return { lines: lines.slice(-perPage), next };
}

function row({ seq, at, event }: LedgerEntry) {
  const { type, v: _v, people, ...rest } = event;
  const who = Array.isArray(people) ? { people: people.length } : {};
  return [
    String(seq),
    time(at),
    html`<code>${type}</code>`,
    html`<code class="line">${told(JSON.stringify({ ...rest, ...who }).slice(0, 400))}</code>`,
  ];
}

function verdictOf({ ok, lines, heads, problems, problemCount, unsealed, notes }: Verdict): Html {
  return html`<p role="status" class="${ok ? "notice" : "refused"}">${ok ? "As it was written" : `NOT as it was written: ${number(problemCount)} problems`}; ${number(lines)} lines, ${number(heads)} signed heads, ${number(unsealed.lines)} lines not sealed yet.</p>
<ul>${problems.slice(0, 20).map(({ kind, from, to, message }) => html`<li>${kind}, lines ${from} to ${to}: ${told(message)}</li>`)}${notes.map((note) => html`<li>${told(note)}</li>`)}</ul>`;
}
