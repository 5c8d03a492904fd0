/**
 * The store seam: the atomic operations a fuse needs, and nothing that would invite
 * get-then-set. Each operation is one atomic step; what is not atomic is said.
 *
 * A store knows no purposes and no people: it is handed keys, pseudonyms and limits. Keys are any
 * well-formed text: quotes, NUL, `__proto__` and a megabyte included.
 *
 * Shared stores use their server's clock. A store's time never goes back: it is the later of that
 * clock and the newest ledger line's.
 *
 * Every method rejects with `STORE_UNAVAILABLE` while the store cannot be reached or does not
 * answer sense, and works again by itself once it can.
 *
 * @module
 */
import type { Fate } from "./adapter";

export type { Fate } from "./adapter";
export { type Clock, systemClock } from "./clock";
export { type ErrorCode, MailfuseError, type Refusal } from "./errors";

/**
 * Spends a cap on distinct people in a sliding window: the people last counted after `now - windowMs`.
 * Passes when those and the new ones together are at most `limit`; then all of them count from now.
 */
export interface CapSpend {
  /**
   * Names the window's set of people, for example `purpose:refund:86400000`; one length per key.
   * A key that stands twice in one reservation (two limits on one window) has the same people.
   */
  readonly key: string;
  readonly windowMs: number;
  /** The most distinct people in any window of that length. */
  readonly limit: number;
  /** Distinct pseudonyms. */
  readonly people: readonly string[];
  /**
   * `false` counts and reports, but does not refuse (observe mode). Where the cap would have
   * refused, nothing is counted for this key, as in live mode: a window never holds more than `limit`.
   */
  readonly enforce: boolean;
  /**
   * Latches this halt, in the same step, when the cap would be exceeded: every such cap of the
   * reservation, whether enforced or not. A scope already halted keeps its record.
   */
  readonly haltOnExceeded?: HaltRecord;
}

/**
 * Spends a cap on messages in a sliding window (mail to one person, mail to a redirect inbox).
 * Keys of rates and of caps are apart: the same text names two things.
 */
export interface RateSpend {
  readonly key: string;
  readonly windowMs: number;
  /** The most messages in any window of that length. */
  readonly limit: number;
  readonly messages: number;
  readonly enforce: boolean;
}

/**
 * Claims that something happens once. A claim that was refused is free again; an accepted one is
 * taken until its time is over; in between decides {@link OnceClaim.onUnknown}.
 */
export interface OnceClaim {
  /** One that stands twice in one reservation is one claim. */
  readonly key: string;
  /** How long the claim is kept, from the moment it is made. */
  readonly ttlMs: number;
  /**
   * What a former claim means whose outcome is `unknown` or `failed`, or that is still `reserved`
   * after {@link OnceClaim.leaseMs}: refuse, or let this one take its place.
   */
  readonly onUnknown: "hold" | "resend";
  /**
   * How long a `reserved` claim counts as under way, so that `"resend"` does not send beside a
   * living process. After that its process is taken to be dead. Without it a reserved claim holds
   * until it is settled or its `ttlMs` is over.
   */
  readonly leaseMs?: number;
}

/**
 * Marks one entry of a plan as being delivered; an entry is reserved at most once. Only an entry
 * that is `waiting` or `claimed` can be: any other, and one that is not there, is a duplicate with
 * the key `entry:<plan>:<index>`.
 */
export interface EntryClaim {
  readonly plan: string;
  readonly index: number;
}

/**
 * One send, judged and ready to leave. Judged in this order, the first refusal is the answer:
 * regressed, halted, once, entry, caps, rates, a known id.
 */
export interface Reservation {
  /** Unique; settles refer to it. A second one is a duplicate with the key `reservation`. */
  readonly id: string;
  /** Halt scopes that stop it: `"*"` and `"purpose:<name>"`. */
  readonly scopes: readonly string[];
  readonly once: readonly OnceClaim[];
  readonly entry?: EntryClaim;
  readonly caps: readonly CapSpend[];
  readonly rates: readonly RateSpend[];
  /** The ledger's "reserved" line, JSON without number and time: the store adds `seq` and `at`. */
  readonly event: string;
  /** Sealed addresses of its people, kept in the same step; see {@link Store.addresses}. */
  readonly addresses?: SealedAddresses;
  /**
   * The highest ledger number this process has seen. A store behind it has lost data: it refuses
   * this and every other reservation until {@link Store.acknowledge}.
   */
  readonly seen: number;
}

/**
 * Who was reached, as ciphertext by pseudonym. It stands beside the ledger and not in it, so that one
 * person's, or one bucket's, can be destroyed while the ledger stays as it was.
 */
export interface SealedAddresses {
  /** What is destroyed together, for example a day: `"2026-11-22"`. */
  readonly bucket: string;
  /** Pseudonym and ciphertext, base64. Where the bucket already has the person, the former stays. */
  readonly sealed: readonly (readonly [person: string, sealed: string])[];
}

/** The answer to a {@link Reservation}: everything was spent, or nothing. */
export type ReserveAnswer =
  | {
      readonly ok: true;
      /** The ledger line's number and the store's time, milliseconds. */
      readonly seq: number;
      readonly at: number;
      /** Keys of caps and rates that are not enforced and would have refused. */
      readonly exceeded: readonly string[];
    }
  | { readonly ok: false; readonly reason: "halted"; readonly halt: HaltRecord }
  | {
      readonly ok: false;
      readonly reason: "cap";
      readonly key: string;
      readonly limit: number;
      /** Distinct people (or messages) already counted in the window, and how many would be new. */
      readonly used: number;
      readonly wanted: number;
    }
  | { readonly ok: false; readonly reason: "duplicate"; readonly key: string; readonly first: OnceRecord }
  /** `seq` is the store's highest ledger number. */
  | { readonly ok: false; readonly reason: "regressed"; readonly seq: number };

/** Who holds a claim, and what became of it. */
export interface OnceRecord {
  readonly reservation: string;
  /** `reserved` while under way, or after a crash: the mail may have been sent. */
  readonly state: "reserved" | Fate;
  readonly at: number;
  readonly messageId?: string;
}

/**
 * The outcome of a reservation. Only `refused` gives its budget and claims back, and only what this
 * reservation added: a person whom another reservation counted before or since stays counted.
 */
export interface Settlement {
  readonly reservation: string;
  readonly fate: Fate;
  readonly messageId?: string;
  /** Pseudonyms whose mail was definitely refused while others' was not: their place in the caps comes back. */
  readonly refusedPeople?: readonly string[];
  /** The ledger's "settled" line, JSON without number and time. */
  readonly event: string;
}

/** A kill switch that is on. */
export interface HaltRecord {
  /** `"*"` or `"purpose:<name>"`. */
  readonly scope: string;
  readonly reason: string;
  /** Who asked for it: a principal, or `"cap:<key>"`. */
  readonly by: string;
  /** The store's time; set by the store. */
  readonly at?: number;
}

/** A stored ledger line. */
export interface LedgerLine {
  readonly seq: number;
  readonly at: number;
  /** The event as handed in, JSON. */
  readonly event: string;
}

/** A plan as the store keeps it. */
export interface PlanRow {
  readonly id: string;
  readonly state: string;
  /** Starts at 1, grows by one with every change; {@link Store.changePlan} names the one it read. */
  readonly version: number;
  /** The plan's record, JSON. */
  readonly record: string;
  readonly createdAt: number;
}

/** One sealed entry of a plan's spool. */
export interface SpoolEntry {
  readonly index: number;
  readonly sealed: Uint8Array;
}

/**
 * The state of one entry of a plan. `told`: accepted, and the application has heard of it. `removed`:
 * taken out before it was reserved, never to be delivered.
 */
export type EntryState = "waiting" | "claimed" | "reserved" | Fate | "told" | "removed";

/**
 * A change of a plan's state, all of it or nothing. Judged in this order: version (also for a plan
 * that is not there), halted, tokens, caps.
 */
export interface PlanChange {
  readonly id: string;
  /** The version that was read; another one in the store refuses the change. */
  readonly version: number;
  readonly state: string;
  readonly record: string;
  /** Token ids spent by this change; one already spent refuses it. Kept until the given time. */
  readonly tokens?: readonly { readonly id: string; readonly until: number }[];
  /** Caps the whole plan spends at this change. */
  readonly caps?: readonly CapSpend[];
  /** Halt scopes that refuse the change. */
  readonly scopes?: readonly string[];
  readonly event: string;
}

/** The answer to a {@link PlanChange}. */
export type PlanChangeAnswer =
  | { readonly ok: true; readonly version: number; readonly seq: number; readonly at: number }
  | { readonly ok: false; readonly reason: "version" }
  | { readonly ok: false; readonly reason: "token"; readonly id: string }
  | Extract<ReserveAnswer, { ok: false; reason: "halted" | "cap" }>;

/** How far {@link Store.acknowledge} goes above the highest number presented by any process. */
export const acknowledgedGap = 1_000_000;

/** What a store promises, for `describe()` and `doctor`. */
export interface StoreFacts {
  /** For example `"memory"`, `"sqlite"`. */
  readonly kind: string;
  /** Whether several processes share it. */
  readonly shared: boolean;
  /** What a written line survives. */
  readonly durability: "none" | "process" | "power-loss";
  /** One sentence for people. */
  readonly says: string;
}

/** Where a fuse keeps what must hold over all its processes. */
export interface Store {
  /** Connects, checks and describes. Rejects with `STORE_UNAVAILABLE` or `CONFIG_INVALID`. */
  open(): Promise<StoreFacts>;
  /** The store's time, milliseconds. */
  now(): Promise<number>;
  /** A value set once per store; the first writer's wins and is returned to everyone. After {@link Store.forget} it can be set anew. */
  setOnce(name: string, value: string): Promise<string>;
  /** A value set by {@link Store.setOnce}, or `undefined`. */
  value(name: string): Promise<string | undefined>;
  /** Destroys a value for good (an address key whose time is over). */
  forget(name: string): Promise<void>;
  /** Takes or renews a lease; `false` while another holder's runs. Zero `ms` gives one's own back. */
  lease(name: string, holder: string, ms: number): Promise<boolean>;

  /** Halts, claims, caps and the ledger line in one atomic step per reservation; answers in order. */
  reserve(reservations: readonly Reservation[]): Promise<readonly ReserveAnswer[]>;
  /**
   * Records outcomes. Resolves to the ledger numbers. Settling twice changes nothing and resolves to
   * the first number. A reservation the store does not know (it lost data) gets its line all the same.
   */
  settle(settlements: readonly Settlement[]): Promise<readonly number[]>;

  /** How many distinct people each window holds now. */
  usage(windows: readonly { readonly key: string; readonly windowMs: number }[]): Promise<readonly number[]>;

  /** Halts a scope; the newest record of a scope is kept. */
  halt(record: HaltRecord, event: string): Promise<void>;
  /** Resolves to whether the scope was halted. */
  resume(scope: string, event: string): Promise<boolean>;
  /** What is halted, by scope in order of code units; `at` is set. */
  halts(): Promise<readonly HaltRecord[]>;
  /**
   * A person's word that sending may go on after `STORE_REGRESSED`. Resolves to the number of the
   * line it writes. Numbering goes on {@link acknowledgedGap} above the highest number any process
   * has presented since the loss, so that processes which had seen a few lines more go on as well:
   * the one gap in the ledger, and `event` stands right behind it. Without a regression it is a plain line.
   */
  acknowledge(event: string): Promise<number>;

  /** Appends ledger lines that belong to no reservation. Resolves to their numbers. */
  append(events: readonly string[]): Promise<readonly number[]>;
  /** Lines after `seq`, oldest first, at most `limit`. */
  read(after: number, limit: number): Promise<readonly LedgerLine[]>;
  /** Drops lines up to and including `seq`, once they are exported. Numbers are never used again. */
  trim(seq: number): Promise<void>;

  /** The sealed addresses of people in one bucket, in the order asked; `undefined` where there is none. */
  addresses(bucket: string, people: readonly string[]): Promise<readonly (string | undefined)[]>;
  /** The buckets that hold addresses, in order of code units. */
  addressBuckets(): Promise<readonly string[]>;
  /** Destroys a bucket, or what every bucket holds of some people. Resolves to how many addresses went. */
  forgetAddresses(what: { readonly bucket: string } | { readonly people: readonly string[] }): Promise<number>;

  /** Adds a plan in version 1; `false`, and no line, when the id is taken. */
  addPlan(
    row: { readonly id: string; readonly state: string; readonly record: string },
    event: string,
  ): Promise<boolean>;
  plan(id: string): Promise<PlanRow | undefined>;
  /** Newest first. */
  plans(limit: number): Promise<readonly PlanRow[]>;
  changePlan(change: PlanChange): Promise<PlanChangeAnswer>;

  /** Adds entries to a plan's spool; an index already there is left as it is. */
  spool(plan: string, entries: readonly SpoolEntry[]): Promise<void>;
  /** Entries from `from` on, in order, at most `limit`; none after {@link Store.dropSpool}. */
  entries(plan: string, from: number, limit: number): Promise<readonly SpoolEntry[]>;
  /**
   * Leases up to `count` entries, lowest index first, that wait, or whose lease ran out before they were reserved;
   * with `below`, only entries with a lower index (a canary).
   */
  claimEntries(
    plan: string,
    worker: string,
    count: number,
    leaseMs: number,
    below?: number,
  ): Promise<readonly SpoolEntry[]>;
  /** How many entries stand in each state. */
  entryStates(plan: string): Promise<Readonly<Partial<Record<EntryState, number>>>>;
  /** Indexes of entries in one state, in order, after `after`, at most `limit`. */
  entriesIn(plan: string, state: EntryState, after: number, limit: number): Promise<readonly number[]>;
  /**
   * Lets entries in `from` be claimed again; the person's decision is `event`. Resolves to how many.
   * An outcome of an earlier reservation that comes in later does not touch them any more.
   */
  requeueEntries(plan: string, from: EntryState, event: string): Promise<number>;
  /**
   * Moves entries, each by itself: `accepted` ones to `told`, `waiting` and `claimed` ones to
   * `removed`; those in another state stay. Both are duplicates to a reservation: a `told` one was
   * `accepted`, a `removed` one is as if it were not there. Resolves to how many moved.
   */
  markEntries(plan: string, indexes: readonly number[], to: "told" | "removed"): Promise<number>;
  /** Forgets the sealed bytes of a plan; states stay. It is the end of a spool: nothing is added to it afterwards. */
  dropSpool(plan: string): Promise<void>;

  /** Closes what the store opened itself. */
  close(): Promise<void>;
}
