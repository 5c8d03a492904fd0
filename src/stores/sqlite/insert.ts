/**
 * Inserting many rows with few statements: each costs about as much as the row it writes.
 *
 * @module
 */
import type { Sql } from "./connection";
import type { SqliteValue } from "./driver";

/** Rows of one statement, so that few are ever prepared. */
const sizes = [32, 8, 1] as const;

/**
 * Makes an insert.
 *
 * @param into up to the word VALUES
 * @param row one row of it, such as `(?, ?)`
 * @returns takes the values of all rows, one behind the other
 */
export function makeInsert(into: string, row: string, then = ""): (sql: Sql, values: readonly SqliteValue[]) => void {
  const width = row.split("?").length - 1;
  const statements = sizes.map((rows) => `${into} VALUES ${Array<string>(rows).fill(row).join()} ${then}`);
  return (sql, values) => {
    let from = 0;
    for (const [place, rows] of sizes.entries()) {
      for (const many = rows * width; from + many <= values.length; from += many) {
        sql.run(statements[place] ?? "", ...values.slice(from, from + many));
      }
    }
  };
}
