/**
 * The one function every mail passes. It runs the guards, and then either keeps the mail for a
 * plan, diverts it, or has the store reserve it and the adapter put it on the wire.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import type { Call } from "./adapter";
import { type Core, codeOf, type Frame, type Held } from "./core";
import { deliver, unavailable } from "./deliver";
import { runDelivery } from "./delivery";
import { divert } from "./divert";
import { MailfuseError, type Refusal } from "./errors";
import type { Guard, Receipt } from "./guard";
import { actionEvent } from "./ledger/events";
import type { Purpose } from "./purpose";
import { refused, wouldRefuse } from "./refuse";
import { Judged } from "./send";

/** What a mail already has when it comes a second time, as a redirected copy, or from a drill. */
export interface Redirected {
  readonly to?: string;
  readonly purpose: Purpose | undefined;
}

/** Passes calls of held clients. */
export class Exit {
  constructor(
    readonly core: Core,
    readonly guards: readonly Guard[],
  ) {}

  /** Judges one call and, if nothing speaks against it, delivers it. Rejects with `MailfuseError`. */
  async pass<Result>(call: Call<Result>, held: Held, redirected?: Redirected): Promise<Result> {
    const { core } = this;
    const frame = core.frames.getStore();
    const { intent } = call;
    if (intent.kind === "read") return runDelivery(() => call.deliver(neverCommit));
    if (!core.isReady) await core.ready().catch(unavailable);
    if (intent.kind === "management") {
      core.background(
        core.store.append([actionEvent("management", { what: intent.what, provider: held.provider })]),
        "a management call",
      );
      return runDelivery(() => call.deliver(neverCommit));
    }
    const send = this.#judged(call, held, frame, redirected);
    for (const evidence of frame?.release?.evidence ?? []) send.note("evidence", evidence);
    let answer: { readonly result: Result } | undefined;
    const end = async (): Promise<Receipt> => {
      const [receipt, result] = await this.#end(call, send, held, frame);
      answer = { result };
      return receipt;
    };
    await this.#guard(send, end);
    if (answer) return answer.result;
    send.refuse({
      code: "GUARD_REFUSED",
      message: "Expected every guard to call next(), got one that did not.",
      fix: "Have the guard call send.refuse with its reason and then next().",
    });
    throw await refused(this.core, send, send.refusals);
  }

  #judged(call: Call, held: Held, frame: Frame | undefined, redirected: Redirected | undefined): Judged {
    const { core } = this;
    const { settings } = core;
    const { account } = held.attachment;
    const at = core.clock.now();
    return new Judged({
      id: orderedId(at),
      environment: settings.environment.name,
      mode: settings.environment.mode,
      provider: held.provider,
      account,
      stage: frame?.rehearsal ? "rehearsal" : frame?.release ? "release" : "single",
      intent: call.intent,
      context: frame ? (frame.context ?? {}) : undefined,
      at,
      redirectedTo: redirected?.to,
      entry: frame?.release && { plan: frame.release.plan, index: frame.release.index },
      purpose: redirected?.purpose ?? frame?.release?.purpose ?? correctionOf(frame),
      purposes: settings.purposes,
      audiences: settings.audiences,
      namings: core.secrets.namings,
      // A rehearsal's warnings are counted in the plan's summary: a million mails would make a million lines.
      warn: frame?.rehearsal ? () => {} : (refusal) => core.log.warn({ code: refusal.code }, refusal.message),
    });
  }

  /** Runs the guards, then `end`. A guard that throws refuses the mail; it never lets it through. */
  async #guard(send: Judged, end: () => Promise<Receipt>): Promise<void> {
    let ended = false;
    const step = (index: number): Promise<Receipt> => {
      const guard = this.guards[index];
      if (!guard) {
        ended = true;
        return end();
      }
      let called = false;
      return guard(send, () => {
        if (called) return Promise.reject(new Error("mailfuse: a guard called next() twice"));
        called = true;
        return step(index + 1);
      });
    };
    try {
      await step(0);
    } catch (error) {
      // Past the guards, errors are the send's own: the refusal, or what the client threw.
      if (ended) throw error;
      send.refuse({
        code: "GUARD_REFUSED",
        message: `Expected every guard to answer, got ${codeOf(error)} thrown by one.`,
      });
      this.core.log.error({ error: codeOf(error) }, "a guard threw; the mail is refused");
      if (send.mode !== "observe") throw await refused(this.core, send, send.refusals, error);
      await end();
    }
  }

  async #end<Result>(
    call: Call<Result>,
    send: Judged,
    held: Held,
    frame: Frame | undefined,
  ): Promise<[Receipt, Result]> {
    if (frame?.rehearsal) {
      await frame.rehearsal.record(call as Call, send, held);
      return [{ status: "spooled" }, call.simulate("rehearsal")];
    }
    const blocking = send.mode === "observe" ? send.refusals.filter(holdsInObserve) : send.refusals;
    if (blocking.length > 0) throw await refused(this.core, send, blocking);
    if (send.refusals.length > 0) wouldRefuse(this.core, send, send.refusals);
    if (send.diversion) {
      const result = await divert(this, { call, send, held, frame }, send.diversion);
      return [{ status: "diverted" }, result];
    }
    return [{ status: "sent" }, await deliver(this.core, call, send, frame)];
  }
}

/** A correction may speak of what its mistake was about, and would match that purpose. */
function correctionOf(frame: Frame | undefined): Purpose | undefined {
  const purpose = frame?.rehearsal?.purpose;
  return purpose?.correction ? purpose : undefined;
}

/** Unique, and later ones sort later: a store's index grows at its end, not all over. */
function orderedId(at: number): string {
  return `${at.toString(16).padStart(12, "0")}-${randomUUID()}`;
}

/** What observe mode enforces: halts, and that bulk mail leaves inside releases. */
function holdsInObserve(refusal: Refusal): boolean {
  return refusal.code === "HALTED" || refusal.code === "PLAN_REQUIRED" || refusal.code === "CONTEXT_LOST";
}

function neverCommit(): Promise<never> {
  return Promise.reject(
    new MailfuseError({
      code: "INTERNAL",
      message: "Expected no mail from a read or management call, got one that asked to send.",
    }),
  );
}
