/**
 * Mails on their way out of this process, so that a repeat of one can wait for what becomes of it.
 *
 * @module
 */
import type { Outcome } from "./adapter";
import type { OnceClaim } from "./store";

/** One mail on its way. A promise of its outcome is made only for those that ask: nearly nobody does. */
export class UnderWay {
  #ended: { readonly outcome: Outcome | undefined } | undefined;
  #promise: Promise<Outcome | undefined> | undefined;
  #tell: ((outcome: Outcome | undefined) => void) | undefined;
  /** Mails that were on their way with one of its claims when it set out. */
  #before: Map<string, UnderWay> | undefined;

  /** Takes its place among the mails of one fuse, by its claims. */
  constructor(
    readonly all: Map<string, UnderWay>,
    readonly once: readonly OnceClaim[],
  ) {
    for (const { key } of once) {
      const other = all.get(key);
      if (!other) all.set(key, this);
      else {
        this.#before ??= new Map();
        this.#before.set(key, other);
      }
    }
  }

  /**
   * It is out, or will not leave.
   *
   * @param recorded Resolved when the store knows: until then it calls a repeat's first one unsettled, and only this knows
   * better.
   */
  end(outcome: Outcome | undefined, recorded?: Promise<unknown>): void {
    this.#ended = { outcome };
    this.#tell?.(outcome);
    const leave = () => {
      for (const { key } of this.once) if (this.all.get(key) === this) this.all.delete(key);
    };
    if (recorded) recorded.then(leave, leave);
    else leave();
  }

  /**
   * What becomes of the mail that had a claim when this one set out; nothing when none here had it. Asked of that moment,
   * because by the time that the store's answer is heard the other may have long ended.
   */
  firstWith(key: string): Promise<Outcome | undefined> | undefined {
    return this.#before?.get(key)?.outcome();
  }

  /** What becomes of it. */
  outcome(): Promise<Outcome | undefined> {
    this.#promise ??= this.#ended
      ? Promise.resolve(this.#ended.outcome)
      : new Promise((resolve) => {
          this.#tell = resolve;
        });
    return this.#promise;
  }
}
