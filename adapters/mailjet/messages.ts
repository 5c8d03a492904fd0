/**
 * The mails in one request to Mailjet's Send API, v3 and v3.1
 * (https://dev.mailjet.com/email/guides/send-api-v31/).
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
  type Plain,
  place,
  type Recipient,
  type Refusal,
  readRecipients,
  readSender,
  type Shape,
  unknownFields,
} from "../../src/adapter";
import { contentOf, type Source, type Templates } from "./content";

const person: Shape = { Email: true, Name: true };
const attachment: Shape = { Filename: true, ContentType: true, Base64Content: true, ContentID: true };
const oldAttachment: Shape = { Filename: true, "Content-type": true, content: true, Content: true, ContentID: true };

const message: Shape = {
  From: true,
  Sender: person,
  To: [person],
  Cc: [person],
  Bcc: [person],
  ReplyTo: person,
  Subject: true,
  TextPart: true,
  HTMLPart: true,
  TemplateID: true,
  TemplateLanguage: true,
  TemplateErrorReporting: person,
  TemplateErrorDeliver: true,
  Attachments: [attachment],
  InlinedAttachments: [attachment],
  Priority: true,
  CustomCampaign: true,
  DeduplicateCampaign: true,
  TrackOpens: true,
  TrackClicks: true,
  CustomID: true,
  EventPayload: true,
  URLTags: true,
  MonitoringCategory: true,
  Headers: true,
  Variables: true,
};

const oldMessage: Shape = {
  FromEmail: true,
  FromName: true,
  Sender: true,
  Recipients: [{ Email: true, Name: true, Vars: true }],
  To: true,
  Cc: true,
  Bcc: true,
  Subject: true,
  "Text-part": true,
  "Html-part": true,
  "Mj-TemplateID": true,
  "Mj-TemplateLanguage": true,
  "Mj-TemplateErrorReporting": true,
  "Mj-TemplateErrorDeliver": true,
  "Mj-prio": true,
  "Mj-campaign": true,
  "Mj-deduplicatecampaign": true,
  "Mj-trackopen": true,
  "Mj-trackclick": true,
  "Mj-CustomID": true,
  "Mj-EventPayload": true,
  Attachments: [oldAttachment],
  Inline_attachments: [oldAttachment],
  Headers: true,
  Vars: true,
};

const shapes = {
  "v3.1": { Messages: [message], Globals: message, SandboxMode: true, AdvanceErrorHandling: true },
  v3: { ...oldMessage, Messages: [oldMessage] },
} satisfies Record<string, Shape>;

/** Decodes a body. Reasons why it may not leave go into `problems`. */
export function readMails(
  body: Plain,
  version: "v3" | "v3.1",
  problems: Refusal[],
  templates: Templates = {},
): Message[] {
  problems.push(...unknownFields(body, shapes[version], ""));
  if (!asRecord(body)) {
    problems.push({ code: "FIELD_UNKNOWN", message: "Expected a mail as an object, got another value." });
    return [];
  }
  const listed = asList(field(body, "Messages"));
  if (version === "v3.1") {
    const globals = field(body, "Globals");
    return listed.map((one, at) => readMail(one, globals, `Messages[${at}]`, problems, templates));
  }
  const nested = listed.flatMap((one, at) => readOld(one, `Messages[${at}]`, problems, templates));
  const { Messages: _listed, ...outer } = asRecord(body) ?? {};
  // Fields beside a list are judged as a mail of their own.
  return listed.length === 0 || Object.keys(outer).length > 0
    ? [...nested, ...readOld(outer, "", problems, templates)]
    : nested;
}

const fields = { To: "to", Cc: "cc", Bcc: "bcc" } as const;

/** v3.1. What `Globals` say counts for every message, recipients included. */
function readMail(own: Plain, globals: Plain, where: string, problems: Refusal[], templates: Templates): Message {
  const of = (name: string): Plain => field(own, name) ?? field(globals, name);
  const recipients = Object.entries(fields).flatMap(([name, as]) => [
    ...readPeople(field(globals, name), as, `Globals.${name}`, problems),
    ...readPeople(field(own, name), as, place(where, name), problems),
  ]);
  // Told of a broken template by mail, with the text in it.
  const told = readPeople(of("TemplateErrorReporting"), "bcc", place(where, "TemplateErrorReporting"), problems);
  return assemble({
    recipients: [...recipients, ...told],
    from: of("From"),
    tag: of("CustomCampaign"),
    headers: [
      ...readHeaders(field(globals, "Headers"), "Globals.Headers", problems),
      ...readHeaders(field(own, "Headers"), place(where, "Headers"), problems),
    ],
    files: [...asList(of("Attachments")), ...asList(of("InlinedAttachments"))],
    text: { subject: of("Subject"), text: of("TextPart"), html: of("HTMLPart") },
    template: of("TemplateID"),
    language: of("TemplateLanguage"),
    data: { ...asRecord(field(globals, "Variables")), ...asRecord(field(own, "Variables")) },
    templates,
  });
}

/** v3. Each of `Recipients` gets a mail of their own; `To`, `Cc` and `Bcc` share one. */
function readOld(mail: Plain, where: string, problems: Refusal[], templates: Templates): Message[] {
  const told = readText(
    field(mail, "Mj-TemplateErrorReporting"),
    "bcc",
    place(where, "Mj-TemplateErrorReporting"),
    problems,
  );
  const headers = readHeaders(field(mail, "Headers"), place(where, "Headers"), problems);
  const one = (recipients: readonly Recipient[], vars: Plain): Message =>
    assemble({
      recipients: [...recipients, ...told],
      from: field(mail, "FromEmail"),
      tag: field(mail, "Mj-campaign"),
      headers,
      files: [...asList(field(mail, "Attachments")), ...asList(field(mail, "Inline_attachments"))],
      text: { subject: field(mail, "Subject"), text: field(mail, "Text-part"), html: field(mail, "Html-part") },
      template: field(mail, "Mj-TemplateID"),
      language: field(mail, "Mj-TemplateLanguage"),
      data: { ...asRecord(field(mail, "Vars")), ...asRecord(vars) },
      templates,
    });
  const shared = Object.entries(fields).flatMap(([name, as]) =>
    readText(field(mail, name), as, place(where, name), problems),
  );
  const singles = asList(field(mail, "Recipients")).map((single, at) => {
    const to = readPeople(single, "to", place(where, `Recipients[${at}]`), problems);
    return one(to, field(single, "Vars"));
  });
  return shared.length > 0 || singles.length === 0 ? [one(shared, undefined), ...singles] : singles;
}

interface Parts extends Source {
  readonly recipients: readonly Recipient[];
  readonly from: Plain;
  readonly tag: Plain;
  readonly headers: readonly (readonly [string, string])[];
  readonly files: readonly Plain[];
}

function assemble(parts: Parts): Message {
  const { recipients, from, tag, headers, files } = parts;
  const attached = files.map(readFile);
  const digest = attached.length > 0 ? digestInput(attached) : undefined;
  const content = () => contentOf(parts);
  return createMessage({
    recipients,
    from: readSender(asText(from) ?? { email: field(from, "Email") }),
    tags: asText(tag) ? [String(tag)] : [],
    headers,
    content,
    ...(digest ? { attached: () => true, bytes: () => digest(content()) } : {}),
  });
}

function readPeople(value: Plain, as: Recipient["field"], where: string, problems: Refusal[]): Recipient[] {
  return asList(value).flatMap((one) => {
    const name = field(one, "Name");
    const read = { email: field(one, "Email"), ...(typeof name === "string" && name !== "" ? { name } : {}) };
    return readRecipients(read, as, where, "single", problems);
  });
}

/** v3 separates addresses in a text by commas; anything else than text is not documented. */
function readText(value: Plain, as: Recipient["field"], where: string, problems: Refusal[]): Recipient[] {
  if (value === undefined || value === null || value === "") return [];
  if (typeof value === "string") return readRecipients(value, as, where, "list", problems);
  problems.push({
    code: "ADDRESS_INVALID",
    message: `Expected addresses as text, separated by commas, got ${Array.isArray(value) ? "a list" : `a ${typeof value}`}.`,
    where,
  });
  return [];
}

function readHeaders(value: Plain, where: string, problems: Refusal[]): [string, string][] {
  const headers = asRecord(value);
  if (!headers && asList(value).length > 0)
    problems.push({ code: "FIELD_UNKNOWN", message: "Expected headers by name, got another value.", where });
  return Object.entries(headers ?? {}).map(([name, content]) => {
    const problem = headerProblem(
      name,
      typeof content === "object" ? JSON.stringify(content) : content,
      place(where, name),
    );
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

function readFile(file: Plain): AttachedFile {
  const of = (...names: string[]) => names.map((name) => asText(field(file, name))).find((one) => one !== undefined);
  return {
    type: (of("ContentType", "Content-type") ?? "application/octet-stream").toLowerCase(),
    name: of("Filename"),
    bytes: () => Buffer.from(of("Base64Content", "content", "Content") ?? "", "base64"),
  };
}
