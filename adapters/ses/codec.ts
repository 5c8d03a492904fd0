/**
 * The SES APIs on the wire: what a request would do, and what its answer says.
 *
 * @module
 */
import {
  asList,
  asText,
  type Codec,
  createMessage,
  type Fate,
  fateOfStatus,
  field,
  type Intent,
  type Message,
  type Outcome,
  type Plain,
  type Refusal,
  readRecipients,
  rewriteAddresses,
  type WireRequest,
} from "../../src/adapter";
import { readMessages } from "./messages";
import { v1Operations, v2Operations } from "./operations";
import { redirectRequest } from "./redirect";
import { edit, readWire, type SesRequest, writeWire } from "./wire";

/** Reads and answers the SES APIs, v1 and v2. */
export const sesCodec: Codec = {
  provider: "ses",
  hosts: [
    "email.*.amazonaws.com",
    "email-fips.*.amazonaws.com",
    "email.*.api.aws",
    "email-fips.*.api.aws",
    "email.*.amazonaws.com.cn",
    "*.endpoints.email.amazonaws.com",
    "*.endpoints.email.global.api.aws",
  ],
  classify: (request) => classify(readWire(request), request.method),
  rewrite: (request) => rewriteWire(request),
  redirect: (request, to, note) => inPlaceOf(request, redirectRequest(readWire(request), to, note)),
  simulate: (request) => ({ status: 200, headers: {}, body: simulated(readWire(request)) }),
  outcome(request, response) {
    const fate = fateOfStatus(response.status);
    if (fate !== "accepted") return { fate, providerCode: `http_${response.status}` };
    const read = readWire(request);
    return outcomeOf(read, read.version === "v2" ? response.body : readXml(response.body));
  },
};

/** What an operation would do. */
export function classify(request: SesRequest, method = "POST"): Intent {
  const { operation, version, input } = request;
  const kind = (version === "v2" ? v2Operations : v1Operations).get(operation) ?? "unknown";
  const problems: Refusal[] = [];
  switch (kind) {
    case "send":
      return { kind: "send", messages: readMessages(request, problems), problems };
    case "read":
      return { kind: "read" };
    case "management":
      return { kind: "management", what: operation };
    case "audience":
      return { kind: "audience", what: "a deliverability test", audiences: ["seedlist"], messages: [], problems };
    case "identity": {
      const identity = field(input, "EmailIdentity");
      if (typeof identity === "string" && !identity.includes("@")) return { kind: "management", what: operation };
      return {
        kind: "system",
        what: "the verification of an address",
        messages: written([identity], problems),
        problems,
      };
    }
    case "system":
      return {
        kind: "system",
        what: `mail by SES itself (${operation})`,
        messages: written(peopleOf(operation, input), problems),
        problems,
      };
    default:
      if (version === "v2" && operation === "" && method === "GET") return { kind: "read" };
      return {
        kind: "unknown",
        what: operation === "" ? "a request to SES that is on no list" : `the operation ${shown(operation)}`,
      };
  }
}

function shown(operation: string): string {
  return /^[A-Za-z0-9]{1,60}$/.test(operation) ? operation : "of another name";
}

/** Whom SES would write to, where the request says so. A bounce goes to whoever sent a message. */
function peopleOf(operation: string, input: Plain): readonly Plain[] {
  if (operation === "PutAccountDetails") return asList(field(input, "AdditionalContactEmailAddresses"));
  return operation === "SendBounce" ? [] : [field(input, "EmailAddress")];
}

function written(addresses: readonly Plain[], problems: Refusal[]): Message[] {
  const recipients = addresses.flatMap((address) => readRecipients(address, "to", "EmailAddress", "single", problems));
  const content = () => ({ unbound: "text that SES writes" });
  return recipients.length === 0 ? [] : [createMessage({ recipients, content })];
}

const addressLists = [
  ["Destination", "ToAddresses"],
  ["Destination", "CcAddresses"],
  ["Destination", "BccAddresses"],
  ["BulkEmailEntries", "Destination", "ToAddresses"],
  ["BulkEmailEntries", "Destination", "CcAddresses"],
  ["BulkEmailEntries", "Destination", "BccAddresses"],
  ["Destinations", "Destination", "ToAddresses"],
  ["Destinations", "Destination", "CcAddresses"],
  ["Destinations", "Destination", "BccAddresses"],
];

/** The same operation with every readable recipient written anew from its parse. */
export function rewrite(request: SesRequest): SesRequest {
  const anew = (was: Plain): Plain =>
    Array.isArray(was) ? was.map((one) => (typeof one === "string" ? rewriteAddresses(one, "single") : one)) : was;
  const raw = request.operation === "SendRawEmail" ? edit(request.input, ["Destinations"], anew) : request.input;
  return { ...request, input: addressLists.reduce((input, path) => edit(input, path, anew), raw) };
}

// Requests that mail nobody they name keep their bytes.
function rewriteWire(request: WireRequest): WireRequest {
  const read = readWire(request);
  const kind = (read.version === "v2" ? v2Operations : v1Operations).get(read.operation);
  return kind === "send" ? inPlaceOf(request, rewrite(read)) : request;
}

// A proxy's own path, and what it is told in headers, are no part of the operation.
function inPlaceOf({ path, headers }: WireRequest, request: SesRequest): WireRequest {
  return { ...writeWire(request), path, headers };
}

const id = "mailfuse-simulated";

/** What SES answers when it accepts. */
export function simulated({ operation, input, version }: SesRequest): { [key: string]: Plain } {
  const count = (list: string) => {
    const entries = field(input, list);
    return Array.isArray(entries) ? entries : [];
  };
  if (operation === "SendBulkEmail") {
    return { BulkEmailEntryResults: count("BulkEmailEntries").map(() => ({ Status: "SUCCESS", MessageId: id })) };
  }
  if (operation === "SendBulkTemplatedEmail") {
    return { Status: count("Destinations").map(() => ({ Status: "Success", MessageId: id })) };
  }
  if (operation === "CreateDeliverabilityTestReport") return { ReportId: id, DeliverabilityTestStatus: "COMPLETED" };
  if (operation === "CreateEmailIdentity") return { IdentityType: "EMAIL_ADDRESS", VerifiedForSendingStatus: false };
  return /^Send/.test(operation) || version === "v1" ? { MessageId: id } : {};
}

/** Reads an accepted answer. One without the ids that SES gives is unreadable, so unknown. */
export function outcomeOf(request: SesRequest, output: Plain): Outcome {
  const bulk = field(output, "BulkEmailEntryResults") ?? field(output, "Status");
  if (/Bulk/.test(request.operation)) return bulkOutcome(request, Array.isArray(bulk) ? bulk : []);
  const messageId = asText(field(output, "MessageId"));
  return messageId === undefined ? { fate: "unknown" } : { fate: "accepted", messageId };
}

/** Every entry has a status of its own; a person in several is reached if one of them was accepted. */
function bulkOutcome(request: SesRequest, results: readonly Plain[]): Outcome {
  const messages = readMessages(request, []);
  if (results.length !== messages.length) return { fate: "unknown" };
  const people = new Map<string, { fate: Fate; messageId?: string }>();
  const fates = results.map((result): Fate => {
    const status = asText(field(result, "Status"));
    return status === undefined ? "unknown" : status.toUpperCase() === "SUCCESS" ? "accepted" : "refused";
  });
  for (const [at, message] of messages.entries()) {
    const fate = fates[at] as Fate;
    const messageId = asText(field(results[at], "MessageId"));
    for (const { person } of message.recipients) {
      const before = people.get(person)?.fate;
      if (before === "accepted" || (before === "unknown" && fate === "refused")) continue;
      people.set(person, { fate, ...(messageId === undefined ? {} : { messageId }) });
    }
  }
  const fate = fates.includes("accepted") ? "accepted" : fates.includes("unknown") ? "unknown" : "refused";
  return { fate, people };
}

/** The ids in an XML answer of v1, as far as outcomes need them. */
function readXml(body: Plain): Plain {
  if (typeof body !== "string") return body;
  const statuses = [...body.matchAll(/<member>([\s\S]{0,2000}?)<\/member>/g)].map(([, member = ""]) => ({
    Status: tag(member, "Status"),
    MessageId: tag(member, "MessageId"),
  }));
  return statuses.length > 0 ? { Status: statuses } : { MessageId: tag(body, "MessageId") };
}

function tag(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]{1,200})</${name}>`).exec(xml)?.[1];
}
