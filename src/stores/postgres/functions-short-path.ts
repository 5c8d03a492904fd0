/**
 * The short path of reserving: a handful of statements over a whole batch, in which nothing stands in anybody's way.
 *
 * @module
 */

/**
 * The short path's lists, in this order; those of texts have unit separators, those of numbers and ids commas.
 *
 * Per reservation: id, label, windows of caps, windows of rates, claims as kept, milliseconds to keep, and, where any of
 * the batch has an entry, its plan and index, or nothing and -1. Then claims, and their reservation and time in pairs;
 * windows, their lengths, lowest limits, and what the batch adds at most; scopes; and the rows to write, in threes: window,
 * person or 0 for a message, and four times the reservation's place, plus 1 for a person whom an earlier one of the batch
 * counts as well.
 */
export const shortLists = [
  ...["ids", "labels", "caps", "rates", "claims", "keeps", "plans", "places", "onceKeys", "onceTerms"],
  ...["windows", "lengths", "limits", "needs", "scopes", "rows"],
] as const;

/** Defines `reserve_all`. */
export function shortPathFunctions(s: string): string {
  return `
-- The short path: true when everything passed and is written, false when nothing is.
CREATE OR REPLACE FUNCTION ${s}.reserve_all(m ${s}.meta, part text[], line text[], names text[]) RETURNS bool
LANGUAGE plpgsql AS $fn$
#variable_conflict use_column
DECLARE
  a_id text[] := string_to_array(part[1], E'\\x1f'); n int := cardinality(a_id); k int;
  a_key text[] := string_to_array(part[9], E'\\x1f'); a_term bigint[] := string_to_array(part[10], ',')::bigint[];
  a_plan text[] := string_to_array(part[7], E'\\x1f'); a_place int[] := string_to_array(part[8], ',')::int[];
  a_win uuid[] := string_to_array(part[11], ',')::uuid[]; a_length bigint[] := string_to_array(part[12], ',')::bigint[];
  a_need bigint[] := string_to_array(part[14], ',')::bigint[]; a_row int[] := string_to_array(part[16], ',')::int[];
  base bigint := greatest(m.stamp + 4, m.at * 1000);
BEGIN
  IF EXISTS (SELECT FROM ${s}.halts h WHERE h.scope = ANY (string_to_array(part[15], E'\\x1f'))) THEN RETURN false; END IF;
  IF a_plan <> '{}' THEN
    SELECT count(*) INTO k FROM unnest(a_plan, a_place) AS u (plan, idx)
    JOIN ${s}.entries t ON t.plan = u.plan AND t.idx = u.idx AND t.state IN ('w', 'c');
    IF k < n - cardinality(array_positions(a_plan, '')) THEN RETURN false; END IF;
  END IF;
  IF EXISTS (
    SELECT FROM unnest(a_win, a_need, string_to_array(part[13], ',')::bigint[]) AS u (id, need, most)
    LEFT JOIN ${s}.windows w ON w.id = u.id WHERE coalesce(w.held, 0) + u.need > u.most
  ) THEN RETURN false; END IF;
  FOR attempt IN 1 .. 2 LOOP
    BEGIN
      -- Claims first: what is most often in the way costs least there.
      IF a_key <> '{}' THEN
        INSERT INTO ${s}.once (key, until, reservation)
        SELECT a_key[i], m.at + a_term[2 * i], a_id[a_term[2 * i - 1]] FROM generate_subscripts(a_key, 1) AS i;
      END IF;
      INSERT INTO ${s}.reservations (id, label, seq, at, stamp, caps, rates, claims, plan, idx, keep)
      SELECT u.id, nullif(u.label, ''), m.seq + u.n, m.at, base + 4 * (u.n - 1), nullif(u.caps, ''), nullif(u.rates, ''),
        nullif(u.claims, ''), nullif(u.plan, ''), nullif(u.idx, -1), m.at + u.keep
      FROM unnest(
        a_id, string_to_array(part[2], E'\\x1f'), string_to_array(part[3], E'\\x1f'), string_to_array(part[4], E'\\x1f'),
        string_to_array(part[5], E'\\x1f'), string_to_array(part[6], ',')::bigint[], a_plan, a_place
      ) WITH ORDINALITY AS u (id, label, caps, rates, claims, keep, plan, idx, n);
      IF a_plan <> '{}' THEN
        UPDATE ${s}.entries t SET state = 'r', until = NULL, reservation = u.id
        FROM unnest(a_plan, a_place, a_id) AS u (plan, idx, id) WHERE t.plan = u.plan AND t.idx = u.idx;
      END IF;
      IF a_win <> '{}' THEN
        WITH put AS (
          INSERT INTO ${s}.people AS x (win, person, stamp, born)
          SELECT a_win[a_row[i]],
            CASE WHEN a_row[i + 1] = 0 THEN base + a_row[i + 2] || ':' || i ELSE names[a_row[i + 1]] END,
            base + a_row[i + 2], base + a_row[i + 2]
          FROM generate_series(1, coalesce(cardinality(a_row), 0), 3) AS i
          ON CONFLICT (win, person) DO UPDATE SET
            stamp = greatest(x.stamp | 1, excluded.stamp + CASE
              WHEN excluded.stamp % 4 = 0 AND x.stamp > ${s}.cutoff(m.at, a_length[array_position(a_win, x.win)])
              THEN 1 ELSE 0 END),
            born = CASE WHEN x.born > ${s}.young(m.at, a_length[array_position(a_win, x.win)]) THEN x.born ELSE excluded.born END
          RETURNING x.win, x.xmax = 0 AS fresh
        )
        INSERT INTO ${s}.windows AS w (id, held, length, expires)
        SELECT u.id, sum(u.need), max(u.length), m.at + max(u.length) FROM (
          SELECT * FROM unnest(a_win, a_need, a_length) AS g (id, need, length)
          UNION ALL SELECT put.win, -1, 0 FROM put WHERE NOT put.fresh
        ) AS u GROUP BY u.id
        ON CONFLICT (id) DO UPDATE
        SET held = w.held + excluded.held, length = excluded.length, expires = greatest(w.expires, excluded.expires);
      END IF;
      INSERT INTO ${s}.ledger SELECT m.seq + u.n, m.at, u.event FROM unnest(line) WITH ORDINALITY AS u (event, n);
      UPDATE ${s}.meta SET seq = m.seq + n, at = m.at, stamp = base + 4 * (n - 1) WHERE one = 1;
      RETURN true;
    EXCEPTION WHEN unique_violation THEN
      -- An id or a claim is taken, and all is undone. A claim whose time is over is in nobody's way.
      DELETE FROM ${s}.once o WHERE o.key = ANY (a_key) AND o.until <= m.at;
      EXIT WHEN NOT FOUND;
    END;
  END LOOP;
  RETURN false;
END $fn$;
`;
}
