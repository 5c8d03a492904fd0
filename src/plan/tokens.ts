/**
 * Verifies confirmation tokens against the approvers of the configuration.
 *
 * @module
 */
import { createPublicKey } from "node:crypto";
import type { Approver } from "../config/resolve";
import { type ErrorCode, MailfuseError } from "../errors";
import { isPasskeyToken, verifyPasskeyToken } from "./passkeys";
import { audience, type Decision, keyId, type TokenClaims, types } from "./token-form";

/** How far clocks of the approver's and the sending machine may lie apart, seconds. */
export const clockSkew = 60;
/** No token counts longer than this after it was signed, whatever it says; seconds. */
const longestLife = 24 * 3_600;

/**
 * Verifies a token against the approvers of the configuration. Throws `TOKEN_INVALID` when it is
 * forged, cut, of another algorithm, of an undeclared key, or signed in the future, `TOKEN_EXPIRED`
 * when its time is over.
 */
export async function verifyToken(
  token: string,
  approvers: ReadonlyMap<string, Approver>,
  now: number,
  decision: Decision = "confirm",
): Promise<TokenClaims> {
  if (typeof token !== "string" || token.length > 4_096) throw invalid("TOKEN_INVALID", "a text that is no token");
  if (isPasskeyToken(token)) return verifyPasskeyToken(token, approvers, { now, skewMs: clockSkew * 1_000 }, decision);
  const { jwtVerify, decodeProtectedHeader, decodeJwt, errors } = await import("jose");
  try {
    const { kid } = decodeProtectedHeader(token);
    // The issuer only chooses whose keys are tried; the signature then has to be by one of them.
    const by = decodeJwt(token).iss ?? "";
    const publicKey = approvers.get(by)?.keys.find((key) => keyId(key) === kid);
    if (!publicKey) throw invalid("TOKEN_INVALID", "one by a key that no declared approver has");
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: publicKey }, format: "jwk" });
    const { payload } = await jwtVerify(token, key, {
      algorithms: ["EdDSA"],
      audience,
      issuer: by,
      typ: types[decision],
      currentDate: new Date(now),
      clockTolerance: clockSkew,
      // Has jose look at the time of signing too: a token from the future is none.
      maxTokenAge: longestLife,
      requiredClaims: ["jti", "iat", "exp", "plan", "digest", "view"],
    });
    return {
      id: String(payload.jti),
      by,
      plan: String(payload.plan),
      digest: String(payload.digest),
      view: String(payload.view),
      expiresAt: Number(payload.exp) * 1000,
    };
  } catch (error) {
    if (MailfuseError.isInstance(error)) throw error;
    if (error instanceof errors.JWTExpired) throw invalid("TOKEN_EXPIRED", "one whose time is over", error);
    throw invalid("TOKEN_INVALID", "one that does not verify", error);
  }
}

function invalid(code: ErrorCode, what: string, cause?: unknown): MailfuseError {
  return new MailfuseError(
    {
      code,
      message: `Expected a confirmation token signed by a declared approver, got ${what}.`,
      fix: "Have the approver confirm again with `npx mailfuse confirm <plan>`.",
    },
    cause === undefined ? {} : { cause },
  );
}
