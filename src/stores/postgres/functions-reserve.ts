/**
 * Reserving. A batch in which nothing stands in anybody's way takes the short path: a handful of statements over all
 * of it. Whatever that finds in the way is undone, and the batch is judged one reservation after the other.
 *
 * Invariant of both: a reservation's claims, people, messages, entry and line are written together or not at all, in
 * the order regressed, halted, once, entry, caps, rates, reservation.
 *
 * @module
 */

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
-- a and r windows of caps and rates, q claims as kept, t milliseconds to keep, z staged stamp, s bucket of staged addresses,
-- d judge only.
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
  IF answer IS NULL AND x ? 's' THEN
    UPDATE ${s}.buckets b SET shown = true WHERE b.id = x->>'s';
    IF NOT FOUND THEN answer := '["late"]'; END IF;
  END IF;
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
  IF addresses <> '' THEN PERFORM ${s}.keep_addresses(m.at, string_to_array(addresses, E'\\x1d'), NULL); END IF;
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
  IF passed <> '{}' THEN PERFORM ${s}.keep_addresses(m.at, string_to_array(addresses, E'\\x1d'), passed); END IF;
  UPDATE ${s}.meta SET at = CASE WHEN seq < m.seq THEN m.at ELSE at END, seq = m.seq, stamp = m.stamp, lost = m.lost
  WHERE one = 1;
  RETURN jsonb_build_array(m.at, answers);
END $fn$;
`;
}
