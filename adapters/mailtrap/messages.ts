/**
 * The mails in one request to Mailtrap.
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
  type Field,
  field,
  headerProblem,
  type Message,
  mergeContent,
  type Plain,
  type PlainRecord,
  place,
  type Recipient,
  type Refusal,
  readRecipients,
  readSender,
  type Shape,
  type TemplateText,
  unknownFields,
} from "../../src/adapter";
import type { Layout } from "./endpoints";

type Templates = Readonly<Record<string, TemplateText>>;

const person: Shape = { email: true, name: true };
const file: Shape = { filename: true, type: true, content: true, disposition: true, content_id: true };

/** What `base` and each mail may say (https://docs.mailtrap.io/developers/email-sending/transactional). */
const common: Shape = {
  from: person,
  cc: [person],
  bcc: [person],
  reply_to: true,
  attachments: [file],
  headers: true,
  custom_variables: true,
  subject: true,
  text: true,
  html: true,
  category: true,
  template_uuid: true,
  template_variables: true,
};
const mailShape: Shape = { ...common, to: [person] };
const batchShape: Shape = { base: common, requests: [mailShape] };

/** Decodes a body of mails. Reasons why it may not leave go into `problems`. */
export function readMails(body: Plain, layout: Layout, templates: Templates, problems: Refusal[]): Message[] {
  switch (layout) {
    case "one":
      problems.push(...unknownFields(body, mailShape, ""));
      return [readMail(body, {}, "", templates, problems)];
    case "forward":
      problems.push(...unknownFields(body, mailShape, ""));
      return [withOriginal(readMail(body, {}, "", templates, problems))];
    case "caught":
      problems.push(...unknownFields(body, { email: true }, ""));
      return [
        createMessage({
          recipients: readOne(field(body, "email"), problems),
          content: () => ({ unbound: "the text of a mail that is stored at Mailtrap" }),
        }),
      ];
    case "batch": {
      problems.push(...unknownFields(body, batchShape, ""));
      const base = asRecord(field(body, "base")) ?? {};
      const mails = field(body, "requests");
      if (!Array.isArray(mails)) problems.push({ code: "FIELD_UNKNOWN", message: "Expected a list of mails." });
      return asList(mails).map((mail, at) => readMail(mail, base, `requests[${at}]`, templates, problems));
    }
  }
}

/** People named by fields of a request that is no mail of its own. */
export function readPeople(body: Plain, names: readonly Field[], problems: Refusal[]): Recipient[] {
  return names.flatMap((name) => readField(body, name, "", problems));
}

/** One address that stands as text. */
export function readOne(value: Plain, problems: Refusal[]): Recipient[] {
  if (typeof value === "string" && value !== "") return readRecipients(value, "to", "email", "single", problems);
  problems.push({ code: "ADDRESS_INVALID", message: "Expected an address as text, got none.", where: "email" });
  return [];
}

function withOriginal(message: Message): Message {
  const content = (): Content => ({ ...message.content(), unbound: "the forwarded mail, which stands at Mailtrap" });
  return { ...message, content };
}

function readMail(given: Plain, base: PlainRecord, where: string, templates: Templates, problems: Refusal[]): Message {
  if (!asRecord(given)) {
    problems.push({
      code: "FIELD_UNKNOWN",
      message: "Expected a mail, got another value.",
      ...(where === "" ? {} : { where }),
    });
  }
  // What a mail says itself stands before what the base says of all; copies are counted from both.
  const mail = { ...base, ...asRecord(given) };
  const files = asList(mail.attachments).map(readFile);
  const digest = files.length > 0 ? digestInput(files) : undefined;
  const content = () => contentOf(mail, templates);
  const category = asText(mail.category);
  const copies = (["cc", "bcc"] as const).flatMap((name) => readField(base, name, "base", problems));
  const own = (["to", "cc", "bcc"] as const).flatMap((name) => readField(given, name, where, problems));
  const known = new Set(own.map((one) => one.person));
  const headers = [
    ...readHeaders(base.headers, "base.headers", problems),
    ...readHeaders(field(given, "headers"), place(where, "headers"), problems),
  ];
  return createMessage({
    recipients: [...own, ...copies.filter((one) => !known.has(one.person))],
    from: readSender(mail.from),
    tags: category === undefined || category === "" ? [] : [category],
    headers,
    content,
    ...(digest ? { attached: () => true, bytes: () => digest(content()) } : {}),
  });
}

function readField(mail: Plain, name: Field, where: string, problems: Refusal[]): Recipient[] {
  const value = field(mail, name);
  if (value === undefined || value === null) return [];
  const at = place(where, name);
  if (!Array.isArray(value)) {
    problems.push({ code: "ADDRESS_INVALID", message: `Expected a list of people, got a ${typeof value}.`, where: at });
    return [];
  }
  return value.flatMap((one, index) => readRecipients(one, name, `${at}[${index}]`, "single", problems));
}

function readHeaders(value: Plain, where: string, problems: Refusal[]): [string, string][] {
  if (value === undefined || value === null) return [];
  const headers = asRecord(value);
  if (!headers)
    problems.push({ code: "FIELD_UNKNOWN", message: "Expected headers by name, got another value.", where });
  return Object.entries(headers ?? {}).map(([name, content]) => {
    const at = place(where, name);
    const problem =
      headerProblem(name, content, at) ??
      (typeof content === "object" && content !== null
        ? ({ code: "HEADER_REFUSED", message: "Expected a header's value as text, got another.", where: at } as const)
        : undefined);
    if (problem) problems.push(problem);
    return [name.toLowerCase(), String(content)];
  });
}

function readFile(one: Plain): AttachedFile {
  return {
    type: (asText(field(one, "type")) ?? "application/octet-stream").toLowerCase(),
    name: asText(field(one, "filename")),
    bytes: () => Buffer.from(asText(field(one, "content")) ?? "", "base64"),
  };
}

/** The template a mail names, on its own or by its base. */
export function templateOf(mail: Plain): string | undefined {
  const id = asText(field(mail, "template_uuid"));
  return id === "" ? undefined : id;
}

function contentOf(mail: PlainRecord, templates: Templates): Content {
  const [subject, text, html] = ["subject", "text", "html"].map((name) => asText(mail[name]));
  const own: Content = {
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
  };
  const id = templateOf(mail);
  if (id === undefined) return own;
  const data = mail.template_variables;
  const template = { id, ...(data === undefined ? {} : { data }) };
  const source = Object.hasOwn(templates, id) ? templates[id] : undefined;
  if (!source) return { ...own, template, unbound: "the text of a template that lives at Mailtrap" };
  return { ...mergeContent({ ...source, ...own }, data, "parts of a template that Mailtrap fills in"), template };
}
