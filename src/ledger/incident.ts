/**
 * An incident: what a mistake did, to whom, and what puts it right.
 *
 * @module
 */
import type { Plan } from "../plan/plan";
import type { Tempo } from "../plan/tempo";

/** Which mails it is about: those of one plan, or of one purpose in a time (milliseconds or a `Date`). */
export type IncidentScope =
  | { readonly plan: string }
  | { readonly purpose: string; readonly from: number | Date; readonly to?: number | Date };

/** What an incident is looked at with. */
export interface IncidentOptions {
  /**
   * Whom the mails were rightly for: a list of addresses, or an oracle. Without it nobody is told apart, and no
   * correction can be made. `[]` says that it was right for nobody.
   */
  readonly right?: Iterable<string> | AsyncIterable<string> | ((address: string) => boolean | Promise<boolean>);
  /** Whose mails, where a store holds several environments. @default the fuse's own */
  readonly environment?: string;
  readonly onProgress?: (lines: number) => void;
}

/** People, each counted once. */
export interface IncidentPeople {
  /** The provider took a mail for them. */
  readonly accepted: number;
  /** Their mail may have arrived: no answer came, or the sending process died. */
  readonly unknown: number;
  /** Of the accepted and unknown: for whom it was right, and for whom not. `undefined` without an oracle. */
  readonly rightly: number | undefined;
  readonly wrongly: number | undefined;
  /** Of the accepted and unknown: nobody can say, since their address is destroyed or no oracle answered. */
  readonly undecided: number;
  /** The provider refused their mail, or it was never handed over. */
  readonly refused: number;
  /** The fuse refused it; named people, at most 1,000 of one call. */
  readonly stopped: number;
  /** Still waiting: of the plan; for a purpose, the entries of all its plans. */
  readonly notSent: number;
}

/** One thing that happened. */
export interface IncidentMoment {
  /** The store's time, milliseconds. */
  readonly at: number;
  readonly what: string;
  /** The ledger line that says so. */
  readonly seq?: number;
}

/** What ended it. */
export interface IncidentStop {
  readonly at: number;
  /** For example `HALTED`, `CAP_EXCEEDED`, or `done` when nothing stopped it. */
  readonly by: string;
  readonly what: string;
}

/** One step of the chart. */
export interface IncidentStep {
  readonly from: number;
  readonly to: number;
  /** Mails handed to the provider: taken, without an answer, refused by it. */
  readonly accepted: number;
  readonly unknown: number;
  readonly refused: number;
  /** Calls the fuse refused. */
  readonly stopped: number;
}

/** An incident as data: everything is plain, and holds no address. */
export interface IncidentData {
  /** Names it in plans and the ledger: the plan's id, or purpose and times. */
  readonly id: string;
  readonly environment: string;
  readonly plan?: string;
  readonly purpose: string;
  readonly from: number;
  readonly to: number;
  /** When the store was read, milliseconds. */
  readonly readAt: number;
  readonly calls: number;
  readonly people: IncidentPeople;
  readonly firstSend?: number;
  readonly lastSend?: number;
  readonly stop?: IncidentStop;
  readonly timeline: readonly IncidentMoment[];
  readonly steps: readonly IncidentStep[];
  /** How often the fuse gave which reason. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Plans that could still send. */
  readonly waiting: readonly { readonly plan: string; readonly state: string; readonly entries: number }[];
  /** What the correction has to know. */
  readonly correction: {
    /** People it would go to; `undefined` without an oracle. */
    readonly people: number | undefined;
    /** People it should go to whose address is destroyed, or sealed by a secret that is not configured. */
    readonly unreachable: number;
    /** People it would go to who have unsubscribed. */
    readonly unsubscribed: number;
  };
  /** What speaks against the figures: a trimmed ledger, a secret that is not configured. */
  readonly warnings: readonly string[];
  /** Texts in the order in which they are needed. */
  readonly drafts: IncidentDrafts;
}

/** Drafts for people to edit: the help desk has to know before the mail goes out. */
export interface IncidentDrafts {
  readonly helpDesk: string;
  readonly statusPage: string;
  readonly mail: { readonly subject: string; readonly text: string; readonly mayHaveText: string };
}

/** One person whom the correction goes to. */
export interface CorrectionPerson {
  readonly address: string;
  /** The mail may have reached them or not: say "you may have received". */
  readonly mayHave: boolean;
}

/** What a correction is made with. */
export interface CorrectionRequest extends Pick<Tempo, "canary"> {
  /** A declared approver or requester, who cannot confirm it. */
  readonly requestedBy: string;
  /** Sends one person's correction, through an attached client. Nothing leaves before the plan is confirmed. */
  readonly send: (person: CorrectionPerson) => unknown;
  readonly data?: (person: CorrectionPerson) => unknown;
  /**
   * What is done about people who have unsubscribed since. Without it the plan is refused and names the reason, so that a
   * person decides: {@link Incident.unsubscribed} lists them.
   */
  readonly unsubscribed?: "mail" | "leave-out";
  /** Goes on without the people whose address is destroyed. @default false */
  readonly withoutDestroyed?: boolean;
  /** How fast it leaves: the help desk has to survive it. @default 1,000 messages an hour */
  readonly rate?: NonNullable<Tempo["rate"]>;
  readonly notBefore?: number | Date;
  readonly notAfter?: number | Date;
}

/** What a mistake did. Made by `fuse.incident`. */
export interface Incident {
  readonly data: IncidentData;
  /** For a ticket or a chat. */
  markdown(): string;
  /** One file without links: figures, timeline, chart of sends over time, drafts. */
  html(): string;
  /** What became of one person's mail, for the help desk: `none` when the incident has none for them. */
  fateOf(address: string): "accepted" | "unknown" | "refused" | "stopped" | "none";
  /** Whom a correction would go to, with addresses: for people who may see them, never for logs. */
  audience(): Promise<readonly CorrectionPerson[]>;
  /** Who of them has unsubscribed since. */
  unsubscribed(): Promise<readonly string[]>;
  /**
   * Plans the correction: accepted and unknown, less those for whom it was right. It goes out under the purpose
   * `correction`, which a halt of the wrong purpose does not stop, and is confirmed like any plan.
   *
   * @throws `CORRECTION_UNDECIDED` without an oracle, `ADDRESSES_DESTROYED` when people cannot be addressed any more,
   * `PLAN_EMPTY` when nobody needs one, `PRINCIPAL_UNKNOWN`.
   */
  correction(request: CorrectionRequest): Promise<Plan>;
}
