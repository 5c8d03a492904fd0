/**
 * Checks a configuration and says what is wrong with it: the key, what was expected, what came,
 * what to do. One reason per mistake.
 *
 * @module
 */
import type * as z from "zod/mini";
import type { FuseConfig } from "../config";
import { MailfuseError, type Refusal } from "../errors";
import { configSchema } from "./schema";

/**
 * Checks what a user wrote. Throws `CONFIG_INVALID` with one reason per mistake.
 */
export function checkConfig(config: unknown): FuseConfig {
  const result = configSchema.safeParse(config);
  // Not the parsed output but the input: stores and clocks are objects with identity and prototypes.
  if (result.success) return config as FuseConfig;
  throw new MailfuseError(result.error.issues.flatMap((issue) => explain(issue, config)));
}

function explain(issue: z.core.$ZodIssue, config: unknown): Refusal[] {
  // A union reports each branch; the branch that got furthest is the one the user meant.
  if (issue.code === "invalid_union") {
    const branch = furthest(issue.errors);
    if (branch && !("note" in issue)) {
      return branch.flatMap((inner) =>
        explain({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue, config),
      );
    }
  }
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(issue.path, key, config));
  const key = pathOf(issue.path);
  return [
    {
      code: "CONFIG_INVALID",
      message: `Expected \`${key}\` to be ${issue.message}, got ${show(issue.path, valueAt(config, issue.path))}.`,
      fix: `Correct \`${key}\` in the configuration given to createFuse.`,
      where: key,
    },
  ];
}

function furthest(branches: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | undefined {
  return branches.find(
    (issues) => issues.length > 0 && issues.every((i) => i.path.length > 0 || i.code === "unrecognized_keys"),
  );
}

function unknownKey(path: readonly PropertyKey[], key: string, config: unknown): Refusal {
  const where = pathOf([...path, key]);
  const near = nearest(key, knownKeys(path, config));
  return {
    code: "CONFIG_INVALID",
    message: `Expected only known keys in \`${pathOf(path)}\`, got \`${key.slice(0, 80)}\`.`,
    fix: near
      ? `Did you mean \`${near}\`? Otherwise remove it.`
      : "Remove it, or see docs/configuration.md for the keys there are.",
    where,
  };
}

// Asks the schema itself: an unknown key is removed and the known ones are read off the shape.
function knownKeys(path: readonly PropertyKey[], config: unknown): string[] {
  let shapes: unknown[] = [configSchema];
  for (const step of path) shapes = shapes.flatMap((shape) => child(unwrap(shape), step));
  return shapes
    .flatMap((shape) =>
      unwrap(shape).flatMap((s) => Object.keys((s as { _zod: { def: { shape?: object } } })._zod.def.shape ?? {})),
    )
    .filter((key) => !(key in ((valueAt(config, path) as object) ?? {})));
}

interface Def {
  readonly type: string;
  readonly shape?: Record<string, unknown>;
  readonly innerType?: unknown;
  readonly valueType?: unknown;
  readonly element?: unknown;
  readonly options?: readonly unknown[];
}

function unwrap(shape: unknown): unknown[] {
  const def = (shape as { _zod: { def: Def } })._zod.def;
  if (def.type === "optional") return unwrap(def.innerType);
  if (def.type === "union") return (def.options ?? []).flatMap(unwrap);
  return [shape];
}

function child(shapes: readonly unknown[], step: PropertyKey): unknown[] {
  return shapes.flatMap((shape) => {
    const def = (shape as { _zod: { def: Def } })._zod.def;
    const next = def.shape?.[String(step)] ?? def.valueType ?? def.element;
    return next ? [next] : [];
  });
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

function pathOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return "config";
  return path
    .map((step, index) => (typeof step === "number" ? `[${step}]` : `${index ? "." : ""}${String(step)}`))
    .join("");
}

function valueAt(config: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, step) => (value as Record<PropertyKey, unknown> | undefined)?.[step], config);
}

function show(path: readonly PropertyKey[], value: unknown): string {
  if (value === undefined) return "nothing";
  if (path[0] === "secret" || path.includes("publicKey")) return `a ${typeof value} (not shown)`;
  if (typeof value === "function") return "a function";
  // Often somebody's address, and this line ends up in a log.
  if (typeof value === "string" && value.includes("@")) return "a text with an @ (not shown)";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const shown = typeof value === "string" ? JSON.stringify(value) : Array.isArray(value) ? "a list" : "an object";
  return shown.length > 80 ? `${shown.slice(0, 80)}…` : shown;
}
