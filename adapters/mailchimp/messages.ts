/**
 * The mails in one request to Mandrill. With merge fields of their own, each recipient's is one.
 *
 * @module
 */
import {
  type AttachedFile,
  asList,
  asRecord,
  asText,
  createMessage,
  digestInput,
  field,
  headerProblem,
  type Message,
  mimeContent,
  mimeDigestInput,
  mimeRecipients,
  type Plain,
  place,
  type Recipient,
  type Refusal,
  readHeaders,
  readMime,
  readRecipients,
  readSender,
  type Shape,
  type TemplateText,
  unknownFields,
} from "../../src/adapter";
import { contentOf } from "./content";

type Templates = Readonly<Record<string, TemplateText>>;

const pair: Shape = { name: true, content: true };
const file: Shape = { type: true, name: true, content: true };

const message: Shape = {
  html: true,
  text: true,
  subject: true,
  from_email: true,
  from_name: true,
  to: [{ email: true, name: true, type: true }],
  headers: true,
  important: true,
  track_opens: true,
  track_clicks: true,
  auto_text: true,
  auto_html: true,
  inline_css: true,
  url_strip_qs: true,
  preserve_recipients: true,
  view_content_link: true,
  bcc_address: true,
  tracking_domain: true,
  signing_domain: true,
  return_path_domain: true,
  merge: true,
  merge_language: true,
  global_merge_vars: [pair],
  merge_vars: [{ rcpt: true, vars: [pair] }],
  tags: true,
  subaccount: true,
  google_analytics_domains: true,
  google_analytics_campaign: true,
  metadata: true,
  recipient_metadata: [{ rcpt: true, values: true }],
  attachments: [file],
  images: [file],
};

const common: Shape = { key: true, async: true, ip_pool: true, send_at: true };

const mailShape: Shape = {
  ...common,
  message,
  template_name: true,
  template_id: true,
  mc_template_id: true,
  mc_template_version: true,
  template_content: [pair],
};

const rawShape: Shape = {
  ...common,
  raw_message: true,
  from_email: true,
  from_name: true,
  to: true,
  return_path_domain: true,
};

/** Decodes a body. Reasons why it may not leave go into `problems`. */
export function readMails(body: Plain, layout: "mail" | "raw", templates: Templates, problems: Refusal[]): Message[] {
  problems.push(...unknownFields(body, layout === "raw" ? rawShape : mailShape, ""));
  if (layout === "raw") return [readRaw(body, problems)];
  const mail = field(body, "message");
  if (!asRecord(mail)) {
    problems.push({
      code: "FIELD_UNKNOWN",
      message: "Expected a mail as an object, got another value.",
      where: "message",
    });
    return [];
  }
  const recipients = readTo(field(mail, "to"), problems);
  const copies = readCopy(field(mail, "bcc_address"), problems);
  const files = [...readFiles(field(mail, "attachments")), ...readFiles(field(mail, "images"))];
  const digest = files.length > 0 ? digestInput(files) : undefined;
  const headers = readFields(field(mail, "headers"), problems);
  const tags = asList(field(mail, "tags")).filter((tag) => typeof tag === "string");
  const from = readSender(field(mail, "from_email"));
  const one = (to: readonly Recipient[], rcpt: string | undefined): Message => {
    const content = () => contentOf(body, rcpt, templates);
    return createMessage({
      recipients: [...to, ...copies],
      from,
      tags,
      headers,
      content,
      ...(digest ? { attached: () => true, bytes: () => digest(content()) } : {}),
    });
  };
  const personal = asList(field(mail, "merge_vars")).length > 0;
  return personal && recipients.length > 0
    ? recipients.map((to) => one([to], to.address))
    : [one(recipients, undefined)];
}

function readTo(value: Plain, problems: Refusal[]): Recipient[] {
  return asList(value).flatMap((one, at) => {
    const where = `message.to[${at}]`;
    const type = field(one, "type") ?? "to";
    const known = type === "to" || type === "cc" || type === "bcc";
    if (!known) {
      problems.push({
        code: "FIELD_UNKNOWN",
        message: "Expected a recipient's type as to, cc or bcc, got another value.",
        where: `${where}.type`,
      });
    }
    const { type: _type, ...person } = asRecord(one) ?? { email: one };
    return readRecipients(person, known ? type : "to", where, "single", problems);
  });
}

/** `bcc_address`: one address that gets a hidden copy of every recipient's mail. */
function readCopy(value: Plain, problems: Refusal[]): Recipient[] {
  if (value === undefined || value === null || value === "") return [];
  if (typeof value === "string") return readRecipients(value, "bcc", "message.bcc_address", "single", problems);
  problems.push({
    code: "ADDRESS_INVALID",
    message: `Expected one address as text, got ${Array.isArray(value) ? "a list" : `a ${typeof value}`}.`,
    where: "message.bcc_address",
  });
  return [];
}

function readFields(value: Plain, problems: Refusal[]): [string, string][] {
  const headers = asRecord(value);
  if (!headers && asList(value).length > 0)
    problems.push({ code: "FIELD_UNKNOWN", message: "Expected headers by name, got another value.", where: "headers" });
  return Object.entries(headers ?? {}).map(([name, content]) => {
    const where = place("message.headers", name);
    const problem = headerProblem(name, Array.isArray(content) ? content.join() : content, where);
    if (problem) problems.push(problem);
    return [name.toLowerCase(), String(content)];
  });
}

function readFiles(value: Plain): AttachedFile[] {
  return asList(value).map((one) => ({
    type: (asText(field(one, "type")) ?? "application/octet-stream").toLowerCase(),
    name: asText(field(one, "name")),
    bytes: () => Buffer.from(asText(field(one, "content")) ?? "", "base64"),
  }));
}

/** Without `to`, a rendered message goes to whom its headers name; with it, to both at most. */
function readRaw(body: Plain, problems: Refusal[]): Message {
  const bytes = Buffer.from(asText(field(body, "raw_message")) ?? "");
  const envelope = asList(field(body, "to")).flatMap((one, at) =>
    readRecipients(one, "to", `to[${at}]`, "single", problems),
  );
  const people = new Set(envelope.map(({ person }) => person));
  const block = readHeaders(bytes);
  const named = mimeRecipients(block, "raw_message", problems).filter(({ person }) => !people.has(person));
  let read: ReturnType<typeof readMime> | undefined;
  const mime = () => {
    read ??= readMime(bytes, block);
    return read;
  };
  return createMessage({
    recipients: [...envelope, ...named],
    from: readSender(field(body, "from_email")) ?? readSender(block.headers.find(([name]) => name === "from")?.[1]),
    headers: block.headers,
    content: () => mimeContent(mime()),
    attached: () => mime().parts.length > 0,
    bytes: () => mimeDigestInput(mime()),
  });
}
