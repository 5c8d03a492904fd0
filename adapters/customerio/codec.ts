/**
 * Customer.io's APIs on the wire: what a request would do, and what its answer says.
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
import { readMail, readPeople } from "./messages";

/** Reads and answers Customer.io's APIs. */
export const customerioCodec: Codec = {
  provider: "customerio",
  hosts: [
    "api.customer.io",
    "api-eu.customer.io",
    "track.customer.io",
    "track-eu.customer.io",
    "cdp.customer.io",
    "cdp-eu.customer.io",
  ],
  classify,
  rewrite,
  redirect,
  simulate,
  outcome,
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
    case "read":
      return { kind: "read" };
    case "send": {
      // What a query could do to a mail is not documented.
      if (!asRecord(bodyOf(request)) || request.query.length > 0) return unknown(request);
      const problems: Refusal[] = [];
      return { kind: "send", messages: [readMail(bodyOf(request), request.templates ?? {}, problems)], problems };
    }
    case "system":
      return systemIntent(request, value, pattern);
    case "audience":
      return audienceIntent(request, value, pattern);
  }
}

/** Whether a request reports an event of every day: it may start a campaign, and is no mailing by itself. */
export function isEvent({ method, path }: WireRequest): boolean {
  const value = endpoints.find(method, path)?.value;
  return value?.kind === "audience" && value.event === true;
}

function unknown({ method }: WireRequest): Intent {
  const shown = /^[A-Z]{1,10}$/.test(method) ? method : "request";
  return { kind: "unknown", what: `a ${shown} to a Customer.io path that is on no list, or in a form that is` };
}

function audienceIntent(request: WireRequest, audience: Endpoint & { kind: "audience" }, pattern: string): Intent {
  const body = bodyOf(request);
  const told = asRecord(body) ? audience.read(body, request.path) : undefined;
  if (told?.harmless) return { kind: "management", what: pattern };
  // A newsletter leaves without a body too.
  const { audiences, people } = told ?? audience.read({}, request.path) ?? { audiences: [], people: [] };
  const problems: Refusal[] = [];
  return {
    kind: "audience",
    what: audience.what,
    audiences,
    messages: written(audience.what, people, problems),
    problems,
  };
}

function systemIntent(request: WireRequest, system: Endpoint & { kind: "system" }, pattern: string): Intent {
  const body = bodyOf(request);
  const problems: Refusal[] = [];
  const named = (system.people ?? []).flatMap((name) => asList(field(body, name))).filter((one) => one !== "");
  if (system.optional && asRecord(body) && named.length === 0) return { kind: "management", what: pattern };
  return { kind: "system", what: system.what, messages: written(system.what, named, problems), problems };
}

/** What Customer.io writes to people that a request names. */
function written(what: string, people: readonly Plain[], problems: Refusal[]): Message[] {
  const recipients = readPeople(people, problems);
  const content = (): Content => ({ unbound: `the text of ${what}, which stands at Customer.io` });
  return recipients.length === 0 ? [] : [createMessage({ recipients, content })];
}

/** Whether a request is a mail that can be read. */
export function isMail(request: WireRequest): boolean {
  const value = endpoints.find(request.method, request.path)?.value;
  return value?.kind === "send" && asRecord(bodyOf(request)) !== undefined;
}

function edited(request: WireRequest, edit: (mail: PlainRecord) => PlainRecord): WireRequest {
  return { ...request, body: { kind: "json", value: edit(asRecord(bodyOf(request)) ?? {}) } };
}

function rewrite(request: WireRequest): WireRequest {
  if (!isMail(request)) return request;
  return edited(request, (mail) =>
    Object.fromEntries(
      Object.entries(mail).map(([key, value]) =>
        /^(?:to|cc|bcc)$/.test(key) && typeof value === "string"
          ? [key, rewriteAddresses(value, "list")]
          : [key, value],
      ),
    ),
  );
}

function redirect(request: WireRequest, to: Address, note: RedirectNote): WireRequest {
  // Copies that the template itself makes cannot be replaced.
  const copied = Object.values(request.templates ?? {}).some(({ cc, bcc }) => cc !== undefined || bcc !== undefined);
  if (!isMail(request) || copied) throw notRedirectable();
  return edited(request, ({ cc: _cc, bcc: _bcc, fake_bcc: _fake, ...mail }) => {
    const headers = Object.entries(asRecord(mail.headers) ?? {}).filter(([name]) => !isUnsubscribe(name));
    return {
      ...mail,
      to: formatAddress(to),
      ...(typeof mail.subject === "string" ? { subject: `${note.subjectPrefix} ${mail.subject}` } : {}),
      headers: { ...Object.fromEntries(headers), [originalsHeader]: originalsOf(note) },
    };
  });
}

function simulate(request: WireRequest): WireResponse {
  const body = isMail(request) ? { delivery_id: "mailfuse-simulated", queued_at: 0 } : {};
  return { status: 200, headers: {}, body };
}

function outcome(request: WireRequest, response: WireResponse): Outcome {
  const fate = fateOfStatus(response.status);
  if (fate !== "accepted") return { fate, providerCode: `http_${response.status}` };
  // What no mail was asked for may answer as it likes.
  if (!isMail(request)) return { fate };
  const id = asText(field(response.body, "delivery_id"));
  return id === undefined ? { fate: "unknown" } : { fate, messageId: id };
}
