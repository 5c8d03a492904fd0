/**
 * Templates that a request names, and how `GET /templates/{id}` describes them
 * (https://postmarkapp.com/developer/api/templates-api).
 *
 * @module
 */
import { asText, field, type Plain, type TemplateText, type WireRequest } from "../../src/adapter";
import { postmarkCodec } from "./codec";

/** The most templates that are read for one request. */
const most = 20;

/** The ids of a send's templates, each once. */
export function templatesIn(request: WireRequest): readonly string[] {
  const intent = postmarkCodec.classify(request);
  if (intent.kind !== "send") return [];
  const ids = new Set<string>();
  for (const message of intent.messages) {
    const { template } = message.content();
    if (template) ids.add(template.id);
    if (ids.size >= most) break;
  }
  return [...ids];
}

/** The template's text; `undefined` when it stands in a layout, which is another template around it. */
export function readTemplate(answer: unknown): TemplateText | undefined {
  const body = answer as Plain;
  if (field(body, "LayoutTemplate")) return undefined;
  const subject = asText(field(body, "Subject"));
  const text = asText(field(body, "TextBody"));
  const html = asText(field(body, "HtmlBody"));
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
  };
}
