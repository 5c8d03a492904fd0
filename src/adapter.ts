/**
 * The adapter seam: everything a provider's adapter may use, and all it has to provide.
 * `adapters/*` import from this file only.
 *
 * An adapter replaces one function of the client, its **choke point**: the last step that every
 * sending method passes before the wire. There it takes a plain copy of the request synchronously,
 * classes it, and hands a {@link Call} to the {@link Gate}. Only `deliver` of that call may put
 * anything on the wire, and it sends the copy.
 *
 * @module
 */
import type { Address } from "./address";
import type { Refusal } from "./errors";
import type { Message } from "./message";

export type { Address, ParsedAddresses } from "./address";
export { formatAddress, parseAddress, parseAddresses } from "./address";
export { type Clock, systemClock } from "./clock";
export * from "./codec";
export { type ErrorCode, MailfuseError, type Refusal } from "./errors";
export * from "./hook";
export * from "./hooked";
export { type Content, createMessage, type Field, type Message, type Recipient } from "./message";
export {
  decodeWords,
  type HeaderBlock,
  headerName,
  type MimeMessage,
  type MimePart,
  mimeContent,
  mimeDigestInput,
  readHeaders,
  readMime,
} from "./mime";
export {
  assertCleanPrototypes,
  bufferStreams,
  findStreams,
  type Plain,
  type SnapshotLimits,
  snapshot,
} from "./snapshot";

/** What a request would do, read from the copy. */
export type Intent =
  /** Mails the people named in `messages`. `problems` are reasons it may not leave as it stands. */
  | { readonly kind: "send"; readonly messages: readonly Message[]; readonly problems: readonly Refusal[] }
  /**
   * Mails an audience that only the provider knows: broadcast, segment, list id, campaign.
   * `audiences` are the ids to be declared in the configuration; none means everyone.
   */
  | {
      readonly kind: "audience";
      readonly what: string;
      readonly audiences: readonly string[];
      readonly messages: readonly Message[];
      readonly problems: readonly Refusal[];
    }
  /** The provider itself mails a person: verification, invitation, sender signature. */
  | {
      readonly kind: "system";
      readonly what: string;
      readonly messages: readonly Message[];
      readonly problems: readonly Refusal[];
    }
  /** A listed write that mails nobody: suppressions, contacts, templates, domains. */
  | { readonly kind: "management"; readonly what: string }
  /** A plain read. */
  | { readonly kind: "read" }
  /** Neither of these: refused. */
  | { readonly kind: "unknown"; readonly what: string; readonly problems?: readonly Refusal[] };

/** What became of a mail. `unknown` counts as sent; only `refused` gives budget back. */
export type Fate = "accepted" | "refused" | "failed" | "unknown";

/** The outcome of one provider call. */
export interface Outcome {
  readonly fate: Fate;
  /** The provider's message id, where it gives one for the whole call. */
  readonly messageId?: string;
  /** Fates of single people, by {@link Recipient.person}, where the provider tells them apart. */
  readonly people?: ReadonlyMap<string, { readonly fate: Fate; readonly messageId?: string }>;
  /** The provider's own code for a refusal or failure; never text that may hold an address. */
  readonly providerCode?: string;
}

/** What an adapter gets at the moment a mail may leave. */
export interface Permit {
  /**
   * Unique per provider call; a native idempotency key where the provider takes one. An entry of a
   * plan has the same one however often it is tried.
   */
  readonly reservation: string;
}

/**
 * Asks for the last word, immediately before the wire: re-checks the halt, spends every cap and
 * writes the ledger, all in one atomic step. Rejects with `MailfuseError` when the mail may not
 * leave. Called again for a further attempt of the same call, it re-checks and says whether the
 * attempt may be made: `previous` is the fate of the attempt before.
 */
export type Commit = (previous?: Fate) => Promise<Permit>;

/** One request to a provider, as a copy. `Result` is what the client's caller gets. */
export interface Call<Result = unknown> {
  readonly intent: Intent;
  /**
   * Puts the copy on the wire. For sends it must call `commit()` right before the bytes leave, in
   * a pool's worker if the client queues, and must not send when that rejects. Reads, management
   * and stranger's calls are delivered without a commit.
   */
  deliver(commit: Commit): Promise<Result>;
  /** Answers as the client would after an accepted send, without sending. Marked where the type allows. */
  simulate(reason: "rehearsal" | "dropped" | "captured" | "duplicate"): Result;
  /** Reads the outcome from what `deliver` resolved with, or rejected with. */
  outcome(settled: { readonly result: Result } | { readonly error: unknown }): Outcome;
  /**
   * The same request with every recipient of every message replaced by `to`, the subject prefixed,
   * the originals in `X-Mailfuse-Original-To` (or the provider's nearest thing), unsubscribe
   * headers stripped. The result is classed anew from its own copy.
   */
  redirect(to: Address, note: RedirectNote): Promise<Call<Result>>;
  /** Everything needed to deliver this copy later, in another process: plain bytes, no references. */
  spool(): Uint8Array;
}

/** What a redirected mail says about itself. */
export interface RedirectNote {
  /** Put before the subject, for example `[staging]`. */
  readonly subjectPrefix: string;
  /** The original recipients, for the header. Leaves only towards the redirect inbox. */
  readonly originals: readonly string[];
}

/** The way to the exit, as an attached client sees it. */
export interface Gate {
  /** The one function every mail passes. Call it synchronously at the choke point. */
  pass<Result>(call: Call<Result>): Promise<Result>;
  /** A send by a client of a patched class that no fuse holds: refused, or passed by configuration. */
  readonly unattached: "refuse" | "pass";
  /** Whether the adapter shall resolve text that lives at the provider. */
  readonly limits: { readonly depth: number; readonly nodes: number; readonly bytes: number };
}

/** A client held by a fuse. */
export interface Attachment {
  /** A stable, non-secret name of the account the client sends from, where there is one. */
  readonly account?: string;
  /**
   * How long the provider drops a second request under the same {@link Permit.reservation},
   * milliseconds: a mail whose outcome is unknown can then be tried again and reaches nobody twice.
   * Only where the adapter sends the key and the provider documents it. @default not at all
   */
  readonly dropsRepeatsMs?: number;
  /** Restores the client as it was. */
  detach(): void;
  /** `undefined` when the choke point is still in place; otherwise what replaced it. */
  verify(): Refusal | undefined;
  /** Resolves once {@link Attachment.revive} may be called. Only where the adapter loads parts of itself later. */
  ready?(): Promise<unknown>;
  /** Rebuilds a call from what {@link Call.spool} gave, for delivery through this client. */
  revive(spooled: Uint8Array): Call;
}

/** Attaches fuses to one kind of client. */
export interface Adapter<Client extends object = object> {
  /** The provider, for example `"sendgrid"`. Stable: it stands in ledgers and plans. */
  readonly name: string;
  /** Installs the choke point in place. Throws `ATTACH_UNSUPPORTED` when `client` is not its kind. */
  attach(client: Client, gate: Gate): Attachment;
}
