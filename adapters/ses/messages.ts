/**
 * The mails in one operation of SES.
 *
 * @module
 */
import {
  type AttachedFile,
  asList,
  asText,
  type Content,
  createMessage,
  digestInput,
  field,
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
  unknownFields,
} from "../../src/adapter";
import { shapes } from "./fields";
import type { SesRequest } from "./wire";

/** Decodes an operation that mails the people it names. Reasons why it may not go into `problems`. */
export function readMessages(request: SesRequest, problems: Refusal[]): Message[] {
  const { input, operation, version } = request;
  problems.push(...unknownFields(input, shapes[version][operation] ?? {}, ""));
  const reader = new Reader(request, problems);
  switch (`${version} ${operation}`) {
    case "v2 SendBulkEmail":
      return asList(field(input, "BulkEmailEntries")).map((entry, at) => reader.bulk(entry, at));
    case "v1 SendBulkTemplatedEmail":
      return asList(field(input, "Destinations")).map((entry, at) => reader.bulkV1(entry, at));
    case "v1 SendRawEmail": {
      const named = reader.addresses(field(input, "Destinations"), "to", "Destinations");
      return [reader.raw(field(field(input, "RawMessage"), "Data"), named, tagsOf(field(input, "Tags")))];
    }
    case "v1 SendEmail":
    case "v1 SendTemplatedEmail":
      return [reader.v1()];
    default:
      return [reader.v2()];
  }
}

class Reader {
  readonly #request: SesRequest;
  readonly #input: Plain;
  readonly #problems: Refusal[];

  constructor(request: SesRequest, problems: Refusal[]) {
    this.#request = request;
    this.#input = request.input;
    this.#problems = problems;
  }

  v2(): Message {
    const content = field(this.#input, "Content");
    const recipients = this.#destination(field(this.#input, "Destination"), "Destination");
    const tags = tagsOf(field(this.#input, "EmailTags"));
    const raw = field(content, "Raw");
    if (raw !== undefined) return this.raw(field(raw, "Data"), recipients, tags);
    const template = field(content, "Template");
    const simple = field(content, "Simple");
    const carrier = template ?? simple;
    const where = template === undefined ? "Content.Simple" : "Content.Template";
    const read = () => (template === undefined ? simpleContent(simple) : this.#templateContent(template, undefined));
    return this.#message(recipients, tags, this.#headers(field(carrier, "Headers"), `${where}.Headers`), carrier, read);
  }

  v1(): Message {
    const input = this.#input;
    const recipients = this.#destination(field(input, "Destination"), "Destination");
    const read = () =>
      field(input, "Message") === undefined ? this.#templateV1(undefined) : simpleContent(field(input, "Message"));
    return this.#message(recipients, tagsOf(field(input, "Tags")), [], undefined, read);
  }

  bulk(entry: Plain, at: number): Message {
    const template = field(field(this.#input, "DefaultContent"), "Template");
    const where = `BulkEmailEntries[${at}]`;
    const recipients = this.#destination(field(entry, "Destination"), `${where}.Destination`);
    const tags = tagsOf(field(this.#input, "DefaultEmailTags"), field(entry, "ReplacementTags"));
    const headers = [
      ...this.#headers(field(template, "Headers"), "DefaultContent.Template.Headers"),
      ...this.#headers(field(entry, "ReplacementHeaders"), `${where}.ReplacementHeaders`),
    ];
    const own = field(field(field(entry, "ReplacementEmailContent"), "ReplacementTemplate"), "ReplacementTemplateData");
    return this.#message(recipients, tags, headers, template, () => this.#templateContent(template, own));
  }

  bulkV1(entry: Plain, at: number): Message {
    const recipients = this.#destination(field(entry, "Destination"), `Destinations[${at}].Destination`);
    const tags = tagsOf(field(this.#input, "DefaultTags"), field(entry, "ReplacementTags"));
    return this.#message(recipients, tags, [], undefined, () =>
      this.#templateV1(field(entry, "ReplacementTemplateData")),
    );
  }

  /** A rendered message. Whom SES heeds, the envelope or the headers, is disputed, so both count. */
  raw(data: Plain, envelope: Recipient[], tags: readonly string[]): Message {
    const bytes = data instanceof Uint8Array ? Buffer.from(data) : Buffer.alloc(0);
    const block = readHeaders(bytes);
    const people = new Set(envelope.map(({ person }) => person));
    const named = mimeRecipients(block, "Raw", this.#problems).filter(({ person }) => !people.has(person));
    const header = block.headers.find(([name]) => name === "from")?.[1];
    let read: ReturnType<typeof readMime> | undefined;
    const message = () => {
      read ??= readMime(bytes, block);
      return read;
    };
    return createMessage({
      recipients: [...envelope, ...named],
      from: this.#sender() ?? readSender(header),
      tags,
      headers: block.headers,
      content: () => mimeContent(message()),
      attached: () => message().parts.length > 0,
      bytes: () => mimeDigestInput(message()),
    });
  }

  /** Each text in a list is one address; SES does not document lists within one. */
  addresses(value: Plain, name: Recipient["field"], where: string): Recipient[] {
    if (value !== undefined && value !== null && !Array.isArray(value)) {
      this.#problems.push({
        code: "ADDRESS_INVALID",
        message: "Expected a list of addresses, got another value.",
        where,
      });
    }
    return readRecipients(value, name, where, "single", this.#problems);
  }

  #destination(value: Plain, where: string): Recipient[] {
    return [
      ...this.addresses(field(value, "ToAddresses"), "to", `${where}.ToAddresses`),
      ...this.addresses(field(value, "CcAddresses"), "cc", `${where}.CcAddresses`),
      ...this.addresses(field(value, "BccAddresses"), "bcc", `${where}.BccAddresses`),
    ];
  }

  #sender(): string | undefined {
    return readSender(field(this.#input, this.#request.version === "v2" ? "FromEmailAddress" : "Source"));
  }

  #headers(value: Plain, where: string): [string, string][] {
    return asList(value).map((header, at) => {
      const name = asText(field(header, "Name")) ?? "";
      const content = field(header, "Value");
      const problem = headerProblem(name, content, `${where}[${at}]`);
      if (problem) this.#problems.push(problem);
      return [name.toLowerCase(), toText(content)];
    });
  }

  #message(
    recipients: Recipient[],
    tags: readonly string[],
    headers: [string, string][],
    carrier: Plain,
    content: () => Content,
  ): Message {
    const files = asList(field(carrier, "Attachments")).map(readFile);
    const digest = files.length > 0 ? digestInput(files) : undefined;
    return createMessage({
      recipients,
      from: this.#sender(),
      tags,
      headers,
      content,
      ...(digest ? { attached: () => true, bytes: () => digest(content()) } : {}),
    });
  }

  #templateContent(template: Plain, own: Plain): Content {
    const inline = field(template, "TemplateContent");
    const id = asText(field(template, "TemplateName")) ?? asText(field(template, "TemplateArn"));
    const source = inline === undefined ? undefined : texts(inline);
    return this.#merged(id ?? "", source, field(template, "TemplateData"), own);
  }

  #templateV1(own: Plain): Content {
    const id = asText(field(this.#input, "Template")) ?? asText(field(this.#input, "TemplateArn")) ?? "";
    return this.#merged(
      id,
      undefined,
      field(this.#input, "TemplateData") ?? field(this.#input, "DefaultTemplateData"),
      own,
    );
  }

  #merged(id: string, inline: TemplateText | undefined, shared: Plain, own: Plain): Content {
    const data = { ...parsed(shared), ...parsed(own) };
    const templates = this.#request.templates ?? {};
    const source = inline ?? (Object.hasOwn(templates, id) ? templates[id] : undefined);
    const template = id === "" ? {} : { template: { id, data } };
    if (!source) return { ...template, unbound: "the text of a template that lives at SES" };
    return { ...mergeContent(source, data, "parts of a template that SES fills in"), ...template };
  }
}

function parsed(data: Plain): { [key: string]: Plain } {
  const read = typeof data === "string" ? readJson(data) : undefined;
  return typeof read === "object" && read !== null && !Array.isArray(read) ? (read as { [key: string]: Plain }) : {};
}

function simpleContent(message: Plain): Content {
  const body = field(message, "Body");
  const subject = asText(field(field(message, "Subject"), "Data"));
  const text = asText(field(field(body, "Text"), "Data"));
  const html = asText(field(field(body, "Html"), "Data"));
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
  };
}

function texts(content: Plain): TemplateText {
  const subject = asText(field(content, "Subject"));
  const text = asText(field(content, "Text"));
  const html = asText(field(content, "Html"));
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
  };
}

/** `name=value`; an entry's own tags replace the shared ones of the same name. */
function tagsOf(...lists: readonly Plain[]): string[] {
  const tags = new Map<string, string>();
  for (const tag of lists.flatMap(asList)) tags.set(toText(field(tag, "Name")), toText(field(tag, "Value")));
  // The value alone as well: a purpose is matched by the word that other providers have as a tag.
  return [...tags].flatMap(([name, value]) => [value, `${name}=${value}`]);
}

function readFile(file: Plain): AttachedFile {
  const content = field(file, "RawContent");
  return {
    type: (asText(field(file, "ContentType")) ?? "").toLowerCase(),
    name: asText(field(file, "FileName")),
    bytes: () => (content instanceof Uint8Array ? content : ""),
  };
}
