/**
 * Destroying for good. SQLite otherwise only marks a row's place as free, and the log keeps a copy until
 * it is next begun anew. https://www.sqlite.org/pragma.html#pragma_secure_delete
 *
 * @module
 */
import type { Connection, Sql } from "./connection";

/** Repeats a step that deletes until it finds nothing more, overwriting what goes; resolves to how many rows went. */
export async function wipe(connection: Connection, step: (sql: Sql) => number): Promise<number> {
  let gone = 0;
  for (let rows = 1; rows > 0; gone += rows) {
    rows = await connection.bare((sql, database) => {
      const before = Number(sql.get("PRAGMA secure_delete")?.secure_delete);
      database.exec("PRAGMA secure_delete = ON");
      try {
        return step(sql);
      } finally {
        database.exec(`PRAGMA secure_delete = ${before === 2 ? "FAST" : before}`);
      }
    });
  }
  await connection.bare((sql) => {
    const busy = Number(sql.get("PRAGMA wal_checkpoint(TRUNCATE)")?.busy) === 1;
    // A reader holds on to the old log for the moment: asked again like any other lock.
    if (busy) throw Object.assign(new Error("The log could not be begun anew."), { code: "SQLITE_BUSY" });
  });
  return gone;
}
