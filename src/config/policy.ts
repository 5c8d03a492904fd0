/**
 * What users write about one purpose: its caps, its claim, who confirms it, what its mail may say.
 *
 * @module
 */
import type { Message } from "../message";

/** A duration: a whole number and `ms`, `s`, `m`, `h` or `d`, for example `"1h"`. */
export type Duration = `${number}${"ms" | "s" | "m" | "h" | "d"}`;

/** The most distinct people in one message, one call, or any window of that length. */
export interface CapConfig {
  readonly people: number;
  readonly per: "message" | "call" | Duration;
  /** `"halt"` stops the purpose until a person resumes it. @default "refuse" */
  readonly onExceeded?: "refuse" | "halt";
}

/** The most messages one person gets in any window of that length. */
export interface PersonCapConfig {
  readonly messages: number;
  readonly per: Duration;
}

/** What a mass mail needs before it leaves. */
export interface ConfirmConfig {
  /** Distinct approvers, never the requester. @default 1 */
  readonly approvals?: number;
  /** Only approvers with one of these roles count. @default any approver */
  readonly roles?: readonly string[];
  /**
   * A stream that reaches more distinct people than this in its longest cap window needs a plan
   * for the rest. @default no such bound for declared streams, 25 in `defaults`
   */
  readonly abovePeople?: number;
  /**
   * What a plan for more people needs besides; every step that it reaches has to be met, and one
   * person may count for several. `approvals` and `roles` are the purpose's where a step names none.
   *
   * @example
   * ```ts
   * confirm: { roles: ["crm"], stepUp: [{ abovePeople: 10_000, approvals: 2 }, { abovePeople: 100_000, roles: ["director"] }] }
   * ```
   */
  readonly stepUp?: readonly {
    readonly abovePeople: number;
    readonly approvals?: number;
    readonly roles?: readonly string[];
  }[];
}

/** Tells from the mail itself that it belongs to a purpose. All that is given must hold. */
export interface MatchConfig {
  /** A tag or category as the provider knows it. */
  readonly tag?: string;
  /** The provider's template id. */
  readonly template?: string;
  readonly subject?: RegExp | string;
  /** An allowlist pattern for the visible sender, for example `"billing@*"`. */
  readonly from?: string;
}

/** What a schema library gives: zod, valibot, arktype and others ({@link https://standardschema.dev Standard Schema}). */
export interface StandardSchema {
  readonly "~standard": {
    readonly version: 1;
    readonly validate: (value: unknown) => StandardResult | Promise<StandardResult>;
  };
}

/** The result of a Standard Schema's validation. */
export type StandardResult =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly issues: readonly unknown[] };

/** Whom a claim is about. */
export interface ClaimPerson {
  readonly address: string;
  readonly name?: string;
}

/**
 * What the system of record says: `true` or a reference that proves it (a refund's id) is yes,
 * `false` is no, anything else is "don't know", which refuses.
 */
export type ClaimAnswer = boolean | { readonly evidence: string } | undefined | null;

/** One claim to verify: the data a mail rests on, the person, and the mail. */
export interface ClaimQuestion {
  readonly data: unknown;
  readonly person: ClaimPerson;
  readonly message: Message;
}

/** What a purpose's mail claims, and how it is proven for each person. */
export interface ClaimConfig {
  /** The shape of the data; its parsed value is what the functions get. */
  readonly data: StandardSchema;
  /** Asks the system of record about one mail. */
  // biome-ignore lint/suspicious/noExplicitAny: the schema's output type is the user's own
  readonly verify?: (data: any, person: ClaimPerson, message: Message) => ClaimAnswer | Promise<ClaimAnswer>;
  /** Asks about many at once, answers in order; used for plans, and for single mails without `verify`. */
  readonly verifyMany?: (
    questions: readonly ClaimQuestion[],
  ) => readonly ClaimAnswer[] | Promise<readonly ClaimAnswer[]>;
  /** The address the data belongs to: the mail may go to this person only. */
  // biome-ignore lint/suspicious/noExplicitAny: the schema's output type is the user's own
  readonly subject?: (data: any) => string;
  /** @default "5s" */
  readonly timeout?: Duration;
  /**
   * Halts the purpose when so many claims fail in a window: the program that sends is wrong. With
   * `percent`, only when they are also this share of all its mail in the window.
   */
  readonly haltAfter?: { readonly failures: number; readonly percent?: number; readonly per: Duration };
  /** Mail that looks like this but does not name the purpose is refused. */
  readonly looksLike?: MatchConfig | readonly MatchConfig[];
}

/** How old a mail's job may be. */
export interface FreshnessConfig {
  readonly maxAge: Duration;
  /** Refuses mail that does not say when its job was made. @default false */
  readonly required?: boolean;
}

/** What a rule of the content lint does: stops the mail, says so in the log and ledger, or nothing. */
export type ContentLevelConfig = "refuse" | "warn" | "off";

/**
 * What the content lint does with a purpose's mail. A rule that is not named follows the
 * environment: `docs/content-lint.md` has the table.
 */
export interface ContentConfig {
  /** Placeholders nobody filled in. @default "refuse", "warn" in test environments */
  readonly placeholders?: ContentLevelConfig;
  /** `undefined`, `null`, `NaN`, `[object Object]`, `Invalid Date`. @default "refuse", "warn" in test environments */
  readonly missingValues?: ContentLevelConfig;
  /** Gaps that an empty value leaves: "Dear ,", a link to nowhere. @default "warn" */
  readonly blanks?: ContentLevelConfig;
  /** No subject, or nothing to read. @default "refuse", "warn" in test environments */
  readonly empty?: ContentLevelConfig;
  /** Test fixtures and filler text; never looked for in test environments. @default "refuse" */
  readonly fixtures?: ContentLevelConfig;
  /** Links to staging, development and local hosts; never looked for in test environments. @default "refuse" */
  readonly stagingLinks?: ContentLevelConfig;
  /** Links to `links.production`; looked for in test environments only. @default "refuse" */
  readonly productionLinks?: ContentLevelConfig;
  /**
   * The text names its reader: one text for more people than this, within a day and as this
   * process sees it, is refused. Links do not count as text. `true`: 3 people. @default not looked for
   */
  readonly personal?: boolean | { readonly people: number };
  /** One's own hosts, without scheme; those below them count too. */
  readonly links?: { readonly production?: readonly string[]; readonly staging?: readonly string[] };
}

/** The policy of one purpose. */
export interface PurposeConfig {
  /** A stream sends one by one as things happen; bulk leaves only inside a release. */
  readonly kind: "stream" | "bulk";
  readonly match?: MatchConfig | readonly MatchConfig[];
  /** Required, with at least one window, where an environment is live. */
  readonly caps?: readonly CapConfig[];
  readonly perPerson?: readonly PersonCapConfig[];
  readonly confirm?: ConfirmConfig;
  /** The most outside addresses that one message shows in To and Cc. @default 10, 1 in bulk */
  readonly maxVisible?: number;
  /** What a mail whose outcome is unknown means for sending again. @default "resend", "hold" in bulk */
  readonly onUnknown?: "hold" | "resend";
  readonly claim?: ClaimConfig;
  readonly freshness?: FreshnessConfig;
  readonly content?: ContentConfig;
  /** The same text reaches the same person once in this time. Never implied: a second password reset is legitimate. */
  readonly duplicateWindow?: Duration;
}

/** The policy of mail that names no purpose and matches none. */
export type DefaultsConfig = Omit<PurposeConfig, "kind" | "match" | "claim">;
