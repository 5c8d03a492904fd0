/**
 * The time in which a process rehearses plans. A send without a context in it, or in one that is not
 * its own, may belong to a plan's job whose queue has lost the context, so it is refused.
 *
 * The window opens with the call of `fuse.plan` and closes when the job has ended, if nothing speaks
 * for sends that are still under way somewhere. Otherwise it stays open until there has been quiet
 * for a minute: a queue that was filled and not awaited goes on when the job has long ended.
 *
 * @module
 */
import type { Clock } from "../clock";

/** How long a window stays open after the last sign of a lost send, milliseconds. */
const quietMs = 60_000;

/** One process's window, over all plans that it rehearses. */
export class RehearsalWindow {
  readonly #clock: Pick<Clock, "now">;
  #running = 0;
  #until = 0;
  #lost = 0;

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** How many sends were refused for want of a context, since the process began. */
  get lost(): number {
    return this.#lost;
  }

  get isOpen(): boolean {
    return this.#running > 0 || this.#clock.now() < this.#until;
  }

  /** Opens the window. The result closes it, once; `late` when sends may still be under way. */
  open(): (late: boolean) => void {
    this.#running++;
    let closed = false;
    return (late) => {
      if (closed) return;
      closed = true;
      this.#running--;
      if (late) this.#until = this.#clock.now() + quietMs;
    };
  }

  /** Asked by a send whose context is lost: whether it must not leave. Such a send keeps the window open. */
  refuses(): boolean {
    if (!this.isOpen) return false;
    this.#lost++;
    this.#until = this.#clock.now() + quietMs;
    return true;
  }
}
