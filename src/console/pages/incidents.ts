/**
 * Incidents: what mail of one plan did, as figures, timeline and chart, and its correction.
 *
 * @module
 */
import type { IncidentData } from "../../index";
import { framed, page, redirect } from "../answer";
import { type Html, html, told } from "../html";
import { boundOf, formOf, type Visit } from "../visit";
import { layout, number, table, time } from "./layout";
import { planRows } from "./plans";
import { problemPage } from "./problem";

/** The list: every plan that has sent something. */
export async function incidents(visit: Visit): Promise<Response> {
  const sent = (await visit.fuse.plans({ limit: 100 })).filter(({ state }) =>
    ["releasing", "canary", "done", "partial", "halted", "revoked"].includes(state),
  );
  const content = html`<h1>Incidents</h1><p>Open the plan that went wrong. For mail without a plan: <code>npx mailfuse incident show --purpose … --from …</code></p>
${sent.length === 0 ? html`<p>No plan has sent anything.</p>` : html`${planRows({ base: visit.base }, sent)}<ul>${sent.map(({ id, phrase }) => html`<li><a href="${visit.base}/incidents/${id}">What ${told(phrase)} (${id}) did</a></li>`)}</ul>`}`;
  return page(layout(visit, "Incidents", content));
}

/** One incident. */
export async function incident(visit: Visit): Promise<Response> {
  const { base, params, options } = visit;
  const [id = ""] = params;
  const { data } = await open(visit);
  const { people } = data;
  const count = (value: number | undefined) => (value === undefined ? "nobody said" : number(value));
  const rows: [string, string][] = [
    ["reached", number(people.accepted)],
    ["may have been reached", number(people.unknown)],
    ["of these rightly", count(people.rightly)],
    ["of these wrongly", count(people.wrongly)],
    ["undecided", number(people.undecided)],
    ["refused by the provider", number(people.refused)],
    ["stopped by the fuse", number(people.stopped)],
    ["still waiting", number(people.notSent)],
  ];
  const content = html`<h1>Incident: ${told(data.purpose)} <code>${id}</code></h1>
${data.warnings.map((warning) => html`<p class="refused">${told(warning)}</p>`)}
<div class="columns"><section class="card">${table("People", ["People", "Count"], rows)}${data.stop && html`<p>Stopped ${time(data.stop.at)} by ${told(data.stop.by)}: ${told(data.stop.what)}</p>`}</section>
<section class="card"><h2>Correction</h2><p>It would go to ${count(data.correction.people)} people; ${number(data.correction.unreachable)} can no longer be reached, ${number(data.correction.unsubscribed)} have unsubscribed.</p>
${options.incident?.send && visit.actor.roles.length > 0 ? formOf(visit, { action: "correct", path: `/incidents/${id}/correct`, subject: id }, html`<p>Plans it in your name; others confirm it.</p><button>Plan the correction</button>`) : html`<p><code>npx mailfuse incident correct ${id}</code> plans it.</p>`}</section></div>
<section><h2>Sends over time</h2>${chart(data)}</section>
<section><h2>Timeline</h2><ol>${data.timeline.map(({ at, what }) => html`<li>${time(at)} ${told(what)}</li>`)}</ol></section>
<section><h2>Report</h2><p>Figures and drafts, to print or to save.</p><iframe sandbox="" title="Report" src="${base}/incidents/${id}/report" loading="lazy"></iframe></section>`;
  return page(layout(visit, "Incident", content));
}

/** The report, for the frame. */
export async function report(visit: Visit): Promise<Response> {
  return framed((await open(visit)).html(), { images: false });
}

/** Plans the correction. Nothing leaves. */
export async function correct(visit: Visit): Promise<Response> {
  const { base, form, forms, params, options, actor } = visit;
  const [id = ""] = params;
  const answer = forms.spend(form.get("token") ?? "", boundOf(visit, { action: "correct", subject: id }));
  if (answer !== "good") return problemPage(visit, 403, answer);
  const { send, data, unsubscribed } = options.incident ?? {};
  if (!send) return problemPage(visit, 404, "not-found");
  const made = await (await open(visit)).correction({
    requestedBy: actor.id,
    send,
    ...(data ? { data } : {}),
    ...(unsubscribed ? { unsubscribed } : {}),
  });
  return redirect(`${base}/plans/${made.id}`);
}

function open({ fuse, params, options }: Visit) {
  const [plan = ""] = params;
  const right = options.incident?.right;
  return fuse.incident({ plan }, right === undefined ? {} : { right });
}

/** Bars of mails handed to the provider; the table below it says the same in words. */
function chart({ steps }: IncidentData): Html {
  if (steps.length === 0) return html`<p>Nothing was sent.</p>`;
  const most = Math.max(1, ...steps.map(({ accepted, unknown, refused }) => accepted + unknown + refused));
  const width = 600 / steps.length;
  const bars = steps.map(({ accepted, unknown, refused }, at) => {
    const heights = [accepted, unknown, refused].map((value) => (value / most) * 140);
    let top = 150;
    return heights.map((height, kind) => {
      top -= height;
      return html`<rect class="bar${kind}" x="${(at * width).toFixed(1)}" y="${top.toFixed(1)}" width="${Math.max(1, width - 1).toFixed(1)}" height="${height.toFixed(1)}"/>`;
    });
  });
  return html`<svg class="chart" viewBox="0 0 600 150" role="img" aria-label="Mails over time, at most ${most} in a step"><line x1="0" y1="150" x2="600" y2="150"/>${bars}</svg>
<details><summary>As a table</summary>${table(
    "Mails over time",
    ["From", "Accepted", "Unknown", "Refused", "Stopped"],
    steps.map((step) => [
      time(step.from),
      number(step.accepted),
      number(step.unknown),
      number(step.refused),
      number(step.stopped),
    ]),
  )}</details>`;
}
