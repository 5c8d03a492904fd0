/**
 * Halts in memory.
 *
 * @module
 */
import type { HaltRecord } from "../../store";

/** The halts of one store. */
export interface Halts {
  find(scope: string): HaltRecord | undefined;
  all(): readonly HaltRecord[];
  /** A person's word replaces the record of a scope. */
  set(record: HaltRecord, at: number): void;
  /** A cap's does not: who halted first, and why, is what people look for. */
  latch(records: readonly HaltRecord[], at: number): void;
  remove(scope: string): boolean;
}

/** Makes the halts of one store. */
export function memoryHalts(): Halts {
  const halts = new Map<string, HaltRecord>();
  return {
    find: (scope) => halts.get(scope),
    all: () => [...halts.values()].sort((a, b) => (a.scope < b.scope ? -1 : 1)),
    set(record, at) {
      halts.set(record.scope, { ...record, at });
    },
    latch(records, at) {
      for (const record of records) if (!halts.has(record.scope)) halts.set(record.scope, { ...record, at });
    },
    remove: (scope) => halts.delete(scope),
  };
}
