/**
 * What adapters have in common whose client sends through a method that is taken over: the attachment
 * made of it, and what is said of a client that cannot be attached, was changed, or is a stranger.
 *
 * @module
 */
import { hash } from "node:crypto";
import type { Attachment, Gate } from "./adapter";
import { MailfuseError, type Refusal } from "./errors";
import { type Hook, watchEntrances } from "./hook";

/** A client that is held through hooked methods. */
export interface Hooked extends Pick<Attachment, "dropsRepeatsMs" | "verify" | "revive"> {
  readonly gate: Gate;
  readonly account: string | undefined;
  /** Whose calls are taken over, and what stands in for them while nothing was replaced. */
  readonly holds: readonly {
    readonly hook: Hook;
    readonly object: object;
    readonly call: (args: readonly unknown[]) => unknown;
  }[];
  /** Methods at which calls begin, on which objects: what was replaced is noticed there, before anything else. */
  readonly entrances: readonly (readonly [object: object, names: readonly string[]])[];
  /** What else ends with the attachment. */
  readonly undo?: readonly (() => void)[];
}

/** Holds a client until its attachment is detached. */
export function attachHooked(hooked: Hooked): Attachment {
  const { account, dropsRepeatsMs, verify, revive, gate } = hooked;
  const leave = [
    ...hooked.holds.map(({ hook, object, call }) => hook.enter(object, { call, unattached: gate.unattached })),
    ...hooked.entrances.map(([object, names]) => watchEntrances(object, names, verify)),
    ...(hooked.undo ?? []),
  ];
  return {
    ...(account === undefined ? {} : { account }),
    ...(dropsRepeatsMs === undefined ? {} : { dropsRepeatsMs }),
    detach() {
      for (const one of leave.splice(0).reverse()) one();
    },
    verify,
    revive,
  };
}

/** Makes a call reject as long as something of the client is replaced. */
export function checkedCall<Args extends readonly unknown[]>(
  verify: Attachment["verify"],
  call: (...args: Args) => unknown,
): (...args: Args) => Promise<unknown> {
  return async (...args) => {
    const problem = verify();
    if (problem) throw new MailfuseError(problem);
    return call(...args);
  };
}

/** How errors name one kind of client. */
export interface ClientNames {
  /** For example `"a Resend client of the package resend"`. */
  readonly expected: string;
  /** For example `"Resend client"`. */
  readonly short: string;
  /** What to pass instead of another object. @default what its constructor gives */
  readonly pass?: string;
}

/** The error for an object that is no such client, or one whose choke point is not its own. */
export function unsupported(names: ClientNames, got: string): MailfuseError {
  return new MailfuseError({
    code: "ATTACH_UNSUPPORTED",
    message: `Expected ${names.expected}, got ${got}.`,
    fix: `Pass ${names.pass ?? "what its constructor gives"}, before other code patches it.`,
  });
}

/** The refusal while something of an attached client is replaced. */
export function replaced(names: ClientNames, how: string): Refusal {
  return {
    code: "CHOKE_POINT_CHANGED",
    message: `Expected the ${names.short} that was attached, but ${how}.`,
    fix: "Attach the fuse again after the replacement, or do not replace it.",
  };
}

/** A name for an account of which only its key is known: the beginning of the key's hash, and nothing of the key. */
export function accountOfKey(kind: string, key: unknown): string {
  return `${kind}-${hash("sha256", String(key), "hex").slice(0, 8)}`;
}

/** The names of all methods of a client's classes, its constructor's left out. */
export function methodsOf(client: object): string[] {
  const names = new Set<string>();
  let at: object | null = Object.getPrototypeOf(client);
  while (at && at !== Object.prototype) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name);
    at = Object.getPrototypeOf(at);
  }
  names.delete("constructor");
  return [...names];
}
