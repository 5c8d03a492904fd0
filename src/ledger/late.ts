/**
 * The ledger before its parts are loaded: most processes of an application write it and never read it.
 *
 * @module
 */
import type { Core } from "../core";
import type { Ledger } from "./ledger";

/** The ledger of a fuse; each question loads what answers it. */
export function lateLedger(core: Core): Ledger {
  const ledger = async (): Promise<Ledger> => (await import("./open")).openLedger(core);
  return {
    publicKeys: async () => (await ledger()).publicKeys(),
    verify: async (options) => (await ledger()).verify(options),
    seal: async () => (await ledger()).seal(),
    async *tail(options) {
      yield* (await ledger()).tail(options);
    },
    export: async (options) => (await ledger()).export(options),
    retain: async () => (await ledger()).retain(),
    forget: async (who) => (await ledger()).forget(who),
  };
}
