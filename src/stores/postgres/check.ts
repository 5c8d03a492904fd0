/**
 * What a database must be for a cap to hold, looked up when the store opens.
 *
 * @module
 */
import type { StoreFacts } from "../../store";
import { type Database, invalid, nonsense } from "./database";
import { version } from "./schema";

const settings = `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
  current_setting('server_encoding') AS encoding, current_setting('transaction_isolation') AS isolation,
  current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit, to_regclass($1)::text AS meta`;

interface Settings {
  readonly version: string;
  readonly number: number;
  readonly encoding: string;
  readonly isolation: string;
  readonly fsync: string;
  readonly commit: string;
  readonly meta: string | null;
}

/** Refuses a database on which a cap would not hold, or that has no tables yet; tells what its lines survive. */
export async function checkDatabase(database: Database, schema: string, s: string): Promise<StoreFacts> {
  const [found] = (await database.rows(settings, [`${s}.meta`])) as readonly Settings[];
  if (!found) throw nonsense();
  if (found.number < 130_000) throw invalid(`PostgreSQL 13 or newer, got ${found.version}`, "Update the server.");
  if (found.encoding !== "UTF8") {
    throw invalid(`a database in UTF8, got ${found.encoding}`, "Use a database that was made with ENCODING 'UTF8'.");
  }
  if (found.isolation !== "read committed") {
    throw invalid(
      `the isolation level "read committed", got "${found.isolation}"`,
      "Set default_transaction_isolation for mailfuse's role: its functions take their lock first and look afterwards.",
    );
  }
  const migrated = found.meta === null ? 0 : Number(await database.one(`SELECT version FROM ${s}.meta`));
  if (migrated !== version) {
    throw invalid(
      `the schema "${schema}" in version ${version}, got ${migrated === 0 ? "none" : `version ${migrated}`}`,
      migrated > version
        ? "Update mailfuse in this process."
        : "Run `await store.migrate()` once, before the first process starts.",
    );
  }
  const durable = found.fsync === "on" && found.commit !== "off";
  const says = durable
    ? "lines survive a power loss of the server"
    : `fsync ${found.fsync}, synchronous_commit ${found.commit}: lines survive this process; a crash of the server's machine may cost the newest`;
  return {
    kind: "postgres",
    shared: true,
    durability: durable ? "power-loss" : "process",
    says: `PostgreSQL ${found.version}, schema ${schema}: ${says}.`,
  };
}
