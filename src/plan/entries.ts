/**
 * Reads a plan's spool back: opened, in order, in bounded memory, and compared with what was
 * confirmed.
 *
 * @module
 */
import type { Core } from "../core";
import { MailfuseError } from "../errors";
import { MerkleTree } from "./digests";
import type { PlanRecord } from "./record";
import { type Entry, Spool, tampered, unpackEntry } from "./spool";

/** One entry with its place. */
export interface Placed {
  readonly index: number;
  readonly entry: Entry;
}

/** How many entries are read at once. */
const batchSize = 256;

/** The spool of a plan whose key still exists. Throws `PLAN_STATE` when it is destroyed. */
export function openSpool(core: Core, record: PlanRecord): Spool {
  const { id } = record.terms;
  if (!record.key || !record.dictionary) {
    throw new MailfuseError({
      code: "PLAN_STATE",
      message: "Expected a plan whose mails are still kept, got one that is over and whose key is destroyed.",
      fix: "Plan again if mail has still to leave.",
    });
  }
  const key = core.secrets.unwrap(Buffer.from(record.key, "base64"), `plan:${id}`);
  const dictionary = core.secrets.unwrap(Buffer.from(record.dictionary, "base64"), `dictionary:${id}`);
  return new Spool(id, key, dictionary);
}

/**
 * Every entry, in batches. At the end the root is compared with the plan's: whoever has not read
 * to the end has verified nothing. Throws `PLAN_TAMPERED`.
 */
export async function* readEntries(core: Core, record: PlanRecord, spool: Spool): AsyncGenerator<readonly Placed[]> {
  const tree = new MerkleTree();
  for (;;) {
    const sealed = await core.store.entries(record.terms.id, tree.size, batchSize);
    if (sealed.length === 0) break;
    const batch: Placed[] = [];
    for (const { index, sealed: bytes } of sealed) {
      if (index !== tree.size) throw tampered("a spool with a gap");
      const packed = spool.open(index, bytes);
      tree.add(packed);
      batch.push({ index, entry: unpackEntry(packed) });
    }
    yield batch;
  }
  if (tree.size !== record.terms.entries || tree.root() !== record.terms.root) {
    throw tampered("a spool with other entries than were planned");
  }
}
