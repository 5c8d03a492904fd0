/**
 * The last release of a purpose, and how another audience differs from its. Of a plan's people only
 * keyed pseudonyms are kept, 16 bytes each, in order, beside its spool; they outlive it, and are
 * dropped when a later release of the same purpose takes their place.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Core } from "../../core";
import { readRecord } from "../keep";
import { keyBytes, type People } from "../people";
import type { PlanRecord, Terms } from "../record";
import type { PlanSummary } from "./types";

/** How many plans are looked through for the last release. */
const looked = 100;
/** How many plans' people are dropped at once, when they are no longer needed. */
const dropped = 20;
/** Bytes kept in one piece. */
const pieceSize = 64 * 1024;

type Last = NonNullable<PlanSummary["last"]>;
interface Found {
  readonly record: PlanRecord;
  readonly state: string;
  readonly at: number;
}

/** The name under which a plan's people are spooled: by the secret that named them, so that no other looks for them. */
function peopleOf(core: Core, id: string, secret = core.secrets.ids[0]): string {
  return `${id}.people.${secret}`;
}

/** Keeps a plan's people for a later comparison. */
export async function keepPeople(core: Core, id: string, people: People): Promise<void> {
  let index = 0;
  let piece: Uint8Array[] = [];
  let size = 0;
  const write = async (): Promise<void> => {
    const sealed = core.secrets.wrap(Buffer.concat(piece), `people:${id}:${index}`);
    await core.store.spool(peopleOf(core, id), [{ index, sealed }]);
    index++;
    piece = [];
    size = 0;
  };
  for (const chunk of people.chunks()) {
    piece.push(chunk);
    size += chunk.length;
    if (size >= pieceSize) await write();
  }
  if (size > 0) await write();
}

/** Compares an audience with the last release's of the same purpose and environment. */
export async function compareWithLast(
  core: Core,
  terms: Pick<Terms, "id" | "purpose" | "environment">,
  people: People,
): Promise<Last | undefined> {
  const found = await earlier(core, terms);
  const place = found.findIndex(({ record }) => record.startedAt !== undefined);
  const last = found[place];
  if (!last) return undefined;
  const { id, people: count } = last.record.terms;
  const common = await countCommon(core, last.record.terms, people);
  const obsolete = found.slice(place + 1, place + 1 + dropped).map(({ record }) => record.terms.id);
  for (const old of obsolete)
    for (const secret of core.secrets.ids) await core.store.dropSpool(peopleOf(core, old, secret));
  return {
    plan: id,
    state: last.state,
    at: last.at,
    people: count,
    ...(common === undefined ? {} : { gained: people.size - common, lost: count - common }),
  };
}

/** Plans of the same purpose and environment, newest first; those that do not read are nobody's. */
async function earlier(core: Core, terms: Pick<Terms, "id" | "purpose" | "environment">): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const row of await core.store.plans(looked)) {
    let record: PlanRecord;
    try {
      record = readRecord(core, row);
    } catch {
      continue;
    }
    const { id, purpose, environment } = record.terms;
    if (id === terms.id || purpose !== terms.purpose || environment !== terms.environment) continue;
    found.push({ record, state: row.state, at: row.createdAt });
  }
  return found;
}

/**
 * How many people both have; `undefined` when the former ones are not kept whole, or were named by
 * another secret: nobody would be the same then.
 */
async function countCommon(core: Core, terms: Terms, people: People): Promise<number | undefined> {
  const digest = createHash("sha256");
  let common = 0;
  for (let index = 0; ; index++) {
    const [piece] = await core.store.entries(peopleOf(core, terms.id), index, 1);
    if (piece?.index !== index) break;
    let keys: Uint8Array;
    try {
      keys = core.secrets.unwrap(piece.sealed, `people:${terms.id}:${index}`);
    } catch {
      return undefined;
    }
    digest.update(keys);
    for (let offset = 0; offset < keys.length; offset += keyBytes) if (people.hasKey(keys, offset)) common++;
  }
  if (digest.digest("base64url") !== terms.audience) return undefined;
  return common;
}
