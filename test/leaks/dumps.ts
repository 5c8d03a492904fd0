/** Everything that a Redis or PostgreSQL server holds, as its clients read it: its files compress. */
import type { Redis } from "ioredis";
import type { Pool } from "pg";

/** Every key and what is kept at it. */
export async function* redisBytes(client: Redis): AsyncGenerator<Buffer> {
  for (const key of await client.keysBuffer("*")) {
    yield key;
    yield* await keptAt(client, key);
  }
}

async function keptAt(client: Redis, key: Buffer): Promise<Buffer[]> {
  const type = await client.type(key);
  if (type === "string") return [(await client.getBuffer(key)) ?? Buffer.alloc(0)];
  if (type === "hash")
    return [...(await client.hkeys(key)).map((field) => Buffer.from(field)), ...(await client.hvalsBuffer(key))];
  if (type === "set") return client.smembersBuffer(key);
  if (type === "zset") return client.zrangeBuffer(key, "0", "-1");
  if (type === "list") return client.lrangeBuffer(key, 0, -1);
  if (type === "stream") return [Buffer.from(JSON.stringify(await client.xrange(key, "-", "+")))];
  // It ended while we read.
  if (type === "none") return [];
  throw new Error(`Expected a type of key that is known, got ${type}.`);
}

const tables =
  "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')";

/** Every value in every table. */
export async function* postgresBytes(pool: Pool): AsyncGenerator<Buffer> {
  for (const { name } of (await pool.query<{ name: string }>(tables)).rows) {
    const { rows } = await pool.query<Record<string, unknown>>(`select * from ${name}`);
    for (const row of rows)
      for (const value of Object.values(row)) {
        if (Buffer.isBuffer(value)) yield value;
        else yield Buffer.from(typeof value === "string" ? value : (JSON.stringify(value) ?? ""));
      }
  }
}
