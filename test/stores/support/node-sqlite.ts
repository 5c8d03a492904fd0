// The conformance suite over node:sqlite, under node:test: run by sqlite.test.ts in a Node that has both.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { Store } from "../../../src/store";
import { type SqliteDatabase, sqliteStore } from "../../../src/stores/sqlite";
import { storeConformance } from "../../../src/testing/store";

type Connect = (path: string, clock: { now(): number }) => { store: Store; end?: () => void };

const { DatabaseSync } = process.getBuiltinModule("node:sqlite") as unknown as {
  DatabaseSync: new (path: string) => SqliteDatabase;
};

// Where better-sqlite3 is built for another Node, this shows that `path` opens what is there.
suite("sqlite by path", (path, clock) => ({ store: sqliteStore({ path, clock }) }));

suite("sqlite by an injected DatabaseSync", (path, clock) => {
  const database = new DatabaseSync(path);
  return { store: sqliteStore({ database, clock }), end: () => void database.close() };
});

function suite(name: string, connect: Connect): void {
  storeConformance(
    { describe, it },
    {
      name,
      async open() {
        let time = 1_700_000_000_000;
        const clock = { now: () => time };
        const directory = mkdtempSync(join(tmpdir(), "mailfuse-sqlite-"));
        const first = connect(join(directory, "m.db"), clock);
        const made = [first];
        return {
          store: first.store,
          async reopen() {
            const another = connect(join(directory, "m.db"), clock);
            made.push(another);
            return another.store;
          },
          advance(ms) {
            time += ms;
          },
          async close() {
            for (const { store, end } of made) {
              await store.close();
              end?.();
            }
            rmSync(directory, { recursive: true });
          },
        };
      },
    },
  );
}
