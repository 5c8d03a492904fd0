/**
 * Code that is loaded beside the application's start, and not before it: what comes first waits for it.
 *
 * @module
 */
import { MailfuseError } from "./errors";

/** A part of the package that is loaded once. */
export class Late<Part> {
  #part: Part | undefined;
  #loading: Promise<Part> | undefined;

  /** @param get Imports it, and makes of it what is needed. */
  constructor(private readonly get: () => Promise<Part>) {}

  /** The part, once it is there: then nothing has to wait. */
  get now(): Part | undefined {
    return this.#part;
  }

  /** The part; asked for only once {@link Late.load} has resolved. */
  get part(): Part {
    if (this.#part !== undefined) return this.#part;
    throw new MailfuseError({
      code: "INTERNAL",
      message: "Expected a client whose adapter is loaded, got one that was attached a moment ago.",
      fix: "Wait for the attachment's `ready()` before `revive`.",
    });
  }

  /** Loads it. What fails is tried again by the next call: nothing leaves through what is not loaded. */
  load(): Promise<Part> {
    this.#loading ??= this.#load().catch((cause: unknown) => {
      this.#loading = undefined;
      throw missing(cause);
    });
    return this.#loading;
  }

  async #load(): Promise<Part> {
    this.#part = await this.get();
    return this.#part;
  }
}

function missing(cause: unknown): MailfuseError {
  const { code, name } = Object(cause) as { readonly code?: unknown; readonly name?: unknown };
  return new MailfuseError(
    {
      code: "INTERNAL",
      message: `Expected mailfuse's own files beside the one that runs, got ${String(code ?? name)}.`,
      fix: "Restart the process: its packages were replaced or removed while it ran.",
    },
    { cause },
  );
}
