/**
 * What a transport would answer to an accepted mail, for mail that is rehearsed, dropped or captured.
 *
 * @module
 */
import type { MailCopy } from "./copy";
import { type Prototypes, pin, shownEnvelope } from "./pin";
import type { MailTransport } from "./shapes";

/** An answer of the transport's own shape, marked by `mailfuse: reason`. */
export function simulateAnswer(
  copy: MailCopy,
  transport: MailTransport,
  prototypes: Prototypes,
  reason: string,
): Record<string, unknown> {
  const { envelope, messageId, kind, bytes } = copy;
  const base = { envelope: shownEnvelope(envelope), messageId, mailfuse: reason };
  switch (kind) {
    case "smtp":
    case "pool":
      return {
        accepted: [...envelope.to],
        rejected: [],
        ehlo: [],
        envelopeTime: 0,
        messageTime: 0,
        messageSize: bytes.length,
        response: `250 2.0.0 OK: mailfuse ${reason}, nothing was sent`,
        ...base,
      };
    case "ses": {
      const id = messageId.replace(/^<|>$/g, "");
      return { ...base, response: id, raw: bytes };
    }
    case "sendmail":
      return { ...base, response: "Messages queued for delivery" };
    case "stream":
      return {
        ...base,
        message: transport.options?.buffer ? bytes : pin(copy, prototypes).mail.message.createReadStream(),
      };
    case "json": {
      const { signal: _signal, envelope: _envelope, ...data } = copy.data;
      const message = { ...data, messageId };
      return { ...base, message: transport.options?.skipEncoding ? message : JSON.stringify(message) };
    }
    default:
      // What the third parties' transports in use answer, together.
      return {
        ...base,
        accepted: [...envelope.to],
        rejected: [],
        response: `250 OK: mailfuse ${reason}, nothing was sent`,
        id: messageId,
        message: "Queued. Thank you.",
        success: true,
        message_ids: [messageId],
      };
  }
}
