/**
 * The mail in one request to Azure Communication Services Email
 * (https://learn.microsoft.com/rest/api/communication/email/email/send).
 *
 * @module
 */
import {
  type AttachedFile,
  asList,
  asRecord,
  asText,
  type Content,
  createMessage,
  digestInput,
  field,
  headerProblem,
  type Message,
  type Plain,
  place,
  type Recipient,
  type Refusal,
  readRecipients,
  readSender,
  type Shape,
  unknownFields,
} from "../../src/adapter";

const person: Shape = { address: true, displayName: true };

const shape: Shape = {
  senderAddress: true,
  content: { subject: true, plainText: true, html: true },
  recipients: { to: [person], cc: [person], bcc: [person] },
  replyTo: [person],
  headers: true,
  attachments: [{ name: true, contentType: true, contentInBase64: true, contentId: true }],
  userEngagementTrackingDisabled: true,
};

const carriers = ["to", "cc", "bcc"] as const;

/** Decodes a body. Reasons why it may not leave go into `problems`. */
export function readMail(body: Plain, problems: Refusal[]): Message {
  problems.push(...unknownFields(body, shape, ""));
  const recipients = carriers.flatMap((as) => readPeople(field(field(body, "recipients"), as), as, problems));
  const files = asList(field(body, "attachments")).map(readFile);
  const digest = files.length > 0 ? digestInput(files) : undefined;
  const content = () => contentOf(field(body, "content"));
  return createMessage({
    recipients,
    from: readSender(field(body, "senderAddress")),
    headers: readHeaders(field(body, "headers"), problems),
    content,
    ...(digest ? { attached: () => true, bytes: () => digest(content()) } : {}),
  });
}

function readPeople(value: Plain, as: Recipient["field"], problems: Refusal[]): Recipient[] {
  return asList(value).flatMap((one, at) => {
    const name = field(one, "displayName");
    const read = { address: field(one, "address"), ...(typeof name === "string" && name !== "" ? { name } : {}) };
    return readRecipients(read, as, `recipients.${as}[${at}]`, "single", problems);
  });
}

function readHeaders(value: Plain, problems: Refusal[]): [string, string][] {
  const headers = asRecord(value);
  if (!headers && value !== undefined && value !== null)
    problems.push({ code: "FIELD_UNKNOWN", message: "Expected headers by name, got another value.", where: "headers" });
  return Object.entries(headers ?? {}).map(([name, content]) => {
    const text = typeof content === "object" ? JSON.stringify(content) : content;
    const problem = headerProblem(name, text, place("headers", name));
    if (problem) problems.push(problem);
    return [name.toLowerCase(), String(text ?? "")];
  });
}

function readFile(file: Plain): AttachedFile {
  return {
    type: (asText(field(file, "contentType")) ?? "application/octet-stream").toLowerCase(),
    name: asText(field(file, "name")),
    bytes: () => Buffer.from(asText(field(file, "contentInBase64")) ?? "", "base64"),
  };
}

function contentOf(value: Plain): Content {
  const [subject, text, html] = ["subject", "plainText", "html"].map((key) => asText(field(value, key)));
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
  };
}
