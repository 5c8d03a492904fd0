/**
 * A bar for work that takes long: drawn on a terminal, silent elsewhere.
 *
 * @module
 */
import type { Io } from "./output";

/** A bar under way. */
export interface Progress {
  /** Moves to `done` of `total`; without a total, only the count is shown. */
  at(done: number, total?: number): void;
  /** Clears the line. */
  end(): void;
}

const width = 30;

/** Draws on stderr, where that is a terminal. Redraws when a percent, or a hundred, is new. */
export function progress(io: Io, what: string): Progress {
  if (io.stderr.isTTY !== true) return { at() {}, end() {} };
  let shown = "";
  return {
    at(done, total) {
      const text = total ? bar(done, total) : String(Math.floor(done / 100) * 100);
      if (text === shown) return;
      shown = text;
      io.stderr.write(`\r\u001b[K${what} ${text}`);
    },
    end() {
      if (shown) io.stderr.write("\r\u001b[K");
    },
  };
}

function bar(done: number, total: number): string {
  const share = Math.min(1, done / Math.max(1, total));
  const full = Math.round(share * width);
  return `[${"=".repeat(full)}${" ".repeat(width - full)}] ${Math.floor(share * 100)} %`;
}
