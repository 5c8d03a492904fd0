/**
 * Reserving. A batch in which nothing stands in anybody's way takes the short path: a handful of statements over all
 * of it. Whatever that finds in the way is undone, and the batch is judged one reservation after the other.
 *
 * Invariant of both: a reservation's claims, people, messages, entry and line are written together or not at all, in
 * the order regressed, halted, once, entry, caps, rates, reservation.
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

/** Defines `reserve` and what judges for it and for plans. */
export function reserveFunctions(s: string): string {
  return `
-- What is known of a reservation: id as given, state, time, message id.
CREATE OR REPLACE FUNCTION ${s}.outcome(known text) RETURNS jsonb LANGUAGE sql AS $fn$
  SELECT jsonb_build_array(coalesce(r.label, r.id), coalesce(r.fate, 'reserved'), r.at, r.message)
  FROM ${s}.reservations r WHERE r.id = known
$fn$;

-- Judges spends and spends nothing: what refuses one cap must leave the others untouched. Every cap is looked at, also
-- behind the first that refuses, because each may have a halt to latch. A spend: w window, l length, m limit, e
-- enforced, p first and last person or n messages, h scope and record of a halt, s staged: true, or used and wanted.
-- Answers the refusal, the spends that pass, and the places of those that are not enforced and would have refused.
CREATE OR REPLACE FUNCTION ${s}.judge(
  now bigint, spends jsonb, names text[], OUT refusal jsonb, OUT pass jsonb, OUT exceeded jsonb
) LANGUAGE plpgsql AS $fn$
DECLARE f record; c jsonb; place int := 0;
BEGIN
  pass := '[]';
  exceeded := '[]';
  FOR c IN SELECT * FROM jsonb_array_elements(spends) LOOP
    place := place + 1;
    CONTINUE WHEN c->'s' = 'true';
    IF c ? 's' THEN
      SELECT false AS room, (c->'s'->>0)::bigint AS used, (c->'s'->>1)::bigint AS wanted INTO f;
    ELSE
      SELECT * INTO f FROM ${s}.look(
        (c->>'w')::uuid, ${s}.cutoff(now, (c->>'l')::bigint), names[(c->'p'->>0)::int : (c->'p'->>1)::int],
        coalesce((c->>'n')::bigint, -1), (c->>'m')::bigint);
    END IF;
    IF f.room THEN
      -- The same window twice: two limits on one set.
      IF NOT pass @> jsonb_build_array(jsonb_build_object('w', c->'w')) THEN pass := pass || jsonb_build_array(c); END IF;
      CONTINUE;
    END IF;
    IF c ? 'h' THEN PERFORM ${s}.latch(c->'h'->>0, c->'h'->>1, now); END IF;
    IF NOT (c->'e')::bool THEN exceeded := exceeded || to_jsonb(place);
    ELSIF refusal IS NULL THEN refusal := jsonb_build_array('cap', place, f.used, f.wanted); END IF;
  END LOOP;
END $fn$;

-- Spends what passed.
CREATE OR REPLACE FUNCTION ${s}.spend(now bigint, own bigint, pass jsonb, names text[]) RETURNS void
LANGUAGE plpgsql AS $fn$
DECLARE c jsonb;
BEGIN
  FOR c IN SELECT * FROM jsonb_array_elements(pass) LOOP
    PERFORM ${s}.take((c->>'w')::uuid, now, (c->>'l')::bigint,
      CASE WHEN c ? 'n' THEN ${s}.messages(own, (c->>'n')::bigint)
      ELSE names[(c->'p'->>0)::int : (c->'p'->>1)::int] END, own);
  END LOOP;
END $fn$;

-- One reservation: i id, b label, v seen, o scopes, k claims [key, time, resend, lease], n entry [plan, index], c spends,
-- a and r windows of caps and rates, q claims as kept, t milliseconds to keep, z staged stamp, d judge only.
CREATE OR REPLACE FUNCTION ${s}.reserve_one(
  INOUT m ${s}.meta, x jsonb, event text, names text[], OUT answer jsonb
) LANGUAGE plpgsql AS $fn$
DECLARE h record; k jsonb; c record; j record; own bigint; e record;
BEGIN
  IF m.lost > 0 OR (x->>'v')::bigint > m.seq THEN
    m.lost := greatest(m.lost, (x->>'v')::bigint);
    answer := jsonb_build_array('regressed', m.seq);
    RETURN;
  END IF;
  SELECT t.at, t.record INTO h FROM jsonb_array_elements_text(x->'o') WITH ORDINALITY AS o (scope, place)
  JOIN ${s}.halts t ON t.scope = o.scope ORDER BY o.place LIMIT 1;
  IF FOUND THEN
    answer := jsonb_build_array('halted', h.at, h.record);
    RETURN;
  END IF;
  FOR k IN SELECT * FROM jsonb_array_elements(x->'k') LOOP
    SELECT t.reservation, r.fate, r.at INTO c FROM ${s}.once t LEFT JOIN ${s}.reservations r ON r.id = t.reservation
    WHERE t.key = k->>0 AND t.until > m.at;
    -- Held, unless it is to be sent again and is neither accepted nor in the hands of a living process.
    IF FOUND AND (NOT (k->2)::bool OR c.fate = 'accepted'
      OR (c.fate IS NULL AND ((k->>3)::bigint < 0 OR m.at < c.at + (k->>3)::bigint))) THEN
      answer := jsonb_build_array('once', k->0, ${s}.outcome(c.reservation));
      RETURN;
    END IF;
  END LOOP;
  IF x ? 'n' THEN
    SELECT t.state, t.reservation INTO e FROM ${s}.entries t WHERE t.plan = x->'n'->>0 AND t.idx = (x->'n'->>1)::int;
    IF NOT FOUND OR e.state NOT IN ('w', 'c') THEN
      answer := jsonb_build_array('entry', e.state, ${s}.outcome(e.reservation));
      RETURN;
    END IF;
  END IF;
  SELECT * INTO j FROM ${s}.judge(m.at, x->'c', names);
  answer := j.refusal;
  IF answer IS NULL AND EXISTS (SELECT FROM ${s}.reservations r WHERE r.id = x->>'i') THEN
    answer := jsonb_build_array('reservation', ${s}.outcome(x->>'i'));
  END IF;
  IF x ? 'd' AND answer IS NULL THEN answer := '["dry"]'; END IF;
  own := coalesce((x->>'z')::bigint, 0);
  -- Staged people were given a time to come. Past it they would leave their window too early.
  IF answer IS NULL AND own > 0 AND m.at * 1000 > own THEN answer := '["late"]'; END IF;
  IF answer IS NOT NULL THEN RETURN; END IF;
  IF own = 0 THEN
    m.stamp := greatest(m.stamp + 4, m.at * 1000);
    own := m.stamp;
  END IF;
  PERFORM ${s}.spend(m.at, own, j.pass, names);
  m.seq := m.seq + 1;
  INSERT INTO ${s}.reservations (id, label, seq, at, stamp, caps, rates, claims, plan, idx, keep) VALUES (
    x->>'i', x->>'b', m.seq, m.at, own, nullif(x->>'a', ''), nullif(x->>'r', ''), nullif(x->>'q', ''),
    x->'n'->>0, (x->'n'->>1)::int, m.at + (x->>'t')::bigint);
  INSERT INTO ${s}.once AS t (key, until, reservation)
  SELECT DISTINCT ON (q->>0) q->>0, m.at + (q->>1)::bigint, x->>'i' FROM jsonb_array_elements(x->'k') AS q
  ON CONFLICT (key) DO UPDATE SET until = excluded.until, reservation = excluded.reservation;
  IF x ? 'n' THEN
    UPDATE ${s}.entries t SET state = 'r', until = NULL, reservation = x->>'i'
    WHERE t.plan = x->'n'->>0 AND t.idx = (x->'n'->>1)::int;
  END IF;
  INSERT INTO ${s}.ledger VALUES (m.seq, m.at, event);
  answer := CASE WHEN j.exceeded = '[]' THEN to_jsonb(m.seq) ELSE jsonb_build_array('ok', m.seq, j.exceeded) END;
END $fn$;

-- Answers the time, and the first number when all passed, or null when something stands in somebody's way: nothing has
-- changed then, and the batch is for reserve_each. addresses is empty where it brings none.
CREATE OR REPLACE FUNCTION ${s}.reserve(
  expires bigint, wait int, seen bigint, lists text, events text, people text, addresses text
) RETURNS jsonb LANGUAGE plpgsql AS $fn$
DECLARE m ${s}.meta := ${s}.enter(wait);
BEGIN
  IF expires > 0 AND m.at > expires THEN RETURN jsonb_build_array(m.at); END IF;
  IF m.lost > 0 OR seen > m.seq OR NOT ${s}.reserve_all(
    m, string_to_array(lists, E'\\x1d'), string_to_array(events, E'\\x1f'), string_to_array(people, E'\\x1f')
  ) THEN RETURN jsonb_build_array(m.at, NULL); END IF;
  IF addresses <> '' THEN PERFORM ${s}.keep_addresses(string_to_array(addresses, E'\\x1d'), NULL); END IF;
  RETURN jsonb_build_array(m.at, m.seq + 1);
END $fn$;

-- Answers the time, and a list: a number for each reservation, or why not. each: the batch as JSON, see reserve_one.
CREATE OR REPLACE FUNCTION ${s}.reserve_each(
  expires bigint, wait int, each text, events text, people text, addresses text
) RETURNS jsonb LANGUAGE plpgsql AS $fn$
#variable_conflict use_column
DECLARE
  m ${s}.meta := ${s}.enter(wait); answers jsonb := '[]'; o record; x jsonb; n int := 0; passed int[] := '{}';
  line text[] := string_to_array(events, E'\\x1f'); names text[] := string_to_array(people, E'\\x1f');
BEGIN
  IF expires > 0 AND m.at > expires THEN RETURN jsonb_build_array(m.at); END IF;
  FOR x IN SELECT * FROM jsonb_array_elements(each::jsonb) LOOP
    n := n + 1;
    SELECT * INTO o FROM ${s}.reserve_one(m, x, line[n], names);
    m := o.m;
    answers := answers || jsonb_build_array(o.answer);
    IF addresses <> '' AND (jsonb_typeof(o.answer) = 'number' OR o.answer->>0 = 'ok') THEN passed := passed || n; END IF;
  END LOOP;
  IF passed <> '{}' THEN PERFORM ${s}.keep_addresses(string_to_array(addresses, E'\\x1d'), passed); END IF;
  UPDATE ${s}.meta SET at = CASE WHEN seq < m.seq THEN m.at ELSE at END, seq = m.seq, stamp = m.stamp, lost = m.lost
  WHERE one = 1;
  RETURN jsonb_build_array(m.at, answers);
END $fn$;

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
      INSERT INTO ${s}.reservations (id, label, seq, at, stamp, caps, rates, claims, plan, idx, keep)
      SELECT u.id, nullif(u.label, ''), m.seq + u.n, m.at, base + 4 * (u.n - 1), nullif(u.caps, ''), nullif(u.rates, ''),
        nullif(u.claims, ''), nullif(u.plan, ''), nullif(u.idx, -1), m.at + u.keep
      FROM unnest(
        a_id, string_to_array(part[2], E'\\x1f'), string_to_array(part[3], E'\\x1f'), string_to_array(part[4], E'\\x1f'),
        string_to_array(part[5], E'\\x1f'), string_to_array(part[6], ',')::bigint[], a_plan, a_place
      ) WITH ORDINALITY AS u (id, label, caps, rates, claims, keep, plan, idx, n);
      IF a_key <> '{}' THEN
        INSERT INTO ${s}.once (key, until, reservation)
        SELECT a_key[i], m.at + a_term[2 * i], a_id[a_term[2 * i - 1]] FROM generate_subscripts(a_key, 1) AS i;
      END IF;
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
            stamp = excluded.stamp + CASE
              WHEN excluded.stamp % 4 = 0 AND x.stamp > ${s}.cutoff(m.at, a_length[array_position(a_win, x.win)])
              THEN 1 ELSE 0 END,
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
