/**
 * Names as Redis knows them, and numbers as it can hold them.
 *
 * @module
 */
import type { CapSpend, RateSpend } from "../../store";
import { windowKey } from "../staging";

/** A name without newlines: what a reservation may give back is kept as names, a line each. */
export function written(name: string): string {
  return name.includes("\n") || name.includes("%") ? name.replace(/[\n%]/g, encodeURIComponent) : name;
}

/** A spend's window: its sorted set, behind the prefix. */
export function windowName(spend: CapSpend | RateSpend): string {
  return written(windowKey(spend));
}

/** The time of a claim, at most a hundred years: longer ones overflow in Redis. */
export function milliseconds(ms: number): number {
  return Math.min(3_155_760_000_000, Math.max(1, Math.ceil(ms)));
}
