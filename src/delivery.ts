/**
 * Marks the asynchronous context of a delivery. The exit runs every `Call.deliver` inside the
 * mark, sends and reads alike; the egress lock lets through only what carries it.
 *
 * The mark follows promises, timers and the sockets made under it. Code of the application that an
 * SDK calls back from there (a guard, a claim, an event listener, a send callback) is run with
 * {@link outsideDelivery}, so that mail it sends by itself is not taken for part of the delivery.
 *
 * @module
 */
import { ContextValue } from "./context";

// Registered, so that the ESM and the CJS copy of the package know each other's deliveries.
const deliveries = new ContextValue<boolean>(Symbol.for("mailfuse.delivery"));

/** Whether the code running now was started by a fuse's delivery. */
export function insideDelivery(): boolean {
  return deliveries.getStore() === true;
}

/**
 * Runs `work` as part of a delivery. For the exit, and for adapters of clients that open
 * connections on their own account (a pool); never around code of the application.
 */
export function runDelivery<Result>(work: () => Result): Result {
  return deliveries.run(true, work);
}

/** Runs code of the application that is reached from within a delivery. */
export function outsideDelivery<Result>(work: () => Result): Result {
  return deliveries.getStore() === undefined ? work() : deliveries.run(false, work);
}
