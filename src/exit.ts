/**
 * The one function every mail passes. It runs the guards, and then either keeps the mail for a
 * plan, diverts it, or has the store reserve it and the adapter put it on the wire.
 *
 * Promises are chained by hand here and in `exit/deliver.ts`: each one costs its memory and a hook, and
 * every mail of every client goes this way.
 *
 * @module
 */
import type { Call } from "./adapter";
import type { Core, Frame, Held } from "./core";
import { runDelivery } from "./delivery";
import { MailfuseError } from "./errors";
import { orderedId } from "./exit/ordered-id";
import { Passage } from "./exit/passage";
import { unavailable } from "./exit/store-refusals";
import type { Guard } from "./guard";
import { actionEvent } from "./ledger/events";
import type { Purpose } from "./purpose";
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
  pass<Result>(call: Call<Result>, held: Held, redirected?: Redirected): Promise<Result> {
    if (call.intent.kind === "read") return deliverUnjudged(call);
    if (this.core.isReady) return this.#pass(call, held, redirected);
    return this.core.ready().then(() => this.#pass(call, held, redirected), unavailable);
  }

  #pass<Result>(call: Call<Result>, held: Held, redirected: Redirected | undefined): Promise<Result> {
    const { core } = this;
    const { intent } = call;
    try {
      if (intent.kind === "management") {
        core.background(
          core.store.append([actionEvent("management", { what: intent.what, provider: held.provider })]),
          "a management call",
        );
        return deliverUnjudged(call);
      }
      const frame = core.frames.getStore();
      const send = this.#judged(call, held, frame, redirected);
      if (frame?.release) for (const evidence of frame.release.evidence) send.note("evidence", evidence);
      return new Passage(this, { call, send, held, frame }).go();
    } catch (error) {
      return Promise.reject(error);
    }
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
      warn: frame?.rehearsal ? unheard : (refusal) => core.log.warn({ code: refusal.code }, refusal.message),
    });
  }
}

function unheard(): void {}

/** A correction may speak of what its mistake was about, and would match that purpose. */
function correctionOf(frame: Frame | undefined): Purpose | undefined {
  const purpose = frame?.rehearsal?.purpose;
  return purpose?.correction ? purpose : undefined;
}

/** A read, or a listed write that mails nobody. */
function deliverUnjudged<Result>(call: Call<Result>): Promise<Result> {
  try {
    return Promise.resolve(runDelivery(() => call.deliver(neverCommit)));
  } catch (error) {
    return Promise.reject(error);
  }
}

function neverCommit(): Promise<never> {
  return Promise.reject(
    new MailfuseError({
      code: "INTERNAL",
      message: "Expected no mail from a read or management call, got one that asked to send.",
    }),
  );
}
