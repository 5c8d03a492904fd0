/**
 * Marks the asynchronous context of a delivery. The exit runs every `Call.deliver` inside the
 * mark, sends and reads alike; the egress lock lets through only what carries it.
 *
 * The mark follows promises, timers and the sockets made under it. Code of the application that an
 * SDK calls back from there (a guard, a claim, an event listener, a send callback) is run with
 * {@link outsideDelivery}, so that mail it sends by itself is not taken for part of the delivery.
 *
 * Kept on `globalThis` under a registered symbol: the ESM and the CJS copy of the package share it.
 *
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";

const registered = Symbol.for("mailfuse.delivery");

function storage(): AsyncLocalStorage<boolean> {
  const holder = globalThis as { [registered]?: AsyncLocalStorage<boolean> };
  const found = holder[registered];
  if (found) return found;
  const made = new AsyncLocalStorage<boolean>();
  Object.defineProperty(holder, registered, { value: made });
  return made;
}

const deliveries = storage();

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
