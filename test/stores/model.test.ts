import { it } from "vitest";
import { sqliteStore } from "../../src/stores/sqlite";
import { sameAsMemory } from "./support/model";

it("gives the same answers from SQLite as from memory, whatever is asked in whatever order", {
  timeout: 120_000,
}, async () => {
  await sameAsMemory(async (clock) => {
    const store = sqliteStore({ path: ":memory:", clock });
    return { store, close: () => store.close() };
  }, 150);
});
