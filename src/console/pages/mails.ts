/**
 * The mails of a plan: a page of entries, and one mail in a frame.
 *
 * @module
 */
import type { PlannedMail } from "../../index";
import { framed, page } from "../answer";
import { type Html, html, told } from "../html";
import type { Visit } from "../visit";
import { layout, number, table } from "./layout";
import { problemPage } from "./problem";

/** Entries on one page. */
const perPage = 50;

/** A page of entries. */
export async function entries(visit: Visit): Promise<Response> {
  const { base, fuse, params, url } = visit;
  const [id = ""] = params;
  const plan = await fuse.findPlan(id);
  const total = plan.terms.entries;
  const from = Math.min(
    Math.max(0, total - 1),
    Math.max(0, Number.parseInt(url.searchParams.get("from") ?? "0", 10) || 0),
  );
  const found = await fuse.mails(id, { from, limit: perPage });
  const link = (start: number, text: string) => html`<a href="${base}/plans/${id}/entries?from=${start}">${text}</a>`;
  const ways = html`<nav class="pages" aria-label="Entries">${from > 0 && link(Math.max(0, from - perPage), "Earlier")} ${from + perPage < total && link(from + perPage, "Later")}</nav>`;
  const rows = found.map(({ index, people, refusals, warnings, mails }) => {
    const [first] = mails ?? [];
    const to = first?.recipients
      .slice(0, 3)
      .map(({ address }) => address)
      .join(", ");
    return [
      html`<a href="${base}/plans/${id}/entries/${index}">${number(index)}</a>`,
      first === undefined
        ? "its client is not attached here"
        : html`${told(to)}${people > 3 && ` and ${number(people - 3)} more`}`,
      told(first?.subject),
      [...refusals, ...warnings].join(", "),
    ];
  });
  const content = html`<h1>Entries of <code>${id}</code></h1><p>${number(from)} to ${number(Math.max(from, from + found.length - 1))} of ${number(total)}, counted from 0. <a href="${base}/plans/${id}">Back to the plan</a></p>
${ways}${table("Entries", ["Entry", "To", "Subject", "Refused or warned"], rows)}`;
  return page(layout(visit, "Entries", content));
}

/** One entry: its mails, each in a frame of its own. */
export async function entry(visit: Visit): Promise<Response> {
  const { base, fuse, params, url } = visit;
  const [id = "", place = "0"] = params;
  const [found] = await fuse.mails(id, { from: Number(place), limit: 1 });
  if (found?.index !== Number(place)) return problemPage(visit, 404, "not-found");
  const images = url.searchParams.get("images") === "1";
  const { mails } = found;
  const content = html`<h1>Entry ${number(found.index)} of <code>${id}</code></h1><p><a href="${base}/plans/${id}">Back to the plan</a></p>
${[...found.refusals, ...found.warnings].map((code) => html`<p class="refused"><code>${code}</code></p>`)}
${mails === undefined ? html`<p>Its client is not attached in this process, so its mail cannot be read here.</p>` : mails.slice(0, 20).map((mail, at) => shown(mail, `${base}/plans/${id}/entries/${found.index}/mails/${at}`, at, images))}
<p>${images ? html`<a href="?">Without remote pictures</a>` : html`<a href="?images=1">Show remote pictures</a>: their hosts learn that somebody looks.`}</p>`;
  return page(layout(visit, "Entry", content));
}

/** A mail's head and the frame that holds it. */
function shown(mail: PlannedMail, path: string, at: number, images: boolean): Html {
  const recipients = mail.recipients
    .slice(0, 10)
    .map(
      ({ field, address, name }) => html`<li>${field} ${name !== undefined && told(name)} ${told(`<${address}>`)}</li>`,
    );
  return html`<article class="card mail"><h2>${told(mail.subject ?? "(no subject)")}</h2>
<p>From ${told(mail.from ?? "nobody")}</p><ul>${recipients}${mail.recipients.length > 10 && html`<li>and ${number(mail.recipients.length - 10)} more</li>`}</ul>
${mail.unbound !== undefined && html`<p class="refused">TEXT NOT BOUND: ${told(mail.unbound)}</p>`}
<iframe sandbox="" title="Mail ${at + 1}: ${mail.subject ?? ""}" src="${path}${images ? "?images=1" : ""}" loading="lazy"></iframe></article>`;
}

/** The mail itself, for the frame. */
export async function mail(visit: Visit): Promise<Response> {
  const { fuse, params, url } = visit;
  const [id = "", place = "0", at = "0"] = params;
  const [found] = await fuse.mails(id, { from: Number(place), limit: 1 });
  const one = found?.index === Number(place) ? found.mails?.[Number(at)] : undefined;
  if (!one) return problemPage(visit, 404, "not-found");
  const text =
    one.html ??
    html`<!doctype html><html lang="en"><head><title>Mail</title></head><body><pre style="white-space:pre-wrap;font:15px/1.5 sans-serif">${one.text ?? ""}</pre></body></html>`
      .text;
  return framed(text, { images: url.searchParams.get("images") === "1" });
}
