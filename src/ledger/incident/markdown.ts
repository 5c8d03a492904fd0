/**
 * An incident as Markdown, for a ticket or a chat.
 *
 * @module
 */
import type { IncidentData } from "../incident";
import { time } from "./drafts";

/** The rows of the table of people, for every report. */
export function peopleRows({ people, correction }: IncidentData): readonly (readonly [string, string])[] {
  const shown = (count: number | undefined) => (count === undefined ? "not known: no oracle was given" : String(count));
  return [
    ["Reached: the provider took their mail", String(people.accepted)],
    ["May have been reached: no answer came", String(people.unknown)],
    ["Of both, rightly", shown(people.rightly)],
    ["Of both, wrongly", shown(people.wrongly)],
    ["Of both, nobody can say", String(people.undecided)],
    ["Not reached: refused by the provider, or never handed over", String(people.refused)],
    ["Not reached: stopped by the fuse", String(people.stopped)],
    ["Not yet sent", String(people.notSent)],
    ["A correction would go to", shown(correction.people)],
    ["Unreachable: their address is destroyed or locked", String(correction.unreachable)],
    ["Unsubscribed since: a person decides", String(correction.unsubscribed)],
  ];
}

/** Where and when, in one sentence. */
export function headline(data: IncidentData): string {
  const what =
    data.plan === undefined ? `mail of the purpose "${data.purpose}"` : `plan ${data.plan} ("${data.purpose}")`;
  return `${what} in ${data.environment}, ${time(data.from)} to ${time(data.to)}; read ${time(data.readAt)}`;
}

/** Writes the report. */
export function toMarkdown(data: IncidentData): string {
  const { drafts } = data;
  return [
    `# Incident: ${escaped(data.id)}`,
    "",
    escaped(`${headline(data)}.`),
    "",
    ...data.warnings.map((warning) => `> ${escaped(warning)}`),
    ...(data.warnings.length > 0 ? [""] : []),
    data.stop ? `**Ended ${time(data.stop.at)}.** ${escaped(data.stop.what)}` : "**It is not known to be over.**",
    "",
    "| people | |",
    "| --- | ---: |",
    ...peopleRows(data).map(([name, value]) => `| ${name} | ${value} |`),
    "",
    "## For the help desk, first",
    "",
    fenced(drafts.helpDesk),
    "",
    "## For the status page, next",
    "",
    fenced(drafts.statusPage),
    "",
    "## The mail, last",
    "",
    fenced(`Subject: ${drafts.mail.subject}\n\n${drafts.mail.text}`),
    "",
    "For those who may have got it:",
    "",
    fenced(drafts.mail.mayHaveText),
    "",
    "## What happened",
    "",
    ...data.timeline.map(
      ({ at, what, seq }) => `- ${time(at)} ${escaped(what)}${seq === undefined ? "" : ` (line ${seq})`}`,
    ),
    "",
    ...(data.waiting.length > 0
      ? [
          "## What can still send",
          "",
          ...data.waiting.map(({ plan, state, entries }) => `- ${plan}: ${state}, ${entries} waiting`),
          "",
        ]
      : []),
  ].join("\n");
}

/** Reasons and names are people's words: none of them may become markup. */
function escaped(text: string): string {
  return text.replace(/[\r\n]+/g, " ").replace(/[\\`*_[\]<>|#~]/g, "\\$&");
}

function fenced(text: string): string {
  return `\`\`\`text\n${text.replaceAll("```", "'''")}\n\`\`\``;
}
