/**
 * One call on its way through the guards, and what it comes to behind them.
 *
 * @module
 */
import type { Call } from "../adapter";
import { codeOf, type Frame, type Held } from "../core";
import type { Refusal } from "../errors";
import type { Exit } from "../exit";
import type { Receipt } from "../guard";
import type { Judged } from "../send";
import { deliver } from "./deliver";
import { divert } from "./divert";
import { refused, wouldRefuse } from "./refuse";

/** A judged call, and where it came from. */
export interface Passing<Result> {
  readonly call: Call<Result>;
  readonly send: Judged;
  readonly held: Held;
  readonly frame: Frame | undefined;
}

/** Leads one call through the guards of an exit. */
export class Passage<Result> {
  /** The guard that was asked last. */
  #reached = -1;
  /** Set once the guards have let it through, or it is refused: from then on, no guard's `next` leads anywhere. */
  #ended = false;
  #answer: { readonly result: Result } | undefined;

  constructor(
    readonly exit: Exit,
    readonly passing: Passing<Result>,
  ) {}

  /** Runs the guards, and then what the call comes to. A guard that throws refuses the mail; it never lets it through. */
  go(): Promise<Result> {
    return this.#from(0);
  }

  #from(index: number): Promise<Result> {
    let judged: Promise<Receipt>;
    try {
      // A guard of a user's, in JavaScript, may give back anything.
      judged = Promise.resolve(this.#step(index));
    } catch (error) {
      judged = Promise.reject(error);
    }
    return judged.then(
      () => (this.#answer ? this.#answer.result : this.#unanswered()),
      (error: unknown) => this.#thrown(error),
    );
  }

  #step(index: number): Promise<Receipt> {
    if (this.#ended) return calledTwice();
    this.#reached = index;
    const guard = this.exit.guards[index];
    if (!guard) {
      this.#ended = true;
      return this.#end();
    }
    let called = false;
    return guard(this.passing.send, () => {
      if (called) return calledTwice();
      called = true;
      return this.#step(index + 1);
    });
  }

  async #unanswered(): Promise<Result> {
    const { send } = this.passing;
    this.#ended = true;
    send.refuse({
      code: "GUARD_REFUSED",
      message: "Expected every guard to call next(), got one that did not.",
      fix: "Have the guard call send.refuse with its reason and then next().",
    });
    throw await refused(this.exit.core, send, send.refusals);
  }

  async #thrown(error: unknown): Promise<Result> {
    // Past the guards, errors are the send's own: the refusal, or what the client threw.
    if (this.#ended) throw error;
    const { core } = this.exit;
    const { send } = this.passing;
    send.refuse({
      code: "GUARD_REFUSED",
      message: `Expected every guard to answer, got ${codeOf(error)} thrown by one.`,
    });
    core.log.error({ error: codeOf(error) }, "a guard threw; the mail is refused");
    // What observe mode enforces, the guards behind the one that threw have to say.
    if (send.mode === "observe") return this.#from(this.#reached + 1);
    this.#ended = true;
    throw await refused(core, send, send.refusals, error);
  }

  #end(): Promise<Receipt> {
    const { call, send, frame } = this.passing;
    if (frame?.rehearsal || send.refusals.length > 0 || send.diversion) return this.#detour();
    return deliver(this.exit.core, call, send, frame, (result) => this.#answered(result, sent));
  }

  /** What becomes of a call that does not just leave. */
  async #detour(): Promise<Receipt> {
    const { core } = this.exit;
    const { call, send, held, frame } = this.passing;
    if (frame?.rehearsal) {
      await frame.rehearsal.record(call as Call, send, held);
      return this.#answered(call.simulate("rehearsal"), spooled);
    }
    const blocking = send.mode === "observe" ? send.refusals.filter(holdsInObserve) : send.refusals;
    if (blocking.length > 0) throw await refused(core, send, blocking);
    if (send.refusals.length > 0) wouldRefuse(core, send, send.refusals);
    if (send.diversion) return this.#answered(await divert(this.exit, this.passing, send.diversion), diverted);
    return deliver(core, call, send, frame, (result) => this.#answered(result, sent));
  }

  #answered(result: Result, receipt: Receipt): Receipt {
    this.#answer = { result };
    return receipt;
  }
}

function calledTwice(): Promise<never> {
  return Promise.reject(new Error("mailfuse: a guard called next() twice, or after it had answered"));
}

const sent: Receipt = Object.freeze({ status: "sent" });
const spooled: Receipt = Object.freeze({ status: "spooled" });
const diverted: Receipt = Object.freeze({ status: "diverted" });

/** What observe mode enforces: halts, and that bulk mail leaves inside releases. */
function holdsInObserve(refusal: Refusal): boolean {
  return refusal.code === "HALTED" || refusal.code === "PLAN_REQUIRED" || refusal.code === "CONTEXT_LOST";
}
