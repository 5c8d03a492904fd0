/**
 * Ids of sends.
 *
 * @module
 */
import { randomFillSync } from "node:crypto";

const timeBytes = 6;
const randomBytes = 16;
/** Drawn in bulk: a call for each would cost more than all the rest. */
const drawn = Buffer.alloc(256 * randomBytes);
const id = Buffer.alloc(timeBytes + randomBytes);
let next = drawn.length;

/**
 * Unique, and later ones sort later: a store's index grows at its end, not all over. 44 characters of hex.
 *
 * Written in one piece and not put together from texts, as `randomUUID` does it: the engine keeps such a text as the
 * twenty pieces it was made of, for as long as a ledger line names it.
 */
export function orderedId(at: number): string {
  if (next === drawn.length) {
    randomFillSync(drawn);
    next = 0;
  }
  id.writeUIntBE(at, 0, timeBytes);
  drawn.copy(id, timeBytes, next, next + randomBytes);
  // Given out once: nobody finds the bytes of an id here.
  drawn.fill(0, next, next + randomBytes);
  next += randomBytes;
  return id.toString("hex");
}
