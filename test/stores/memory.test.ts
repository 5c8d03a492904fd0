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

  it("refuses a bound that keeps no line", () => {
    expect(() => memoryStore({ ledgerLines: 0 })).toThrow("ledgerLines");
    expect(() => memoryStore({ ledgerLines: Number.NaN })).toThrow("CONFIG_INVALID");
  });
});
