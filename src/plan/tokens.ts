/**
 * Confirmation tokens: one person's signed yes, or no, to one plan. A token is a JWS (RFC 7515)
 * signed with EdDSA over Ed25519 (RFC 8037) by the approver's own key; the configuration holds
 * public keys only, so the process that sends can verify and never mint.
 *
 * @module
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
} from "node:crypto";
import type { Approver } from "../config/resolve";
import { type ErrorCode, MailfuseError } from "../errors";
import { isPasskeyToken, verifyPasskeyToken } from "./passkeys";

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

/** What {@link signToken} needs. */
export interface TokenRequest {
  readonly plan: string;
  readonly digest: string;
  /** What `fuse.view` gave this person: the token counts only for what was shown. */
  readonly view: string;
  /** The approver's name in the configuration. */
  readonly by: string;
  /** PKCS #8 PEM of an Ed25519 key, encrypted or not, or a key object. */
  readonly privateKey: string | KeyObject;
  /** Opens an encrypted PEM. */
  readonly passphrase?: string;
  /** The time now, milliseconds. */
  readonly now: number;
  /** How long the token counts, milliseconds; a day at most. @default 30 minutes */
  readonly ttlMs?: number;
  /** `"reject"` signs a no, which ends the plan. @default "confirm" */
  readonly decision?: Decision;
}

/** A yes or a no. */
export type Decision = "confirm" | "reject";

const audience = "mailfuse:confirm";
/** How far clocks of the approver's and the sending machine may lie apart, seconds. */
export const clockSkew = 60;
const defaultTtl = 30 * 60_000;
/** No token counts longer than this after it was signed, whatever it says; seconds. */
const longestLife = 24 * 3_600;
const types: Readonly<Record<Decision, string>> = {
  confirm: "mailfuse-confirmation+jwt",
  reject: "mailfuse-rejection+jwt",
};

/**
 * Makes an approver's key pair: the private key as PKCS #8 PEM, encrypted where a passphrase is
 * given, and the public key for the configuration.
 */
export function generateKeys(options: { readonly passphrase?: string } = {}): {
  readonly privateKey: string;
  readonly publicKey: string;
} {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const { x } = publicKey.export({ format: "jwk" });
  const { passphrase } = options;
  const encryption = passphrase === undefined ? {} : { cipher: "aes-256-cbc", passphrase };
  const pem = privateKey.export({ type: "pkcs8", format: "pem", ...encryption });
  return { privateKey: pem.toString(), publicKey: String(x) };
}

/**
 * Signs a confirmation, or a rejection. For approvers' own tools: it needs nothing of a fuse but what
 * `fuse.view` has shown; a sending process has no private key to call it with.
 *
 * @example
 * ```ts
 * const { plan, view } = await fuse.view(id, { by: "erin" });
 * const token = await signToken({ plan: plan.id, digest: plan.digest, view, by: "erin", privateKey, now: Date.now() });
 * ```
 */
export async function signToken(request: TokenRequest): Promise<string> {
  const { SignJWT } = await import("jose");
  const key = openKey(request);
  const { x } = createPublicKey(key).export({ format: "jwk" });
  const issued = Math.floor(request.now / 1000);
  return new SignJWT({ plan: request.plan, digest: request.digest, view: request.view })
    .setProtectedHeader({ alg: "EdDSA", kid: keyId(String(x)), typ: types[request.decision ?? "confirm"] })
    .setIssuer(request.by)
    .setAudience(audience)
    .setJti(randomUUID())
    .setIssuedAt(issued)
    .setExpirationTime(issued + Math.floor((request.ttlMs ?? defaultTtl) / 1000))
    .sign(key);
}

function openKey({ privateKey, passphrase }: TokenRequest): KeyObject {
  if (typeof privateKey !== "string") return privateKey;
  try {
    return createPrivateKey({ key: privateKey, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (error) {
    throw new MailfuseError(
      {
        code: "TOKEN_INVALID",
        message: "Expected an Ed25519 private key (PKCS #8 PEM) that opens, got one that does not.",
        fix: "Check the file, and the passphrase where it is encrypted.",
      },
      { cause: error },
    );
  }
}

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

function keyId(publicKey: string): string {
  return createHash("sha256").update(publicKey).digest("base64url").slice(0, 16);
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
