/**
 * Items of a plan's audience: how they are known again when planning goes on after a crash, and
 * which mails belong to which.
 *
 * @module
 */
import { hash } from "node:crypto";

/** The item that a call was made for. */
export interface ItemOf {
  readonly position: number;
  readonly digest: string;
  readonly order: number | undefined;
}

/** What an item is known by: 48 bits of a hash over its key, or over its data as JSON; `""` when it has neither. */
export function itemDigest(key: unknown, item: unknown): string {
  try {
    const text = key === undefined ? JSON.stringify(item) : `key:${String(key)}`;
    return text === undefined ? "" : hash("sha256", text, "base64url").slice(0, 8);
  } catch {
    return "";
  }
}

const digestBytes = 6;

/** The digests of items by their place in the audience: 6 bytes each, a bit that says it is there, no more. */
export class KnownItems {
  #digests = Buffer.alloc(0);
  #there = Buffer.alloc(0);
  /** One beyond the last place that is known. */
  end = 0;

  set(position: number, digest: string): void {
    if (position >= this.#there.length * 8) this.#grow(position + 1);
    this.#digests.write(digest.padEnd(8, "A"), position * digestBytes, digestBytes, "base64url");
    this.#there[position >> 3] = (this.#there[position >> 3] ?? 0) | (1 << (position & 7));
    this.end = Math.max(this.end, position + 1);
  }

  /** `undefined` when no mail of the item is known. */
  isSame(position: number, digest: string): boolean | undefined {
    if (position >= this.end || ((this.#there[position >> 3] ?? 0) & (1 << (position & 7))) === 0) return undefined;
    const bytes = this.#digests.subarray(position * digestBytes, (position + 1) * digestBytes);
    return digest !== "" && bytes.equals(Buffer.from(digest, "base64url"));
  }

  #grow(least: number): void {
    const places = Math.max(1_024, least, this.#there.length * 16);
    const digests = Buffer.alloc(places * digestBytes);
    const there = Buffer.alloc(Math.ceil(places / 8));
    this.#digests.copy(digests);
    this.#there.copy(there);
    this.#digests = digests;
    this.#there = there;
  }
}
