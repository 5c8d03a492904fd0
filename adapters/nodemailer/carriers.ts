/**
 * Everywhere a mail can carry recipients, gathered into one list: the envelope, the rendered
 * headers, and what a transport may read of `mail.data`.
 *
 * The union is judged. An address that stands in the rendered To but not in the envelope is seen by
 * everybody and reached by nobody over SMTP, yet a transport that reads headers would mail it.
 *
 * @module
 */
import { type Field, parseAddresses, type Recipient, type Refusal } from "../../src/adapter";

/** Headers that some program delivers by, and the field each counts as. */
const recipientHeaders: ReadonlyMap<string, Field> = new Map([
  ["to", "to"],
  ["cc", "cc"],
  ["bcc", "bcc"],
  ["resent-to", "to"],
  ["resent-cc", "cc"],
  ["resent-bcc", "bcc"],
  ["apparently-to", "to"],
]);

/** The field that a header of this canonical name carries recipients of. */
export function recipientField(name: string): Field | undefined {
  return recipientHeaders.get(name);
}

const maxProblems = 100;

/** Collects recipients. An address counts once, in the most visible field it stands in. */
export class Carriers {
  readonly #found = new Map<string, Recipient>();
  readonly problems: Refusal[];

  constructor(problems: Refusal[]) {
    this.problems = problems;
  }

  /** Reads one carrier. */
  read(value: unknown, where: string, field: Field): void {
    const read = parseAddresses(value, where, "list");
    for (const problem of read.problems) if (this.problems.length < maxProblems) this.problems.push(problem);
    for (const address of read.addresses) this.#add({ field, ...address });
  }

  /** Adds recipients that the envelope alone names: nobody sees them. */
  addHidden(people: ReadonlyMap<string, string>): void {
    for (const [address, person] of people) {
      if (!this.#found.has(address)) this.#found.set(address, { field: "bcc", address, person });
    }
  }

  has(address: string): boolean {
    return this.#found.has(address);
  }

  recipients(): readonly Recipient[] {
    return [...this.#found.values()];
  }

  #add(recipient: Recipient): void {
    const known = this.#found.get(recipient.address);
    if (!known || (known.field === "bcc" && recipient.field !== "bcc")) this.#found.set(recipient.address, recipient);
  }
}

/** The pairs of a `headers` option, a plain copy: an object, or an array of `{ key, value }`. */
export function headerEntries(headers: unknown): [key: string, value: unknown][] {
  if (typeof headers !== "object" || headers === null) return [];
  if (Array.isArray(headers)) {
    return headers.flatMap((item: { key?: unknown; value?: unknown } | null) =>
      item && typeof item.key === "string" ? [[item.key, plainValue(item.value)]] : [],
    );
  }
  return Object.entries(headers).map(([key, value]) => [key, plainValue(value)]);
}

/** `{ prepared: true, value }` is a header value with options beside it. */
function plainValue(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value) || "address" in value) return value;
  return "value" in value ? value.value : value;
}
