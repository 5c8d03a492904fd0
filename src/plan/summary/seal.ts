/**
 * A plan's summary as its record keeps it: canonical, compressed, sealed with the plan's own key. Its
 * digest stands in the terms.
 *
 * @module
 */
import { hash } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { canonical } from "../../canonical";
import type { Core } from "../../core";
import { MailfuseError } from "../../errors";
import { open, seal } from "../../secrets";
import type { PlanRecord } from "../record";
import { tampered } from "../spool";
import type { PlanSummary } from "./types";

/** Samples and lists are cut, so that no summary comes near this. */
const largest = 4 * 1024 * 1024;

/** SHA-256 over the summary's canonical form. */
export function summaryDigest(summary: PlanSummary): string {
  return hash("sha256", canonical(summary), "base64url");
}

/** Seals under the plan's key. */
export function sealSummary(summary: PlanSummary, key: Uint8Array): string {
  const text = deflateRawSync(canonical(summary), { level: 9 });
  return Buffer.from(seal(key, text, `summary:${summary.plan}`)).toString("base64");
}

/**
 * The summary of a plan. Throws `PLAN_STATE` once the plan is over, or while it is being rehearsed,
 * and `PLAN_TAMPERED` when it is not the one that the terms name.
 */
export function openSummary(core: Core, record: PlanRecord): PlanSummary {
  const { id } = record.terms;
  if (!record.key || !record.summary) throw noSummary(record.unfinished !== undefined);
  const key = core.secrets.unwrap(Buffer.from(record.key, "base64"), `plan:${id}`);
  const text = open(key, Buffer.from(record.summary, "base64"), `summary:${id}`);
  if (!text) throw tampered("a summary that does not open under the plan's key");
  const summary = JSON.parse(inflateRawSync(text, { maxOutputLength: largest }).toString("utf8")) as PlanSummary;
  if (summaryDigest(summary) !== record.terms.summary) throw tampered("another summary than people were shown");
  return summary;
}

function noSummary(unfinished: boolean): MailfuseError {
  return new MailfuseError({
    code: "PLAN_STATE",
    message: unfinished
      ? "Expected a plan that is rehearsed to its end, got one that is not."
      : "Expected a plan whose summary is still kept, got one that is over and whose key is destroyed.",
    fix: unfinished
      ? "Let it finish, or go on with `resume`."
      : "Its counts stand in its terms and in the ledger; who was in it is gone with its key.",
  });
}
