/**
 * MailerSend's API on the wire: what a request would do, and what its answer says.
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
  type Fate,
  fateOfStatus,
  field,
  type Intent,
  isOverridden,
  isUnsubscribe,
  notRedirectable,
  type Outcome,
  originalsHeader,
  originalsOf,
  type Plain,
  type PlainRecord,
  type RedirectNote,
  type Refusal,
  readRecipients,
  rewriteAddresses,
  type WireRequest,
  type WireResponse,
} from "../../src/adapter";
import { type Endpoint, endpoints } from "./endpoints";
import { readMails } from "./messages";

/** Reads and answers MailerSend's API. */
export const mailersendCodec: Codec = {
  provider: "mailersend",
  hosts: ["api.mailersend.com"],
  classify,
  rewrite,
  redirect,
  simulate,
  outcome,
};

function endpointOf({ method, path }: Pick<WireRequest, "method" | "path">) {
  return endpoints.find(method, path.replace(/^\/v1(?=\/)/i, ""));
}

/** Whether a request goes where mail is sent from, in a form that can be read or not. */
export function mayMail(request: WireRequest): boolean {
  const kind = endpointOf(request)?.value.kind;
  // The server is told of its method in several ways, and a path that could not be resolved leads anywhere.
  return kind === "send" || kind === "system" || request.path === "";
}

function layoutOf(request: WireRequest): "one" | "list" | undefined {
  const value = endpointOf(request)?.value;
  if (value?.kind !== "send") return undefined;
  const body = bodyOf(request);
  return (value.layout === "one" ? asRecord(body) : Array.isArray(body)) ? value.layout : undefined;
}

function bodyOf({ body }: WireRequest): Plain {
  return body.kind === "json" ? body.value : undefined;
}

function classify(request: WireRequest): Intent {
  const { method, body } = request;
  if (request.path === "" || overridden(request)) return unknown(request);
  if ((method === "GET" || method === "HEAD") && body.kind === "none") return { kind: "read" };
  const found = method === "GET" || method === "HEAD" ? undefined : endpointOf(request);
  // What a query could do to a write is not documented, and what is no JSON is not read.
  if (!found || request.query.length > 0 || body.kind === "bytes" || body.kind === "form") return unknown(request);
  const { value, pattern } = found;
  const problems: Refusal[] = [];
  if (value.kind === "management") return { kind: "management", what: pattern };
  if (value.kind === "system") return systemIntent(value, bodyOf(request), pattern, problems);
  const layout = layoutOf(request);
  if (!layout) return unknown(request);
  return { kind: "send", messages: readMails(bodyOf(request), layout, problems), problems };
}

// A Laravel application takes a POST for what a header or a field says it is.
function overridden({ headers, query, body }: WireRequest): boolean {
  return (
    isOverridden(headers) ||
    query.some(([name]) => name === "_method") ||
    (body.kind === "json" && field(body.value, "_method") !== undefined)
  );
}

function unknown({ method }: WireRequest): Intent {
  const shown = /^[A-Z]{1,10}$/.test(method) ? method : "request";
  return { kind: "unknown", what: `a ${shown} to a MailerSend path that is on no list, or in a form that is` };
}

function systemIntent(
  { what, people, optional }: Extract<Endpoint, { kind: "system" }>,
  body: Plain,
  pattern: string,
  problems: Refusal[],
): Intent {
  const named = people?.(body) ?? [];
  if (optional && named.length === 0) return { kind: "management", what: pattern };
  const recipients = named.flatMap((one) => readRecipients(one, "to", "people", "single", problems));
  const content = () => ({ unbound: `the text of ${what}, which stands at MailerSend` });
  const messages = recipients.length === 0 ? [] : [createMessage({ recipients, content })];
  return { kind: "system", what, messages, problems };
}

/** Applies `edit` to every mail of a send. */
function editMails(request: WireRequest, edit: (mail: PlainRecord) => PlainRecord): WireRequest {
  const layout = layoutOf(request);
  if (layout === undefined) return request;
  const one = (mail: Plain): Plain => {
    const record = asRecord(mail);
    return record ? edit(record) : mail;
  };
  const body = bodyOf(request);
  return { ...request, body: { kind: "json", value: Array.isArray(body) ? body.map(one) : one(body) } };
}

const addressed = /^(?:to|cc|bcc|rcpt_to|personalization|variables)$/;

function rewrite(request: WireRequest): WireRequest {
  const anew = (one: Plain): Plain => {
    const record = asRecord(one);
    if (!record || typeof record.email !== "string") return one;
    const entries = Object.entries(record).map(([key, was]) => [
      key,
      key === "email" && typeof was === "string" ? rewriteAddresses(was, "single") : was,
    ]);
    return Object.fromEntries(entries) as PlainRecord;
  };
  return editMails(request, (mail) => {
    const entries = Object.entries(mail).map(([key, was]) => [
      key,
      addressed.test(key) && Array.isArray(was) ? was.map(anew) : was,
    ]);
    return Object.fromEntries(entries) as PlainRecord;
  });
}

function redirect(request: WireRequest, to: Address, note: RedirectNote): WireRequest {
  if (layoutOf(request) === undefined) throw notRedirectable();
  return editMails(request, ({ cc: _cc, bcc: _bcc, rcpt_to: _rcpt, list_unsubscribe: _list, ...mail }) => {
    const kept = asList(mail.headers).filter((one) => !isUnsubscribe(asText(field(one, "name")) ?? ""));
    // Personal data follows its person to the inbox, so that it reads what one of them would have read.
    const first = (key: string): PlainRecord => {
      const [one] = asList(mail[key]);
      return one === undefined ? {} : { [key]: [{ ...asRecord(one), email: to.address }] };
    };
    return {
      ...mail,
      ...first("personalization"),
      ...first("variables"),
      ...(typeof mail.subject === "string" ? { subject: `${note.subjectPrefix} ${mail.subject}` } : {}),
      to: [{ email: to.address }],
      headers: [...kept, { name: originalsHeader, value: originalsOf(note) }],
    };
  });
}

const simulatedId = "mailfuse-simulated";

function simulate(request: WireRequest): WireResponse {
  const layout = layoutOf(request);
  if (layout === "one") return { status: 202, headers: { "x-message-id": simulatedId }, body: "" };
  if (layout === undefined) return { status: 200, headers: {}, body: {} };
  const body = { message: "The bulk email is being processed.", bulk_email_id: simulatedId };
  return { status: 202, headers: { "content-type": "application/json" }, body };
}

function outcome(request: WireRequest, response: WireResponse): Outcome {
  const fate = fateOfStatus(response.status);
  if (fate !== "accepted") return { fate, providerCode: `http_${response.status}` };
  const layout = layoutOf(request);
  if (layout === undefined) return { fate };
  if (layout === "list") {
    const id = asText(field(response.body, "bulk_email_id"));
    return id === undefined || id === "" ? { fate: "unknown" } : { fate, messageId: id };
  }
  return mailOutcome(request, response);
}

/** One mail: an id when it was taken, and who is left out of it, being suppressed. */
function mailOutcome(request: WireRequest, { headers, body }: WireResponse): Outcome {
  const id = headers["x-message-id"];
  const warnings = asList(field(body, "warnings"));
  const left = new Set(
    warnings
      .filter((one) => /^(?:SOME|ALL)_SUPPRESSED$/.test(String(field(one, "type"))))
      .flatMap((one) => asList(field(one, "recipients")))
      .flatMap((one) => readRecipients({ email: field(one, "email") }, "to", "", "single", []))
      .map((one) => one.person),
  );
  const all = warnings.some((one) => field(one, "type") === "ALL_SUPPRESSED");
  const fate: Fate = id ? "accepted" : all ? "refused" : "unknown";
  const people = new Map<string, { fate: Fate; messageId?: string }>();
  for (const { recipients } of readMails(bodyOf(request), "one", [])) {
    for (const { person } of recipients) {
      people.set(
        person,
        left.has(person) || !id ? { fate: all || left.has(person) ? "refused" : fate } : { fate, messageId: id },
      );
    }
  }
  return {
    fate,
    people,
    ...(id ? { messageId: id } : {}),
    ...(fate === "refused" ? { providerCode: "ALL_SUPPRESSED" } : {}),
  };
}
