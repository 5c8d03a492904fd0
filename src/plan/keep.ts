/**
 * Plans in the store: their records are authenticated by the fuse's secret together with their id and
 * state, so that whoever can write to the store, and no more, cannot make one plan of another.
 *
 * @module
 */
import { hash } from "node:crypto";
import type { Core } from "../core";
import { MailfuseError } from "../errors";
import type { PlanRow } from "../store";
import type { PlanRecord, PlanState } from "./record";
import { tampered } from "./spool";
import { readTerms } from "./terms";

const nothing = new Uint8Array();
const headLength = '{"mac":"'.length;
/** 12 bytes of nonce and 16 of tag, as base64url. */
const macLength = 38;
const recordStart = headLength + macLength + '",'.length;

/** A record as the store keeps it. Its first member authenticates every byte that follows. */
export function writeRecord(core: Pick<Core, "secrets">, id: string, state: PlanState, record: PlanRecord): string {
  const rest = JSON.stringify(record).slice(1);
  const mac = Buffer.from(core.secrets.wrap(nothing, use(id, state, rest))).toString("base64url");
  return `{"mac":"${mac}",${rest}`;
}

/** The record inside a row. Throws `PLAN_TAMPERED` when a byte of it, its state or its id is another. */
export function readRecord(core: Core, row: PlanRow): PlanRecord {
  const rest = row.record.slice(recordStart);
  const mac = Buffer.from(row.record.slice(headLength, headLength + macLength), "base64url");
  if (row.record !== `{"mac":"${mac.toString("base64url")}",${rest}`) throw tampered("a record that does not read");
  core.secrets.unwrap(mac, use(row.id, row.state, rest));
  let record: PlanRecord;
  try {
    record = JSON.parse(`{${rest}`) as PlanRecord;
    readTerms(record.terms);
  } catch {
    throw tampered("a record that does not read");
  }
  if (record.terms.id !== row.id) throw tampered("a record of another plan");
  return record;
}

// Sealing nothing under bound data is how AES-GCM authenticates without hiding (GMAC, NIST SP 800-38D).
function use(id: string, state: string, rest: string): string {
  return `record:${hash("sha256", JSON.stringify([id, state, rest]), "base64url")}`;
}

/** A record of a plan that is over: without its key nobody opens its mails and its summary any more. */
export function withoutMails(record: PlanRecord): PlanRecord {
  const { key: _key, dictionary: _dictionary, summary: _summary, ...rest } = record;
  return rest;
}

/** Finds a plan's row. Throws `PLAN_NOT_FOUND`. */
export async function findPlan(core: Core, id: string): Promise<PlanRow> {
  await core.ready();
  const row = await core.store.plan(id);
  if (row) return row;
  throw new MailfuseError({
    code: "PLAN_NOT_FOUND",
    message: "Expected the id of a plan in this store, got one that is not there.",
    fix: "`npx mailfuse plan list` shows the plans of the configured store.",
  });
}
