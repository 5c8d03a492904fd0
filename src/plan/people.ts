/**
 * Many people in little memory. A pseudonym is kept as its first 128 bits in an open-addressing
 * table, split into 256 parts by its first byte: a part fits the processor's cache, and grows by
 * itself, so that a million people take about 36 MB and never twice that for a moment.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** The signs of base64url by their code; 0 for others, which pseudonyms do not have. */
const signs = new Uint8Array(128);
for (const [value, sign] of [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"].entries())
  signs[sign.charCodeAt(0)] = value;

/** A key's bytes. */
export const keyBytes = 16;

const parts = 256;
const leastBits = 4;
/** Room is made ahead for this many people at most; memory that nobody comes to use stays untouched. */
const mostAhead = 2_000_000;

// The key being looked at, as four words: a fresh array per look-up would cost more than the look-up.
let w0 = 0;
let w1 = 0;
let w2 = 0;
let w3 = 0;

/** Reads the first 128 bits of 22 signs of base64url. */
function readKey(text: string): void {
  const at = (index: number): number => signs[text.charCodeAt(index) & 127] as number;
  w0 = ((at(0) << 26) | (at(1) << 20) | (at(2) << 14) | (at(3) << 8) | (at(4) << 2) | (at(5) >> 4)) >>> 0;
  w1 = ((at(5) << 28) | (at(6) << 22) | (at(7) << 16) | (at(8) << 10) | (at(9) << 4) | (at(10) >> 2)) >>> 0;
  w2 = ((at(10) << 30) | (at(11) << 24) | (at(12) << 18) | (at(13) << 12) | (at(14) << 6) | at(15)) >>> 0;
  w3 = ((at(16) << 26) | (at(17) << 20) | (at(18) << 14) | (at(19) << 8) | (at(20) << 2) | (at(21) >> 4)) >>> 0;
  markTaken();
}

/** Two words of zeros mark a free slot; a key that begins so, one in 2^64, begins otherwise here. */
function markTaken(): void {
  if (w0 === 0 && w1 === 0) w1 = 1;
}

/** One 256th of the keys. The slot follows from the key's next bits, so slots are nearly in order. */
class Part {
  #words: Uint32Array;
  #counts: Uint16Array;
  #bits: number;
  size = 0;

  constructor(bits: number) {
    this.#bits = bits;
    this.#words = new Uint32Array(4 << bits);
    this.#counts = new Uint16Array(1 << bits);
  }

  /** The slot of the key in w0..w3, or, as its complement, the free one where it belongs. */
  #slot(): number {
    const words = this.#words;
    const mask = this.#counts.length - 1;
    let slot = (w0 << 8) >>> (32 - this.#bits);
    for (;;) {
      const at = slot * 4;
      const first = words[at];
      if (first === w0 && words[at + 1] === w1 && words[at + 2] === w2 && words[at + 3] === w3) return slot;
      if (first === 0 && words[at + 1] === 0) return ~slot;
      slot = (slot + 1) & mask;
    }
  }

  has(): boolean {
    return this.#slot() >= 0;
  }

  /** Adds the key; whether it is new. */
  add(): boolean {
    const slot = this.#slot();
    if (slot >= 0) return false;
    this.#put(~slot, 0);
    if (++this.size * 4 > this.#counts.length * 3) this.#grow();
    return true;
  }

  /** Counts the key, which is there; what it stands at now, 65,535 at most. */
  count(): number {
    const slot = this.#slot();
    const count = Math.min((this.#counts[slot] as number) + 1, 0xffff);
    this.#counts[slot] = count;
    return count;
  }

  #put(slot: number, count: number): void {
    const words = this.#words;
    const at = slot * 4;
    words[at] = w0;
    words[at + 1] = w1;
    words[at + 2] = w2;
    words[at + 3] = w3;
    this.#counts[slot] = count;
  }

  #grow(): void {
    const words = this.#words;
    const counts = this.#counts;
    this.#words = new Uint32Array(words.length * 2);
    this.#counts = new Uint16Array(counts.length * 2);
    this.#bits++;
    for (let slot = 0; slot < counts.length; slot++) {
      load(words, slot * 4);
      if (w0 !== 0 || w1 !== 0) this.#put(~this.#slot(), counts[slot] as number);
    }
  }

  /** The keys as bytes, in order. */
  sorted(): Uint8Array {
    const words = this.#words;
    const order = new Uint32Array(this.size);
    let filled = 0;
    for (let at = 0; at < words.length; at += 4) {
      if (words[at] === 0 && words[at + 1] === 0) continue;
      // Nearly in order already, so that inserting is a step or two.
      let place = filled++;
      while (place > 0 && compare(words, order[place - 1] as number, at) > 0) order[place] = order[--place] as number;
      order[place] = at;
    }
    const bytes = Buffer.alloc(this.size * keyBytes);
    for (let place = 0; place < order.length; place++) {
      const at = order[place] as number;
      for (let word = 0; word < 4; word++) bytes.writeUInt32BE(words[at + word] as number, place * keyBytes + word * 4);
    }
    return bytes;
  }
}

function load(words: Uint32Array, at: number): void {
  w0 = words[at] as number;
  w1 = words[at + 1] as number;
  w2 = words[at + 2] as number;
  w3 = words[at + 3] as number;
}

function compare(words: Uint32Array, a: number, b: number): number {
  for (let word = 0; word < 4; word++) {
    const difference = (words[a + word] as number) - (words[b + word] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** A set of pseudonyms, each with a small count. */
export class People {
  readonly #parts: readonly Part[];
  #size = 0;

  /** @param expected How many there will be, more or less. */
  constructor(expected = 0) {
    const bits = Math.ceil(Math.log2(Math.max(1, (Math.min(expected, mostAhead) * 1.4) / parts)));
    this.#parts = Array.from({ length: parts }, () => new Part(Math.max(leastBits, bits)));
  }

  get size(): number {
    return this.#size;
  }

  /** Adds one; whether it is new. */
  add(pseudonym: string): boolean {
    readKey(pseudonym);
    const isNew = this.#part().add();
    if (isNew) this.#size++;
    return isNew;
  }

  /** Counts one, which is added if it is not there. Resolves to how often it was counted, 65,535 at most. */
  count(pseudonym: string): number {
    this.add(pseudonym);
    return this.#part().count();
  }

  /** Whether the 16 bytes at `offset`, as {@link People.chunks} gives them, are here. */
  hasKey(bytes: Uint8Array, offset: number): boolean {
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset, keyBytes);
    w0 = view.getUint32(0);
    w1 = view.getUint32(4);
    w2 = view.getUint32(8);
    w3 = view.getUint32(12);
    markTaken();
    return this.#part().has();
  }

  /** All keys in order, 16 bytes each, in 256 pieces. */
  *chunks(): Generator<Uint8Array> {
    for (const part of this.#parts) if (part.size > 0) yield part.sorted();
  }

  /** SHA-256 over the sorted keys: the same people give the same digest in any order. */
  digest(): string {
    const digest = createHash("sha256");
    for (const chunk of this.chunks()) digest.update(chunk);
    return digest.digest("base64url");
  }

  #part(): Part {
    return this.#parts[w0 >>> 24] as Part;
  }
}
