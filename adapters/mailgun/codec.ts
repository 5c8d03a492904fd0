/**
 * Mailgun's API on the wire: what a request would do, and what its answer says.
 *
 * @module
 */
import {
  type Address,
  asRecord,
  asText,
  type Codec,
  createMessage,
  fateOfStatus,
  field,
  type Intent,
  isUnsubscribe,
  notRedirectable,
  type Outcome,
  originalsHeader,
  originalsOf,
  type Plain,
  type RedirectNote,
  type Refusal,
  readJson,
  readRecipients,
  redirectMime,
  rewriteAddresses,
  type WireRequest,
  type WireResponse,
} from "../../src/adapter";
import { endpoints } from "./endpoints";
import { bytesOf, type Fields, readMessages } from "./messages";

/** What {@link mailgunCodec} lets through beyond plain mail. */
export interface MailgunPolicy {
  readonly storedMessages: "refuse" | "judge";
  readonly listWrites: "refuse" | "pass";
}

/** Whether a path is one that mails what the request carries, and in which form. */
export function sendForm(path: string): "fields" | "mime" | undefined {
  const match = /^\/v\d+\/[^/]+\/messages(\.mime)?$/i.exec(path);
  return match ? (match[1] ? "mime" : "fields") : undefined;
}

/** Makes the codec. */
export function mailgunCodecFor(policy: MailgunPolicy): Codec {
  return {
    provider: "mailgun",
    hosts: ["api.mailgun.net", "api.eu.mailgun.net", "*.api.mailgun.net"],
    classify: (request) => classify(request, policy),
    rewrite,
    redirect,
    simulate: () => ({
      status: 200,
      headers: {},
      body: { id: "<simulated@mailfuse.invalid>", message: "Queued. Thank you." },
    }),
    outcome,
  };
}

function classify(request: WireRequest, policy: MailgunPolicy): Intent {
  const { method, path } = request;
  const form = sendForm(path);
  if (form && method === "POST") return classifySend(request, form === "mime");
  const found = form ? undefined : endpoints.find(method, path);
  switch (method === "GET" || method === "HEAD" ? undefined : found?.value) {
    case "management":
      return { kind: "management", what: found?.pattern ?? "" };
    case "read":
      return { kind: "read" };
    case "lists":
      return policy.listWrites === "pass"
        ? { kind: "management", what: found?.pattern ?? "" }
        : {
            kind: "unknown",
            what: 'a write to a mailing list, which changes whom its address reaches (option `listWrites: "pass"`)',
          };
    case "resend-stored":
      return policy.storedMessages === "judge"
        ? classifyStored(request)
        : {
            kind: "unknown",
            what: 'a stored message to other people, whose text is not known here (option `storedMessages: "judge"`)',
          };
    case "authorise-recipient":
      return system(
        "the confirmation of a sandbox recipient",
        request.query.filter(([name]) => name === "email").map(([, to]) => to),
      );
    case "resend-activation":
      return system("the activation of an account", []);
    case "inbox-test":
      return { kind: "audience", what: "an inbox placement test", audiences: ["seedlist"], messages: [], problems: [] };
    default:
  }
  // Some servers read a GET as whatever a header says it is.
  const overridden = request.headers.some(([name]) => /^x-http-method|^x-method-override/.test(name));
  if ((method === "GET" || method === "HEAD") && !form && !overridden && /^\/v\d+\//i.test(path))
    return { kind: "read" };
  return {
    kind: "unknown",
    what: `a ${/^[A-Z]{1,10}$/.test(method) ? method : "request"} to a Mailgun path that is on no list`,
  };
}

function classifySend(request: WireRequest, mime: boolean): Intent {
  const problems: Refusal[] = [];
  if (request.query.length > 0) {
    problems.push({
      code: "FIELD_UNKNOWN",
      message: "Expected a mail without a query in its URL, got one, in which Mailgun may read recipients.",
      fix: "Correct the domain that is passed to messages.create.",
      where: "url",
    });
  }
  if (request.body.kind !== "form") {
    problems.push({
      code: "REQUEST_UNKNOWN",
      message: "Expected a mail made by messages.create, got a request that was put together by hand.",
      fix: "Send it with client.messages.create.",
    });
    return { kind: "send", messages: [], problems };
  }
  const messages = readMessages(request.body.fields, mime, request.templates ?? {}, problems);
  return { kind: "send", messages, problems };
}

function classifyStored(request: WireRequest): Intent {
  const problems: Refusal[] = [];
  const fields = request.body.kind === "form" ? request.body.fields : [];
  const recipients = fields
    .filter(([name]) => name === "to")
    .flatMap(([, to]) => readRecipients(to, "to", "to", "list", problems));
  const content = () => ({ unbound: "the text of a message that Mailgun has stored" });
  return { kind: "send", messages: [createMessage({ recipients, content })], problems };
}

function system(what: string, addresses: readonly string[]): Intent {
  const problems: Refusal[] = [];
  const recipients = addresses.flatMap((address) => readRecipients(address, "to", "email", "single", problems));
  const content = () => ({ unbound: `the text of ${what}, which Mailgun writes` });
  return {
    kind: "system",
    what,
    messages: recipients.length > 0 ? [createMessage({ recipients, content })] : [],
    problems,
  };
}

const recipientFields = /^(?:to|cc|bcc)$/;

function rewrite(request: WireRequest): WireRequest {
  if (request.body.kind !== "form" || !sendForm(request.path)) return request;
  const fields = request.body.fields.map(([name, value]): readonly [string, Plain] =>
    recipientFields.test(name) && typeof value === "string" ? [name, rewriteAddresses(value, "list")] : [name, value],
  );
  return { ...request, body: { kind: "form", fields } };
}

function redirect(request: WireRequest, to: Address, note: RedirectNote): WireRequest {
  const form = sendForm(request.path);
  if (!form || request.body.kind !== "form") {
    throw notRedirectable();
  }
  const { fields } = request.body;
  const kept: (readonly [string, Plain])[] = [["to", to.address]];
  for (const [name, value] of fields) {
    if (recipientFields.test(name) || (name.startsWith("h:") && isUnsubscribe(name.slice(2)))) continue;
    if (name === "subject" && typeof value === "string") kept.push([name, `${note.subjectPrefix} ${value}`]);
    else if (name === "recipient-variables")
      kept.push([name, JSON.stringify({ [to.address]: firstVariables(fields, value) })]);
    else if (name === "message") kept.push([name, redirectMime(bytesOf(value), to, note)]);
    else kept.push([name, value]);
  }
  if (form === "fields") kept.push([`h:${originalsHeader}`, originalsOf(note)]);
  return { ...request, body: { kind: "form", fields: kept } };
}

/** The inbox gets one mail of a batch: the first person's. */
function firstVariables(fields: Fields, value: Plain): Plain {
  const all = asRecord(typeof value === "string" ? readJson(value) : value) ?? {};
  const problems: Refusal[] = [];
  const first = fields
    .filter(([name]) => name === "to")
    .flatMap(([, to]) => readRecipients(to, "to", "to", "list", problems))[0]?.person;
  return Object.entries(all).find(([address]) => address.toLowerCase() === first)?.[1] ?? {};
}

function outcome(_request: WireRequest, response: WireResponse): Outcome {
  const fate = fateOfStatus(response.status);
  if (fate !== "accepted") return { fate, providerCode: `http_${response.status}` };
  const messageId = asText(field(response.body, "id"));
  // Mailgun names every message it takes; an answer without a name is somebody else's.
  return messageId === undefined ? { fate: "unknown" } : { fate, messageId };
}
