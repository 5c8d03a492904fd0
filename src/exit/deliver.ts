/**
 * The last step of a send: the store reserves it in one atomic step, the adapter puts it on the
 * wire, and its outcome is recorded.
 *
 * @module
 */
import type { Call, Commit, Fate, Outcome, Permit } from "../adapter";
import { type Core, codeOf, type Frame } from "../core";
import { runDelivery } from "../delivery";
import { MailfuseError, type Refusal } from "../errors";
import { halted, haltScopes } from "../guards/halt";
import { actionEvent, reservedEvent, settledEvent } from "../ledger/events";
import { readOutcome, type Settled } from "../outcome";
import { planScope } from "../purpose";
import type { Judged } from "../send";
import type { OnceRecord, Reservation, ReserveAnswer, SealedAddresses } from "../store";
import { UnderWay } from "../under-way";
import { refused, wouldRefuse } from "./refuse";
import { isRepeatable, refuseRepeat } from "./repeat";
import { duplicate, explain, explainExceeded, unavailable, unavailableError } from "./store-refusals";

/**
 * Delivers a judged call and hands its result to `answer`. Rejects with `MailfuseError` when it may not leave, or as the
 * client does.
 */
export function deliver<Result, Answer>(
  core: Core,
  call: Call<Result>,
  send: Judged,
  frame: Frame | undefined,
  answer: (result: Result) => Answer,
): Promise<Answer> {
  const delivery = new Delivery(core, call, send, frame);
  let delivering: Promise<Result>;
  try {
    delivering = Promise.resolve(runDelivery(() => call.deliver(delivery.commit)));
  } catch (error) {
    delivering = Promise.reject(error);
  }
  const settle = (settled: Settled<Result>): Answer | Promise<Answer> => {
    const ended = delivery.settle(settled);
    return ended instanceof Promise ? ended.then(answer) : answer(ended);
  };
  return delivering.then(
    (result) => settle({ result }),
    (error: unknown) => settle({ error }),
  );
}

/** One call on its way out. */
class Delivery<Result> {
  #reserved = false;
  /** Why the mail, or a further attempt of it, may not leave. */
  #refusal: MailfuseError | undefined;
  /** The fate of the attempt before, where there was one. */
  #previous: Fate = "unknown";
  /** The first mail, when this one repeats it. */
  #repeats: { readonly key: string; readonly first: OnceRecord } | undefined;
  #sealed: SealedAddresses | undefined;
  /** Lets a repeat in this process wait for this mail's outcome, and this one for that of the mail it repeats. */
  #way: UnderWay | undefined;
  /** Set once the call has ended: an adapter that asks after that would send behind its caller's back. */
  #over = false;

  constructor(
    readonly core: Core,
    readonly call: Call<Result>,
    readonly send: Judged,
    readonly frame: Frame | undefined,
  ) {}

  readonly commit = (previous?: Fate): ReturnType<Commit> => {
    if (this.#over) return Promise.reject(new MailfuseError(askedLate));
    this.#previous = previous ?? this.#previous;
    if (this.#reserved) return this.#again(previous).then(() => this.#permit(), this.#denied);
    return this.#reserve().then(
      ([answer]) => this.#granted(answer),
      (error: unknown) => this.#denied(unavailableError(error)),
    );
  };

  #permit(): Permit {
    if (this.#over) throw new MailfuseError(askedLate);
    this.#reserved = true;
    const release = this.frame?.release;
    // An entry's own, however often it is reserved: a provider that knows the key drops a second request.
    return { reservation: release ? `${release.plan}-${release.index}` : this.send.id };
  }

  readonly #denied = (error: unknown): never => {
    this.#refusal = MailfuseError.isInstance(error) ? error : undefined;
    throw error;
  };

  #scopes(): string[] {
    const { entry } = this.send;
    return entry ? [...haltScopes(this.send), planScope(entry.plan)] : haltScopes(this.send);
  }

  #reserve(): Promise<readonly ReserveAnswer[]> {
    const { core, send } = this;
    try {
      if (send.once.length > 0) this.#way ??= new UnderWay(core.underWay, send.once);
      // Waits for nothing but, once a day, the day's key.
      const sealed = core.addressBook.of(send);
      return sealed instanceof Promise ? sealed.then((ready) => this.#ask(ready)) : this.#ask(sealed);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #ask(sealed: SealedAddresses | undefined): Promise<readonly ReserveAnswer[]> {
    const { core, send } = this;
    const { entry } = send;
    this.#sealed = sealed;
    const asked: Reservation = {
      id: send.id,
      scopes: this.#scopes(),
      once: send.once,
      caps: send.caps,
      rates: send.rates,
      event: reservedEvent(send, core.settings.policyDigest),
      seen: core.seen,
      ...(entry ? { entry } : {}),
      ...(sealed ? { addresses: sealed } : {}),
    };
    return core.store.reserve([asked]);
  }

  #granted(answer: ReserveAnswer | undefined): Permit | Promise<Permit> {
    if (!answer?.ok) return this.#refuse(answer).then(this.#denied);
    const { core, send } = this;
    core.saw(answer.seq);
    if (this.#sealed) core.addressBook.kept(this.#sealed);
    if (send.mode === "live") for (const { purpose } of send.parts) core.watch.passed(purpose.name, send.at);
    const over = answer.exceeded.length > 0 ? explainExceeded(send, answer.exceeded) : [];
    if (over.length > 0) wouldRefuse(core, send, over);
    return this.#permit();
  }

  async #refuse(answer: Exclude<ReserveAnswer, { ok: true }> | undefined): Promise<MailfuseError> {
    const { core, send } = this;
    if (answer?.reason === "duplicate" && isRepeatable(send, this.frame)) {
      this.#repeats = answer;
      // Whether this is a refusal is known when the first one's outcome is.
      return new MailfuseError(duplicate(answer.first.state));
    }
    if (answer?.reason === "cap") this.#tellLatched(answer.key);
    return refused(core, send, [explain(core, send, answer)]);
  }

  /** The store has halted the scope in the same step; the ledger says so in a line of its own. */
  #tellLatched(key: string): void {
    for (const cap of this.send.caps) {
      if (cap.key !== key || !cap.haltOnExceeded) continue;
      const event = actionEvent("halted", { ...cap.haltOnExceeded, latched: true });
      this.core.background(this.core.store.append([event]), "a halt by a cap");
    }
  }

  /** A further attempt of a mail that was reserved before. */
  async #again(previous: Fate | undefined): Promise<void> {
    const { core, send } = this;
    const halts = await core.refreshHalts().catch(unavailable);
    const halt = halts.find((record) => this.#scopes().includes(record.scope));
    if (halt) throw await refused(core, send, [halted(halt)]);
    if (previous === "refused" || previous === "failed") return;
    if (send.parts.every((part) => part.purpose.onUnknown === "resend")) return;
    throw await refused(core, send, [duplicate("unknown")]);
  }

  /** What the call came to, once its outcome is recorded: the client's own result or error, or why nothing left. */
  settle(settled: Settled<Result>): Result | Promise<Result> {
    this.#over = true;
    if (!this.#reserved) return this.#unsent(settled);
    const { core, frame } = this;
    // A further attempt that was refused leaves the outcome of the attempt before.
    const outcome = this.#refusal ? { fate: this.#previous } : readOutcome(this.call, settled);
    const recording = this.#record(outcome);
    this.#way?.end(outcome, recording);
    frame?.release?.settled(outcome);
    const saw = (seqs: readonly number[] | undefined) => core.saw(seqs?.[0] ?? 0);
    // An accepted mail does not make its caller wait for the second line; budget given back does,
    // since the caller may try again at once. A release waits, or a crash would leave doubts.
    if (outcome.fate === "accepted" && !frame?.release) {
      core.background(recording, "the outcome of a mail", saw);
      return this.#end(settled);
    }
    const failed = (error: unknown) =>
      core.log.error({ error: codeOf(error) }, "the outcome of a mail could not be recorded");
    return recording
      .then(saw)
      .catch(failed)
      .then(() => this.#end(settled));
  }

  #end(settled: Settled<Result>): Result {
    if (this.#refusal) throw this.#refusal;
    if ("error" in settled) throw settled.error;
    return settled.result;
  }

  async #unsent(settled: Settled<Result>): Promise<Result> {
    this.#way?.end(undefined);
    if (this.#repeats) {
      this.#refusal = await refuseRepeat(
        this.core,
        this.send,
        this.#repeats.first,
        this.#way?.firstWith(this.#repeats.key),
      );
      if (!this.#refusal) return this.call.simulate("duplicate");
    }
    // Nothing left. The refusal is thrown as it was, whatever the client made of it.
    if (this.#refusal) throw this.#refusal;
    if ("error" in settled) throw settled.error;
    throw await refused(this.core, this.send, [neverCommitted]);
  }

  #record(outcome: Outcome): Promise<readonly number[]> {
    const { core, send } = this;
    const { fate, messageId, people } = outcome;
    try {
      const event = settledEvent(send.id, outcome, send.pseudonym);
      const refusedPeople = people && [...people].filter(([, its]) => its.fate === "refused");
      // A mail has left: what an outsider's store makes of this must not be taken for its failure.
      const settling = core.store.settle([
        {
          reservation: send.id,
          fate,
          event,
          ...(messageId === undefined ? {} : { messageId }),
          ...(refusedPeople?.length ? { refusedPeople: refusedPeople.map(([person]) => send.pseudonym(person)) } : {}),
        },
      ]);
      return Promise.resolve(settling);
    } catch (error) {
      return Promise.reject(error);
    }
  }
}

const askedLate: Refusal = {
  code: "INTERNAL",
  message: "Expected the adapter to ask before its call ended, got a question after that; nothing more leaves.",
};

const neverCommitted: Refusal = {
  code: "INTERNAL",
  message: "Expected the adapter to ask before sending, got an answer without a question; the mail may have left.",
};
