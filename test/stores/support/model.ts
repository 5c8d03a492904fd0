/** Any sequence of operations, on a store and on the memory store beside it: the answers must be the same. */
import fc from "fast-check";
import { expect } from "vitest";
import type { Reservation, Store } from "../../../src/store";
import { memoryStore } from "../../../src/stores/memory";

// Few keys, people and ids, so that operations meet; windows of several lengths, one per key.
const start = 1_700_000_000_000;
const windows = [1_000, 5_000, 60_000] as const;
const fates = ["accepted", "refused", "failed", "unknown"] as const;

const person = fc.integer({ min: 0, max: 11 }).map((index) => `p${index}`);
const key = fc.integer({ min: 0, max: 2 });
const plan = fc.constantFrom("plan-a", "plan-b");
const scope = fc.constantFrom("*", "purpose:a", "purpose:b");
const often = fc.constantFrom(true, true, true, false);
const small = fc.integer({ min: 0, max: 6 });

const cap = fc.record(
  {
    at: key,
    limit: fc.integer({ min: 2, max: 9 }),
    people: fc.uniqueArray(person, { maxLength: 4 }),
    enforce: often,
    halt: fc.oneof({ weight: 12, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: scope }),
  },
  { noNullPrototype: true },
);

// A key that stands twice in one reservation has the same people, and a rate the same messages.
const caps = fc.uniqueArray(cap, { selector: ({ at }) => at, maxLength: 3 }).map((all) =>
  all.map(({ at, limit, people, enforce, halt }) => ({
    key: `k${at}`,
    windowMs: windows[at] ?? 1_000,
    limit,
    people,
    enforce,
    ...(halt ? { haltOnExceeded: { scope: halt, reason: "cap", by: "cap" } } : {}),
  })),
);

const rates = fc
  .uniqueArray(
    fc.record({
      at: key,
      limit: fc.integer({ min: 3, max: 12 }),
      messages: fc.integer({ min: 0, max: 3 }),
      enforce: often,
    }),
    {
      selector: ({ at }) => at,
      maxLength: 3,
    },
  )
  .map((all) => all.map(({ at, ...rest }) => ({ key: `k${at}`, windowMs: windows[at] ?? 1_000, ...rest })));

const once = fc.uniqueArray(
  fc
    .record({
      key: fc.constantFrom("o0", "o1", "o2"),
      ttlMs: fc.constantFrom(800, 4_000, 90_000),
      onUnknown: fc.constantFrom("hold" as const, "resend" as const),
      leaseMs: fc.option(fc.constantFrom(0, 700, 3_000), { nil: undefined }),
    })
    .map(({ leaseMs, ...claim }) => (leaseMs === undefined ? claim : { ...claim, leaseMs })),
  { selector: (claim) => claim.key, maxLength: 2 },
);

const id = fc.integer({ min: 0, max: 60 }).map((index) => `r${index}`);

const reservation: fc.Arbitrary<Reservation> = fc
  .record({
    id,
    scopes: fc.uniqueArray(scope, { maxLength: 2 }),
    once: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: once }),
    caps,
    rates,
    entry: fc.oneof(
      { weight: 5, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.record({ plan, index: small }) },
    ),
    seen: fc.oneof(
      { weight: 40, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 300 }) },
    ),
  })
  .map(({ entry, ...rest }) => ({ ...rest, event: `{"r":"${rest.id}"}`, ...(entry ? { entry } : {}) }));

const settlement = fc
  .record({
    reservation: id,
    fate: fc.constantFrom(...fates),
    messageId: fc.option(fc.constantFrom("<1@x>", "<2@x>"), { nil: undefined }),
    refusedPeople: fc.option(fc.uniqueArray(person, { maxLength: 4 }), { nil: undefined }),
  })
  .map(({ messageId, refusedPeople, ...rest }) => ({
    ...rest,
    event: `{"s":"${rest.reservation}"}`,
    ...(messageId ? { messageId } : {}),
    ...(refusedPeople ? { refusedPeople } : {}),
  }));

type Step = { readonly name: string; readonly run: (store: Store) => Promise<unknown>; readonly ms?: number };
const step = (name: string, run: Step["run"]): Step => ({ name, run });

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .array(reservation, { minLength: 1, maxLength: 4 })
      .map((all) => step(`reserve ${JSON.stringify(all)}`, (store) => store.reserve(all))),
  },
  {
    weight: 6,
    arbitrary: fc
      .array(settlement, { minLength: 1, maxLength: 4 })
      .map((all) => step(`settle ${JSON.stringify(all)}`, (store) => store.settle(all))),
  },
  {
    weight: 5,
    arbitrary: fc
      .integer({ min: -500, max: 6_000 })
      .map((ms) => ({ name: `time ${ms}`, ms, run: (store: Store) => store.now() })),
  },
  {
    weight: 1,
    arbitrary: scope.map((of) => step(`halt ${of}`, (store) => store.halt({ scope: of, reason: "r", by: "b" }, "{}"))),
  },
  { weight: 3, arbitrary: scope.map((of) => step(`resume ${of}`, (store) => store.resume(of, "{}"))) },
  { weight: 3, arbitrary: fc.constant(step("acknowledge", (store) => store.acknowledge("{}"))) },
  { weight: 1, arbitrary: fc.constant(step("append", (store) => store.append(['"x"', '"y"']))) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 0, max: 60 }).map((seq) => step(`trim ${seq}`, (store) => store.trim(seq))),
  },
  {
    weight: 2,
    arbitrary: plan.map((of) =>
      step(`add ${of}`, (store) => store.addPlan({ id: of, state: "s", record: "{}" }, "{}")),
    ),
  },
  {
    weight: 4,
    arbitrary: fc
      .record({
        id: plan,
        version: fc.integer({ min: 1, max: 3 }),
        caps,
        scopes: fc.uniqueArray(scope, { maxLength: 1 }),
        token: fc.constantFrom("t0", "t1", "t2"),
        until: fc.constantFrom(2_000, 50_000),
      })
      .map(({ token, until, ...rest }) =>
        step(`change ${JSON.stringify(rest)} ${token}`, (store) =>
          store.changePlan({
            ...rest,
            state: "t",
            record: '{"n":1}',
            event: "{}",
            tokens: [{ id: token, until: start + until }],
          }),
        ),
      ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(plan, fc.uniqueArray(small, { maxLength: 5 })).map(([of, indexes]) =>
      step(`spool ${of} ${indexes}`, (store) =>
        store.spool(
          of,
          indexes.map((index) => ({ index, sealed: Uint8Array.of(index) })),
        ),
      ),
    ),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(plan, small, fc.constantFrom(500, 3_000))
      .map(([of, count, ms]) => step(`claim ${of} ${count} ${ms}`, (store) => store.claimEntries(of, "w", count, ms))),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(plan, fc.constantFrom("claimed" as const, "reserved" as const, ...fates))
      .map(([of, from]) => step(`requeue ${of} ${from}`, (store) => store.requeueEntries(of, from, "{}"))),
  },
  { weight: 1, arbitrary: plan.map((of) => step(`drop ${of}`, (store) => store.dropSpool(of))) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom("h0", "h1"), fc.constantFrom(0, 900))
      .map(([holder, ms]) => step(`lease ${holder} ${ms}`, (store) => store.lease("l", holder, ms))),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("v0", "v1").map((value) => step(`set ${value}`, (store) => store.setOnce("v", value))),
  },
  { weight: 1, arbitrary: fc.constant(step("forget", (store) => store.forget("v"))) },
);

// Plans and entries are there from the start: most of what can be asked is about them.
const prepared: readonly Step[] = ["plan-a", "plan-b"].flatMap((of) => [
  step(`add ${of}`, (store) => store.addPlan({ id: of, state: "s", record: "{}" }, "{}")),
  step(`spool ${of}`, (store) =>
    store.spool(
      of,
      [0, 1, 2, 4].map((index) => ({ index, sealed: Uint8Array.of(index) })),
    ),
  ),
]);

/** Everything a caller could ask about the state between two steps. */
async function look(store: Store): Promise<unknown> {
  return {
    now: await store.now(),
    usage: await store.usage(windows.map((windowMs, at) => ({ key: `k${at}`, windowMs }))),
    halts: await store.halts(),
    lines: await store.read(0, 1_000),
    plans: await store.plans(9),
    states: [await store.entryStates("plan-a"), await store.entryStates("plan-b")],
    entries: (await store.entries("plan-a", 1, 3)).map(plainEntry),
    waiting: await store.entriesIn("plan-a", "waiting", 1, 3),
    value: await store.value("v"),
  };
}

function plainEntry(entry: { index: number; sealed: Uint8Array }): unknown {
  return [entry.index, [...entry.sealed]];
}

function plain(answer: unknown): unknown {
  if (Array.isArray(answer)) return answer.map((one) => (one?.sealed ? plainEntry(one) : one));
  return answer;
}

/** Opens an empty store whose time is `clock`'s. */
export type OpenModel = (clock: { now(): number }) => Promise<{ store: Store; close(): Promise<unknown> }>;

/**
 * Compares a store with the memory store on random sequences of operations.
 *
 * @param without Operations left out, by the start of their names, where a store may answer otherwise.
 */
export async function sameAsMemory(open: OpenModel, numRuns: number, without = /^$/): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 60 }), async (sequence) => {
      let time = start;
      const clock = { now: () => time };
      const memory = memoryStore({ clock });
      const { store, close } = await open(clock);
      try {
        const dropped = new Set<string>();
        for (const { name, run, ms } of [...prepared, ...sequence].filter((one) => !without.test(one.name))) {
          const [what, plan] = name.split(" ") as [string, string];
          // Dropping is the end of a spool.
          if (what === "spool" && dropped.has(plan)) continue;
          if (what === "drop") dropped.add(plan);
          time += ms ?? 0;
          expect(plain(await run(store)), name).toEqual(plain(await run(memory)));
          expect(await look(store), name).toEqual(await look(memory));
        }
      } finally {
        await close();
      }
    }),
    { numRuns },
  );
}
