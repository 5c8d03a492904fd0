/**
 * The closed schema of a plan's terms: exactly these, of these types. A term more or less than
 * people were shown is no plan of this fuse.
 *
 * @module
 */
import type { Core } from "../core";
import { everything, type Purpose, purposeScope } from "../purpose";
import { list, mistakesIn, object, oneOf, optional, text, whole } from "../shape";
import type { TermCap, Terms } from "./record";
import { tampered } from "./spool";

const words = text("a text");
const count = whole("a count", 0);
const time = whole("a time", Number.MIN_SAFE_INTEGER);
const one = oneOf([1], "1");
const yes = oneOf([true], "true");
const cap = object(
  {
    of: words,
    people: count,
    per: oneOf(["message", "call", "window"], "a cap's span"),
    windowMs: count,
    onExceeded: oneOf(["refuse", "halt"], "what a cap does"),
  },
  "a cap",
);

const terms = object(
  {
    v: one,
    id: words,
    purpose: words,
    environment: words,
    clients: list(words, "clients"),
    requester: words,
    entries: count,
    people: count,
    expectedPeople: count,
    population: optional(count),
    audience: words,
    root: words,
    mails: words,
    summary: words,
    policy: words,
    caps: list(cap, "caps"),
    notBefore: time,
    notAfter: time,
    from: optional(words),
    correctionOf: optional(words),
    repeats: optional(yes),
    mailsUnsubscribed: optional(yes),
    canary: optional(object({ people: count, waitMs: optional(count) }, "a canary")),
    rate: optional(object({ messages: count, windowMs: count }, "a rate")),
  },
  "terms",
);

/** Reads terms. Throws `PLAN_TAMPERED` for any that this fuse does not write. */
export function readTerms(value: unknown): Terms {
  if (mistakesIn(terms, value).length > 0) throw tampered("terms of another form");
  return value as Terms;
}

/** The caps that a plan of this purpose is bound to. */
export function capsOf(core: Core, purpose: Purpose): readonly TermCap[] {
  return [
    ...purpose.caps.map((cap) => ({ of: purposeScope(purpose.name), ...cap })),
    ...core.settings.caps.map((cap) => ({ of: everything, ...cap })),
  ].map(({ of, people, per, windowMs, onExceeded }) => ({ of, people, per, windowMs, onExceeded }));
}
