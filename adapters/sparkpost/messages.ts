/**
 * The mails in one transmission. SparkPost writes one for each recipient; people with a `header_to`
 * get a copy of somebody else's (https://developers.sparkpost.com/api/transmissions/).
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
  mimeRecipients,
  type Plain,
  place,
  type Recipient,
  type Refusal,
  readHeaders,
  readRecipients,
  readSender,
  type Shape,
  type TemplateText,
  unknownFields,
} from "../../src/adapter";
import { contentOf } from "./content";
import { group, personReader } from "./recipients";

type Templates = Readonly<Record<string, TemplateText>>;

const file: Shape = { type: true, name: true, data: true };

const shape: Shape = {
  options: {
    start_time: true,
    open_tracking: true,
    initial_open: true,
    click_tracking: true,
    transactional: true,
    sandbox: true,
    skip_suppression: true,
    ip_pool: true,
    inline_css: true,
    perform_substitutions: true,
  },
  recipients: true,
  campaign_id: true,
  description: true,
  metadata: true,
  substitution_data: true,
  return_path: true,
  content: {
    html: true,
    text: true,
    amp_html: true,
    subject: true,
    from: true,
    reply_to: true,
    headers: true,
    attachments: [file],
    inline_images: [file],
    template_id: true,
    use_draft_template: true,
    ab_test_id: true,
    email_rfc822: true,
  },
};

/** Decodes a transmission. Reasons why it may not leave go into `problems`. */
export function readMails(body: Plain, templates: Templates, problems: Refusal[]): Message[] {
  problems.push(...unknownFields(body, shape, ""));
  const given = field(body, "recipients");
  const mail = field(body, "content");
  const list = asRecord(given);
  if (list) problems.push(...unknownFields(list, { list_id: true }, "recipients"));
  else if (given !== undefined && given !== null && !Array.isArray(given)) problems.push(notAList);
  const shown = readShown(mail, problems);
  const entries = Array.isArray(given) ? given : [];
  const cc = new Set(shown.map((one) => one.person));
  const read = personReader(cc, problems);
  const readers = entries.flatMap((entry, at) => read(entry, `recipients[${at}]`));
  const people = new Set(readers.map(({ recipient }) => recipient.person));
  if (!list && shown.some((one) => !people.has(one.person))) problems.push(shownOnly);
  const headers = [...readFields(mail, problems), ...rawHeaders(mail)];
  const named = readRaw(mail, people, problems);
  const write = writer(body, templates, headers, named);
  if (list) return [write([], "list", [])];
  if (readers.length === 0) return [write([], undefined, [])];
  return group(readers, people).map(({ recipients, entries: of }) => write(recipients, of[0], of));
}

/** The ids of the lists that a transmission goes to; `undefined` when it names people. */
export function listsOf(body: Plain): readonly string[] | undefined {
  const list = asRecord(field(body, "recipients"));
  if (!list) return undefined;
  const id = field(list, "list_id");
  return typeof id === "number" || (typeof id === "string" && id !== "") ? [String(id)] : [];
}

function writer(
  body: Plain,
  templates: Templates,
  headers: readonly (readonly [string, string])[],
  named: readonly Recipient[],
) {
  const mail = field(body, "content");
  const files = readFiles(mail);
  const digest = files.length > 0 ? digestInput(files) : undefined;
  const from = readSender(asText(field(mail, "from")) ?? { email: field(field(mail, "from"), "email") });
  const campaign = asText(field(body, "campaign_id"));
  return (recipients: readonly Recipient[], reader: Plain | "list", entries: readonly Plain[]): Message => {
    const content = () => contentOf(body, reader, templates);
    const tags = entries.flatMap((entry) => asList(field(entry, "tags")).filter((tag) => typeof tag === "string"));
    return createMessage({
      recipients: [...recipients, ...named],
      from: from ?? readSender(headers.find(([name]) => name === "from")?.[1]),
      tags: [...new Set([...(campaign ? [campaign] : []), ...tags])],
      headers,
      content,
      ...(digest ? { attached: () => true, bytes: () => digest(content()) } : {}),
    });
  };
}

const isCc = (name: string) => name.toLowerCase() === "cc";

/** The Cc header, which shows copies that stand in `recipients`. */
function readShown(mail: Plain, problems: Refusal[]): Recipient[] {
  return Object.entries(asRecord(field(mail, "headers")) ?? {})
    .filter(([name]) => isCc(name))
    .flatMap(([, value]) => readRecipients(value, "cc", "content.headers.CC", "list", problems));
}

function readFields(mail: Plain, problems: Refusal[]): [string, string][] {
  const given = field(mail, "headers");
  const headers = asRecord(given);
  if (!headers && given !== undefined && given !== null)
    problems.push({ code: "FIELD_UNKNOWN", message: "Expected headers by name, got another value.", where: "headers" });
  return Object.entries(headers ?? {}).map(([name, value]) => {
    const text = typeof value === "object" ? JSON.stringify(value) : value;
    const problem = headerProblem(isCc(name) ? "x-shown" : name, text, place("content.headers", name));
    if (problem) problems.push(problem);
    return [name.toLowerCase(), String(text ?? "")];
  });
}

function rawHeaders(mail: Plain): readonly (readonly [string, string])[] {
  const raw = asText(field(mail, "email_rfc822"));
  return raw === undefined ? [] : readHeaders(Buffer.from(raw)).headers;
}

/** Whom the headers of a rendered message name beside its recipients: they count, since it is not said that they do not. */
function readRaw(mail: Plain, people: ReadonlySet<string>, problems: Refusal[]): Recipient[] {
  const raw = asText(field(mail, "email_rfc822"));
  if (raw === undefined) return [];
  const found = mimeRecipients(readHeaders(Buffer.from(raw)), "content.email_rfc822", problems);
  return found.filter((one) => !people.has(one.person));
}

function readFiles(mail: Plain): AttachedFile[] {
  const amp = asText(field(mail, "amp_html"));
  const raw = asText(field(mail, "email_rfc822"));
  const listed = [...asList(field(mail, "attachments")), ...asList(field(mail, "inline_images"))].map((one) => ({
    type: (asText(field(one, "type")) ?? "application/octet-stream").toLowerCase(),
    name: asText(field(one, "name")),
    bytes: () => Buffer.from(asText(field(one, "data")) ?? "", "base64"),
  }));
  return [
    ...listed,
    // Read by people as the rest is, though not by guards.
    ...(amp === undefined ? [] : [{ type: "text/x-amp-html", bytes: () => amp }]),
    ...(raw === undefined ? [] : [{ type: "message/rfc822", bytes: () => raw }]),
  ];
}

const notAList: Refusal = {
  code: "FIELD_UNKNOWN",
  message: "Expected recipients as a list, or as the id of one, got another value.",
  where: "recipients",
};

const shownOnly: Refusal = {
  code: "HEADER_REFUSED",
  message: "Expected in Cc whom `recipients` names with a header_to, got somebody else.",
  fix: "Name everybody in recipients, cc or bcc, and let the client write the header.",
  where: "content.headers.CC",
};
