/**
 * How things stand, for people: what is halted, how full the caps are, which plans wait, what was
 * refused last, and how the store answers.
 *
 * @module
 */
import { type Core, codeOf } from "./core";
import { type Description, describe } from "./describe";
import { drillPurpose } from "./drill";
import type { ErrorCode } from "./errors";
import { windowKey } from "./guards/caps";
import { type Plan, planOf } from "./plan/plan";
import { type Cap, everything, type Purpose, purposeScope } from "./purpose";
import type { HaltRecord, PlanRow, Store } from "./store";

/** A cap over a window of time, and how many distinct people it holds now. */
export interface CapUsage {
  /** The purpose it bounds; `"*"` for everything, `"(none)"` for mail that names no purpose. */
  readonly purpose: string;
  readonly people: number;
  readonly windowMs: number;
  readonly used: number;
  readonly onExceeded: "refuse" | "halt";
}

/** A mail that did not leave, as the ledger has it: no address, no text. */
export interface RecentRefusal {
  /** The ledger line's number and time. */
  readonly seq: number;
  readonly at: number;
  readonly purposes: readonly string[];
  /** How many people it was for. */
  readonly people: number;
  /** How often each reason occurs. */
  readonly reasons: Readonly<Partial<Record<ErrorCode, number>>>;
  /** In observe mode it left: this is what live would do. */
  readonly left: boolean;
}

/** What `fuse.status()` resolves to. */
export interface Status {
  readonly description: Description;
  readonly halts: readonly HaltRecord[];
  readonly caps: readonly CapUsage[];
  /** Plans that wait for people or are under way, newest first. */
  readonly plans: readonly Plan[];
  /** Newest first. */
  readonly refusals: readonly RecentRefusal[];
  readonly store: {
    /** One question and answer, milliseconds. */
    readonly latencyMs: number;
    /** By how much the store's clock is ahead of this machine's, milliseconds. */
    readonly skewMs: number;
  };
  /** How many people have a key to confirm with. */
  readonly approvers: number;
  /** Whether the configuration brings a `secret`, or a random one is kept in the store. */
  readonly secret: "configured" | "in-store";
}

const open: ReadonlySet<string> = new Set(["planned", "confirmed", "releasing", "halted", "partial"]);
const looksBack = 4_000;
const mostRefusals = 20;

/** Reads all of it from the store. Rejects with `STORE_UNAVAILABLE`. */
export async function readStatus(core: Core): Promise<Status> {
  await core.ready();
  const asked = core.clock.now();
  const storeNow = await core.store.now();
  const latencyMs = core.clock.now() - asked;
  const plans = await core.store.plans(200);
  return {
    description: describe(core),
    halts: await core.refreshHalts(),
    caps: await capUsage(core),
    plans: plans.filter(({ state }) => open.has(state)).flatMap((row) => readable(core, row, storeNow)),
    refusals: await recentRefusals(core.store),
    store: { latencyMs, skewMs: Math.round(storeNow - asked - latencyMs / 2) },
    approvers: core.settings.approvers.size,
    secret: core.ownSecret ? "configured" : "in-store",
  };
}

/** A plan that was changed in the store must not hide the others. */
function readable(core: Core, row: PlanRow, now: number): readonly Plan[] {
  try {
    return [planOf(core, row, now)];
  } catch (error) {
    core.log.error({ plan: row.id, error: codeOf(error) }, "a plan in the store cannot be read");
    return [];
  }
}

async function capUsage(core: Core): Promise<readonly CapUsage[]> {
  const { environment, purposes, caps } = core.settings;
  const all = [...purposes.names().map((name) => purposes.get(name) as Purpose), purposes.fallback];
  // While the secret is being changed, the former one's set is the one that is complete.
  const naming = core.secrets.ids.at(-1) as string;
  const key = (scope: string, windowMs: number) => windowKey(environment.name, scope, windowMs, naming);
  const bounds = [
    ...windows(caps).map((cap) => ({ cap, purpose: everything, key: key(everything, cap.windowMs) })),
    ...all.flatMap((purpose) =>
      windows(purpose.caps).map((cap) => ({
        cap,
        purpose: purpose.name,
        key: key(purposeScope(purpose.name), cap.windowMs),
      })),
    ),
  ];
  const used = await core.store.usage(bounds.map((bound) => ({ key: bound.key, windowMs: bound.cap.windowMs })));
  return bounds.map(({ cap, purpose }, index) => ({
    purpose,
    people: cap.people,
    windowMs: cap.windowMs,
    used: used[index] ?? 0,
    onExceeded: cap.onExceeded,
  }));
}

function windows(caps: readonly Cap[]): readonly Cap[] {
  return caps.filter(({ per }) => per === "window");
}

interface RefusedEvent {
  readonly type?: string;
  readonly purposes?: readonly string[];
  readonly count?: number;
  readonly reasons?: RecentRefusal["reasons"];
}

/** The last refusals among the ledger's newest lines. */
async function recentRefusals(store: Store): Promise<readonly RecentRefusal[]> {
  const found: RecentRefusal[] = [];
  for (let after = Math.max(0, (await newestLine(store)) - looksBack); ; ) {
    const lines = await store.read(after, 1_000);
    for (const { seq, at, event } of lines) {
      const { type, purposes = [], count = 0, reasons = {} } = JSON.parse(event) as RefusedEvent;
      if ((type !== "refused" && type !== "would-refuse") || purposes.includes(drillPurpose)) continue;
      found.push({ seq, at, purposes, people: count, reasons, left: type === "would-refuse" });
    }
    const newest = lines.at(-1)?.seq;
    if (newest === undefined) return found.slice(-mostRefusals).reverse();
    after = newest;
  }
}

/** The ledger's highest number, found by asking in ever larger and then halved steps. */
async function newestLine(store: Store): Promise<number> {
  const isBehind = async (seq: number) => (await store.read(seq, 1)).length > 0;
  let low = 0;
  let step = 1_024;
  while (await isBehind(low + step)) {
    low += step;
    step *= 2;
  }
  for (let high = low + step; high - low > 1; ) {
    const middle = Math.floor((low + high) / 2);
    if (await isBehind(middle)) low = middle;
    else high = middle;
  }
  return low + 1;
}
