/**
 * Looks at exported ledgers.
 *
 * @module
 */
import { codeOf } from "../core";
import { MailfuseError } from "../errors";
import { readExportedLine, readTextLines } from "./file";
import type { VerifyOptions } from "./ledger";
import type { Verdict } from "./verdict";
import { Verifier, type VerifierOptions } from "./verify";

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
