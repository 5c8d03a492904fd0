/** Calls to thousands of people, which stores behind a network take step by step: as exact as small ones. */
import { expect, it } from "vitest";
import type { CapSpend, Reservation, Store } from "../../../src/store";

const hour = 3_600_000;
const crowd = (count: number, first = 0) => Array.from({ length: count }, (_, index) => `person-${first + index}`);
const cap = (key: string, limit: number, people: readonly string[], more: Partial<CapSpend> = {}): CapSpend => ({
  key,
  windowMs: hour,
  limit,
  people,
  enforce: true,
  ...more,
});

let ids = 0;
const reservation = (wants: Partial<Reservation> = {}): Reservation => {
  const id = wants.id ?? `large-${ids++}`;
  return { id, scopes: ["*"], once: [], caps: [], rates: [], event: JSON.stringify({ id }), seen: 0, ...wants };
};

/** Registers the cases. `fresh` opens an empty store. */
export function largeCalls(fresh: () => Promise<Store>): void {
  const used = async (store: Store, ...keys: string[]) => store.usage(keys.map((key) => ({ key, windowMs: hour })));

  it("refuses a large call with the same figures as a small one, and leaves the windows as they were", async () => {
    const store = await fresh();
    await store.reserve([reservation({ caps: [cap("k", 5_000, crowd(1_500))] })]);
    const people = crowd(4_000, 1_000);
    const [answer] = await store.reserve([
      reservation({ caps: [cap("free", 9_000, people), cap("k", 4_999, people)] }),
    ]);
    expect(answer).toEqual({ ok: false, reason: "cap", key: "k", limit: 4_999, used: 1_500, wanted: 3_500 });
    expect(await used(store, "k", "free")).toEqual([1_500, 0]);
    expect((await store.read(0, 10)).length).toBe(1);
    const [passed] = await store.reserve([
      reservation({ caps: [cap("free", 9_000, people), cap("k", 5_000, people)] }),
    ]);
    expect(passed?.ok).toBe(true);
    expect(await used(store, "k", "free")).toEqual([5_000, 4_000]);
  });

  it("lets one of two large calls at once have the room that is there for one", async () => {
    const store = await fresh();
    const answers = await Promise.all(
      [0, 3_000].map((first) => store.reserve([reservation({ caps: [cap("k", 4_000, crowd(3_000, first))] })])),
    );
    // Both may meet half-way and both be refused; never do both pass.
    const passed = answers.flat().filter((answer) => answer.ok).length;
    expect(passed).toBeLessThanOrEqual(1);
    expect(await used(store, "k")).toEqual([passed * 3_000]);
  });

  it("gives back the people of a large call that was refused, but nobody whom another has counted", async () => {
    const store = await fresh();
    await store.reserve([reservation({ caps: [cap("k", 9_000, crowd(10))] })]);
    await store.reserve([reservation({ id: "big", caps: [cap("k", 9_000, crowd(3_000))] })]);
    await store.reserve([reservation({ caps: [cap("k", 9_000, crowd(10, 2_990))] })]);
    await store.settle([{ reservation: "big", fate: "refused", event: "{}" }]);
    expect(await used(store, "k")).toEqual([20]);
  });

  it("judges a large call in the same order: halts and claims before caps", async () => {
    const store = await fresh();
    const people = crowd(2_500);
    const claim = { key: "once", ttlMs: hour, onUnknown: "hold" as const };
    await store.reserve([reservation({ once: [claim] })]);
    const over = { caps: [cap("k", 10, people)], once: [claim] };
    const [duplicate] = await store.reserve([reservation(over)]);
    expect(duplicate).toMatchObject({ ok: false, reason: "duplicate", key: "once" });
    await store.halt({ scope: "*", reason: "stop", by: "dana" }, "{}");
    const [halted] = await store.reserve([reservation(over)]);
    expect(halted).toMatchObject({ ok: false, reason: "halted" });
    expect(await used(store, "k")).toEqual([0]);
  });

  it("latches the halt of a large call that goes beyond, and reports what is not enforced", async () => {
    const store = await fresh();
    const people = crowd(2_500);
    const halt = { scope: "purpose:x", reason: "cap", by: "cap:k" };
    const [watched] = await store.reserve([
      reservation({ caps: [cap("watched", 2_499, people, { enforce: false }), cap("k", 2_500, people)] }),
    ]);
    expect(watched).toMatchObject({ ok: true, exceeded: ["watched"] });
    expect(await used(store, "watched", "k")).toEqual([0, 2_500]);
    await store.reserve([reservation({ caps: [cap("k", 2_500, crowd(2_500, 1), { haltOnExceeded: halt })] })]);
    expect((await store.halts()).map(({ scope }) => scope)).toEqual(["purpose:x"]);
  });

  it("spends the caps of a plan for thousands with its change, or neither", async () => {
    const store = await fresh();
    await store.addPlan({ id: "p", state: "planned", record: "{}" }, "{}");
    const change = { id: "p", version: 1, state: "releasing", record: "{}", event: "{}", scopes: ["*"] };
    const tokens = [{ id: "t", until: (await store.now()) + hour }];
    const over = await store.changePlan({ ...change, caps: [cap("k", 2_999, crowd(3_000))], tokens });
    expect(over).toEqual({ ok: false, reason: "cap", key: "k", limit: 2_999, used: 0, wanted: 3_000 });
    expect(await store.changePlan({ ...change, version: 7, caps: [cap("k", 9_999, crowd(3_000))] })).toEqual({
      ok: false,
      reason: "version",
    });
    expect(await used(store, "k")).toEqual([0]);
    expect((await store.changePlan({ ...change, caps: [cap("k", 3_000, crowd(3_000))], tokens })).ok).toBe(true);
    expect(await used(store, "k")).toEqual([3_000]);
    expect((await store.plan("p"))?.version).toBe(2);
  });

  it("keeps the addresses of a large call with it or not at all, beside those that were there", async () => {
    const store = await fresh();
    const sealed = (people: readonly string[], mark: string) =>
      people.map((person) => [person, `${mark} ${person}`] as const);
    const reach = async (people: readonly string[], mark: string, limit = 99_999) => {
      const addresses = { bucket: "day", sealed: sealed(people, mark) };
      const [answer] = await store.reserve([reservation({ caps: [cap("k", limit, people)], addresses })]);
      return answer?.ok;
    };
    expect(await reach(crowd(2_500), "over", 2_499)).toBe(false);
    expect(await store.addressBuckets()).toEqual([]);
    expect(await store.addresses("day", crowd(1))).toEqual([undefined]);

    expect(await reach(crowd(1), "first")).toBe(true);
    expect(await reach(crowd(2_500), "second")).toBe(true);
    expect(await reach(crowd(2_500, 1_000), "third")).toBe(true);
    expect(await reach(crowd(2, 3_499), "fourth")).toBe(true);
    const people = ["person-0", "person-1", "person-2499", "person-2500", "person-3499", "person-3500", "person-3501"];
    const marks = ["first", "second", "second", "third", "third", "fourth", undefined];
    const expected = people.map((person, index) => (marks[index] ? `${marks[index]} ${person}` : undefined));
    expect(await store.addresses("day", people)).toEqual(expected);

    expect(await store.forgetAddresses({ people: ["person-1", "person-3000", "nobody"] })).toBe(2);
    expect(await store.addresses("day", ["person-1", "person-2"])).toEqual([undefined, "second person-2"]);
    expect(await store.forgetAddresses({ bucket: "day" })).toBe(3_499);
    expect(await store.addressBuckets()).toEqual([]);
    expect(await store.addresses("day", people)).toEqual(people.map(() => undefined));
  });

  it("judges two limits on one window by the messages whose time is not over", async () => {
    const store = await fresh();
    const short = { key: "twice", windowMs: 1, messages: 1, enforce: true };
    const [first] = await store.reserve([reservation({ rates: [{ ...short, limit: 7, messages: 3 }] })]);
    while (first?.ok && (await store.now()) <= first.at + 1) await Promise.resolve();
    const many = crowd(2_200).map((key) => ({ ...short, key, limit: 1 }));
    const rates = [{ ...short, limit: 2 }, { ...short, limit: 7 }, ...many];
    expect(await store.reserve([reservation({ rates })])).toMatchObject([{ ok: true }]);
  });

  it("counts thousands of messages at once, each person's apart", async () => {
    const store = await fresh();
    const rates = crowd(2_200).map((person) => ({ key: person, windowMs: hour, limit: 1, messages: 1, enforce: true }));
    const [first] = await store.reserve([reservation({ id: "first", rates })]);
    expect(first?.ok).toBe(true);
    const [second] = await store.reserve([reservation({ rates })]);
    expect(second).toEqual({ ok: false, reason: "cap", key: "person-0", limit: 1, used: 1, wanted: 1 });
    await store.settle([{ reservation: "first", fate: "refused", event: "{}" }]);
    const [third] = await store.reserve([reservation({ rates })]);
    expect(third?.ok).toBe(true);
  });
}
