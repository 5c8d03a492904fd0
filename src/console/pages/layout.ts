/**
 * What all pages share: the mode, unmistakably, and the ways to the others.
 *
 * @module
 */
import { type Html, html, type Part, told } from "../html";
import type { Visit } from "../visit";

const words = {
  live: ["LIVE", "Mail leaves to real people."],
  observe: ["OBSERVE", "Mail leaves to real people; nearly nothing is stopped."],
  test: ["TEST", "Only the allowlist gets mail."],
} as const;

/** A whole page. Without an actor it says nothing about the fuse. */
export function layout(
  visit: Pick<Visit, "base" | "fuse"> & Partial<Pick<Visit, "actor">>,
  title: string,
  content: Html,
  options: { readonly refresh?: number } = {},
): Html {
  const { base, actor } = visit;
  const description = actor ? visit.fuse.describe() : undefined;
  const mode = description?.mode;
  const name = mode ? `${words[mode][0]} · ` : "";
  return html`<html lang="en"${mode && html` class="${mode}"`}><head><meta charset="utf-8">
<title>${name}${title} · mailfuse</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${options.refresh && html`<noscript><meta http-equiv="refresh" content="${options.refresh}"></noscript>`}
<link rel="stylesheet" href="${base}/console.css"><script defer src="${base}/console.js"></script></head>
<body><a class="skip" href="#main">To the content</a>
${description && mode && html`<header class="mode"><p><strong>${words[mode][0]}</strong> ${words[mode][1]} <span>Environment <b>${told(description.environment)}</b>, because ${told(description.why)}.</span></p></header>`}
${actor && html`<nav aria-label="Pages"><a href="${base}/">Overview</a><a href="${base}/plans">Plans</a><a href="${base}/incidents">Incidents</a><a href="${base}/ledger">Ledger</a><span class="who">${told(actor.id)}${actor.roles.length === 0 && " (looks only)"}</span></nav>`}
<main id="main" tabindex="-1">${content}</main>
</body></html>`;
}

/** A table that scrolls by itself where it is too wide. */
export function table(caption: string, heads: readonly string[], rows: readonly (readonly Part[])[]): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table><caption>${caption}</caption>
<thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${rows.map((cells) => html`<tr>${cells.map((cell, at) => (at === 0 ? html`<th scope="row">${cell}</th>` : html`<td>${cell}</td>`))}</tr>`)}</tbody></table></div>`;
}

/** A time for people and machines. */
export function time(at: number): Html {
  const iso = new Date(at).toISOString();
  return html`<time datetime="${iso}">${iso.replace("T", " ").replace(/\.\d+Z$/, "Z")}</time>`;
}

/** A length of time: `1h`, `24h`, `7d`. */
export function span(ms: number): string {
  if (ms % 86_400_000 === 0 && ms > 86_400_000) return `${ms / 86_400_000} days`;
  if (ms % 3_600_000 === 0) return ms === 3_600_000 ? "hour" : `${ms / 3_600_000} hours`;
  return ms % 60_000 === 0 ? `${ms / 60_000} minutes` : `${ms / 1_000} seconds`;
}

/** A whole number with its thousands apart. */
export function number(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** One form field with its label. */
export function field(label: string, input: Html): Html {
  return html`<label><span>${label}</span>${input}</label>`;
}
