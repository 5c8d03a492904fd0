/**
 * How long and how much one rendering may read.
 *
 * @module
 */
import type { Gate } from "../../src/adapter";

/** Bounds of one rendering. */
export interface RenderBounds {
  readonly bytes: number;
  /** How many pieces a stream may come in: single bytes without end would take hours to reach `bytes`. */
  readonly pieces: number;
  readonly signal: AbortSignal | undefined;
}

/** The bounds that a fuse's limits and a message's signal set. */
export function renderBounds(limits: Gate["limits"], signal: unknown): RenderBounds {
  return { bytes: limits.bytes, pieces: limits.nodes, signal: isAbortSignal(signal) ? signal : undefined };
}

/** Told as nodemailer tells it: signals of other realms count. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  const signal = value as Partial<AbortSignal> | null | undefined;
  return (
    typeof signal === "object" &&
    signal !== null &&
    "aborted" in signal &&
    typeof signal.addEventListener === "function"
  );
}

/** The error of a send that its caller gave up, as nodemailer 10 makes it. */
export function abortError(signal: AbortSignal): Error {
  const error = new Error("Message sending aborted", { cause: signal.reason });
  error.name = "AbortError";
  return Object.assign(error, { code: "EABORT" });
}
