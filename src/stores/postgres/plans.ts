/**
 * Plans in PostgreSQL.
 *
 * @module
 */
import type { PlanChange, PlanChangeAnswer, PlanRow, Store } from "../../store";
import { changeInSteps } from "../staged-change";
import type { Staging, StagingServer } from "../staging";
import { type Database, fail, joined, name, pack, unpack, whole } from "./database";
import { capRefusal, People, readHalt, spendAt, spendRows } from "./encode";

/** The methods of the store that keep plans, in one schema, quoted. */
export function plansIn(
  database: Database,
  s: string,
  staging: StagingServer,
): Pick<Store, "addPlan" | "plan" | "plans" | "changePlan"> {
  async function change(wanted: PlanChange, staged?: Staging, dry = false): Promise<PlanChangeAnswer | undefined> {
    const caps = wanted.caps ?? [];
    const people = new People();
    const row = {
      i: name(wanted.id),
      v: wanted.version,
      o: (wanted.scopes ?? []).map(name),
      t: (wanted.tokens ?? []).map(({ id, until }) => [name(id), until]),
      c: dry ? [] : spendRows(caps, [], people, staged),
      ...(staged ? { z: staged.stamp } : {}),
      ...(dry ? { d: true } : {}),
    };
    const given = [pack(wanted.state), pack(wanted.record), pack(wanted.event)];
    const values = [JSON.stringify(row), joined(people.names), ...given];
    const [at, kind, first, second, third] = await database.write(`${s}.change_plan`, values);
    switch (kind) {
      case "ok":
        return { ok: true, version: wanted.version + 1, seq: whole(first), at: whole(at) };
      case "version":
        return { ok: false, reason: "version" };
      case "halted":
        return { ok: false, reason: "halted", halt: readHalt(first, second) };
      case "token":
        return { ok: false, reason: "token", id: spendAt(wanted.tokens ?? [], first).id };
      case "cap":
        return capRefusal(spendAt(caps, first), second, third);
      case "dry":
      case "late":
        return undefined;
      default:
        return fail();
    }
  }

  return {
    async addPlan({ id, state, record }, event) {
      const values = [name(id), pack(id), pack(state), pack(record), pack(event)];
      const [, added] = await database.write(`${s}.add_plan`, values);
      return whole(added) === 1;
    },
    async plan(id) {
      const rows = await database.rows(`SELECT * FROM ${s}.plans WHERE id = $1`, [name(id)]);
      return rows.map(planRow)[0];
    },
    async plans(limit) {
      const rows = await database.rows(`SELECT * FROM ${s}.plans ORDER BY seq DESC LIMIT $1`, [Math.max(0, limit)]);
      return rows.map(planRow);
    },
    changePlan: (wanted) => changeInSteps(staging, wanted, change, fail),
  };
}

function planRow(row: unknown): PlanRow {
  const { label: id, state, version, record, created } = row as Record<string, unknown>;
  return {
    id: unpack(id),
    state: unpack(state),
    version: whole(version),
    record: unpack(record),
    createdAt: whole(created),
  };
}
