/**
 * Seals the ledger: chains the lines since the last head and signs the chain as further lines. The
 * chain is a function of the lines alone, so it does not matter which process seals, nor whether two
 * do at once: their heads agree.
 *
 * @module
 */
import type { LedgerLine, Store } from "../store";
import {
  checkOf,
  genesis,
  type HeadTerms,
  leafOf,
  link,
  readSigned,
  type Signed,
  type Signer,
  signedEvent,
} from "./chain";
import { lastNumber, readLines } from "./lines";
import { reach } from "./recent";
import type { Head } from "./verdict";

/** Lines of one head, so that its checks stay a line of reasonable length. */
const segmentLines = 4_096;
/** Heads written at once at most: the first of them must not stand out of a verifier's reach. */
const segmentsKept = 12;

/** What sealing works with. */
export interface Sealer {
  readonly store: Pick<Store, "read" | "append">;
  readonly signer: Signer;
}

/** Lines that one head will speak for. */
interface Segment {
  readonly from: number;
  readonly prev: string;
  upto: number;
  hash: string;
  lines: number;
  /** `undefined` where segments were put together: who reads such a head knows only between which lines. */
  checks: string[] | undefined;
  /** Whether any line is no head: heads need no head of their own, or there would be no end to them. */
  worth: boolean;
}

/** Seals what is not sealed yet. `known` is the newest head there is known to be. Resolves to the newest head. */
export async function sealLines({ store, signer }: Sealer, known: Head | undefined): Promise<Head | undefined> {
  const last = known ?? (await findHead(store, signer));
  const segments = await readSegments(store, last);
  if (!segments.some(({ worth }) => worth)) return last;
  const events = segments.map((segment) => signedEvent("sealed", termsOf(segment), signer));
  const numbers = await store.append(events);
  const newest = segments.at(-1) as Segment;
  const seq = numbers.at(-1) as number;
  const [line] = await store.read(seq - 1, 1);
  const { upto, hash } = termsOf(newest);
  return { seq, upto, hash, kid: signer.kid, at: line?.at ?? 0 };
}

async function readSegments(store: Pick<Store, "read">, last: Head | undefined): Promise<readonly Segment[]> {
  const segments: Segment[] = [];
  for await (const batch of readLines(store, last?.upto ?? 0)) {
    for (const line of batch) {
      let segment = segments.at(-1);
      if (!segment || segment.lines >= segmentLines) {
        segment = begin(segment ?? last, line);
        segments.push(segment);
        if (segments.length > segmentsKept) segments.splice(0, 2, together(segments));
      }
      extend(segment, line);
    }
  }
  return segments;
}

/** A ledger that was never sealed may have lost its beginning: it is sealed from where it starts. */
function begin(before: { readonly upto: number; readonly hash: string } | undefined, line: LedgerLine): Segment {
  const { upto, hash } = before ?? { upto: line.seq - 1, hash: genesis };
  return { from: upto, prev: hash, upto, hash, lines: 0, checks: [], worth: false };
}

function extend(segment: Segment, line: LedgerLine): void {
  const leaf = leafOf(line);
  segment.hash = link(segment.hash, leaf);
  segment.upto = line.seq;
  segment.lines++;
  segment.checks?.push(checkOf(leaf));
  segment.worth ||= !line.event.startsWith('{"v":1,"type":"sealed"');
}

function together([first, second]: readonly Segment[]): Segment {
  const { from, prev, lines } = first as Segment;
  const { upto, hash, lines: more } = second as Segment;
  return { from, prev, upto, hash, lines: lines + more, checks: undefined, worth: true };
}

function termsOf({ from, prev, upto, hash, lines, checks }: Segment): HeadTerms {
  return {
    from,
    prev,
    upto,
    hash,
    lines,
    ...(checks ? { checks: checks.join("") } : {}),
  };
}

/** The newest head in the store that holds. */
async function findHead(store: Pick<Store, "read">, signer: Signer): Promise<Head | undefined> {
  let high = await lastNumber(store);
  let size = 1_000;
  while (high > 0) {
    const low = Math.max(0, high - size);
    let found: Head | undefined;
    for await (const batch of readLines(store, low, high)) {
      for (const { seq, at, event } of batch) {
        const head = readHead(event, signer);
        if (head && head.upto >= (found?.upto ?? 0))
          found = { seq, at, upto: head.upto, hash: head.hash, kid: head.kid };
      }
    }
    // A head so far behind its lines cannot be compared by whoever reads the ledger: go on from one before it.
    if (found && found.seq - found.upto < reach) return found;
    high = low;
    size *= 2;
  }
  return undefined;
}

function readHead(event: string, { trusted }: Signer): Extract<Signed, { type: "sealed" }> | undefined {
  if (!event.startsWith('{"v":1,"type":"sealed"')) return undefined;
  const signed = readSigned(event, trusted);
  return signed?.type === "sealed" ? signed : undefined;
}
