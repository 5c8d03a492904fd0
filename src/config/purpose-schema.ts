/**
 * The shape of a purpose. Every schema's error text is the expectation alone, so that `explain.ts` can
 * make one sentence of key, expectation, what came and what to do.
 *
 * @module
 */
import * as z from "zod/mini";
import { parseDuration } from "../clock";

export const duration = z
  .string('a duration such as "1h"')
  .check(
    z.refine(
      (text) => parseDuration(text) !== undefined,
      'a duration such as "1h" (a whole number and ms, s, m, h or d)',
    ),
  );
export const count = z
  .number("a whole number above 0")
  .check(z.int("a whole number above 0"), z.positive("a whole number above 0"));
export const text = z.string("a text").check(z.minLength(1, "a text that is not empty"));
export const name = z
  .string("a name")
  .check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "a name of letters, digits, dots, dashes (64 at most)"));
export const patterns = z.array(z.string("an address pattern"), "a list of address patterns");
const percent = z
  .number("a whole number from 1 to 100")
  .check(
    z.int("a whole number from 1 to 100"),
    z.minimum(1, "a whole number from 1 to 100"),
    z.maximum(100, "a whole number from 1 to 100"),
  );
export const flag = z.boolean("true or false");

const per = z.union(
  [z.literal("message"), z.literal("call"), duration],
  '"message", "call" or a duration such as "1h"',
);
const cap = z.strictObject(
  { people: count, per, onExceeded: z.optional(z.enum(["refuse", "halt"], '"refuse" or "halt"')) },
  'a cap such as { people: 100, per: "1h" }',
);
export const caps = z.array(cap, 'a list of caps such as [{ people: 100, per: "1h" }]');
export const personCap = z.strictObject({ messages: count, per: duration }, 'a cap such as { messages: 5, per: "1h" }');
const people = z.number("a whole number").check(z.int("a whole number"), z.nonnegative("a whole number, 0 or more"));
const roles = z.optional(z.array(text, "a list of roles"));
const stepUp = z.strictObject(
  { abovePeople: people, approvals: z.optional(count), roles },
  "an object such as { abovePeople: 10000, approvals: 2 }",
);
const confirm = z.strictObject(
  {
    approvals: z.optional(count),
    roles,
    abovePeople: z.optional(people),
    stepUp: z.optional(z.array(stepUp, "a list such as [{ abovePeople: 10000, approvals: 2 }]")),
  },
  "an object such as { approvals: 2 }",
);
const match = z.strictObject(
  {
    tag: z.optional(text),
    template: z.optional(text),
    subject: z.optional(z.union([z.instanceof(RegExp), text], "a regular expression or a text")),
    from: z.optional(text),
  },
  'an object such as { tag: "password-reset" }',
);

export const isFunction = (value: unknown) => typeof value === "function";
const matches = z.union([match, z.array(match)], 'an object such as { tag: "password-reset" }, or a list of them');
const claim = z
  .strictObject(
    {
      data: z.custom(
        (value) => typeof value === "object" && value !== null && "~standard" in value,
        "a Standard Schema, for example a zod object",
      ),
      verify: z.optional(z.custom(isFunction, "a function (data, person, message)")),
      verifyMany: z.optional(z.custom(isFunction, "a function (questions)")),
      subject: z.optional(z.custom(isFunction, "a function (data) that returns an address")),
      timeout: z.optional(duration),
      haltAfter: z.optional(
        z.strictObject(
          { failures: count, percent: z.optional(percent), per: duration },
          'an object such as { failures: 10, per: "1h" }',
        ),
      ),
      looksLike: z.optional(matches),
    },
    "an object such as { data: schema, verify: (data, person) => … }",
  )
  .check(
    z.refine(
      (value) => value.verify !== undefined || value.verifyMany !== undefined || value.subject !== undefined,
      "a claim with `verify`, `verifyMany` or `subject`",
    ),
  );

const level = z.optional(z.enum(["refuse", "warn", "off"], '"refuse", "warn" or "off"'));
const host = z
  .string("a host name")
  .check(
    z.regex(
      /^[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9-]{1,63})+$/,
      'a host name in lower case without scheme and path, such as "acme.com"',
    ),
  );
const hosts = z.optional(z.array(host, 'a list of host names such as ["acme.com"]'));
const content = z.strictObject(
  {
    placeholders: level,
    missingValues: level,
    blanks: level,
    empty: level,
    fixtures: level,
    stagingLinks: level,
    productionLinks: level,
    personal: z.optional(
      z.union([flag, z.strictObject({ people: count })], "true, false or an object such as { people: 3 }"),
    ),
    links: z.optional(
      z.strictObject({ production: hosts, staging: hosts }, 'an object such as { production: ["acme.com"] }'),
    ),
  },
  'an object such as { blanks: "refuse" }',
);
export const policy = {
  caps: z.optional(caps),
  perPerson: z.optional(z.array(personCap, "a list of caps on messages")),
  confirm: z.optional(confirm),
  maxVisible: z.optional(count),
  onUnknown: z.optional(z.enum(["hold", "resend"], '"hold" or "resend"')),
  freshness: z.optional(
    z.strictObject({ maxAge: duration, required: z.optional(flag) }, 'an object such as { maxAge: "1h" }'),
  ),
  content: z.optional(content),
  duplicateWindow: z.optional(duration),
};
export const purpose = z.strictObject(
  {
    kind: z.enum(["stream", "bulk"], '"stream" or "bulk"'),
    match: z.optional(matches),
    claim: z.optional(claim),
    ...policy,
  },
  'an object such as { kind: "stream", caps: [{ people: 100, per: "1h" }] }',
);
