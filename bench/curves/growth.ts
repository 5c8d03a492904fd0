/** What there may be more and more of around a send. */
import { type FuseConfig, memoryStore, type Store } from "mailfuse";
import { sqliteStore } from "mailfuse/stores/sqlite";
import type { benchFuse } from "../fuse";
import { guarded } from "../fuse";
import { pseudonym } from "../reservation";

/** What a point is filled through. */
export interface Filling {
  readonly store: Store;
  readonly fuse: ReturnType<typeof benchFuse>;
  /** Sends one mail as the measured ones are sent, but with no job of a purpose around it. */
  readonly send: (to: string) => Promise<unknown>;
  /** The windows of people that a measured mail is counted in. */
  readonly windows: readonly { readonly key: string; readonly windowMs: number; readonly limit: number }[];
}

/** One line of the plot. */
export interface Growth {
  readonly name: string;
  readonly sizes: readonly number[];
  readonly sqlite?: boolean;
  /** The configuration with so many of them, and what is put into the store before. */
  readonly config?: (size: number) => Partial<FuseConfig>;
  readonly fill?: (size: number, filling: Filling) => Promise<void>;
}

/** The store of a point. The memory store would drop lines beyond its bound, and they are to be there. */
export function storeOf({ sqlite }: Growth, path: string): Store {
  return sqlite ? sqliteStore({ path }) : memoryStore({ ledgerLines: 10_000_000 });
}

const batch = 1_000;
const line = JSON.stringify({ v: 1, type: "settled", id: "0".repeat(36), fate: "accepted" });

async function addLines(size: number, { store }: Filling): Promise<void> {
  for (let done = 0; done < size; done += batch)
    await store.append(Array.from({ length: Math.min(batch, size - done) }, () => line));
}

/** Into the very windows that the mails are counted in. */
async function countPeople(size: number, { store, windows }: Filling): Promise<void> {
  for (let done = 0; done < size; done += batch) {
    const people = Array.from({ length: Math.min(batch, size - done) }, (_, index) => pseudonym(done + index));
    const caps = windows.map((window) => ({ ...window, people, enforce: true }));
    const none = { scopes: [], once: [], rates: [], event: line, seen: 0 };
    const [answer] = await store.reserve([{ id: `filling-${done}`, caps, ...none }]);
    if (!answer?.ok) throw new Error("Expected people to be counted, got a refusal.");
  }
}

export const growths: readonly Growth[] = [
  {
    name: "allowlist rules",
    sizes: [1, 10, 100, 1_000, 10_000],
    config: (size) => ({
      environment: "staging",
      environments: {
        staging: {
          mode: "test",
          allow: [
            ...Array.from({ length: 40 }, (_, index) => `*@mail-${index}.test`),
            ...Array.from({ length: size }, (_, index) => `*@host-${index}.acme.com`),
          ],
        },
      },
    }),
  },
  {
    name: "purposes",
    sizes: [1, 10, 100, 1_000],
    config: (size) => ({
      purposes: {
        ...guarded.purposes,
        ...Object.fromEntries(
          Array.from({ length: size }, (_, index) => [
            `other-${index}`,
            { kind: "stream" as const, match: { tag: `other-${index}` }, caps: [{ people: 10, per: "1h" }] },
          ]),
        ),
      },
    }),
  },
  {
    name: "plans stored",
    sizes: [1, 10, 100, 500],
    async fill(size, { fuse, send }) {
      for (let index = 0; index < size; index++) {
        const plan = await fuse.plan(
          { purpose: "offer", expectedPeople: 1, requestedBy: "dana" },
          { audience: [`reader.${index}@mail-1.test`], send: (to) => send(to) },
        );
        if (plan.state !== "planned") throw new Error(`Expected a plan, got one that is ${plan.state}.`);
      }
    },
  },
  { name: "ledger lines", sizes: [100, 10_000, 100_000, 1_000_000], fill: addLines },
  { name: "people counted", sizes: [100, 10_000, 100_000], fill: countPeople },
  { name: "ledger lines, SQLite", sizes: [100, 10_000, 100_000], sqlite: true, fill: addLines },
  { name: "people counted, SQLite", sizes: [100, 10_000, 100_000], sqlite: true, fill: countPeople },
];
