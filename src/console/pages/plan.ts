/**
 * One plan: what it does, who has confirmed, and what a person may do about it.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { MailfuseError, type Plan, type PlanSummary } from "../../index";
import { type PasskeyClaims, passkeyChallenge } from "../../plan/passkeys";
import { sampleLines, sectionsOf } from "../../plan/summary/lines";
import { sameName } from "../../principals";
import { page } from "../answer";
import { type Html, html, told } from "../html";
import { formOf, type Visit } from "../visit";
import { field, layout, number, table, time } from "./layout";
import { stateMark } from "./plans";

const notices: Readonly<Record<string, string>> = {
  confirmed: "Your confirmation is recorded.",
  rejected: "Rejected: the plan is over.",
  revoked: "Revoked: what has not left does not leave.",
  excluded: "This is another plan, without the refused entries. It needs its own confirmations.",
  proceeded: "The rest may go.",
};

/** The page. Looking at it as an approver is what a confirmation is bound to. */
export async function plan(visit: Visit): Promise<Response> {
  const { fuse, params, url, actor } = visit;
  const [id = ""] = params;
  const found = await fuse.findPlan(id);
  const summary = await summaryOf(visit, id);
  const done = notices[url.searchParams.get("done") ?? ""];
  const content = html`<h1>${number(found.terms.people)} ${told(found.terms.purpose)}</h1>
${done !== undefined && html`<p class="notice" role="status">${done}</p>`}
<div class="columns"><section class="card"><h2>Plan <code>${id}</code></h2><dl>
<dt>State</dt><dd>${stateMark(found.state)} ${running(found) && html`<a href="${visit.base}/plans/${id}/progress">Progress</a>`}</dd>
<dt>Environment</dt><dd>${told(found.terms.environment)}</dd>
<dt>Asked for by</dt><dd>${told(found.terms.requester)}</dd>
<dt>May leave</dt><dd>${time(found.terms.notBefore)} to ${time(found.terms.notAfter)}</dd>
${found.ended && html`<dt>Ended</dt><dd>by ${told(found.ended.by)}: ${told(found.ended.reason)}</dd>`}
${found.excluded && html`<dt>Left out</dt><dd>${number(found.excluded.entries)} entries of <code>${found.terms.from}</code>, by ${told(found.excluded.by)}</dd>`}
<dt>Digest</dt><dd><code>${found.digest}</code></dd></dl></section>
<section class="card"><h2>Confirmations</h2>${approvals(found)}${await decisions(visit, found)}</section></div>
${found.refusals.length > 0 && refused(found)}
${summary ? effect(visit, found, summary) : html`<p>Its mails are gone with its key: the plan is over.</p>`}
<p class="who-looks">You look as ${told(actor.id)}.</p>`;
  return page(layout(visit, `${found.terms.people} ${found.terms.purpose}`, content));
}

function running({ state }: Plan): boolean {
  return ["releasing", "canary", "partial", "halted", "done"].includes(state);
}

/** The summary; `undefined` once it is gone with the plan's key. */
async function summaryOf({ fuse }: Visit, id: string): Promise<PlanSummary | undefined> {
  try {
    return await fuse.summary(id);
  } catch (error) {
    if (MailfuseError.isInstance(error) && error.code === "PLAN_STATE") return undefined;
    throw error;
  }
}

function approvals({ approvals: by, requirements }: Plan): Html {
  return html`<p>${by.length === 0 ? "Nobody has confirmed." : html`Confirmed by ${told(by.join(", "))}.`}</p>
<ul>${requirements.map(({ approvals: count, roles }) => html`<li>needs ${count} ${count === 1 ? "approver" : "approvers"}${roles.length > 0 && ` with the role ${roles.join(" or ")}`}</li>`)}</ul>`;
}

function refused({ refusals, refusalCounts }: Plan): Html {
  return html`<section class="refused"><h2>Refused</h2>${table(
    "How often each reason occurs",
    ["Reason", "Times"],
    Object.entries(refusalCounts).map(([code, count]) => [html`<code>${code}</code>`, number(count ?? 0)]),
  )}
<ul>${refusals.slice(0, 20).map(({ code, message, where }) => html`<li><code>${code}</code>${where !== undefined && html` at ${told(where)}`}: ${told(message)}</li>`)}</ul></section>`;
}

function effect({ base }: Visit, { id }: Plan, summary: PlanSummary): Html {
  return html`<h2>What it does</h2><div class="columns">${sectionsOf(summary).map(
    ({ title, lines, alarming }) =>
      html`<section class="card${alarming && " alarming"}"><h3>${alarming && "⚠ "}${title}</h3><ul>${lines.map((line) => html`<li>${told(line)}</li>`)}</ul></section>`,
  )}</div>
<h2>Samples</h2><p><a href="${base}/plans/${id}/entries">All ${number(summary.entries)} entries</a></p>
<div class="columns">${summary.samples.map((sample) => {
    const [head = "", ...rest] = sampleLines(sample);
    return html`<article class="card mail"><h3><a href="${base}/plans/${id}/entries/${sample.entry}">${told(head)}</a></h3><ul>${rest.map((line) => html`<li>${told(line)}</li>`)}</ul>
<h4>${told(sample.subject ?? "(no subject)")}</h4>
<iframe sandbox="" title="Sample: ${head}" src="${base}/plans/${id}/entries/${sample.entry}/mails/${sample.message}" loading="lazy"></iframe></article>`;
  })}</div>`;
}

/** The forms this person may use now. */
async function decisions(visit: Visit, found: Plan): Promise<Html> {
  const { actor, fuse } = visit;
  const { id, digest, state, terms } = found;
  const open = state === "planned" || state === "confirmed" || state === "halted";
  const to = (action: string) => ({ action, path: `/plans/${id}/${action}`, subject: id, digest });
  const why = field("Why (stands in the ledger: no addresses)", html`<input name="reason" required maxlength="200">`);
  const forms: Html[] = [];
  if (actor.roles.length === 0) return html`<p>You may look; deciding needs a role.</p>`;
  if (open && sameName(actor.id, terms.requester))
    forms.push(html`<p>You asked for this plan: another approver has to confirm it.</p>`);
  else if (open && found.approvals.includes(actor.id)) forms.push(html`<p>You have confirmed it.</p>`);
  else if (open) {
    // The view is what a token of this person is bound to. Who is not declared gets none.
    const seen = await fuse.view(id, { by: actor.id }).catch(() => undefined);
    forms.push(
      seen
        ? html`<h3>Confirm</h3>${passkeyForm(visit, found, seen.view)}${confirmForm(visit, found)}`
        : html`<p>You are not declared as an approver here.</p>`,
    );
  }
  if (open) forms.push(formOf(visit, to("reject"), html`${why}<button class="danger">Reject</button>`));
  if (state === "refused" && found.refusals.length > 0)
    forms.push(formOf(visit, to("exclude"), html`<button>Make another plan without the refused entries</button>`));
  if (["releasing", "canary", "partial"].includes(state))
    forms.push(formOf(visit, to("revoke"), html`${why}<button class="danger">Revoke</button>`));
  if (state === "canary") forms.push(formOf(visit, to("proceed"), html`<button>Let the rest go</button>`));
  return html`${forms}`;
}

/** How long a passkey's confirmation counts: as long as the form it is made on. */
const passkeyLife = 30 * 60_000;

/** Shown by the script, where the browser has passkeys. What it signs is the plan's digest as it stands on this page. */
function passkeyForm(visit: Visit, { id, digest, phrase }: Plan, view: string): Html {
  const { actor, base, clock, origin } = visit;
  const issuedAt = clock.now();
  const claims: PasskeyClaims = {
    id: randomUUID(),
    by: actor.id,
    plan: id,
    digest,
    view,
    decision: "confirm",
    issuedAt,
    expiresAt: issuedAt + passkeyLife,
  };
  return html`<div hidden data-passkey="get" data-challenge="${passkeyChallenge(claims)}" data-host="${new URL(origin).hostname}">${formOf(
    visit,
    { action: "passkey", path: `/plans/${id}/passkey`, subject: id, digest },
    html`<h4>With your passkey</h4><input type="hidden" name="claims" value="${JSON.stringify(claims)}"><input type="hidden" name="answer" value="">
${field(`Type ${phrase}`, html`<input name="phrase" required autocomplete="off">`)}
<button>Confirm with a passkey</button> <a href="${base}/passkey">Register one</a><p role="status"></p>`,
  )}</div>`;
}

function confirmForm(visit: Visit, { id, digest, phrase }: Plan): Html {
  return html`${formOf(
    visit,
    { action: "confirm", path: `/plans/${id}/confirm`, subject: id, digest },
    html`<h4>With your key file</h4><p>Run <code>npx mailfuse confirm ${id}</code> on your own machine, where your key is, and paste the token.</p>
${field("Your token", html`<textarea name="confirmation" required rows="3" autocomplete="off" spellcheck="false"></textarea>`)}
${field(`Type ${phrase}`, html`<input name="phrase" required autocomplete="off">`)}
<button>Confirm</button>`,
  )}`;
}
