/**
 * The ledger, halts, values and leases. Numbers follow one another without a gap, because they are given under the
 * lock and kept in the same transaction as the lines.
 *
 * @module
 */
import { acknowledgedGap } from "../../store";
import { pruneAddresses } from "./functions-addresses";

/** Defines the functions of the ledger, of halts, values and leases. */
export function ledgerFunctions(s: string): string {
  const enter = `m ${s}.meta := ${s}.enter(wait)`;
  const addresses = pruneAddresses(s);
  const late = "IF expires > 0 AND m.at > expires THEN RETURN jsonb_build_array(m.at); END IF;";
  return `
CREATE OR REPLACE FUNCTION ${s}.append(expires bigint, wait int, events text) RETURNS jsonb LANGUAGE plpgsql AS $fn$
DECLARE ${enter}; line text[] := string_to_array(events, E'\\x1f');
BEGIN
  ${late}
  INSERT INTO ${s}.ledger SELECT m.seq + u.n, m.at, u.event FROM unnest(line) WITH ORDINALITY AS u (event, n);
  UPDATE ${s}.meta SET seq = m.seq + cardinality(line), at = m.at WHERE one = 1;
  RETURN jsonb_build_array(m.at, m.seq + 1);
END $fn$;

-- A halt and its line together; the newest record of a scope is kept.
CREATE OR REPLACE FUNCTION ${s}.halt(expires bigint, wait int, scope text, record text, event text) RETURNS jsonb
LANGUAGE plpgsql AS $fn$
DECLARE ${enter};
BEGIN
  ${late}
  INSERT INTO ${s}.halts AS h VALUES (scope, m.at, record) ON CONFLICT ON CONSTRAINT halts_pkey
  DO UPDATE SET at = excluded.at, record = excluded.record;
  INSERT INTO ${s}.ledger VALUES (m.seq + 1, m.at, event);
  UPDATE ${s}.meta SET seq = m.seq + 1, at = m.at WHERE one = 1;
  RETURN jsonb_build_array(m.at, 1);
END $fn$;

-- The line is written whether the scope was halted or not.
CREATE OR REPLACE FUNCTION ${s}.resume(expires bigint, wait int, scope text, event text) RETURNS jsonb
LANGUAGE plpgsql AS $fn$
DECLARE ${enter}; was int;
BEGIN
  ${late}
  DELETE FROM ${s}.halts h WHERE h.scope = resume.scope;
  GET DIAGNOSTICS was = ROW_COUNT;
  INSERT INTO ${s}.ledger VALUES (m.seq + 1, m.at, event);
  UPDATE ${s}.meta SET seq = m.seq + 1, at = m.at WHERE one = 1;
  RETURN jsonb_build_array(m.at, was);
END $fn$;

-- After a loss, numbering goes on above everything any process has presented.
CREATE OR REPLACE FUNCTION ${s}.acknowledge(expires bigint, wait int, event text) RETURNS jsonb
LANGUAGE plpgsql AS $fn$
DECLARE ${enter};
BEGIN
  ${late}
  IF m.lost > 0 THEN m.seq := greatest(m.seq, m.lost) + ${acknowledgedGap}; END IF;
  m.seq := m.seq + 1;
  INSERT INTO ${s}.ledger VALUES (m.seq, m.at, event);
  UPDATE ${s}.meta SET seq = m.seq, at = m.at, lost = 0 WHERE one = 1;
  RETURN jsonb_build_array(m.at, m.seq);
END $fn$;

-- Without waiting for anybody: what it reads is one moment.
CREATE OR REPLACE FUNCTION ${s}.now() RETURNS bigint LANGUAGE sql AS $fn$
  SELECT greatest(at, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM ${s}.meta
$fn$;

-- One holder at a time; 0 milliseconds give one's own back.
CREATE OR REPLACE FUNCTION ${s}.lease(expires bigint, wait int, name text, holder text, ms bigint) RETURNS jsonb
LANGUAGE plpgsql AS $fn$
DECLARE ${enter}; taken int;
BEGIN
  ${late}
  INSERT INTO ${s}.leases AS l VALUES (name, holder, m.at + ms) ON CONFLICT ON CONSTRAINT leases_pkey
  DO UPDATE SET holder = excluded.holder, until = excluded.until WHERE l.holder = excluded.holder OR l.until <= m.at;
  GET DIAGNOSTICS taken = ROW_COUNT;
  RETURN jsonb_build_array(m.at, taken);
END $fn$;

-- The first writer's value stands.
CREATE OR REPLACE FUNCTION ${s}.set_once(expires bigint, wait int, given text, fresh text) RETURNS jsonb
LANGUAGE plpgsql AS $fn$
DECLARE ${enter}; known text;
BEGIN
  ${late}
  INSERT INTO ${s}.kept VALUES (given, fresh) ON CONFLICT DO NOTHING;
  SELECT k.value INTO known FROM ${s}.kept k WHERE k.name = given;
  RETURN jsonb_build_array(m.at, known);
END $fn$;

-- Removes what is over, at most so many rows of each kind. What to remove is looked up before the lock is waited for, and
-- looked at again behind it. Answers how many rows it removed.
CREATE OR REPLACE FUNCTION ${s}.prune(expires bigint, wait int, most bigint) RETURNS jsonb LANGUAGE plpgsql AS $fn$
#variable_conflict use_column
DECLARE
  m ${s}.meta; over bigint := ${s}.now() - 1000; total bigint := 0; gone bigint; w uuid;
  a_win uuid[] := ARRAY(SELECT t.id FROM ${s}.windows t WHERE t.expires <= over LIMIT most);
  a_reservation text[] := ARRAY(SELECT r.id FROM ${s}.reservations r WHERE r.keep <= over LIMIT most);
  a_once text[] := ARRAY(SELECT o.key FROM ${s}.once o WHERE o.until <= over LIMIT most);
  ${addresses.declared}
BEGIN
  IF a_win = '{}' AND a_reservation = '{}' AND a_once = '{}' AND a_left = '{}' THEN RETURN jsonb_build_array(over, 0); END IF;
  m := ${s}.enter(wait);
  FOREACH w IN ARRAY a_win LOOP
    EXIT WHEN total >= most;
    CONTINUE WHEN NOT EXISTS (SELECT FROM ${s}.windows t WHERE t.id = w AND t.expires <= over);
    DELETE FROM ${s}.people d WHERE d.win = w AND d.person IN (SELECT p.person FROM ${s}.people p WHERE p.win = w LIMIT most);
    GET DIAGNOSTICS gone = ROW_COUNT;
    total := total + gone;
    IF gone < most THEN DELETE FROM ${s}.windows t WHERE t.id = w;
    ELSE UPDATE ${s}.windows t SET held = t.held - gone WHERE t.id = w; END IF;
  END LOOP;
  DELETE FROM ${s}.reservations r WHERE r.id = ANY (a_reservation) AND r.keep <= over;
  GET DIAGNOSTICS gone = ROW_COUNT;
  total := total + gone;
  DELETE FROM ${s}.once o WHERE o.key = ANY (a_once) AND o.until <= over;
  GET DIAGNOSTICS gone = ROW_COUNT;
  total := total + gone;
${addresses.statements}
  DELETE FROM ${s}.tokens t WHERE t.until <= over;
  DELETE FROM ${s}.leases l WHERE l.until <= over;
  RETURN jsonb_build_array(m.at, total);
END $fn$;
`;
}
