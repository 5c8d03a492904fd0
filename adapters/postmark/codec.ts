/**
 * Postmark's API on the wire: what a request would do, and what its answer says.
 *
 * @module
 */
import {
  type Address,
  asList,
  type Codec,
  createMessage,
  formatAddress,
  type Intent,
  isOverridden,
  isUnsubscribe,
  notRedirectable,
  type Outcome,
  originalsHeader,
  originalsOf,
  type Plain,
  type RedirectNote,
  type Refusal,
  readRecipients,
  rewriteAddresses,
  type WireRequest,
  type WireResponse,
} from "../../src/adapter";
import { type Endpoint, endpoints, type Layout } from "./endpoints";
import { editFolded, fold, mailFields } from "./fields";
import { readMails } from "./messages";
import { readOutcome } from "./outcome";

/** Reads and answers Postmark's API. */
export const postmarkCodec: Codec = {
  provider: "postmark",
  hosts: ["api.postmarkapp.com"],
  classify,
  rewrite,
  redirect,
  simulate,
  outcome,
};

function classify(request: WireRequest): Intent {
  const { method, path } = request;
  const reads = method === "GET" || method === "HEAD";
  // Some servers take a GET for whatever a header says it is; a read has neither that nor a body.
  const overridden = isOverridden(request.headers);
  if (reads && request.body.kind === "none" && !overridden) return { kind: "read" };
  const found = overridden ? undefined : endpoints.find(method, path);
  if (found && (request.query.length === 0 || found.value.kind !== "send")) {
    const { value } = found;
    if (value.kind === "management") return { kind: "management", what: found.pattern };
    if (value.kind === "system") return systemIntent(request, value, found.pattern);
    if (request.body.kind === "json") {
      const problems: Refusal[] = [];
      const messages = readMails(request.body.value, value.layout, request.templates ?? {}, problems);
      return { kind: "send", messages, problems };
    }
  }
  const shown = /^[A-Z]{1,10}$/.test(method) ? method : "request";
  return { kind: "unknown", what: `a ${shown} to a Postmark path that is on no list` };
}

function systemIntent(request: WireRequest, system: Endpoint & { kind: "system" }, pattern: string): Intent {
  const problems: Refusal[] = [];
  const body =
    request.body.kind === "json" ? fold(request.body.value, judgedElsewhere, "", []) : new Map<string, Plain>();
  if (system.unless !== undefined && body.get(system.unless) === false) return { kind: "management", what: pattern };
  const recipients =
    system.person === undefined ? [] : readRecipients(body.get(system.person), "to", system.person, "single", problems);
  const content = () => ({ unbound: `the text of ${system.what}, which Postmark writes` });
  const messages = recipients.length === 0 ? [] : [createMessage({ recipients, content })];
  return { kind: "system", what: system.what, messages, problems };
}

// Fields of requests that are no mails are Postmark's business.
const judgedElsewhere = new Map<string, string>();

function layoutOf(request: WireRequest): Layout | undefined {
  const found = endpoints.find(request.method, request.path);
  return found?.value.kind === "send" ? found.value.layout : undefined;
}

/** Applies `edit` to every object of a body that names recipients. */
function editMails(body: Plain, layout: Layout, edit: (mail: Plain) => Plain): Plain {
  if (layout === "one") return edit(body);
  if (layout === "list") return Array.isArray(body) ? body.map(edit) : body;
  return editFolded(body, { messages: (mails) => (Array.isArray(mails) ? mails.map(edit) : mails) });
}

function rewrite(request: WireRequest): WireRequest {
  const layout = layoutOf(request);
  if (layout === undefined || request.body.kind !== "json") return request;
  const anew = (value: Plain): Plain => (typeof value === "string" ? rewriteAddresses(value, "list") : value);
  const value = editMails(request.body.value, layout, (mail) => editFolded(mail, { to: anew, cc: anew, bcc: anew }));
  return { ...request, body: { kind: "json", value } };
}

function redirect(request: WireRequest, to: Address, note: RedirectNote): WireRequest {
  const layout = layoutOf(request);
  if (layout === undefined || request.body.kind !== "json") throw notRedirectable();
  const prefixed = (subject: Plain): Plain =>
    typeof subject === "string" ? `${note.subjectPrefix} ${subject}` : subject;
  const header = { Name: originalsHeader, Value: originalsOf(note) };
  const mine = (headers: Plain): Plain => [...withoutUnsubscribe(headers), header];
  const redirectMail = (mail: Plain): Plain => {
    const { Headers: headers, ...rest } = canonicalNames(mail);
    const { Cc: _cc, Bcc: _bcc, ...kept } = rest;
    return {
      ...kept,
      ...(kept.Subject === undefined ? {} : { Subject: prefixed(kept.Subject) }),
      To: formatAddress(to),
      Headers: mine(headers),
    };
  };
  const mails = editMails(request.body.value, layout, redirectMail);
  const value = layout === "bulk" ? editFolded(mails, { subject: prefixed, headers: withoutUnsubscribe }) : mails;
  return { ...request, body: { kind: "json", value } };
}

/** A mail with its fields spelled as Postmark documents them. */
function canonicalNames(mail: Plain): { [key: string]: Plain } {
  const folded = fold(mail, mailFields, "", []);
  return Object.fromEntries([...folded].map(([name, value]) => [mailFields.get(name) ?? name, value]));
}

function withoutUnsubscribe(headers: Plain): Plain[] {
  return asList(headers).filter((header) => {
    const name = fold(header, mailFields, "", []).get("name");
    return typeof name !== "string" || !isUnsubscribe(name);
  });
}

const simulatedId = "00000000-0000-0000-0000-000000000000";
const simulatedAt = "1970-01-01T00:00:00Z";

function simulate(request: WireRequest): WireResponse {
  const layout = layoutOf(request);
  const body = request.body.kind === "json" ? request.body.value : undefined;
  const answered = (mail: Plain): Plain => {
    const { To, Cc, Bcc } = canonicalNames(mail);
    const said = Object.entries({ To, Cc, Bcc }).filter(([, value]) => typeof value === "string");
    const whom = Object.fromEntries(said);
    return {
      ...whom,
      SubmittedAt: simulatedAt,
      MessageID: simulatedId,
      ErrorCode: 0,
      Message: "OK (simulated by mailfuse)",
    };
  };
  return {
    status: 200,
    headers: {},
    body:
      layout === undefined ? { ErrorCode: 0, Message: "OK (simulated by mailfuse)" } : answerOf(body, layout, answered),
  };
}

function answerOf(body: Plain, layout: Layout, answered: (mail: Plain) => Plain): Plain {
  if (layout === "one") return answered(body);
  if (layout === "bulk") return { Id: simulatedId, Status: "Accepted", SubmittedAt: simulatedAt };
  const mails = layout === "list" ? body : fold(body, mailFields, "", []).get("messages");
  return asList(mails).map(answered);
}

function outcome(request: WireRequest, response: WireResponse): Outcome {
  const layout = layoutOf(request);
  const body = request.body.kind === "json" ? request.body.value : undefined;
  return readOutcome(layout === undefined ? [] : readMails(body, layout, {}, []), layout, response);
}
