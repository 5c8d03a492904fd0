/**
 * Where the sealed bytes of plans lie: Redis is memory, and a plan of a million mails does not belong there.
 *
 * @module
 */
import { MailfuseError, type SpoolEntry, type Store } from "../../store";

/** Keeps sealed bytes by plan and index. The states of entries are Redis' own. */
export interface SealedBytes {
  /** Bytes of indexes that are not there yet, durable when it resolves. */
  put(plan: string, entries: readonly SpoolEntry[]): Promise<void>;
  /** Entries of these indexes, in order. One that is not there is left out. */
  get(plan: string, indexes: readonly number[]): Promise<readonly SpoolEntry[]>;
  /** Entries from an index on, in order. */
  from(plan: string, from: number, limit: number): Promise<readonly SpoolEntry[]>;
  drop(plan: string): Promise<void>;
}

/** Keeps them in another store, such as SQLite or PostgreSQL, through its own spool. */
export function spoolInStore(store: Store): SealedBytes {
  return {
    put: (plan, entries) => store.spool(plan, entries),
    async get(plan, indexes) {
      const found: SpoolEntry[] = [];
      for (const [first, count] of runs(indexes)) found.push(...(await store.entries(plan, first, count)));
      const wanted = new Set(indexes);
      return found.filter((entry) => wanted.has(entry.index));
    },
    from: (plan, from, limit) => store.entries(plan, from, limit),
    drop: (plan) => store.dropSpool(plan),
  };
}

/** Says what is missing when plans are used and nowhere was given for their bytes. */
export function noSpool(): SealedBytes {
  const refuse = (): Promise<never> =>
    Promise.reject(
      new MailfuseError({
        code: "CONFIG_INVALID",
        message: "Expected a place for the rendered mails of plans, got a Redis store without `spool`.",
        fix: 'Give redisStore `spool: { directory: "/var/lib/app/spool" }`, on a disk that every worker sees, or `spool: { store }`.',
        where: "redisStore.spool",
      }),
    );
  return { put: refuse, get: refuse, from: refuse, drop: () => Promise.resolve() };
}

/** Ascending indexes as runs of neighbours: `[first, how many]`. */
function runs(indexes: readonly number[]): [number, number][] {
  const found: [number, number][] = [];
  for (const index of indexes) {
    const last = found.at(-1);
    if (last && last[0] + last[1] === index) last[1]++;
    else found.push([index, 1]);
  }
  return found;
}
