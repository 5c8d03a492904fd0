/**
 * A summary in sentences, for text and HTML alike. Texts of the mails stand in them as they are:
 * whoever shows them has to make them harmless.
 *
 * @module
 */
import type { PlanSummary, SampleReason, SummaryCount, SummarySample } from "./types";

/** A heading and its lines. */
export interface Section {
  readonly title: string;
  readonly lines: readonly string[];
  /** Something that people should not pass over. */
  readonly alarming?: true;
}

const reasons: Readonly<Record<SampleReason, string>> = {
  longest: "the longest",
  shortest: "the shortest",
  "empty-field": "empty fields",
  "outlier-domain": "a domain hardly anybody has",
  newest: "the newest",
  oldest: "the oldest",
  "rare-text": "the rarest text",
  warned: "a guard warned",
  refused: "refused",
  random: "drawn by lot",
};

/** The sections of a summary, without its samples. */
export function sectionsOf(summary: PlanSummary): readonly Section[] {
  return [
    audience(summary),
    { title: "Domains", lines: [...counts(summary.domains), ...rest(summary)] },
    ...claims(summary),
    texts(summary),
    { title: "From", lines: counts(summary.senders) },
    {
      title: "Links",
      lines:
        summary.hosts.length === 0
          ? ["none"]
          : [
              `${summary.links} in a mail at most`,
              ...counts(summary.hosts, "mails"),
              ...more(summary.otherHosts, "hosts"),
            ],
    },
    ...alarms(summary),
  ].filter(({ lines }) => lines.length > 0);
}

function audience(summary: PlanSummary): Section {
  const { people, expectedPeople, messages, entries, population, last, excluded } = summary;
  const lines = [
    `${number(people)} people; ${number(expectedPeople)} were expected (${percent(people, expectedPeople)})`,
  ];
  lines.push(`${number(messages)} mails in ${number(entries)} calls of the mail client`);
  if (summary.items > 0)
    lines.push(`${number(summary.items)} items of the audience, ${number(summary.silentItems)} of them without a mail`);
  if (population) lines.push(`${population.perMille / 10} % of a population of ${number(population.people)}`);
  if (!last) lines.push("no release of this purpose among the last 100 plans");
  else {
    const change =
      last.gained === undefined || last.lost === undefined
        ? "who that was cannot be told any more"
        : `${number(last.gained)} people gained, ${number(last.lost)} lost`;
    lines.push(
      `last release, ${last.plan} (${last.state}, planned ${day(last.at)}): ${number(last.people)} people; ${change}`,
    );
  }
  if (excluded)
    lines.push(`made from ${excluded.from}: ${excluded.by} left out ${number(excluded.entries)} refused entries`);
  return { title: "People", lines };
}

function rest({ otherDomains: { domains, people } }: PlanSummary): string[] {
  return domains === 0 ? [] : [`${number(domains)} more domains: ${number(people)}`];
}

function claims(summary: PlanSummary): Section[] {
  const { claims: its } = summary;
  if (!its) return [];
  const lines = [
    `${number(its.proven)} of ${number(its.asked)} proven, by ${number(its.evidence)} different pieces of evidence`,
    ...(its.mostShared > 1 ? [`one piece proves ${number(its.mostShared)} claims`] : []),
    ...(its.references.length > 0 ? [`for example ${its.references.join(", ")}`] : []),
  ];
  return [{ title: "Claims", lines, ...(its.failed > 0 || its.mostShared > 1 ? { alarming: true } : {}) }];
}

function texts({ variants }: PlanSummary): Section {
  const { count, atLeast, most, fewest } = variants;
  const of = (list: typeof most) =>
    list.map(({ messages, subject, text }) => `${number(messages)} ×  ${subject ?? "(no subject)"} | ${oneLine(text)}`);
  return {
    title: "Texts, where names and values are left out",
    lines: [
      count === 1 && !atLeast ? "one text for all" : `${atLeast ? "more than " : ""}${number(count)} texts`,
      ...of(most),
      ...of(fewest),
    ],
  };
}

function alarms(summary: PlanSummary): Section[] {
  const of = (title: string, list: readonly SummaryCount[], what: string): Section => ({
    title,
    lines: counts(list, what),
    alarming: true,
  });
  const { lostSends } = summary;
  return [
    of("TEXT NOT BOUND: it may change after the confirmation", summary.unbound, "mails"),
    of("Placeholders that nobody filled in", summary.placeholders, "mails"),
    of("Refused", summary.refusals, ""),
    of("Warnings", summary.warnings, ""),
    {
      title: "Lost sends",
      lines:
        lostSends === 0
          ? []
          : [`${number(lostSends)} sends without a context were refused meanwhile; they are not in this plan`],
      alarming: true,
    },
  ];
}

/** A sample's head line, and who gets it. */
export function sampleLines(sample: SummarySample): readonly string[] {
  const { entry, why, to, recipients, from, length, emptyFields, codes } = sample;
  const people = to.map(
    ({ field, address, name }) => `${field} ${name === undefined ? address : `${name} <${address}>`}`,
  );
  return [
    `entry ${entry}: ${why.map((one) => reasons[one]).join(", ")}`,
    ...(from === undefined ? [] : [`from ${from}`]),
    ...people,
    ...(recipients > to.length ? [`and ${number(recipients - to.length)} more recipients`] : []),
    `${number(length)} characters`,
    ...(emptyFields.length > 0 ? [`empty: ${emptyFields.join(", ")}`] : []),
    ...(codes.length > 0 ? [codes.join(", ")] : []),
  ];
}

function counts(list: readonly SummaryCount[], what = "people"): string[] {
  return list.map(({ name, count }) => `${name}: ${number(count)}${what === "" ? "" : ` ${what}`}`);
}

function more(count: number, what: string): string[] {
  return count === 0 ? [] : [`and ${number(count)} more ${what}`];
}

/** 1234567 as `1,234,567`, wherever it is shown. */
export function number(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "–" : `${Math.round((part * 1_000) / whole) / 10} %`;
}

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}
