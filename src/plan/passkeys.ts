/**
 * Confirmations by passkey: a token whose signature is a WebAuthn assertion
 * ({@link https://www.w3.org/TR/webauthn-3/ Web Authentication}). Its challenge is a hash over what the
 * token says, so the approver's authenticator signs the plan's digest as it was shown; the server
 * that asked for it has no key and mints nothing.
 *
 * @module
 */
import { hash } from "node:crypto";
import { canonical } from "../canonical";
import type { Approver, Passkey } from "../config/resolve";
import { MailfuseError } from "../errors";
import type { Decision, TokenClaims } from "./token-form";

/** What an assertion signs, by way of its challenge. */
export interface PasskeyClaims extends TokenClaims {
  readonly decision: Decision;
  /** Milliseconds. */
  readonly issuedAt: number;
}

const prefix = "passkey.";
/** No token counts longer than this after it was signed, whatever it says. */
const longestLife = 24 * 3_600_000;

/** What the authenticator is asked to sign: SHA-256 over the claims in canonical form, base64url. */
export function passkeyChallenge(claims: PasskeyClaims): string {
  const { id, by, plan, digest, view, expiresAt, issuedAt, decision } = claims;
  const said = { use: "mailfuse:confirm:passkey", id, by, plan, digest, view, expiresAt, issuedAt, decision };
  return hash("sha256", canonical(said), "base64url");
}

/** A token of claims and the browser's answer. It counts when {@link verifyPasskeyToken} says so. */
export function passkeyToken(claims: PasskeyClaims, assertion: unknown): string {
  return `${prefix}${Buffer.from(JSON.stringify({ claims, assertion })).toString("base64url")}`;
}

/** Whether a token is one of these, and not a JWS. */
export function isPasskeyToken(token: string): boolean {
  return token.startsWith(prefix);
}

/** Verifies a token against the passkeys in the configuration. Throws `TOKEN_INVALID` and `TOKEN_EXPIRED`. */
export async function verifyPasskeyToken(
  token: string,
  approvers: ReadonlyMap<string, Approver>,
  time: { readonly now: number; readonly skewMs: number },
  decision: Decision,
): Promise<TokenClaims> {
  const { claims, assertion } = read(token);
  const passkey = approvers.get(claims.by)?.passkeys?.find(({ id }) => id === assertion.id);
  if (!passkey) throw invalid("one by a passkey that no declared approver has");
  const { issuedAt, expiresAt } = claims;
  const inTime = issuedAt <= time.now + time.skewMs && expiresAt - issuedAt <= longestLife;
  if (claims.decision !== decision || !inTime) throw invalid("one that does not verify");
  if (!(await verifies(claims, assertion, passkey))) throw invalid("one that does not verify");
  if (time.now > expiresAt + time.skewMs) {
    throw new MailfuseError({ ...refusal("one whose time is over"), code: "TOKEN_EXPIRED" });
  }
  return { id: claims.id, by: claims.by, plan: claims.plan, digest: claims.digest, view: claims.view, expiresAt };
}

async function verifies(
  claims: PasskeyClaims,
  response: Assertion,
  { id, publicKey, origin }: Passkey,
): Promise<boolean> {
  const { verifyAuthenticationResponse } = await library();
  try {
    const { verified } = await verifyAuthenticationResponse({
      response,
      expectedChallenge: passkeyChallenge(claims),
      expectedOrigin: origin,
      expectedRPID: new URL(origin).hostname,
      // Tokens are spent once by their id, so a counter, which passkeys that travel do not keep, adds nothing.
      credential: { id, publicKey: new Uint8Array(Buffer.from(publicKey, "base64url")), counter: 0 },
      requireUserVerification: true,
    });
    return verified;
  } catch {
    return false;
  }
}

/**
 * A new passkey as the configuration takes it, from the browser's answer to a registration. Throws
 * `TOKEN_INVALID` for an answer that does not verify.
 */
export async function readRegistration(response: unknown, expectedChallenge: string, origin: string): Promise<Passkey> {
  const { verifyRegistrationResponse } = await library();
  try {
    const { registrationInfo } = await verifyRegistrationResponse({
      response: response as Parameters<typeof verifyRegistrationResponse>[0]["response"],
      expectedChallenge,
      expectedOrigin: origin,
      expectedRPID: new URL(origin).hostname,
    });
    if (!registrationInfo) throw invalid("a registration that does not verify");
    const { id, publicKey } = registrationInfo.credential;
    return { id, publicKey: Buffer.from(publicKey).toString("base64url"), origin };
  } catch (error) {
    if (MailfuseError.isInstance(error)) throw error;
    throw invalid("a registration that does not verify", error);
  }
}

type Library = typeof import("@simplewebauthn/server");
type Assertion = Parameters<Library["verifyAuthenticationResponse"]>[0]["response"];

/** Loaded with the first passkey: who uses none needs no such package. */
function library(): Promise<Library> {
  return import("@simplewebauthn/server").catch((error: unknown) => {
    throw new MailfuseError(
      {
        code: "TOKEN_INVALID",
        message: "Expected the package @simplewebauthn/server, which verifies passkeys, got none.",
        fix: "Run `npm install @simplewebauthn/server` where plans are confirmed and released, or confirm with a key file.",
      },
      { cause: error },
    );
  });
}

function read(token: string): { readonly claims: PasskeyClaims; readonly assertion: Assertion } {
  try {
    const { claims, assertion } = JSON.parse(Buffer.from(token.slice(prefix.length), "base64url").toString("utf8")) as {
      claims: PasskeyClaims;
      assertion: Assertion;
    };
    const texts = [claims.id, claims.by, claims.plan, claims.digest, claims.view, claims.decision, assertion.id];
    const whole = [claims.issuedAt, claims.expiresAt];
    if (texts.every((text) => typeof text === "string" && text !== "") && whole.every(Number.isSafeInteger)) {
      return { claims, assertion };
    }
  } catch {
    // Told below.
  }
  throw invalid("a text that is no token");
}

function invalid(what: string, cause?: unknown): MailfuseError {
  return new MailfuseError(refusal(what), cause === undefined ? {} : { cause });
}

function refusal(what: string) {
  return {
    code: "TOKEN_INVALID" as const,
    message: `Expected a confirmation signed by a declared approver's passkey, got ${what}.`,
    fix: "Have the approver confirm again, on the page of the plan.",
  };
}
