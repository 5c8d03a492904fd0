/**
 * Deadlines of stores behind a network: no call waits longer, and no call that nobody waits for any more is
 * carried out long after.
 *
 * @module
 */
import { type Clock, MailfuseError } from "../store";

/** Waits for `work` at most `ms`. What comes later is dropped, and never an unhandled rejection. */
export function within<Result>(clock: Clock, ms: number, server: string, work: () => Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const started = clock.now();
    const end = () => reject(unavailable(server, "an answer", `none within ${ms} ms`));
    let cancel = clock.after(ms, () => {
      // Timers count from where the event loop's turn began, so a busy process would give up early, and the server
      // carry out what nobody waits for. Once: a clock that was put back must not keep anybody waiting.
      const early = Math.min(ms, ms - (clock.now() - started));
      if (early > 0) cancel = clock.after(early, end);
      else end();
    });
    const fail = (cause: unknown) => {
      cancel();
      reject(MailfuseError.isInstance(cause) ? cause : unavailable(server, "an answer", "an error", slim(cause)));
    };
    try {
      work().then((result) => {
        cancel();
        resolve(result);
      }, fail);
    } catch (cause) {
      fail(cause);
    }
  });
}

/** The error without the command that caused it: its arguments hold ledger lines. */
function slim(cause: unknown): Error {
  return cause instanceof Error ? new Error(`${cause.name}: ${cause.message}`) : new Error("not an Error");
}

function unavailable(server: string, expected: string, got: string, cause?: Error): MailfuseError {
  return new MailfuseError(
    {
      code: "STORE_UNAVAILABLE",
      message: `Expected ${expected} from ${server}, got ${got}${cause ? ` (${cause.message})` : ""}.`,
      fix: `Nothing was sent. Check that ${server} can be reached; sending goes on by itself once it can.`,
    },
    cause ? { cause } : {},
  );
}

/** A store that was closed. */
export function closed(server: string): MailfuseError {
  return unavailable(server, "an open store", "one that was closed");
}

/** An answer that none of our own calls gives. */
export function nonsense(server: string): MailfuseError {
  return new MailfuseError({
    code: "STORE_UNAVAILABLE",
    message: `Expected an answer to mailfuse's own call from ${server}, got something else.`,
    fix: `Check what stands between this process and ${server}, and that nobody else writes mailfuse's data.`,
  });
}

/** What a call that writes came to: the server's time, and an answer unless it came too late. */
export interface Timed<Answer> {
  readonly now: number;
  readonly answer: Answer | undefined;
}

/** Times are whole milliseconds, each up to one too low: a call expires on the server before its caller gives up. */
const roundingMs = 2;

/**
 * Gives every call that writes the time on the server after which it must change nothing. Clients queue calls
 * while a server is away and send them when it is back; without this, an hour of outage would spend an hour of
 * budget on mails that were refused. This machine's clock may be wrong: only its difference to the server's counts.
 */
export class Deadline {
  readonly #clock: Clock;
  readonly #server: string;
  readonly ms: number;
  /** The server's time minus ours, as of the last answer. */
  #ahead: number | undefined;

  constructor(clock: Clock, server: string, ms: number) {
    this.#clock = clock;
    this.#server = server;
    this.ms = ms;
  }

  /** Learns the server's time from an answer that changed nothing, so that the first call that writes expires as well. */
  learn(now: number): void {
    this.#ahead = now - this.#clock.now();
  }

  /**
   * Calls with the time that the call expires at on the server (0 while its clock is not known), and with
   * the milliseconds that are left.
   *
   * @throws `STORE_UNAVAILABLE` when the call came too late
   */
  async write<Answer>(call: (expires: number, left: number) => Promise<Timed<Answer>>): Promise<Answer> {
    const started = this.#clock.now();
    // Twice: a clock that jumped makes one call look late; the answer to it says what time it is.
    for (let attempt = 1; ; attempt++) {
      const left = Math.max(1, this.ms - Math.max(0, this.#clock.now() - started));
      const expires = this.#ahead === undefined ? 0 : this.#clock.now() + this.#ahead + left - roundingMs;
      const { now, answer } = await call(expires, left);
      this.learn(now);
      if (answer !== undefined) return answer;
      if (attempt > 1) throw unavailable(this.#server, "an answer in time", "one that came too late to be used");
    }
  }
}
