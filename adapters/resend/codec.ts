/**
 * Resend's API on the wire: what a request would do, and what its answer says.
 *
 * @module
 */
import {
  type Address,
  asList,
  asRecord,
  asText,
  type Codec,
  type Content,
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
  rewriteAddresses,
  type WireRequest,
  type WireResponse,
} from "../../src/adapter";
import { type Endpoint, endpoints } from "./endpoints";
import { readMails, readPeople } from "./messages";

/** Reads and answers Resend's API. */
export const resendCodec: Codec = {
  provider: "resend",
  hosts: ["api.resend.com"],
  classify,
  rewrite,
  redirect,
  simulate,
  outcome,
  idempotencyHeader: "Idempotency-Key",
};

function classify(request: WireRequest): Intent {
  const { method, path, body } = request;
  const reads = method === "GET" || method === "HEAD";
  if (isOverridden(request.headers)) return unknown(request);
  if (reads && body.kind === "none") return { kind: "read" };
  const found = endpoints.find(method, path);
  if (!found) return unknown(request);
  const { value } = found;
  if (value.kind === "management") return { kind: "management", what: found.pattern };
  if (value.kind === "audience") return audienceIntent(request, value, found.pattern);
  if (body.kind !== "json" || request.query.length > 0) return unknown(request);
  const problems: Refusal[] = [];
  const messages = readMails(body.value, value.layout, request.templates ?? {}, problems);
  return { kind: "send", messages: isForward(path) ? messages.map(withOriginal) : messages, problems };
}

function unknown({ method }: WireRequest): Intent {
  const shown = /^[A-Z]{1,10}$/.test(method) ? method : "request";
  return { kind: "unknown", what: `a ${shown} to a Resend path that is on no list, or in a form that is` };
}

function audienceIntent(request: WireRequest, audience: Endpoint & { kind: "audience" }, pattern: string): Intent {
  const body = bodyOf(request);
  // Nothing but an object that was read says that it is harmless.
  if (asRecord(body) && audience.harmless?.(body)) return { kind: "management", what: pattern };
  const problems: Refusal[] = [];
  const recipients = readPeople(body, audience.people ?? [], problems);
  const content = (): Content => ({ unbound: `the text of ${audience.what}, which stands at Resend` });
  const messages = recipients.length === 0 ? [] : [createMessage({ recipients, content })];
  return { kind: "audience", what: audience.what, audiences: audience.ids(body, request.path), messages, problems };
}

/** The body as one value: JSON, or a form's fields by name. */
function bodyOf({ body }: WireRequest): Plain {
  if (body.kind === "json") return body.value;
  return body.kind === "form" ? Object.fromEntries(body.fields) : undefined;
}

function isForward(path: string): boolean {
  return path.startsWith("/inboxes/");
}

function withOriginal(message: Message): Message {
  const content = (): Content => ({ ...message.content(), unbound: "the forwarded mail, which stands at Resend" });
  return { ...message, content };
}

function layoutOf(request: WireRequest): "one" | "list" | undefined {
  const found = endpoints.find(request.method, request.path);
  return found?.value.kind === "send" && request.body.kind === "json" ? found.value.layout : undefined;
}

/** Applies `edit` to every mail of a send. */
function editMails(request: WireRequest, edit: (mail: PlainRecord) => Plain): WireRequest {
  const layout = layoutOf(request);
  if (layout === undefined || request.body.kind !== "json") return request;
  const one = (mail: Plain): Plain => {
    const record = asRecord(mail);
    return record ? edit(record) : mail;
  };
  const { value } = request.body;
  return { ...request, body: { kind: "json", value: Array.isArray(value) ? value.map(one) : one(value) } };
}

function rewrite(request: WireRequest): WireRequest {
  const text = (value: Plain): Plain => (typeof value === "string" ? rewriteAddresses(value, "list") : value);
  const anew = (value: Plain): Plain => (Array.isArray(value) ? value.map(text) : text(value));
  return editMails(request, (mail) =>
    Object.fromEntries(
      Object.entries(mail).map(([key, value]) => [key, /^(?:to|cc|bcc)$/.test(key) ? anew(value) : value]),
    ),
  );
}

function redirect(request: WireRequest, to: Address, note: RedirectNote): WireRequest {
  if (layoutOf(request) === undefined) throw notRedirectable();
  return editMails(request, ({ cc: _cc, bcc: _bcc, ...mail }) => {
    const headers = Object.entries(asRecord(mail.headers) ?? {}).filter(([name]) => !isUnsubscribe(name));
    return {
      ...mail,
      to: [formatAddress(to)],
      ...(typeof mail.subject === "string" ? { subject: `${note.subjectPrefix} ${mail.subject}` } : {}),
      headers: { ...Object.fromEntries(headers), [originalsHeader]: originalsOf(note) },
    };
  });
}

const simulatedId = "00000000-0000-0000-0000-000000000000";

function simulate(request: WireRequest): WireResponse {
  const answer = { status: 200, headers: {} };
  if (layoutOf(request) !== "list") return { ...answer, body: { id: simulatedId } };
  const data = asList(bodyOf(request)).map(() => ({ id: simulatedId }));
  const permissive = request.headers.some(([name, value]) => name === "x-batch-validation" && value === "permissive");
  return { ...answer, body: permissive ? { data, errors: [] } : { data } };
}

function outcome(request: WireRequest, response: WireResponse): Outcome {
  const fate = fateOfStatus(response.status);
  if (fate !== "accepted") return failure(response, fate);
  const layout = layoutOf(request);
  if (layout === "list") return batchOutcome(request, response.body);
  const id = asText(field(response.body, "id"));
  if (id !== undefined) return { fate, messageId: id };
  // What no mail was asked for may answer as it likes.
  return { fate: layout === undefined ? fate : "unknown" };
}

function failure(response: WireResponse, fate: Fate): Outcome {
  const name = asText(field(response.body, "name")) ?? "";
  const providerCode = /^[a-z_]{1,60}$/.test(name) ? name : `http_${response.status}`;
  // The first of two requests under one key is still under way: that mail may leave.
  return { fate: name === "concurrent_idempotent_requests" ? "unknown" : fate, providerCode };
}

/** Permissive batches answer ids of the mails that were taken, and the places of the others. */
function batchOutcome(request: WireRequest, body: Plain): Outcome {
  const messages = readMails(bodyOf(request), "list", {}, []);
  const failed = new Set(asList(field(body, "errors")).map((error) => field(error, "index")));
  const ids = field(body, "data");
  const taken = messages.filter((_, at) => !failed.has(at));
  if (!Array.isArray(ids) || ids.length !== taken.length) return { fate: "unknown" };
  const people = new Map<string, { fate: Fate; messageId?: string }>();
  for (const [at, message] of messages.entries()) {
    if (failed.has(at)) for (const { person } of message.recipients) people.set(person, { fate: "refused" });
  }
  // Second, so that a person of several mails counts by the one that was taken.
  for (const [at, message] of taken.entries()) {
    const messageId = asText(field(ids[at], "id"));
    for (const { person } of message.recipients) {
      people.set(person, { fate: "accepted", ...(messageId === undefined ? {} : { messageId }) });
    }
  }
  return { fate: taken.length > 0 ? "accepted" : "refused", people };
}
