/**
 * Mailjet's API on the wire: what a request would do, and what its answer says.
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
  formatAddress,
  type Intent,
  isOverridden,
  isUnsubscribe,
  type Message,
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
import { endpoints } from "./endpoints";
import { readMails } from "./messages";

/** Reads and answers Mailjet's API. */
export const mailjetCodec: Codec = {
  provider: "mailjet",
  hosts: ["api.mailjet.com", "api.us.mailjet.com"],
  classify,
  rewrite,
  redirect,
  simulate,
  outcome,
};

/** The version of the Send API that a request is for; `undefined` when it is no mail. */
export function versionOf({ method, path }: WireRequest): "v3" | "v3.1" | undefined {
  const value = endpoints.find(method, path)?.value;
  return value?.kind === "send" ? value.version : undefined;
}

function bodyOf({ body }: WireRequest): Plain {
  return body.kind === "json" ? body.value : undefined;
}

function classify(request: WireRequest): Intent {
  const { method, path } = request;
  const overridden = isOverridden(request.headers);
  if (overridden || path === "") return unknown(request);
  if ((method === "GET" || method === "HEAD") && request.body.kind === "none") return { kind: "read" };
  const found = method === "GET" || method === "HEAD" ? undefined : endpoints.find(method, path);
  if (!found) return unknown(request);
  const { value, pattern } = found;
  const problems: Refusal[] = [];
  if (value.kind === "management") return { kind: "management", what: pattern };
  if (value.kind === "system") return { kind: "system", what: value.what, messages: [], problems };
  if (value.kind === "audience") {
    const people = value.people === undefined ? [] : asList(field(bodyOf(request), value.people));
    const recipients = people.flatMap((one) =>
      readRecipients({ email: field(one, "Email") }, "to", value.people as string, "single", problems),
    );
    const content = () => ({ unbound: `the text of ${value.what}, which stands at Mailjet` });
    const messages = recipients.length === 0 ? [] : [createMessage({ recipients, content })];
    return { kind: "audience", what: value.what, audiences: value.ids(bodyOf(request), path), messages, problems };
  }
  // What a query could do to a mail is not documented.
  if (!asRecord(bodyOf(request)) || request.query.length > 0) return unknown(request);
  return { kind: "send", messages: readMails(bodyOf(request), value.version, problems, request.templates), problems };
}

function unknown({ method }: WireRequest): Intent {
  const shown = /^[A-Z]{1,10}$/.test(method) ? method : "request";
  return { kind: "unknown", what: `a ${shown} to a Mailjet path that is on no list, or in a form that is` };
}

/** Applies `edit` to every object of a body that names recipients. */
function editMails(body: PlainRecord, edit: (mail: PlainRecord) => PlainRecord): PlainRecord {
  const one = (mail: Plain): Plain => {
    const record = asRecord(mail);
    return record ? edit(record) : mail;
  };
  const nested = Object.entries(edit(body)).map(([key, value]) => {
    if (key === "Messages" && Array.isArray(value)) return [key, value.map(one)];
    return [key, key === "Globals" ? one(value) : value];
  });
  return Object.fromEntries(nested) as PlainRecord;
}

const carriers = /^(?:To|Cc|Bcc|Recipients|TemplateErrorReporting|Mj-TemplateErrorReporting)$/;

function rewrite(request: WireRequest): WireRequest {
  const body = asRecord(bodyOf(request));
  if (!body || versionOf(request) === undefined) return request;
  const anew = (value: Plain): Plain => {
    if (typeof value === "string") return rewriteAddresses(value, "list");
    if (Array.isArray(value)) return value.map(anew);
    const record = asRecord(value);
    if (!record) return value;
    const entries = Object.entries(record).map(([key, was]) => [
      key,
      key === "Email" && typeof was === "string" ? rewriteAddresses(was, "single") : was,
    ]);
    return Object.fromEntries(entries) as PlainRecord;
  };
  const value = editMails(body, (mail) => {
    const entries = Object.entries(mail).map(([key, was]) => [key, carriers.test(key) ? anew(was) : was]);
    return Object.fromEntries(entries) as PlainRecord;
  });
  return { ...request, body: { kind: "json", value } };
}

function redirect(request: WireRequest, to: Address, note: RedirectNote): WireRequest {
  const body = asRecord(bodyOf(request));
  const version = versionOf(request);
  if (!body || version === undefined) throw notRedirectable();
  const value = editMails(body, (mail) => {
    const kept = Object.entries(mail).filter(([key]) => !carriers.test(key));
    const rest: PlainRecord = Object.fromEntries(kept);
    if (typeof rest.Subject === "string") rest.Subject = `${note.subjectPrefix} ${rest.Subject}`;
    const addressed = Object.keys(mail).some((key) => carriers.test(key));
    const headers = Object.entries(asRecord(mail.Headers) ?? {}).filter(([name]) => !isUnsubscribe(name));
    if (addressed || mail.Headers !== undefined)
      rest.Headers = { ...Object.fromEntries(headers), ...(addressed ? { [originalsHeader]: originalsOf(note) } : {}) };
    if (!addressed) return rest;
    // Personal variables follow their person to the inbox, so that it reads what one of them would have read.
    const [first] = asList(mail.Recipients);
    if (first !== undefined) return { ...rest, Recipients: [{ ...asRecord(first), Name: "", Email: to.address }] };
    return { ...rest, To: version === "v3" ? formatAddress(to) : [{ Email: to.address }] };
  });
  const { Globals: globals, ...others } = value;
  const { To: _to, ...shared } = asRecord(globals) ?? {};
  const mails = asList(value.Messages).map((one) => ({ ...asRecord(one), To: [{ Email: to.address }] }));
  const redirected =
    version === "v3" ? value : { ...others, Messages: mails, ...(globals === undefined ? {} : { Globals: shared }) };
  return { ...request, body: { kind: "json", value: redirected } };
}

const simulatedId = "0";

function simulate(request: WireRequest): WireResponse {
  const version = versionOf(request);
  const answer = { status: 200, headers: { "content-type": "application/json" } };
  if (version === undefined) return { ...answer, body: { Count: 0, Data: [], Total: 0 } };
  const ids = { MessageID: simulatedId, MessageUUID: "00000000-0000-0000-0000-000000000000" };
  const mails = readMails(bodyOf(request), version, []);
  const people = (mail: Message, name: string, more: PlainRecord) =>
    mail.recipients.filter((one) => one.field === name).map(({ address }) => ({ Email: address, ...ids, ...more }));
  if (version === "v3") {
    const sent = mails.flatMap((mail) => ["to", "cc", "bcc"].flatMap((name) => people(mail, name, {})));
    return { ...answer, body: { Sent: sent } };
  }
  const href = { MessageHref: "https://api.mailjet.com/v3/REST/message/0" };
  const told = mails.map((mail) => ({
    Status: "success",
    CustomID: "",
    To: people(mail, "to", href),
    Cc: people(mail, "cc", href),
    Bcc: people(mail, "bcc", href),
  }));
  return { ...answer, body: { Messages: told } };
}

type People = Map<string, { fate: Fate; messageId?: string }>;

function outcome(request: WireRequest, response: WireResponse): Outcome {
  const version = versionOf(request);
  const fate = fateOfStatus(response.status);
  const told = field(response.body, "Messages");
  // A request may be answered with an error for one of its mails and an id for another.
  if (version === "v3.1" && Array.isArray(told) && told.length > 0 && fate !== "unknown")
    return eachOutcome(request, told);
  if (fate !== "accepted") {
    const code = asText(field(response.body, "ErrorCode")) ?? "";
    return { fate, providerCode: /^[\w-]{1,40}$/.test(code) ? code : `http_${response.status}` };
  }
  if (version === undefined) return { fate };
  const sent = asList(field(response.body, "Sent"));
  if (version === "v3.1" || sent.length === 0) return { fate: "unknown" };
  const people: People = new Map();
  for (const one of sent) note(people, field(one, "Email"), "accepted", field(one, "MessageID"));
  return { fate, people };
}

function eachOutcome(request: WireRequest, told: readonly Plain[]): Outcome {
  const people: People = new Map();
  const fates: Fate[] = [];
  const mails = readMails(bodyOf(request), "v3.1", []);
  for (const [at, mail] of mails.entries()) {
    const status = asText(field(told[at], "Status"));
    const fate: Fate = status === "success" ? "accepted" : status === "error" ? "refused" : "unknown";
    fates.push(fate);
    const ids = new Map<string, Plain>();
    for (const name of ["To", "Cc", "Bcc"])
      for (const one of asList(field(told[at], name)))
        ids.set(String(field(one, "Email")).toLowerCase(), field(one, "MessageID"));
    for (const { address } of mail.recipients) note(people, address, fate, ids.get(address.toLowerCase()));
  }
  const code = asText(field(asList(field(told[0], "Errors"))[0], "ErrorCode")) ?? "";
  const fate = fates.includes("unknown") ? "unknown" : fates.includes("accepted") ? "accepted" : "refused";
  return { fate, people, ...(fate === "refused" && /^[\w-]{1,40}$/.test(code) ? { providerCode: code } : {}) };
}

/** A person of several mails counts by the one that reached them. */
function note(people: People, email: Plain, fate: Fate, id: Plain): void {
  for (const { person } of readRecipients({ email }, "to", "", "single", [])) {
    if (people.get(person)?.fate === "accepted") continue;
    const messageId = typeof id === "string" || typeof id === "number" ? String(id) : undefined;
    people.set(person, { fate, ...(messageId === undefined ? {} : { messageId }) });
  }
}
