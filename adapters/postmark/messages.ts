/**
 * The mails in one request to Postmark. A batch is several, and each entry of a bulk request is one.
 *
 * @module
 */
import {
  type AttachedFile,
  asText,
  type Content,
  createMessage,
  digestInput,
  headerProblem,
  type Message,
  mergeContent,
  type Plain,
  type Recipient,
  type Refusal,
  readRecipients,
  readSender,
  type TemplateText,
} from "../../src/adapter";
import type { Layout } from "./endpoints";
import {
  attachmentFields,
  batchFields,
  bulkFields,
  entryFields,
  type Folded,
  fold,
  headerFields,
  listOf,
  mailFields,
} from "./fields";

type Templates = Readonly<Record<string, TemplateText>>;

const nothing: Folded = new Map();

/** Decodes a body. Reasons why it may not leave go into `problems`. */
export function readMails(body: Plain, layout: Layout, templates: Templates, problems: Refusal[]): Message[] {
  if (layout === "one") return [readMail(fold(body, mailFields, "", problems), nothing, "", templates, problems)];
  if (layout === "list") {
    if (!Array.isArray(body)) problems.push(notAList);
    return listed(Array.isArray(body) ? body : [], "", templates, problems);
  }
  const shared = fold(body, layout === "bulk" ? bulkFields : batchFields, "", problems);
  const mails = listOf(shared.get("messages"), "Messages", problems);
  if (layout === "messages") return listed(mails, "Messages", templates, problems);
  return mails.map((entry, at) => {
    const where = `Messages[${at}]`;
    return readMail(fold(entry, entryFields, where, problems), shared, where, templates, problems);
  });
}

function listed(mails: readonly Plain[], under: string, templates: Templates, problems: Refusal[]): Message[] {
  return mails.map((mail, at) => {
    const where = `${under}[${at}]`;
    return readMail(fold(mail, mailFields, where, problems), nothing, where, templates, problems);
  });
}

/** One mail; what it does not say itself, a bulk request says for all. */
function readMail(own: Folded, shared: Folded, where: string, templates: Templates, problems: Refusal[]): Message {
  const of = (name: string): Plain => own.get(name) ?? shared.get(name);
  const at = (name: string): string => (where === "" ? name : `${where}.${name}`);
  const recipients: Recipient[] = [
    ...readField(own.get("to"), "to", at("To"), problems),
    ...readField(own.get("cc"), "cc", at("Cc"), problems),
    ...readField(own.get("bcc"), "bcc", at("Bcc"), problems),
  ];
  const headers = [
    ...readHeaders(shared.get("headers"), "Headers", problems),
    ...readHeaders(own.get("headers"), at("Headers"), problems),
  ];
  const files = readFiles(of("attachments"), at("Attachments"), problems);
  const digest = files.length > 0 ? digestInput(files) : undefined;
  const tag = asText(of("tag"));
  const content = () => contentOf(of, templates);
  return createMessage({
    recipients,
    from: readSender(of("from")),
    tags: tag ? [tag] : [],
    headers,
    content,
    ...(digest ? { attached: () => true, bytes: () => digest(content()) } : {}),
  });
}

// Postmark's fields are text; a list or an object passes the SDK, and what the API makes of it is not documented.
function readField(value: Plain, field: "to" | "cc" | "bcc", where: string, problems: Refusal[]): Recipient[] {
  if (value === undefined || value === null) return [];
  if (typeof value === "string") return readRecipients(value, field, where, "list", problems);
  problems.push({
    code: "ADDRESS_INVALID",
    message: `Expected addresses as text, separated by commas, got ${Array.isArray(value) ? "a list" : `a ${typeof value}`}.`,
    fix: 'Join them: addresses.join(", ").',
    where,
  });
  return [];
}

function readHeaders(value: Plain, where: string, problems: Refusal[]): [string, string][] {
  return listOf(value, where, problems).map((header, at) => {
    const place = `${where}[${at}]`;
    const folded = fold(header, headerFields, place, problems);
    const name = String(folded.get("name") ?? "");
    const content = folded.get("value");
    const problem = headerProblem(name, content, place);
    if (problem) problems.push(problem);
    return [name.toLowerCase(), String(content ?? "")];
  });
}

function readFiles(value: Plain, where: string, problems: Refusal[]): AttachedFile[] {
  return listOf(value, where, problems).map((file, at) => {
    const folded = fold(file, attachmentFields, `${where}[${at}]`, problems);
    return {
      type: (asText(folded.get("contenttype")) ?? "application/octet-stream").toLowerCase(),
      name: asText(folded.get("name")),
      bytes: () => Buffer.from(asText(folded.get("content")) ?? "", "base64"),
    };
  });
}

function contentOf(of: (name: string) => Plain, templates: Templates): Content {
  const subject = asText(of("subject"));
  const text = asText(of("textbody"));
  const html = asText(of("htmlbody"));
  const own: Content = {
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
  };
  const data = of("templatemodel");
  const id = templateOf(of);
  // The content of a bulk request is merged with each recipient's model, template or not.
  if (id === undefined)
    return data === undefined ? own : mergeContent(own, data, "parts of the text that Postmark fills in");
  const template = { id, ...(data === undefined ? {} : { data }) };
  const source = Object.hasOwn(templates, id) ? templates[id] : undefined;
  if (!source) return { ...own, template, unbound: "the text of a template that lives at Postmark" };
  return { ...mergeContent(source, data, "parts of a template that Postmark fills in"), template };
}

/** The template a mail names: by number, else by alias. */
function templateOf(of: (name: string) => Plain): string | undefined {
  const id = of("templateid") ?? of("templatealias");
  return typeof id === "number" || (typeof id === "string" && id !== "") ? String(id) : undefined;
}

const notAList: Refusal = {
  code: "FIELD_UNKNOWN",
  message: "Expected a list of mails, got another value.",
  fix: "Pass sendEmailBatch an array.",
};
