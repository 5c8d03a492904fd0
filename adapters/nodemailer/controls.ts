/**
 * Headers that steer a relay: some add recipients, some replace the text, many only tag the mail.
 * Judged by a closed list of patterns; other `X-` headers are everyday mail and pass.
 *
 * Sources: the SMTP documentation of SendGrid (X-SMTPAPI), Mandrill (X-MC-*), SparkPost (X-MSYS-API),
 * Mailgun (X-Mailgun-*), Mailjet (X-MJ-*), Postmark (X-PM-*), Amazon SES (X-SES-*), Brevo
 * (X-Mailin-*) and Mailtrap (X-MT-*); RFC 8098 for receipts.
 *
 * @module
 */
import { decodeWords, type Refusal } from "../../src/adapter";

/** What the steering headers of one mail say. */
export interface Controls {
  readonly tags: string[];
  /** Text that lives at the provider, by its id. */
  template?: string;
  /** Which part of the text a relay will change. */
  unbound?: string;
  readonly problems: Refusal[];
}

type Read = (value: string, controls: Controls, name: string) => void;

/** Takes one header into `controls`. `people` are the addresses this mail reaches or names as sender. */
export function readControl(name: string, value: string, controls: Controls): void {
  readers.get(name)?.(decodeWords(value), controls, name);
}

/**
 * Headers that make the recipient's program, or a server, send mail of its own to an address.
 * Everyday towards the sender; towards anyone else they are a hidden copy.
 */
export const receiptHeaders: ReadonlySet<string> = new Set([
  ...["disposition-notification-to", "return-receipt-to", "read-receipt-to", "acknowledge-to", "x-acknowledge-to"],
  ...["x-confirm-reading-to", "delivery-receipt-to", "errors-to", "x-errors-to", "warnings-to"],
]);

const tag: Read = (value, controls) => {
  if (value !== "") controls.tags.push(value);
};

const tagList: Read = (value, controls) => {
  for (const part of value.split(",")) tag(part.trim(), controls, "");
};

/** `name=value, name=value`: both the pair and the value alone are tags. */
const tagPairs: Read = (value, controls) => {
  for (const part of value.split(",")) {
    const pair = part.trim();
    tag(pair, controls, "");
    if (pair.includes("=")) tag(pair.slice(pair.indexOf("=") + 1), controls, "");
  }
};

const template: Read = (value, controls, name) => {
  controls.template = value;
  controls.unbound = `the text of the template that ${name} names at the relay`;
};

const merges: Read = (_value, controls, name) => {
  controls.unbound ??= `what the relay puts in from ${name}`;
};

const hiddenCopy: Read = (_value, controls, name) => {
  controls.problems.push(refused(name, "a header that makes the relay mail somebody else"));
};

const harmlessSmtpApi = new Set([
  ...["category", "unique_args", "asm", "asm_group_id", "ip_pool", "send_at", "batch_id", "sub", "section", "filters"],
]);
const harmlessFilters = new Set([
  ...["clicktrack", "opentrack", "ganalytics", "subscriptiontrack", "footer", "template", "templates"],
  ...["domainkeys", "dkim", "bypass_list_management", "gravatar"],
]);
const textFilters = ["footer", "template", "templates"];

const smtpApi: Read = (value, controls, name) => {
  const api = readObject(value);
  const filters = api && "filters" in api ? asObject(api.filters) : {};
  const unknown = api && filters && firstOutside(api, harmlessSmtpApi);
  const filter = filters && firstOutside(filters, harmlessFilters);
  if (!api || !filters) controls.problems.push(refused(name, "a value that is no JSON object"));
  else if (unknown !== undefined || filter !== undefined) {
    controls.problems.push(refused(name, "a key that names recipients, or that is not known to name none"));
  } else {
    for (const category of [api.category].flat()) if (typeof category === "string") controls.tags.push(category);
    if ("sub" in api || "section" in api || textFilters.some((key) => key in filters)) merges(value, controls, name);
  }
};

const harmlessMsys = new Set(["options", "metadata", "tags", "campaign_id"]);

const msysApi: Read = (value, controls, name) => {
  const api = readObject(value);
  if (!api) controls.problems.push(refused(name, "a value that is no JSON object"));
  else if (firstOutside(api, harmlessMsys) !== undefined) {
    controls.problems.push(refused(name, "a key that names recipients, or that is not known to name none"));
  } else {
    for (const text of [api.tags, api.campaign_id].flat()) if (typeof text === "string") controls.tags.push(text);
  }
};

const readers: ReadonlyMap<string, Read> = new Map([
  ["x-smtpapi", smtpApi],
  ["x-msys-api", msysApi],
  ["x-mc-bccaddress", hiddenCopy],
  ["x-mailgun-archive-to", hiddenCopy],
  ["x-mj-templateerrorreporting", hiddenCopy],
  ["x-mc-template", template],
  ["x-mailgun-template-name", template],
  ["x-mj-templateid", template],
  ["x-mc-mergevars", merges],
  ["x-mailgun-template-variables", merges],
  ["x-mailgun-recipient-variables", merges],
  ["x-mj-vars", merges],
  ["x-mailfuse-tag", tag],
  ["x-pm-tag", tag],
  ["x-mailgun-tag", tag],
  ["x-mailgun-campaign-id", tag],
  ["x-mailin-tag", tag],
  ["x-mailjet-campaign", tag],
  ["x-mt-category", tag],
  ["x-mc-tags", tagList],
  ["x-ses-message-tags", tagPairs],
]);

function readObject(text: string): Record<string, unknown> | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function firstOutside(object: object, known: ReadonlySet<string>): string | undefined {
  return Object.keys(object).find((key) => !known.has(key));
}

function refused(name: string, got: string): Refusal {
  return {
    code: "HEADER_REFUSED",
    message: `Expected headers that name no recipients to a relay, got ${got}.`,
    fix: "Put every recipient into `to`, `cc` or `bcc`, and leave the header, or that part of it, out.",
    where: `headers.${name}`,
  };
}
