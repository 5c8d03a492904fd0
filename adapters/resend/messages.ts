/**
 * The mails in one request to Resend.
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
  type Plain,
  place,
  type Recipient,
  type Refusal,
  readRecipients,
  readSender,
  type Shape,
  type TemplateText,
  unknownFields,
} from "../../src/adapter";

type Templates = Readonly<Record<string, TemplateText>>;

const attachment: Shape = {
  content: true,
  filename: true,
  path: true,
  content_type: true,
  content_id: true,
  inline_content_id: true,
};

/** The fields of a mail (https://resend.com/docs/api-reference/emails/send-email). */
const mailShape: Shape = {
  from: true,
  to: true,
  cc: true,
  bcc: true,
  reply_to: true,
  subject: true,
  html: true,
  text: true,
  headers: true,
  attachments: [attachment],
  tags: [{ name: true, value: true }],
  template: { id: true, variables: true },
  scheduled_at: true,
  topic_id: true,
  region: true,
};

/** Decodes a body of mails. Reasons why it may not leave go into `problems`. */
export function readMails(body: Plain, layout: "one" | "list", templates: Templates, problems: Refusal[]): Message[] {
  if (layout === "one") return [readMail(body, "", templates, problems)];
  if (Array.isArray(body)) return body.map((mail, at) => readMail(mail, `[${at}]`, templates, problems));
  problems.push({ code: "FIELD_UNKNOWN", message: "Expected a list of mails, got another value." });
  return [];
}

function readMail(mail: Plain, where: string, templates: Templates, problems: Refusal[]): Message {
  // An absent body has no field either, and must not pass for a mail to nobody.
  if (asRecord(mail)) problems.push(...unknownFields(mail, mailShape, where));
  else
    problems.push({
      code: "FIELD_UNKNOWN",
      message: "Expected a mail, got another value.",
      ...(where === "" ? {} : { where }),
    });
  const files = readFiles(mail);
  const digest = files.length > 0 ? digestInput(files) : undefined;
  const content = () => contentOf(mail, templates);
  return createMessage({
    recipients: (["to", "cc", "bcc"] as const).flatMap((name) => readField(mail, name, where, problems)),
    from: readSender(field(mail, "from")),
    tags: tagsOf(mail),
    headers: readHeaders(field(mail, "headers"), place(where, "headers"), problems),
    content,
    ...(digest ? { attached: () => true, bytes: () => digest(content()) } : {}),
  });
}

/** People named by fields of a request that is no mail of its own. */
export function readPeople(body: Plain, names: readonly string[], problems: Refusal[]): Recipient[] {
  return names.flatMap((name) => {
    const as = name === "cc" || name === "bcc" ? name : "to";
    return readField({ [as]: field(body, name) }, as, "", problems);
  });
}

// Resend takes one address or a list of them, and passes text on as it is: a comma in it is read as one.
function readField(mail: Plain, name: "to" | "cc" | "bcc", where: string, problems: Refusal[]): Recipient[] {
  const value = field(mail, name);
  if (value === undefined || value === null) return [];
  const at = place(where, name);
  if (typeof value === "string" || (Array.isArray(value) && value.every((one) => typeof one === "string"))) {
    return readRecipients(value, name, at, "list", problems);
  }
  problems.push({
    code: "ADDRESS_INVALID",
    message: `Expected an address, or a list of addresses as text, got ${Array.isArray(value) ? "a list of other values" : `a ${typeof value}`}.`,
    fix: 'Pass "name@example.com" or ["name@example.com"].',
    where: at,
  });
  return [];
}

function readHeaders(value: Plain, where: string, problems: Refusal[]): [string, string][] {
  const headers = asRecord(value);
  if (!headers) {
    if (value !== undefined && value !== null) {
      problems.push({ code: "FIELD_UNKNOWN", message: "Expected headers by name, got another value.", where });
    }
    return [];
  }
  return Object.entries(headers).map(([name, content]) => {
    const problem = headerProblem(name, content, place(where, name));
    if (problem) problems.push(problem);
    else if (typeof content === "object" && content !== null) {
      problems.push({
        code: "HEADER_REFUSED",
        message: "Expected a header's value as text, got another value.",
        where: place(where, name),
      });
    }
    return [name.toLowerCase(), String(content)];
  });
}

// A tag is a name and a value; purposes match either the value or both.
function tagsOf(mail: Plain): string[] {
  return asList(field(mail, "tags")).flatMap((tag) => {
    const name = asText(field(tag, "name"));
    const value = asText(field(tag, "value"));
    if (name === undefined || value === undefined) return [];
    return [value, `${name}=${value}`];
  });
}

function readFiles(mail: Plain): AttachedFile[] {
  return asList(field(mail, "attachments")).map((file) => {
    const content = field(file, "content");
    const path = asText(field(file, "path"));
    return {
      type: (asText(field(file, "content_type")) ?? "application/octet-stream").toLowerCase(),
      name: asText(field(file, "filename")),
      bytes: () =>
        typeof content === "string" ? Buffer.from(content, "base64") : JSON.stringify(content ?? path ?? null),
    };
  });
}

function contentOf(mail: Plain, templates: Templates): Content {
  const subject = asText(field(mail, "subject"));
  const text = asText(field(mail, "text"));
  const html = asText(field(mail, "html"));
  const own: Content = {
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
  };
  const id = asText(field(field(mail, "template"), "id"));
  if (id === undefined || id === "") return own;
  const data = field(field(mail, "template"), "variables");
  const template = { id, ...(data === undefined ? {} : { data }) };
  const source = Object.hasOwn(templates, id) ? templates[id] : undefined;
  if (!source) return { ...own, template, unbound: "the text of a template that lives at Resend" };
  return { ...mergeContent({ ...source, ...own }, data, "parts of a template that Resend fills in"), template };
}
