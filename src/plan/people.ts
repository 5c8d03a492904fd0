/**
 * Many people in little memory. A pseudonym is kept as its first 128 bits, in the order of coming, and
 * found by way of a small index: what a look-up touches at random fits the processor's cache. Both are
 * split into 256 parts by the first byte, so that growing copies a part at a time; a million people
 * take about 25 MB.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** A key's bytes. */
export const keyBytes = 16;
const keyWords = 4;

const parts = 256;
const leastBits = 4;
/** Room is made ahead for this many people at most; memory that nobody comes to use stays untouched. */
const mostAhead = 2_000_000;

/**
 * A slot of the index holds where its key stands in the part, from 1 on, and 12 bits of the key above that: only a key
 * with the same bits is looked at. 0 is a free slot.
 */
const placeBits = 20;
const placeMask = (1 << placeBits) - 1;

// The key being looked at, as four signed words: numbers of this size are kept without a box, and a fresh array per
// look-up would cost more than the look-up.
let w0 = 0;
let w1 = 0;
let w2 = 0;
let w3 = 0;

const bytes = Buffer.alloc(keyBytes);
const view = new DataView(bytes.buffer, bytes.byteOffset, keyBytes);

/** Reads the first 128 bits of a pseudonym: 22 signs of base64url. */
function readKey(text: string): void {
  // Node decodes it in the time in which 22 signs are looked at one by one.
  const written = bytes.write(text, 0, keyBytes, "base64url");
  if (written < keyBytes) bytes.fill(0, written);
  readWords(view, 0);
}

function readWords(from: DataView, offset: number): void {
  w0 = from.getInt32(offset);
  w1 = from.getInt32(offset + 4);
  w2 = from.getInt32(offset + 8);
  w3 = from.getInt32(offset + 12);
}

/** One 256th of the keys. The slot follows from the key's next bits, so slots are nearly in the keys' order. */
class Part {
  #index: Int32Array;
  #keys: Int32Array;
  /** By place; as long as the highest place that was counted. */
  #counts = new Uint16Array();
  #bits: number;
  size = 0;

  /** @param expected How many there will be, more or less. */
  constructor(expected: number) {
    this.#bits = Math.max(leastBits, Math.ceil(Math.log2(Math.max(1, expected * 1.4))));
    this.#index = new Int32Array(1 << this.#bits);
    this.#keys = new Int32Array(keyWords * Math.max(8, Math.ceil(expected * 1.1)));
  }

  /** Where the key in w0..w3 stands, from 1 on; 0 when it is not here. */
  find(): number {
    const index = this.#index;
    const keys = this.#keys;
    const mask = index.length - 1;
    for (let slot = (w0 << 8) >>> (32 - this.#bits); ; slot = (slot + 1) & mask) {
      const held = index[slot] as number;
      if (held === 0) return 0;
      if ((held ^ w1) >>> placeBits !== 0) continue;
      const place = held & placeMask;
      const at = (place - 1) * keyWords;
      if (keys[at] === w0 && keys[at + 1] === w1 && keys[at + 2] === w2 && keys[at + 3] === w3) return place;
    }
  }

  /** Adds the key, which is not here. */
  add(): void {
    if (this.size === placeMask) throw new RangeError("mailfuse: more people than one plan can hold");
    const at = this.size++ * keyWords;
    if (at === this.#keys.length) this.#keys = larger(this.#keys);
    const keys = this.#keys;
    keys[at] = w0;
    keys[at + 1] = w1;
    keys[at + 2] = w2;
    keys[at + 3] = w3;
    if (this.size * 4 > this.#index.length * 3) this.#grow();
    else this.#enter(this.size, w0, w1);
  }

  /** Counts the person at a place; what it stands at now, 65,535 at most. */
  count(place: number): number {
    if (place > this.#counts.length) {
      const counts = new Uint16Array(this.#keys.length / keyWords);
      counts.set(this.#counts);
      this.#counts = counts;
    }
    const count = Math.min((this.#counts[place - 1] as number) + 1, 0xffff);
    this.#counts[place - 1] = count;
    return count;
  }

  #enter(place: number, first: number, second: number): void {
    const index = this.#index;
    const mask = index.length - 1;
    let slot = (first << 8) >>> (32 - this.#bits);
    while (index[slot] !== 0) slot = (slot + 1) & mask;
    index[slot] = (second & ~placeMask) | place;
  }

  #grow(): void {
    this.#bits++;
    this.#index = new Int32Array(1 << this.#bits);
    const keys = this.#keys;
    for (let place = 1; place <= this.size; place++) {
      const at = (place - 1) * keyWords;
      this.#enter(place, keys[at] as number, keys[at + 1] as number);
    }
  }

  /** The keys as bytes, in order. */
  sorted(): Uint8Array {
    const keys = this.#keys;
    const order = new Uint32Array(this.size);
    let filled = 0;
    for (const held of this.#index) {
      if (held === 0) continue;
      const at = ((held & placeMask) - 1) * keyWords;
      // Nearly in order already, so that inserting is a step or two.
      let place = filled++;
      while (place > 0 && compare(keys, order[place - 1] as number, at) > 0) order[place] = order[--place] as number;
      order[place] = at;
    }
    const sorted = Buffer.allocUnsafe(this.size * keyBytes);
    const into = new DataView(sorted.buffer, sorted.byteOffset, sorted.length);
    for (let place = 0; place < order.length; place++) {
      const at = order[place] as number;
      for (let word = 0; word < keyWords; word++) into.setInt32(place * keyBytes + word * 4, keys[at + word] as number);
    }
    return sorted;
  }
}

/** The same numbers with room for half as many again. */
function larger(keys: Int32Array): Int32Array {
  const grown = new Int32Array(Math.ceil(keys.length / 8) * 12);
  grown.set(keys);
  return grown;
}

function compare(keys: Int32Array, a: number, b: number): number {
  for (let word = 0; word < keyWords; word++) {
    const difference = ((keys[a + word] as number) >>> 0) - ((keys[b + word] as number) >>> 0);
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
    const each = Math.min(expected, mostAhead) / parts;
    this.#parts = Array.from({ length: parts }, () => new Part(each));
  }

  get size(): number {
    return this.#size;
  }

  /** Adds one; whether it is new. */
  add(pseudonym: string): boolean {
    readKey(pseudonym);
    const part = this.#part();
    if (part.find() > 0) return false;
    part.add();
    this.#size++;
    return true;
  }

  /** Counts one, which is added if it is not there. Returns how often it was counted, 65,535 at most. */
  count(pseudonym: string): number {
    this.add(pseudonym);
    const part = this.#part();
    return part.count(part.find());
  }

  /** Whether the 16 bytes at `offset`, as {@link People.chunks} gives them, are here. */
  hasKey(bytes: Uint8Array, offset: number): boolean {
    readWords(new DataView(bytes.buffer, bytes.byteOffset + offset, keyBytes), 0);
    return this.#part().find() > 0;
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
