/**
 * The mails in one request to Mailgun's messages endpoint
 * (https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages). With
 * `recipient-variables`, each address in `to` gets a mail of its own.
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
  headerProblem,
  type Message,
  mergeContent,
  mimeContent,
  mimeDigestInput,
  mimeRecipients,
  type Plain,
  type Recipient,
  type Refusal,
  readHeaders,
  readJson,
  readMime,
  readRecipients,
  readSender,
  type TemplateText,
  toText,
  unknownField,
} from "../../src/adapter";

/** The fields of a form, in order. */
export type Fields = readonly (readonly [string, Plain])[];

const single = new Set(["from", "subject", "template", "t:version", "t:variables", "recipient-variables", "message"]);
const known = new Set([
  ...single,
  ..."to cc bcc text html amp-html attachment inline t:text".split(" "),
  ..."o:tag o:dkim o:secondary-dkim o:secondary-dkim-public o:deliverytime o:deliverytime-optimize-period".split(" "),
  ..."o:time-zone-localize o:testmode o:tracking o:tracking-clicks o:tracking-opens".split(" "),
  ..."o:tracking-pixel-location-top o:require-tls o:skip-verification o:sending-ip o:sending-ip-pool".split(" "),
]);

// One mail per person, each with every copy: this many are decoded.
const most = 1_000_000;

/** Decodes a form. Reasons why it may not leave go into `problems`. */
export function readMessages(
  fields: Fields,
  mime: boolean,
  templates: Readonly<Record<string, TemplateText>>,
  problems: Refusal[],
): Message[] {
  const headers = checkFields(fields, problems);
  const named = (name: "to" | "cc" | "bcc"): Recipient[] =>
    valuesOf(fields, name).flatMap((value) => {
      if (typeof value === "string") return readRecipients(value, name, name, "list", problems);
      problems.push({ ...notText, where: name });
      return [];
    });
  const to = named("to");
  const copies = [...named("cc"), ...named("bcc")];
  const tags = valuesOf(fields, "o:tag").filter((tag) => typeof tag === "string");
  const from = readSender(valuesOf(fields, "from")[0]);
  if (mime) return [readRendered(fields, [...to, ...copies], tags, problems)];

  const variables = variablesOf(fields, problems);
  const files = readFiles(fields);
  const digest = files.length > 0 ? digestInput(files) : undefined;
  // Read once for all mails of a batch: their fields are thousands.
  let texts: Texts | undefined;
  const message = (recipients: readonly Recipient[], own: Plain): Message => {
    const content = () => {
      texts ??= readTexts(fields);
      return contentOf(texts, own, templates);
    };
    return createMessage({
      recipients,
      from,
      tags,
      headers,
      content,
      ...(digest ? { attached: () => true, bytes: () => digest(content()) } : {}),
    });
  };
  if (!variables) return [message([...to, ...copies], undefined)];
  if (to.length * (copies.length + 1) > most) {
    problems.push({
      code: "COPY_TOO_LARGE",
      message: `Expected at most ${most} recipients in one batch, copies counted once per mail, got more.`,
      fix: "Send the batch in parts, and without cc and bcc.",
      where: "to",
    });
    return [message([...to, ...copies], undefined)];
  }
  return to.map((recipient) => message([recipient, ...copies], variables.get(recipient.person)));
}

// Lists within lists and objects become JSON text in a form, which is nobody's address.
const notText: Refusal = {
  code: "ADDRESS_INVALID",
  message: "Expected addresses as text, or a list of texts, got another value.",
  fix: "Give each address as text.",
};

/** Field names are a closed list: one that differs in case or blanks may be read as a recipient field. */
function checkFields(fields: Fields, problems: Refusal[]): [string, string][] {
  const headers: [string, string][] = [];
  const seen = new Set<string>();
  for (const [name, value] of fields) {
    if (single.has(name) && seen.has(name)) {
      problems.push({
        code: "FIELD_UNKNOWN",
        message: "Expected this field once, got it several times, of which nobody knows which counts.",
        where: name,
      });
    }
    seen.add(name);
    if (name.startsWith("h:")) {
      const problem = headerProblem(name.slice(2), value, "h:");
      if (problem) problems.push(problem);
      headers.push([name.slice(2).toLowerCase(), toText(value)]);
    } else if (!known.has(name) && !/^v:[\x21-\x7e]{1,200}$/.test(name)) problems.push(unknownField("", name));
    if (problems.length >= 100) break;
  }
  return headers;
}

function valuesOf(fields: Fields, name: string): Plain[] {
  return fields.filter(([key]) => key === name).map(([, value]) => value);
}

/** The variables of each person; `undefined` when the request is no batch. */
function variablesOf(fields: Fields, problems: Refusal[]): Map<string, Plain> | undefined {
  const [given] = valuesOf(fields, "recipient-variables");
  if (given === undefined) return undefined;
  const record = asRecord(typeof given === "string" ? readJson(given) : given);
  if (!record) {
    problems.push({
      code: "FIELD_UNKNOWN",
      message: "Expected the variables of each recipient as a JSON object, got something else.",
      where: "recipient-variables",
    });
  }
  return new Map(Object.entries(record ?? {}).map(([address, variables]) => [address.toLowerCase(), variables]));
}

/** What all mails of a request share. */
interface Texts extends TemplateText {
  readonly template: string | undefined;
  readonly data: { [key: string]: Plain };
}

function readTexts(fields: Fields): Texts {
  const text = (name: string): string | undefined => {
    const values = valuesOf(fields, name).filter((value) => typeof value === "string");
    return values.length === 0 ? undefined : values.join("\n");
  };
  const [subject, plain, html] = [text("subject"), text("text"), text("html")];
  const given = valuesOf(fields, "t:variables")[0];
  const custom = fields.filter(([name]) => name.startsWith("v:"));
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(plain === undefined ? {} : { text: plain }),
    ...(html === undefined ? {} : { html }),
    template: asText(valuesOf(fields, "template")[0]) || undefined,
    data: {
      ...Object.fromEntries(custom.map(([name, value]) => [name.slice(2), value])),
      ...asRecord(typeof given === "string" ? readJson(given) : given),
    },
  };
}

function contentOf(texts: Texts, own: Plain, templates: Readonly<Record<string, TemplateText>>): Content {
  const { subject, text, html, template: id } = texts;
  const content: Content = {
    ...(subject === undefined ? {} : { subject: personal(subject, own) }),
    ...(text === undefined ? {} : { text: personal(text, own) }),
    ...(html === undefined ? {} : { html: personal(html, own) }),
  };
  if (id === undefined) return content;
  const data = { ...texts.data, ...asRecord(own) };
  const template = { id, data };
  const source = Object.hasOwn(templates, id) ? templates[id] : undefined;
  if (!source) return { ...content, template, unbound: "the text of a template that lives at Mailgun" };
  return { ...mergeContent({ ...source, ...content }, data, "parts of a template that Mailgun fills in"), template };
}

/** `%recipient.name%`, filled in as Mailgun does; what has no variable stays. */
function personal(text: string, own: Plain): string {
  const variables = asRecord(own);
  if (!variables) return text;
  return text.replace(/%recipient\.([\w-]{1,100})%/g, (whole, name: string) => {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : whole;
  });
}

/** A rendered message: the form's fields are its envelope, and whoever its headers name counts as well. */
function readRendered(fields: Fields, envelope: Recipient[], tags: string[], problems: Refusal[]): Message {
  const bytes = bytesOf(valuesOf(fields, "message")[0]);
  const block = readHeaders(bytes);
  const people = new Set(envelope.map(({ person }) => person));
  const named = mimeRecipients(block, "message", problems).filter(({ person }) => !people.has(person));
  const from = readSender(block.headers.find(([name]) => name === "from")?.[1]);
  let read: ReturnType<typeof readMime> | undefined;
  const message = () => {
    read ??= readMime(bytes, block);
    return read;
  };
  return createMessage({
    recipients: [...envelope, ...named],
    from,
    tags,
    headers: block.headers,
    content: () => mimeContent(message()),
    attached: () => message().parts.length > 0,
    bytes: () => mimeDigestInput(message()),
  });
}

/** The bytes of a text, a buffer, or a file with `data`. */
export function bytesOf(value: Plain): Buffer {
  if (typeof value === "string") return Buffer.from(value);
  if (value instanceof Uint8Array) return Buffer.from(value);
  const data = asRecord(value)?.data;
  return data === undefined ? Buffer.alloc(0) : bytesOf(data);
}

function readFiles(fields: Fields): AttachedFile[] {
  return fields
    .filter(([name]) => name === "attachment" || name === "inline" || name === "amp-html")
    .map(([name, value]) => ({
      type: name === "amp-html" ? "text/x-amp-html" : (asText(asRecord(value)?.contentType) ?? "").toLowerCase(),
      name: asText(asRecord(value)?.filename),
      bytes: () => bytesOf(value),
    }));
}
