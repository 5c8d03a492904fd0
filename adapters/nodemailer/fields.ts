/**
 * What of `mail.data` a transport may read, copied. nodemailer's own transports read a handful of
 * fields beside envelope and bytes; JSON and third parties' API transports read all of it.
 *
 * @module
 */
import type { Gate, Plain, Refusal, SnapshotLimits } from "../../src/adapter";
import { formatAddress, parseAddresses, snapshot } from "../../src/catching";
import { isAbortSignal } from "./bounds";
import { takeDsn } from "./envelope";
import { readsData, type TransportKind } from "./shapes";

/** Fields that make a message: nodemailer's documentation, "Message configuration". */
const contentFields: ReadonlySet<string> = new Set([
  ...["from", "sender", "to", "cc", "bcc", "replyTo", "inReplyTo", "references", "subject", "messageId", "date"],
  ...["text", "html", "watchHtml", "amp", "icalEvent", "alternatives", "attachments", "raw", "headers", "list"],
  ...["envelope", "encoding", "textEncoding", "priority", "xMailer", "newline"],
  // Not content, but what a transport may still read of it: a closed door stays closed.
  ...["disableFileAccess", "disableUrlAccess"],
]);

/** Fields for nodemailer itself, consumed when the message was compiled and rendered. */
const consumedFields: ReadonlySet<string> = new Set([
  ...["signal", "auth", "dsn", "requireTLSExtensionEnabled", "dkim", "_dkim", "ses", "maxRecipients", "otp"],
  ...[
    "normalizeHeaderKey",
    "disableFileAccess",
    "disableUrlAccess",
    "attachDataUrls",
    "baseBoundary",
    "boundaryPrefix",
  ],
]);

/** Fields of third parties' transports that steer no recipient, by the transport's name. */
const transportFields: Readonly<Record<string, readonly (string | RegExp)[]>> = {
  MailtrapTransport: ["category", "customVariables", "templateUuid", "templateVariables", "sandbox"],
  Mailgun: ["template", "X-Mailgun-Variables", /^[hv]:/, /^o:(?!archive-to$)/],
};

/** Parameters of SES's SendEmail (v2) and SendRawEmail (v1) that change neither recipients nor content. */
const sesFields: ReadonlySet<string> = new Set([
  ...["ConfigurationSetName", "EmailTags", "Tags", "EndpointId", "TenantName", "ListManagementOptions"],
  ...[
    "FromEmailAddressIdentityArn",
    "FeedbackForwardingEmailAddressIdentityArn",
    "FromArn",
    "SourceArn",
    "ReturnPathArn",
  ],
]);

/** What the adapter's options add. */
export interface FieldPolicy {
  readonly transportName: unknown;
  readonly allowed: ReadonlySet<string>;
  readonly limits: Gate["limits"];
}

/** Fields a transport may read, as a copy. Places that cannot be copied throw `COPY_*`. */
export function takeFields(
  data: Record<string, unknown>,
  kind: TransportKind,
  policy: FieldPolicy,
  problems: Refusal[],
): Record<string, unknown> {
  const copy = readsData(kind) ? takeMessage(data, kind, policy, problems) : {};
  const { signal, auth, dsn, requireTLSExtensionEnabled } = data;
  if (isAbortSignal(signal)) copy.signal = signal;
  if (typeof auth === "object" && auth !== null) copy.auth = { ...auth };
  if (requireTLSExtensionEnabled) copy.requireTLSExtensionEnabled = true;
  if (dsn) {
    copy.dsn = takeDsn(dsn, policy.limits);
    if (!copy.dsn) problems.push(unknownField("dsn", "delivery status options of plain text"));
  }
  if (kind === "ses" && data.ses) copy.ses = takeSes(data.ses, policy.limits, problems);
  return copy;
}

/** Writes a recipient field anew from its parse, in the form it was given in. */
function rewriteRecipients(value: Plain): Plain {
  if (Array.isArray(value)) return value.map(rewriteRecipients);
  const read = parseAddresses(value, "", "list");
  // Observe mode delivers what live would refuse, as it came.
  if (read.problems.length > 0) return value;
  if (typeof value === "string") return read.addresses.map(formatAddress).join(", ");
  const [first] = read.addresses;
  return first ? { name: first.name ?? "", address: first.address } : value;
}

function takeMessage(
  data: Record<string, unknown>,
  kind: TransportKind,
  policy: FieldPolicy,
  problems: Refusal[],
): Record<string, unknown> {
  const copy = snapshot(data, { ...policy.limits, only: contentFields }) as Record<string, Plain>;
  for (const field of ["to", "cc", "bcc"]) if (field in copy) copy[field] = rewriteRecipients(copy[field]);
  const rest: Record<string, unknown> = copy;
  const own = transportFields[String(policy.transportName)] ?? [];
  for (const key of Object.keys(data)) {
    if (contentFields.has(key)) continue;
    // The JSON transport sends nothing: it shows what it was given, methods and all.
    if (kind === "json") rest[key] = data[key];
    else if (!consumedFields.has(key)) {
      const known =
        policy.allowed.has(key) || own.some((name) => (typeof name === "string" ? name === key : name.test(key)));
      if (!known) problems.push(foreignField(key));
      rest[key] = snapshot(data[key], policy.limits);
    }
  }
  return rest;
}

function takeSes(ses: unknown, limits: Partial<SnapshotLimits>, problems: Refusal[]): Plain {
  const copy = snapshot(ses, limits);
  if (typeof copy !== "object" || copy === null) return {};
  for (const key of Object.keys(copy)) {
    if (!sesFields.has(key))
      problems.push(unknownField(`ses.${safeName(key)}`, "one that changes neither recipients nor content"));
  }
  return copy;
}

function foreignField(key: string): Refusal {
  return {
    code: "FIELD_UNKNOWN",
    message:
      "Expected fields that nodemailer documents, got one whose meaning to this transport is not known: it could name recipients.",
    fix: 'If it cannot, list it: nodemailerAdapter({ fields: ["<name>"] }).',
    where: safeName(key),
  };
}

function unknownField(where: string, expected: string): Refusal {
  return {
    code: "FIELD_UNKNOWN",
    message: `Expected \`${where}\` to be ${expected}, got something else.`,
    fix: "Leave it out; recipients belong in `to`, `cc` and `bcc`.",
    where,
  };
}

/** A property's name as it may stand in a refusal: never text that could be an address. */
function safeName(key: string): string {
  return /^[\w:.-]{1,60}$/.test(key) ? key : "(a name that is no identifier)";
}
