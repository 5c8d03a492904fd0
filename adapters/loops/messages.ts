/**
 * The mails in one request to Loops. Their text stands at Loops: a request names a template and the data
 * that is filled in.
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
  type Message,
  mergePairs,
  type Plain,
  type PlainRecord,
  type Recipient,
  type Refusal,
  readRecipients,
  type Shape,
  type TemplateText,
  unknownFields,
} from "../../src/adapter";

type Templates = Readonly<Record<string, TemplateText>>;

/** https://loops.so/docs/api-reference/send-transactional-email */
const mailShape: Shape = {
  transactionalId: true,
  email: true,
  addToAudience: true,
  dataVariables: true,
  attachments: [{ filename: true, contentType: true, data: true }],
};

/** https://loops.so/docs/api-reference/send-email-message-preview */
const previewShape: Shape = { emails: true, contactProperties: true, eventProperties: true, dataVariables: true };

/** Decodes a transactional mail. Reasons why it may not leave go into `problems`. */
export function readMail(body: Plain, templates: Templates, problems: Refusal[]): Message {
  problems.push(...unknownFields(body, mailShape, ""));
  const id = asText(field(body, "transactionalId")) ?? "";
  const source = Object.hasOwn(templates, id) ? templates[id] : undefined;
  const files = readFiles(body);
  const digest = files.length > 0 ? digestInput(files) : undefined;
  const content = () => contentOf(id, field(body, "dataVariables"), source);
  return createMessage({
    recipients: [
      ...readOne(field(body, "email"), "email", problems),
      // A template copies every mail made from it to these.
      ...readRecipients(source?.cc, "cc", "ccEmail", "list", problems),
      ...readRecipients(source?.bcc, "bcc", "bccEmail", "list", problems),
    ],
    tags: id === "" ? [] : [id],
    content,
    ...(digest ? { attached: () => true, bytes: () => digest(content()) } : {}),
  });
}

/** The test mails of a stored message, one for each address. */
export function readPreview(body: Plain, path: string, problems: Refusal[]): Message {
  problems.push(...unknownFields(body, previewShape, ""));
  const emails = field(body, "emails");
  if (!Array.isArray(emails)) problems.push(notA("a list of addresses", emails, "emails"));
  const id = path.split("/")[3] ?? "";
  const { emails: _emails, ...data } = asRecord(body) ?? {};
  return createMessage({
    recipients: asList(emails).flatMap((one, at) => readOne(one, `emails[${at}]`, problems)),
    content: () => ({ template: { id, data }, unbound: "the text of a message that is stored at Loops" }),
  });
}

/** People named by fields of a request that is no mail of its own. */
export function readPeople(body: Plain, names: readonly string[], problems: Refusal[]): Recipient[] {
  return names.flatMap((name) => readOne(field(body, name), name, problems));
}

// Loops takes one address as text, without a name.
function readOne(value: Plain, where: string, problems: Refusal[]): Recipient[] {
  if (value === undefined || value === null || value === "") return [];
  if (typeof value === "string") return readRecipients(value, "to", where, "single", problems);
  problems.push(notA("an address as text", value, where));
  return [];
}

function notA(expected: string, value: Plain, where: string): Refusal {
  const got = Array.isArray(value) ? "a list" : value === null || value === undefined ? "none" : `a ${typeof value}`;
  return { code: "ADDRESS_INVALID", message: `Expected ${expected}, got ${got}.`, where };
}

function readFiles(body: Plain): AttachedFile[] {
  return asList(field(body, "attachments")).map((file) => ({
    type: (asText(field(file, "contentType")) ?? "application/octet-stream").toLowerCase(),
    name: asText(field(file, "filename")),
    bytes: () => Buffer.from(asText(field(file, "data")) ?? "", "base64"),
  }));
}

function contentOf(id: string, data: Plain, source: TemplateText | undefined): Content {
  const template = { id, ...(data === undefined ? {} : { data }) };
  if (!source) return { template, unbound: "the text of a template that lives at Loops, and whom it copies" };
  const values = Object.entries(asRecord(data) ?? ({} as PlainRecord)).flatMap(([name, value]) =>
    typeof value === "string" || typeof value === "number" ? [[`{data.${name}}`, String(value)] as const] : [],
  );
  let open = false;
  const fill = (text: string | undefined): string | undefined => {
    if (text === undefined) return undefined;
    const merged = mergePairs(text, values);
    // Loops' markup has braces for what is filled in, and components that stand elsewhere.
    open ||= merged === undefined || /\{[\w.]|<Component\b|<Repeat\b/i.test(templateParts(text, values));
    return merged ?? text;
  };
  const subject = fill(source.subject);
  const html = fill(source.html);
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(html === undefined ? {} : { html }),
    template,
    ...(open ? { unbound: "parts of a template that Loops fills in" } : {}),
  };
}

/** What of a template is left when its known values are taken out: they may hold braces themselves. */
function templateParts(text: string, values: readonly (readonly [string, string])[]): string {
  return (
    mergePairs(
      text,
      values.map(([key]) => [key, ""] as const),
    ) ?? "{x"
  );
}
