/**
 * What is kept of halts, claims, entries and reservations, read back; and settlements as arguments.
 *
 * @module
 */
import type { Fate, HaltRecord, OnceRecord, Settlement } from "../../store";
import { entryStates, letter } from "../entries";
import { nonsense, text } from "./client";

/** A halt as it is kept: without its time, which the server puts before it. */
export function haltText({ scope, reason, by }: HaltRecord): string {
  return JSON.stringify({ scope, reason, by });
}

/** Reads what stands in `halts`. */
export function readHalt(kept: unknown): HaltRecord {
  const [at, record] = splitOnce(text(kept), "\n");
  return { ...(JSON.parse(record) as HaltRecord), at: Number(at) };
}

function record(reservation: string, state: string, at: string, message: string): OnceRecord {
  const known = { reservation, state: state as OnceRecord["state"], at: Number(at) };
  return message === "" ? known : { ...known, messageId: JSON.parse(message) as string };
}

/** Reads a claim that stands in the way. */
export function readClaim(kept: unknown): OnceRecord {
  const [at, afterTime] = splitOnce(text(kept), "\n");
  const [state, afterState] = splitOnce(afterTime, "\n");
  const [message, afterMessage] = splitOnce(afterState, "\n");
  const [, holder] = splitOnce(afterMessage, "\n");
  return record(holder, state, at, message);
}

/** Reads the state of an entry that is not free, and who reserved it. */
export function readEntry(state: unknown, by: unknown, at: number): OnceRecord {
  const name = entryStates[text(state) as keyof typeof entryStates];
  if (name === undefined || name === "removed" || by === "") return { reservation: "", state: "unknown", at };
  const [since, afterTime] = splitOnce(text(by), "\n");
  const [message, holder] = splitOnce(afterTime, "\n");
  return record(holder, name === "told" ? "accepted" : name, since, message);
}

/** Reads a reservation whose id is taken. */
export function readReservation(id: string, kept: unknown): OnceRecord {
  const known = text(kept);
  const [, at = "0", fate = "reserved"] = known.split(":", 3);
  if (known.startsWith("R")) return record(id, "reserved", at, "");
  return record(id, fate, at, known.slice(known.indexOf(fate) + fate.length + 1));
}

function splitOnce(whole: string, by: string): [string, string] {
  const at = whole.indexOf(by);
  if (at < 0) throw nonsense();
  return [whole.slice(0, at), whole.slice(at + 1)];
}

/** The arguments of one call of `settle`. */
export function settleRows(settlements: readonly Settlement[]): unknown[] {
  return settlements.map(({ reservation, fate, messageId, refusedPeople }) => [
    reservation,
    fate,
    letter(fate satisfies Fate),
    messageId === undefined ? "" : JSON.stringify(messageId),
    refusedPeople ?? [],
  ]);
}
