/**
 * What stands in for a transport's `send`: takes the copy and brings it to the gate.
 *
 * @module
 */
import { assertCleanPrototypes, type Call, type Gate } from "../../src/adapter";
import { abortError, isAbortSignal } from "./bounds";
import { MailCall, OpaqueCall, type Wire } from "./call";
import { hasStreams } from "./contents";
import { isCopyError, takeCopy } from "./copy";
import { prototypesOf } from "./pin";
import type { MailMessage, MailTransport, SendCallback, TransportKind } from "./shapes";
import { Shortcut } from "./shortcut";

/** Makes the guarded `send` of one transport. It never throws: every answer goes to the callback. */
export function guardedSend(
  gate: Gate,
  wire: Wire,
  kind: TransportKind,
  fields: ReadonlySet<string>,
): MailTransport["send"] {
  const { transport } = wire;
  const policy = {
    kind,
    transport,
    transportName: transport.name,
    allowed: fields,
    limits: gate.limits,
    shortcut: new Shortcut(),
  };

  /** Runs in the caller's async context up to and through the gate. */
  async function pass(mail: MailMessage, onDelivery: () => void): Promise<unknown> {
    let call: MailCall | OpaqueCall;
    try {
      assertCleanPrototypes();
      call = new MailCall(await takeCopy(mail, policy), wire, prototypesOf(mail));
    } catch (error) {
      // What nodemailer could not render itself fails as it always did; nothing has left.
      if (!isCopyError(error)) throw asSendError(error, kind);
      // Over polluted prototypes nobody can say whom it would reach, and a stream is read only once.
      const sendable = error.code !== "PROTOTYPE_POLLUTED" && !hasStreams(mail.message);
      call = new OpaqueCall(mail, wire, error, sendable);
    }
    call.onDelivery = onDelivery;
    return gate.pass(call as Call);
  }

  return function send(mail, callback) {
    const data = (mail as Partial<MailMessage> | undefined)?.data;
    const signal = isAbortSignal(data?.signal) ? data.signal : undefined;
    const leave = wire.arrive();
    let done = false;
    // From here on the transport owns the mail, its cancellation included.
    const handOver = (): void => {
      signal?.removeEventListener("abort", onAbort);
      leave(true);
    };
    const finish = (error: unknown, info?: unknown): void => {
      if (done) return;
      done = true;
      signal?.removeEventListener("abort", onAbort);
      leave(false);
      answer(callback, error, info, transport, kind);
    };
    function onAbort(): void {
      finish(abortError(signal as AbortSignal));
    }
    signal?.addEventListener("abort", onAbort, { once: true });
    pass(mail, handOver).then(
      (info) => finish(null, info),
      (error: unknown) => finish(error),
    );
    return true;
  };
}

/** nodemailer's SMTP transports log what a callback throws; the others let it be uncaught. So here. */
function answer(
  callback: SendCallback,
  error: unknown,
  info: unknown,
  transport: MailTransport,
  kind: TransportKind,
): void {
  try {
    if (error) callback(error);
    else callback(null, info);
  } catch (thrown) {
    if (kind === "smtp" || kind === "pool")
      transport.logger?.error?.({ err: thrown, tnx: "callback" }, "Callback error");
    else setImmediate(() => rethrow(thrown));
  }
}

function rethrow(thrown: unknown): never {
  throw thrown;
}

/** The code that nodemailer's SMTP transports give a failing content stream. */
function asSendError(error: unknown, kind: TransportKind): unknown {
  if ((kind === "smtp" || kind === "pool") && error instanceof Error && !("code" in error)) {
    return Object.assign(error, { code: "ESTREAM" });
  }
  return error;
}
