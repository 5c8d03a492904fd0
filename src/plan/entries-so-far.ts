/**
 * Reads a spool back with the messages of its entries, as a summary needs them.
 *
 * @module
 */
import type { Core } from "../core";
import type { Message } from "../message";
import { type Entry, type Spool, tampered, unpackEntry } from "./spool";
import { messagesOf } from "./summary/samples";

/** An entry, read back. */
export interface EntryRead {
  readonly index: number;
  readonly sealed: Uint8Array;
  readonly packed: Uint8Array;
  readonly entry: Entry;
  readonly provider: string;
  readonly messages: readonly Message[];
  readonly data: unknown;
}

/** How many entries are read at once. */
const batchSize = 256;

/** Every entry there is, in order. Throws `PLAN_TAMPERED` for a spool with a gap. */
export async function* readEntriesSoFar(core: Core, id: string, spool: Spool): AsyncGenerator<EntryRead> {
  for (let next = 0; ; ) {
    const sealed = await core.store.entries(id, next, batchSize);
    if (sealed.length === 0) return;
    for (const { index, sealed: bytes } of sealed) {
      if (index !== next++) throw tampered("a spool with a gap");
      const packed = spool.open(index, bytes);
      yield { index, sealed: bytes, packed, ...readEntry(core, unpackEntry(packed)) };
    }
  }
}

function readEntry(core: Core, entry: Entry): Omit<EntryRead, "index" | "sealed" | "packed"> {
  return {
    entry,
    provider: core.held.get(entry.client)?.provider ?? "",
    messages: messagesOf(core, entry),
    data: entry.data === undefined ? undefined : JSON.parse(entry.data),
  };
}
