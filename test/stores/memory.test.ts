import { describe, expect, it } from "vitest";
import { memoryStore } from "../../src/stores/memory";
import { storeConformance } from "../../src/testing/store";

function stoppedClock(start = 1_700_000_000_000) {
  let time = start;
  return {
    now: () => time,
    advance(ms: number) {
      time += ms;
    },
  };
}

storeConformance(
  { describe, it },
  {
    name: "memory",
    async open() {
      const clock = stoppedClock();
      const store = memoryStore({ clock });
      return { store, advance: clock.advance, close: () => store.close() };
    },
    skip: {
      "keeps everything for another process": "it lives in one process",
      "refuses everything after it was closed": "it has opened nothing, and another fuse may share it",
    },
  },
);

// The same suite as a store on a server's clock runs it: the cases must hold on real time too.
storeConformance(
  { describe, it },
  {
    name: "memory on the machine's clock",
    clock: "server",
    async open() {
      const store = memoryStore();
      return { store, close: () => store.close() };
    },
    skip: {
      "keeps everything for another process": "it lives in one process",
      "refuses everything after it was closed": "it has opened nothing, and another fuse may share it",
    },
  },
);

describe("memory store", () => {
  it("drops the oldest ledger lines beyond its bound, and never uses a number again", async () => {
    const store = memoryStore({ ledgerLines: 100 });
    for (let count = 0; count < 3_000; count++) await store.append([String(count)]);
    const lines = await store.read(0, 10_000);
    expect(lines.length).toBeGreaterThanOrEqual(100);
    expect(lines.length).toBeLessThan(1_200);
    expect(lines.at(-1)).toMatchObject({ seq: 3_000, event: "2999" });
  });

  it("reads every line as it was written, however long and in whatever letters, also once older ones were dropped", async () => {
    const store = memoryStore({ ledgerLines: 3_000 });
    const text = (number: number) => `${number} ${(number % 3 === 0 ? "€😀" : "x").repeat(number % 700)}`;
    const long = "ü".repeat(2 ** 20);
    for (let number = 1; number <= 9_000; number++) await store.append([number % 4_000 === 0 ? long : text(number)]);
    const lines = await store.read(0, 10_000);
    expect(lines.length).toBeGreaterThanOrEqual(3_000);
    expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, place) => 9_000 - lines.length + 1 + place));
    for (const { seq, event } of lines) expect(event).toBe(seq % 4_000 === 0 ? long : text(seq));
    await store.trim(8_500);
    expect((await store.read(0, 1))[0]).toMatchObject({ seq: 8_501, event: text(8_501) });
    await store.trim(9_000);
    expect(await store.read(0, 1)).toEqual([]);
    expect(await store.append(["next"])).toEqual([9_001]);
  });

  it("knows who settled a claim for as long as the claim is kept, also when the reservation's lines are gone", async () => {
    const store = memoryStore({ ledgerLines: 1 });
    const once = [{ key: "order-1", ttlMs: 60_000, onUnknown: "hold" as const }];
    const reservation = { id: "first", scopes: [], once, caps: [], rates: [], event: "{}", seen: 0 };
    await store.reserve([reservation]);
    await store.settle([{ reservation: "first", fate: "accepted", messageId: "m-1", event: "{}" }]);
    for (let count = 0; count < 3_000; count++) await store.append(["{}"]);
    const [answer] = await store.reserve([{ ...reservation, id: "second" }]);
    expect(answer).toMatchObject({
      ok: false,
      reason: "duplicate",
      first: { reservation: "first", state: "accepted", messageId: "m-1" },
    });
  });

  it("refuses a bound that keeps no line", () => {
    expect(() => memoryStore({ ledgerLines: 0 })).toThrow("ledgerLines");
    expect(() => memoryStore({ ledgerLines: Number.NaN })).toThrow("CONFIG_INVALID");
  });
});
