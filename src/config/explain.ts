/**
 * Checks a configuration and says what is wrong with it: the key, what was expected, what came,
 * what to do. One reason per mistake.
 *
 * @module
 */
import type { FuseConfig } from "../config";
import { MailfuseError, type Refusal } from "../errors";
import { type Mistake, mistakesIn, type Path } from "../shape";
import { configSchema } from "./schema";

/**
 * Checks what a user wrote. Throws `CONFIG_INVALID` with one reason per mistake.
 */
export function checkConfig(config: unknown): FuseConfig {
  const mistakes = mistakesIn(configSchema, config);
  if (mistakes.length === 0) return config as FuseConfig;
  throw new MailfuseError(mistakes.map((mistake) => explain(mistake, config)));
}

function explain({ path, expected, known }: Mistake, config: unknown): Refusal {
  if (known) return unknownKey(path, known, config);
  const key = pathOf(path);
  return {
    code: "CONFIG_INVALID",
    message: `Expected \`${key}\` to be ${expected}, got ${show(path, valueAt(config, path))}.`,
    fix: `Correct \`${key}\` in the configuration given to createFuse.`,
    where: key,
  };
}

function unknownKey(path: Path, known: readonly string[], config: unknown): Refusal {
  const key = String(path.at(-1));
  const around = path.slice(0, -1);
  const present = valueAt(config, around) as object;
  const near = nearest(
    key,
    known.filter((candidate) => !(candidate in present)),
  );
  return {
    code: "CONFIG_INVALID",
    message: `Expected only known keys in \`${pathOf(around)}\`, got \`${key.slice(0, 80)}\`.`,
    fix: near
      ? `Did you mean \`${near}\`? Otherwise remove it.`
      : "Remove it, or see docs/configuration.md for the keys there are.",
    where: pathOf(path),
  };
}

/** The known word within two edits of a misspelt one. */
function nearest(word: string, known: readonly string[]): string | undefined {
  const scored = known.map((candidate) => [edits(word.toLowerCase(), candidate.toLowerCase()), candidate] as const);
  return scored.filter(([distance]) => distance <= 2).sort((a, b) => a[0] - b[0])[0]?.[1];
}

function edits(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

function pathOf(path: Path): string {
  if (path.length === 0) return "config";
  return path
    .map((step, index) => (typeof step === "number" ? `[${step}]` : `${index ? "." : ""}${String(step)}`))
    .join("");
}

function valueAt(config: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, step) => (value as Record<string | number, unknown> | undefined)?.[step], config);
}

function show(path: Path, value: unknown): string {
  if (value === undefined) return "nothing";
  if (path[0] === "secret" || path.includes("publicKey")) return `a ${typeof value} (not shown)`;
  if (typeof value === "function") return "a function";
  // Often somebody's address, and this line ends up in a log.
  if (typeof value === "string" && value.includes("@")) return "a text with an @ (not shown)";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const shown = typeof value === "string" ? JSON.stringify(value) : Array.isArray(value) ? "a list" : "an object";
  return shown.length > 80 ? `${shown.slice(0, 80)}…` : shown;
}
