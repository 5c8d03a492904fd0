/**
 * Templates that a request names, and how `GET /templates/{id}` describes them
 * (https://resend.com/docs/api-reference/templates/get-template).
 *
 * @module
 */
import { asText, field, type Plain, type TemplateText, type WireRequest } from "../../src/adapter";
import { resendCodec } from "./codec";

/** The most templates that are read for one request. */
const most = 20;

/** The ids of a send's templates, each once. */
export function templatesIn(request: WireRequest): readonly string[] {
  const intent = resendCodec.classify(request);
  if (intent.kind !== "send") return [];
  const ids = new Set<string>();
  for (const message of intent.messages) {
    const { template } = message.content();
    if (template) ids.add(template.id);
    if (ids.size >= most) break;
  }
  return [...ids];
}

/** The template's text; `undefined` while a draft stands beside what is published, which is what leaves. */
export function readTemplate(body: Plain): TemplateText | undefined {
  if (field(body, "status") !== "published" || field(body, "has_unpublished_versions") !== false) return undefined;
  const subject = asText(field(body, "subject"));
  const text = asText(field(body, "text"));
  const html = asText(field(body, "html"));
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
  };
}
