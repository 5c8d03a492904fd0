/**
 * A purpose is why a mail is sent; policy hangs on purposes. Here is one as guards read it, with
 * every default resolved; `purposes.ts` finds the one of a message.
 *
 * @module
 */
import type { Allowlist } from "./allowlist";
import type { ClaimConfig, ContentConfig } from "./config";
import type { ContentRule } from "./content";

/** The most distinct people in one message, one call, or any window of `windowMs`. */
export interface Cap {
  readonly people: number;
  readonly per: "message" | "call" | "window";
  /** The window's length in milliseconds; 0 unless `per` is `"window"`. */
  readonly windowMs: number;
  /** `"halt"` latches a halt of the purpose until a person resumes it. */
  readonly onExceeded: "refuse" | "halt";
}

/** The most messages one person may get in any window of `windowMs`. */
export interface PersonCap {
  readonly messages: number;
  readonly windowMs: number;
}

/** What a mass mail needs before it leaves. */
export interface Confirmation {
  /** Distinct approvers. */
  readonly approvals: number;
  /** Only approvers holding one of these roles count; empty: any approver. */
  readonly roles: readonly string[];
  /** Mail beyond this many distinct people in the longest cap window needs a plan. */
  readonly abovePeople: number;
  /** What a plan of more people needs besides. */
  readonly stepUp: readonly {
    readonly abovePeople: number;
    readonly approvals: number;
    readonly roles: readonly string[];
  }[];
}

/** What tells from a message that it belongs to a purpose. All that is given must hold. */
export interface PurposeMatch {
  readonly tag?: string;
  readonly template?: string;
  readonly subject?: RegExp;
  readonly from?: Allowlist;
}

/** When failing claims halt their purpose. */
export interface HaltAfter {
  readonly failures: number;
  /** The least share of all the purpose's mail in the window; 0 when the number alone decides. */
  readonly percent: number;
  readonly windowMs: number;
}

/** What a purpose's mail claims, resolved. */
export interface Claim extends Pick<ClaimConfig, "data" | "verify" | "verifyMany" | "subject"> {
  readonly timeoutMs: number;
  readonly haltAfter?: HaltAfter;
  readonly looksLike: readonly PurposeMatch[];
}

/** What the content lint does with a purpose's mail. */
export interface ContentPolicy {
  /** What the configuration says; the guard fills in the environment's defaults. */
  readonly levels: Pick<ContentConfig, ContentRule>;
  /** The most people who may get one text. */
  readonly personal?: { readonly people: number };
  /** One's own hosts, lower-case. */
  readonly links: { readonly production: readonly string[]; readonly staging: readonly string[] };
}

/** A purpose with every default resolved. */
export interface Purpose {
  readonly name: string;
  /** `false` for mail that names no purpose. */
  readonly declared: boolean;
  /** A stream sends one by one as things happen; bulk leaves only inside a release. */
  readonly kind: "stream" | "bulk";
  readonly match: readonly PurposeMatch[];
  readonly caps: readonly Cap[];
  readonly perPerson: readonly PersonCap[];
  readonly confirm: Confirmation;
  /** The most addresses that recipients of one message may see of each other. */
  readonly maxVisible: number;
  /** What a mail whose outcome is unknown means for sending it again. */
  readonly onUnknown: "hold" | "resend";
  readonly claim?: Claim;
  readonly freshness?: { readonly maxAgeMs: number; readonly required: boolean };
  readonly content: ContentPolicy;
  readonly duplicateWindowMs?: number;
  /** Corrections go out under it: their people are named by the ledger, so that nothing in the mail has to match. */
  readonly correction?: true;
}

/** The purpose of corrections. */
export const correctionName = "correction";

/** The halt scope of everything. */
export const everything = "*";

/** The halt scope of one purpose. */
export function purposeScope(name: string): string {
  return `purpose:${name}`;
}

/** The halt scope of one plan's release. */
export function planScope(id: string): string {
  return `plan:${id}`;
}

/** The name that stands for mail of no declared purpose in ledgers and scopes. */
export const undeclared = "(none)";
