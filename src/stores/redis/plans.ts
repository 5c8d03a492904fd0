/**
 * Plans on Redis, and the states of their entries; the sealed bytes lie elsewhere, see spool.
 *
 * @module
 */
import { type CapSpend, MailfuseError, type PlanChange, type PlanChangeAnswer, type Store } from "../../store";
import { type EntryMethods, entryStates, letter } from "../entries";
import { changeInSteps } from "../staged-change";
import type { Staging, StagingServer } from "../staging";
import { nonsense, type Server, text, whole } from "./client";
import * as plans from "./lua-plans";
import { milliseconds } from "./names";
import { readHalt } from "./records";
import { Spends } from "./spends";
import type { SealedBytes } from "./spool";

/** The year 2286: times beyond overflow when they are turned into Redis' expiry. */
const farFuture = 9_999_999_999_999;

type PlanMethods = EntryMethods & Pick<Store, "addPlan" | "plan" | "plans" | "changePlan">;

/** The methods of the store for plans and their spool. */
export function plansOn(server: Server, staging: StagingServer, bytes: SealedBytes, nonce: () => string): PlanMethods {
  async function change(wanted: PlanChange, staged?: Staging, dry = false): Promise<PlanChangeAnswer | undefined> {
    const spends = new Spends(3, staged);
    const caps = dry ? [] : (wanted.caps ?? []);
    const { groups, firsts } = spends.groups(caps);
    const refs = firsts.map((first) => spends.ref(caps[first] as CapSpend));
    const tokens = (wanted.tokens ?? []).map(({ id, until }) => [id, Math.min(until, farFuture)]);
    const head = [nonce(), dry ? 1 : 0, wanted.id, wanted.version, wanted.scopes ?? [], tokens];
    const tables = [spends.windows.rows, spends.specs.rows, groups, refs, staged?.stamp ?? 0];
    const rest = [wanted.event, wanted.state, wanted.record, ...spends.packed];
    const [at, kind, first, second, third] = await server.write(plans.changePlan, [...head, ...tables], rest);
    switch (kind) {
      case "ok":
        return { ok: true, version: wanted.version + 1, seq: whole(first), at: whole(at) };
      case "version":
        return { ok: false, reason: "version" };
      case "halted":
        return { ok: false, reason: "halted", halt: readHalt(first) };
      case "token":
        return { ok: false, reason: "token", id: text(wanted.tokens?.[whole(first) - 1]?.id) };
      case "cap":
        return spends.refusal(first, second, third);
      case "dry":
      case "late":
        return undefined;
      default:
        throw nonsense();
    }
  }

  return {
    async addPlan(row, event) {
      const [, added] = await server.write(plans.addPlan, [nonce()], [event, row.id, row.state, row.record]);
      return whole(added) === 1;
    },
    async plan(id) {
      const [found, ...row] = await server.read(plans.plan, [id]);
      return whole(found) === 1 ? planRow([id, ...row]) : undefined;
    },
    async plans(most) {
      if (most < 1) return [];
      const [, ...rows] = await server.read(plans.plans, [String(most)]);
      return rows.filter((_, index) => index % 5 === 0).map((_, row) => planRow(rows.slice(row * 5, row * 5 + 5)));
    },
    changePlan: (wanted) => changeInSteps(staging, wanted, change, fail),

    async spool(plan, entries) {
      for (let from = 0; from < entries.length; from += 1_000) {
        const part = entries.slice(from, from + 1_000);
        const indexes = JSON.stringify(part.map((entry) => entry.index));
        const [states] = await server.read(plans.statesOf, [plan, indexes]);
        const fresh = part.filter((_, index) => text(states)[index] === "\0");
        if (fresh.length === 0) continue;
        // The bytes first: an entry that waits must have them. A crash in between leaves bytes that nobody asks for.
        await bytes.put(plan, fresh);
        await server.write(plans.addEntries, [plan, fresh.map((entry) => entry.index)]);
      }
    },
    entries: (plan, from, most) => bytes.from(plan, from, most),
    async claimEntries(plan, _worker, count, leaseMs, below) {
      const head = [plan, count, milliseconds(leaseMs), Math.min(below ?? farFuture, farFuture)];
      const [, , ...indexes] = await server.write(plans.claimEntries, head);
      const found = indexes.length > 0 ? await bytes.get(plan, indexes.map(whole)) : [];
      return found.length === indexes.length ? found : missing(indexes.length, found.length);
    },
    async entryStates(plan) {
      const [, ...rows] = await server.read(plans.countEntries, [plan]);
      const counts = new Map(pairs(rows).map(([name, count]) => [name, count]));
      const states = Object.entries(entryStates).map(([name, state]) => [state, whole(counts.get(name) ?? 0)] as const);
      return Object.fromEntries(states.filter(([, count]) => count > 0));
    },
    async entriesIn(plan, state, after, most) {
      const args = [plan, letter(state), String(Math.max(-1, after)), String(Math.max(0, most))];
      const [, ...indexes] = await server.read(plans.entriesIn, args);
      return indexes.map(whole);
    },
    async requeueEntries(plan, from, event) {
      const [, count] = await server.write(plans.requeue, [nonce()], [event, plan, letter(from)]);
      return whole(count);
    },
    async markEntries(plan, indexes, to) {
      let moved = 0;
      for (let from = 0; from < indexes.length; from += 1_000) {
        const head = [plan, indexes.slice(from, from + 1_000), letter(to)];
        moved += whole((await server.write(plans.markEntries, head))[1]);
      }
      return moved;
    },
    async dropSpool(plan) {
      await server.write(plans.dropEntries, [plan]);
      await bytes.drop(plan);
    },
  };
}

function planRow(row: readonly unknown[]) {
  const [id, state, version, record, at] = row;
  return { id: text(id), state: text(state), version: whole(version), record: text(record), createdAt: whole(at) };
}

function pairs(rows: readonly unknown[]): [unknown, unknown][] {
  return rows.flatMap((row, index) => (index % 2 === 0 ? [[row, rows[index + 1]] as [unknown, unknown]] : []));
}

function missing(expected: number, got: number): never {
  throw new MailfuseError({
    code: "STORE_UNAVAILABLE",
    message: `Expected the bytes of ${expected} spooled entries, got ${got}.`,
    fix: "Nothing was sent. Check that every worker sees the same spool directory.",
  });
}

function fail(): never {
  throw nonsense();
}
