/**
 * All that a send needs, in one place: it is loaded when a client is attached, or when the store is
 * opened. What only makes a fuse (a script, a build, a command) starts without it.
 *
 * @module
 */
export { Exit } from "./exit";
export { orderedGuards } from "./guards/order";
export { AddressBook } from "./ledger/addresses";
export { Upkeep } from "./ledger/upkeep";
export { createSecrets } from "./secrets";
