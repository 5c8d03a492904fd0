/**
 * Settling. The first outcome of a reservation counts, every further one changes nothing and gets the first one's
 * number. Only `refused` gives back, and only what this reservation brought in.
 *
 * @module
 */

/** Defines `settle`. */
export function settleFunctions(s: string): string {
  return `
-- ids, labels, fates, letters, messages, events: lists; refused: per settlement a JSON list of people, or empty for none at all.
CREATE OR REPLACE FUNCTION ${s}.settle(
  expires bigint, wait int, ids text, labels text, fates text, messages text, events text, refused text
) RETURNS jsonb LANGUAGE plpgsql AS $fn$
#variable_conflict use_column
DECLARE
  m ${s}.meta := ${s}.enter(wait); a_id text[] := string_to_array(ids, E'\\x1f'); n int := cardinality(a_id);
  a_fate text[] := string_to_array(fates, E'\\x1f'); a_message text[] := string_to_array(messages, E'\\x1f');
  a_event text[] := string_to_array(events, E'\\x1f'); a_label text[] := string_to_array(labels, E'\\x1f');
  people jsonb; r ${s}.reservations; k int; planned int; number bigint; numbers jsonb := '[]'; named text[];
BEGIN
  IF expires > 0 AND m.at > expires THEN RETURN jsonb_build_array(m.at); END IF;
  -- The short path: outcomes of known reservations that give nothing back.
  IF refused = '' AND NOT 'refused' = ANY (a_fate) THEN
    WITH u AS (
      UPDATE ${s}.reservations r SET settled = m.seq + u.n, fate = u.fate, message = nullif(u.message, '')
      FROM unnest(a_id, a_fate, a_message) WITH ORDINALITY AS u (id, fate, message, n)
      WHERE r.id = u.id AND r.settled IS NULL RETURNING r.plan
    ) SELECT count(*), count(u.plan) INTO k, planned FROM u;
    IF k = n THEN
      IF planned > 0 THEN PERFORM ${s}.settle_entries(a_id); END IF;
      INSERT INTO ${s}.ledger SELECT m.seq + u.n, m.at, u.event FROM unnest(a_event) WITH ORDINALITY AS u (event, n);
      UPDATE ${s}.meta SET seq = m.seq + n, at = m.at WHERE one = 1;
      RETURN jsonb_build_array(m.at, m.seq + 1);
    END IF;
    UPDATE ${s}.reservations r SET settled = NULL, fate = NULL, message = NULL
    WHERE r.id = ANY (a_id) AND r.settled > m.seq;
  END IF;
  people := nullif(refused, '')::jsonb;
  FOR i IN 1 .. n LOOP
    SELECT t.* INTO r FROM ${s}.reservations t WHERE t.id = a_id[i];
    IF FOUND AND r.settled IS NOT NULL THEN
      numbers := numbers || to_jsonb(r.settled);
      CONTINUE;
    END IF;
    m.seq := m.seq + 1;
    numbers := numbers || to_jsonb(m.seq);
    INSERT INTO ${s}.ledger VALUES (m.seq, m.at, a_event[i]);
    IF r.id IS NULL THEN
      INSERT INTO ${s}.reservations (id, label, seq, at, stamp, keep, settled, fate, message)
      VALUES (a_id[i], nullif(a_label[i], ''), m.seq, m.at, 0, m.at + 86400000, m.seq, a_fate[i], nullif(a_message[i], ''));
      CONTINUE;
    END IF;
    UPDATE ${s}.reservations t SET settled = m.seq, fate = a_fate[i], message = nullif(a_message[i], '') WHERE t.id = r.id;
    IF r.plan IS NOT NULL THEN PERFORM ${s}.settle_entries(ARRAY[r.id]); END IF;
    named := NULL;
    IF a_fate[i] = 'refused' THEN
      DELETE FROM ${s}.once o WHERE o.key = ANY (string_to_array(r.claims, E'\\x1e')) AND o.reservation = r.id;
      PERFORM ${s}.refund(string_to_array(r.rates, ' ')::uuid[], r.stamp, NULL, NULL);
    ELSIF people IS NOT NULL AND jsonb_array_length(people->(i - 1)) > 0 THEN
      SELECT array_agg(p) INTO named FROM jsonb_array_elements_text(people->(i - 1)) AS p;
    ELSE CONTINUE;
    END IF;
    PERFORM ${s}.refund(string_to_array(r.caps, ' ')::uuid[], r.stamp, named, NULL);
  END LOOP;
  UPDATE ${s}.meta SET at = CASE WHEN seq < m.seq THEN m.at ELSE at END, seq = m.seq WHERE one = 1;
  RETURN jsonb_build_array(m.at, numbers);
END $fn$;

-- Carries outcomes to the entries that these reservations still hold: one let go again belongs to another, or to nobody.
CREATE OR REPLACE FUNCTION ${s}.settle_entries(known text[]) RETURNS void LANGUAGE sql AS $fn$
  UPDATE ${s}.entries e SET state = CASE r.fate WHEN 'accepted' THEN 'a' WHEN 'refused' THEN 'x' WHEN 'failed' THEN 'f' ELSE 'u' END::"char"
  FROM ${s}.reservations r
  WHERE r.id = ANY (known) AND e.plan = r.plan AND e.idx = r.idx AND e.state = 'r' AND e.reservation = r.id
$fn$;
`;
}
