/**
 * One mail as a {@link Call}: judged from its copy, delivered as its copy.
 *
 * @module
 */
import type { Address, Call, Commit, Gate, Intent, MailfuseError, Outcome, RedirectNote } from "../../src/adapter";
import { assertCleanPrototypes, headerName, readHeaders } from "../../src/adapter";
import { abortError, isAbortSignal, renderBounds } from "./bounds";
import { headerEntries } from "./carriers";
import type { MailCopy } from "./copy";
import { readIntent } from "./intent";
import { readError, readResult } from "./outcome";
import { type PinnedMail, type Prototypes, pin } from "./pin";
import { isDroppedHeader, redirectBytes } from "./redirect";
import type { MailMessage, MailTransport } from "./shapes";
import { simulateAnswer } from "./simulate";
import { spoolCopy } from "./spool";

/** What a call needs of the attached transport. */
export interface Wire {
  readonly transport: MailTransport;
  /**
   * Hands a mail to the transport's own `send`. `commit` is asked right before the mail leaves,
   * by whoever knows that moment; `attempted` says whether the text of an earlier attempt left.
   */
  send(mail: MailMessage, commit: Commit, attempted: () => boolean): Promise<unknown>;
  /** Told of every mail at once; answers with what to call when it is handed over, or will not be. */
  arrive(): (handedOver: boolean) => void;
  readonly limits: Gate["limits"];
}

/** A mail that could be copied. */
export class MailCall implements Call {
  readonly intent: Intent;
  /** Told when delivery starts: from then on the transport owns cancellation. */
  onDelivery: (() => void) | undefined;
  #pinned: PinnedMail | undefined;

  constructor(
    private readonly copy: MailCopy,
    private readonly wire: Wire,
    private readonly prototypes: Prototypes,
  ) {
    this.intent = readIntent(copy);
  }

  async deliver(commit: Commit): Promise<unknown> {
    const { signal } = this.copy.data;
    if (isAbortSignal(signal) && signal.aborted) throw abortError(signal);
    this.onDelivery?.();
    // Other code has run since the copy was taken; what it put on a prototype, a transport would read.
    assertCleanPrototypes();
    const pinned = pin(this.copy, this.prototypes);
    this.#pinned = pinned;
    return this.wire.send(pinned.mail, commit, () => pinned.state.textRead);
  }

  simulate(reason: string): unknown {
    return simulateAnswer(this.copy, this.wire.transport, this.prototypes, reason);
  }

  outcome(settled: { readonly result: unknown } | { readonly error: unknown }): Outcome {
    if ("result" in settled) return readResult(settled.result, this.copy);
    return readError(settled.error, this.copy, this.#pinned?.state.textRead ?? false);
  }

  async redirect(to: Address, note: RedirectNote): Promise<Call> {
    const { copy } = this;
    const { signal } = copy.data;
    const unsigned = redirectBytes(copy.rendering?.unsigned ?? copy.bytes, to, note);
    const bounds = renderBounds(this.wire.limits, signal);
    const bytes = (await copy.rendering?.sign(unsigned, bounds)) ?? unsigned;
    const redirected: MailCopy = {
      ...copy,
      envelope: { ...copy.envelope, to: [to.address], people: new Map([[to.address, to.person]]) },
      bytes,
      block: readHeaders(bytes),
      data: redirectData(copy.data, to, note, this.wire.transport.name),
      declared: { to: to.address, cc: undefined, bcc: undefined },
      ...(copy.rendering ? { rendering: { ...copy.rendering, unsigned } } : {}),
    };
    const call = new MailCall(redirected, this.wire, this.prototypes);
    call.onDelivery = this.onDelivery;
    return call;
  }

  spool(): Uint8Array {
    return spoolCopy(this.copy);
  }
}

/** A mail that could not be copied. Refused; observe mode lets it go as it came, where it is `sendable`. */
export class OpaqueCall implements Call {
  readonly intent: Intent;
  onDelivery: (() => void) | undefined;

  constructor(
    private readonly mail: MailMessage,
    private readonly wire: Wire,
    private readonly reason: MailfuseError,
    private readonly sendable: boolean,
  ) {
    this.intent = { kind: "unknown", what: "a mail that cannot be copied", problems: reason.refusals };
  }

  async deliver(commit: Commit): Promise<unknown> {
    if (!this.sendable) throw this.reason;
    this.onDelivery?.();
    return this.wire.send(this.mail, commit, () => true);
  }

  simulate(reason: string): unknown {
    return { envelope: { from: false, to: [] }, messageId: "", accepted: [], rejected: [], mailfuse: reason };
  }

  outcome(settled: { readonly result: unknown } | { readonly error: unknown }): Outcome {
    return { fate: "result" in settled ? "accepted" : "unknown" };
  }

  redirect(): Promise<Call> {
    return Promise.resolve(this);
  }

  spool(): Uint8Array {
    return new Uint8Array();
  }
}

/** The message data that a redirected mail shows to transports that read it. */
function redirectData(
  data: Record<string, unknown>,
  to: Address,
  note: RedirectNote,
  transportName: unknown,
): Record<string, unknown> {
  if (!("to" in data || "cc" in data || "bcc" in data || "subject" in data)) return data;
  const { cc: _cc, bcc: _bcc, envelope: _envelope, ...rest } = data;
  const headers = headerEntries(data.headers).filter(([name]) => !isDroppedHeader(name));
  const originals = note.originals.join(", ");
  for (const key of Object.keys(rest)) if (key.startsWith("h:") && isDroppedHeader(key.slice(2))) delete rest[key];
  return {
    ...rest,
    // Mailgun's transport takes headers in this form only.
    ...(transportName === "Mailgun" ? { "h:X-Mailfuse-Original-To": originals } : {}),
    to: [{ name: to.name ?? "", address: to.address }],
    subject: `${note.subjectPrefix} ${typeof data.subject === "string" ? data.subject : ""}`.trim(),
    headers: { ...Object.fromEntries(headers), "X-Mailfuse-Original-To": originals },
    ...("list" in data ? { list: withoutUnsubscribe(data.list) } : {}),
  };
}

function withoutUnsubscribe(list: unknown): unknown {
  if (typeof list !== "object" || list === null) return list;
  return Object.fromEntries(Object.entries(list).filter(([key]) => !headerName(key).startsWith("unsubscribe")));
}
