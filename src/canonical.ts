/**
 * Canonical JSON for what is hashed and signed: RFC 8785 (JCS) over objects, arrays, strings,
 * whole numbers, booleans and null. Anything else is refused, so that no two writers can disagree.
 *
 * @module
 */
import { MailfuseError } from "./errors";

/** The one canonical text of a value. Throws `INTERNAL` for values outside the closed form. */
export function canonical(value: unknown): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object") {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    // JCS sorts by UTF-16 code units, which is what `<` compares.
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(",")}}`;
  }
  throw new MailfuseError({
    code: "INTERNAL",
    message: `Expected strings, whole numbers, lists and objects in a signed record, got a ${typeof value}.`,
  });
}
