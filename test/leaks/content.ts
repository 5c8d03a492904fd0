/** The subjects and bodies that a test file mails, as far as they are worth looking for. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** `subject: "…"` and the like, in tests and in what they import from the folder of tests. */
const literals = /\b(?:subject|text|html|body)\b\??[:=]\s*(?:"((?:[^"\\\n]|\\.)*)"|`([^`]*)`)/g;
const imports = /from "(\.[^"]*)"/g;

/** Words in a row; "Hello" and "x" stand everywhere, and are no sign of anything. */
const run = /[\p{L}\p{N}][\p{L}\p{N} .,!?'-]{8,}[\p{L}\p{N}.!?]/gu;

/** The phrases that a test file and its helpers put into mails. */
export function phrasesOf(testFile: string): string[] {
  const phrases = new Set<string>();
  const seen = new Set<string>();
  const read = (file: string, depth: number) => {
    if (seen.has(file) || !existsSync(file)) return;
    seen.add(file);
    const source = readFileSync(file, "utf8");
    for (const [, quoted, template] of source.matchAll(literals))
      for (const part of (quoted ?? template ?? "").split(/\$\{[^}]*\}|\\./))
        for (const [words] of part.matchAll(run)) if (words.includes(" ")) phrases.add(words);
    if (depth === 0) return;
    for (const [, name = ""] of source.matchAll(imports)) {
      const at = resolve(dirname(file), name);
      if (at.includes("/test/")) read(at.endsWith(".ts") ? at : `${at}.ts`, depth - 1);
    }
  };
  read(testFile, 2);
  return [...phrases];
}
