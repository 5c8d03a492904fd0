/**
 * Mailtrap's API on the wire: what a request would do, and what its answer says.
 *
 * @module
 */
import {
  type Address,
  asRecord,
  type Codec,
  type Content,
  createMessage,
  field,
  type Intent,
  isOverridden,
  isUnsubscribe,
  notRedirectable,
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
import { type Endpoint, endpoints, type Layout } from "./endpoints";
import { readMails, readOne, readPeople } from "./messages";
import { readOutcome } from "./outcome";

/** Reads and answers Mailtrap's API. */
export const mailtrapCodec: Codec = {
  provider: "mailtrap",
  hosts: ["send.api.mailtrap.io", "bulk.api.mailtrap.io", "sandbox.api.mailtrap.io", "mailtrap.io"],
  classify,
  rewrite,
  redirect,
  simulate,
  outcome: (request, response) => {
    const layout = layoutOf(request);
    return readOutcome(layout === undefined ? [] : readMails(bodyOf(request), layout, {}, []), layout, response);
  },
};

function bodyOf({ body }: WireRequest): Plain {
  return body.kind === "json" ? body.value : undefined;
}

function classify(request: WireRequest): Intent {
  const { method, path, headers, body } = request;
  if (isOverridden(headers)) return unknown(request);
  if ((method === "GET" || method === "HEAD") && body.kind === "none") return { kind: "read" };
  const found = endpoints.find(method, path);
  if (!found) return unknown(request);
  const { value, pattern } = found;
  switch (value.kind) {
    case "management":
      return { kind: "management", what: pattern };
    case "audience":
      return audienceIntent(request, value, pattern);
    case "system":
      return systemIntent(request, value);
    case "send": {
      // What a query could do to a mail is not documented.
      if (!asRecord(bodyOf(request)) || request.query.length > 0) return unknown(request);
      const problems: Refusal[] = [];
      const messages = readMails(bodyOf(request), value.layout, request.templates ?? {}, problems);
      return { kind: "send", messages, problems };
    }
  }
}

function unknown({ method }: WireRequest): Intent {
  const shown = /^[A-Z]{1,10}$/.test(method) ? method : "request";
  return { kind: "unknown", what: `a ${shown} to a Mailtrap path that is on no list, or in a form that is` };
}

function audienceIntent(request: WireRequest, audience: Endpoint & { kind: "audience" }, pattern: string): Intent {
  const body = bodyOf(request);
  // Nothing but an object that was read says that it is harmless.
  if (asRecord(body) && audience.harmless?.(body)) return { kind: "management", what: pattern };
  const problems: Refusal[] = [];
  const recipients = readPeople(body, audience.people ?? [], problems);
  const content = (): Content => ({ unbound: `the text of ${audience.what}, which stands at Mailtrap` });
  const messages = recipients.length === 0 ? [] : [createMessage({ recipients, content })];
  return { kind: "audience", what: audience.what, audiences: audience.ids(body, request.path), messages, problems };
}

function systemIntent(request: WireRequest, { what, person }: Endpoint & { kind: "system" }): Intent {
  const problems: Refusal[] = [];
  const recipients = readOne(field(bodyOf(request), person), problems);
  const content = (): Content => ({ unbound: `the text of ${what}, which Mailtrap writes` });
  const messages = recipients.length === 0 ? [] : [createMessage({ recipients, content })];
  return { kind: "system", what, messages, problems };
}

/** How the mails stand in a request; `undefined` when it is none. */
export function layoutOf(request: WireRequest): Layout | undefined {
  const value = endpoints.find(request.method, request.path)?.value;
  return value?.kind === "send" && asRecord(bodyOf(request)) ? value.layout : undefined;
}

type Edit = (mail: PlainRecord) => PlainRecord;

/** Applies an edit to every mail of a send, and another one to what stands beneath them all. */
function editMails(request: WireRequest, mail: Edit, base: Edit): WireRequest {
  const layout = layoutOf(request);
  const body = asRecord(bodyOf(request));
  if (layout === undefined || !body) return request;
  const one = (value: Plain, edit: Edit): Plain => {
    const record = asRecord(value);
    return record ? edit(record) : value;
  };
  const edited = (key: string, value: Plain): Plain => {
    if (key === "base") return one(value, base);
    return key === "requests" && Array.isArray(value) ? value.map((each) => one(each, mail)) : value;
  };
  const value =
    layout === "batch"
      ? Object.fromEntries(Object.entries(body).map(([key, was]) => [key, edited(key, was)]))
      : mail(body);
  return { ...request, body: { kind: "json", value } };
}

function rewrite(request: WireRequest): WireRequest {
  const text = (value: Plain): Plain => (typeof value === "string" ? rewriteAddresses(value, "single") : value);
  const person = (value: Plain): Plain => {
    const record = asRecord(value);
    return record && Object.hasOwn(record, "email") ? { ...record, email: text(record.email) } : value;
  };
  const anew: Edit = (mail) =>
    Object.fromEntries(
      Object.entries(mail).map(([key, value]) => {
        if (key === "email") return [key, text(value)];
        return [key, /^(?:to|cc|bcc)$/.test(key) && Array.isArray(value) ? value.map(person) : value];
      }),
    );
  return editMails(request, anew, anew);
}

function redirect(request: WireRequest, to: Address, note: RedirectNote): WireRequest {
  const layout = layoutOf(request);
  if (layout === undefined) throw notRedirectable();
  if (layout === "caught") return editMails(request, (mail) => ({ ...mail, email: to.address }), same);
  const marked: Edit = ({ cc: _cc, bcc: _bcc, ...mail }) => {
    const headers = Object.entries(asRecord(mail.headers) ?? {}).filter(([name]) => !isUnsubscribe(name));
    return {
      ...mail,
      ...(typeof mail.subject === "string" ? { subject: `${note.subjectPrefix} ${mail.subject}` } : {}),
      headers: { ...Object.fromEntries(headers), [originalsHeader]: originalsOf(note) },
    };
  };
  const inbox = { email: to.address, ...(to.name === undefined ? {} : { name: to.name }) };
  return editMails(request, (mail) => ({ ...marked(mail), to: [inbox] }), marked);
}

const same: Edit = (mail) => mail;

const simulatedId = "00000000-0000-0000-0000-000000000000";

function simulate(request: WireRequest): WireResponse {
  const layout = layoutOf(request);
  const answer = { status: 200, headers: { "content-type": "application/json" } };
  const mails = layout === undefined ? [] : readMails(bodyOf(request), layout, {}, []);
  const taken = mails.map(({ recipients }) => ({ success: true, message_ids: recipients.map(() => simulatedId) }));
  if (layout === "batch") return { ...answer, body: { success: true, responses: taken } };
  if (layout === "one") return { ...answer, body: taken[0] };
  return { ...answer, body: layout === "forward" ? { message_ids: taken[0]?.message_ids ?? [] } : {} };
}
