/**
 * Measures one row, or proves the set-up, in a process of its own: code that has served other fuses before
 * runs slower than the code of an application that has one.
 *
 *     row-process.ts proof
 *     row-process.ts ID ROUNDS [quick]
 */
import process from "node:process";
import { prove } from "./proof";
import { rows } from "./rows/index";

const [id = "", rounds = "1", quick] = process.argv.slice(2);

async function answer(): Promise<unknown> {
  if (id === "proof") return prove();
  const row = rows.find((one) => one.id === id);
  if (!row) throw new Error(`Expected the id of a row, got ${id}.`);
  const tell = (step: string) => console.error(`${id}: ${step}`);
  return row.measure({ quick: quick === "quick", rounds: Number(rounds), tell });
}

// Providers' clients keep connections open that nothing here has to wait for.
process.send?.(await answer(), () => process.exit());
