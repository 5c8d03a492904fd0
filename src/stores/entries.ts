/**
 * What stores on a server have in common that keep a plan's entries: one letter for each state.
 *
 * @module
 */
import type { Store } from "../store";

/** The methods of a store that work with entries. */
export type EntryMethods = Pick<
  Store,
  "spool" | "entries" | "claimEntries" | "entryStates" | "entriesIn" | "requeueEntries" | "markEntries" | "dropSpool"
>;

/** What the letters stand for. */
export const entryStates = {
  w: "waiting",
  c: "claimed",
  r: "reserved",
  a: "accepted",
  x: "refused",
  f: "failed",
  u: "unknown",
  t: "told",
  d: "removed",
} as const;

/** The letter of a state; one that no entry has for a state that there is not. */
export function letter(state: string): string {
  return Object.entries(entryStates).find(([, known]) => known === state)?.[0] ?? "-";
}
