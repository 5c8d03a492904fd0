/**
 * The way to the exit before the exit is loaded: whatever comes first waits for it, in its order.
 *
 * @module
 */
import type { Call } from "./adapter";
import type { Core, Held } from "./core";
import type { Exit } from "./exit";
import type { Guard } from "./guard";
import { Late } from "./late";
import { prepareStore } from "./stores/memory";

/** The exit of one fuse, loaded once: an unloaded exit lets nothing out. */
export class LateExit extends Late<Exit> {
  /** @param own The user's own guards. */
  constructor(core: Core, own: readonly Guard[]) {
    super(() => makeExit(core, own));
  }

  /** As {@link Exit.pass}. */
  pass<Result>(call: Call<Result>, held: Held): Promise<Result> {
    return this.now?.pass(call, held) ?? this.load().then((exit) => exit.pass(call, held));
  }
}

async function makeExit(core: Core, own: readonly Guard[]): Promise<Exit> {
  const [{ Exit, orderedGuards }] = await Promise.all([import("./sending"), prepareStore(core.store)]);
  const guards = orderedGuards(core.settings, {
    halts: { scopes: core.haltedScopes, refresh: () => core.refreshHalts() },
    rehearsing: core.rehearsing,
    own,
    clock: core.clock,
  });
  return new Exit(core, guards);
}
