/**
 * What a scenario is: a data set, a buggy program and its fixed twin, and an intention that
 * neither can read.
 */
import type { Intended } from "./score";
import type { World } from "./world";

/** A mail as the application's own code hands it to its mailer. */
export interface Mail {
  readonly to: string | readonly string[];
  readonly subject: string;
  readonly text: string;
  /** The provider's tag, from which the purpose is recognised. */
  readonly tag?: string;
}

/** A mass send as the application writes it: who is mailed, and what each gets. */
export interface MassSend<Item> {
  readonly purpose: string;
  /** How many people whoever asked for it has in mind. */
  readonly expectedPeople: number;
  /** Looks the audience up. Called when it is shown, and by a bare program again when it is sent. */
  readonly audience: () => Iterable<Item>;
  readonly send: (item: Item) => Promise<unknown>;
  /** What an item's mail rests on, from the program's own rows. */
  readonly data?: (item: Item) => unknown;
  /** People look at a refused plan and leave out its failed entries. */
  readonly reviewed?: boolean;
}

/** What the one added line says of the mails it wraps. */
export interface Context {
  readonly purpose?: string;
  readonly data?: unknown;
  readonly createdAt?: number;
}

/** What a program works with. */
export interface App {
  readonly world: World;
  /** Sends one mail through the provider's real client. */
  post(mail: Mail): Promise<unknown>;
  /** The same, from each of the replicas the application runs on. */
  readonly replicas: readonly ((mail: Mail) => Promise<unknown>)[];
  /** The one line that says why, from what, and since when; bare, it only runs `work`. */
  run<Result>(context: Context, work: () => Promise<Result>): Promise<Result>;
  /**
   * Prepares a mass send and returns what starts it. Bare, both steps query anew, as such programs
   * do; guarded, this is the one line that makes a plan, has it approved and releases it.
   */
  mass<Item>(send: MassSend<Item>): Promise<() => Promise<void>>;
}

export interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly environment: "production" | "staging";
  readonly intended: (world: World) => Intended;
  /** What the fixed program means to do, where that differs from the buggy one's intention. */
  readonly intendedFixed?: (world: World) => Intended;
  /** Missing for controls, where nothing is wrong. */
  readonly buggy?: (app: App) => Promise<unknown>;
  readonly fixed: (app: App) => Promise<unknown>;
}
