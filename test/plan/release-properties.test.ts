import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Fate } from "../../src/adapter";
import { MailfuseError } from "../../src/errors";
import type { Store } from "../../src/store";
import { setUp, whileTimePasses } from "./release-set-up";

/** What happens to one release: the calls of the store at which a process dies, and what is changed in the store. */
interface Story {
  readonly audience: readonly number[];
  readonly perCall: number;
  readonly fates: readonly Fate[];
  /** After so many steps of the store a worker hears nothing more, one worker after the other. */
  readonly deaths: readonly number[];
  readonly concurrency: number;
  readonly canary: number | undefined;
  readonly rate: number | undefined;
  /** A place in what the store gives, from 0 to 1, and what is tampered with there. */
  readonly tampering: { readonly what: "record" | "entry" | "leased" | "order"; readonly at: number } | undefined;
}

const story: fc.Arbitrary<Story> = fc.record({
  audience: fc.uniqueArray(fc.nat(999), { minLength: 1, maxLength: 40 }),
  perCall: fc.integer({ min: 1, max: 4 }),
  fates: fc.array(fc.constantFrom<Fate>("accepted", "accepted", "accepted", "refused", "unknown", "failed"), {
    maxLength: 40,
  }),
  deaths: fc.array(fc.integer({ min: 1, max: 150 }), { maxLength: 3 }),
  concurrency: fc.integer({ min: 1, max: 6 }),
  canary: fc.option(fc.integer({ min: 1, max: 10 }), { nil: undefined }),
  rate: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
  tampering: fc.option(
    fc.record({
      what: fc.constantFrom("record", "entry", "leased", "order"),
      at: fc.double({ min: 0, max: 0.999, noNaN: true }),
    }),
    { nil: undefined },
  ),
});

/** The store as a process sees it that dies after so many steps: from then on nothing is answered, or done. */
function mortal(store: Store, steps: number): Store {
  let left = steps;
  return new Proxy(store, {
    get(target, name) {
      const method = target[name as keyof Store] as (...given: unknown[]) => Promise<unknown>;
      return async (...given: unknown[]) => {
        if (left-- <= 0) return new Promise(() => {});
        const answer = await method(...given);
        // Half of the deaths fall behind the step, where the store has done it and the process does not know.
        return left === 0 && steps % 2 === 0 ? new Promise(() => {}) : answer;
      };
    },
  });
}

function tampered(store: Store, id: string, { what, at }: NonNullable<Story["tampering"]>): Store {
  const flip = (bytes: Uint8Array) => {
    const changed = Uint8Array.from(bytes);
    const place = Math.floor(at * changed.length);
    changed[place] = (changed[place] ?? 0) ^ 1;
    return changed;
  };
  const change = (all: Awaited<ReturnType<Store["entries"]>>) => {
    const target = Math.floor(at * all.length);
    if (what === "order")
      return all.map((entry, n) => ({ ...entry, sealed: all[(n + 1) % all.length]?.sealed ?? entry.sealed }));
    return all.map((entry, n) => (n === target ? { ...entry, sealed: flip(entry.sealed) } : entry));
  };
  return {
    ...store,
    async plan(asked) {
      const row = await store.plan(asked);
      if (!row || asked !== id || what !== "record") return row;
      return { ...row, record: Buffer.from(flip(Buffer.from(row.record))).toString("latin1") };
    },
    async entries(asked, ...given) {
      const found = await store.entries(asked, ...given);
      return asked === id && (what === "entry" || what === "order") ? change(found) : found;
    },
    async claimEntries(asked, ...given) {
      const found = await store.claimEntries(asked, ...given);
      return asked === id && what === "leased" ? change(found) : found;
    },
  };
}

describe("whatever the audience, the crashes and the tampering", () => {
  it("those who get mail were approved, get the approved bytes, and get them once; all do where nothing went wrong", async () => {
    const seen = { crashed: 0, whole: 0, stopped: 0 };
    await fc.assert(
      fc.asyncProperty(story, async (told) => {
        const all = setUp({ purposes: { offer: { kind: "bulk", caps: [{ people: 1_000, per: "24h" }] } } });
        const audience = told.audience.map((n) => `p${n}@acme.test`);
        const calls: string[][] = [];
        for (const [n, to] of audience.entries()) {
          if (n % told.perCall === 0) calls.push([]);
          calls.at(-1)?.push(to);
        }
        const plan = await all.fuse.plan(
          {
            ...{ purpose: "offer", expectedPeople: audience.length, requestedBy: "dana" },
            ...(told.canary ? { canary: { people: told.canary, wait: "1m" as const } } : {}),
            ...(told.rate ? { rate: { messages: told.rate, per: "1m" as const } } : {}),
          },
          {
            audience: calls,
            send: (call) => all.client.send(call.map((to) => ({ to, subject: "Offer", text: `for ${to}` }))),
          },
        );
        const tokens = [await all.token(plan, "erin")];
        const clients = [all.client];
        const fates = [...told.fates];
        for (const steps of told.deaths) {
          const dying = all.make({
            store: mortal(all.store, steps),
            clock: { now: all.clock.now, after: () => () => {} },
          });
          clients.push(dying.client);
          dying.client.fates.push(...fates.splice(0, 10));
          const dead = dying.fuse.release(plan.id, { tokens, concurrency: told.concurrency }).then(
            () => true,
            () => true,
          );
          for (let turn = 0; turn < 400; turn++) await new Promise((resolve) => setImmediate(resolve));
          if (!(await Promise.race([dead, Promise.resolve(false)]))) seen.crashed++;
          all.clock.advance(61_000);
        }
        const store = told.tampering ? tampered(all.store, plan.id, told.tampering) : all.store;
        const last = all.make({ store });
        clients.push(last.client);
        last.client.fates.push(...fates);
        const release = () => last.fuse.release(plan.id, { tokens, concurrency: told.concurrency });
        const result = await whileTimePasses(all, release()).catch((error: unknown) => {
          if (!MailfuseError.isInstance(error)) throw error;
          return error;
        });

        const wire = clients.flatMap((client) => client.wire);
        const reached = wire.map(({ to }) => String(to));
        // Nobody else, nothing else, nobody twice.
        expect(audience).toEqual(expect.arrayContaining(reached));
        for (const { to, text } of wire) expect(text).toBe(`for ${String(to)}`);
        expect(new Set(reached).size).toBe(reached.length);
        const clean = told.deaths.length === 0 && told.fates.every((fate) => fate === "accepted") && !told.tampering;
        if (clean) expect(reached.sort()).toEqual([...audience].sort());
        if (result instanceof Error) {
          seen.stopped++;
          expect(["PLAN_TAMPERED", "PLAN_STATE"]).toContain(result.code);
          if (result.code === "PLAN_STATE")
            expect(["done", "partial", "canary"]).toContain((await all.fuse.findPlan(plan.id)).state);
          else expect(told.tampering).toBeDefined();
        } else if (result.state !== "canary") {
          seen.whole++;
          // Whoever misses it is among the calls that were refused or are unknown.
          const missing = calls.filter((call) => call.some((to) => !reached.includes(to))).length;
          expect(missing).toBeLessThanOrEqual(result.unknown + result.refused + result.waiting);
          expect(result.accepted + result.unknown + result.refused + result.waiting).toBe(calls.length);
          expect(result.waiting).toBe(0);
        }
      }),
      { numRuns: 80, timeout: 30_000 },
    );
    // A property over stories in which nothing happens would prove nothing.
    expect(Math.min(seen.crashed, seen.whole, seen.stopped)).toBeGreaterThan(3);
  }, 240_000);
});
