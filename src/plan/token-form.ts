/**
 * What a confirmation token is: one person's signed yes, or no, to one plan, as a JWS (RFC 7515)
 * signed with EdDSA over Ed25519 (RFC 8037) by the approver's own key.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** What a token says. */
export interface TokenClaims {
  readonly id: string;
  readonly by: string;
  readonly plan: string;
  /** The plan's digest in its round, as it was shown. */
  readonly digest: string;
  /** The view that showed it. */
  readonly view: string;
  /** Milliseconds; the token counts until then. */
  readonly expiresAt: number;
}

/** A yes or a no. */
export type Decision = "confirm" | "reject";

/** Whom every token is for. */
export const audience = "mailfuse:confirm";

/** The kind of token, by what it decides. */
export const types: Readonly<Record<Decision, string>> = {
  confirm: "mailfuse-confirmation+jwt",
  reject: "mailfuse-rejection+jwt",
};

/** The name of a key in a token. */
export function keyId(publicKey: string): string {
  return createHash("sha256").update(publicKey).digest("base64url").slice(0, 16);
}
