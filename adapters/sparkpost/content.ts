/**
 * What a recipient of a SparkPost transmission reads: the text with substitution data filled in
 * (https://developers.sparkpost.com/api/template-language/).
 *
 * @module
 */
import {
  asRecord,
  asText,
  type Content,
  field,
  mergeContent,
  mimeContent,
  type Plain,
  type PlainRecord,
  readHeaders,
  readMime,
  type TemplateText,
} from "../../src/adapter";

type Templates = Readonly<Record<string, TemplateText>>;

const filled = "parts of the text that SparkPost fills in";

/** The template a transmission names, and under which key its text is kept. */
export function templateOf(body: Plain): { readonly id: string; readonly draft: boolean } | undefined {
  const content = field(body, "content");
  const id = field(content, "template_id");
  if (typeof id !== "number" && (typeof id !== "string" || id === "")) return undefined;
  return { id: String(id), draft: field(content, "use_draft_template") === true };
}

/** The content for one recipient; for a list, whose members' data lives at SparkPost, `recipient` is `"list"`. */
export function contentOf(body: Plain, recipient: Plain | "list", templates: Templates): Content {
  const mail = field(body, "content");
  const list = recipient === "list";
  const data = dataOf(body, list ? undefined : recipient);
  const given = list ? data : { ...addressOf(recipient), ...data };
  const template = templateOf(body);
  const test = field(mail, "ab_test_id");
  if (template || (test !== undefined && test !== null)) {
    const named = { id: template?.id ?? String(test), data };
    const source = template && Object.hasOwn(templates, template.id) ? templates[template.id] : undefined;
    if (!source) return { template: named, unbound: "the text of a template that lives at SparkPost" };
    return { ...merged(source, given, list), template: named };
  }
  const raw = asText(field(mail, "email_rfc822"));
  const own = raw === undefined ? inline(mail) : rendered(raw);
  const options = field(body, "options");
  return field(options, "perform_substitutions") === false ? own : merged(own, given, list);
}

function inline(mail: Plain): Content {
  const [subject, text, html] = ["subject", "text", "html"].map((key) => asText(field(mail, key)));
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
  };
}

function rendered(raw: string): Content {
  const bytes = Buffer.from(raw);
  return mimeContent(readMime(bytes, readHeaders(bytes)));
}

// SparkPost adds whom the mail is to.
function addressOf(recipient: Plain): PlainRecord {
  const address = field(recipient, "address");
  const email = asText(address) ?? field(address, "email");
  return { address: { email, name: field(address, "name") ?? "" }, email };
}

// What is said of a recipient goes before what is said of all, and substitution data before metadata.
function dataOf(body: Plain, recipient: Plain): PlainRecord {
  return {
    ...asRecord(field(body, "metadata")),
    ...asRecord(field(body, "substitution_data")),
    ...asRecord(field(recipient, "metadata")),
    ...asRecord(field(recipient, "substitution_data")),
  };
}

// SparkPost's own, and the words of its language: with these, it is for SparkPost to say what stands there.
const reserved =
  /^(?:email_id|env_from|return_path|and|break|do|else|elseif|end|false|for|function|if|in|local|nil|not|or|each|repeat|return|then|true|until|while)$/;

function merged(content: Content, data: Plain, list: boolean): Content {
  const { subject, text, html } = content;
  if (![subject, text, html].some((part) => part?.includes("{{"))) return content;
  if (list) return { ...content, unbound: filled };
  const { unbound, ...rest } = mergeContent(content, data, filled);
  const left = [rest.subject, rest.text, rest.html].flatMap((part) => part?.match(/\{\{[^{}]*\}\}/g) ?? []);
  // A name without a value becomes nothing: that is known here, and guards should see it.
  const blank = left.every((token) => {
    const name = token.slice(2, -2).trim();
    return /^[A-Za-z_][\w.]*$/.test(name) && !reserved.test(name);
  });
  return unbound === undefined || blank ? rest : { ...rest, unbound };
}

/** Reads `GET /templates/{id}`. */
export function readTemplate(answer: Plain): TemplateText | undefined {
  const content = field(field(answer, "results"), "content");
  const [subject, text, html] = ["subject", "text", "html"].map((key) => asText(field(content, key)));
  if (text === undefined && html === undefined) return undefined;
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
  };
}
