// One of several processes on one SQLite file: asks for many people at once, and prints who passed.
import { sqliteStore } from "../../../src/stores/sqlite";

const [path = "", name = "", limit = "0"] = process.argv.slice(2);
const store = sqliteStore({ path, timeoutMs: 60_000 });
let next = 0;

async function sender(): Promise<void> {
  while (next < 400) {
    const person = `${name}-${next++}`;
    const [answer] = await store.reserve([
      {
        id: person,
        scopes: ["*"],
        once: [],
        rates: [],
        caps: [{ key: "k", windowMs: 3_600_000, limit: Number(limit), people: [person], enforce: true }],
        event: JSON.stringify(person),
        seen: 0,
      },
    ]);
    process.stdout.write(`${answer?.ok ? "passed" : "refused"} ${person}\n`);
  }
}

await Promise.all(Array.from({ length: 5 }, sender));
await store.close();
