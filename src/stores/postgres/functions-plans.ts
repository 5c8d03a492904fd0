/**
 * Plans and the entries of their spools.
 *
 * @module
 */

/** Defines the functions of plans and entries. */
export function planFunctions(s: string): string {
  const enter = `m ${s}.meta := ${s}.enter(wait)`;
  const late = "IF expires > 0 AND m.at > expires THEN RETURN jsonb_build_array(m.at); END IF;";
  return `
-- An id is taken once; the line is written with the plan.
CREATE OR REPLACE FUNCTION ${s}.add_plan(
  expires bigint, wait int, given text, label text, state text, record text, event text
) RETURNS jsonb LANGUAGE plpgsql AS $fn$
DECLARE ${enter}; added int;
BEGIN
  ${late}
  INSERT INTO ${s}.plans VALUES (given, label, m.seq + 1, state, 1, record, m.at) ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS added = ROW_COUNT;
  IF added = 1 THEN
    INSERT INTO ${s}.ledger VALUES (m.seq + 1, m.at, event);
    UPDATE ${s}.meta SET seq = m.seq + 1, at = m.at WHERE one = 1;
  END IF;
  RETURN jsonb_build_array(m.at, added);
END $fn$;

-- Version, tokens, caps, record and line change together or not at all; a token is spent once. Judged in the order
-- version, halted, tokens, caps. x: i plan, v version, o scopes, t tokens [id, until], c spends as in judge, z staged
-- stamp, d judge only.
CREATE OR REPLACE FUNCTION ${s}.change_plan(
  expires bigint, wait int, x jsonb, people text, given text, fresh text, event text
) RETURNS jsonb LANGUAGE plpgsql AS $fn$
DECLARE
  ${enter}; names text[] := string_to_array(people, E'\\x1f'); known int; h record; t jsonb; place int := 0; j record;
  own bigint := coalesce((x->>'z')::bigint, 0); spent text[] := '{}';
BEGIN
  ${late}
  SELECT p.version INTO known FROM ${s}.plans p WHERE p.id = x->>'i';
  IF known IS NULL OR known <> (x->>'v')::int THEN RETURN jsonb_build_array(m.at, 'version'); END IF;
  SELECT q.at, q.record INTO h FROM jsonb_array_elements_text(x->'o') WITH ORDINALITY AS o (scope, place)
  JOIN ${s}.halts q ON q.scope = o.scope ORDER BY o.place LIMIT 1;
  IF FOUND THEN RETURN jsonb_build_array(m.at, 'halted', h.at, h.record); END IF;
  FOR t IN SELECT * FROM jsonb_array_elements(x->'t') LOOP
    place := place + 1;
    IF t->>0 = ANY (spent) OR EXISTS (SELECT FROM ${s}.tokens k WHERE k.id = t->>0 AND k.until > m.at) THEN
      RETURN jsonb_build_array(m.at, 'token', place);
    END IF;
    spent := spent || (t->>0);
  END LOOP;
  IF x ? 'd' THEN RETURN jsonb_build_array(m.at, 'dry'); END IF;
  SELECT * INTO j FROM ${s}.judge(m.at, x->'c', names);
  IF j.refusal IS NOT NULL THEN RETURN jsonb_build_array(m.at) || j.refusal; END IF;
  IF own > 0 AND m.at * 1000 > own THEN RETURN jsonb_build_array(m.at, 'late'); END IF;
  IF own = 0 THEN
    m.stamp := greatest(m.stamp + 4, m.at * 1000);
    own := m.stamp;
  END IF;
  PERFORM ${s}.spend(m.at, own, j.pass, names);
  INSERT INTO ${s}.tokens AS k SELECT e->>0, (e->>1)::bigint FROM jsonb_array_elements(x->'t') AS e
  ON CONFLICT (id) DO UPDATE SET until = excluded.until;
  UPDATE ${s}.plans p SET state = given, version = known + 1, record = fresh WHERE p.id = x->>'i';
  INSERT INTO ${s}.ledger VALUES (m.seq + 1, m.at, event);
  UPDATE ${s}.meta SET seq = m.seq + 1, at = m.at, stamp = m.stamp WHERE one = 1;
  RETURN jsonb_build_array(m.at, 'ok', m.seq + 1);
END $fn$;

-- Bytes and states together; an index already there is left as it is. sealed: base64 by commas.
CREATE OR REPLACE FUNCTION ${s}.add_entries(given text, indexes text, sealed text) RETURNS void
LANGUAGE sql AS $fn$
  WITH fresh AS (
    INSERT INTO ${s}.entries (plan, idx, state) SELECT given, u, 'w' FROM unnest(string_to_array(indexes, ',')::int[]) AS u
    ORDER BY u ON CONFLICT DO NOTHING RETURNING idx
  )
  INSERT INTO ${s}.sealed SELECT given, u.idx, decode(u.bytes, 'base64')
  FROM unnest(string_to_array(indexes, ',')::int[], string_to_array(sealed, ',')) AS u (idx, bytes)
  JOIN fresh ON fresh.idx = u.idx
$fn$;

-- Leased to one worker at a time, lowest index first, and only while the entry waits or its lease has run out. Workers
-- do not wait for each other: each skips what another is taking. Without its bytes nothing of a plan is claimed.
CREATE OR REPLACE FUNCTION ${s}.claim_entries(given text, most int, ms bigint, below bigint) RETURNS TABLE (place int, sealed bytea)
LANGUAGE plpgsql AS $fn$
DECLARE now bigint := ${s}.now();
BEGIN
  IF NOT EXISTS (SELECT FROM ${s}.sealed b WHERE b.plan = given) THEN RETURN; END IF;
  RETURN QUERY
  WITH waiting AS (
    SELECT e.idx FROM ${s}.entries e WHERE e.plan = given AND e.state = 'w' AND e.idx < below
    ORDER BY e.idx LIMIT most FOR UPDATE SKIP LOCKED
  ), over AS (
    SELECT e.idx FROM ${s}.entries e WHERE e.plan = given AND e.state = 'c' AND e.until <= now AND e.idx < below
    ORDER BY e.idx LIMIT most FOR UPDATE SKIP LOCKED
  ), free AS (
    SELECT f.idx FROM (SELECT waiting.idx FROM waiting UNION ALL SELECT over.idx FROM over) AS f ORDER BY f.idx LIMIT most
  ), taken AS (
    UPDATE ${s}.entries e SET state = 'c', until = now + ms FROM free WHERE e.plan = given AND e.idx = free.idx
    RETURNING e.idx
  )
  SELECT b.idx, b.bytes FROM taken JOIN ${s}.sealed b ON b.plan = given AND b.idx = taken.idx ORDER BY b.idx;
END $fn$;

-- Moves entries: accepted ones to told (t), waiting and claimed ones to removed (d); others stay. indexes: by commas.
CREATE OR REPLACE FUNCTION ${s}.mark_entries(expires bigint, wait int, given text, indexes text, letter text) RETURNS jsonb
LANGUAGE plpgsql AS $fn$
DECLARE ${enter}; many int;
BEGIN
  ${late}
  UPDATE ${s}.entries e SET state = letter::"char", until = NULL
  FROM unnest(string_to_array(indexes, ',')::int[]) AS u WHERE e.plan = given AND e.idx = u
  AND CASE letter WHEN 't' THEN e.state = 'a' ELSE e.state IN ('w', 'c') END;
  GET DIAGNOSTICS many = ROW_COUNT;
  RETURN jsonb_build_array(m.at, many);
END $fn$;

-- Lets all entries of one state wait again.
CREATE OR REPLACE FUNCTION ${s}.requeue(expires bigint, wait int, given text, letter text, event text) RETURNS jsonb
LANGUAGE plpgsql AS $fn$
DECLARE ${enter}; many int;
BEGIN
  ${late}
  UPDATE ${s}.entries e SET state = 'w', until = NULL, reservation = NULL WHERE e.plan = given AND e.state = letter::"char";
  GET DIAGNOSTICS many = ROW_COUNT;
  INSERT INTO ${s}.ledger VALUES (m.seq + 1, m.at, event);
  UPDATE ${s}.meta SET seq = m.seq + 1, at = m.at WHERE one = 1;
  RETURN jsonb_build_array(m.at, many);
END $fn$;
`;
}
