/**
 * Finds what an incident is about: the plan, or the purpose and time, and what of it can still send.
 *
 * @module
 */
import type { Core } from "../../core";
import { MailfuseError } from "../../errors";
import type { PlanRow } from "../../store";
import type { IncidentData, IncidentScope } from "../incident";
import type { GatherScope } from "./gather";

/** What is read, and what is known beside the ledger. */
export interface ReadScope {
  readonly id: string;
  readonly lines: GatherScope;
  readonly waiting: IncidentData["waiting"];
  /** How many have still to get theirs, when so many people had a reservation. */
  readonly notSent: (reserved: number) => number;
}

/** The terms that matter here. The plan may be over, or made by another version. */
interface KnownTerms {
  readonly purpose: string;
  readonly environment: string;
  readonly people: number;
}

/** Plans looked through for ones that can still send. */
const mostPlans = 1_000;
const canSend: ReadonlySet<string> = new Set(["planned", "confirmed", "releasing", "canary", "partial", "halted"]);
/** A plan's first line and its row may be a moment apart. */
const marginMs = 1_000;

/** Reads the scope. Rejects with `INCIDENT_UNKNOWN` for a plan that nobody knows, `CONFIG_INVALID` for wrong times. */
export async function readScope(
  core: Core,
  scope: IncidentScope,
  environment: string | undefined,
  now: number,
): Promise<ReadScope> {
  const own = environment ?? core.settings.environment.name;
  if (!("plan" in scope)) return purposeScope(core, scope, own, now);
  const row = await core.store.plan(scope.plan);
  if (!row) throw unknownIncident();
  const terms = termsOf(row);
  const waiting = await waitingOf(core, [row]);
  return {
    id: row.id,
    lines: {
      plan: row.id,
      purpose: terms?.purpose ?? "(unknown)",
      environment: terms?.environment ?? own,
      from: row.createdAt - marginMs,
      to: Number.POSITIVE_INFINITY,
    },
    waiting,
    notSent: (reserved) => (waiting.length > 0 ? Math.max(0, (terms?.people ?? 0) - reserved) : 0),
  };
}

async function purposeScope(
  core: Core,
  scope: Exclude<IncidentScope, { readonly plan: string }>,
  environment: string,
  now: number,
): Promise<ReadScope> {
  const { purpose } = scope;
  const from = timeOf("from", scope.from);
  const to = scope.to === undefined ? now + 1 : timeOf("to", scope.to);
  const rows = (await core.store.plans(mostPlans)).filter((row) => {
    const terms = termsOf(row);
    return terms?.purpose === purpose && terms.environment === environment;
  });
  const waiting = await waitingOf(core, rows);
  return {
    id: `${purpose} ${new Date(from).toISOString()} ${new Date(to).toISOString()}`,
    lines: { purpose, environment, from, to },
    waiting,
    notSent: () => waiting.reduce((sum, { entries }) => sum + entries, 0),
  };
}

async function waitingOf(core: Core, rows: readonly PlanRow[]): Promise<IncidentData["waiting"]> {
  const found: IncidentData["waiting"][number][] = [];
  for (const { id, state } of rows) {
    if (!canSend.has(state)) continue;
    const { waiting = 0, claimed = 0 } = await core.store.entryStates(id);
    if (waiting + claimed > 0) found.push({ plan: id, state, entries: waiting + claimed });
  }
  return found;
}

function termsOf(row: PlanRow): KnownTerms | undefined {
  try {
    const { terms } = JSON.parse(row.record) as { terms?: KnownTerms };
    return typeof terms?.purpose === "string" ? terms : undefined;
  } catch {
    return undefined;
  }
}

function timeOf(where: string, value: unknown): number {
  const time = value instanceof Date || typeof value === "number" ? Number(value) : Number.NaN;
  if (Number.isFinite(time) && Math.abs(time) <= 8.64e15) return time;
  throw new MailfuseError({
    code: "CONFIG_INVALID",
    message: `Expected \`${where}\` to be a Date or milliseconds since the epoch, got ${typeof value}.`,
    fix: "Say when the mistake began and, if it is over, when it ended.",
    where,
  });
}

/** The error for an incident of which nothing is known. */
export function unknownIncident(): MailfuseError {
  return new MailfuseError({
    code: "INCIDENT_UNKNOWN",
    message:
      "Expected a plan, or mail of a purpose in a time, that is in this store's ledger, got one of which nothing is there.",
    fix: "Look at the id, the purpose's spelling, the times and the environment; `fuse.ledger.tail()` shows what there is.",
  });
}
