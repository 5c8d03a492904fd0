/**
 * The way to the exit before the exit is loaded: whatever comes first waits for it, in its order.
 *
 * @module
 */
import type { Call } from "./adapter";
import { type Core, codeOf, type Held } from "./core";
import { MailfuseError } from "./errors";
import type { Exit } from "./exit";
import type { Guard } from "./guard";

/** The exit of one fuse, loaded once. */
export class LateExit {
  #exit: Exit | undefined;
  #loading: Promise<Exit> | undefined;

  /** @param own The user's own guards. */
  constructor(
    readonly core: Core,
    readonly own: readonly Guard[],
  ) {}

  /** As {@link Exit.pass}. */
  pass<Result>(call: Call<Result>, held: Held): Promise<Result> {
    return this.#exit ? this.#exit.pass(call, held) : this.load().then((exit) => exit.pass(call, held));
  }

  /** Loads it. What fails is tried again by the next send: an unloaded exit lets nothing out. */
  load(): Promise<Exit> {
    this.#loading ??= this.#load().catch((cause: unknown) => {
      this.#loading = undefined;
      throw new MailfuseError(
        {
          code: "INTERNAL",
          message: `Expected mailfuse's own files beside the one that runs, got ${codeOf(cause)}.`,
          fix: "Restart the process: its packages were replaced or removed while it ran.",
        },
        { cause },
      );
    });
    return this.#loading;
  }

  async #load(): Promise<Exit> {
    const { Exit, orderedGuards } = await import("./sending");
    const { core, own } = this;
    const guards = orderedGuards(core.settings, {
      halts: { scopes: core.haltedScopes, refresh: () => core.refreshHalts() },
      rehearsing: core.rehearsing,
      own,
      clock: core.clock,
    });
    this.#exit = new Exit(core, guards);
    return this.#exit;
  }
}
