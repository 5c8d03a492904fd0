/**
 * Notices that a text meant for one person goes to many: the sign of a merge that merged nothing.
 * Kept in memory, bounded; what it counts is people, so planning the same mail again adds nothing.
 *
 * @module
 */
import { hash } from "node:crypto";
import type { Places } from "./places";

/** How many texts are remembered, the least recently seen forgotten first. */
const mostTexts = 10_000;
/** How long a text is remembered, milliseconds. A run that takes longer is caught in its pieces. */
const memory = 24 * 60 * 60_000;

interface Seen {
  readonly people: Set<string>;
  readonly since: number;
}

/** What a person reads of a mail, as one key. Links are left out: those to unsubscribe always differ. */
export function readingKey(places: Places): string | undefined {
  const { content, subject, page, text } = places;
  const read = page?.visible ? page.text : text;
  if (read === undefined && content.unbound !== undefined && content.template?.data === undefined) return undefined;
  const template = content.template === undefined ? null : [content.template.id, content.template.data ?? null];
  return hash("sha256", JSON.stringify([subject ?? null, read ?? null, template]), "base64url");
}

/** The texts of late and whom they went to. */
export class PersonalTexts {
  readonly #seen = new Map<string, Seen>();

  /** Adds people to a text's readers. Returns how many have it now; counts no further than just above `most`. */
  add(text: string, people: Iterable<string>, most: number, at: number): number {
    const before = this.#seen.get(text);
    const seen = before && at - before.since < memory ? before : { people: new Set<string>(), since: at };
    // Deleted and set: the order of a Map is that of insertion, so the first is the least recently seen.
    this.#seen.delete(text);
    this.#seen.set(text, seen);
    for (const person of people) {
      if (seen.people.size > most) break;
      seen.people.add(person);
    }
    if (this.#seen.size > mostTexts) {
      const [oldest] = this.#seen.keys();
      if (oldest !== undefined) this.#seen.delete(oldest);
    }
    return seen.people.size;
  }
}
