/**
 * What of the seam an adapter needs to catch mail: a file of its own, since a bundle and Node load a file with all that
 * it imports. An adapter that loads the reading of its mails later imports this in what is loaded at once, and
 * `adapter.ts` in the rest.
 *
 * @module
 */
export { formatAddress, parseAddresses } from "./address";
export { MailfuseError } from "./errors";
export { Late } from "./late";
export { assertCleanPrototypes, snapshot } from "./snapshot";
