/**
 * Measures one row, or proves the set-up, in a process of its own: code that has served other fuses before
 * runs slower than the code of an application that has one.
 *
 *     row-process.ts proof
 *     row-process.ts ID ROUNDS [quick]
 */
import process from "node:process";
import { prove } from "./proof";
import type { Row } from "./row";

/**
 * Files of rows, those first whose peers are least. Each is loaded only when those before it lack the row: to have loaded
 * a peer is not free (memory, collections, what it does to prototypes), and an application that has one of them does not
 * have all.
 */
const files = ["guard", "parse", "memory", "imports", "plan", "sqlite", "postgres", "esp", "redis"];

async function find(id: string): Promise<Row> {
  for (const file of files) {
    const exported: Record<string, Row | readonly Row[]> = await import(`./rows/${file}.ts`);
    const row = Object.values(exported)
      .flat()
      .find((one) => one.id === id);
    if (row) return row;
  }
  throw new Error(`Expected the id of a row, got ${id}.`);
}

const [id = "", rounds = "1", quick] = process.argv.slice(2);

async function answer(): Promise<unknown> {
  if (id === "proof") return prove();
  const row = await find(id);
  const tell = (step: string) => console.error(`${id}: ${step}`);
  return row.measure({ quick: quick === "quick", rounds: Number(rounds), tell });
}

// Providers' clients keep connections open that nothing here has to wait for.
process.send?.(await answer(), () => process.exit());
