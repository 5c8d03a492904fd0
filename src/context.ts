/**
 * What an asynchronous context of the application belongs to: a purpose, a delivery, a watched request.
 *
 * All of it rides in one `AsyncLocalStorage`. On Node 20 and 22 each storage in use puts a property on
 * every promise of the process, the provider's client's too; from the second one on, V8 moves them all
 * to a larger place.
 *
 * Kept on `globalThis` under a registered symbol: the ESM and the CJS copy of the package share it.
 *
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";

/** One thing that a context knows, and the others behind it; each key stands there once. */
interface Known {
  readonly key: unknown;
  readonly value: unknown;
  readonly others: Known | undefined;
}

const registered = Symbol.for("mailfuse.context");

function storage(): AsyncLocalStorage<Known | undefined> {
  const holder = globalThis as { [registered]?: AsyncLocalStorage<Known | undefined> };
  const found = holder[registered];
  if (found) return found;
  const made = new AsyncLocalStorage<Known | undefined>();
  Object.defineProperty(holder, registered, { value: made });
  return made;
}

const contexts = storage();

/** A value that follows promises, timers and the sockets made under it, as an `AsyncLocalStorage` of its own would. */
export class ContextValue<Value> {
  /** @param key What the value is known by. Copies of the package that share a value share a registered symbol. */
  constructor(readonly key: unknown = Symbol("mailfuse")) {}

  getStore(): Value | undefined {
    let at = contexts.getStore();
    while (at && at.key !== this.key) at = at.others;
    return at?.value as Value | undefined;
  }

  run<Result>(value: Value, work: () => Result): Result {
    return contexts.run({ key: this.key, value, others: without(contexts.getStore(), this.key) }, work);
  }

  /** Runs `work` in a context that does not know it. */
  exit<Result>(work: () => Result): Result {
    return contexts.run(without(contexts.getStore(), this.key), work);
  }
}

// Taken out, not covered: work that starts work of its kind for ever would make a chain without end.
function without(known: Known | undefined, key: unknown): Known | undefined {
  if (!known) return undefined;
  if (known.key === key) return known.others;
  const others = without(known.others, key);
  return others === known.others ? known : { ...known, others };
}
