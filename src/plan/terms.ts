/**
 * The closed schema of a plan's terms: exactly these, of these types. A term more or less than
 * people were shown is no plan of this fuse.
 *
 * @module
 */
import * as z from "zod/mini";
import type { Core } from "../core";
import { everything, type Purpose, purposeScope } from "../purpose";
import type { TermCap, Terms } from "./record";
import { tampered } from "./spool";

const text = z.string();
const whole = z.int().check(z.nonnegative());
const time = z.int();

const terms = z.strictObject({
  v: z.literal(1),
  id: text,
  purpose: text,
  environment: text,
  clients: z.array(text),
  requester: text,
  entries: whole,
  people: whole,
  expectedPeople: whole,
  population: z.optional(whole),
  audience: text,
  root: text,
  mails: text,
  summary: text,
  policy: text,
  caps: z.array(
    z.strictObject({
      of: text,
      people: whole,
      per: z.enum(["message", "call", "window"]),
      windowMs: whole,
      onExceeded: z.enum(["refuse", "halt"]),
    }),
  ),
  notBefore: time,
  notAfter: time,
  from: z.optional(text),
  correctionOf: z.optional(text),
  repeats: z.optional(z.literal(true)),
  mailsUnsubscribed: z.optional(z.literal(true)),
  canary: z.optional(z.strictObject({ people: whole, waitMs: z.optional(whole) })),
  rate: z.optional(z.strictObject({ messages: whole, windowMs: whole })),
});

/** Reads terms. Throws `PLAN_TAMPERED` for any that this fuse does not write. */
export function readTerms(value: unknown): Terms {
  const read = z.safeParse(terms, value);
  if (!read.success) throw tampered("terms of another form");
  return value as Terms;
}

/** The caps that a plan of this purpose is bound to. */
export function capsOf(core: Core, purpose: Purpose): readonly TermCap[] {
  return [
    ...purpose.caps.map((cap) => ({ of: purposeScope(purpose.name), ...cap })),
    ...core.settings.caps.map((cap) => ({ of: everything, ...cap })),
  ].map(({ of, people, per, windowMs, onExceeded }) => ({ of, people, per, windowMs, onExceeded }));
}
