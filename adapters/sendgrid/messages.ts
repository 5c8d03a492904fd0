/**
 * The mails in one mail/send request: each personalization is one, with its own content.
 *
 * @module
 */
import {
  type AttachedFile,
  asList,
  asRecord,
  asText,
  type Content,
  createMessage,
  digestInput,
  field,
  headerProblem,
  type Message,
  mergeContent,
  mergePairs,
  type Plain,
  place,
  type Recipient,
  type Refusal,
  readRecipients,
  readSender,
  type TemplateText,
  toText,
  unknownFields,
} from "../../src/adapter";
import { mailShape } from "./fields";

type Pairs = readonly (readonly [string, string])[];

/** Decodes the body of a mail/send request. Reasons why it may not leave go into `problems`. */
export function readMessages(
  body: Plain,
  templates: Readonly<Record<string, TemplateText>>,
  problems: Refusal[],
): Message[] {
  problems.push(...unknownFields(body, mailShape, ""));
  const headers = readHeaders(field(body, "headers"), "headers", problems);
  const copies = standingCopy(body, problems);
  const files = readFiles(body);
  const digest = files.length > 0 ? digestInput(files) : undefined;
  const tags = asList(field(body, "categories")).filter((tag) => typeof tag === "string");
  return asList(field(body, "personalizations")).map((personalization, at) => {
    const where = `personalizations[${at}]`;
    const recipients: Recipient[] = [];
    for (const name of ["to", "cc", "bcc"] as const) {
      recipients.push(...readRecipients(field(personalization, name), name, `${where}.${name}`, "single", problems));
    }
    const content = () => contentOf(body, personalization, templates);
    return createMessage({
      recipients: [...recipients, ...copies],
      from: readSender(field(personalization, "from") ?? field(body, "from")),
      tags,
      headers: [...headers, ...readHeaders(field(personalization, "headers"), `${where}.headers`, problems)],
      content,
      ...(digest ? { attached: () => true, bytes: () => digest(content()) } : {}),
    });
  });
}

/** `mail_settings.bcc`: one address that gets a hidden copy of every mail of the request. */
function standingCopy(body: Plain, problems: Refusal[]): Recipient[] {
  const bcc = field(field(body, "mail_settings"), "bcc");
  if (bcc === undefined || bcc === null || field(bcc, "enable") === false) return [];
  return readRecipients(field(bcc, "email"), "bcc", "mail_settings.bcc.email", "single", problems);
}

function readHeaders(value: Plain, where: string, problems: Refusal[]): [string, string][] {
  const headers = asRecord(value);
  if (!headers) return [];
  return Object.entries(headers).map(([name, content]) => {
    const problem = headerProblem(name, content, place(where, name));
    if (problem) problems.push(problem);
    return [name.toLowerCase(), toText(content)];
  });
}

function contentOf(body: Plain, personalization: Plain, templates: Readonly<Record<string, TemplateText>>): Content {
  const subject = asText(field(personalization, "subject")) ?? asText(field(body, "subject"));
  const text = part(body, "text/plain");
  const html = part(body, "text/html");
  const own: Content = {
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
  };
  const id = asText(field(body, "template_id"));
  const pairs = textPairs(field(personalization, "substitutions"));
  const merged = substitute(own, pairs, textPairs(field(body, "sections")));
  if (id === undefined || id === "") return merged;
  const dynamic = field(personalization, "dynamic_template_data");
  const data = dynamic ?? field(personalization, "substitutions");
  const template = { id, ...(data === undefined ? {} : { data }) };
  const source = Object.hasOwn(templates, id) ? templates[id] : undefined;
  if (!source) return { ...merged, template, unbound: "the text of a template that lives at SendGrid" };
  const open = "parts of a template that SendGrid fills in";
  // A dynamic template's own subject and text win; a legacy one wraps what the request gives.
  if (id.startsWith("d-")) return { ...mergeContent({ ...own, ...source }, data, open), template };
  const wrapped = substitute(wrap(source, own), pairs, textPairs(field(body, "sections")));
  return { ...wrapped, template };
}

function part(body: Plain, type: string): string | undefined {
  const parts = asList(field(body, "content")).filter((one) =>
    asText(field(one, "type"))?.toLowerCase().startsWith(type),
  );
  const values = parts.map((one) => asText(field(one, "value"))).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : values.join("\n");
}

function textPairs(value: Plain): Pairs {
  return Object.entries(asRecord(value) ?? {}).map(([key, text]) => [key, toText(text)]);
}

/** Sections are replaced after substitutions: a substitution's value may name one. */
function substitute(content: Content, pairs: Pairs, sections: Pairs): Content {
  if (pairs.length === 0 && sections.length === 0) return content;
  let unbound = content.unbound;
  const fill = (text: string | undefined): string | undefined => {
    if (text === undefined) return undefined;
    const first = mergePairs(text, pairs);
    const merged = first === undefined || sections.length === 0 ? first : mergePairs(first, sections);
    const last = merged === undefined || sections.length === 0 ? merged : mergePairs(merged, pairs);
    if (last === undefined) unbound = "more substitutions than are merged here";
    return last ?? text;
  };
  const { subject, text, html } = content;
  return {
    ...content,
    ...(subject === undefined ? {} : { subject: fill(subject) as string }),
    ...(text === undefined ? {} : { text: fill(text) as string }),
    ...(html === undefined ? {} : { html: fill(html) as string }),
    ...(unbound === undefined ? {} : { unbound }),
  };
}

function wrap(source: TemplateText, own: Content): Content {
  const fill = (text: string | undefined, body: string | undefined): string | undefined =>
    text?.replaceAll("<%subject%>", () => own.subject ?? "").replaceAll("<%body%>", () => body ?? "");
  const subject = fill(source.subject, "") ?? own.subject;
  const text = fill(source.text, own.text) ?? own.text;
  const html = fill(source.html, own.html ?? own.text) ?? own.html;
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
  };
}

/** Attachments, and bodies of other types than text and HTML (AMP, invitations). */
function readFiles(body: Plain): AttachedFile[] {
  const files: AttachedFile[] = asList(field(body, "attachments")).map((file) => ({
    type: (asText(field(file, "type")) ?? "application/octet-stream").toLowerCase(),
    name: asText(field(file, "filename")),
    bytes: () => Buffer.from(asText(field(file, "content")) ?? "", "base64"),
  }));
  for (const one of asList(field(body, "content"))) {
    const type = (asText(field(one, "type")) ?? "").toLowerCase();
    if (type.startsWith("text/plain") || type.startsWith("text/html")) continue;
    files.push({ type, bytes: () => asText(field(one, "value")) ?? "" });
  }
  return files;
}
