/**
 * Sealed addresses, beside the ledger. A bucket's name stands once; its people refer to it by its key.
 *
 * @module
 */

/** Defines what keeps and destroys addresses. */
export function addressFunctions(s: string): string {
  return `
-- Keeps the addresses of a batch: those of all its reservations, or of the places in passed. Lists as in
-- encode's Addresses. Who is there keeps the first, also among the rows of one batch.
CREATE OR REPLACE FUNCTION ${s}.keep_addresses(part text[], passed int[]) RETURNS void LANGUAGE sql AS $fn$
  INSERT INTO ${s}.buckets SELECT * FROM unnest(string_to_array(part[1], E'\\x1f'), string_to_array(part[2], E'\\x1f'))
  ON CONFLICT DO NOTHING;
  INSERT INTO ${s}.addresses AS a (bucket, person, sealed)
  SELECT (string_to_array(part[1], E'\\x1f'))[u.bucket], u.person, u.sealed
  FROM unnest(string_to_array(part[3], ',')::int[], string_to_array(part[4], ',')::int[],
    string_to_array(part[5], E'\\x1f'), string_to_array(part[6], E'\\x1f')) WITH ORDINALITY AS u (place, bucket, person, sealed, n)
  WHERE passed IS NULL OR u.place = ANY (passed) ORDER BY u.n ON CONFLICT DO NOTHING
$fn$;

-- Destroys at most so many addresses of a bucket, or of people in every bucket; answers how many.
CREATE OR REPLACE FUNCTION ${s}.forget_bucket(given text, most int) RETURNS bigint LANGUAGE sql AS $fn$
  WITH gone AS (
    DELETE FROM ${s}.addresses a WHERE a.bucket = given AND a.person IN
      (SELECT b.person FROM ${s}.addresses b WHERE b.bucket = given LIMIT most)
    RETURNING 1
  ) SELECT count(*) FROM gone
$fn$;
CREATE OR REPLACE FUNCTION ${s}.forget_people(people text) RETURNS bigint LANGUAGE sql AS $fn$
  WITH gone AS (
    DELETE FROM ${s}.addresses a USING ${s}.buckets b, unnest(string_to_array(people, E'\\x1f')) AS p (name)
    WHERE a.bucket = b.id AND a.person = p.name RETURNING 1
  ) SELECT count(*) FROM gone
$fn$;
`;
}
