/** Listens at everything that a fuse says. */
import type { MailfuseError } from "../../src/errors";
import type { Incident } from "../../src/ledger/incident";
import type { Findings } from "./findings";

/** What `scripts/leak-taps.mjs` makes the sources call, on the global object: they import nothing of tests. */
interface Taps {
  error(error: MailfuseError): void;
  store<Kept extends object>(store: Kept): Kept;
  log<Said extends object>(logger: Said): Said;
  told<Called>(name: string, callback: Called): Called;
  fuse(fuse: { readonly prototype: object }): void;
}

declare global {
  var mailfuseTaps: Taps | undefined;
}

type Method = (...args: unknown[]) => unknown;

/**
 * What a fuse answers to whoever asks, and may show nobody's address. `check`, `view`, `mails`, `summary` and `outbox`
 * are made to show addresses and mails to a person, and so is the console.
 */
const answers = ["describe", "status", "halts", "suggest", "drill", "verify", "incident", "plans", "progress"] as const;

/** Listens until the process ends. */
export function listenToFuses(findings: Findings): Taps {
  const answer = (name: string, value: unknown) => findings.lookInto("answer", name, value);
  const proxies = new WeakMap<object, object>();
  /** The same object, whose calls are looked into. Tests that replace a method of it still do. */
  const heard = <Kind extends object>(target: Kind, look: (name: string, args: unknown[]) => void): Kind => {
    const known = proxies.get(target);
    if (known) return known as Kind;
    const proxy = new Proxy(target, {
      get(from, name) {
        const method: unknown = Reflect.get(from, name, from);
        if (typeof method !== "function") return method;
        return (...args: unknown[]) => {
          look(String(name), args);
          return Reflect.apply(method, from, args);
        };
      },
    });
    proxies.set(target, proxy);
    proxies.set(proxy, proxy);
    return proxy;
  };
  return {
    error(error) {
      findings.lookInto("error", "message", error.message);
      findings.lookInto("error", "refusals", error.refusals);
      // An application's logger prints the cause with the error.
      for (let cause = error.cause, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++)
        findings.look("error", "cause", cause.message);
    },
    store: (store) => heard(store, (name, args) => findings.lookInto("store", name, args)),
    log: (logger) => heard(logger, (name, args) => findings.lookInto("log", name, args)),
    told: (name, callback) => {
      if (typeof callback !== "function") return callback;
      const told: Method = (...args) => {
        answer(name, args);
        return Reflect.apply(callback, undefined, args);
      };
      return told as typeof callback;
    },
    fuse({ prototype }) {
      for (const name of answers) hear(prototype, name, (value) => hearAnswer(name, value));
      const ledger = Object.getOwnPropertyDescriptor(prototype, "ledger");
      const known = new WeakSet<object>();
      Object.defineProperty(prototype, "ledger", {
        ...ledger,
        get() {
          const found = ledger?.get?.call(this) as object;
          if (!known.has(found))
            for (const name of ["verify", "seal", "export", "retain"])
              hear(found, name, (value) => answer(`ledger.${name}`, value));
          known.add(found);
          return found;
        },
      });
    },
  };

  function hearAnswer(name: string, value: unknown): void {
    if (name !== "incident") answer(name, value);
    else {
      const { data, markdown, html } = value as Incident;
      for (const one of [data, markdown(), html()]) answer(name, one);
    }
  }
}

/** Looks at what a method gives, or what its promise becomes. */
function hear(on: object, name: string, look: (value: unknown) => void): void {
  const method: unknown = Reflect.get(on, name);
  if (typeof method !== "function") throw new Error(`Expected a method ${name}, for the search for leaks, got none.`);
  const heard: Method = function (this: unknown, ...args) {
    const value: unknown = Reflect.apply(method, this, args);
    if (!(value instanceof Promise)) look(value);
    else value.then(look, () => {});
    return value;
  };
  Object.defineProperty(on, name, { value: heard, configurable: true, writable: true });
}
