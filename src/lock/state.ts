/**
 * What the lock knows, shared by every copy of the package in the process.
 *
 * @module
 */
import { insideDelivery } from "../delivery";
import { MailfuseError } from "../errors";
import type { Allowed } from "./policy";
import { callSite } from "./site";

/** The lock of this process. The hooks stay installed once they are; `allow` is empty of meaning while `held` is 0. */
export interface LockState {
  /** How many calls of `lock` are in force. */
  held: number;
  readonly allow: Set<Allowed>;
  readonly warned: Set<string>;
  installed: boolean;
}

const registered = Symbol.for("mailfuse.lock");

/** The one state, on `globalThis`: the ESM and the CJS copy must not patch over each other. */
export function lockState(): LockState {
  const holder = globalThis as { [registered]?: LockState };
  const found = holder[registered];
  if (found) return found;
  const made: LockState = { held: 0, allow: new Set(), warned: new Set(), installed: false };
  Object.defineProperty(holder, registered, { value: made });
  return made;
}

/** Whether what happens now has to be judged. */
export function locked(state: LockState): boolean {
  return state.held > 0 && !insideDelivery();
}

/** The error for a refused connection or request, and a warning once per place in the code. */
export function unguarded(state: LockState, what: string): MailfuseError {
  const site = callSite();
  const error = new MailfuseError({
    code: "UNGUARDED_SEND",
    message: `Expected mail to leave through a fuse, got ${what} from outside one.`,
    fix: "Attach the client to a fuse, or name the host in the lock's `allow`.",
    ...(site === undefined ? {} : { where: site }),
  });
  // Some SDKs turn errors into values nobody reads, so the process says it as well.
  const key = site ?? what;
  if (!state.warned.has(key) && state.warned.size < 1_000) {
    state.warned.add(key);
    process.emitWarning(error.message, { type: "MailfuseWarning", code: "UNGUARDED_SEND" });
  }
  return error;
}
