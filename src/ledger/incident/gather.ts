/**
 * Reads from the ledger what became of the mails of one incident. Memory grows with the people of
 * the incident and not with the ledger.
 *
 * @module
 */
import { everything, planScope, purposeScope } from "../../purpose";
import type { Fate, LedgerLine } from "../../store";
import type { IncidentMoment, IncidentStop } from "../incident";
import { type EventFields, peopleOf, readEvent } from "../read";
import { Steps } from "./steps";

/** What became of a person, the more the higher: a person mailed twice counts as the further one. */
export const standing = { stopped: 1, refused: 2, unknown: 3, accepted: 4 } as const;
/** One of {@link standing}. */
export type Standing = (typeof standing)[keyof typeof standing];

/** Which lines belong to it. */
export interface GatherScope {
  readonly plan?: string;
  readonly purpose: string;
  readonly environment: string;
  /** Calls reserved in this time, milliseconds; `to` not included. */
  readonly from: number;
  readonly to: number;
}

interface Pending {
  readonly people: readonly string[];
  readonly at: number;
}

const mostMoments = 200;
/** A halt reaches a mail that is on the wire no more. */
const graceMs = 60_000;

const standingOf: Readonly<Record<Fate, Standing>> = {
  accepted: standing.accepted,
  unknown: standing.unknown,
  // Neither left: one the provider refused, one it never saw.
  refused: standing.refused,
  failed: standing.refused,
};

/** Takes the ledger's lines in order. */
export class Gathering {
  readonly people = new Map<string, Standing>();
  readonly steps = new Steps();
  readonly #moments: IncidentMoment[] = [];
  readonly reasons: Record<string, number> = {};
  calls = 0;
  #first: LedgerLine | undefined;
  #last: LedgerLine | undefined;
  /** Whether any line spoke of the plan or purpose at all. */
  found = false;
  /** Lines that are no events, and lines behind which others are missing: how many, and the first of each. */
  readonly unreadable = { count: 0, first: 0 };
  readonly gaps = { count: 0, first: 0 };
  #seq = 0;
  readonly #pending = new Map<string, Pending>();
  readonly #stops: IncidentStop[] = [];
  #firstRefusal: IncidentStop | undefined;

  constructor(readonly scope: GatherScope) {}

  get firstSend(): number | undefined {
    return this.#first?.at;
  }

  get lastSend(): number | undefined {
    return this.#last?.at;
  }

  /** Calls without an outcome. */
  get pending(): number {
    return this.#pending.size;
  }

  add(line: LedgerLine): void {
    if (this.#seq > 0 && line.seq !== this.#seq + 1) count(this.gaps, this.#seq);
    this.#seq = line.seq;
    const event = readEvent(line);
    if (!event) count(this.unreadable, line.seq);
    else if (event.type === "settled") this.#settled(event);
    else if (event.type === "reserved") this.#reserved(line, event);
    else if (event.type === "refused") this.#refused(line, event);
    else this.#action(line, event);
  }

  /** Whoever is still without an outcome may have got the mail: their process died, or is at work. */
  finish(): void {
    for (const { people, at } of this.#pending.values()) {
      for (const person of people) this.#mark(person, standing.unknown);
      this.steps.add(at, "unknown");
    }
  }

  /** What happened, in order, with the first and the last mail. */
  timeline(): readonly IncidentMoment[] {
    const [first, last] = [this.#first, this.#last];
    const sends =
      first && last
        ? [
            { at: first.at, seq: first.seq, what: "The first mail was handed to the provider." },
            { at: last.at, seq: last.seq, what: `The last of ${this.calls} calls was handed to the provider.` },
          ]
        : [];
    return [...this.#moments, ...sends].sort((a, b) => (a.seq ?? 0) - (b.seq ?? 0));
  }

  /** What ended it. */
  stop(): IncidentStop | undefined {
    const last = this.lastSend;
    if (last === undefined) return this.#stops[0] ?? this.#firstRefusal;
    // The last sends may have been on the wire when it was stopped.
    return this.#stops.find(({ at }) => at >= last - graceMs) ?? this.#firstRefusal;
  }

  #mark(person: string, to: Standing): void {
    if ((this.people.get(person) ?? 0) < to) this.people.set(person, to);
  }

  #inTime(at: number): boolean {
    return at >= this.scope.from && at < this.scope.to;
  }

  #of(event: EventFields): boolean {
    const { plan, purpose, environment } = this.scope;
    if (plan !== undefined) return event.plan === plan;
    return event.env === environment && event.purposes?.includes(purpose) === true;
  }

  #reserved(line: LedgerLine, event: EventFields): void {
    if (event.id === undefined || !this.#of(event) || !this.#inTime(line.at)) return;
    this.found = true;
    this.calls++;
    this.#first ??= line;
    this.#last = line;
    const people = this.scope.plan === undefined ? peopleOf(event, this.scope.purpose) : (event.people ?? []);
    this.#pending.set(event.id, { people, at: line.at });
  }

  #settled(event: EventFields): void {
    const pending = event.id === undefined ? undefined : this.#pending.get(event.id);
    if (!pending || event.id === undefined) return;
    this.#pending.delete(event.id);
    const fate = event.fate ?? "unknown";
    for (const person of pending.people) this.#mark(person, standingOf[event.fates?.get(person) ?? fate]);
    this.steps.add(pending.at, fate === "failed" ? "refused" : fate);
  }

  #refused(line: LedgerLine, event: EventFields): void {
    if (!this.#of(event) || !this.#inTime(line.at)) return;
    this.found = true;
    for (const [code, count] of Object.entries(event.reasons ?? {})) {
      if (this.reasons[code] === undefined) this.#moment(line, `The fuse refused the first mail as ${code}.`);
      this.reasons[code] = (this.reasons[code] ?? 0) + count;
    }
    const [code] = Object.keys(event.reasons ?? {});
    if (code !== undefined && this.firstSend !== undefined)
      this.#firstRefusal ??= { at: line.at, by: code, what: `The fuse refused what came then as ${code}.` };
    for (const person of this.scope.plan === undefined ? peopleOf(event, this.scope.purpose) : (event.people ?? []))
      this.#mark(person, standing.stopped);
    this.steps.add(line.at, "stopped");
  }

  #action(line: LedgerLine, event: EventFields): void {
    const { plan, purpose, from, to } = this.scope;
    const { type, scope, by, reason, state } = event;
    const who = by === undefined ? "" : ` by ${by}`;
    if ((type === "halted" || type === "resumed") && scope !== undefined) {
      const mine =
        scope === everything || scope === purposeScope(purpose) || (plan !== undefined && scope === planScope(plan));
      // A halt after its time is the one that ended it.
      if (!mine || line.at < from) return;
      const what =
        scope === everything ? "Everything" : scope === purposeScope(purpose) ? `The purpose "${purpose}"` : "The plan";
      const text = `${what} was ${type}${who}${reason ? `: ${reason}` : ""}.`;
      this.#moment(line, text);
      if (type === "halted") this.#stops.push({ at: line.at, by: "HALTED", what: text });
      return;
    }
    const mine = plan === undefined ? event.purposes?.includes(purpose) === true : event.plan === plan;
    if (!mine || line.at < from || line.at >= to) return;
    if (type === "plan" && event.plan !== undefined) {
      this.found = true;
      this.#moment(line, `Plan ${event.plan}: ${state ?? "changed"}${who}.`);
      if (state !== undefined && endings.has(state))
        this.#stops.push({
          at: line.at,
          by: state,
          what: `The plan came to an end, as ${state}${who}${reason ? `: ${reason}` : ""}.`,
        });
    } else if (type === "release") this.#moment(line, `Plan ${event.plan ?? ""}: released, confirmed${who}.`);
    else if (type === "resend")
      this.#moment(line, `Plan ${event.plan ?? ""}: mails without an outcome sent again${who}.`);
    else if (type === "alert") this.#moment(line, "An alert was given: right mail may have been refused.");
  }

  #moment({ seq, at }: LedgerLine, what: string): void {
    if (this.#moments.length < mostMoments) this.#moments.push({ at, what, seq });
  }
}

function count(lines: { count: number; first: number }, seq: number): void {
  if (lines.count++ === 0) lines.first = seq;
}

const endings: ReadonlySet<string> = new Set(["done", "partial", "revoked", "rejected", "halted", "expired"]);
