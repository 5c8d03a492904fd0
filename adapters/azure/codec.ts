/**
 * Azure Communication Services Email on the wire: what a request would do, and what its answer says.
 * The host serves chats, calls and identities too: what is not under `/emails` mails nobody.
 *
 * @module
 */
import {
  type Address,
  asRecord,
  asText,
  type Codec,
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
  rewriteAddresses,
  type WireRequest,
  type WireResponse,
} from "../../src/adapter";
import { readMail } from "./messages";

/** Reads and answers Azure's e-mail API. */
export const azureCodec: Codec = {
  provider: "azure",
  hosts: ["*.communication.azure.com"],
  classify,
  rewrite,
  redirect,
  simulate,
  outcome,
};

/** Whether a path is the e-mail service's, in whatever spelling. */
export function isEmailPath(path: string): boolean {
  return path === "" || /^\/emails(?![a-z0-9])/i.test(path);
}

function isSend({ method, path }: WireRequest): boolean {
  return method === "POST" && path.toLowerCase() === "/emails:send";
}

// People are reached, if not by mail: allowed together with system mail only.
const texts = /^\/(?:sms|messages\/notifications:send)$/i;

/** The mail in a request. */
function mailOf(request: WireRequest): PlainRecord | undefined {
  return isSend(request) && request.body.kind === "json" ? asRecord(request.body.value) : undefined;
}

function classify(request: WireRequest): Intent {
  const { method, path, body } = request;
  const reads = (method === "GET" || method === "HEAD") && body.kind === "none";
  if (isOverridden(request.headers)) return unknown(request);
  if (reads) return { kind: "read" };
  if (!isEmailPath(path)) {
    if (method === "POST" && texts.test(path))
      return { kind: "system", what: "a text message", messages: [], problems: [] };
    return { kind: "management", what: "another service of Azure Communication" };
  }
  const mail = mailOf(request);
  // What another query could do to a mail is not documented.
  if (!mail || request.query.some(([name]) => name !== "api-version")) return unknown(request);
  const problems: Refusal[] = [];
  return { kind: "send", messages: [readMail(mail, problems)], problems };
}

function unknown({ method }: WireRequest): Intent {
  const shown = /^[A-Z]{1,10}$/.test(method) ? method : "request";
  return { kind: "unknown", what: `a ${shown} to a path of Azure Email that is on no list, or in a form that is` };
}

/** The same object with one of its own fields replaced, in its place. */
function edit(value: Plain, edits: Readonly<Record<string, (was: Plain) => Plain>>): Plain {
  const record = asRecord(value);
  if (!record) return value;
  const entries = Object.entries(record).map(([key, was]) => [
    key,
    Object.hasOwn(edits, key) ? edits[key]?.(was) : was,
  ]);
  return Object.fromEntries(entries) as PlainRecord;
}

function rewrite(request: WireRequest): WireRequest {
  const mail = mailOf(request);
  if (!mail) return request;
  const address = (was: Plain): Plain => (typeof was === "string" ? rewriteAddresses(was, "single") : was);
  const people = (was: Plain): Plain => (Array.isArray(was) ? was.map((one) => edit(one, { address })) : was);
  const value = edit(mail, { recipients: (was) => edit(was, { to: people, cc: people, bcc: people }) });
  return { ...request, body: { kind: "json", value } };
}

function redirect(request: WireRequest, to: Address, note: RedirectNote): WireRequest {
  const mail = mailOf(request);
  if (!mail) throw notRedirectable();
  const kept = Object.entries(asRecord(mail.headers) ?? {}).filter(([name]) => !isUnsubscribe(name));
  const subject = (was: Plain): Plain => (typeof was === "string" ? `${note.subjectPrefix} ${was}` : was);
  const value: PlainRecord = {
    ...mail,
    headers: { ...Object.fromEntries(kept), [originalsHeader]: originalsOf(note) },
    recipients: { to: [{ address: to.address }] },
    content: edit(mail.content, { subject }),
  };
  return { ...request, body: { kind: "json", value } };
}

const simulatedId = "00000000-0000-0000-0000-000000000000";

function simulate(request: WireRequest): WireResponse {
  const headers = { "content-type": "application/json" };
  if (!isSend(request)) return { status: 200, headers, body: {} };
  // Done at once: there is no operation that could be asked about.
  return { status: 202, headers, body: { id: simulatedId, status: "Succeeded", error: null } };
}

const taken = new Set(["notstarted", "running", "succeeded"]);
const left = new Set(["failed", "canceled"]);

function outcome(request: WireRequest, response: WireResponse): Outcome {
  const fate = fateOfStatus(response.status);
  if (fate !== "accepted") return { fate, providerCode: codeOf(response) };
  if (!isSend(request)) return { fate };
  const id = asText(field(response.body, "id"));
  const status = asText(field(response.body, "status"))?.toLowerCase() ?? "";
  const of: Fate = left.has(status) ? "refused" : taken.has(status) && id ? "accepted" : "unknown";
  return {
    fate: of,
    ...(id ? { messageId: id } : {}),
    ...(of === "refused" ? { providerCode: codeOf(response) } : {}),
  };
}

/** Azure's name for an error: `{ error: { code: "InvalidRecipient" } }`. */
function codeOf({ body, status }: WireResponse): string {
  const code = asText(field(field(body, "error"), "code")) ?? "";
  return /^\w{1,60}$/.test(code) ? code : `http_${status}`;
}
