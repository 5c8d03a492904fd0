/** A plan's record and spool, changed in the store, byte region by byte region: each a coded error, and nothing arrives. */
import type { PlanRow, SpoolEntry, Store } from "../../src/store";
import { type Check, type Result, type RunOptions, random } from "../faults/check";
import { type Kind, skipped } from "../faults/places";
import { placeOf } from "./places";
import { codeOf, openWorld } from "./world";

/** `tamper/<store>`. */
export function tamperChecks(kind: Kind): Check {
  const why = skipped[kind];
  return {
    id: `tamper/${kind}`,
    ...(why === undefined ? {} : { skipped: why }),
    run: (options) => tamper(kind, options),
  };
}

/** What is changed of what the store gives. */
interface Change {
  readonly row?: (row: PlanRow) => PlanRow;
  readonly entries?: (entries: readonly SpoolEntry[]) => readonly SpoolEntry[];
  /** Only of what a worker leases: the look at the whole before the release finds nothing. */
  readonly claimed?: (entries: readonly SpoolEntry[]) => readonly SpoolEntry[];
}

function changedStore(store: Store, plan: string, { row, entries, claimed }: Change): Store {
  return {
    ...store,
    async plan(id) {
      const found = await store.plan(id);
      return found && id === plan && row ? row(found) : found;
    },
    async entries(id, from, limit) {
      const found = await store.entries(id, from, limit);
      return id === plan && entries ? entries(found) : found;
    },
    async claimEntries(id, ...given) {
      const found = await store.claimEntries(id, ...given);
      return id === plan && claimed ? claimed(found) : found;
    },
  };
}

const people = 6;

async function tamper(kind: Kind, { quick, say }: RunOptions): Promise<Result> {
  const { store } = await placeOf(kind);
  const world = await openWorld(store);
  const any = random(20_251_123);
  const plan = await world.plan(Array.from({ length: people }, (_, n) => `t${n}@people.example`));
  const other = await world.plan(Array.from({ length: people }, (_, n) => `o${n}@people.example`));
  const foreign = await store.entries(other.id, 0, people);
  const foreignRow = await store.plan(other.id);
  const tokens = [await world.token(plan, "erin")];
  const { record = "" } = (await store.plan(plan.id)) ?? {};
  const step = quick ? Math.ceil(record.length / 120) : Math.ceil(record.length / 1_500);
  const changes: [string, Change][] = [];
  for (let at = 0; at < record.length; at += step) {
    const byte = String.fromCharCode(record.charCodeAt(at) ^ (1 + any(15)));
    changes.push([
      `record:${at}`,
      { row: (row) => ({ ...row, record: row.record.slice(0, at) + byte + row.record.slice(at + 1) }) },
    ]);
  }
  for (const state of ["confirmed", "halted", "releasing", "canary", "partial"])
    changes.push([`state:${state}`, { row: (row) => ({ ...row, state }) }]);
  changes.push(["row of another plan", { row: (row) => ({ ...row, record: foreignRow?.record ?? "" }) }]);
  const flip = (index: number, at: (length: number) => number) => (all: readonly SpoolEntry[]) =>
    all.map((entry) => {
      if (entry.index !== index) return entry;
      const sealed = Uint8Array.from(entry.sealed);
      const place = at(sealed.length);
      sealed[place] = (sealed[place] ?? 0) ^ (1 + any(255));
      return { ...entry, sealed };
    });
  const rounds = quick ? 10 : 60;
  for (let round = 0; round < rounds; round++) {
    const index = any(people);
    const share = (round + any(100) / 100) / rounds;
    const change = flip(index, (length) => Math.min(length - 1, Math.floor(length * share)));
    changes.push([`entry ${index} at ${share.toFixed(2)}`, { entries: change }]);
    changes.push([`leased entry at ${share.toFixed(2)}`, { claimed: change }]);
  }
  const lists: [string, NonNullable<Change["entries"]>][] = [
    ["one gone", (all) => all.filter(({ index }) => index !== 2)],
    ["the last gone", (all) => all.filter(({ index }) => index !== people - 1)],
    ["two exchanged", (all) => all.map(({ index, sealed }) => ({ index, sealed: all[index ^ 1]?.sealed ?? sealed }))],
    [
      "one twice",
      (all) => all.map(({ index, sealed }) => ({ index, sealed: index === 3 ? (all[2]?.sealed ?? sealed) : sealed })),
    ],
    ["another plan's", (all) => all.map(({ index, sealed }) => ({ index, sealed: foreign[index]?.sealed ?? sealed }))],
    [
      "one cut",
      (all) => all.map(({ index, sealed }) => ({ index, sealed: index === 1 ? sealed.subarray(0, 20) : sealed })),
    ],
  ];
  for (const [name, change] of lists) changes.push([name, { entries: change }]);
  for (const [name, change] of lists.slice(2)) changes.push([`leased: ${name}`, { claimed: change }]);

  let wrong = 0;
  const codes: Record<string, number> = {};
  try {
    for (const [name, change] of changes) {
      say(name);
      const victim = change.claimed ? await world.plan([0, 1, 2, 3, 4, 5].map((n) => `v${n}@people.example`)) : plan;
      const given = change.claimed ? [await world.token(victim, "erin")] : tokens;
      const before = world.office.arrived.size;
      const fuse = world.open({ store: changedStore(store, victim.id, change) });
      const code = await codeOf(fuse.release(victim.id, { tokens: given, concurrency: 1, wait: false }));
      codes[code] = (codes[code] ?? 0) + 1;
      if (code !== "PLAN_TAMPERED" || world.office.arrived.size !== before) {
        wrong++;
        console.error(`${name}: ${code}, ${world.office.arrived.size - before} arrived`);
      }
    }
    // The same tokens, untouched: nothing was spent by what was refused.
    const { accepted } = await world.fuse.release(plan.id, { tokens });
    if (accepted !== people || world.office.arrived.size !== people) wrong++;
  } finally {
    await world.close();
  }
  return { runs: changes.length, attempts: changes.length, delivered: 0, violations: wrong, notes: codes };
}
