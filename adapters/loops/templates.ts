/**
 * How Loops describes a template: the transactional mail names the message that was published, and that
 * holds the text (https://loops.so/docs/api-reference/get-transactional-email).
 *
 * @module
 */
import { asText, field, type Plain, type TemplateText, type WireRequest } from "../../src/adapter";

/** The id of the template that a send names. */
export function templateIn({ body }: WireRequest): string | undefined {
  const id = body.kind === "json" ? asText(field(body.value, "transactionalId")) : undefined;
  return id !== undefined && /^[\w-]{1,100}$/.test(id) ? id : undefined;
}

/** The published message of a template. */
export function messageOf(template: Plain): string | undefined {
  const id = asText(field(template, "publishedEmailMessageId"));
  return id !== undefined && /^[\w-]{1,100}$/.test(id) ? id : undefined;
}

/** What a message says, and to whom every mail made from it is copied. */
export function readMessage(message: Plain): TemplateText | undefined {
  const html = asText(field(message, "lmx"));
  if (html === undefined) return undefined;
  const subject = asText(field(message, "subject"));
  const cc = asText(field(message, "ccEmail")) ?? "";
  const bcc = asText(field(message, "bccEmail")) ?? "";
  return {
    html,
    ...(subject === undefined ? {} : { subject }),
    ...(cc === "" ? {} : { cc }),
    ...(bcc === "" ? {} : { bcc }),
  };
}
