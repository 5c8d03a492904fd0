/**
 * Sealed addresses, beside the ledger. A bucket's name stands once; its people refer to it by its key. A large call fills
 * a bucket of its own under the same name, which nobody reads before its reservation has passed.
 *
 * @module
 */

/** How long after its making a large call's bucket is certainly nobody's any more, if it is not shown. */
const abandonedMs = 3_600_000;

/** What `prune` declares, and does: removes the addresses of large calls whose process died, and buckets without any. */
export const pruneAddresses = (s: string) => ({
  declared: `a_left text[] := ARRAY(SELECT b.id FROM ${s}.buckets b WHERE NOT b.shown AND b.made <= over - ${abandonedMs} LIMIT 100);`,
  statements: `
  DELETE FROM ${s}.addresses a WHERE (a.bucket, a.person) IN (
    SELECT t.bucket, t.person FROM ${s}.buckets b JOIN ${s}.addresses t ON t.bucket = b.id
    WHERE b.id = ANY (a_left) AND NOT b.shown LIMIT most);
  GET DIAGNOSTICS gone = ROW_COUNT;
  total := total + gone;
  DELETE FROM ${s}.buckets b WHERE (b.shown OR b.id = ANY (a_left))
  AND NOT EXISTS (SELECT FROM ${s}.addresses a WHERE a.bucket = b.id);`,
});

/** Defines what keeps and destroys addresses. */
export function addressFunctions(s: string): string {
  return `
-- Whether a large call has brought a person's address into a bucket of this name.
CREATE OR REPLACE FUNCTION ${s}.is_kept(given text, who text) RETURNS bool LANGUAGE sql STABLE AS $fn$
  SELECT EXISTS (
    SELECT FROM ${s}.buckets b JOIN ${s}.addresses a ON a.bucket = b.id AND a.person = who WHERE b.name = given AND b.shown)
$fn$;

-- Keeps the addresses of a batch: those of all its reservations, or of the places in passed. Lists as in
-- encode's Addresses. Who is there keeps the first, also among the rows of one batch.
CREATE OR REPLACE FUNCTION ${s}.keep_addresses(now bigint, part text[], passed int[]) RETURNS void LANGUAGE sql AS $fn$
  INSERT INTO ${s}.buckets SELECT u.id, u.name, true, now
  FROM unnest(string_to_array(part[1], E'\\x1f'), string_to_array(part[2], E'\\x1f')) AS u (id, name) ON CONFLICT DO NOTHING;
  INSERT INTO ${s}.addresses (bucket, person, sealed)
  SELECT (string_to_array(part[1], E'\\x1f'))[u.bucket], u.person, u.sealed
  FROM unnest(string_to_array(part[3], ',')::int[], string_to_array(part[4], ',')::int[],
    string_to_array(part[5], E'\\x1f'), string_to_array(part[6], E'\\x1f')) WITH ORDINALITY AS u (place, bucket, person, sealed, n)
  WHERE (passed IS NULL OR u.place = ANY (passed))
  AND NOT ${s}.is_kept((string_to_array(part[2], E'\\x1f'))[u.bucket], u.person) ORDER BY u.n ON CONFLICT DO NOTHING
$fn$;

-- Part of a large call's addresses, into its own bucket. Answers 1.
CREATE OR REPLACE FUNCTION ${s}.stage_addresses(
  expires bigint, wait int, own text, given text, people text, sealed text
) RETURNS jsonb LANGUAGE plpgsql AS $fn$
DECLARE m ${s}.meta := ${s}.enter(wait);
BEGIN
  IF expires > 0 AND m.at > expires THEN RETURN jsonb_build_array(m.at); END IF;
  INSERT INTO ${s}.buckets VALUES (own, given, false, m.at) ON CONFLICT DO NOTHING;
  INSERT INTO ${s}.addresses SELECT own, u.person, u.sealed
  FROM unnest(string_to_array(people, E'\\x1f'), string_to_array(stage_addresses.sealed, E'\\x1f')) WITH ORDINALITY AS u (person, sealed, n)
  WHERE NOT ${s}.is_kept(given, u.person) ORDER BY u.n ON CONFLICT DO NOTHING;
  RETURN jsonb_build_array(m.at, 1);
END $fn$;

-- Destroys a large call's addresses, at most so many, unless it has passed. Answers how many.
CREATE OR REPLACE FUNCTION ${s}.unstage_addresses(expires bigint, wait int, own text, most int) RETURNS jsonb
LANGUAGE plpgsql AS $fn$
DECLARE m ${s}.meta := ${s}.enter(wait); gone int := 0;
BEGIN
  IF EXISTS (SELECT FROM ${s}.buckets b WHERE b.id = own AND NOT b.shown) THEN
    DELETE FROM ${s}.addresses a WHERE a.bucket = own AND a.person IN
      (SELECT t.person FROM ${s}.addresses t WHERE t.bucket = own LIMIT most);
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone < most THEN DELETE FROM ${s}.buckets b WHERE b.id = own; END IF;
  END IF;
  RETURN jsonb_build_array(m.at, gone);
END $fn$;

-- Destroys at most so many addresses of a bucket, or of people in every bucket; answers how many.
CREATE OR REPLACE FUNCTION ${s}.forget_bucket(given text, most int) RETURNS bigint LANGUAGE sql AS $fn$
  WITH gone AS (
    DELETE FROM ${s}.addresses a WHERE (a.bucket, a.person) IN
      (SELECT t.bucket, t.person FROM ${s}.buckets b JOIN ${s}.addresses t ON t.bucket = b.id WHERE b.name = given LIMIT most)
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
