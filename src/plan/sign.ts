/**
 * Signs confirmation tokens, for approvers' own tools: the configuration holds public keys only, so
 * the process that sends can verify and never mint.
 *
 * @module
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID } from "node:crypto";
import { MailfuseError } from "../errors";
import { audience, type Decision, keyId, types } from "./token-form";

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

const defaultTtl = 30 * 60_000;

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
