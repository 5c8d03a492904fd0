/**
 * The guard seam. A guard looks at a {@link Send} and either refuses, adding its reason and going
 * on so that all reasons are collected, or lets it pass by calling `next`. Guards run in one fixed
 * order (`guards/order.ts`); what can disqualify a person comes before what spends a budget.
 *
 * @module
 */
import type { Intent } from "./adapter";
import type { Address } from "./address";
import type { Refusal } from "./errors";
import type { Message } from "./message";
import type { Purpose } from "./purpose";
import type { CapSpend, OnceClaim, RateSpend } from "./store";

/** What an environment does with mail. */
export type Mode = "test" | "observe" | "live";

/** What the application says about the mails of one {@link https://nodejs.org/api/async_context.html async context}. */
export interface SendContext {
  /** Names the purpose where the mail itself does not tell. */
  readonly purpose?: string;
  /** The data the mail rests on; claims are proven from it. */
  readonly data?: unknown;
  /** The same key sends once. */
  readonly idempotencyKey?: string;
  /** When the job behind the mail was made: a time in milliseconds, or a `Date`. */
  readonly createdAt?: number | Date;
  /** The mail is worthless after this time. */
  readonly notAfter?: number | Date;
}

/** A context as guards see it. */
export interface PresentContext extends SendContext {
  /** Which mail to the same people within this `fuse.run` this is, from 0. */
  readonly ordinal?: (people: string) => number;
  /** The `fuse.run` it comes from, where there is one. */
  readonly run?: RunState;
}

/** One `fuse.run`, as it goes on. */
export interface RunState {
  /** Its work has returned, or its promise has settled. */
  ended: boolean;
  /** Calls made in it so far. */
  calls: number;
}

/**
 * One way of naming people: the present secret's, and while the secret is being changed the former one's as well.
 * What is counted or claimed by person is so under each, or a change of the secret would make everything forgotten.
 */
export interface Naming {
  /** Names the secret; stands in the keys of sets of people. */
  readonly id: string;
  pseudonym(person: string): string;
}

/** The messages of one call that share a purpose. */
export interface Part {
  readonly purpose: Purpose;
  readonly messages: readonly Message[];
  /** Distinct people these messages reach. A declared audience counts as that many people. */
  readonly people: ReadonlySet<string>;
  /** The pseudonyms of {@link Part.people}, in the same order; computed once. @default by the present secret */
  pseudonyms(naming?: Naming): readonly string[];
}

/** Says why a cap refused, from how many it held and how many were wanted. */
export type Explain = (refused: { readonly limit: number; readonly used: number; readonly wanted: number }) => Refusal;

/** Something the store checks and spends in the one atomic step before the wire. */
export type Spend =
  | { readonly cap: CapSpend; readonly explain: Explain }
  | { readonly rate: RateSpend; readonly explain: Explain }
  | { readonly once: OnceClaim };

/** What becomes of a mail that test mode does not let out. */
export type Diversion =
  | { readonly kind: "drop" }
  | { readonly kind: "capture" }
  | { readonly kind: "redirect"; readonly to: Address };

/** One provider call under judgement. */
export interface Send {
  /** Unique; the reservation's id and the ledger's. */
  readonly id: string;
  readonly environment: string;
  readonly mode: Mode;
  readonly provider: string;
  readonly account?: string;
  /** A rehearsal renders a plan and sends nothing; a release delivers a confirmed one. */
  readonly stage: "single" | "rehearsal" | "release";
  /** What the request would do, as its adapter classed it. */
  readonly intent: Intent;
  readonly parts: readonly Part[];
  /** All messages of the call, in order. */
  readonly messages: readonly Message[];
  readonly context: PresentContext;
  /** Whether the send ran inside `fuse.run`, a plan or a release. */
  readonly inContext: boolean;
  /** When the call reached the fuse, milliseconds. */
  readonly at: number;
  /** The inbox this mail was redirected to; such a mail has been judged before with its true recipients. */
  readonly redirectedTo?: string;
  readonly refusals: readonly Refusal[];

  /** Adds a reason why this call may not leave. */
  refuse(refusal: Refusal): void;
  /** Says something that people should know without stopping the mail. */
  warn(refusal: Refusal): void;
  /** Test mode: what happens instead of sending. */
  divert(diversion: Diversion): void;
  /** Has the store check and spend this in the one atomic step before the wire. */
  spend(spend: Spend): void;
  /** Kept with the ledger line and, in a rehearsal, with the plan's entry. */
  note(name: "evidence" | "hint", value: string): void;
  /** All ways of naming people, the present one first. */
  readonly namings: readonly Naming[];
  /** A keyed one-way name for a person; what stores and ledgers hold instead of addresses. */
  pseudonym(person: string): string;
}

/** What became of a call that passed every guard. */
export interface Receipt {
  readonly status: "sent" | "spooled" | "diverted" | "refused";
}

/** Runs the rest of the chain. Calling it twice is an error; not calling it refuses the mail. */
export type Next = () => Promise<Receipt>;

/**
 * Judges a send.
 *
 * @example A guard of your own, placed among ours by `createFuse({ guards: [noSunday] })`:
 * ```ts
 * const noSunday: Guard = (send, next) => {
 *   if (new Date(send.at).getUTCDay() === 0) {
 *     send.refuse({ code: "GUARD_REFUSED", message: "Expected a weekday, got a Sunday." });
 *   }
 *   return next();
 * };
 * ```
 */
export type Guard = (send: Send, next: Next) => Promise<Receipt>;
