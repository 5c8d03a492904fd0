/**
 * The mails in one request to `POST /smtp/email`: each message version is one, with its own content
 * (https://developers.brevo.com/reference/send-transac-email).
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

const person: Shape = { email: true, name: true, contactPixelTrackingConsent: true };

const mailShape: Shape = {
  sender: { email: true, name: true, id: true },
  to: [person],
  cc: [person],
  bcc: [person],
  replyTo: { email: true, name: true },
  subject: true,
  htmlContent: true,
  textContent: true,
  templateId: true,
  params: true,
  headers: true,
  attachment: [{ content: true, name: true, url: true }],
  tags: true,
  scheduledAt: true,
  batchId: true,
  messageVersions: [
    {
      to: [person],
      cc: [person],
      bcc: [person],
      replyTo: { email: true, name: true },
      subject: true,
      htmlContent: true,
      textContent: true,
      params: true,
    },
  ],
};

/** The fields that hold recipients. */
export const carriers = ["to", "cc", "bcc"] as const;

/** Decodes a body. Reasons why it may not leave go into `problems`. */
export function readMails(body: Plain, templates: Templates, problems: Refusal[]): Message[] {
  problems.push(...unknownFields(body, mailShape, ""));
  if (!asRecord(body)) {
    problems.push({ code: "FIELD_UNKNOWN", message: "Expected a mail as an object, got another value." });
    return [];
  }
  const headers = readHeaders(field(body, "headers"), problems);
  const files = readFiles(body);
  const digest = files.length > 0 ? digestInput(files) : undefined;
  const tags = asList(field(body, "tags")).filter((tag) => typeof tag === "string");
  const from = readSender(withoutId(field(body, "sender")));
  const mail = (own: Plain, where: string): Message => {
    const content = () => contentOf(body, own, templates);
    return createMessage({
      recipients: readPeople(own, where, problems),
      from,
      tags,
      headers,
      content,
      ...(digest ? { attached: () => true, bytes: () => digest(content()) } : {}),
    });
  };
  const versions = asList(field(body, "messageVersions"));
  const mails = versions.map((version, at) => mail(version, `messageVersions[${at}]`));
  // Brevo says that it ignores these beside versions; they are judged all the same.
  const named = carriers.some((name) => asList(field(body, name)).length > 0);
  return versions.length === 0 || named ? [...mails, mail(body, "")] : mails;
}

function readPeople(own: Plain, where: string, problems: Refusal[]): Recipient[] {
  return carriers.flatMap((name) => {
    const listed = asList(field(own, name)).map((one) => {
      const { contactPixelTrackingConsent: _consent, ...rest } = asRecord(one) ?? { email: one };
      return rest;
    });
    return readRecipients(listed, name, place(where, name), "single", problems);
  });
}

function withoutId(sender: Plain): Plain {
  const { id: _id, ...rest } = asRecord(sender) ?? {};
  return rest;
}

function readHeaders(value: Plain, problems: Refusal[]): [string, string][] {
  const headers = asRecord(value);
  if (!headers) {
    if (value !== undefined && value !== null)
      problems.push({
        code: "FIELD_UNKNOWN",
        message: "Expected headers by name, got another value.",
        where: "headers",
      });
    return [];
  }
  return Object.entries(headers).map(([name, content]) => {
    const where = place("headers", name);
    const problem = headerProblem(name, content, where);
    if (problem) problems.push(problem);
    else if (typeof content === "object" && content !== null)
      problems.push({
        code: "HEADER_REFUSED",
        message: "Expected a header's value as text, got another value.",
        where,
      });
    return [name.toLowerCase(), String(content)];
  });
}

function readFiles(body: Plain): AttachedFile[] {
  return asList(field(body, "attachment")).map((file) => ({
    type: "application/octet-stream",
    name: asText(field(file, "name")),
    bytes: () => {
      const content = asText(field(file, "content"));
      return content === undefined ? JSON.stringify(field(file, "url") ?? null) : Buffer.from(content, "base64");
    },
  }));
}

/** What a version does not say itself, the mail says for all. */
function contentOf(body: Plain, own: Plain, templates: Templates): Content {
  const of = (name: string) => asText(field(own, name)) ?? asText(field(body, name));
  const [subject, text, html] = [of("subject"), of("textContent"), of("htmlContent")];
  const written: Content = {
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
  };
  const params: Plain = { ...asRecord(field(body, "params")), ...asRecord(field(own, "params")) };
  const data: Plain = { params };
  const id = templateOf(body);
  if (id === undefined) return mergeContent(written, data, "parts of the text that Brevo fills in");
  const template = { id, data: params };
  const source = Object.hasOwn(templates, id) ? templates[id] : undefined;
  if (!source) return { ...written, template, unbound: "the text of a template that lives at Brevo" };
  return { ...mergeContent({ ...source, ...written }, data, "parts of a template that Brevo fills in"), template };
}

/** The template a mail names. */
export function templateOf(body: Plain): string | undefined {
  const id = field(body, "templateId");
  return typeof id === "number" || (typeof id === "string" && id !== "") ? String(id) : undefined;
}
