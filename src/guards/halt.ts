/**
 * The kill switch, asked first so that a halted purpose costs no look-ups. The word that counts is
 * the store's, in the one atomic step before the wire; this guard only asks early once this
 * process has learnt of a halt.
 *
 * @module
 */
import type { Refusal } from "../errors";
import type { Guard, Send } from "../guard";
import { everything, purposeScope } from "../purpose";
import type { HaltRecord } from "../store";

/** Halts this process has learnt of, refreshed from the store before they refuse anything. */
export interface KnownHalts {
  readonly scopes: ReadonlySet<string>;
  refresh(): Promise<readonly HaltRecord[]>;
}

/** Makes the guard. */
export function haltGuard(known: KnownHalts): Guard {
  return function halt(send, next) {
    if (known.scopes.size === 0) return next();
    return known.refresh().then((halts) => {
      const scopes = haltScopes(send);
      for (const record of halts) if (scopes.includes(record.scope)) send.refuse(halted(record));
      return next();
    });
  };
}

/** The halts that stop a send. */
export function haltScopes(send: Pick<Send, "parts">): string[] {
  return [everything, ...send.parts.map((part) => purposeScope(part.purpose.name))];
}

/** The refusal of a halt. */
export function halted(record: HaltRecord): Refusal {
  const what = record.scope === everything ? "everything" : `"${record.scope.replace(/^(purpose|plan):/, "")}"`;
  return {
    code: "HALTED",
    message: `Expected sending to be on, got a halt of ${what} by ${record.by}: ${record.reason}.`,
    fix: "When its reason is dealt with: `npx mailfuse resume`, or fuse.resume.",
  };
}
