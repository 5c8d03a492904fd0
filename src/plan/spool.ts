/**
 * Entries of a plan as bytes: packed, compressed against the plan's first entry, and sealed under
 * the plan's own key, which dies with the plan.
 *
 * @module
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { type ErrorCode, MailfuseError, type Refusal } from "../errors";

/** One provider call of a plan, as it was judged and as it will be delivered. */
export interface Entry {
  /** The attached client that delivers it. */
  readonly client: string;
  /** Pseudonyms of the people it reaches. */
  readonly people: readonly string[];
  /** What the job said of it, as JSON; handed to `onDelivered` and to claims. */
  readonly data: string | undefined;
  /** What proves its claims. */
  readonly evidence: readonly string[];
  /** The adapter's copy of the request. */
  readonly bytes: Uint8Array;
  /** What the source's `orderBy` said of its item. */
  readonly order?: number;
  /**
   * The item it was rendered for: its place in the audience, as distance from the entry's index, and
   * a digest it is known by; `more` when the next entry is of the same item.
   */
  readonly item?: { readonly distance: number; readonly digest: string; readonly more?: boolean };
  /** How many claims it makes. */
  readonly claims?: number;
  /** Why it may not be released, and what guards warned of. */
  readonly refusals?: readonly Refusal[];
  readonly warned?: readonly ErrorCode[];
}

/** What is rarely there, under short names: it stands in every entry of a million. */
interface Rest {
  readonly o?: number;
  readonly i?: readonly [distance: number, digest: string, more?: 1];
  readonly c?: number;
  readonly r?: readonly Refusal[];
  readonly w?: readonly ErrorCode[];
}

type Head = [string, readonly string[], string | null, readonly string[], Rest?];

/** An entry's bytes before compression: also what the plan's root is taken over. */
export function packEntry(entry: Entry): Uint8Array {
  const { order, item, claims = 0, refusals = [], warned = [] } = entry;
  const rest: Rest = {
    ...(order === undefined ? {} : { o: order }),
    ...(item === undefined ? {} : { i: item.more ? [item.distance, item.digest, 1] : [item.distance, item.digest] }),
    ...(claims === 0 ? {} : { c: claims }),
    ...(refusals.length === 0 ? {} : { r: refusals }),
    ...(warned.length === 0 ? {} : { w: warned }),
  };
  const head: Head = [entry.client, entry.people, entry.data ?? null, entry.evidence];
  if (Object.keys(rest).length > 0) head.push(rest);
  const text = Buffer.from(JSON.stringify(head), "utf8");
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, text, entry.bytes]);
}

/** Reads what {@link packEntry} wrote. Throws `PLAN_TAMPERED` for what it did not. */
export function unpackEntry(packed: Uint8Array): Entry {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  try {
    const end = 4 + bytes.readUInt32BE(0);
    const head = JSON.parse(bytes.toString("utf8", 4, end)) as Head;
    const [client, people, data, evidence, { o, i, c, r, w } = {}] = head;
    return {
      client,
      people,
      data: data ?? undefined,
      evidence,
      bytes: bytes.subarray(end),
      ...(o === undefined ? {} : { order: o }),
      ...(i === undefined ? {} : { item: { distance: i[0], digest: i[1], ...(i[2] ? { more: true } : {}) } }),
      ...(c === undefined ? {} : { claims: c }),
      ...(r === undefined ? {} : { refusals: r }),
      ...(w === undefined ? {} : { warned: w }),
    };
  } catch {
    throw tampered("an entry that does not read");
  }
}

// zlib looks back 32 kB, so a longer dictionary would not be used.
const dictionarySize = 32 * 1024;
/** The largest entry that is unpacked; a sealed one cannot be larger, so this guards memory only. */
const largestEntry = 256 * 1024 * 1024;

/** AES-256-GCM: what of a nonce is drawn for each run, and the tag's length. */
const drawn = 6;
const tagLength = 16;

/**
 * Seals and opens the entries of one plan. A nonce is the run's own draw and the entry's index, so
 * that no two entries under one key share one, also when a run goes on where another died; only the
 * draw is kept with the entry.
 */
export class Spool {
  readonly #draw = randomBytes(drawn);

  constructor(
    readonly plan: string,
    readonly key: Uint8Array,
    readonly dictionary: Uint8Array,
  ) {}

  /** The dictionary for a plan whose first entry this is. */
  static dictionaryOf(first: Uint8Array): Uint8Array {
    return first.subarray(0, dictionarySize);
  }

  seal(index: number, packed: Uint8Array): Uint8Array {
    const small = deflateRawSync(packed, {
      ...compression(this.dictionary.length + packed.length),
      dictionary: this.dictionary,
    });
    const cipher = createCipheriv("aes-256-gcm", this.key, nonce(this.#draw, index));
    cipher.setAAD(this.#bound(index));
    return Buffer.concat([this.#draw, cipher.update(small), cipher.final(), cipher.getAuthTag()]);
  }

  /** Throws `PLAN_TAMPERED` for an entry of another plan, place or key. */
  open(index: number, sealed: Uint8Array): Uint8Array {
    if (sealed.length < drawn + tagLength) throw tampered("an entry that is cut off");
    const end = sealed.length - tagLength;
    const decipher = createDecipheriv("aes-256-gcm", this.key, nonce(sealed.subarray(0, drawn), index));
    decipher.setAAD(this.#bound(index));
    decipher.setAuthTag(sealed.subarray(end));
    try {
      const small = Buffer.concat([decipher.update(sealed.subarray(drawn, end)), decipher.final()]);
      return inflateRawSync(small, { dictionary: this.dictionary, maxOutputLength: largestEntry });
    } catch {
      throw tampered("an entry that does not open under the plan's key");
    }
  }

  #bound(index: number): Buffer {
    return Buffer.from(`${this.plan}:${index}`);
  }
}

function nonce(draw: Uint8Array, index: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.set(draw);
  bytes.writeUIntBE(index, drawn, 6);
  return bytes;
}

/**
 * The window is no larger than what there is to look at: setting up the largest costs more than a small mail.
 * In a small one the greatest effort that takes the first match it finds saves a tenth of the bytes over the least
 * for no more time, and the default half as much again for a twentieth more; in a large one any but the least
 * takes too long. A small mail leaves some 200 bytes: Node's own chunk would be 16 kB of garbage for each.
 */
function compression(size: number): { level: number; windowBits: number; memLevel: number; chunkSize?: number } {
  const windowBits = Math.min(15, Math.max(9, Math.ceil(Math.log2(size + 300))));
  return windowBits > 14
    ? { level: 1, windowBits, memLevel: 8 }
    : { level: 3, windowBits, memLevel: 6, chunkSize: 1_024 };
}

/** The error for a plan whose stored form is not what was planned. */
export function tampered(what: string): MailfuseError {
  return new MailfuseError({
    code: "PLAN_TAMPERED",
    message: `Expected the plan as it was planned, got ${what}; nothing was sent.`,
    fix: "Plan again, and find out who can write to the store.",
  });
}
