/**
 * The faults that are put into rendered mails, one at a time.
 *
 * @module
 */
import { hash } from "node:crypto";
import type { ContentRule } from "../../../src/content";
import { type Mail, plausible, render, type Slot } from "./fill";
import type { Template } from "./templates";

/** A mail with one fault, and the rule that should find it. */
export interface Faulty {
  readonly fault: string;
  readonly rule: ContentRule;
  readonly mail: Mail;
}

const inSlot: readonly (readonly [string, ContentRule, (slot: Slot) => string])[] = [
  ["undefined", "missingValues", () => "undefined"],
  ["null", "missingValues", () => "null"],
  ["NaN", "missingValues", () => "NaN"],
  ["[object Object]", "missingValues", () => "[object Object]"],
  ["Invalid Date", "missingValues", () => "Invalid Date"],
  ["an empty value", "blanks", () => ""],
  ["the placeholder itself", "placeholders", (slot) => slot.source],
  ["*|NAME|*", "placeholders", () => "*|NAME|*"],
  ["%recipient.name%", "placeholders", () => "%recipient.name%"],
];
const fixtureWords = [
  "Integration Test Email #1",
  "This is a test email, please ignore.",
  "Lorem ipsum dolor sit amet, consectetur.",
  "This template is used by integration tests only.",
];
const stagingHosts = [
  "staging.acme.com",
  "dev.acme.com",
  "localhost:3000",
  "127.0.0.1:8080",
  "acme-git-fix.vercel.app",
  "shop.local",
];

/** All faults that this template can carry. */
export function seed(template: Template): Faulty[] {
  const clean = render(template, plausible);
  const pick = (list: readonly string[]) => list[number(template.name) % list.length] as string;
  const faulty: Faulty[] = [];
  const slot = readableSlot(template);
  for (const [fault, rule, value] of inSlot) {
    const mail =
      slot === undefined
        ? inWord(clean, value({ name: "name", source: "{{ name }}", index: 0 }), number(template.name + fault))
        : render(template, (one) => (one.index === slot ? value(one) : plausible(one)));
    if (mail) faulty.push({ fault, rule, mail });
  }
  faulty.push({ fault: "a fixture phrase", rule: "fixtures", mail: appended(clean, pick(fixtureWords)) });
  faulty.push({
    fault: "[TEST] in the subject",
    rule: "fixtures",
    mail: { ...clean, subject: `[TEST] ${clean.subject}` },
  });
  const link = `https://${pick(stagingHosts)}/orders/1`;
  faulty.push({
    fault: "a staging link",
    rule: "stagingLinks",
    mail: appended(clean, `<a href="${link}">Your order</a>`, link),
  });
  const production = "https://www.acme.com/orders/1";
  faulty.push({
    fault: "a production link",
    rule: "productionLinks",
    mail: appended(clean, `<a href="${production}">Order</a>`, production),
  });
  faulty.push({ fault: "no subject", rule: "empty", mail: { ...clean, subject: "" } });
  faulty.push({
    fault: "no body",
    rule: "empty",
    mail: clean.html === undefined ? { ...clean, text: " \n" } : { ...clean, html: emptied(clean.html) },
  });
  return faulty;
}

/** A number that a name always gives. */
export function number(name: string): number {
  return Number.parseInt(hash("sha256", name, "hex").slice(0, 8), 16);
}

const mark = "ZQmarkQZ";

/** One of the slots that a person reads or follows, by the template's name. */
function readableSlot(template: Template): number | undefined {
  const slots: number[] = [];
  render(template, (slot) => {
    slots.push(slot.index);
    return plausible(slot);
  });
  const readable = slots.filter((index) => {
    const mail = render(template, (slot) => (slot.index === index ? mark : plausible(slot)));
    return reads(mail).includes(mark);
  });
  return readable.length === 0 ? undefined : readable[number(template.name) % readable.length];
}

/** What a person reads or follows; written apart from the lint's own reading, to check it. */
function reads({ subject, html, text }: Mail): string {
  const body = withoutHidden(html ?? "");
  const links = [...body.matchAll(/\s(?:href|src|alt|title)\s*=\s*("[^"]*"|'[^']*')/gi)].map((match) => match[1]);
  return [subject, text ?? "", body.replace(/<[^>]*>/g, " "), ...links].join("\n");
}

function withoutHidden(html: string): string {
  return html.replace(/<!--[\s\S]*?-->|<(style|script|title)\b[\s\S]*?<\/\1\s*>/gi, "");
}

/** A mail without slots has its values written out: one of its words becomes the fault. */
function inWord(mail: Mail, value: string, by: number): Mail | undefined {
  const source = mail.html === undefined ? mail.text : withoutHidden(mail.html);
  if (source === undefined) return undefined;
  const words = [...source.matchAll(/>([^<>]*?)(\b[A-Z][a-z]{3,12}\b)(?=[ .,!<])/g)];
  const word = words[by % Math.max(1, words.length)];
  if (!word) return undefined;
  const at = word.index + 1 + (word[1]?.length ?? 0);
  const changed = source.slice(0, at) + value + source.slice(at + (word[2]?.length ?? 0));
  return mail.html === undefined ? { ...mail, text: changed } : { ...mail, html: changed };
}

function appended(mail: Mail, html: string, text = html): Mail {
  if (mail.html === undefined) return { ...mail, text: `${mail.text}\n${text}\n` };
  const end = mail.html.lastIndexOf("</body>");
  const paragraph = `<p>${html}</p>`;
  return {
    ...mail,
    html: end < 0 ? mail.html + paragraph : mail.html.slice(0, end) + paragraph + mail.html.slice(end),
  };
}

/** The same markup with nothing to read and no pictures. */
function emptied(html: string): string {
  return withoutHidden(html)
    .replace(/<img\b[^>]*>|\sbackground="[^"]*"/gi, "")
    .replace(/>[^<>]+</g, "> &nbsp; <")
    .replace(/^[^<]+|[^>]+$/g, "");
}
