/**
 * The memory store: one process, gone with it. For tests, and for a first look.
 *
 * ```ts
 * import { createFuse, memoryStore } from "mailfuse";
 *
 * export const fuse = createFuse({ store: memoryStore(), ... });
 * ```
 *
 * @module
 */
import { type Clock, MailfuseError, type Store, systemClock } from "../store";

/** Options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /** @default the machine's clock */
  readonly clock?: Pick<Clock, "now">;
  /**
   * How many ledger lines, and how many sealed addresses, are kept before the oldest are dropped, so that a long life
   * does not fill the memory.
   * @default 50_000
   */
  readonly ledgerLines?: number;
}

/** Marks the stores made here, with what loads them; shared by all copies of the package. */
const mark = Symbol.for("mailfuse.memoryStore");

/** Whether {@link memoryStore} made it: known at once, where another store's facts are known once it is open. */
export function isMemoryStore(store: Store): boolean {
  return mark in store;
}

/** Loads the rest of a memory store, so that the first mail does not wait for it. */
export async function prepareStore(store: Store): Promise<void> {
  const load = (store as { readonly [mark]?: () => Promise<unknown> })[mark];
  await load?.();
}

/** Every method, for what is loaded later to stand in for. */
const methods: Readonly<Record<keyof Store, true>> = {
  ...{ open: true, now: true, setOnce: true, value: true, forget: true, lease: true },
  ...{ reserve: true, settle: true, usage: true, halt: true, resume: true, halts: true, acknowledge: true },
  ...{ append: true, read: true, trim: true, addresses: true, addressBuckets: true, forgetAddresses: true },
  ...{ addPlan: true, plan: true, plans: true, changePlan: true, spool: true, entries: true, claimEntries: true },
  ...{ entryStates: true, entriesIn: true, requeueEntries: true, markEntries: true, dropSpool: true, close: true },
};

/**
 * A store that lives in this process only. A cap holds for this process; a restart forgets all.
 *
 * @example
 * ```ts
 * const store = memoryStore({ clock: { now: () => time } });
 * ```
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  const clock = options.clock ?? systemClock;
  const ledgerLines = options.ledgerLines ?? 50_000;
  if (!Number.isSafeInteger(ledgerLines) || ledgerLines < 1) {
    throw new MailfuseError({
      code: "CONFIG_INVALID",
      message: `Expected \`ledgerLines\` to be a whole number of at least 1, got ${String(ledgerLines)}.`,
      fix: "Leave it out for 50,000 lines.",
      where: "memoryStore",
    });
  }
  return loadedLater(async () => (await import("./memory/store")).makeStore(clock, ledgerLines));
}

/** A store whose methods wait until they are loaded; from then on the loaded ones stand in their places. */
function loadedLater(make: () => Promise<Store>): Store {
  let loading: Promise<Store> | undefined;
  const names = Object.keys(methods) as (keyof Store)[];
  const load = (): Promise<Store> => {
    loading ??= make().then(
      (made) => {
        // One that somebody has replaced stays as it is.
        for (const name of names) if (store[name] === doors[name]) Object.assign(store, { [name]: made[name] });
        return made;
      },
      (error: unknown) => {
        loading = undefined;
        throw error;
      },
    );
    return loading;
  };
  const door =
    (name: keyof Store) =>
    async (...args: never[]) =>
      Reflect.apply((await load())[name], undefined, args);
  const doors = Object.fromEntries(names.map((name) => [name, door(name)])) as unknown as Store;
  const store: Store = { ...doors };
  return Object.assign(store, { [mark]: load });
}
