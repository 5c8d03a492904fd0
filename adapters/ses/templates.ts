/**
 * Reads the answers of `GetEmailTemplate` (v2) and `GetTemplate` (v1).
 *
 * @module
 */
import { asText, field, type Plain, type TemplateText } from "../../src/adapter";

/** The template's texts; `undefined` when the answer has none. */
export function templateTexts(output: object): TemplateText | undefined {
  const v2 = field(output as Plain, "TemplateContent");
  const v1 = field(output as Plain, "Template");
  const subject = asText(field(v2, "Subject") ?? field(v1, "SubjectPart"));
  const text = asText(field(v2, "Text") ?? field(v1, "TextPart"));
  const html = asText(field(v2, "Html") ?? field(v1, "HtmlPart"));
  if (subject === undefined && text === undefined && html === undefined) return undefined;
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
  };
}
