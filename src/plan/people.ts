/**
 * Many people in little memory. A pseudonym is kept as its first 128 bits, in the order of coming, and
 * found by way of one index, so that adding somebody touches one place of it at random and no other:
 * waiting for memory is what a look-up costs. A million people take about 25 MB.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** A key's bytes. */
export const keyBytes = 16;
const keyWords = 4;

const leastBits = 4;
/** Room is made ahead in the index for this many people at most; memory that nobody comes to use stays untouched. */
const mostAhead = 2_000_000;
/** Slots beyond those that keys begin at, for what finds the last ones taken. */
const overhang = 64;

/**
 * A slot of the index holds where its key stands, from 1 on, and 6 bits of the key above that: only a key
 * with the same bits is looked at. 0 is a free slot.
 */
const placeBits = 26;
const placeMask = (1 << placeBits) - 1;

/** Keys stand in pieces, so that room for more never means copying those that are there. */
const pieceBits = 14;
const pieceSize = 1 << pieceBits;

/** Keys handed out in one piece, at least: 64 kB. */
const chunkSize = 4_096;

// The key being looked at, as four signed words: numbers of this size are kept without a box, and a fresh array per
// look-up would cost more than the look-up.
let w0 = 0;
let w1 = 0;
let w2 = 0;
let w3 = 0;

/** What each sign of base64url stands for, by its code. */
const values = new Uint8Array(128);
for (const [value, sign] of [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"].entries())
  values[sign.charCodeAt(0)] = value;

function valueAt(text: string, at: number): number {
  return values[text.charCodeAt(at) & 127] as number;
}

/** The 24 bits of four signs. */
function fourAt(text: string, at: number): number {
  return (
    (valueAt(text, at) << 18) | (valueAt(text, at + 1) << 12) | (valueAt(text, at + 2) << 6) | valueAt(text, at + 3)
  );
}

/** Reads the first 128 bits of a pseudonym: 22 signs of base64url. A call of Node's decoder takes twice as long. */
function readKey(text: string): void {
  const second = fourAt(text, 4);
  const third = fourAt(text, 8);
  w0 = (fourAt(text, 0) << 8) | (second >> 16);
  w1 = (second << 16) | (third >> 8);
  w2 = (third << 24) | fourAt(text, 12);
  w3 = (fourAt(text, 16) << 8) | (valueAt(text, 20) << 2) | (valueAt(text, 21) >> 4);
}

/** Whether the key in w0..w3 comes before the one that stands at `offset`. */
function isBefore(view: DataView, offset: number): boolean {
  let difference = (w0 >>> 0) - view.getUint32(offset);
  if (difference === 0) difference = (w1 >>> 0) - view.getUint32(offset + 4);
  if (difference === 0) difference = (w2 >>> 0) - view.getUint32(offset + 8);
  if (difference === 0) difference = (w3 >>> 0) - view.getUint32(offset + 12);
  return difference < 0;
}

/** A set of pseudonyms, each with a small count. */
export class People {
  #bits: number;
  /** Keys begin to look for a slot by their first bits, so slots are nearly in the keys' order. The last is free. */
  #index: Int32Array;
  readonly #pieces: Int32Array[] = [];
  /** By place, as the keys; only the pieces in which somebody was counted. */
  readonly #counts: (Uint16Array | undefined)[] = [];
  #size = 0;

  /** @param expected How many there will be, more or less. */
  constructor(expected = 0) {
    this.#bits = Math.max(leastBits, Math.ceil(Math.log2(Math.max(1, Math.min(expected, mostAhead) * 1.4))));
    this.#index = new Int32Array((1 << this.#bits) + overhang);
  }

  get size(): number {
    return this.#size;
  }

  /** Adds one; whether it is new. */
  add(pseudonym: string): boolean {
    readKey(pseudonym);
    const slot = this.#find();
    if (this.#index[slot] !== 0) return false;
    this.#add(slot);
    return true;
  }

  /** Counts one, which is added if it is not there. Returns how often it was counted, 65,535 at most. */
  count(pseudonym: string): number {
    readKey(pseudonym);
    const slot = this.#find();
    const held = this.#index[slot] as number;
    if (held === 0) this.#add(slot);
    const place = (held === 0 ? this.#size : held & placeMask) - 1;
    this.#counts[place >> pieceBits] ??= new Uint16Array(pieceSize);
    const counts = this.#counts[place >> pieceBits] as Uint16Array;
    const at = place & (pieceSize - 1);
    counts[at] = Math.min((counts[at] as number) + 1, 0xffff);
    return counts[at] as number;
  }

  /** Whether the 16 bytes at `offset`, as {@link People.chunks} gives them, are here. */
  hasKey(bytes: Uint8Array, offset: number): boolean {
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset, keyBytes);
    w0 = view.getInt32(0);
    w1 = view.getInt32(4);
    w2 = view.getInt32(8);
    w3 = view.getInt32(12);
    return this.#index[this.#find()] !== 0;
  }

  /** All keys in order, 16 bytes each, in pieces. */
  *chunks(): Generator<Uint8Array> {
    const index = this.#index;
    for (let start = 0; start < index.length; ) {
      let count = 0;
      let end = start;
      // At a free slot only: no key beyond it comes before one on this side.
      for (; end < index.length && (count < chunkSize || index[end] !== 0); end++) if (index[end] !== 0) count++;
      if (count > 0) yield this.#sorted(start, end, count);
      start = end;
    }
  }

  /** SHA-256 over the sorted keys: the same people give the same digest in any order. */
  digest(): string {
    const digest = createHash("sha256");
    for (const chunk of this.chunks()) digest.update(chunk);
    return digest.digest("base64url");
  }

  /** The slot that holds the key in w0..w3, or the free one where it would stand. */
  #find(): number {
    const index = this.#index;
    for (let slot = w0 >>> (32 - this.#bits); ; slot++) {
      const held = index[slot] as number;
      if (held === 0) return slot;
      if ((held ^ w1) >>> placeBits !== 0) continue;
      const place = (held & placeMask) - 1;
      const keys = this.#pieces[place >> pieceBits] as Int32Array;
      const at = (place & (pieceSize - 1)) * keyWords;
      if (keys[at] === w0 && keys[at + 1] === w1 && keys[at + 2] === w2 && keys[at + 3] === w3) return slot;
    }
  }

  /** Adds the key in w0..w3, which is not here, in a free slot. */
  #add(slot: number): void {
    if (this.#size === placeMask) throw new RangeError("mailfuse: more people than one plan can hold");
    const place = this.#size++;
    if (place >> pieceBits === this.#pieces.length) this.#pieces.push(new Int32Array(pieceSize * keyWords));
    const keys = this.#pieces[place >> pieceBits] as Int32Array;
    const at = (place & (pieceSize - 1)) * keyWords;
    keys[at] = w0;
    keys[at + 1] = w1;
    keys[at + 2] = w2;
    keys[at + 3] = w3;
    this.#take(slot, (w1 & ~placeMask) | (place + 1));
    if (this.#size * 4 > 3 << this.#bits) this.#grow();
  }

  #take(slot: number, held: number): void {
    const index = this.#index;
    index[slot] = held;
    if (slot < index.length - 1) return;
    this.#index = new Int32Array(index.length * 2);
    this.#index.set(index);
  }

  #grow(): void {
    this.#bits++;
    this.#index = new Int32Array((1 << this.#bits) + overhang);
    for (let place = 0; place < this.#size; place++) {
      const keys = this.#pieces[place >> pieceBits] as Int32Array;
      const at = (place & (pieceSize - 1)) * keyWords;
      let slot = (keys[at] as number) >>> (32 - this.#bits);
      while (this.#index[slot] !== 0) slot++;
      this.#take(slot, ((keys[at + 1] as number) & ~placeMask) | (place + 1));
    }
  }

  /** The keys of some slots as bytes, in order. */
  #sorted(start: number, end: number, count: number): Uint8Array {
    const sorted = Buffer.allocUnsafe(count * keyBytes);
    const view = new DataView(sorted.buffer, sorted.byteOffset, sorted.length);
    let filled = 0;
    for (let slot = start; slot < end; slot++) {
      const held = this.#index[slot] as number;
      if (held === 0) continue;
      const place = (held & placeMask) - 1;
      const keys = this.#pieces[place >> pieceBits] as Int32Array;
      const at = (place & (pieceSize - 1)) * keyWords;
      w0 = keys[at] as number;
      w1 = keys[at + 1] as number;
      w2 = keys[at + 2] as number;
      w3 = keys[at + 3] as number;
      // Nearly in order already, so that inserting is a step or two.
      let into = filled;
      while (into > 0 && isBefore(view, into - keyBytes)) into -= keyBytes;
      if (into < filled) sorted.copyWithin(into + keyBytes, into, filled);
      view.setInt32(into, w0);
      view.setInt32(into + 4, w1);
      view.setInt32(into + 8, w2);
      view.setInt32(into + 12, w3);
      filled += keyBytes;
    }
    return sorted;
  }
}
