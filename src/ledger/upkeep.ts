/**
 * Seals the ledger now and then and destroys what is past its time, by itself and in the background:
 * whichever process of a store has the lease does it for all of them.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { type Core, codeOf } from "../core";
import { destroyOld } from "./addresses";
import { makeSigner, type Signer } from "./chain";
import { actionEvent } from "./events";
import { tellHead } from "./heads";
import type { Retained } from "./ledger";
import { lastNumber } from "./lines";
import { sealLines } from "./seal";
import type { Head } from "./verdict";

/** How long one turn may take before another process thinks it dead; a second sealer would do no harm. */
const leaseMs = 60_000;
/** Lines after which nobody waits for the time to come. */
const soonAfter = 2_000;
const retainEveryMs = 3_600_000;
/** A longer backlog is left to the next process: closing must not take minutes. */
const mostOnClose = 100_000;

/** The upkeep of one fuse's ledger. */
export class Upkeep {
  readonly #holder = randomUUID();
  #signer: Signer | undefined;
  #cancel: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #closed = false;
  /** The highest number seen when the ledger was last sealed here. */
  #sealedAt = 0;
  #retainedAt = Number.NEGATIVE_INFINITY;
  /** The newest head this process has seen. */
  head: Head | undefined;

  constructor(readonly core: Core) {}

  /** The key that signs, and those that hold. */
  get signer(): Signer {
    const { core } = this;
    this.#signer ??= makeSigner(core.settings.ledger.signingKey, core.signingSeeds(), core.settings.ledger.trustedKeys);
    return this.#signer;
  }

  /** Hears of a new line. */
  touch(seq: number): void {
    if (this.#closed) return;
    const { clock, settings } = this.core;
    if (this.#sealedAt === 0) this.#sealedAt = seq;
    if (seq - this.#sealedAt >= soonAfter && !this.#running) this.#start();
    this.#cancel ??= clock.after(settings.ledger.sealEveryMs, () => {
      this.#cancel = undefined;
      this.#start();
    });
  }

  #start(): void {
    if (this.#running || this.#closed) return;
    this.#sealedAt = Math.max(this.#sealedAt, this.core.seen);
    this.#running = this.#turn().finally(() => {
      this.#running = undefined;
    });
    this.core.background(this.#running, "the ledger's upkeep");
  }

  async #turn(): Promise<void> {
    const { store, clock } = this.core;
    if (!(await store.lease("ledger", this.#holder, leaseMs))) return;
    try {
      await this.seal();
      const now = clock.now();
      if (now - this.#retainedAt >= retainEveryMs) {
        this.#retainedAt = now;
        await this.retain();
      }
    } finally {
      await store.lease("ledger", this.#holder, 0);
    }
  }

  /** Seals what is not sealed yet, whoever has the lease. */
  async seal(): Promise<Head | undefined> {
    const { core } = this;
    const known = this.head && (await this.#stillThere(this.head)) ? this.head : undefined;
    const head = await sealLines({ store: core.store, signer: this.signer }, known);
    const isNew = head !== undefined && head.seq !== this.head?.seq;
    if (head && (!this.head || head.upto >= this.head.upto)) this.head = head;
    if (isNew) await tellHead(core, head);
    return head;
  }

  /** A head that was there and is gone: the ledger has lost its end, or somebody has taken it away. */
  async #stillThere(head: Head): Promise<boolean> {
    const [line] = await this.core.store.read(head.seq - 1, 1);
    if (line?.seq === head.seq && line.event.includes(head.hash)) return true;
    this.core.log.error(
      { head: head.seq, upto: head.upto },
      "the ledger's newest head is gone: lines were lost or removed; look with `fuse.ledger.verify()`",
    );
    return false;
  }

  /** Destroys the address keys whose time is over. */
  async retain(): Promise<Retained> {
    const { store, clock, settings } = this.core;
    // Both clocks have to say so: one that is wrong must not destroy what a correction needs.
    const now = Math.min(await store.now(), clock.now());
    const gone = await destroyOld(store, now, settings.retention.addressesMs);
    if (gone.days.length > 0) await store.append([actionEvent("addresses-destroyed", gone)]);
    return gone;
  }

  /** Ends the upkeep of a fuse that closes, and seals a last time. What fails here is sealed by the next process. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    try {
      await this.#running;
      const { core } = this;
      if (core.seen === 0) return;
      if (!this.head && (await lastNumber(core.store)) > mostOnClose) return;
      await this.seal();
    } catch (error) {
      this.core.log.error({ error: codeOf(error) }, "the ledger could not be sealed at the end");
    }
  }
}
