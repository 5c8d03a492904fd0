/**
 * What the parts of one fuse share: settings, store, keys, and the async context that tells which
 * purpose, rehearsal or release a send belongs to.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import type { Attachment, Call, Outcome } from "./adapter";
import { type Alert, Watch } from "./alerts";
import type { Clock } from "./clock";
import type { PendingPlan } from "./config";
import type { Settings } from "./config/resolve";
import { ContextValue } from "./context";
import type { PresentContext } from "./guard";
import type { AddressBook } from "./ledger/addresses";
import type { EntryRef } from "./ledger/events";
import type { Upkeep } from "./ledger/upkeep";
import type { Logger } from "./log";
import { RehearsalWindow } from "./plan/window";
import type { Purpose } from "./purpose";
import type { createSecrets, Secrets } from "./secrets";
import type { Judged } from "./send";
import type { HaltRecord, Store, StoreFacts } from "./store";
import type { UnderWay } from "./under-way";

/** Takes the calls of a plan's job instead of the wire. */
export interface Rehearsal {
  readonly purpose: Purpose;
  /** Keeps the judged call. Resolves when there is room for the next. */
  record(call: Call, send: Judged, held: Held): Promise<void>;
}

/** Delivers one entry of a confirmed plan. */
export interface ReleaseFrame extends EntryRef {
  readonly purpose: Purpose;
  /** What proved the entry's claims when it was asked about last; goes into its ledger line. */
  readonly evidence: readonly string[];
  /** Told what became of the entry, once it is known. */
  settled(outcome: Outcome): void;
}

/** What an async context knows. */
export interface Frame {
  readonly context?: PresentContext;
  readonly rehearsal?: Rehearsal;
  readonly release?: ReleaseFrame;
}

/** A client held by a fuse. */
export interface Held {
  /** Names the client within the fuse, and in plans: provider and account. */
  readonly key: string;
  readonly provider: string;
  readonly client: object;
  readonly attachment: Attachment;
}

/** A captured mail, in test mode with `onNotAllowed: "capture"`. */
export interface Captured {
  readonly provider: string;
  readonly purpose: string;
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly bcc: readonly string[];
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
  readonly at: number;
}

/** What is loaded with the first send: most of a fuse's code, and nothing that making one needs. */
export interface LateParts {
  readonly AddressBook: typeof AddressBook;
  readonly Upkeep: typeof Upkeep;
  readonly createSecrets: typeof createSecrets;
}

/** The shared parts of one fuse. */
export class Core {
  readonly frames = new ContextValue<Frame>();
  readonly held = new Map<string, Held>();
  readonly outbox: Captured[] = [];
  readonly haltedScopes = new Set<string>();
  /** Mails under way in this process, by their once-claims. */
  readonly underWay = new Map<string, UnderWay>();
  readonly watch: Watch;
  /** When this process rehearses plans. */
  readonly rehearsing: RehearsalWindow;
  /** The highest ledger number this process has seen. */
  seen = 0;
  facts: StoreFacts | undefined;
  #upkeep: Upkeep | undefined;
  #secrets: Secrets | undefined;
  #addressBook: AddressBook | undefined;
  #opening: Promise<void> | undefined;
  /** How much work goes on in the background, and who waits for its end. A set of it would be made anew for every mail. */
  #pending = 0;
  #waiting: (() => void)[] = [];

  constructor(
    readonly settings: Settings,
    readonly store: Store,
    readonly clock: Clock,
    readonly log: Logger,
    private readonly secretTexts: readonly string[],
    onAlert: ((alert: Alert) => void) | undefined,
    /** Throws for a store on which what is configured does not hold. */
    private readonly judgeFacts: (facts: StoreFacts) => void,
    private readonly load: () => Promise<LateParts>,
  ) {
    this.rehearsing = new RehearsalWindow(clock);
    this.watch = new Watch((alert) => this.#alert(alert, onAlert));
  }

  #alert(alert: Alert, onAlert: ((alert: Alert) => void) | undefined): void {
    const { kind, purpose, code, refused, passed } = alert;
    const what =
      kind === "newly-refused"
        ? `is refused as ${code}, for the first time today`
        : `is refused ${refused} times in ten minutes`;
    this.log.error(
      { ...alert },
      `mail of the purpose "${purpose}" ${what}; ${passed} passed. Is this right mail that is blocked?`,
    );
    this.background(this.store.append([JSON.stringify({ v: 1, type: "alert", ...alert })]), "an alert");
    try {
      onAlert?.(alert);
    } catch (error) {
      this.log.error({ error: codeOf(error) }, "onAlert threw");
    }
  }

  /** Told of new plans that wait for people. */
  onPlan: ((plan: PendingPlan) => unknown) | undefined;

  /** The keys; there once {@link Core.ready} has resolved. */
  get secrets(): Secrets {
    return opened(this.#secrets);
  }

  /** Who was reached, sealed; there once {@link Core.ready} has resolved. */
  get addressBook(): AddressBook {
    return opened(this.#addressBook);
  }

  /** Seals the ledger in the background; there once {@link Core.ready} has resolved. */
  get upkeep(): Upkeep {
    return opened(this.#upkeep);
  }

  /**
   * What the ledger's own key is derived from. A secret that the store itself keeps counts only where there is no other:
   * whoever holds the store could sign with it.
   */
  signingSeeds(): readonly Uint8Array[] {
    const seeds = this.secrets.keys("ledger");
    return this.ownSecret ? seeds.slice(0, this.secretTexts.length) : seeds;
  }

  /** Whether the configuration brings a secret; without it, a random one is kept in the store. */
  get ownSecret(): boolean {
    return this.secretTexts.length > 0;
  }

  /** Whether {@link Core.ready} has nothing left to wait for. */
  get isReady(): boolean {
    return this.#secrets !== undefined;
  }

  /** Opens the store and derives the keys, once; a failure is tried again on the next send. */
  ready(): Promise<void> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #open(): Promise<void> {
    const { AddressBook, Upkeep, createSecrets } = await this.load();
    const facts = await this.store.open();
    this.judgeFacts(facts);
    // A store that once kept the secret itself knows people by that one: it is read with, as any former secret.
    const kept = this.ownSecret ? await this.store.value("secret") : await this.#keptSecret(facts);
    const secrets = [...new Set([...this.secretTexts, ...(kept === undefined ? [] : [kept])])];
    this.facts = facts;
    const { store, clock } = this;
    this.#secrets = createSecrets(secrets);
    this.#addressBook = new AddressBook({ store, clock, secrets: this.#secrets });
    this.#upkeep ??= new Upkeep(this);
    await this.refreshHalts();
  }

  async #keptSecret(facts: StoreFacts): Promise<string> {
    if (facts.kind !== "memory") {
      this.log.warn(
        { store: facts.kind },
        "no `secret` is configured: a random one is kept in the store, beside what it protects",
      );
    }
    return this.store.setOnce("secret", randomBytes(32).toString("base64url"));
  }

  async refreshHalts(): Promise<readonly HaltRecord[]> {
    const halts = await this.store.halts();
    this.haltedScopes.clear();
    for (const record of halts) this.haltedScopes.add(record.scope);
    return halts;
  }

  saw(seq: number): void {
    if (seq > this.seen) this.seen = seq;
    this.#upkeep?.touch(seq);
  }

  /** Lets `work` finish without its caller waiting; {@link Core.flush} waits for all of it. */
  background<Answer>(work: Promise<Answer>, what: string, done?: (answer: Answer) => void): void {
    work.then(
      (answer) => {
        this.#finished();
        done?.(answer);
      },
      (error: unknown) => {
        this.#finished();
        this.log.error({ error: codeOf(error) }, `${what} could not be recorded`);
      },
    );
    this.#pending++;
  }

  #finished(): void {
    this.#pending--;
    if (this.#pending > 0 || this.#waiting.length === 0) return;
    for (const go of this.#waiting.splice(0)) go();
  }

  async flush(): Promise<void> {
    while (this.#pending > 0) await new Promise<void>((go) => this.#waiting.push(go));
  }
}

function opened<Part>(part: Part | undefined): Part {
  if (part === undefined) throw new Error("mailfuse: a part of the store was asked for before it was opened");
  return part;
}

/** An error's code or name: all of an error that a log line may carry. */
export function codeOf(error: unknown): string {
  const shape = error as { code?: unknown; name?: unknown } | null | undefined;
  return String(shape?.code ?? shape?.name ?? typeof error);
}
