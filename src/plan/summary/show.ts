/**
 * A summary for people: as text for a terminal, and as one HTML page. What stands in mails, their
 * subjects and display names is hostile: signs that steer a terminal, or turn the direction of
 * writing around, are shown as names.
 *
 * @module
 */
import { number, sampleLines, sectionsOf } from "./lines";
import type { PlanSummary } from "./types";

/**
 * The summary as text, for a terminal or a message to an approver. Holds addresses.
 *
 * @example
 * ```ts
 * console.log(summaryText(await fuse.summary(planId)));
 * ```
 */
export function summaryText(summary: PlanSummary): string {
  const { plan, people, purpose, environment, requester } = summary;
  const lines = [`${number(people)} ${purpose}`, `plan ${plan}, asked for by ${requester}, in ${environment}`];
  for (const { title, lines: its, alarming } of sectionsOf(summary))
    lines.push("", `${alarming ? "! " : ""}${title}`, ...its.map((line) => `  ${line}`));
  lines.push("", "Samples");
  for (const sample of summary.samples) {
    lines.push("", ...sampleLines(sample).map((line) => `  ${line}`));
    lines.push(`  | ${sample.subject ?? "(no subject)"}`, "  |");
    lines.push(...(sample.text ?? "(its text cannot be read here)").split("\n").map((line) => `  | ${line}`));
  }
  return `${lines.map(harmless).join("\n")}\n`;
}

/**
 * The summary as one HTML page without scripts, pictures and links: everything from mails is text.
 * Holds addresses.
 */
export function summaryHtml(summary: PlanSummary): string {
  const { plan, people, purpose, environment, requester } = summary;
  const title = `${number(people)} ${purpose}`;
  const sections = sectionsOf(summary).map(
    ({ title: head, lines, alarming }) =>
      `<section${alarming ? ' class="alarming"' : ""}><h2>${escaped(head)}</h2><ul>${lines.map((line) => `<li>${escaped(line)}</li>`).join("")}</ul></section>`,
  );
  const samples = summary.samples.map((sample) => {
    const [head = "", ...rest] = sampleLines(sample);
    const text = sample.text ?? "(its text cannot be read here)";
    return `<article><h3>${escaped(head)}</h3><ul>${rest.map((line) => `<li>${escaped(line)}</li>`).join("")}</ul><h4>${escaped(sample.subject ?? "(no subject)")}</h4><pre>${text.split("\n").map(escaped).join("\n")}</pre></article>`;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><style>${style}</style></head><body>
<h1>${escaped(title)}</h1><p>plan ${escaped(plan)}, asked for by ${escaped(requester)}, in ${escaped(environment)}</p>
${sections.join("\n")}
<h2>Samples</h2>
${samples.join("\n")}
</body></html>
`;
}

const style =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}h2{font-size:1.1rem}ul{padding-left:1.2rem}.alarming{border-left:4px solid #b00020;padding-left:1rem}article{border:1px solid #bbb;border-radius:4px;padding:.5rem 1rem;margin:1rem 0}pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f5f5f5;padding:.5rem}li,h1,h4{overflow-wrap:anywhere}";

// Controls, and signs that show nothing or turn the direction round (Unicode TR 9): a line end in a name makes lines of its own.
const steering = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** One line whose steering signs are shown as their numbers. */
function harmless(text: string): string {
  return text.replace(steering, (sign) =>
    sign === "\t" ? " " : `⟨U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`,
  );
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return harmless(text).replace(/[&<>"']/g, (sign) => entities[sign] ?? sign);
}
