/**
 * Keys derived from the fuse's secret, one per use, so that no key ever serves two ends
 * (HKDF, RFC 5869), and what is done with them: pseudonyms and sealing.
 *
 * @module
 */
import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from "node:crypto";
import { MailfuseError } from "./errors";

/** What the keys of a fuse are used for. */
export interface Secrets {
  /** A keyed one-way name: 22 characters of base64url, 128 bits. */
  pseudonym(person: string): string;
  /** The ways of naming people under each secret, the newest first. */
  readonly namings: readonly { readonly id: string; pseudonym(person: string): string }[];
  /** Pseudonyms under this and every former secret, the newest first, for reading back. */
  pseudonyms(person: string): readonly string[];
  /** Names of the secrets, the newest first, 6 characters: what is kept under one is marked with it. */
  readonly ids: readonly string[];
  /** Keys of 32 bytes for a further use, from every secret, the newest first. */
  keys(use: string): readonly Uint8Array[];
  /** Seals under the newest secret; `use` is bound and must be given again to open. */
  wrap(plain: Uint8Array, use: string): Uint8Array;
  /** Opens what {@link Secrets.wrap} sealed under this or a former secret. Throws `PLAN_TAMPERED`. */
  unwrap(sealed: Uint8Array, use: string): Uint8Array;
}

/** Derives every key from the secrets, the newest first. */
export function createSecrets(secrets: readonly string[]): Secrets {
  const pseudonymKeys = secrets.map((secret) => derive(secret, "pseudonym").toString("base64url"));
  const wrapKeys = secrets.map((secret) => derive(secret, "wrap"));
  const ids = secrets.map((secret) => derive(secret, "id").toString("base64url").slice(0, 6));
  const [newest] = pseudonymKeys as [string];
  // One-shot hashing with the key in front costs a quarter of an HMAC object. The result is cut to
  // half its length, so nobody can extend it; keys are of one length, so no two inputs collide.
  const name = (key: string, person: string) => hash("sha256", key + person, "base64url").slice(0, 22);
  // One mail asks for the same name several times, one guard after the other.
  let lastPerson: string | undefined;
  let lastName = "";
  const pseudonym = (person: string): string => {
    if (lastPerson === person) return lastName;
    lastName = name(newest, person);
    lastPerson = person;
    return lastName;
  };
  return {
    pseudonym,
    pseudonyms: (person) => pseudonymKeys.map((key) => name(key, person)),
    ids,
    namings: ids.map((id, index) => ({
      id,
      pseudonym: index === 0 ? pseudonym : (person) => name(pseudonymKeys[index] as string, person),
    })),
    keys: (use) => secrets.map((secret) => derive(secret, use)),
    wrap: (plain, use) => seal(wrapKeys[0] as Buffer, plain, use),
    unwrap(sealed, use) {
      for (const key of wrapKeys) {
        const plain = open(key, sealed, use);
        if (plain) return plain;
      }
      throw new MailfuseError({
        code: "PLAN_TAMPERED",
        message: "Expected data sealed by this fuse's secret, got data that does not open.",
        fix: "Check that `secret` holds the secret it was sealed with, and that nobody changed the store.",
      });
    },
  };
}

function derive(secret: string, use: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "mailfuse", use, 32));
}

/** AES-256-GCM: 12 bytes of nonce, the ciphertext, 16 bytes of tag. */
export function seal(key: Uint8Array, plain: Uint8Array, use: string): Uint8Array {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from(use));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Opens what {@link seal} sealed; `undefined` when the key, the use or the bytes are not the same. */
export function open(key: Uint8Array, sealed: Uint8Array, use: string): Uint8Array | undefined {
  if (sealed.length < 28) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12));
  decipher.setAAD(Buffer.from(use));
  decipher.setAuthTag(sealed.subarray(sealed.length - 16));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(12, sealed.length - 16)), decipher.final()]);
  } catch {
    return undefined;
  }
}
