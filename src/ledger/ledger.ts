/**
 * The ledger as its owner sees it: looked at, sealed, exported, and relieved of addresses whose time is over.
 *
 * @module
 */
import type { Head, Verdict } from "./verdict";
import type { ExpectedHead } from "./verify";

/** How {@link Ledger.verify} looks. */
export interface VerifyOptions {
  /** An exported file (JSON Lines) to look at instead of the store. */
  readonly file?: string;
  /**
   * A head known from elsewhere: an export, a log, a former verdict. A ledger that ends before it was truncated.
   * @default the newest head this process has seen
   */
  readonly expectedHead?: ExpectedHead;
  /** Told now and then how many lines were read. */
  readonly onProgress?: (lines: number) => void;
}

/** One line, read. */
export interface LedgerEntry {
  readonly seq: number;
  /** The store's time, milliseconds. */
  readonly at: number;
  /** What happened: `type` and its fields, as `docs/ledger.md` has them. */
  readonly event: Readonly<Record<string, unknown>> & { readonly type: string };
}

/** What {@link Ledger.tail} gives. */
export interface TailOptions {
  /** Lines after this number. @default the last 20 lines */
  readonly after?: number;
  /** Waits for new lines until `signal` aborts. @default false */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

/** Where an export goes, and what it holds. */
export interface ExportOptions {
  /**
   * A file, or a function that takes the text of whole lines and is waited for. A file that holds an export already is
   * gone on with: what was exported before is not written again, and a line cut in its middle is made whole.
   */
  readonly to: string | ((lines: string) => unknown);
  /** `"jsonl"`: every line as it is. `"csv"`: counts by day, environment and purpose. @default "jsonl" */
  readonly format?: "jsonl" | "csv";
  /** Only lines after this number. @default the end of the file, else all */
  readonly after?: number;
  /** Drops the exported lines that are older than this from the store, once the export is on the disk. Files only. */
  readonly trimOlderThan?: `${number}${"ms" | "s" | "m" | "h" | "d"}`;
  readonly onProgress?: (lines: number) => void;
}

/** What an export has done. */
export interface Exported {
  /** Lines written now. */
  readonly lines: number;
  /** The number of the last line in the export. */
  readonly last: number;
  /** The newest head in the export: keep it elsewhere, and hand it to {@link VerifyOptions.expectedHead}. */
  readonly head?: Head;
  /** Lines up to this number were dropped from the store. */
  readonly trimmed?: number;
}

/** What the retention job has done. */
export interface Retained {
  /** Days whose address key was destroyed, for example `["2026-10-23"]`. */
  readonly days: readonly string[];
  /** Sealed addresses that went with them. */
  readonly addresses: number;
}

/** Whose addresses are destroyed: an address, or a pseudonym as the ledger has it. */
export type Forget =
  | { readonly address: string; readonly by?: string }
  | { readonly person: string; readonly by?: string };

/** `fuse.ledger`. */
export interface Ledger {
  /** The public keys that heads of this fuse are signed with, by key id; base64url of 32 bytes. An auditor needs them. */
  publicKeys(): Promise<Readonly<Record<string, string>>>;
  /**
   * Reads the whole ledger and says whether it is as it was written, and where not. Memory stays bounded, whatever its
   * length. Rejects only when the store or the file cannot be read (`STORE_UNAVAILABLE`, `LEDGER_UNREADABLE`).
   */
  verify(options?: VerifyOptions): Promise<Verdict>;
  /** Signs what is not sealed yet. Resolves to the newest head; `undefined` for an empty ledger. */
  seal(): Promise<Head | undefined>;
  /** The newest lines, oldest first. */
  tail(options?: TailOptions): AsyncGenerator<LedgerEntry>;
  /** Writes the ledger out. Rejects with `EXPORT_FAILED` when the target does not take it; the store loses nothing. */
  export(options: ExportOptions): Promise<Exported>;
  /** Destroys address keys whose `retention.addresses` is over. Runs by itself; here on demand. */
  retain(): Promise<Retained>;
  /** Destroys every sealed address of one person. The ledger stays as it is. */
  forget(who: Forget): Promise<{ readonly addresses: number }>;
}
