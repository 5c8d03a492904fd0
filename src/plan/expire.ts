/**
 * Plans that nobody released in time.
 *
 * @module
 */
import type { Core } from "../core";
import { actionEvent } from "../ledger/events";
import type { PlanRow } from "../store";
import { readRecord, withoutMails, writeRecord } from "./keep";
import type { PlanRecord } from "./record";

const open: ReadonlySet<string> = new Set(["planned", "confirmed", "halted", "releasing", "canary", "partial"]);

/** Whether a plan in this state is over at this time. A `partial` one has ended already, and says more so. */
export function isExpired(state: string, record: PlanRecord, now: number): boolean {
  return open.has(state) && state !== "partial" && now > record.terms.notAfter;
}

/** The row as it is now: one whose time is over is written down as expired, and its mails are forgotten. */
export async function expireIfDue(core: Core, row: PlanRow, now: number): Promise<PlanRow> {
  const record = readRecord(core, row);
  if (!isExpired(row.state, record, now)) return row;
  const text = writeRecord(core, row.id, "expired", withoutMails(record));
  const event = actionEvent("plan", { plan: row.id, state: "expired", purpose: record.terms.purpose });
  const change = { id: row.id, version: row.version, state: "expired", record: text, event };
  const answer = await core.store.changePlan(change);
  if (answer.ok) await core.store.dropSpool(row.id);
  return { ...row, state: "expired", record: text, version: answer.ok ? answer.version : row.version };
}
