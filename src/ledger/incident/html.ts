/**
 * An incident as one HTML file: no script, no link, nothing loaded. Every text is escaped, and a
 * policy in the file itself forbids whatever would slip through.
 *
 * @module
 */
import type { IncidentData, IncidentStep } from "../incident";
import { time } from "./drafts";
import { headline, peopleRows } from "./markdown";

/** Writes the report. */
export function toHtml(data: IncidentData): string {
  const { drafts } = data;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Incident: ${escaped(data.id)}</title>
<style>${style}</style>
<h1>Incident: ${escaped(data.id)}</h1>
<p>${escaped(headline(data))}.</p>
${data.warnings.map((warning) => `<p class="warning">${escaped(warning)}</p>`).join("\n")}
<p><strong>${data.stop ? `Ended ${time(data.stop.at)}.` : "It is not known to be over."}</strong> ${escaped(data.stop?.what ?? "")}</p>
<table><tbody>
${peopleRows(data)
  .map(([name, value]) => `<tr><th scope="row">${escaped(name)}</th><td>${escaped(value)}</td></tr>`)
  .join("\n")}
</tbody></table>
<h2>Sends over time</h2>
${chart(data.steps)}
<h2>For the help desk, first</h2>
<pre>${escaped(drafts.helpDesk)}</pre>
<h2>For the status page, next</h2>
<pre>${escaped(drafts.statusPage)}</pre>
<h2>The mail, last</h2>
<pre>Subject: ${escaped(drafts.mail.subject)}

${escaped(drafts.mail.text)}</pre>
<p>For those who may have got it:</p>
<pre>${escaped(drafts.mail.mayHaveText)}</pre>
<h2>What happened</h2>
<ol>
${data.timeline.map(({ at, what }) => `<li><time>${time(at)}</time> ${escaped(what)}</li>`).join("\n")}
</ol>
${
  data.waiting.length === 0
    ? ""
    : `<h2>What can still send</h2>\n<ul>${data.waiting
        .map(({ plan, state, entries }) => `<li>${escaped(plan)}: ${escaped(state)}, ${entries} waiting</li>`)
        .join("")}</ul>`
}
</html>
`;
}

const style = `
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
table{border-collapse:collapse}th,td{padding:.25rem .75rem;border-bottom:1px solid #ddd;text-align:left;font-weight:normal}
td{text-align:right;font-variant-numeric:tabular-nums}pre{white-space:pre-wrap;background:#f5f5f5;padding:1rem}
.warning{border-left:4px solid #b45309;padding-left:.75rem}time{font-variant-numeric:tabular-nums}svg{width:100%;height:auto}
`;

const columns = [
  { key: "accepted", name: "taken by the provider", color: "#1d4ed8" },
  { key: "unknown", name: "without an answer", color: "#f59e0b" },
  { key: "refused", name: "refused by the provider", color: "#6b7280" },
  { key: "stopped", name: "stopped by the fuse", color: "#059669" },
] as const;

const size = { width: 900, height: 240, left: 60, right: 10, top: 10, bottom: 60 } as const;

function chart(steps: readonly IncidentStep[]): string {
  const [first] = steps;
  const last = steps.at(-1);
  if (!first || !last) return "<p>Nothing was sent.</p>";
  const totals = steps.map((step) => columns.reduce((sum, { key }) => sum + step[key], 0));
  const most = Math.max(1, ...totals);
  const plot = { width: size.width - size.left - size.right, height: size.height - size.top - size.bottom };
  const barWidth = plot.width / steps.length;
  const floor = size.top + plot.height;
  const bars = steps.flatMap((step, index) => {
    let y = floor;
    return columns.flatMap(({ key, color }) => {
      if (step[key] === 0) return [];
      const height = (step[key] / most) * plot.height;
      y -= height;
      const x = size.left + index * barWidth;
      return `<rect x="${fixed(x)}" y="${fixed(y)}" width="${fixed(Math.max(barWidth - 1, 0.5))}" height="${fixed(height)}" fill="${color}"><title>${time(step.from)}: ${step[key]} ${columnName(key)}</title></rect>`;
    });
  });
  const legend = columns.map(
    ({ name, color }, index) =>
      `<rect x="${size.left + index * 200}" y="${size.height - 16}" width="10" height="10" fill="${color}"/><text x="${size.left + 14 + index * 200}" y="${size.height - 6}">${name}</text>`,
  );
  return `<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="Mails over time, at most ${most} in ${(first.to - first.from) / 1_000} seconds" font-size="12" font-family="system-ui,sans-serif">
<line x1="${size.left}" y1="${floor}" x2="${size.width - size.right}" y2="${floor}" stroke="#999"/>
<text x="${size.left - 8}" y="${size.top + 10}" text-anchor="end">${most}</text><text x="${size.left - 8}" y="${floor}" text-anchor="end">0</text>
${bars.join("\n")}
<text x="${size.left}" y="${floor + 18}">${time(first.from)}</text><text x="${size.width - size.right}" y="${floor + 18}" text-anchor="end">${time(last.to)}</text>
${legend.join("")}
</svg>`;
}

function columnName(key: (typeof columns)[number]["key"]): string {
  return columns.find((column) => column.key === key)?.name ?? "";
}

function fixed(value: number): string {
  return value.toFixed(1);
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
