/**
 * What a command is given: output, the loaded configuration, who asks.
 *
 * @module
 */
import { userInfo } from "node:os";
import { type Clock, systemClock } from "../clock";
import type { Fuse } from "../index";
import { type Loaded, loadConfig } from "./config-file";
import type { ExitCode } from "./exit";
import { type Io, Output } from "./output";

/** Options every command takes. */
export interface GlobalOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly color?: boolean;
}

/** One run of a command. */
export class Context {
  readonly out: Output;
  #loaded: Promise<Loaded> | undefined;

  constructor(
    readonly io: Io,
    readonly directory: string,
    readonly options: GlobalOptions,
    readonly clock: Clock = systemClock,
  ) {
    this.out = new Output(io, { json: options.json === true, color: options.color !== false });
  }

  /** Loads the configuration, once. */
  load(): Promise<Loaded> {
    this.#loaded ??= loadConfig(this.directory, this.options.config);
    return this.#loaded;
  }

  async fuse(): Promise<Fuse> {
    return (await this.load()).fuse;
  }

  /** Who asks: `--by`, `MAILFUSE_BY`, or the name this machine knows them by. Stands in the ledger. */
  by(named: string | undefined): string {
    return named ?? this.io.env.MAILFUSE_BY ?? userInfo().username;
  }

  /** Lets go of what the configuration opened. */
  async close(): Promise<void> {
    const loaded = await this.#loaded?.catch(() => undefined);
    await loaded?.fuse.close();
  }
}

/** Makes a commander action of a command's work, which is given the arguments and then the options. */
export type Act = (
  work: (context: Context, ...given: never[]) => Promise<ExitCode>,
) => (...given: unknown[]) => Promise<void>;
