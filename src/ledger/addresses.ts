/**
 * Who exactly was reached, kept so that a mistake can be put right, and so that it can be destroyed.
 * Every address is sealed by itself under the key of its day; the day's key is wrapped by the fuse's
 * secret and kept in the store. Destroying the key destroys the day, dropping one row destroys one
 * person; the ledger, which holds pseudonyms, stays as it is.
 *
 * @module
 */
import { createCipheriv, randomBytes } from "node:crypto";
import type { Clock } from "../clock";
import { MailfuseError } from "../errors";
import { open, type Secrets, seal } from "../secrets";
import type { Judged } from "../send";
import type { SealedAddresses, Store } from "../store";

/** What the book works with. */
export interface AddressBookParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly secrets: Secrets;
}

/** How many people are remembered as written today, and how long: what is forgotten is only written again. */
const remembered = 20_000;
const rememberedMs = 10 * 60_000;
const dayMs = 86_400_000;

/** The name under which the store keeps a bucket's key. */
const keyName = (bucket: string) => `address-key:${bucket}`;
/** What a day's key is bound to, and what a sealed address is. */
const keyUse = (bucket: string) => `mailfuse:address-key:${bucket}`;
const addressUse = (bucket: string, person: string) => `${bucket}:${person}`;

/** Seals, finds and destroys addresses. */
export class AddressBook {
  #bucket = "";
  /** When the bucket's day begins. */
  #day = Number.NaN;
  #key: Uint8Array | undefined;
  /** How far the store's clock is ahead of ours: the ledger's lines have its time, and are looked up by day. */
  #ahead = 0;
  #written = new Set<string>();
  #writtenSince = 0;

  constructor(readonly parts: AddressBookParts) {}

  /**
   * The people of a send whose address is not kept yet, sealed: for its reservation. Waits for the store once a day.
   */
  of(send: Judged): SealedAddresses | undefined | Promise<SealedAddresses | undefined> {
    const now = this.parts.clock.now();
    const time = now + this.#ahead;
    if (time >= this.#day && time < this.#day + dayMs) return this.#sealed(send, now);
    return this.#turn().then(() => this.#sealed(send, now));
  }

  /** Takes down that a reservation with these addresses was made. */
  kept({ bucket, sealed }: SealedAddresses): void {
    if (bucket !== this.#bucket) return;
    if (this.#written.size + sealed.length > remembered) this.#written.clear();
    for (const [person] of sealed) this.#written.add(person);
  }

  /** Forgets what was written: a person whose address was destroyed may be mailed, and kept, again. */
  forgetWritten(): void {
    this.#written.clear();
  }

  /** A new day has a new key. The first process sets it; the others take that one. */
  async #turn(): Promise<void> {
    const { store, clock, secrets } = this.parts;
    const time = await store.now();
    this.#ahead = time - clock.now();
    const bucket = bucketOf(time, secrets.ids[0] as string);
    if (bucket === this.#bucket) return;
    const [wrapKey] = secrets.keys("address-keys") as [Uint8Array];
    const own = Buffer.from(seal(wrapKey, randomBytes(32), keyUse(bucket))).toString("base64");
    const kept = await store.setOnce(keyName(bucket), own);
    const key = open(wrapKey, Buffer.from(kept, "base64"), keyUse(bucket));
    if (!key) throw unreadableKey(bucket);
    this.#bucket = bucket;
    this.#day = dayBegins(bucket);
    this.#key = key;
    this.#written.clear();
  }

  #sealed(send: Judged, now: number): SealedAddresses | undefined {
    if (now - this.#writtenSince > rememberedMs || now < this.#writtenSince) {
      this.#written.clear();
      this.#writtenSince = now;
    }
    const bucket = this.#bucket;
    const key = this.#key as Uint8Array;
    let sealed: Map<string, string> | undefined;
    for (const { recipients } of send.messages) {
      for (const recipient of recipients) {
        const person = send.pseudonym(recipient.person);
        if (this.#written.has(person) || sealed?.has(person)) continue;
        sealed ??= new Map();
        sealed.set(person, sealAddress(key, recipient.address, addressUse(bucket, person)));
      }
    }
    return sealed && { bucket, sealed: [...sealed] };
  }
}

/** A day's addresses under one secret: processes with another one, while rotating, have a bucket of their own. */
function bucketOf(time: number, secret: string): string {
  return `${dayOf(time)}.${secret}`;
}

/** The UTC day of a time, for example `2026-11-22`. */
export function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** The day of a bucket, as the time it begins; `NaN` for a name that is no bucket of ours. */
function dayBegins(bucket: string): number {
  return Date.parse(`${bucket.slice(0, 10)}T00:00:00Z`);
}

/** Random bytes for nonces, drawn in bulk, and how many of them are used. */
let nonces = randomBytes(0);
let used = 0;

/** As `seal` does, with nonces drawn in bulk: one person more may cost a send a few microseconds. */
function sealAddress(key: Uint8Array, address: string, use: string): string {
  if (used + 12 > nonces.length) {
    nonces = randomBytes(12 * 256);
    used = 0;
  }
  const nonce = nonces.subarray(used, used + 12);
  used += 12;
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from(use, "latin1"));
  const text = cipher.update(address, "utf8");
  cipher.final();
  return Buffer.concat([nonce, text, cipher.getAuthTag()]).toString("base64");
}

/**
 * Finds the addresses of people mailed between two times. `undefined`: destroyed, or never kept. `null`: sealed under a
 * secret that is not configured here.
 */
export async function findAddresses(
  { store, secrets }: Pick<AddressBookParts, "store" | "secrets">,
  people: readonly string[],
  from: number,
  to: number,
): Promise<readonly (string | undefined | null)[]> {
  const found: (string | undefined | null)[] = people.map(() => undefined);
  const wrapKeys = secrets.keys("address-keys");
  for (const bucket of await store.addressBuckets()) {
    const begins = dayBegins(bucket);
    // The day is told by the sending process, whose idea of the store's time may be a little off.
    if (begins + 2 * dayMs < from || begins - dayMs > to) continue;
    const key = await bucketKey(store, wrapKeys, bucket);
    for (let start = 0; start < people.length; start += batchSize) {
      const batch = people.slice(start, start + batchSize);
      const sealed = await store.addresses(bucket, batch);
      sealed.forEach((text, index) => {
        const person = batch[index] as string;
        if (text === undefined || typeof found[start + index] === "string" || key === undefined) return;
        const plain = key && open(key, Buffer.from(text, "base64"), addressUse(bucket, person));
        found[start + index] = plain ? Buffer.from(plain).toString("utf8") : null;
      });
    }
  }
  return found;
}

/** People asked about at once. */
const batchSize = 1_000;

/** A bucket's key; `undefined` when it was destroyed, `null` when no configured secret opens it. */
async function bucketKey(
  store: Store,
  wrapKeys: readonly Uint8Array[],
  bucket: string,
): Promise<Uint8Array | undefined | null> {
  const wrapped = await store.value(keyName(bucket));
  if (wrapped === undefined) return undefined;
  for (const wrapKey of wrapKeys) {
    const key = open(wrapKey, Buffer.from(wrapped, "base64"), keyUse(bucket));
    if (key) return key;
  }
  return null;
}

/** Destroys the buckets of days that ended `keepMs` before `now`. The key goes first: without it the rest is noise. */
export async function destroyOld(
  store: Store,
  now: number,
  keepMs: number,
): Promise<{ readonly days: readonly string[]; readonly addresses: number }> {
  const days = new Set<string>();
  let addresses = 0;
  for (const bucket of await store.addressBuckets()) {
    const begins = dayBegins(bucket);
    if (Number.isNaN(begins) || begins + dayMs + keepMs > now) continue;
    await store.forget(keyName(bucket));
    addresses += await store.forgetAddresses({ bucket });
    days.add(bucket.slice(0, 10));
  }
  return { days: [...days], addresses };
}

function unreadableKey(bucket: string): MailfuseError {
  return new MailfuseError({
    code: "SECRET_WRONG",
    message: `Expected the address key of ${bucket.slice(0, 10)} to be wrapped by the configured secret, got one that does not open.`,
    fix: "Find out who changed the store; `secret` has to be the same in all processes, with the former ones behind it while rotating.",
  });
}
