/**
 * Looks at exported ledgers.
 *
 * @module
 */
import { codeOf } from "../core";
import { MailfuseError } from "../errors";
import { publicKeys } from "./chain";
import { readExportedLine, readTextLines } from "./file";
import type { VerifyOptions } from "./ledger";
import type { Verdict } from "./verdict";
import { Verifier, type VerifierOptions } from "./verify";

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
export function verifyExport(
  file: string,
  options: {
    readonly publicKeys: readonly string[];
    readonly expectedHead?: NonNullable<VerifyOptions["expectedHead"]>;
    readonly after?: number;
  },
): Promise<Verdict> {
  const { publicKeys: keys, ...rest } = options;
  return verifyFile(file, { ...rest, trusted: publicKeys(keys) });
}

/** Looks at a file, line by line. */
export async function verifyFile(
  file: string,
  options: VerifierOptions & Pick<VerifyOptions, "onProgress">,
): Promise<Verdict> {
  const verifier = new Verifier(options);
  let number = 0;
  try {
    for await (const { text, whole } of readTextLines(file)) {
      number++;
      const line = readExportedLine(text);
      const place = `Expected line ${number} of the file to be a ledger line`;
      if (line && whole) verifier.add(line);
      else if (whole) verifier.unreadable(`${place}, got something else.`);
      else verifier.cut(`${place} with its end, got ${text.length} characters without it.`);
      if (number % 1_000 === 0) options.onProgress?.(verifier.lines);
    }
  } catch (error) {
    if (MailfuseError.isInstance(error)) throw error;
    throw new MailfuseError(
      {
        code: "LEDGER_UNREADABLE",
        message: `Expected an exported ledger, got ${codeOf(error)} while reading it.`,
        fix: "Look at the file's name and permissions.",
      },
      { cause: error },
    );
  }
  return verifier.finish();
}
