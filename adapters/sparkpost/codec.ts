/**
 * SparkPost's API on the wire: what a request would do, and what its answer says.
 *
 * @module
 */
import {
  type Address,
  asList,
  asRecord,
  type Codec,
  createMessage,
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
  parseAddresses,
  type RedirectNote,
  type Refusal,
  readRecipients,
  redirectMime,
  rewriteAddresses,
  toText,
  type WireRequest,
  type WireResponse,
} from "../../src/adapter";
import { templateOf } from "./content";
import { type Endpoint, endpoints } from "./endpoints";
import { listsOf, readMails } from "./messages";

/** Reads and answers SparkPost's API. */
export const sparkpostCodec: Codec = {
  provider: "sparkpost",
  hosts: ["api.sparkpost.com", "api.eu.sparkpost.com", "*.api.e.sparkpost.com"],
  classify,
  rewrite,
  redirect,
  simulate,
  outcome,
};

function endpointOf({ method, path }: Pick<WireRequest, "method" | "path">) {
  return endpoints.find(method, path.replace(/^\/api\/v\d+(?=\/)/i, ""));
}

/** Whether a request goes where mail is sent from, in a form that can be read or not. */
export function mayMail(request: WireRequest): boolean {
  const kind = endpointOf(request)?.value.kind;
  return kind === "send" || kind === "system" || request.path === "";
}

function bodyOf({ body }: WireRequest): Plain {
  return body.kind === "json" ? body.value : undefined;
}

/** The transmission in a request. */
export function transmissionOf(request: WireRequest): PlainRecord | undefined {
  return endpointOf(request)?.value.kind === "send" ? asRecord(bodyOf(request)) : undefined;
}

function classify(request: WireRequest): Intent {
  const { method, body, query } = request;
  if (request.path === "" || isOverridden(request.headers)) return unknown(request);
  const reads = method === "GET" || method === "HEAD";
  if (reads && body.kind === "none") return { kind: "read" };
  const found = reads ? undefined : endpointOf(request);
  if (!found || body.kind === "bytes" || body.kind === "form") return unknown(request);
  const { value, pattern } = found;
  if (value.kind === "read") return value;
  if (value.kind === "management") return { kind: "management", what: pattern };
  if (value.kind === "system") return systemIntent(value, request, pattern);
  const transmission = transmissionOf(request);
  // How many errors an answer shows; what else a query could do is not documented.
  if (!transmission || query.some(([name]) => name !== "num_rcpt_errors")) return unknown(request);
  const problems: Refusal[] = [];
  const messages = readMails(transmission, request.templates ?? {}, problems);
  const audiences = listsOf(transmission);
  if (!audiences) return { kind: "send", messages, problems };
  return { kind: "audience", what: "a stored recipient list", audiences, messages, problems };
}

function unknown({ method }: WireRequest): Intent {
  const shown = /^[A-Z]{1,10}$/.test(method) ? method : "request";
  return { kind: "unknown", what: `a ${shown} to a SparkPost path that is on no list, or in a form that is` };
}

function systemIntent(
  { what, people }: Extract<Endpoint, { kind: "system" }>,
  request: WireRequest,
  pattern: string,
): Intent {
  const problems: Refusal[] = [];
  const named = people(bodyOf(request), request.path);
  if (named.length === 0) return { kind: "management", what: pattern };
  const recipients = named.flatMap((one) => readRecipients(one, "to", "people", "single", problems));
  const content = () => ({ unbound: `the text of ${what}, which stands at SparkPost` });
  return { kind: "system", what, messages: [createMessage({ recipients, content })], problems };
}

/** The same object with some of its own fields replaced, in their places. */
function edit(value: Plain, edits: Readonly<Record<string, (was: Plain) => Plain>>): Plain {
  const record = asRecord(value);
  if (!record) return value;
  const entries = Object.entries(record).map(([key, was]) => {
    const change = Object.hasOwn(edits, key.toLowerCase()) ? edits[key.toLowerCase()] : undefined;
    return [key, change ? change(was) : was];
  });
  return Object.fromEntries(entries) as PlainRecord;
}

const single = (value: Plain): Plain => (typeof value === "string" ? rewriteAddresses(value, "single") : value);
// What is shown and not sent to keeps its form, as long as it shows the addresses that the mail goes to.
const shown = (value: Plain): Plain => {
  if (typeof value !== "string") return value;
  const { addresses } = parseAddresses(value, "", "list");
  return addresses.every(({ address }) => value.includes(address)) ? value : rewriteAddresses(value, "list");
};

function rewrite(request: WireRequest): WireRequest {
  const transmission = transmissionOf(request);
  if (!transmission) return request;
  const address = (was: Plain): Plain =>
    typeof was === "string" ? single(was) : edit(was, { email: single, header_to: shown });
  const value = edit(transmission, {
    recipients: (was) => (Array.isArray(was) ? was.map((one) => edit(one, { address })) : was),
    content: (was) => edit(was, { headers: (headers) => edit(headers, { cc: shown }) }),
  });
  return { ...request, body: { kind: "json", value } };
}

function redirect(request: WireRequest, to: Address, note: RedirectNote): WireRequest {
  const transmission = transmissionOf(request);
  if (!transmission || listsOf(transmission)) throw notRedirectable();
  // Personal data follows its person to the inbox, so that it reads what one of them would have read.
  const [first] = asList(transmission.recipients);
  const value: PlainRecord = {
    ...transmission,
    recipients: [{ ...asRecord(first), address: { email: to.address } }],
    content: redirectContent(transmission, to, note),
  };
  return { ...request, body: { kind: "json", value } };
}

function redirectContent(transmission: PlainRecord, to: Address, note: RedirectNote): Plain {
  const content = asRecord(transmission.content);
  if (!content) return transmission.content;
  if (typeof content.email_rfc822 === "string") {
    const message = redirectMime(Buffer.from(content.email_rfc822), to, note);
    return { ...content, email_rfc822: message.toString("utf8") };
  }
  const { headers, ...rest } = content;
  // A stored template takes no headers from outside.
  if (templateOf(transmission) || content.ab_test_id !== undefined) return rest;
  const kept = Object.entries(asRecord(headers) ?? {}).filter(
    ([name]) => !isUnsubscribe(name) && name.toLowerCase() !== "cc",
  );
  return {
    ...rest,
    ...(typeof rest.subject === "string" ? { subject: `${note.subjectPrefix} ${rest.subject}` } : {}),
    headers: { ...Object.fromEntries(kept), [originalsHeader]: originalsOf(note) },
  };
}

function simulate(request: WireRequest): WireResponse {
  const transmission = transmissionOf(request);
  const answer = { status: 200, headers: { "content-type": "application/json" } };
  if (!transmission) return { ...answer, body: { results: {} } };
  const total = asList(transmission.recipients).length;
  const results = { total_rejected_recipients: 0, total_accepted_recipients: total, id: "0" };
  return { ...answer, body: { results } };
}

function outcome(request: WireRequest, response: WireResponse): Outcome {
  const fate = fateOfStatus(response.status);
  if (fate !== "accepted") return { fate, providerCode: codeOf(response) };
  if (!transmissionOf(request)) return { fate };
  const results = field(response.body, "results");
  const [accepted, rejected] = ["accepted", "rejected"].map((what) => field(results, `total_${what}_recipients`));
  const id = toText(field(results, "id"));
  const messageId = id === "" ? {} : { messageId: id };
  if (typeof accepted !== "number") return { fate: "unknown", ...messageId };
  if (accepted > 0) return { fate, ...messageId };
  // It says how many were left out, not whom: of all or of none it can be told.
  return typeof rejected === "number" && rejected > 0
    ? { fate: "refused", ...messageId, providerCode: "rejected" }
    : { fate: "unknown", ...messageId };
}

/** SparkPost numbers its errors: `{ errors: [{ code: "1902" }] }`. */
function codeOf({ body, status }: WireResponse): string {
  const code = toText(field(asList(field(body, "errors"))[0], "code"));
  return /^[\w-]{1,40}$/.test(code) ? code : `http_${status}`;
}
