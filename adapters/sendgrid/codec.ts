/**
 * SendGrid's Web API v3 on the wire: what a request would do, and what its answer says.
 *
 * @module
 */
import {
  type Address,
  asList,
  asRecord,
  asText,
  type Codec,
  createMessage,
  fateOfStatus,
  field,
  type Intent,
  isUnsubscribe,
  notRedirectable,
  type Outcome,
  originalsHeader,
  originalsOf,
  type Plain,
  type PlainRecord,
  type Recipient,
  type RedirectNote,
  type Refusal,
  readRecipients,
  rewriteAddresses,
  type WireRequest,
  type WireResponse,
} from "../../src/adapter";
import { endpoints } from "./endpoints";
import { readMessages } from "./messages";

const sendPath = "/v3/mail/send";

/** Reads and answers SendGrid's Web API v3. */
export const sendgridCodec: Codec = {
  provider: "sendgrid",
  hosts: ["api.sendgrid.com", "api.eu.sendgrid.com", "email.twilio.com"],
  classify,
  rewrite,
  redirect,
  simulate: () => ({ status: 202, headers: { "x-message-id": "mailfuse-simulated" }, body: "" }),
  outcome,
};

/** Whether a request is for mail/send. */
export function isSend(method: string, path: string): boolean {
  return method === "POST" && path.toLowerCase() === sendPath;
}

function classify(request: WireRequest): Intent {
  const { method, path } = request;
  if (isSend(method, path)) return classifySend(request);
  const found = endpoints.find(method, path);
  const body = request.body.kind === "json" ? request.body.value : undefined;
  if (found) {
    const { value } = found;
    if (value.kind === "read") return value;
    if (value.kind === "management" && method !== "GET") return { kind: "management", what: found.pattern };
    if (value.kind === "system" || value.kind === "audience") {
      const problems: Refusal[] = [];
      const recipients = value.people.flatMap((key) => readRecipients(field(body, key), "to", key, "single", problems));
      const messages = recipients.length === 0 ? [] : [mailOf(recipients, value.what)];
      if (value.kind === "system") return { kind: "system", what: value.what, messages, problems };
      return { kind: "audience", what: value.what, audiences: value.ids(body, path), messages, problems };
    }
  }
  // The Web API v2 sent mail by GET as well, so only v3 has plain reads; and some servers read a GET
  // as whatever a header says it is.
  const plain = (method === "GET" || method === "HEAD") && /^\/v3\//i.test(path) && path.toLowerCase() !== sendPath;
  if (plain && !request.headers.some(([name]) => /^x-http-method|^x-method-override/.test(name)))
    return { kind: "read" };
  return {
    kind: "unknown",
    what: `a ${/^[A-Z]{1,10}$/.test(method) ? method : "request"} to a SendGrid path that is on no list`,
  };
}

function mailOf(recipients: Recipient[], what: string) {
  return createMessage({ recipients, content: () => ({ unbound: `the text of ${what}, which SendGrid writes` }) });
}

function classifySend(request: WireRequest): Intent {
  if (request.body.kind !== "json" || !asRecord(request.body.value)) {
    const problem: Refusal = {
      code: "REQUEST_UNKNOWN",
      message: `Expected mail/send to carry a JSON object, got ${request.body.kind === "json" ? "another value" : request.body.kind}.`,
      fix: "Pass the mail as an object.",
    };
    return { kind: "send", messages: [], problems: [problem] };
  }
  const problems: Refusal[] = [];
  if (request.query.length > 0) {
    problems.push({
      code: "FIELD_UNKNOWN",
      message: "Expected mail/send without a query, got one.",
      fix: "Leave `qs` out.",
      where: "qs",
    });
  }
  const messages = readMessages(request.body.value, request.templates ?? {}, problems);
  return { kind: "send", messages, problems };
}

function rewrite(request: WireRequest): WireRequest {
  if (!isSend(request.method, request.path) || request.body.kind !== "json") return request;
  const body = asRecord(request.body.value);
  if (!body) return request;
  const personalizations = asList(field(body, "personalizations")).map((personalization) =>
    edit(personalization, { to: anew, cc: anew, bcc: anew }),
  );
  const settings = edit(field(body, "mail_settings"), { bcc: (bcc) => edit(bcc, { email: anewText }) });
  return {
    ...request,
    body: {
      kind: "json",
      value: edit(body, {
        personalizations: (was) => (Array.isArray(was) ? personalizations : was),
        mail_settings: () => settings,
      }),
    },
  };
}

/** The same object with some of its own fields replaced, in their places. */
function edit(value: Plain, edits: Readonly<Record<string, (was: Plain) => Plain>>): Plain {
  const record = asRecord(value);
  if (!record) return value;
  return Object.fromEntries(
    Object.entries(record).map(([key, was]) => [key, Object.hasOwn(edits, key) ? edits[key]?.(was) : was]),
  );
}

function anew(value: Plain): Plain {
  return Array.isArray(value) ? value.map((one) => edit(one, { email: anewText })) : value;
}

function anewText(value: Plain): Plain {
  return typeof value === "string" ? rewriteAddresses(value, "single") : value;
}

function redirect(request: WireRequest, to: Address, note: RedirectNote): WireRequest {
  const body = request.body.kind === "json" ? asRecord(request.body.value) : undefined;
  if (!isSend(request.method, request.path) || !body) throw notRedirectable();
  const { asm: _asm, ...rest } = body;
  const prefix = (subject: Plain): Plain =>
    typeof subject === "string" ? `${note.subjectPrefix} ${subject}` : subject;
  const value: PlainRecord = {
    ...rest,
    personalizations: asList(field(body, "personalizations")).map((one) => {
      const { cc: _cc, bcc: _bcc, ...personalization } = asRecord(one) ?? {};
      const addressed: PlainRecord = { ...personalization, to: [{ email: to.address }] };
      return edit(addressed, { subject: prefix, headers: withoutUnsubscribe });
    }),
    headers: { ...asRecord(withoutUnsubscribe(field(body, "headers"))), [originalsHeader]: originalsOf(note) },
  };
  const without = (key: string) => (was: Plain) => {
    const { [key]: _gone, ...others } = asRecord(was) ?? {};
    return others;
  };
  return {
    ...request,
    body: {
      kind: "json",
      value: edit(value, {
        subject: prefix,
        mail_settings: without("bcc"),
        tracking_settings: without("subscription_tracking"),
      }),
    },
  };
}

function withoutUnsubscribe(headers: Plain): Plain {
  const record = asRecord(headers);
  return record && Object.fromEntries(Object.entries(record).filter(([name]) => !isUnsubscribe(name)));
}

function outcome(_request: WireRequest, response: WireResponse): Outcome {
  const fate = fateOfStatus(response.status);
  const messageId = response.headers["x-message-id"];
  return {
    fate,
    ...(fate === "accepted" && typeof messageId === "string" ? { messageId } : {}),
    ...(fate === "accepted" ? {} : { providerCode: `http_${response.status}` }),
  };
}

/** The template a mail/send request names. */
export function templateOf(body: Plain): string | undefined {
  return asText(field(body, "template_id"));
}
