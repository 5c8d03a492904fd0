/**
 * The choke point: `transporter.transporter.send`, replaced in place. Every `sendMail`, callback
 * form, prototype call and second transporter around the same transport goes through it.
 *
 * Both properties on the way, the transporter's `transporter` and the transport's `send`, become
 * accessors: whoever replaces one of them later is noticed, and the next send is refused.
 *
 * @module
 */
import type { Refusal } from "../../src/adapter";
import { MailfuseError } from "../../src/catching";
import type { Mailer, MailTransport, SendCallback } from "./shapes";

/** Marks a transport that is held, for every copy of the package in the process. */
const heldMark = Symbol.for("mailfuse.nodemailer.held");

interface Hold {
  readonly mailer: Mailer;
  readonly detach: () => void;
}

/**
 * Ends an earlier attachment to the same transporter: attaching again replaces. A transport held
 * through another transporter throws `ATTACH_CONFLICT`: its mail would be judged twice.
 */
export function endEarlierHold(mailer: Mailer): void {
  const hold = (mailer.transporter as { [heldMark]?: Hold })[heldMark];
  if (hold && hold.mailer !== mailer) throw held();
  hold?.detach();
}

/** The choke point of one transporter. */
export class Choke {
  readonly transport: MailTransport;
  /** The transport's own `send`. */
  readonly original: MailTransport["send"];
  readonly #mailerSlot: PropertyDescriptor | undefined;
  readonly #sendSlot: PropertyDescriptor | undefined;
  readonly #getTransport: () => MailTransport;
  readonly #getSend: () => MailTransport["send"];
  /** Boxed: whatever was put there, `undefined` included, is no longer ours. */
  #foreignTransport: { readonly value: MailTransport } | undefined;
  #foreignSend: { readonly value: MailTransport["send"] } | undefined;

  constructor(
    private readonly mailer: Mailer,
    guarded: MailTransport["send"],
    detach: () => void,
  ) {
    const transport = mailer.transporter;
    this.transport = transport;
    this.original = transport.send;
    this.#mailerSlot = Object.getOwnPropertyDescriptor(mailer, "transporter");
    this.#sendSlot = Object.getOwnPropertyDescriptor(transport, "send");
    this.#getTransport = () => {
      if (this.#foreignTransport) return refusing(this.#foreignTransport.value);
      return this.#isSendOurs() ? transport : refusing(transport);
    };
    this.#getSend = () => (this.#foreignSend ? refuse : guarded);
    this.#install(guarded);
    const hold: Hold = { mailer, detach };
    Object.defineProperty(transport, heldMark, { configurable: true, value: hold });
  }

  /** What has replaced the choke point, if anything has. */
  verify(): Refusal | undefined {
    const own = Object.getOwnPropertyDescriptor(this.mailer, "transporter")?.get === this.#getTransport;
    if (!own || this.#foreignTransport) return changed("transporter.transporter");
    return this.#isSendOurs() && !this.#foreignSend ? undefined : changed("transporter.transporter.send");
  }

  /** Restores both properties; what others put there since then stays. */
  restore(): void {
    if (Object.getOwnPropertyDescriptor(this.mailer, "transporter")?.get === this.#getTransport) {
      putBack(this.mailer, "transporter", this.#mailerSlot, this.#foreignTransport);
    }
    if (this.#isSendOurs()) putBack(this.transport, "send", this.#sendSlot, this.#foreignSend);
    Reflect.deleteProperty(this.transport, heldMark);
  }

  #isSendOurs(): boolean {
    return Object.getOwnPropertyDescriptor(this.transport, "send")?.get === this.#getSend;
  }

  #install(guarded: MailTransport["send"]): void {
    const { mailer, transport } = this;
    Object.defineProperty(transport, "send", {
      configurable: true,
      enumerable: this.#sendSlot?.enumerable ?? false,
      get: this.#getSend,
      set: (value: MailTransport["send"]) => {
        this.#foreignSend = value === guarded ? undefined : { value };
      },
    });
    Object.defineProperty(mailer, "transporter", {
      configurable: true,
      enumerable: this.#mailerSlot?.enumerable ?? true,
      get: this.#getTransport,
      set: (value: MailTransport) => {
        this.#foreignTransport = value === transport ? undefined : { value };
      },
    });
  }
}

/** The client as a transporter; throws `ATTACH_UNSUPPORTED` when it is none. */
export function asMailer(client: object): Mailer {
  const mailer = client as Partial<Mailer>;
  const transport = mailer.transporter;
  if (typeof mailer.sendMail !== "function" || typeof transport !== "object" || transport === null) throw unsupported();
  if (typeof transport.send !== "function") throw unsupported();
  if (!isOpen(mailer, "transporter") || !isOpen(transport, "send")) throw unsupported();
  return mailer as Mailer;
}

function isOpen(object: object, key: string): boolean {
  return Object.getOwnPropertyDescriptor(object, key)?.configurable ?? Object.isExtensible(object);
}

function putBack(
  object: object,
  key: string,
  slot: PropertyDescriptor | undefined,
  foreign: { readonly value: unknown } | undefined,
): void {
  if (foreign)
    Object.defineProperty(object, key, { configurable: true, enumerable: true, writable: true, ...slot, ...foreign });
  else if (slot) Object.defineProperty(object, key, slot);
  else Reflect.deleteProperty(object, key);
}

/** The transport as it is, except that it sends nothing. */
function refusing(transport: MailTransport): MailTransport {
  if (typeof transport !== "object" || transport === null) return { send: refuse };
  return Object.create(transport, { send: { configurable: true, value: refuse, writable: true } });
}

function refuse(_mail: unknown, callback: SendCallback): void {
  callback(new MailfuseError(changed("transporter.transporter.send")));
}

function changed(where: string): Refusal {
  return {
    code: "CHOKE_POINT_CHANGED",
    message: "Expected the send function that the fuse put there, got one that replaced it.",
    fix: "Attach the fuse after other code has made its changes to the transporter, or have that code use plugins.",
    where,
  };
}

function held(): MailfuseError {
  return new MailfuseError({
    code: "ATTACH_CONFLICT",
    message: "Expected a transport that no fuse holds, got one held through another transporter around it.",
    fix: "Attach once: every transporter around one transport is guarded by it.",
  });
}

function unsupported(): MailfuseError {
  return new MailfuseError({
    code: "ATTACH_UNSUPPORTED",
    message:
      "Expected a transporter made by nodemailer.createTransport, with properties that can be replaced, got another object.",
    fix: "Pass what createTransport returned; for other mail clients use their own adapter.",
  });
}
