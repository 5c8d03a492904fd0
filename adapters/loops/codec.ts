/**
 * Loops' API on the wire: what a request would do, and what its answer says.
 *
 * @module
 */
import {
  type Address,
  asRecord,
  asText,
  type Codec,
  type Content,
  createMessage,
  fateOfStatus,
  field,
  type Intent,
  isOverridden,
  type Message,
  notRedirectable,
  type Outcome,
  type Plain,
  type PlainRecord,
  type RedirectNote,
  type Refusal,
  rewriteAddresses,
  type WireRequest,
  type WireResponse,
} from "../../src/adapter";
import { type Endpoint, endpoints } from "./endpoints";
import { readMail, readPeople, readPreview } from "./messages";

/** Reads and answers Loops' API. */
export const loopsCodec: Codec = {
  provider: "loops",
  hosts: ["app.loops.so"],
  classify,
  rewrite,
  redirect,
  simulate,
  outcome,
  // https://loops.so/docs/api-reference/send-transactional-email
  idempotencyHeader: "Idempotency-Key",
};

// With `fetch` a path begins at the host; below a client's base it begins at the version.
function endpointOf({ method, path }: WireRequest) {
  return endpoints.find(method, path.replace(/^\/api(?=\/)/i, ""));
}

function bodyOf({ body }: WireRequest): Plain {
  return body.kind === "json" ? body.value : undefined;
}

function classify(request: WireRequest): Intent {
  const { method, headers, body } = request;
  if (isOverridden(headers) || !isJson(headers)) return unknown(request);
  if ((method === "GET" || method === "HEAD") && body.kind === "none") return { kind: "read" };
  const found = endpointOf(request);
  if (!found) return unknown(request);
  const { value, pattern } = found;
  switch (value.kind) {
    case "management":
      return { kind: "management", what: pattern };
    case "send":
      return sendIntent(request, value);
    case "audience":
      return audienceIntent(request, value, pattern);
    case "system":
      return systemIntent(request, value, pattern);
  }
}

// A body under another type may be read as something else than was judged.
function isJson(headers: WireRequest["headers"]): boolean {
  return headers.every(([name, value]) => name !== "content-type" || /^application\/json\b/i.test(value));
}

function unknown({ method }: WireRequest): Intent {
  const shown = /^[A-Z]{1,10}$/.test(method) ? method : "request";
  return { kind: "unknown", what: `a ${shown} to a Loops path that is on no list, or in a form that is` };
}

function sendIntent(request: WireRequest, endpoint: Extract<Endpoint, { kind: "send" }>): Intent {
  // What a query could do to a mail is not documented.
  if (!asRecord(bodyOf(request)) || request.query.length > 0) return unknown(request);
  const problems: Refusal[] = [];
  return { kind: "send", messages: [readOne(request, endpoint.layout, problems)], problems };
}

function readOne(request: WireRequest, layout: "one" | "preview", problems: Refusal[]): Message {
  const body = bodyOf(request);
  if (layout === "one") return readMail(body, request.templates ?? {}, problems);
  return readPreview(body, request.path.replace(/^\/api(?=\/)/i, ""), problems);
}

function audienceIntent(request: WireRequest, audience: Endpoint & { kind: "audience" }, pattern: string): Intent {
  const body = bodyOf(request);
  // Nothing but an object that was read says that it is harmless.
  if (asRecord(body) && audience.harmless?.(body)) return { kind: "management", what: pattern };
  const problems: Refusal[] = [];
  const messages = written(audience.what, body, audience.people ?? [], problems);
  const audiences = audience.ids(body, request.path.replace(/^\/api(?=\/)/i, ""));
  return { kind: "audience", what: audience.what, audiences, messages, problems };
}

function systemIntent(request: WireRequest, system: Endpoint & { kind: "system" }, pattern: string): Intent {
  const body = bodyOf(request);
  const problems: Refusal[] = [];
  const messages = written(system.what, body, system.people, problems);
  // Nothing but an object that was read, and names nobody, says that it is harmless.
  const harmless = asRecord(body) !== undefined && messages.length === 0 && problems.length === 0;
  return harmless ? { kind: "management", what: pattern } : { kind: "system", what: system.what, messages, problems };
}

/** What Loops writes to people that a request names. */
function written(what: string, body: Plain, people: readonly string[], problems: Refusal[]): Message[] {
  const recipients = readPeople(body, people, problems);
  const content = (): Content => ({ unbound: `the text of ${what}, which stands at Loops` });
  return recipients.length === 0 ? [] : [createMessage({ recipients, content })];
}

function layoutOf(request: WireRequest): "one" | "preview" | undefined {
  const value = endpointOf(request)?.value;
  return value?.kind === "send" && asRecord(bodyOf(request)) ? value.layout : undefined;
}

function edited(request: WireRequest, edit: (mail: PlainRecord) => PlainRecord): WireRequest {
  return { ...request, body: { kind: "json", value: edit(asRecord(bodyOf(request)) ?? {}) } };
}

function rewrite(request: WireRequest): WireRequest {
  const anew = (value: Plain): Plain => (typeof value === "string" ? rewriteAddresses(value, "single") : value);
  if (layoutOf(request) === undefined) return request;
  return edited(request, (mail) =>
    Object.fromEntries(
      Object.entries(mail).map(([key, value]) => {
        if (key === "email") return [key, anew(value)];
        return [key, key === "emails" && Array.isArray(value) ? value.map(anew) : value];
      }),
    ),
  );
}

/** The API has neither a subject nor headers to mark a copy with; the inbox reads the mail as it is. */
function redirect(request: WireRequest, to: Address, _note: RedirectNote): WireRequest {
  const layout = layoutOf(request);
  // Copies that the template itself makes cannot be replaced.
  const copied = Object.values(request.templates ?? {}).some(({ cc, bcc }) => cc !== undefined || bcc !== undefined);
  if (layout === undefined || copied) throw notRedirectable();
  return edited(request, ({ addToAudience, ...mail }) =>
    layout === "preview"
      ? { ...mail, emails: [to.address] }
      : // The inbox is nobody's contact.
        { ...mail, email: to.address, ...(addToAudience === undefined ? {} : { addToAudience: false }) },
  );
}

function simulate(request: WireRequest): WireResponse {
  const id = request.path.split("/").at(-2) ?? "";
  return { status: 200, headers: {}, body: layoutOf(request) === "preview" ? { id } : { success: true } };
}

function outcome(request: WireRequest, response: WireResponse): Outcome {
  const { status, body } = response;
  const fate = fateOfStatus(status);
  if (fate !== "accepted") {
    // A conflict may say that a mail under this key has been taken before, ours: no definite no.
    return { fate: status === 409 ? "unknown" : fate, providerCode: `http_${status}` };
  }
  const layout = layoutOf(request);
  // What no mail was asked for may answer as it likes.
  if (layout === undefined) return { fate };
  const taken = layout === "one" ? field(body, "success") === true : asText(field(body, "id")) !== undefined;
  return { fate: taken ? fate : "unknown" };
}
