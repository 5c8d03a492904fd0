/**
 * Finds nodemailer's message classes where no mail has passed yet: a plan released by a process
 * that sends nothing else.
 *
 * @module
 */
import { type Prototypes, prototypesOf } from "./pin";
import type { Mailer, MailMessage, SendCallback } from "./shapes";

/** Has nodemailer compile an empty mail for a transport that keeps it, and looks at what comes. */
export function probePrototypes(mailer: Mailer): Prototypes {
  let seen: MailMessage | undefined;
  const keep = (mail: MailMessage, callback: SendCallback): void => {
    seen = mail;
    callback(null, {});
  };
  const quiet = Object.fromEntries(
    ["trace", "debug", "info", "warn", "error", "fatal"].map((level) => [level, () => {}]),
  );
  // A transporter of its own, without the application's defaults, plugins and keys.
  const probe = Object.create(mailer, {
    transporter: own({ name: "mailfuse", version: "1", send: keep }),
    options: own({}),
    _defaults: own({}),
    _userPlugins: own({ compile: [], stream: [] }),
    dkim: own(false),
    getSocket: own(undefined),
    logger: own(quiet),
  });
  const { sendMail } = Object.getPrototypeOf(mailer) as Mailer;
  try {
    (sendMail ?? mailer.sendMail).call(probe, {}, () => {});
  } catch {
    // Another version, another shape: the plain objects below answer what its transports ask.
  }
  return seen ? prototypesOf(seen) : { mail: Object.prototype, node: Object.prototype, mailer };
}

function own(value: unknown): PropertyDescriptor {
  return { value, writable: true, configurable: true };
}
