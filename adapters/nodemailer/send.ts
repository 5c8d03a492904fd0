/**
 * What stands in for a transport's `send`: copies what was given and brings it to the gate.
 *
 * @module
 */
import type { Gate } from "../../src/adapter";
import { assertCleanPrototypes, type Late } from "../../src/catching";
import { abortError, isAbortSignal } from "./bounds";
import type { Wire } from "./call";
import { takeGiven } from "./given";
import type { Sending, Taken } from "./sending";
import type { MailMessage, MailTransport, SendCallback, TransportKind } from "./shapes";

/** Makes the guarded `send` of one transport. It never throws: every answer goes to the callback. */
export function guardedSend(
  gate: Gate,
  wire: Wire,
  kind: TransportKind,
  fields: ReadonlySet<string>,
  sending: Late<Sending>,
): MailTransport["send"] {
  const { transport } = wire;
  const policy = { kind, transportName: transport.name, allowed: fields, limits: gate.limits };

  function take(mail: MailMessage): Taken {
    try {
      assertCleanPrototypes();
      return takeGiven(mail, policy);
    } catch (error) {
      return { failed: error };
    }
  }

  /** Runs in the caller's async context up to and through the gate. */
  async function pass(mail: MailMessage, onDelivery: () => void): Promise<unknown> {
    const taken = take(mail);
    const { callOf } = sending.now ?? (await sending.load());
    return gate.pass(await callOf(mail, taken, onDelivery));
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
