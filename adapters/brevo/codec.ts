/**
 * Brevo's API on the wire: what a request would do, and what its answer says.
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
import { carriers, readMails } from "./messages";

/** Reads and answers Brevo's API. */
export const brevoCodec: Codec = {
  provider: "brevo",
  hosts: ["api.brevo.com", "api.sendinblue.com"],
  classify,
  rewrite,
  redirect,
  simulate,
  outcome,
};

function endpointOf({ method, path }: WireRequest) {
  return endpoints.find(method, below(path));
}

// The SDK's base ends in /v3 by default; a base of one's own may not.
function below(path: string): string {
  return path.replace(/^\/v3(?=\/)/i, "");
}

/** Whether a request is a mail. */
export function isSend(request: WireRequest): boolean {
  return endpointOf(request)?.value.kind === "send";
}

function classify(request: WireRequest): Intent {
  const { method, body } = request;
  // Some servers take a request for what a header says it is.
  const overridden = isOverridden(request.headers);
  const found = overridden || request.path === "" ? undefined : endpointOf(request);
  if ((method === "GET" || method === "HEAD") && body.kind === "none" && !overridden && request.path !== "")
    return { kind: "read" };
  if (!found || method === "GET" || method === "HEAD") return unknown(method);
  const { value, pattern } = found;
  if (value.kind === "management") return { kind: "management", what: pattern };
  if (value.kind === "read") return value;
  const json = body.kind === "json" ? body.value : undefined;
  if (value.kind !== "send") return otherIntent(value, json, below(request.path), pattern);
  // What a query could do to a mail is not documented.
  if (body.kind !== "json" || request.query.length > 0) return unknown(method);
  const problems: Refusal[] = [];
  return { kind: "send", messages: readMails(json, request.templates ?? {}, problems), problems };
}

function unknown(method: string): Intent {
  const shown = /^[A-Z]{1,10}$/.test(method) ? method : "request";
  return { kind: "unknown", what: `a ${shown} to a Brevo path that is on no list, or in a form that is` };
}

function otherIntent(
  value: Extract<Endpoint, { kind: "system" | "audience" }>,
  body: Plain,
  path: string,
  pattern: string,
): Intent {
  // Nothing but an object that was read says that it is harmless.
  if (asRecord(body) && value.harmless?.(body)) return { kind: "management", what: pattern };
  const problems: Refusal[] = [];
  const people = value.people?.(body);
  const recipients =
    people === undefined || people === null ? [] : readRecipients(people, "to", "people", "single", problems);
  const content = () => ({ unbound: `the text of ${value.what}, which stands at Brevo` });
  const messages = recipients.length === 0 ? [] : [createMessage({ recipients, content })];
  if (value.kind === "system") return { kind: "system", what: value.what, messages, problems };
  return { kind: "audience", what: value.what, audiences: value.ids(body, path), messages, problems };
}

/** Applies `edit` to the mail and to each of its versions. */
function editMails(body: PlainRecord, edit: (one: PlainRecord) => PlainRecord): PlainRecord {
  const edited = edit(body);
  if (!Array.isArray(body.messageVersions)) return edited;
  const versions = body.messageVersions.map((version) => {
    const record = asRecord(version);
    return record ? edit(record) : version;
  });
  return replaceIn(edited, { messageVersions: versions });
}

/** The same object with some of its own fields replaced, in their places. */
function replaceIn(record: PlainRecord, values: PlainRecord): PlainRecord {
  const entries = Object.entries(record).map(([key, was]) => [key, Object.hasOwn(values, key) ? values[key] : was]);
  return Object.fromEntries(entries) as PlainRecord;
}

function rewrite(request: WireRequest): WireRequest {
  const body = request.body.kind === "json" ? asRecord(request.body.value) : undefined;
  if (!body || !isSend(request)) return request;
  const anew = (one: Plain): Plain => {
    const record = asRecord(one);
    if (!record || typeof record.email !== "string") return one;
    return replaceIn(record, { email: rewriteAddresses(record.email, "single") });
  };
  const value = editMails(body, (one) => {
    const lists = carriers.filter((name) => Array.isArray(one[name]));
    return replaceIn(one, Object.fromEntries(lists.map((name) => [name, asList(one[name]).map(anew)])));
  });
  return { ...request, body: { kind: "json", value } };
}

function redirect(request: WireRequest, to: Address, note: RedirectNote): WireRequest {
  const body = request.body.kind === "json" ? asRecord(request.body.value) : undefined;
  if (!body || !isSend(request)) throw notRedirectable();
  const value = editMails(body, ({ cc: _cc, bcc: _bcc, ...one }) => ({
    ...one,
    ...(one.to === undefined ? {} : { to: [{ email: to.address }] }),
    ...(typeof one.subject === "string" ? { subject: `${note.subjectPrefix} ${one.subject}` } : {}),
  }));
  const kept = Object.entries(asRecord(body.headers) ?? {}).filter(([name]) => !isUnsubscribe(name));
  const headers = { ...Object.fromEntries(kept), [originalsHeader]: originalsOf(note) };
  const versions = asList(value.messageVersions).map((one) => ({ ...asRecord(one), to: [{ email: to.address }] }));
  const addressed = versions.length > 0 ? { messageVersions: versions } : { to: [{ email: to.address }] };
  return { ...request, body: { kind: "json", value: { ...value, ...addressed, headers } } };
}

const simulatedId = "<mailfuse-simulated@mailfuse.invalid>";

function simulate(request: WireRequest): WireResponse {
  const body = request.body.kind === "json" ? request.body.value : undefined;
  const versions = asList(field(body, "messageVersions"));
  const answer: Plain =
    isSend(request) && versions.length > 0
      ? { messageIds: versions.map(() => simulatedId) }
      : { messageId: simulatedId };
  return { status: 201, headers: { "content-type": "application/json" }, body: answer };
}

function outcome(request: WireRequest, response: WireResponse): Outcome {
  const fate = fateOfStatus(response.status);
  if (fate !== "accepted") {
    const code = asText(field(response.body, "code")) ?? "";
    return { fate, providerCode: /^[a-z_]{1,60}$/.test(code) ? code : `http_${response.status}` };
  }
  if (!isSend(request)) return { fate };
  const messageId = asText(field(response.body, "messageId"));
  if (messageId !== undefined) return { fate, messageId };
  const ids = field(response.body, "messageIds");
  if (!Array.isArray(ids) || ids.length === 0) return { fate: "unknown" };
  return versionOutcome(request, ids);
}

/** One id for each version, in order; another number of them tells nobody's. */
function versionOutcome(request: WireRequest, ids: readonly Plain[]): Outcome {
  const body = request.body.kind === "json" ? request.body.value : undefined;
  const versions = asList(field(body, "messageVersions")).length;
  if (ids.length !== versions) return { fate: "accepted" };
  const people = new Map<string, { fate: Fate; messageId?: string }>();
  for (const [at, message] of readMails(body, {}, []).slice(0, versions).entries()) {
    const messageId = asText(ids[at]);
    for (const { person } of message.recipients)
      people.set(person, { fate: "accepted", ...(messageId === undefined ? {} : { messageId }) });
  }
  return { fate: "accepted", people };
}
