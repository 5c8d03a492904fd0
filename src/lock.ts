/**
 * The egress lock: a seat belt for one process. Mail that does not come out of a fuse's delivery
 * does not get a connection.
 *
 * ```sh
 * node --import mailfuse/lock app.js
 * MAILFUSE_LOCK_ALLOW="loopback,relay.example:587" node --import mailfuse/lock app.js
 * ```
 *
 * Importing this module puts the lock on. What it covers, and what it does not stop (child
 * processes, native code, other machines), stands in `docs/egress-lock.md`.
 *
 * @module
 */
import process from "node:process";
import { parseAllowed } from "./lock/policy";
import { hookRequests } from "./lock/requests";
import { hookSockets } from "./lock/sockets";
import { lockState } from "./lock/state";

/** What the lock lets through. */
export interface LockOptions {
  /**
   * Hosts that may be reached from outside a fuse: `"relay.example:587"`, `"*.internal.example"`,
   * `"loopback"` for this machine. Entries of several calls add up.
   *
   * @default none
   */
  readonly allow?: readonly string[];
}

/**
 * Puts the egress lock on. Until the returned function is called (tests do that), connections to
 * mail submission ports and requests to known mail providers fail with `UNGUARDED_SEND` unless they
 * come from inside a fuse's delivery. The error names the place in the code it was made at.
 *
 * @example
 * ```ts
 * import { lock } from "mailfuse/lock";
 *
 * lock({ allow: ["loopback", "relay.example:587"] });
 * ```
 * @throws MailfuseError `CONFIG_INVALID` for an entry of `allow` that names no host.
 */
export function lock(options: LockOptions = {}): () => void {
  const entries = (options.allow ?? []).map(parseAllowed);
  const state = lockState();
  if (!state.installed) {
    state.installed = true;
    hookSockets(state);
    hookRequests(state);
  }
  for (const entry of entries) state.allow.add(entry);
  state.held += 1;
  let on = true;
  return () => {
    if (!on) return;
    on = false;
    state.held -= 1;
    for (const entry of entries) state.allow.delete(entry);
  };
}

const declared = (process.env.MAILFUSE_LOCK_ALLOW ?? "").split(",").map((entry) => entry.trim());
lock({ allow: declared.filter((entry) => entry !== "") });
