/**
 * Looks at an exported ledger by itself. What does it is loaded when it is asked.
 *
 * @module
 */
import type { VerifyOptions } from "./ledger";
import type { Verdict } from "./verdict";

/**
 * Looks at an exported ledger by itself: no store, no secret, only the public keys that its heads were signed with.
 *
 * @param options.publicKeys What `fuse.ledger.publicKeys()` gave, base64url of 32 bytes each.
 * @param options.after The number of the line before the first one, for an export of a part.
 * @throws `LEDGER_UNREADABLE` when the file cannot be read.
 * @example
 * ```ts
 * const verdict = await verifyExport("ledger.jsonl", { publicKeys: ["…"] });
 * if (!verdict.ok) console.error(verdict.problems);
 * ```
 */
export async function verifyExport(
  file: string,
  options: {
    readonly publicKeys: readonly string[];
    readonly expectedHead?: NonNullable<VerifyOptions["expectedHead"]>;
    readonly after?: number;
  },
): Promise<Verdict> {
  const { publicKeys: keys, ...rest } = options;
  const [{ publicKeys }, { verifyFile }] = await Promise.all([import("./chain"), import("./verify-file")]);
  return verifyFile(file, { ...rest, trusted: publicKeys(keys) });
}
