/**
 * Headers of a mail that is handed to an API as names and values. Recipients stand in fields of
 * their own there, so a header that could name some is refused, whether or not the provider heeds it.
 *
 * @module
 */
import type { Refusal } from "../errors";
import type { Field } from "../message";
import { headerName } from "../mime";

const addressed = /^(?:resent-)?(to|cc|bcc)$/;

// Other names of recipients, and what providers' relays are known to act on: SendGrid's X-SMTPAPI,
// Mandrill's X-MC-BccAddress, SparkPost's X-MSYS-API, Exchange's X-Receiver.
const recipientBearing =
  /^(?:x-(?:to|cc|bcc)|apparently-to|(?:x-)?envelope-to|x-rcpt-to|x-receiver|x-recipients?|x-smtpapi|x-mc-bccaddress|x-msys-api)$/;

/** Unsubscribe links of a mail would unsubscribe whoever reads a redirected copy. */
const unsubscribing = /^list-unsubscribe(?:-post)?$/;

// RFC 5322, 3.6.8: printable ASCII without the colon.
const validName = /^[!-9;-~]+$/;

/**
 * What a header of a rendered message says of recipients: the field its addresses count as (RFC 5322,
 * 3.6.3 and 3.6.6), `"control"` for one that some relay would act on, `undefined` for the rest.
 *
 * @param name As {@link headerName} gives it.
 */
export function recipientHeader(name: string): Field | "control" | undefined {
  const field = addressed.exec(name)?.[1] as Field | undefined;
  return field ?? (recipientBearing.test(name) ? "control" : undefined);
}

/** Why a header may not be set towards an API; `undefined` when it may. */
export function headerProblem(name: string, value: unknown, where: string): Refusal | undefined {
  if (recipientHeader(headerName(name)) !== undefined) {
    return {
      code: "HEADER_REFUSED",
      message: "Expected recipients in the fields meant for them, got a header that can name recipients.",
      fix: "Put them in to, cc or bcc.",
      where,
    };
  }
  if (!validName.test(name)) {
    return {
      code: "HEADER_REFUSED",
      message: "Expected a header name of printable ASCII without white space or colon, got another one.",
      fix: "Correct the header's name.",
      where,
    };
  }
  if (typeof value === "string" && /[\r\n\0]/.test(value)) {
    return {
      code: "HEADER_REFUSED",
      message: "Expected a header value of one line, got one with a line break or a NUL, which could add headers.",
      fix: "Remove it from the value.",
      where,
    };
  }
  return undefined;
}

/** Whether a header's links unsubscribe. */
export function isUnsubscribe(name: string): boolean {
  return unsubscribing.test(headerName(name));
}

/**
 * Whether headers (names in lower case) have a request taken for something else than its method and body say: some
 * servers take the method that a header names, and an encoded body reads differently once it is decoded.
 */
export function isOverridden(headers: readonly (readonly [string, string])[]): boolean {
  return headers.some(([name]) => /^x-(?:http-)?method(?:-override)?$|^content-encoding$/.test(name));
}
