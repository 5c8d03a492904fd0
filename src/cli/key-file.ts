/**
 * An approver's private key on the disk: PKCS #8 sealed by a passphrase with scrypt (RFC 7914) and
 * AES-256-GCM, in a file that only its owner reads.
 *
 * @module
 */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import { chmod, mkdir, open, readFile, rename, stat } from "node:fs/promises";
import path from "node:path";
import process from "node:process";
import { UsageError } from "./exit";

/** What stands in a key file. */
interface KeyFile {
  readonly mailfuse: "approver-key";
  readonly v: 1;
  /** The approver's name in the configuration. */
  readonly name: string;
  readonly publicKey: string;
  readonly kdf: {
    readonly name: "scrypt";
    readonly n: number;
    readonly r: number;
    readonly p: number;
    readonly salt: string;
  };
  /** 12 bytes of nonce, the ciphertext, 16 bytes of tag; base64url. */
  readonly sealed: string;
}

/** An approver's key, as it is used. */
export interface ApproverKey {
  readonly name: string;
  readonly publicKey: string;
  /** PKCS #8 PEM. */
  readonly privateKey: string;
}

/** Half a second on a laptop: OWASP's cost for scrypt (2^17, 8, 1), which needs 128 MB. */
const cost = { n: 2 ** 17, r: 8, p: 1 } as const;
/** A file may not ask for more than this: it would stop the machine instead of opening. */
const mostCost = 2 ** 20;
/** The fewest characters of a passphrase. */
export const shortestPassphrase = 12;

/** Seals a key and writes it, in a file that was not there before. */
export async function writeKeyFile(file: string, key: ApproverKey, passphrase: string): Promise<void> {
  const salt = randomBytes(16);
  const sealingKey = await derive(passphrase, salt, cost);
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", sealingKey, nonce);
  cipher.setAAD(bound(key));
  const sealed = Buffer.concat([nonce, cipher.update(key.privateKey, "utf8"), cipher.final(), cipher.getAuthTag()]);
  const content: KeyFile = {
    mailfuse: "approver-key",
    v: 1,
    name: key.name,
    publicKey: key.publicKey,
    kdf: { name: "scrypt", ...cost, salt: salt.toString("base64url") },
    sealed: sealed.toString("base64url"),
  };
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  // "wx": an approver's only key is never overwritten.
  const handle = await open(file, "wx", 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
    throw new UsageError(
      "Expected no key file under that name, got one.",
      "Rotate it with `npx mailfuse keys rotate`, or name another with --key.",
    );
  });
  try {
    await handle.writeFile(`${JSON.stringify(content, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await chmod(file, 0o600);
}

/** Puts `file.new` in the place of `file`; resolves to where the old one lies now. */
export async function replaceKeyFile(file: string, suffix: string): Promise<string> {
  const retired = `${file}.${suffix}`;
  await rename(file, retired);
  await rename(`${file}.new`, file);
  return retired;
}

/** What a key file says without its passphrase. Refuses a file that others can read. */
export async function readKeyFile(file: string): Promise<{
  readonly name: string;
  readonly publicKey: string;
  readonly unlock: (passphrase: string) => Promise<ApproverKey>;
}> {
  const content = parse(await readFile(file, "utf8").catch(missing));
  const { mode } = await stat(file);
  // Windows has no such bits; there the folder's access list decides.
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    throw new UsageError(
      `Expected a key file that only its owner reads (mode 600), got mode ${(mode & 0o777).toString(8)}.`,
      "Run `chmod 600` on it; if others may have read it, `npx mailfuse keys rotate`.",
    );
  }
  const { name, publicKey } = content;
  return {
    name,
    publicKey,
    unlock: async (passphrase) => ({ name, publicKey, privateKey: await unseal(content, passphrase) }),
  };
}

async function unseal(content: KeyFile, passphrase: string): Promise<string> {
  const sealed = Buffer.from(content.sealed, "base64url");
  const key = await derive(passphrase, Buffer.from(content.kdf.salt, "base64url"), content.kdf);
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12));
  decipher.setAAD(bound(content));
  decipher.setAuthTag(sealed.subarray(sealed.length - 16));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]).toString("utf8");
  } catch {
    throw new UsageError("Expected the passphrase of this key file, got another one, or a file that was changed.");
  }
}

// The name and the public key are not secret, but they belong to this key and no other.
function bound({ name, publicKey }: { readonly name: string; readonly publicKey: string }): Buffer {
  return Buffer.from(JSON.stringify(["mailfuse:approver-key", name, publicKey]));
}

function derive(passphrase: string, salt: Buffer, { n, r, p }: { n: number; r: number; p: number }): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize("NFKC"), salt, 32, { N: n, r, p, maxmem: 256 * n * r }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

function parse(text: string): KeyFile {
  try {
    const content = JSON.parse(text) as KeyFile;
    const { n, r, p } = content.kdf;
    const reads =
      content.mailfuse === "approver-key" &&
      content.v === 1 &&
      content.kdf.name === "scrypt" &&
      [content.name, content.publicKey, content.sealed, content.kdf.salt].every((field) => typeof field === "string") &&
      [n, r, p].every((field) => Number.isInteger(field) && field > 0) &&
      n * r * p <= mostCost * 8;
    if (reads) return content;
  } catch {
    // Told below, like any other content.
  }
  throw new UsageError("Expected a key file of `mailfuse keys new`, got another file.");
}

function missing(error: NodeJS.ErrnoException): never {
  throw new UsageError(
    `Expected an approver's key file, got ${error.code ?? "none"}.`,
    "Make one with `npx mailfuse keys new <name>`, or name yours with --key.",
  );
}
