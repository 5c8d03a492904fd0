/**
 * Mailchimp Transactional's API (Mandrill) on the wire: what a request would do, and what its
 * answer says.
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
  redirectMime,
  rewriteAddresses,
  type WireRequest,
  type WireResponse,
} from "../../src/adapter";
import { type Endpoint, endpoints } from "./endpoints";
import { readMails } from "./messages";

/** Reads and answers Mailchimp Transactional's API. */
export const mailchimpCodec: Codec = {
  provider: "mailchimp",
  hosts: ["mandrillapp.com", "*.mandrillapp.com"],
  classify,
  rewrite,
  redirect,
  simulate,
  outcome,
};

// `/api/1.3/messages/send.json` and `/messages/send` are one endpoint.
function endpointOf({ method, path }: WireRequest) {
  return endpoints.find(method, path.replace(/^\/api\/1\.\d(?=\/)/i, "").replace(/\.(?:json|xml|php|yaml)$/i, ""));
}

function bodyOf({ body }: WireRequest): Plain {
  return body.kind === "json" ? body.value : undefined;
}

/** How the mail stands in a request; `undefined` when it is none. */
export function layoutOf(request: WireRequest): "mail" | "raw" | undefined {
  const value = endpointOf(request)?.value;
  return value?.kind === "send" && asRecord(bodyOf(request)) ? value.layout : undefined;
}

function classify(request: WireRequest): Intent {
  const overridden = isOverridden(request.headers);
  const found = overridden ? undefined : endpointOf(request);
  if (!found) return unknown(request);
  const { value, pattern } = found;
  if (value.kind === "management") return { kind: "management", what: pattern };
  if (value.kind === "read") return value;
  // What a query could do to a mail is not documented.
  if (!asRecord(bodyOf(request)) || request.query.length > 0) return unknown(request);
  const problems: Refusal[] = [];
  if (value.kind === "send") {
    const messages = readMails(bodyOf(request), value.layout, request.templates ?? {}, problems);
    return { kind: "send", messages, problems };
  }
  if (value.kind === "audience") {
    return { kind: "audience", what: value.what, audiences: value.ids(bodyOf(request)), messages: [], problems };
  }
  return systemIntent(value, bodyOf(request), pattern, problems);
}

function unknown({ method }: WireRequest): Intent {
  const shown = /^[A-Z]{1,10}$/.test(method) ? method : "request";
  return { kind: "unknown", what: `a ${shown} to a Mandrill path that is on no list, or in a form that is` };
}

function systemIntent(
  system: Extract<Endpoint, { kind: "system" }>,
  body: Plain,
  pattern: string,
  problems: Refusal[],
): Intent {
  const person = system.person?.(body);
  const named = person !== undefined && person !== null && person !== "";
  if (system.optional && !named) return { kind: "management", what: pattern };
  const recipients = named ? readRecipients(person, "to", "people", "single", problems) : [];
  const content = () => ({ unbound: `the text of ${system.what}, which stands at Mandrill` });
  const messages = recipients.length === 0 ? [] : [createMessage({ recipients, content })];
  return { kind: "system", what: system.what, messages, problems };
}

/** The same object with some of its own fields replaced, in their places. */
function edit(value: Plain, edits: Readonly<Record<string, (was: Plain) => Plain>>): Plain {
  const record = asRecord(value);
  if (!record) return value;
  const entries = Object.entries(record).map(([key, was]) => [
    key,
    Object.hasOwn(edits, key) ? edits[key]?.(was) : was,
  ]);
  return Object.fromEntries(entries) as PlainRecord;
}

const anew = (value: Plain): Plain => (typeof value === "string" ? rewriteAddresses(value, "single") : value);
const each = (change: (one: Plain) => Plain) => (value: Plain) => (Array.isArray(value) ? value.map(change) : value);

function rewrite(request: WireRequest): WireRequest {
  const layout = layoutOf(request);
  if (layout === undefined) return request;
  const people = each((one) => edit(one, { email: anew }));
  const value =
    layout === "raw"
      ? edit(bodyOf(request), { to: each(anew) })
      : edit(bodyOf(request), { message: (mail) => edit(mail, { to: people, bcc_address: anew }) });
  return { ...request, body: { kind: "json", value } };
}

function redirect(request: WireRequest, to: Address, note: RedirectNote): WireRequest {
  const layout = layoutOf(request);
  const body = asRecord(bodyOf(request));
  if (layout === undefined || !body) throw notRedirectable();
  const value: PlainRecord =
    layout === "raw"
      ? {
          ...body,
          raw_message: redirectMime(Buffer.from(String(body.raw_message)), to, note).toString("utf8"),
          to: [to.address],
        }
      : { ...body, message: redirectMail(asRecord(body.message) ?? {}, to, note) };
  return { ...request, body: { kind: "json", value } };
}

function redirectMail({ bcc_address: _bcc, ...mail }: PlainRecord, to: Address, note: RedirectNote): PlainRecord {
  const kept = Object.entries(asRecord(mail.headers) ?? {}).filter(([name]) => !isUnsubscribe(name));
  // Personal fields follow their person to the inbox, so that it reads what one of them would have read.
  const [first] = asList(mail.merge_vars);
  const vars = first === undefined ? {} : { merge_vars: [{ ...asRecord(first), rcpt: to.address }] };
  const { recipient_metadata: _metadata, ...rest } = mail;
  return {
    ...rest,
    ...vars,
    ...(typeof mail.subject === "string" ? { subject: `${note.subjectPrefix} ${mail.subject}` } : {}),
    to: [{ email: to.address, type: "to" }],
    headers: { ...Object.fromEntries(kept), [originalsHeader]: originalsOf(note) },
  };
}

function simulate(request: WireRequest): WireResponse {
  const layout = layoutOf(request);
  const mails = layout === undefined ? [] : readMails(bodyOf(request), layout, {}, []);
  const answered = mails.flatMap(({ recipients }) =>
    recipients.map(({ address }) => ({
      email: address,
      status: "sent",
      _id: "mailfuse-simulated",
      reject_reason: null,
    })),
  );
  return { status: 200, headers: { "content-type": "application/json" }, body: layout === undefined ? {} : answered };
}

const taken = new Set(["sent", "queued", "scheduled"]);
const left = new Set(["rejected", "invalid"]);

function outcome(request: WireRequest, response: WireResponse): Outcome {
  const fate = fateOfStatus(response.status);
  if (fate !== "accepted") return failure(response, fate);
  if (layoutOf(request) === undefined) return { fate };
  const answers = asList(Array.isArray(response.body) ? response.body : []);
  const people = new Map<string, { fate: Fate; messageId?: string }>();
  for (const answer of answers) {
    const status = asText(field(answer, "status")) ?? "";
    const of: Fate = taken.has(status) ? "accepted" : left.has(status) ? "refused" : "unknown";
    const messageId = asText(field(answer, "_id"));
    for (const { person } of readRecipients(field(answer, "email"), "to", "", "single", [])) {
      if (people.get(person)?.fate === "accepted") continue;
      people.set(person, { fate: of, ...(messageId === undefined ? {} : { messageId }) });
    }
  }
  const fates = [...people.values()].map((one) => one.fate);
  const id = people.size === 1 ? [...people.values()][0]?.messageId : undefined;
  const overall = fates.includes("accepted")
    ? "accepted"
    : fates.length === 0 || fates.includes("unknown")
      ? "unknown"
      : "refused";
  return {
    fate: overall,
    people,
    ...(id === undefined ? {} : { messageId: id }),
    ...(overall === "refused" ? { providerCode: reasonOf(answers) } : {}),
  };
}

// Mandrill answers errors of a request with 500; all but its own say that the request was not taken.
function failure(response: WireResponse, fate: Fate): Outcome {
  const name = asText(field(response.body, "name")) ?? "";
  const known = field(response.body, "status") === "error" && /^[A-Za-z_]{1,60}$/.test(name);
  if (!known) return { fate, providerCode: `http_${response.status}` };
  return { fate: name === "GeneralError" ? "unknown" : "refused", providerCode: name };
}

function reasonOf(answers: readonly Plain[]): string {
  const reason = asText(field(answers[0], "reject_reason")) ?? asText(field(answers[0], "status")) ?? "";
  return /^[a-z-]{1,40}$/.test(reason) ? reason : "rejected";
}
