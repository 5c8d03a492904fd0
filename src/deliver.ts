/**
 * The last step of a send: the store reserves it in one atomic step, the adapter puts it on the
 * wire, and its outcome is recorded.
 *
 * @module
 */
import type { Call, Commit, Fate, Outcome } from "./adapter";
import { type Core, codeOf, type Frame } from "./core";
import { runDelivery } from "./delivery";
import { MailfuseError, type Refusal } from "./errors";
import { halted } from "./guards/halt";
import { actionEvent, reservedEvent, settledEvent } from "./ledger/events";
import { everything, planScope, purposeScope } from "./purpose";
import { refused, wouldRefuse } from "./refuse";
import type { Judged } from "./send";
import type { OnceRecord, ReserveAnswer } from "./store";

/** Delivers a judged call. Rejects with `MailfuseError` when it may not leave, or as the client does. */
export async function deliver<Result>(
  core: Core,
  call: Call<Result>,
  send: Judged,
  frame: Frame | undefined,
): Promise<Result> {
  const delivery = new Delivery(core, send, frame);
  const settled = await settle(() => runDelivery(() => call.deliver((previous) => delivery.commit(previous))));
  if (!delivery.reserved) {
    delivery.finish(undefined);
    if (delivery.repeats && (await delivery.firstAccepted())) return call.simulate("duplicate");
    // Nothing left. The refusal is thrown as it was, whatever the client made of it.
    if (delivery.refusal) throw delivery.refusal;
    if ("error" in settled) throw settled.error;
    throw await refused(core, send, [neverCommitted]);
  }
  // A further attempt that was refused leaves the outcome of the attempt before.
  const outcome = delivery.refusal ? { fate: delivery.previous } : readOutcome(call, settled);
  const recording = delivery.record(outcome);
  delivery.finish(outcome);
  frame?.release?.settled(outcome);
  // An accepted mail does not make its caller wait for the second line; budget given back does,
  // since the caller may try again at once. A release waits, or a crash would leave doubts.
  if (outcome.fate === "accepted" && !frame?.release) core.background(recording, "the outcome of a mail");
  else
    await recording.catch((error: unknown) =>
      core.log.error({ error: codeOf(error) }, "the outcome of a mail could not be recorded"),
    );
  if (delivery.refusal) throw delivery.refusal;
  if ("error" in settled) throw settled.error;
  return settled.result;
}

type Settled<Result> = { readonly result: Result } | { readonly error: unknown };

async function settle<Result>(work: () => Promise<Result>): Promise<Settled<Result>> {
  try {
    return { result: await work() };
  } catch (error) {
    return { error };
  }
}

/** One call on its way out. */
class Delivery {
  reserved = false;
  /** Why the mail, or a further attempt of it, may not leave. */
  refusal: MailfuseError | undefined;
  /** The fate of the attempt before, where there was one. */
  previous: Fate = "unknown";
  /** The first mail, when this one repeats it. */
  repeats: { readonly key: string; readonly first: OnceRecord } | undefined;
  readonly #waiting: string[] = [];
  #finished: (outcome: Outcome | undefined) => void = () => {};

  constructor(
    readonly core: Core,
    readonly send: Judged,
    readonly frame: Frame | undefined,
  ) {}

  readonly commit = async (previous?: Fate): ReturnType<Commit> => {
    this.previous = previous ?? this.previous;
    try {
      if (this.reserved) await this.#again(previous);
      else await this.#reserve();
    } catch (error) {
      this.refusal = MailfuseError.isInstance(error) ? error : undefined;
      throw error;
    }
    this.reserved = true;
    const release = this.frame?.release;
    // An entry's own, however often it is reserved: a provider that knows the key drops a second request.
    return { reservation: release ? `${release.plan}-${release.index}` : this.send.id };
  };

  #scopes(): string[] {
    const release = this.frame?.release;
    return release ? [...scopesOf(this.send), planScope(release.plan)] : scopesOf(this.send);
  }

  async #reserve(): Promise<void> {
    const { core, send } = this;
    const release = this.frame?.release;
    const entry = release && { plan: release.plan, index: release.index };
    this.#announce();
    // Waits for nothing but, once a day, the day's key.
    const sealed = core.addressBook.of(send);
    const addresses = sealed instanceof Promise ? await sealed.catch(unavailable) : sealed;
    const [answer] = await core.store
      .reserve([
        {
          id: send.id,
          scopes: this.#scopes(),
          once: send.spends.flatMap((spend) => ("once" in spend ? [spend.once] : [])),
          ...(entry ? { entry } : {}),
          caps: send.spends.flatMap((spend) => ("cap" in spend ? [spend.cap] : [])),
          rates: send.spends.flatMap((spend) => ("rate" in spend ? [spend.rate] : [])),
          event: reservedEvent(send, core.settings.policyDigest, entry),
          ...(addresses ? { addresses } : {}),
          seen: core.seen,
        },
      ])
      .catch(unavailable);
    if (!answer?.ok) throw await this.#refuse(answer);
    core.saw(answer.seq);
    if (addresses) core.addressBook.kept(addresses);
    if (send.mode === "live") for (const { purpose } of send.parts) core.watch.passed(purpose.name, send.at);
    const over = send.spends.flatMap((spend) =>
      "explain" in spend && answer.exceeded.includes(boundOf(spend).key) ? [spend] : [],
    );
    if (over.length > 0)
      wouldRefuse(
        core,
        send,
        distinct(
          over.map((spend) => spend.explain({ limit: boundOf(spend).limit, used: boundOf(spend).limit, wanted: 1 })),
        ),
      );
  }

  async #refuse(answer: Exclude<ReserveAnswer, { ok: true }> | undefined): Promise<MailfuseError> {
    const { core, send } = this;
    if (answer?.reason === "duplicate" && this.#repeatable()) {
      this.repeats = answer;
      // Whether this is a refusal is known when the first one's outcome is.
      return new MailfuseError(duplicate(answer.first.state));
    }
    if (answer?.reason === "cap") this.#tellLatched(answer.key);
    return refused(core, send, [explain(core, send, answer)]);
  }

  /** The store has halted the scope in the same step; the ledger says so in a line of its own. */
  #tellLatched(key: string): void {
    for (const spend of this.send.spends) {
      if (!("cap" in spend) || spend.cap.key !== key || !spend.cap.haltOnExceeded) continue;
      const event = actionEvent("halted", { ...spend.cap.haltOnExceeded, latched: true });
      this.core.background(this.core.store.append([event]), "a halt by a cap");
    }
  }

  /** A repeat is answered like its first only where the whole call is one: a key, or a single mail. */
  #repeatable(): boolean {
    return !this.frame?.release && (this.send.messages.length === 1 || this.send.context.idempotencyKey !== undefined);
  }

  /** Whether the mail that this one repeats was accepted; waits for it where it is on its way here. */
  async firstAccepted(): Promise<boolean> {
    const { core, send, repeats } = this;
    if (!repeats) return false;
    const here = await core.underWay.get(repeats.key);
    const accepted = repeats.first.state === "accepted" || here?.fate === "accepted";
    if (accepted)
      core.background(
        core.store.append([actionEvent("repeated", { id: send.id, first: repeats.first.reservation })]),
        "a repeated mail",
      );
    else this.refusal = await refused(core, send, [duplicate(here?.fate ?? repeats.first.state)]);
    return accepted;
  }

  /** Lets a repeat in this process wait for this one's outcome. */
  #announce(): void {
    if (!this.send.spends.some((spend) => "once" in spend)) return;
    const outcome = new Promise<Outcome | undefined>((resolve) => {
      this.#finished = resolve;
    });
    for (const spend of this.send.spends) {
      if (!("once" in spend) || this.core.underWay.has(spend.once.key)) continue;
      this.core.underWay.set(spend.once.key, outcome);
      this.#waiting.push(spend.once.key);
    }
  }

  finish(outcome: Outcome | undefined): void {
    for (const key of this.#waiting) this.core.underWay.delete(key);
    this.#finished(outcome);
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

  async record(outcome: Outcome): Promise<void> {
    const { core, send } = this;
    const people = [...(outcome.people ?? [])].filter(([, its]) => its.fate === "refused");
    const [seq] = await core.store.settle([
      {
        reservation: send.id,
        fate: outcome.fate,
        ...(outcome.messageId === undefined ? {} : { messageId: outcome.messageId }),
        ...(people.length > 0 ? { refusedPeople: people.map(([person]) => send.pseudonym(person)) } : {}),
        event: settledEvent(send.id, outcome, send.pseudonym),
      },
    ]);
    if (seq !== undefined) core.saw(seq);
  }
}

function explain(core: Core, send: Judged, answer: Exclude<ReserveAnswer, { ok: true }> | undefined): Refusal {
  if (!answer) return { code: "STORE_UNAVAILABLE", message: "Expected an answer from the store, got none." };
  if (answer.reason === "halted") {
    core.haltedScopes.add(answer.halt.scope);
    return halted(answer.halt);
  }
  if (answer.reason === "regressed") return regressed(answer.seq, core.seen);
  if (answer.reason === "duplicate") return duplicate(answer.first.state);
  for (const spend of send.spends) {
    if (!("explain" in spend) || boundOf(spend).key !== answer.key) continue;
    if ("cap" in spend && spend.cap.haltOnExceeded) core.haltedScopes.add(spend.cap.haltOnExceeded.scope);
    return spend.explain(answer);
  }
  return { code: "INTERNAL", message: "Expected the store to refuse a cap that was asked for, got another one." };
}

/** While the secret is being changed, one cap is spent under each of a person's names, and is one reason. */
function distinct(refusals: readonly Refusal[]): Refusal[] {
  return [...new Map(refusals.map((refusal) => [refusal.message, refusal])).values()];
}

function boundOf(spend: Extract<Judged["spends"][number], { explain: unknown }>) {
  return "cap" in spend ? spend.cap : spend.rate;
}

/** The halt scopes of a send. */
function scopesOf(send: Judged): string[] {
  return [everything, ...send.parts.map((part) => purposeScope(part.purpose.name))];
}

function readOutcome<Result>(call: Call<Result>, settled: Settled<Result>): Outcome {
  try {
    return call.outcome(settled);
  } catch {
    // An answer nobody can read says nothing about the mail: it may have been sent.
    return { fate: "unknown" };
  }
}

const neverCommitted: Refusal = {
  code: "INTERNAL",
  message: "Expected the adapter to ask before sending, got an answer without a question; the mail may have left.",
};

function duplicate(state: string): Refusal {
  return {
    code: "DUPLICATE",
    message: `Expected a mail that was not sent before, got one whose first attempt is ${state === "reserved" ? "under way or was interrupted" : state}.`,
    fix: 'Nothing to do if it was accepted; otherwise a person decides, or the purpose declares onUnknown: "resend".',
  };
}

function regressed(seq: number, seen: number): Refusal {
  return {
    code: "STORE_REGRESSED",
    message: `Expected a store that has kept what it counted, got one whose ledger stands at ${seq} (${seen} was seen here): a failover, a restored backup or a flush lost some.`,
    fix: "Find out what was lost, then accept the store as it is with fuse.acknowledge.",
  };
}

/** The error for a store that does not answer. */
export function unavailable(error: unknown): never {
  if (MailfuseError.isInstance(error)) throw error;
  throw new MailfuseError(
    {
      code: "STORE_UNAVAILABLE",
      message: `Expected the store to answer, got ${codeOf(error)}; nothing is sent without it.`,
      fix: "Check that the store is up and reachable; sending goes on by itself when it is.",
    },
    { cause: error },
  );
}
