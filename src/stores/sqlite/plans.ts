/**
 * Plans and spent tokens in SQLite.
 *
 * @module
 */
import type { PlanChange, PlanChangeAnswer, PlanRow } from "../../store";
import { judgeSpends } from "../judge";
import type { Row, Sql } from "./connection";
import { latchHalts, readHalts } from "./halts";
import { appendLine, type Moment } from "./ledger";
import { openPeople } from "./people";

const INSERT_PLAN = `INSERT INTO mailfuse_plan (id, state, version, record, created_at) VALUES (?, ?, 1, ?, ?)
  ON CONFLICT DO NOTHING`;
const READ_PLAN = "SELECT id, state, version, record, created_at FROM mailfuse_plan WHERE id = ?";
const READ_PLANS = "SELECT id, state, version, record, created_at FROM mailfuse_plan ORDER BY number DESC LIMIT ?";
// The version was compared under the write lock: nobody can have changed the row since.
const WRITE_PLAN = "UPDATE mailfuse_plan SET state = ?, version = ?, record = ? WHERE id = ?";
const READ_TOKEN = "SELECT 1 AS spent FROM mailfuse_token WHERE id = ? AND until > ?";
const SPEND_TOKEN = "INSERT OR REPLACE INTO mailfuse_token (id, until) VALUES (?, ?)";
// A token that has run out is refused for that; there is no need to remember it.
const DROP_TOKENS = "DELETE FROM mailfuse_token WHERE until <= ?";

/** Adds a plan in version 1; `false` when the id is taken. */
export function insertPlan(
  sql: Sql,
  moment: Moment,
  row: Pick<PlanRow, "id" | "state" | "record">,
  event: string,
): boolean {
  if (sql.run(INSERT_PLAN, row.id, row.state, row.record, moment.at) === 0) return false;
  appendLine(moment, event);
  return true;
}

/** One plan. */
export function readPlan(sql: Sql, id: string): PlanRow | undefined {
  const row = sql.get(READ_PLAN, id);
  return row && planRow(row);
}

/** Plans, newest first. */
export function readPlans(sql: Sql, limit: number): readonly PlanRow[] {
  return sql.all(READ_PLANS, limit).map(planRow);
}

function planRow(row: Row): PlanRow {
  return {
    id: String(row.id),
    state: String(row.state),
    version: Number(row.version),
    record: String(row.record),
    createdAt: Number(row.created_at),
  };
}

/** Changes a plan, all of it or nothing. */
export function writePlan(sql: Sql, moment: Moment, change: PlanChange): PlanChangeAnswer {
  const { at } = moment;
  if (readPlan(sql, change.id)?.version !== change.version) return { ok: false, reason: "version" };
  const halts = readHalts(sql);
  for (const scope of change.scopes ?? []) {
    const halt = halts.find((record) => record.scope === scope);
    if (halt) return { ok: false, reason: "halted", halt };
  }
  const own = new Set<string>();
  for (const { id } of change.tokens ?? []) {
    if (own.has(id) || sql.get(READ_TOKEN, id, at)) return { ok: false, reason: "token", id };
    own.add(id);
  }
  const people = openPeople(sql, moment);
  const verdict = judgeSpends(change.caps ?? [], [], { people: people.look, messages: () => 0 });
  latchHalts(sql, verdict.latch, at);
  if (verdict.refused?.reason === "cap") {
    people.keep();
    return verdict.refused;
  }

  const seq = appendLine(moment, change.event);
  sql.run(DROP_TOKENS, at);
  for (const { id, until } of change.tokens ?? []) sql.run(SPEND_TOKEN, id, until);
  for (const cap of verdict.caps) people.count(cap);
  people.keep();
  const version = change.version + 1;
  sql.run(WRITE_PLAN, change.state, version, change.record, change.id);
  return { ok: true, version, seq, at };
}
