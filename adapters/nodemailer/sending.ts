/**
 * All that a mail needs once it was caught, in one place: it is loaded when a transporter is attached, and what only
 * makes a transporter starts without it.
 *
 * @module
 */
import { type Call, MailfuseError } from "../../src/adapter";
import { MailCall, OpaqueCall, type Wire } from "./call";
import { hasStreams } from "./contents";
import { finishCopy } from "./copy";
import type { Given } from "./given";
import { prototypesOf } from "./pin";
import { probePrototypes } from "./probe";
import type { Mailer, MailMessage, TransportKind } from "./shapes";
import { Shortcut } from "./shortcut";
import { unspool } from "./spool";

/** What was copied at the choke point, or why it could not be. */
export type Taken = Given | { readonly failed: unknown };

/** Makes calls of the mails of one transporter. */
export interface Sending {
  /** Finishes the copy of a caught mail. Rejects with nodemailer's own errors for what it could not render itself. */
  callOf(mail: MailMessage, taken: Taken, onDelivery: () => void): Promise<Call>;
  revive(spooled: Uint8Array): Call;
}

export function sendingOf(mailer: Mailer, wire: Wire, kind: TransportKind): Sending {
  const policy = { transport: wire.transport, limits: wire.limits, shortcut: new Shortcut() };
  return {
    async callOf(mail, taken, onDelivery) {
      let call: MailCall | OpaqueCall;
      try {
        if ("failed" in taken) throw taken.failed;
        call = new MailCall(await finishCopy(mail, taken, policy), wire, prototypesOf(mail));
      } catch (error) {
        // What nodemailer could not render itself fails as it always did; nothing has left.
        if (!MailfuseError.isInstance(error)) throw asSendError(error, kind);
        // Over polluted prototypes nobody can say whom it would reach, and a stream is read only once.
        const sendable = error.code !== "PROTOTYPE_POLLUTED" && !hasStreams(mail.message);
        call = new OpaqueCall(mail, wire, error, sendable);
      }
      call.onDelivery = onDelivery;
      return call;
    },
    revive: (spooled) => new MailCall(unspool(spooled, kind), wire, probePrototypes(mailer)),
  };
}

/** The code that nodemailer's SMTP transports give a failing content stream. */
function asSendError(error: unknown, kind: TransportKind): unknown {
  if ((kind === "smtp" || kind === "pool") && error instanceof Error && !("code" in error)) {
    return Object.assign(error, { code: "ESTREAM" });
  }
  return error;
}
