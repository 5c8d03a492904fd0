/**
 * Reads `GET /v3/templates/{id}`
 * (https://www.twilio.com/docs/sendgrid/api-reference/transactional-templates).
 *
 * @module
 */
import { asList, asText, copyJson, field, type TemplateText } from "../../src/adapter";

const limits = { depth: 20, nodes: 100_000, bytes: 10_000_000 };

/** The active version's text; `undefined` when there is none. */
export function readTemplate(body: unknown): TemplateText | undefined {
  const versions = asList(field(copyJson(body, limits), "versions"));
  const active = versions.find((version) => field(version, "active") === 1);
  if (active === undefined) return undefined;
  const subject = asText(field(active, "subject"));
  const text = asText(field(active, "plain_content"));
  const html = asText(field(active, "html_content"));
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
  };
}
