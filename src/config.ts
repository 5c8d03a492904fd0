/**
 * What users write into `createFuse`; what they write about one purpose is in `config/policy.ts`. The
 * schema that checks it is `config/schema.ts`, the defaults and the resolved form are `config/resolve.ts`.
 *
 * @module
 */
import type { Alert } from "./alerts";
import type { Clock } from "./clock";
import type { CapConfig, DefaultsConfig, Duration, PersonCapConfig, PurposeConfig } from "./config/policy";
import type { Guard } from "./guard";
import type { Logger } from "./log";
import type { Store } from "./store";

export type * from "./config/policy";

/** What becomes of mail that the allowlist does not let out. */
export type OnNotAllowed =
  | "refuse"
  | "drop"
  | "capture"
  | {
      /** Every recipient is replaced by this inbox; it needs no place in `allow`. */
      readonly redirectTo: string;
      /** The inbox's own cap. @default 100 messages per hour */
      readonly cap?: PersonCapConfig;
    };

/** What one environment does with mail. */
export type EnvironmentConfig =
  | {
      readonly mode: "test";
      /** Patterns: `person@acme.test`, `*@acme.test`, `*@*.acme.test`, `qa+*@acme.com`, or `*` for everything. */
      readonly allow?: readonly string[];
      /** @default "refuse" */
      readonly onNotAllowed?: OnNotAllowed;
    }
  | { readonly mode: "observe" }
  | { readonly mode: "live" };

/** A person who may confirm plans. */
export interface ApproverConfig {
  /** An Ed25519 public key as `mailfuse keys new` prints it: base64url of its 32 bytes, or several while rotating. */
  readonly publicKey?: string | readonly string[];
  /** Passkeys, as the console prints them. Verifying them needs the package `@simplewebauthn/server`. */
  readonly passkeys?: readonly PasskeyConfig[];
  readonly roles?: readonly string[];
}

/** One passkey of an approver. It signs on pages of `origin` only. */
export interface PasskeyConfig {
  /** The credential's id, base64url. */
  readonly id: string;
  /** Its public key, COSE (RFC 9052), base64url. */
  readonly publicKey: string;
  /** Where the console stands, for example `"https://mail.acme.com"`. */
  readonly origin: string;
}

/** A signed statement about all lines up to one: the chain's hash there, by the key that signs. */
export interface Head {
  /** The number of the line that holds this head; always above {@link Head.upto}. */
  readonly seq: number;
  /** The last line it speaks for. */
  readonly upto: number;
  /** The chain's hash at that line, base64url of SHA-256. */
  readonly hash: string;
  /** Which key signed it. */
  readonly kid: string;
  /** When it was written, the store's time in milliseconds. */
  readonly at: number;
}

/** How the ledger is sealed. */
export interface LedgerConfig {
  /**
   * The key that signs heads: an Ed25519 private key, PKCS #8 PEM, as `mailfuse keys new` makes it.
   * @default one derived from `secret`
   */
  readonly signingKey?: string;
  /** Public keys whose heads hold as well: former ones, base64url of 32 bytes. */
  readonly trustedKeys?: readonly string[];
  /** How long a line waits at most before a head speaks for it, while a process runs. @default "1m" */
  readonly sealEvery?: Duration;
  /** Where heads are told, so that no one who holds the store can rewrite it unseen. @default nowhere but the ledger */
  readonly heads?: "stdout" | { readonly file: string } | ((head: Head) => unknown);
}

/** How long things are kept. */
export interface RetentionConfig {
  /** Sealed addresses of the people reached: as long, a mistake can be corrected. @default "30d" */
  readonly addresses?: Duration;
}

/** A plan that waits, as a message to approvers may say it: no address, no text of its mails. */
export interface PendingPlan {
  readonly id: string;
  readonly purpose: string;
  readonly environment: string;
  readonly requester: string;
  readonly people: number;
  /** Until then it may be released, milliseconds. */
  readonly notAfter: number;
}

/** Everything `createFuse` takes. Unknown keys are errors. */
export interface FuseConfig {
  /** The name of the present environment. Unset or not in `environments`: test mode, nothing leaves. */
  readonly environment?: string | undefined;
  readonly environments: Readonly<Record<string, EnvironmentConfig>>;
  /**
   * The process's environment variables, usually `process.env`; read only for markers that
   * contradict a live environment (a CI, a test runner, a preview deployment).
   */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Sends in live although these markers are set, for example `{ despite: ["CI"] }`. */
  readonly live?: { readonly despite: readonly string[] };
  readonly purposes?: Readonly<Record<string, PurposeConfig>>;
  readonly defaults?: DefaultsConfig;
  /** Caps over everything that leaves, whatever its purpose. */
  readonly caps?: readonly CapConfig[];
  /** Patterns of addresses that may see each other, for example `["*@acme.com"]`. */
  readonly internal?: readonly string[];
  /** Patterns of addresses that are mailing lists, beside the ones recognised by name. */
  readonly lists?: readonly string[];
  /** Audiences only the provider knows (list addresses, segments, broadcasts), at their largest size. */
  readonly audiences?: Readonly<Record<string, { readonly people: number }>>;
  /** Lets the provider mail verifications and invitations. @default false */
  readonly allowSystemMail?: boolean;
  /** Sends by unattached clients of a patched class. @default "refuse" */
  readonly unattached?: "refuse" | "pass";
  readonly approvers?: Readonly<Record<string, ApproverConfig>>;
  /** Principals who may request plans, halt and exclude beside the approvers. */
  readonly requesters?: readonly string[];
  /** @default `memoryStore()`: one process, forgotten at its end */
  readonly store?: Store;
  /**
   * Keys everything kept: at least 16 characters, the newest first while rotating. Without it a
   * random one is kept in the store, beside what it protects.
   */
  readonly secret?: string | readonly string[];
  readonly ledger?: LedgerConfig;
  readonly retention?: RetentionConfig;
  readonly guards?: readonly Guard[];
  /**
   * Who of these addresses has unsubscribed or must not get bulk mail. Asked in batches, at
   * planning and again at release. An error refuses.
   */
  readonly isSuppressed?: (addresses: readonly string[]) => readonly string[] | Promise<readonly string[]>;
  /** Told of each new plan that waits for people: ask them to look at it. What it returns decides nothing. */
  readonly onPlan?: (plan: PendingPlan) => unknown;
  /** Told when right mail may be blocked in live mode; the logger and the ledger are told as well. */
  readonly onAlert?: (alert: Alert) => void;
  /** @default the console, one line each */
  readonly logger?: Logger;
  /** @default the machine's clock */
  readonly clock?: Clock;
  /** Bounds on one request's copy. */
  readonly limits?: { readonly depth?: number; readonly nodes?: number; readonly bytes?: number };
}
