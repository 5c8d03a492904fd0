/**
 * Plans in the making. From its first batch on a plan stands in the store as `rehearsing`, with its
 * key and its spool so far, so that planning can go on where its process died; nothing of it can be
 * released. A lease says whether its process lives.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import type { Core } from "../core";
import { MailfuseError } from "../errors";
import { actionEvent } from "../ledger/events";
import { openSpool } from "./entries";
import { findPlan, readRecord, writeRecord } from "./keep";
import type { PlanRecord, Terms } from "./record";
import type { Spool } from "./spool";

/** How long a planning process that says nothing counts as alive, milliseconds. */
const leaseMs = 2 * 60_000;

/** A plan that is being rehearsed by this process. */
export interface Unfinished {
  readonly terms: Terms;
  /** The version of its row; 0 while it has none. */
  version: number;
  /** What an earlier run has spooled. */
  readonly spool?: Spool;
  /** Puts it into the store, before its first entry is. */
  begin(spool: Spool): Promise<void>;
  /** Throws `PLAN_STATE` when another process has taken it over. */
  stillOurs(): Promise<void>;
  leave(): Promise<void>;
}

/** A plan anew. */
export function beginPlan(core: Core, terms: Terms, form: "source" | "job"): Unfinished {
  const lease = holdLease(core, terms.id);
  const plan: Unfinished = {
    terms,
    version: 0,
    async begin(spool) {
      await lease.take();
      const record = unfinishedRecord(core, terms, form, spool);
      const row = { id: terms.id, state: "rehearsing", record: writeRecord(core, terms.id, "rehearsing", record) };
      const { id, purpose, requester } = terms;
      await core.store.addPlan(row, actionEvent("plan", { plan: id, state: "rehearsing", purpose, by: requester }));
      plan.version = 1;
    },
    stillOurs: async () => (plan.version === 0 ? undefined : lease.take()),
    leave: () => lease.leave(),
  };
  return plan;
}

/** A plan whose process died. Throws `PLAN_STATE` while it lives, or when the plan cannot go on. */
export async function takeUp(core: Core, id: string): Promise<Unfinished> {
  const row = await findPlan(core, id);
  const record = readRecord(core, row);
  if (row.state !== "rehearsing" || record.unfinished !== "source") throw notResumable(row.state, record.unfinished);
  const lease = holdLease(core, id);
  await lease.take();
  // A new version: what the former process still writes in the end is refused.
  const event = actionEvent("plan", { plan: id, state: "rehearsing", purpose: record.terms.purpose, resumed: true });
  const change = { id, version: row.version, state: row.state, record: row.record, event };
  const answer = await core.store.changePlan(change);
  if (!answer.ok) {
    await lease.leave();
    throw beingRehearsed();
  }
  return {
    terms: record.terms,
    version: answer.version,
    spool: openSpool(core, record),
    begin: async () => {},
    stillOurs: () => lease.take(),
    leave: () => lease.leave(),
  };
}

/** Ends one of this process: its job failed and cannot go on. */
export async function endUnfinished(
  core: Core,
  { terms, version }: Pick<Unfinished, "terms" | "version">,
  by: string,
  reason: string,
): Promise<void> {
  const { id, purpose } = terms;
  const at = await core.store.now();
  const record: PlanRecord = { ...emptyRecord(terms), ended: { by, reason, at } };
  const text = writeRecord(core, id, "revoked", record);
  const event = actionEvent("plan", { plan: id, state: "revoked", purpose, by, reason });
  const answer = await core.store.changePlan({ id, version, state: "revoked", record: text, event });
  if (answer.ok) await core.store.dropSpool(id);
}

function emptyRecord(terms: Terms): PlanRecord {
  return { terms, round: 1, approvals: [], refusals: [], refusalCounts: {} };
}

function unfinishedRecord(core: Core, terms: Terms, form: "source" | "job", spool: Spool): PlanRecord {
  return { ...emptyRecord(terms), ...sealedKeys(core, spool), unfinished: form };
}

/** A spool's key and dictionary as a record keeps them. */
export function sealedKeys(core: Core, { plan, key, dictionary }: Spool): Pick<PlanRecord, "key" | "dictionary"> {
  return {
    key: Buffer.from(core.secrets.wrap(key, `plan:${plan}`)).toString("base64"),
    dictionary: Buffer.from(core.secrets.wrap(dictionary, `dictionary:${plan}`)).toString("base64"),
  };
}

/** Says to other processes that this one lives. */
export function holdLease(core: Core, id: string) {
  const holder = randomUUID();
  const name = `rehearsing:${id}`;
  let left = false;
  let cancel: () => void = () => {};
  const renew = (): void => {
    cancel = core.clock.after(leaseMs / 3, () => {
      if (left) return;
      core.background(core.store.lease(name, holder, leaseMs), "the lease of a plan in the making");
      renew();
    });
  };
  return {
    async take() {
      if (!(await core.store.lease(name, holder, leaseMs))) throw beingRehearsed();
      cancel();
      renew();
    },
    async leave() {
      left = true;
      cancel();
      // One that cannot be given back runs out by itself, and must not hide why planning ended.
      await core.store.lease(name, holder, 0).catch(() => {});
    },
  };
}

function beingRehearsed(): MailfuseError {
  return new MailfuseError({
    code: "PLAN_STATE",
    message:
      "Expected a plan that no process is rehearsing, got one whose process is alive or died less than two minutes ago.",
    fix: "Wait for it, or try again in two minutes.",
  });
}

export function notResumable(state: string, form: PlanRecord["unfinished"]): MailfuseError {
  const got = form === "job" ? "one made by a plain job, which cannot be run a second time" : `one that is ${state}`;
  return new MailfuseError({
    code: "PLAN_STATE",
    message: `Expected an unfinished plan made from an audience and a send, got ${got}.`,
    fix: "Plan anew.",
  });
}
