/**
 * What a recipient of a Mandrill mail reads: the text with merge fields filled in
 * (https://mailchimp.com/developer/transactional/docs/templates-dynamic-content).
 *
 * @module
 */
import {
  asList,
  asText,
  type Content,
  field,
  mergeContent,
  mergePairs,
  type Plain,
  type PlainRecord,
  type TemplateText,
} from "../../src/adapter";

type Templates = Readonly<Record<string, TemplateText>>;

/** The template a request names. */
export function templateOf(body: Plain): string | undefined {
  const name = field(body, "template_name") ?? field(body, "template_id") ?? field(body, "mc_template_id");
  return typeof name === "number" || (typeof name === "string" && name !== "") ? String(name) : undefined;
}

/** The content for one recipient; `rcpt` is the address whose own merge fields count. */
export function contentOf(body: Plain, rcpt: string | undefined, templates: Templates): Content {
  const mail = field(body, "message");
  const [subject, text, html] = ["subject", "text", "html"].map((name) => asText(field(mail, name)));
  const own: Content = {
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
  };
  const data = { ...varsOf(field(mail, "global_merge_vars")), ...personalVars(field(mail, "merge_vars"), rcpt) };
  const id = templateOf(body);
  const fill = (content: Content): Content =>
    field(mail, "merge_language") === "handlebars"
      ? mergeContent(content, data, "parts of the text that Mandrill fills in")
      : mergeFields(content, data);
  if (id === undefined) return fill(own);
  const template = { id, data: { merge: data, content: field(body, "template_content") ?? null } };
  const source = Object.hasOwn(templates, id) ? templates[id] : undefined;
  // Editable regions are replaced by the parts given, which nobody but Mandrill does.
  const regions = asList(field(body, "template_content")).length > 0;
  if (!source || regions) return { ...own, template, unbound: "the text of a template that lives at Mandrill" };
  return { ...fill({ ...source, ...own }), template };
}

function varsOf(vars: Plain): PlainRecord {
  return Object.fromEntries(asList(vars).map((one) => [String(field(one, "name")), field(one, "content")]));
}

function personalVars(all: Plain, rcpt: string | undefined): PlainRecord {
  const mine = asList(all).filter((one) => asText(field(one, "rcpt"))?.trim().toLowerCase() === rcpt?.toLowerCase());
  return Object.assign({}, ...mine.map((one) => varsOf(field(one, "vars")))) as PlainRecord;
}

// Mailchimp's own language: `*|NAME|*` whatever the case, and `*|IF:…|*` blocks, which stay.
function mergeFields(content: Content, data: PlainRecord): Content {
  const values = new Map(Object.entries(data).map(([name, value]) => [name.toUpperCase(), value]));
  let open = false;
  const fill = (text: string | undefined): string | undefined => {
    if (text === undefined || !text.includes("*|")) return text;
    const pairs: [string, string][] = [];
    for (const [token, name = ""] of text.matchAll(/\*\|([\w.-]{1,200})\|\*/g)) {
      const value = values.get(name.toUpperCase());
      if (typeof value === "string" || typeof value === "number" || typeof value === "boolean")
        pairs.push([token, String(value)]);
      else open = true;
    }
    const merged = mergePairs(text, pairs);
    open ||= merged === undefined || /\*\|[^|*]*[^\w.|*-]/.test(text);
    return merged ?? text;
  };
  const [subject, text, html] = [fill(content.subject), fill(content.text), fill(content.html)];
  return {
    ...content,
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
    ...(open ? { unbound: "parts of the text that Mandrill fills in" } : {}),
  };
}

/** Reads `POST /templates/info`. A template with editable regions keeps its default text in them. */
export function readTemplate(answer: Plain): TemplateText | undefined {
  const html = asText(field(answer, "publish_code"));
  const text = asText(field(answer, "publish_text"));
  const subject = asText(field(answer, "publish_subject"));
  if (html === undefined && text === undefined) return undefined;
  return {
    ...(subject === undefined || subject === "" ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
  };
}
