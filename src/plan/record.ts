/**
 * What a plan freezes, and how it is kept. The terms are closed: strings and whole numbers in
 * canonical form (RFC 8785). Their digest is what people sign; any change makes another plan.
 *
 * @module
 */
import { hash } from "node:crypto";
import { canonical } from "../canonical";
import type { ErrorCode, Refusal } from "../errors";
import type { Cap } from "../purpose";

/** A cap as terms have it. */
export interface TermCap extends Cap {
  /** `"*"`, or `"purpose:<name>"`. */
  readonly of: string;
}

/** What a plan freezes. */
export interface Terms {
  readonly v: 1;
  readonly id: string;
  readonly purpose: string;
  readonly environment: string;
  /** The attached clients that deliver it. */
  readonly clients: readonly string[];
  readonly requester: string;
  /** Provider calls. */
  readonly entries: number;
  /** Distinct people. */
  readonly people: number;
  readonly expectedPeople: number;
  /** How many people there are to choose from, as it was declared. */
  readonly population?: number;
  /** SHA-256 over the sorted pseudonyms of all people. */
  readonly audience: string;
  /** Merkle root over every entry: its people, its bytes, its data, what proves its claims. */
  readonly root: string;
  /** Who gets which text, whatever the order and however it was rendered: the same for two plans of the same mails. */
  readonly mails: string;
  /** SHA-256 over the summary: what people were shown. */
  readonly summary: string;
  readonly policy: string;
  /** The caps of its purpose and of everything, as they were when it was planned. */
  readonly caps: readonly TermCap[];
  readonly notBefore: number;
  readonly notAfter: number;
  /** The plan this one was made from by leaving out failed entries. */
  readonly from?: string;
  /** The incident it corrects: its people are those that the ledger names, and no others. */
  readonly correctionOf?: string;
  /** The same mails may have been released a short while ago. */
  readonly repeats?: true;
  /** A person has decided that people who have unsubscribed get it too. */
  readonly mailsUnsubscribed?: true;
  /** So many people get their mail first; without `waitMs` a person lets the rest go. */
  readonly canary?: { readonly people: number; readonly waitMs?: number };
  /** The most messages in any window, over all workers. */
  readonly rate?: { readonly messages: number; readonly windowMs: number };
}

/**
 * planned → confirmed → releasing → done | partial; and the ends refused, rejected, expired,
 * revoked, halted. `confirmed` has all the approvals it needs. `canary`: the first people have their
 * mail, the rest waits. A halted plan may be confirmed anew for the rest.
 */
export type PlanState =
  | "rehearsing"
  | "planned"
  | "confirmed"
  | "releasing"
  | "canary"
  | "done"
  | "partial"
  | "refused"
  | "rejected"
  | "expired"
  | "revoked"
  | "halted";

/** A person's yes, as recorded when it was spent. */
export interface Approval {
  readonly by: string;
  /** The token's id. */
  readonly token: string;
  /** The token itself: whoever goes on with the release verifies it again. */
  readonly signed: string;
  /** When it was spent, milliseconds. */
  readonly at: number;
}

/** A plan as the store keeps it, beside its state. */
export interface PlanRecord {
  readonly terms: Terms;
  /** Grows with every halt: a token counts for one round only. */
  readonly round: number;
  /** The plan's key, wrapped by the fuse's secret; gone when the plan is over. */
  readonly key?: string;
  /** The dictionary entries are compressed against, sealed. */
  readonly dictionary?: string;
  readonly approvals: readonly Approval[];
  readonly refusals: readonly Refusal[];
  readonly refusalCounts: Readonly<Partial<Record<ErrorCode, number>>>;
  /** What approvers see, sealed with the plan's key, base64. */
  readonly summary?: string;
  /** It is still being rehearsed, or its process died: by which form, and so whether it can go on. */
  readonly unfinished?: "source" | "job";
  /** Who left out failed entries of another plan, and how many. */
  readonly excluded?: { readonly by: string; readonly entries: number };
  /** When its first delivery could begin. */
  readonly startedAt?: number;
  /** A release was told to call back: entries are kept until the application has heard of them. */
  readonly listens?: true;
  /** Entries below this index go first; when they were through, and who let the rest go. */
  readonly canary?: { readonly below: number; readonly doneAt?: number; readonly held?: true; readonly by?: string };
  /** People who fell out at a re-check, as approvers of this round were shown. */
  readonly review?: { readonly removed: number };
  /** Who ended it, and why. */
  readonly ended?: { readonly by: string; readonly reason: string; readonly at: number };
  /** How often unknown entries were tried again under the provider's own idempotency key. */
  readonly retries?: number;
}

/** The digest of a plan's terms: base64url of SHA-256. */
export function termsDigest(terms: Terms): string {
  return hash("sha256", canonical(terms), "base64url");
}

/** What a confirmation token signs: the terms in their present round, and who has fallen out since. */
export function confirmationDigest(record: PlanRecord): string {
  const { round, review } = record;
  const shown = { terms: termsDigest(record.terms), round, ...(review ? { removed: review.removed } : {}) };
  return hash("sha256", canonical(shown), "base64url");
}

/** What a person types to confirm: the count and the purpose. */
export function confirmationPhrase(terms: Terms): string {
  return `${terms.people} ${terms.purpose}`;
}
