/**
 * Judges one reservation against what a store in this process can look up at once. The memory and
 * the SQLite store share it; stores behind a network judge in their server, where the data is.
 *
 * @module
 */
import type {
  CapSpend,
  EntryClaim,
  HaltRecord,
  OnceClaim,
  OnceRecord,
  RateSpend,
  Reservation,
  ReserveAnswer,
} from "../store";

/** What stands in the store at one moment. */
export interface View {
  readonly at: number;
  halt(scope: string): HaltRecord | undefined;
  /** The claim on a key whose time is not over. */
  once(key: string): OnceRecord | undefined;
  /** Why an entry cannot be reserved; `undefined` when it can. */
  entry(claim: EntryClaim): OnceRecord | undefined;
  /** Distinct people in the window, and how many of these would be new. */
  people(spend: CapSpend): { readonly used: number; readonly wanted: number };
  /** Messages in the window. */
  messages(spend: RateSpend): number;
}

/** A refusal, or what is to be spent. */
export interface Verdict {
  readonly refused?: Extract<ReserveAnswer, { ok: false }>;
  /** Halts to be latched, also when refused. */
  readonly latch: readonly HaltRecord[];
  /** Keys that are not enforced and would have refused. */
  readonly exceeded: readonly string[];
  /** What to spend: one per key, without the exceeded. */
  readonly caps: readonly CapSpend[];
  readonly rates: readonly RateSpend[];
}

const none: readonly never[] = [];

/** Looks, and spends nothing: what refuses one cap must leave the others untouched. */
export function judge(
  reservation: Pick<Reservation, "scopes" | "once" | "entry" | "caps" | "rates">,
  view: View,
): Verdict {
  for (const scope of reservation.scopes) {
    const halt = view.halt(scope);
    if (halt) return refuse({ ok: false, reason: "halted", halt });
  }
  for (const claim of reservation.once) {
    const first = view.once(claim.key);
    if (first && holds(claim, first, view.at)) return refuse({ ok: false, reason: "duplicate", key: claim.key, first });
  }
  if (reservation.entry) {
    const { entry } = reservation;
    const first = view.entry(entry);
    if (first) return refuse({ ok: false, reason: "duplicate", key: `entry:${entry.plan}:${entry.index}`, first });
  }
  return judgeSpends(reservation.caps, reservation.rates, view);
}

/** Every cap is looked at, also behind the first that refuses: each may have a halt to latch. */
export function judgeSpends(
  caps: readonly CapSpend[],
  rates: readonly RateSpend[],
  view: Pick<View, "people" | "messages">,
): Verdict {
  let refused: Verdict["refused"];
  const latch: HaltRecord[] = [];
  const exceeded: string[] = [];
  const spend: CapSpend[] = [];
  const send: RateSpend[] = [];
  for (const cap of caps) {
    const { used, wanted } = view.people(cap);
    if (used + wanted <= cap.limit) {
      spend.push(cap);
      continue;
    }
    if (cap.haltOnExceeded) latch.push(cap.haltOnExceeded);
    if (!cap.enforce) exceeded.push(cap.key);
    else refused ??= { ok: false, reason: "cap", key: cap.key, limit: cap.limit, used, wanted };
  }
  for (const rate of rates) {
    const used = view.messages(rate);
    if (used + rate.messages <= rate.limit) send.push(rate);
    else if (!rate.enforce) exceeded.push(rate.key);
    else refused ??= { ok: false, reason: "cap", key: rate.key, limit: rate.limit, used, wanted: rate.messages };
  }
  if (refused) return { refused, latch, exceeded: none, caps: none, rates: none };
  return { latch, exceeded, caps: onePerKey(spend), rates: onePerKey(send) };
}

/** So many are compared with each other; of more, a map is made. */
const few = 8;

function onePerKey<Spend extends { readonly key: string }>(spends: readonly Spend[]): readonly Spend[] {
  if (spends.length <= few && spends.every(({ key }, place) => spends.findIndex((one) => one.key === key) === place))
    return spends;
  return [...new Map(spends.map((spend) => [spend.key, spend])).values()];
}

function refuse(refused: Extract<ReserveAnswer, { ok: false }>): Verdict {
  return { refused, latch: none, exceeded: none, caps: none, rates: none };
}

/** Whether a former claim stands in the way of this one. */
function holds(claim: OnceClaim, first: OnceRecord, at: number): boolean {
  if (claim.onUnknown === "hold" || first.state === "accepted") return true;
  // Reserved and not yet over its lease: a living process has it in its hands.
  return first.state === "reserved" && (claim.leaseMs === undefined || at < first.at + claim.leaseMs);
}
