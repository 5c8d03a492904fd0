/**
 * A mail's places and the hosts it links to, read at most once for each message: by the guard that
 * judges it, and again by a plan that counts it.
 *
 * @module
 */
import type { Message } from "../message";
import { linkedHosts } from "./hosts";
import { type Places, readPlaces } from "./places";

interface Read {
  readonly places: Places;
  hosts: ReadonlySet<string> | undefined;
}

// Kept on the message and not in a WeakMap: what such a map holds outlives its key by a collection, and
// moving the pieces of a page then costs as much as reading it.
const known = Symbol("mailfuse.content");

function read(message: Message & { [known]?: Read }): Read {
  const found = message[known] ?? { places: readPlaces(message.content()), hosts: undefined };
  // A message of an outsider's adapter may be frozen; it is then read again.
  if (Object.isExtensible(message)) message[known] = found;
  return found;
}

/** What a message says, and where. */
export function placesOf(message: Message): Places {
  return read(message).places;
}

/** The hosts a message links to. */
export function hostsOf(message: Message): ReadonlySet<string> {
  const found = read(message);
  found.hosts ??= linkedHosts(found.places);
  return found.hosts;
}
