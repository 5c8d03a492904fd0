/**
 * Windows: people by stamp. A stamp is the time in microseconds, raised so that no two reservations share one:
 * people brought in by a reservation have its stamp, people it counts again the next higher number. A refund takes
 * out exactly those with the stamp itself. Stamps are multiples of 4; staged ones (4n + 2) lie ahead of time.
 * Somebody staged by another keeps that later time, as its odd number: the other may go on.
 *
 * Functions are VOLATILE, as is the default, so each of their statements sees what was committed before it: a
 * statement that both waits for a lock and counts would count what it saw before it waited, and admit too many.
 *
 * @module
 */

/** Defines the functions that every other one builds on. `s` is the schema, quoted. */
export function windowFunctions(s: string, lock: string): string {
  return `
-- Waits for its turn, at most so long, and reads where the ledger stands and what time it is. A connection plans our
-- statements once, perhaps while the tables are empty: what looks cheap then would walk over all of them for hours. So,
-- for this transaction, rows are found by their keys.
CREATE OR REPLACE FUNCTION ${s}.enter(wait int) RETURNS ${s}.meta LANGUAGE plpgsql AS $fn$
DECLARE m ${s}.meta;
BEGIN
  PERFORM set_config('lock_timeout', greatest(wait, 1)::text, true), set_config('plan_cache_mode', 'force_generic_plan', true),
    set_config('jit', 'off', true), set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true);
  PERFORM pg_advisory_xact_lock(${lock});
  SELECT * INTO m FROM ${s}.meta WHERE one = 1;
  -- The clock never goes back: it is the later of the server's and the newest line's.
  m.at := greatest(m.at, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint);
  RETURN m;
END $fn$;

-- The first stamp that counts in a window of this length is the next one.
CREATE OR REPLACE FUNCTION ${s}.cutoff(now bigint, length bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $fn$ SELECT (now - length) * 1000 + 999 $fn$;

-- Rows born after this keep their birth when they are counted again.
CREATE OR REPLACE FUNCTION ${s}.young(now bigint, length bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $fn$ SELECT now * 1000 - length * 32 $fn$;

-- Whether there is room, how many stand in the window and how many would be new. Where the rows alone leave room,
-- nothing is counted: held is never too low, and used and wanted are asked for only in a refusal.
CREATE OR REPLACE FUNCTION ${s}.look(
  id uuid, cut bigint, list text[], messages bigint, most bigint, OUT room boolean, OUT used bigint, OUT wanted bigint
) LANGUAGE plpgsql AS $fn$
DECLARE gone bigint;
BEGIN
  SELECT w.held INTO used FROM ${s}.windows w WHERE w.id = look.id;
  used := coalesce(used, 0);
  wanted := CASE WHEN messages >= 0 THEN messages ELSE cardinality(list) END;
  room := used + wanted <= most;
  IF room THEN RETURN; END IF;
  DELETE FROM ${s}.people p WHERE p.win = look.id AND p.born <= cut AND p.stamp <= cut;
  GET DIAGNOSTICS gone = ROW_COUNT;
  IF gone > 0 THEN
    UPDATE ${s}.windows w SET held = w.held - gone WHERE w.id = look.id;
    used := used - gone;
  END IF;
  IF messages < 0 THEN
    SELECT look.wanted - count(*) INTO wanted FROM ${s}.people p WHERE p.win = look.id AND p.person = ANY (list);
  END IF;
  room := used + wanted <= most;
END $fn$;

-- Counts people from now on. Invariant: held is the number of rows. Answers how many rows came to it.
CREATE OR REPLACE FUNCTION ${s}.take(id uuid, now bigint, length bigint, list text[], own bigint) RETURNS bigint
LANGUAGE plpgsql AS $fn$
DECLARE added bigint; cut bigint := ${s}.cutoff(now, length);
BEGIN
  WITH put AS (
    INSERT INTO ${s}.people AS p (win, person, stamp, born) SELECT take.id, u.person, own, own FROM unnest(list) AS u (person)
    ON CONFLICT (win, person) DO UPDATE SET stamp = greatest(p.stamp | 1, own + CASE WHEN p.stamp <= cut THEN 0 ELSE 1 END),
    born = CASE WHEN p.born > ${s}.young(now, length) THEN p.born ELSE own END
    RETURNING p.xmax = 0 AS fresh
  ) SELECT count(*) FILTER (WHERE fresh) INTO added FROM put;
  INSERT INTO ${s}.windows AS w (id, held, length, expires) VALUES (take.id, added, take.length, now + take.length)
  ON CONFLICT ON CONSTRAINT windows_pkey
  DO UPDATE SET held = w.held + added, length = excluded.length, expires = greatest(w.expires, excluded.expires);
  RETURN added;
END $fn$;

-- Messages stand in a window like people whom nobody ever names again.
CREATE OR REPLACE FUNCTION ${s}.messages(own bigint, many bigint) RETURNS text[]
LANGUAGE sql IMMUTABLE AS $fn$ SELECT coalesce(array_agg(own || ':' || n), '{}') FROM generate_series(1, many) AS n $fn$;

-- Takes out whom a reservation brought in and nobody has counted since, at most so many rows. Answers how many.
CREATE OR REPLACE FUNCTION ${s}.refund(ids uuid[], own bigint, named text[], most bigint) RETURNS bigint
LANGUAGE plpgsql AS $fn$
DECLARE gone bigint;
BEGIN
  WITH chosen AS (
    SELECT p.ctid FROM ${s}.people p
    WHERE p.win = ANY (ids) AND p.born = own AND p.stamp = own AND (named IS NULL OR p.person = ANY (named)) LIMIT most
  ), out AS (
    DELETE FROM ${s}.people d WHERE d.ctid = ANY (ARRAY(SELECT chosen.ctid FROM chosen)) RETURNING d.win
  ), less AS (
    SELECT out.win, count(*) AS n FROM out GROUP BY out.win
  ), changed AS (
    UPDATE ${s}.windows w SET held = w.held - less.n FROM less WHERE w.id = less.win RETURNING less.n
  ) SELECT coalesce(sum(changed.n), 0) INTO gone FROM changed;
  RETURN gone;
END $fn$;

-- Latches a halt; a scope already halted keeps its record.
CREATE OR REPLACE FUNCTION ${s}.latch(scope text, record text, now bigint) RETURNS void LANGUAGE sql AS $fn$
  INSERT INTO ${s}.halts VALUES (scope, now, record) ON CONFLICT DO NOTHING
$fn$;

-- Where staging stands in time: the stamp given, or a new one that lies slack ahead.
CREATE OR REPLACE FUNCTION ${s}.ahead(m ${s}.meta, own bigint, slack bigint) RETURNS bigint LANGUAGE plpgsql AS $fn$
BEGIN
  IF own > 0 THEN RETURN own; END IF;
  own := greatest(m.staged + 4, (m.at + slack) * 1000 + 2);
  UPDATE ${s}.meta SET staged = own WHERE one = 1;
  RETURN own;
END $fn$;

-- One step of staging people, see staging.ts. defs: length and limit in pairs. Rows whose time is over go first, so that
-- a row met here is a person counted before; one whose time is over within twice the slack counts again at once.
CREATE OR REPLACE FUNCTION ${s}.stage(
  expires bigint, wait int, own bigint, slack bigint, ids text, defs text, list text
) RETURNS jsonb LANGUAGE plpgsql AS $fn$
#variable_conflict use_column
DECLARE
  m ${s}.meta := ${s}.enter(wait); def bigint[] := string_to_array(defs, ',')::bigint[];
  a_win uuid[] := string_to_array(ids, ',')::uuid[]; names text[] := string_to_array(list, E'\\x1f');
  rooms jsonb := '[]'; f record; added bigint; length bigint; horizon bigint;
BEGIN
  IF expires > 0 AND m.at > expires THEN RETURN jsonb_build_array(m.at); END IF;
  own := ${s}.ahead(m, own, slack);
  FOR i IN 1 .. coalesce(cardinality(a_win), 0) LOOP
    length := def[2 * i - 1];
    horizon := ${s}.cutoff(m.at, length);
    DELETE FROM ${s}.people p WHERE p.win = a_win[i] AND p.born <= horizon AND p.stamp <= horizon;
    GET DIAGNOSTICS added = ROW_COUNT;
    IF added > 0 THEN UPDATE ${s}.windows w SET held = w.held - added WHERE w.id = a_win[i]; END IF;
    SELECT * INTO f FROM ${s}.look(a_win[i], horizon, names, -1, def[2 * i]);
    added := f.wanted;
    IF f.room THEN
      horizon := ${s}.cutoff(m.at + 2 * slack, length);
      WITH put AS (
        INSERT INTO ${s}.people AS p (win, person, stamp, born) SELECT a_win[i], u.person, own, own FROM unnest(names) AS u (person)
        ON CONFLICT (win, person) DO UPDATE SET stamp = own + 1, born = own WHERE p.stamp <= horizon
        RETURNING p.xmax = 0 AS fresh
      ) SELECT count(*) FILTER (WHERE fresh) INTO added FROM put;
      INSERT INTO ${s}.windows AS w VALUES (a_win[i], added, def[2 * i - 1], m.at + def[2 * i - 1] + slack) ON CONFLICT (id)
      DO UPDATE SET held = w.held + added, length = excluded.length, expires = greatest(w.expires, excluded.expires);
    END IF;
    rooms := rooms || jsonb_build_array(jsonb_build_array(CASE WHEN f.room THEN 1 ELSE 0 END, f.used, added));
  END LOOP;
  RETURN jsonb_build_array(m.at, own::text, rooms);
END $fn$;

-- One step of staging messages. defs: length, limit and messages in threes; each window once.
CREATE OR REPLACE FUNCTION ${s}.stage_messages(
  expires bigint, wait int, own bigint, slack bigint, ids text, defs text
) RETURNS jsonb LANGUAGE plpgsql AS $fn$
#variable_conflict use_column
DECLARE
  m ${s}.meta := ${s}.enter(wait); def bigint[] := string_to_array(defs, ',')::bigint[];
  a_win uuid[] := string_to_array(ids, ',')::uuid[]; rooms jsonb;
BEGIN
  IF expires > 0 AND m.at > expires THEN RETURN jsonb_build_array(m.at); END IF;
  own := ${s}.ahead(m, own, slack);
  -- Those whose time is over go first: each of a window's limits is judged by what is left.
  WITH gone AS (
    DELETE FROM ${s}.people p USING generate_subscripts(a_win, 1) AS i
    WHERE p.win = a_win[i] AND p.born <= ${s}.cutoff(m.at, def[3 * i - 2]) AND p.stamp <= ${s}.cutoff(m.at, def[3 * i - 2])
    RETURNING p.win
  ), less AS (
    SELECT gone.win, count(*) AS n FROM gone GROUP BY gone.win
  ) UPDATE ${s}.windows w SET held = w.held - less.n FROM less WHERE w.id = less.win;
  SELECT jsonb_agg(
    jsonb_build_array(CASE WHEN coalesce(w.held, 0) + def[3 * i] <= def[3 * i - 1] THEN 1 ELSE 0 END, coalesce(w.held, 0), def[3 * i])
    ORDER BY i) INTO rooms
  FROM generate_subscripts(a_win, 1) AS i LEFT JOIN ${s}.windows w ON w.id = a_win[i];
  INSERT INTO ${s}.people (win, person, stamp, born)
  SELECT a_win[i], own || ':' || n, own, own FROM generate_subscripts(a_win, 1) AS i, generate_series(1, def[3 * i]) AS n
  WHERE rooms->(i - 1)->0 = '1';
  INSERT INTO ${s}.windows AS w (id, held, length, expires)
  SELECT a_win[i], def[3 * i], def[3 * i - 2], m.at + def[3 * i - 2] + slack FROM generate_subscripts(a_win, 1) AS i
  WHERE rooms->(i - 1)->0 = '1' ON CONFLICT (id)
  DO UPDATE SET held = w.held + excluded.held, length = excluded.length, expires = greatest(w.expires, excluded.expires);
  RETURN jsonb_build_array(m.at, own::text, rooms);
END $fn$;

-- How many stand in a window, and how many of these people do not.
CREATE OR REPLACE FUNCTION ${s}.missing(expires bigint, wait int, id uuid, length bigint, list text) RETURNS jsonb
LANGUAGE plpgsql AS $fn$
DECLARE m ${s}.meta := ${s}.enter(wait); l record;
BEGIN
  SELECT * INTO l FROM ${s}.look(id, ${s}.cutoff(m.at, length), string_to_array(list, E'\\x1f'), -1, -1);
  RETURN jsonb_build_array(m.at, l.used, l.wanted);
END $fn$;

-- People who stood in these windows before are seen again now.
CREATE OR REPLACE FUNCTION ${s}.again(expires bigint, wait int, own bigint, ids text, list text) RETURNS jsonb
LANGUAGE plpgsql AS $fn$
DECLARE m ${s}.meta := ${s}.enter(wait);
BEGIN
  IF expires > 0 AND m.at > expires THEN RETURN jsonb_build_array(m.at); END IF;
  UPDATE ${s}.people p SET stamp = greatest(p.stamp | 1, own + 1), born = own
  WHERE p.win = ANY (string_to_array(ids, ',')::uuid[]) AND p.person = ANY (string_to_array(list, E'\\x1f')) AND p.stamp <> own;
  UPDATE ${s}.windows w SET expires = greatest(w.expires, own / 1000 + w.length) WHERE w.id = ANY (string_to_array(ids, ',')::uuid[]);
  RETURN jsonb_build_array(m.at, 1);
END $fn$;

-- Takes staged people out, at most 2,000 in one step. Answers 1 while some are left.
CREATE OR REPLACE FUNCTION ${s}.unstage(expires bigint, wait int, own bigint, ids text) RETURNS jsonb
LANGUAGE plpgsql AS $fn$
DECLARE m ${s}.meta := ${s}.enter(wait); gone bigint := ${s}.refund(string_to_array(ids, ',')::uuid[], own, NULL, 2000);
BEGIN
  RETURN jsonb_build_array(m.at, CASE WHEN gone = 2000 THEN 1 ELSE 0 END);
END $fn$;
`;
}
