/**
 * What a recipient of a Mailjet mail reads: the text with variables filled in, and that of templates
 * (https://dev.mailjet.com/template-language/reference/).
 *
 * @module
 */
import {
  asList,
  asText,
  type Content,
  field,
  mergePairs,
  type Plain,
  type TemplateText,
  toText,
} from "../../src/adapter";

export type Templates = Readonly<Record<string, TemplateText>>;

/** Where the text of a mail comes from. */
export interface Source {
  readonly text: { readonly subject: Plain; readonly text: Plain; readonly html: Plain };
  readonly template: Plain;
  /** Whether variables are filled in. */
  readonly language: Plain;
  readonly data: Plain;
  readonly templates: Templates;
}

export function contentOf({ text: parts, template: named, language, data, templates }: Source): Content {
  const [subject, text, html] = [asText(parts.subject), asText(parts.text), asText(parts.html)];
  const own: Content = {
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
  };
  const merged = language === true || language === "true" || language === 1;
  const fill = (content: Content): Content => (merged ? merge(content, data) : content);
  const id = toText(named);
  if (id === "") return fill(own);
  const template = { id, data };
  const source = Object.hasOwn(templates, id) ? templates[id] : undefined;
  if (!source) return { ...own, template, unbound: "the text of a template that lives at Mailjet" };
  return { ...fill({ ...source, ...own }), template };
}

/** The templates that a request's mails name: of each message, of `Globals`, or of the mail itself. */
export function templatesIn(body: Plain): readonly string[] {
  const mails = [body, field(body, "Globals"), ...asList(field(body, "Messages"))];
  const ids = mails.flatMap((mail) => [toText(field(mail, "TemplateID")), toText(field(mail, "Mj-TemplateID"))]);
  return [...new Set(ids.filter((id) => /^\d{1,20}$/.test(id)))].slice(0, mostTemplates);
}

/** The most templates that are read for one request. */
const mostTemplates = 20;

/** Reads `GET /v3/REST/template/{id}/detailcontent`. */
export function readTemplate(answer: Plain): TemplateText | undefined {
  const [one] = asList(field(answer, "Data"));
  const html = asText(field(one, "Html-part"));
  const text = asText(field(one, "Text-part"));
  const subject = asText(field(field(one, "Headers"), "Subject"));
  if (html === undefined && text === undefined) return undefined;
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined || text === "" ? {} : { text }),
    ...(html === undefined || html === "" ? {} : { html }),
  };
}

/** Mailjet's language: `{{var:name}}`, `{{var:name:"default"}}`, and blocks in `{% %}`, which stay. */
function merge(content: Content, data: Plain): Content {
  let open = false;
  const fill = (text: string | undefined): string | undefined => {
    if (text === undefined) return undefined;
    const pairs: [string, string][] = [];
    for (const [token, name = ""] of text.matchAll(/\{\{\s*var:([\w-]{1,200})(?::"?[^"{}]{0,200}"?)?\s*\}\}/g)) {
      const value = field(data, name);
      if (typeof value === "string" || typeof value === "number") pairs.push([token, String(value)]);
    }
    const merged = mergePairs(text, pairs);
    const rest = pairs.reduce((left, [token]) => left.replaceAll(token, ""), text);
    open ||= merged === undefined || /\{[{%]/.test(rest);
    return merged ?? text;
  };
  const [subject, text, html] = [fill(content.subject), fill(content.text), fill(content.html)];
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
    ...(open ? { unbound: "parts of the text that Mailjet fills in" } : {}),
  };
}
