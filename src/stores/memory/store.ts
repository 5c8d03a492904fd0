/**
 * What a memory store does, loaded once one is used: most fuses have another.
 *
 * @module
 */
import type { Clock, PlanChangeAnswer, PlanRow, Store } from "../../store";
import { judgeSpends } from "../judge";
import { memoryAddresses } from "./addresses";
import { memoryHalts } from "./halts";
import { memoryLedger } from "./ledger";
import { memoryMessages } from "./messages";
import { memoryPeople } from "./people";
import { memoryReservations } from "./reservations";
import { memorySpools } from "./spools";

export function makeStore(clock: Pick<Clock, "now">, ledgerLines: number): Store {
  const people = memoryPeople();
  const messages = memoryMessages();
  const spools = memorySpools();
  const halts = memoryHalts();
  const ledger = memoryLedger(ledgerLines, (reservation) => reservations.forget(reservation));
  const addresses = memoryAddresses(ledgerLines);
  const reservations = memoryReservations({ ledger, people, messages, spools, halts, addresses });
  const values = new Map<string, string>();
  const leases = new Map<string, { readonly holder: string; readonly until: number }>();
  const plans = new Map<string, PlanRow>();
  const tokens = new Map<string, number>();
  const time = (): number => Math.max(ledger.at(), clock.now());

  return {
    async open() {
      return {
        kind: "memory",
        shared: false,
        durability: "none",
        says: "In this process's memory: caps, claims, plans and the ledger are gone when it ends.",
      };
    },
    async now() {
      return time();
    },
    async setOnce(name, value) {
      const known = values.get(name);
      if (known === undefined) values.set(name, value);
      return known ?? value;
    },
    async value(name) {
      return values.get(name);
    },
    async forget(name) {
      values.delete(name);
    },
    async lease(name, holder, ms) {
      const at = time();
      const lease = leases.get(name);
      if (lease && lease.holder !== holder && lease.until > at) return false;
      leases.set(name, { holder, until: at + ms });
      return true;
    },

    async reserve(all) {
      return reservations.reserve(all, time());
    },
    async settle(all) {
      const at = time();
      return all.map((settlement) => reservations.settle(settlement, at));
    },
    async usage(asked) {
      const at = time();
      return asked.map(({ key, windowMs }) => people.used(key, windowMs, at));
    },

    async halt(record, event) {
      const at = time();
      halts.set(record, at);
      ledger.append(event, at);
    },
    async resume(scope, event) {
      ledger.append(event, time());
      return halts.remove(scope);
    },
    async halts() {
      return halts.all();
    },
    async acknowledge(event) {
      return reservations.acknowledge(event, time());
    },

    async append(events) {
      const at = time();
      return events.map((event) => ledger.append(event, at));
    },
    async read(after, limit) {
      return ledger.read(after, limit);
    },
    async trim(seq) {
      ledger.trim(seq);
    },

    async addresses(bucket, names) {
      return addresses.find(bucket, names);
    },
    async addressBuckets() {
      return addresses.buckets();
    },
    async forgetAddresses(what) {
      return addresses.forget(what);
    },

    async addPlan(row, event) {
      if (plans.has(row.id)) return false;
      const at = time();
      ledger.append(event, at);
      plans.set(row.id, { id: row.id, state: row.state, version: 1, record: row.record, createdAt: at });
      return true;
    },
    async plan(id) {
      return plans.get(id);
    },
    async plans(limit) {
      return [...plans.values()].reverse().slice(0, limit);
    },
    async changePlan(change): Promise<PlanChangeAnswer> {
      const row = plans.get(change.id);
      if (!row || row.version !== change.version) return { ok: false, reason: "version" };
      const at = time();
      for (const scope of change.scopes ?? []) {
        const halt = halts.find(scope);
        if (halt) return { ok: false, reason: "halted", halt };
      }
      for (const [id, until] of tokens) if (until <= at) tokens.delete(id);
      const own = new Set<string>();
      for (const { id } of change.tokens ?? []) {
        if (tokens.has(id) || own.has(id)) return { ok: false, reason: "token", id };
        own.add(id);
      }
      const verdict = judgeSpends(change.caps ?? [], [], {
        people: (spend) => people.look(spend, at),
        messages: (spend) => messages.used(spend, at),
      });
      halts.latch(verdict.latch, at);
      if (verdict.refused?.reason === "cap") return verdict.refused;

      const seq = ledger.append(change.event, at);
      for (const { id, until } of change.tokens ?? []) tokens.set(id, until);
      for (const cap of verdict.caps) people.count(cap, at, seq);
      const version = row.version + 1;
      plans.set(row.id, { ...row, state: change.state, version, record: change.record });
      return { ok: true, version, seq, at };
    },

    async spool(plan, entries) {
      spools.add(plan, entries);
    },
    async entries(plan, from, limit) {
      return spools.from(plan, from, limit);
    },
    async claimEntries(plan, _worker, count, leaseMs, below) {
      return spools.claim(plan, count, time(), leaseMs, below);
    },
    async entryStates(plan) {
      return spools.states(plan);
    },
    async entriesIn(plan, state, after, limit) {
      return spools.inState(plan, state, after, limit);
    },
    async requeueEntries(plan, from, event) {
      ledger.append(event, time());
      return spools.requeue(plan, from);
    },
    async markEntries(plan, indexes, to) {
      return spools.mark(plan, indexes, to);
    },
    async dropSpool(plan) {
      spools.drop(plan);
    },

    // Nothing was opened. The store goes on: another fuse may share it.
    async close() {},
  };
}
