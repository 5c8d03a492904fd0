/**
 * What approvers must see of a plan before they sign: its computed effect, not its inputs. Its
 * digest stands in the plan's terms, so what was shown is what was signed.
 *
 * A summary holds addresses and excerpts of mails: it is kept sealed with the plan's own key and is
 * gone with it. Every text in it is the sender's and hostile: show it with `summaryText` or
 * `summaryHtml`, or escape it.
 *
 * @module
 */
import type { ErrorCode } from "../../errors";
import type { Field } from "../../message";

/** Why a mail stands among a plan's samples. */
export type SampleReason =
  | "longest"
  | "shortest"
  /** The item's data, or the text, has gaps. */
  | "empty-field"
  /** To a domain that hardly anybody else of the plan has. */
  | "outlier-domain"
  /** By the source's `orderBy`. */
  | "newest"
  | "oldest"
  /** Of the text that the fewest get. */
  | "rare-text"
  /** A guard warned of it. */
  | "warned"
  | "refused"
  /** Drawn by a hash over the plan's id, which nobody knows before: the same ones whenever it is computed. */
  | "random";

/** One mail of a plan, shown in excerpts. */
export interface SummarySample {
  readonly why: readonly SampleReason[];
  /** Its entry in the plan, from 0, and its place in a call that holds many. */
  readonly entry: number;
  readonly message: number;
  readonly from?: string;
  /** The first 10; `recipients` counts them all. */
  readonly to: readonly { readonly field: Field; readonly address: string; readonly name?: string }[];
  readonly recipients: number;
  readonly subject?: string;
  /** What a person reads: the HTML's visible text, or the plain text; cut to 1,500 characters. */
  readonly text?: string;
  /** How long the text is, characters. */
  readonly length: number;
  /** Names of the item's fields that are empty: `"firstName"`, `"order.date"`. */
  readonly emptyFields: readonly string[];
  /** Codes of refusals and warnings about it. */
  readonly codes: readonly ErrorCode[];
}

/** A count with its name. */
export interface SummaryCount {
  readonly name: string;
  readonly count: number;
}

/** One text of a plan: mails that differ only in names and values. */
export interface SummaryVariant {
  readonly messages: number;
  /** An entry that has it. */
  readonly entry: number;
  readonly subject?: string;
  /** Its beginning, with `…` where mails differ. */
  readonly text: string;
}

/** The computed effect of a plan. Whole numbers and texts only. */
export interface PlanSummary {
  readonly v: 1;
  readonly plan: string;
  readonly purpose: string;
  readonly environment: string;
  readonly requester: string;
  /** Distinct people reached. */
  readonly people: number;
  /** What was declared before the audience was looked up. */
  readonly expectedPeople: number;
  /** Mails, and the provider calls that carry them. */
  readonly messages: number;
  readonly entries: number;
  /** Refused entries. */
  readonly failed: number;
  /** Items of the audience, and those for which nothing was sent; 0 for a plain job. */
  readonly items: number;
  readonly silentItems: number;
  /** The declared population and the share of it that is reached, in thousandths. */
  readonly population?: { readonly people: number; readonly perMille: number };
  /**
   * The last release of this purpose in this environment, and how the audience differs from its.
   * `gained` and `lost` are missing where its people can no longer be told (another secret since).
   */
  readonly last?: {
    readonly plan: string;
    readonly state: string;
    /** When it was planned, milliseconds. */
    readonly at: number;
    readonly people: number;
    readonly gained?: number;
    readonly lost?: number;
  };
  /** The domains most people have, 20 at most, and the rest. */
  readonly domains: readonly SummaryCount[];
  readonly otherDomains: { readonly domains: number; readonly people: number };
  readonly samples: readonly SummarySample[];
  /** There when the purpose declares a claim. */
  readonly claims?: {
    readonly asked: number;
    readonly proven: number;
    readonly failed: number;
    /** Distinct evidence: fewer than `proven` means that one record stands for several people. */
    readonly evidence: number;
    /** The most claims that one piece of evidence proves. */
    readonly mostShared: number;
    /** References of the system of record, 5 at most. */
    readonly references: readonly string[];
  };
  /** How many texts there are, and the 5 that most and the 5 that fewest people get. */
  readonly variants: {
    readonly count: number;
    /** Set when there are more than were told apart. */
    readonly atLeast?: true;
    readonly most: readonly SummaryVariant[];
    readonly fewest: readonly SummaryVariant[];
  };
  /** Placeholders nobody filled in, by how they are written; mails that hold one. */
  readonly placeholders: readonly SummaryCount[];
  /** Hosts that mails link to, 30 at most, the rarest last; how many more there are. */
  readonly hosts: readonly SummaryCount[];
  readonly otherHosts: number;
  /** Links per mail at most. */
  readonly links: number;
  /** Who the mails say they are from, 10 at most. */
  readonly senders: readonly SummaryCount[];
  /** Text that lives at the provider and is not bound by a signature, by what it is. */
  readonly unbound: readonly SummaryCount[];
  /** What guards warned of or refused, by code. */
  readonly warnings: readonly SummaryCount[];
  readonly refusals: readonly SummaryCount[];
  /** Sends without a context that were refused in this process meanwhile; they are not in the plan. */
  readonly lostSends: number;
  /** Who left out failed entries of another plan, and how many. */
  readonly excluded?: { readonly from: string; readonly by: string; readonly entries: number };
}
