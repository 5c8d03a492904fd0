/**
 * The mail in one request to Customer.io.
 *
 * @module
 */
import {
  type AttachedFile,
  asRecord,
  asText,
  type Content,
  createMessage,
  digestInput,
  type Field,
  field,
  headerProblem,
  type Message,
  type Plain,
  place,
  type Recipient,
  type Refusal,
  readRecipients,
  readSender,
  type Shape,
  type TemplateText,
  toText,
  unknownFields,
} from "../../src/adapter";

type Templates = Readonly<Record<string, TemplateText>>;

/** https://docs.customer.io/integrations/api/app/tag/send-messages/sendEmail */
const mailShape: Shape = {
  to: true,
  cc: true,
  bcc: true,
  fake_bcc: true,
  from: true,
  reply_to: true,
  subject: true,
  preheader: true,
  body: true,
  body_plain: true,
  body_amp: true,
  plaintext_body: true,
  amp_body: true,
  // Whose profile fills the text in; the mail goes to `to`.
  identifiers: { id: true, email: true, cio_id: true },
  message_data: true,
  transactional_message_id: true,
  auto_create: true,
  attachments: true,
  headers: true,
  disable_message_retention: true,
  disable_css_preprocessing: true,
  send_to_unsubscribed: true,
  tracked: true,
  queue_draft: true,
  send_at: true,
  language: true,
};

/** Decodes a mail. Reasons why it may not leave go into `problems`. */
export function readMail(body: Plain, templates: Templates, problems: Refusal[]): Message {
  problems.push(...unknownFields(body, mailShape, ""));
  const id = templateOf(body);
  const source = id !== undefined && Object.hasOwn(templates, id) ? templates[id] : undefined;
  const files = readFiles(field(body, "attachments"));
  const digest = files.length > 0 ? digestInput(files) : undefined;
  const content = () => contentOf(body, id, source);
  return createMessage({
    recipients: [
      ...(["to", "cc", "bcc"] as const).flatMap((name) => readField(body, name, problems)),
      // A template copies every mail made from it to these.
      ...readRecipients(source?.cc, "cc", "template.cc", "list", problems),
      ...readRecipients(source?.bcc, "bcc", "template.bcc", "list", problems),
    ],
    from: readSender(field(body, "from")),
    tags: id === undefined ? [] : [id],
    headers: readHeaders(field(body, "headers"), problems),
    content,
    ...(digest ? { attached: () => true, bytes: () => digest(content()) } : {}),
  });
}

/** People named by a request that is no mail of its own. */
export function readPeople(values: readonly Plain[], problems: Refusal[]): Recipient[] {
  return values.flatMap((value) => {
    if (typeof value === "string" && value !== "") return readRecipients(value, "to", "recipient", "list", problems);
    if (value !== "") problems.push(notText("recipient", value));
    return [];
  });
}

/** The template that a mail names: a number, or the name it is triggered by. */
export function templateOf(body: Plain): string | undefined {
  const id = toText(field(body, "transactional_message_id"));
  return id === "" ? undefined : id;
}

// Several people stand in one text, separated by commas.
function readField(body: Plain, name: Field, problems: Refusal[]): Recipient[] {
  const value = field(body, name);
  if (value === undefined || value === null || value === "") return [];
  if (typeof value === "string") return readRecipients(value, name, name, "list", problems);
  problems.push(notText(name, value));
  return [];
}

function notText(where: string, value: Plain): Refusal {
  const got = Array.isArray(value) ? "a list" : `a ${typeof value}`;
  return { code: "ADDRESS_INVALID", message: `Expected addresses as text, got ${got}.`, where };
}

function readHeaders(value: Plain, problems: Refusal[]): [string, string][] {
  if (value === undefined || value === null) return [];
  const headers = asRecord(value);
  if (!headers) {
    problems.push({ code: "FIELD_UNKNOWN", message: "Expected headers by name, got another value.", where: "headers" });
  }
  return Object.entries(headers ?? {}).map(([name, content]) => {
    const where = place("headers", name);
    const problem =
      headerProblem(name, content, where) ??
      (typeof content === "object" && content !== null
        ? ({ code: "HEADER_REFUSED", message: "Expected a header's value as text, got another.", where } as const)
        : undefined);
    if (problem) problems.push(problem);
    return [name.toLowerCase(), String(content)];
  });
}

function readFiles(value: Plain): AttachedFile[] {
  return Object.entries(asRecord(value) ?? {}).map(([name, content]) => ({
    type: "application/octet-stream",
    name,
    bytes: () => (typeof content === "string" ? Buffer.from(content, "base64") : JSON.stringify(content ?? null)),
  }));
}

function contentOf(body: Plain, id: string | undefined, source: TemplateText | undefined): Content {
  const pick = (...names: readonly string[]) =>
    names.map((name) => asText(field(body, name))).find((value) => value !== undefined);
  const own = { subject: pick("subject"), text: pick("body_plain", "plaintext_body"), html: pick("body") };
  const subject = own.subject ?? source?.subject;
  const text = own.text ?? source?.text;
  const html = own.html ?? source?.html;
  const data = field(body, "message_data");
  const whole = own.subject !== undefined && own.html !== undefined;
  // Liquid, in a mail's own text as in a template's; a profile nobody here knows fills it in.
  const open = [subject, text, html].some((one) => one !== undefined && /\{\{|\{%/.test(one));
  const unbound =
    id !== undefined && !whole && !source
      ? "the text of a template that lives at Customer.io, and whom it copies"
      : open
        ? "parts of the text that Customer.io fills in"
        : undefined;
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
    ...(id === undefined ? {} : { template: { id, ...(data === undefined ? {} : { data }) } }),
    ...(unbound === undefined ? {} : { unbound }),
  };
}
