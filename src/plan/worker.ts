/**
 * One worker of a release: leases entries, asks about them once more, and passes them through the
 * exit. The store decides who delivers an entry; a worker only proposes.
 *
 * @module
 */
import type { Call, Fate } from "../adapter";
import type { Core, Held } from "../core";
import { MailfuseError, type Refusal } from "../errors";
import { actionEvent } from "../ledger/events";
import type { Purpose } from "../purpose";
import type { Place } from "./crew";
import type { Placed } from "./entries";
import { findPlan, readRecord } from "./keep";
import { Pacer } from "./pace";
import { changed, outOfTime } from "./problems";
import { goesBack, recheck } from "./recheck";
import type { PlanRecord } from "./record";
import { mayFallOut } from "./review";
import { type Spool, unpackEntry } from "./spool";
import { dataOf, type Teller } from "./telling";

/** Passes a call through the exit. */
export type Pass = (call: Call, held: Held) => Promise<unknown>;

/** What a worker works with. */
export interface WorkerOptions {
  readonly core: Core;
  readonly pass: Pass;
  readonly record: PlanRecord;
  readonly purpose: Purpose;
  readonly spool: Spool;
  readonly place: Place;
  readonly teller: Teller | undefined;
  readonly options: { readonly concurrency?: number; readonly leaseMs: number; readonly wait?: boolean };
}

/** Entries leased at once. */
const leaseSize = 20;

export class Worker {
  readonly refusals: Refusal[] = [];
  /** Entries that guards refused here: they wait for a later release, and are not tried again by this one. */
  readonly refusedHere = new Set<number>();
  /** What stops the whole release. */
  stopped: MailfuseError | undefined;
  /** What the application's callback, or a defect, threw. */
  failure: { readonly error: unknown } | undefined;
  /** Another process has ended, halted or revoked the plan. */
  gone = false;
  /** How many people have fallen out, when that is more than was confirmed. */
  fellOut: number | undefined;
  record: PlanRecord;
  readonly #pacer: Pacer;
  #queue: Placed[] = [];
  #filling: Promise<void> | undefined;
  #empty = false;
  #removed = 0;

  constructor(readonly parts: WorkerOptions) {
    this.record = parts.record;
    this.#pacer = new Pacer(parts.core, parts.record.terms);
  }

  get ended(): boolean {
    return this.stopped !== undefined || this.failure !== undefined || this.gone;
  }

  /** Where a canary that is not through yet ends. */
  get below(): number | undefined {
    const { canary } = this.record;
    return canary && canary.by === undefined ? canary.below : undefined;
  }

  /** Delivers until nothing can be leased. Never rejects: what goes wrong ends the worker. */
  async deliver(): Promise<void> {
    this.#empty = false;
    const lanes = Array.from({ length: this.parts.options.concurrency ?? 5 }, () => this.#lane());
    await Promise.all(lanes);
  }

  /** Writes down what was told. */
  async flush(): Promise<void> {
    await this.parts.teller?.flush();
  }

  async #lane(): Promise<void> {
    try {
      for (let next = await this.#next(); next && !this.ended; next = await this.#next()) await this.#one(next);
    } catch (error) {
      // A refusal of the store or of ours stops everything and is what `release` rejects with.
      if (MailfuseError.isInstance(error)) this.stopped ??= error;
      else this.failure ??= { error };
    }
  }

  async #next(): Promise<Placed | undefined> {
    while (this.#queue.length === 0 && !this.#empty && !this.ended) {
      this.#filling ??= this.#fill().finally(() => {
        this.#filling = undefined;
      });
      await this.#filling;
    }
    return this.ended ? undefined : this.#queue.shift();
  }

  /** Looks how the plan stands: a person may have ended it, or let the rest go. */
  async refresh(): Promise<void> {
    const { core } = this.parts;
    const { id, notAfter } = this.record.terms;
    const row = await findPlan(core, id);
    const record = readRecord(core, row);
    if ((row.state !== "releasing" && row.state !== "canary") || record.round !== this.record.round) this.gone = true;
    else this.record = record;
    const now = await core.store.now();
    if (now > notAfter) this.stopped ??= outOfTime("not after", notAfter, now);
  }

  async #fill(): Promise<void> {
    const { core, purpose, spool, place, options } = this.parts;
    const { id } = this.record.terms;
    await this.refresh();
    if (this.ended) return;
    const room = await this.#pacer.room(leaseSize);
    if (room === 0) {
      if (options.wait === false) this.#empty = true;
      else await this.#pacer.wait();
      return;
    }
    const claimed = await core.store.claimEntries(id, place.name, room, options.leaseMs, this.below);
    const fresh = claimed.filter(({ index }) => !this.refusedHere.has(index));
    if (fresh.length === 0) this.#empty = true;
    // Until here they are leased, which nobody takes for the end.
    else await place.wake();
    const placed = fresh.map(({ index, sealed }) => ({ index, entry: unpackEntry(spool.open(index, sealed)) }));
    // What was true when it was confirmed may no longer be: people are only ever taken out, visibly.
    const { out, evidence } = await recheck(core, purpose, this.record.terms, placed);
    if (out.size > 0) await this.#remove(placed, out);
    for (const { index, entry } of placed) {
      if (!out.has(index)) this.#queue.push({ index, entry: { ...entry, evidence: evidence.get(index) ?? [] } });
    }
  }

  async #remove(placed: readonly Placed[], out: ReadonlyMap<number, Refusal>): Promise<void> {
    const { core } = this.parts;
    const { id, people } = this.record.terms;
    const reasons: Record<string, number> = {};
    for (const [index, refusal] of out) {
      reasons[refusal.code] = (reasons[refusal.code] ?? 0) + 1;
      this.#note({ ...refusal, where: `entry ${index}` });
    }
    const entries = [...out.keys()];
    // The line first: nobody falls out without one.
    await core.store.append([actionEvent("removed", { plan: id, entries, reasons })]);
    await core.store.markEntries(id, entries, "removed");
    for (const { index, entry } of placed) if (out.has(index)) this.#removed += entry.people.length;
    const { removed = 0 } = await core.store.entryStates(id);
    const most = Math.max(removed, this.#removed);
    if (most <= mayFallOut(this.record)) return;
    this.fellOut = most;
    this.stopped ??= goesBack(most, people);
  }

  async #one({ index, entry }: Placed): Promise<void> {
    const { core, purpose, teller } = this.parts;
    const held = core.held.get(entry.client);
    if (!held) throw changed("attached client", entry.client, "none");
    const call = held.attachment.revive(entry.bytes);
    await this.#pacer.take("messages" in call.intent ? call.intent.messages.length : 1, () => this.ended);
    if (this.ended) return;
    const data = dataOf(entry);
    let fate: Fate | undefined;
    const release = {
      plan: this.record.terms.id,
      index,
      purpose,
      evidence: entry.evidence,
      settled(outcome: { readonly fate: Fate }) {
        fate = outcome.fate;
      },
    };
    const context = { purpose: purpose.name, ...(data === undefined ? {} : { data }) };
    try {
      await core.frames.run({ context, release }, () => this.parts.pass(call, held));
    } catch (error) {
      this.#failed(error, index, fate);
    }
    if (fate === "accepted") await teller?.tell({ index, data });
  }

  #failed(error: unknown, index: number, fate: Fate | undefined): void {
    // With an outcome the provider has spoken, and the ledger has it; without, the fuse refused.
    if (fate !== undefined) return;
    if (!MailfuseError.isInstance(error)) throw error;
    if (error.code === "DUPLICATE") return;
    if (error.code === "HALTED" || error.code.startsWith("STORE_")) this.stopped ??= error;
    else this.refusedHere.add(index);
    for (const refusal of error.refusals) this.#note({ ...refusal, where: `entry ${index}` });
  }

  #note(refusal: Refusal): void {
    if (this.refusals.length < 1_000) this.refusals.push(refusal);
  }
}
