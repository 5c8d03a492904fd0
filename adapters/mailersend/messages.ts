/**
 * The mails in one request to MailerSend. With personal data, each recipient's is one, and shows the others.
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
  mergePairs,
  type Plain,
  place,
  type Recipient,
  type Refusal,
  readRecipients,
  readSender,
  type Shape,
  unknownFields,
} from "../../src/adapter";

const person: Shape = { email: true, name: true };

const shape: Shape = {
  from: person,
  to: [person],
  cc: [person],
  bcc: [person],
  rcpt_to: [person],
  reply_to: person,
  in_reply_to: true,
  references: true,
  subject: true,
  text: true,
  html: true,
  send_at: true,
  attachments: [{ content: true, filename: true, disposition: true, id: true }],
  template_id: true,
  language: true,
  tags: true,
  personalization: [{ email: true, data: true }],
  // The older form of personal data.
  variables: [{ email: true, substitutions: [{ var: true, value: true }] }],
  headers: [{ name: true, value: true }],
  settings: { track_clicks: true, track_opens: true, track_content: true },
  precedence_bulk: true,
  list_unsubscribe: true,
};

/** Decodes a body. Reasons why it may not leave go into `problems`. */
export function readMails(body: Plain, layout: "one" | "list", problems: Refusal[]): Message[] {
  if (layout === "one") return readMail(body, "", problems);
  return asList(body).flatMap((mail, at) => readMail(mail, `[${at}]`, problems));
}

function readMail(mail: Plain, where: string, problems: Refusal[]): Message[] {
  problems.push(...unknownFields(mail, shape, where));
  const recipients = readPeople(mail, where, problems);
  const files = asList(field(mail, "attachments")).map(readFile);
  const digest = files.length > 0 ? digestInput(files) : undefined;
  const headers = readHeaders(mail, where, problems);
  const personal = readPersonal(mail, where, recipients, problems);
  const one = (people: readonly Recipient[], data: Personal | undefined): Message => {
    const content = () => contentOf(mail, data);
    return createMessage({
      recipients: people,
      from: readSender({ email: field(field(mail, "from"), "email") }),
      tags: asList(field(mail, "tags")).filter((tag) => typeof tag === "string"),
      headers,
      content,
      ...(digest ? { attached: () => true, bytes: () => digest(content()) } : {}),
    });
  };
  if (!personal || recipients.length === 0) return [one(recipients, undefined)];
  const mine = (to: Recipient) => personal.get(to.person) ?? {};
  const [first, ...rest] = recipients.filter((to) => to.field === "to" || personal.has(to.person));
  if (!first) return [one(recipients, undefined)];
  // To and Cc are the same in each: the first stands for that, and for copies without data of their own.
  const shown = recipients.filter((to) => to !== first && (to.field !== "bcc" || !personal.has(to.person)));
  return [one([first, ...shown], mine(first)), ...rest.map((to) => one([to], mine(to)))];
}

// Nobody sees the addresses of `rcpt_to`.
const carriers = { to: "to", cc: "cc", bcc: "bcc", rcpt_to: "bcc" } as const;

function readPeople(mail: Plain, where: string, problems: Refusal[]): Recipient[] {
  return Object.entries(carriers).flatMap(([key, as]) =>
    asList(field(mail, key)).flatMap((one, at) => {
      const name = field(one, "name");
      const read = { email: field(one, "email"), ...(typeof name === "string" && name !== "" ? { name } : {}) };
      return readRecipients(read, as, `${place(where, key)}[${at}]`, "single", problems);
    }),
  );
}

/** What is filled into one person's mail. */
interface Personal {
  readonly data?: Plain;
  /** The older form. */
  readonly substitutions?: Plain;
}

/** Personal data by person, if there is any. That of anybody but the mail's recipients is a reason to refuse. */
function readPersonal(
  mail: Plain,
  where: string,
  recipients: readonly Recipient[],
  problems: Refusal[],
): ReadonlyMap<string, Personal> | undefined {
  const found = new Map<string, Personal>();
  const people = new Set(recipients.map((one) => one.person));
  const read = (key: "personalization" | "variables", under: "data" | "substitutions") => {
    for (const [at, one] of asList(field(mail, key)).entries()) {
      const spot = `${place(where, key)}[${at}]`;
      for (const { person } of readRecipients({ email: field(one, "email") }, "to", spot, "single", problems)) {
        if (!people.has(person)) problems.push({ ...somebodyElse, where: spot });
        found.set(person, { ...found.get(person), [under]: field(one, under) });
      }
    }
  };
  read("personalization", "data");
  read("variables", "substitutions");
  return found.size === 0 ? undefined : found;
}

const somebodyElse: Refusal = {
  code: "ADDRESS_INVALID",
  message: "Expected personal data of the mail's recipients, got that of somebody else.",
  fix: "Name them in to, cc or bcc, or leave the entry out.",
};

function readHeaders(mail: Plain, where: string, problems: Refusal[]): [string, string][] {
  const own = asList(field(mail, "headers")).map(
    (one) => [field(one, "name"), field(one, "value"), "headers"] as const,
  );
  const fields = ["in_reply_to", "references", "list_unsubscribe"].flatMap((key) =>
    asList(field(mail, key)).map((value) => [key.replaceAll("_", "-"), value, key] as const),
  );
  return [...own, ...fields].map(([given, value, key]) => {
    const name = asText(given) ?? "";
    const text = typeof value === "object" && value !== null ? JSON.stringify(value) : value;
    const problem = headerProblem(name, text, place(where, key));
    if (problem) problems.push(problem);
    return [name.toLowerCase(), String(text ?? "")];
  });
}

function readFile(file: Plain): AttachedFile {
  return {
    // MailerSend tells the type by the name.
    type: "application/octet-stream",
    name: asText(field(file, "filename")),
    bytes: () => Buffer.from(asText(field(file, "content")) ?? "", "base64"),
  };
}

function contentOf(mail: Plain, personal: Personal | undefined): Content {
  const [subject, text, html] = ["subject", "text", "html"].map((key) => asText(field(mail, key)));
  const own: Content = {
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
  };
  const id = field(mail, "template_id");
  if (id !== undefined && id !== null && id !== "") {
    const template = { id: String(id), ...(personal ? { data: personal } : {}) };
    // GET /templates/{id} describes a template, but does not give its text.
    return { ...own, template, unbound: "the text of a template that lives at MailerSend" };
  }
  return merged(own, personal);
}

const what = "parts of the text that MailerSend fills in";

// MailerSend's own, in every mail.
const reserved = /^(?:unsubscribe|preferences|email|account(?:\.\w+)?)$/;

/** `{{ name }}` from personal data, `{$name}` from the older variables. */
function merged(content: Content, personal: Personal | undefined): Content {
  const filled = personal ? fill(content, personal) : content;
  const parts = [filled.subject, filled.text, filled.html];
  const tokens = parts.flatMap((part) => part?.match(/\{\{[^{}]*\}\}|\{\$\w+\}|\{%/g) ?? []);
  const names = tokens.map((token) => token.replace(/^\{[{$]\s*|\s*\}\}?$/g, ""));
  if (names.length === 0) return filled;
  // Blocks and filters are worked out by nobody but MailerSend, and only where there is data for them.
  if (names.some((name) => !/^[A-Za-z_][\w.]*$/.test(name))) return personal ? { ...filled, unbound: what } : filled;
  // A name without a value is filled with nothing: that is known here, and guards should see it.
  return names.every((name) => reserved.test(name)) ? { ...filled, unbound: what } : filled;
}

function fill(content: Content, { data, substitutions }: Personal): Content {
  const pairs = asList(substitutions).flatMap((one): [string, string][] => {
    const [name, value] = [asText(field(one, "var")), field(one, "value")];
    return name === undefined || typeof value === "object" ? [] : [[`{$${name}}`, String(value)]];
  });
  const older = (text: string | undefined): string | undefined =>
    text === undefined || pairs.length === 0 ? text : (mergePairs(text, pairs) ?? text);
  const [subject, text, html] = [older(content.subject), older(content.text), older(content.html)];
  const { unbound: _open, ...filled } = mergeContent(
    {
      ...(subject === undefined ? {} : { subject }),
      ...(text === undefined ? {} : { text }),
      ...(html === undefined ? {} : { html }),
    },
    data,
    what,
  );
  return filled;
}
