/**
 * `transporter.verify()`. Over SMTP it connects and sends nothing; with the SES transport it sends a
 * real mail to find out whether it may.
 *
 * @module
 */
import type { Call, Gate, Intent } from "../../src/adapter";
import type { MailTransport, SendCallback, TransportKind } from "./shapes";

/** Brings `verify` to the gate. Returns what restores it. */
export function guardVerify(transport: MailTransport, kind: TransportKind, gate: Gate): () => void {
  const original = transport.verify;
  if (typeof original !== "function" || (kind !== "ses" && kind !== "smtp" && kind !== "pool")) return () => {};
  const sends = kind === "ses";
  const intent: Intent = sends
    ? { kind: "system", what: "verify() on the SES transport, which sends a mail", messages: [], problems: [] }
    : { kind: "read" };
  const call: Call = {
    intent,
    async deliver(commit) {
      if (sends) await commit();
      return new Promise((resolve, reject) => {
        original.call(transport, (error, info) => (error ? reject(error) : resolve(info)));
      });
    },
    simulate: () => true,
    outcome: (settled) => ({ fate: "result" in settled ? "accepted" : "unknown" }),
    redirect: () => Promise.resolve(call),
    spool: () => new Uint8Array(),
  };
  function verify(callback?: SendCallback): Promise<unknown> | undefined {
    const passed = gate.pass(call);
    if (!callback) return passed;
    passed.then(
      (info) => callback(null, info),
      (error: unknown) => callback(error),
    );
    return undefined;
  }
  const slot = Object.getOwnPropertyDescriptor(transport, "verify");
  Object.defineProperty(transport, "verify", {
    configurable: true,
    writable: true,
    enumerable: false,
    ...slot,
    value: verify,
  });
  return () => {
    if (transport.verify !== verify) return;
    if (slot) Object.defineProperty(transport, "verify", slot);
    else Reflect.deleteProperty(transport, "verify");
  };
}
