/**
 * The hash chain over ledger lines, and the heads and marks that are signed over it.
 *
 * A line's leaf is SHA-256 over `seq LF at LF event`, the event being the very text that was written:
 * nobody encodes it anew, so no two readers can disagree. The chain is SHA-256 over the chain before
 * and the leaf. All of these are base64url, and hashed as such: the engine makes a hash of a text into a text at half the
 * price of bytes. Signatures are Ed25519 (RFC 8032) over canonical JSON (RFC 8785).
 *
 * @module
 */
import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from "node:crypto";
import { canonical } from "../canonical";
import type { LedgerLine } from "../store";

/** What the chain starts from. */
export const genesis: string = hash("sha256", "mailfuse ledger 2", "base64url");

/** How many characters of a leaf the checks of one line take. */
const checkLength = 4;

/** A line's own hash. */
export function leafOf({ seq, at, event }: LedgerLine): string {
  return hash("sha256", `${seq}\n${at}\n${event}`, "base64url");
}

/** The chain after one more leaf. Both are of one length, so no two pairs are the same text. */
export function link(before: string, leaf: string): string {
  return hash("sha256", before + leaf, "base64url");
}

/** The beginning of a leaf: enough to say which line was altered, once a head says that one was. */
export function checkOf(leaf: string): string {
  return leaf.slice(0, checkLength);
}

/** Which of the lines that `checks` were taken over this leaf could be. */
export function checkAt(checks: string, index: number): string {
  return checks.slice(index * checkLength, (index + 1) * checkLength);
}

/** What a head says: the chain from one line to another. */
export interface HeadTerms {
  /** The line before the first one it speaks for, and the chain there. */
  readonly from: number;
  readonly prev: string;
  readonly upto: number;
  readonly hash: string;
  /** How many lines that are. */
  readonly lines: number;
  /** The beginning of every leaf, one behind the other; left out where they are too many. */
  readonly checks?: string;
}

/** What a trim mark says: lines up to one were exported, and may be gone. */
export interface MarkTerms {
  readonly upto: number;
  readonly hash: string;
}

/** A key that signs heads. */
export interface Signer {
  readonly kid: string;
  readonly publicKey: string;
  /** Other keys whose heads hold: of former secrets, and those named in the configuration. */
  readonly trusted: ReadonlyMap<string, KeyObject>;
  sign(text: string): string;
}

/** PKCS #8 for Ed25519 is this, and then the key (RFC 8410). */
const pkcs8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** Makes the signer: a key of one's own, or one derived from the secret. */
export function makeSigner(own: string | undefined, seeds: readonly Uint8Array[], trust: readonly string[]): Signer {
  const derived = seeds.map((seed) =>
    createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: "der", type: "pkcs8" }),
  );
  const key = own === undefined ? (derived[0] as KeyObject) : createPrivateKey(own);
  const publicKey = publicText(key);
  // With a key of one's own, what the secret alone could sign no longer holds.
  const others = own === undefined ? derived.map(publicText) : [];
  return {
    kid: keyId(publicKey),
    publicKey,
    trusted: publicKeys([publicKey, ...others, ...trust]),
    sign: (text) => sign(null, Buffer.from(text), key).toString("base64url"),
  };
}

/** Public keys by key id. */
export function publicKeys(keys: readonly string[]): ReadonlyMap<string, KeyObject> {
  return new Map(
    keys.map((x) => [keyId(x), createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" })]),
  );
}

function publicText(key: KeyObject): string {
  return String(createPublicKey(key).export({ format: "jwk" }).x);
}

function keyId(publicKey: string): string {
  return hash("sha256", publicKey, "base64url").slice(0, 16);
}

/** The event of a head or a mark. */
export function signedEvent(type: "sealed" | "trimmed", terms: HeadTerms | MarkTerms, signer: Signer): string {
  const said = { v: 1, type, ...terms, kid: signer.kid };
  return JSON.stringify({ ...said, signature: signer.sign(canonical(said)) });
}

/** A head or mark whose signature holds; `undefined` when it does not, or the line is neither. */
export type Signed =
  | ({ readonly type: "sealed"; readonly kid: string } & HeadTerms)
  | ({ readonly type: "trimmed"; readonly kid: string } & MarkTerms);

/** Whether a line says that it is a head or mark. */
export function claimsSignature(event: string): boolean {
  return event.startsWith('{"v":1,"type":"sealed"') || event.startsWith('{"v":1,"type":"trimmed"');
}

/** Reads a head or a mark. */
export function readSigned(event: string, trusted: ReadonlyMap<string, KeyObject>): Signed | undefined {
  try {
    const { signature, ...said } = JSON.parse(event) as Signed & { signature: string };
    const key = trusted.get(said.kid);
    if (!key || !verify(null, Buffer.from(canonical(said)), key, Buffer.from(signature, "base64url"))) return undefined;
    // Written by us: what we write has one form, and another text of the same meaning is no line of ours.
    return JSON.stringify({ ...said, signature }) === event ? said : undefined;
  } catch {
    return undefined;
  }
}
