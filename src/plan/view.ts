/**
 * Views: a plan as the fuse showed it to one person. A view is sealed by the fuse's secret and names
 * the person and the digest that was shown; a confirmation token carries it, and both are spent
 * together. So a token counts only for what its signer was shown, and not for a digest that
 * something else put before the key.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import type { Core } from "../core";
import { MailfuseError } from "../errors";
import { actionEvent } from "../ledger/events";
import type { EntryState } from "../store";
import { findPlan, readRecord } from "./keep";
import { type Plan, planOf } from "./plan";
import { confirmationDigest } from "./record";

/** How long a view may be confirmed, milliseconds. */
const viewLife = 24 * 3_600_000;

/** A plan as one person sees it now. */
export interface PlanView {
  readonly plan: Plan;
  /** Goes into the person's token: `signToken({ view, … })`. Counts for 24 hours, for this person only. */
  readonly view: string;
  /** How many entries stand in each state: what a plan halted half-way has left. */
  readonly progress: Readonly<Partial<Record<EntryState, number>>>;
}

/** What a view says. */
export interface ViewClaims {
  readonly id: string;
  readonly plan: string;
  readonly by: string;
  readonly digest: string;
  /** Counts until then, milliseconds. */
  readonly until: number;
}

/** Shows a plan to a declared person, and says so in the ledger. */
export async function viewPlan(core: Core, id: string, by: string): Promise<PlanView> {
  requirePrincipal(core, by, "look at a plan");
  const row = await findPlan(core, id);
  const now = await core.store.now();
  const plan = planOf(core, row, now);
  const claims: ViewClaims = {
    id: randomBytes(12).toString("base64url"),
    plan: id,
    by,
    digest: confirmationDigest(readRecord(core, row)),
    until: now + viewLife,
  };
  const sealed = core.secrets.wrap(Buffer.from(JSON.stringify(claims)), viewUse);
  const progress = await core.store.entryStates(id);
  await core.store.append([actionEvent("plan-shown", { plan: id, by, digest: claims.digest })]);
  return { plan, view: Buffer.from(sealed).toString("base64url"), progress };
}

/** What a view says; `undefined` when this fuse, or one with its secret, did not issue it. */
export function openView(core: Core, view: string): ViewClaims | undefined {
  try {
    const plain = core.secrets.unwrap(Buffer.from(view, "base64url"), viewUse);
    return JSON.parse(Buffer.from(plain).toString("utf8")) as ViewClaims;
  } catch {
    return undefined;
  }
}

const viewUse = "view";

/** Throws `PRINCIPAL_UNKNOWN` unless `by` is declared. */
export function requirePrincipal(core: Core, by: string, what: string): void {
  const { principals } = core.settings;
  if (principals.has(by)) return;
  throw new MailfuseError({
    code: "PRINCIPAL_UNKNOWN",
    message: `Expected a declared approver or requester (${[...principals].join(", ") || "none is declared"}) to ${what}, got ${JSON.stringify(by ?? null).slice(0, 80)}.`,
    fix: "Declare the person under `approvers` or `requesters`.",
  });
}
