/**
 * What the adapter uses of nodemailer's objects, typed structurally: nodemailer 6 to 10 have it.
 * Nothing here is trusted; whatever the application can reach may answer otherwise.
 *
 * @module
 */
import type { Readable, Writable } from "node:stream";

/** What a message compiles to: the root of a MIME tree. */
export interface MimeNode {
  getEnvelope(): unknown;
  messageId(): unknown;
  createReadStream(): Readable;
  stream?(output: Writable, options: object, done: (error?: unknown) => void): unknown;
  getHeader?(key: string): unknown;
  setHeader?(key: string, value: unknown): unknown;
  setRaw?(raw: unknown): unknown;
  getTransferEncoding?(): unknown;
  createChild?(type: string, options: object): MimeNode;
  setContent?(content: unknown): unknown;
  buildHeaders?(): unknown;
  _getStream?(content: unknown): unknown;
  _takeStreamContent?(content: unknown): unknown;
  contentType?: unknown;
  multipart?: unknown;
  boundary?: unknown;
  keepBcc?: boolean;
  newline?: unknown;
  content?: unknown;
  _raw?: unknown;
  childNodes?: readonly MimeNode[];
  _transforms?: unknown[];
  _processFuncs?: unknown[];
  _parseAddresses?(addresses: unknown): unknown;
  _headers?: { key: unknown; value: unknown }[];
}

/** One mail on its way to a transport. */
export interface MailMessage {
  data: Record<string, unknown>;
  message: MimeNode;
  mailer?: unknown;
  resolveContent?(data: object, key: string | number, callback: (error: unknown, value?: unknown) => void): unknown;
}

/** How a transport answers. */
export type SendCallback = (error: unknown, info?: unknown) => void;

/** What really sends: nodemailer's own transports, and third parties'. */
export interface MailTransport {
  name?: unknown;
  send(mail: MailMessage, callback: SendCallback): unknown;
  verify?(callback?: SendCallback): unknown;
  options?: Record<string, unknown>;
  logger?: { error?(...args: unknown[]): unknown };
}

/** nodemailer's transporter (`Mail`). */
export interface Mailer {
  transporter: MailTransport;
  sendMail(data: object, callback: SendCallback): unknown;
}

/**
 * The kinds of transport, by what they read of a mail. `smtp`, `pool`, `ses`, `sendmail` and
 * `stream` read the envelope and the rendered bytes. `json` and `other` (third parties' API
 * transports) read `mail.data`.
 */
export type TransportKind = "smtp" | "pool" | "ses" | "sendmail" | "stream" | "json" | "other";

/**
 * Tells a transport's kind. By name and by the parts that make the kind: a third party's transport
 * that merely has the name is judged by everything it could read.
 */
export function kindOf(transport: MailTransport): TransportKind {
  const has = (key: string, type: string): boolean => typeof (transport as never)[key] === type;
  switch (transport.name) {
    case "SMTP":
      return has("getSocket", "function") && has("getAuth", "function") ? "smtp" : "other";
    case "SMTP (pool)":
      return has("_createConnection", "function") && Array.isArray((transport as { _queue?: unknown })._queue)
        ? "pool"
        : "other";
    case "SESTransport":
      return has("ses", "object") ? "ses" : "other";
    case "Sendmail":
      return has("_spawn", "function") ? "sendmail" : "other";
    case "StreamTransport":
      return has("winbreak", "boolean") ? "stream" : "other";
    case "JSONTransport":
      return "json";
    default:
      return "other";
  }
}

/** Whether transports of this kind read `mail.data`, and not only envelope and bytes. */
export function readsData(kind: TransportKind): boolean {
  return kind === "json" || kind === "other";
}
