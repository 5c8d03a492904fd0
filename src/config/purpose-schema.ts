/**
 * The shape of a purpose: its caps, its claim, what confirms it, what its content may be.
 *
 * @module
 */
import { parseDuration } from "../clock";
import { byKey, either, holds, list, object, oneOf, optional, type Shape, text, whole } from "../shape";

export const duration = text(
  'a duration such as "1h"',
  (value) => parseDuration(value) !== undefined,
  'a duration such as "1h" (a whole number and ms, s, m, h or d)',
);
export const count = whole("a whole number above 0", 1);
export const words = text("a text", (value) => value !== "", "a text that is not empty");
export const flag = oneOf([true, false], "true or false");
export const roles = optional(list(words, "a list of roles"));

/** A function, which is called later. */
export function called(expected: string): Shape {
  return holds(expected, (value) => typeof value === "function");
}

const per = either(
  [oneOf(["message", "call"], '"message" or "call"'), duration],
  '"message", "call" or a duration such as "1h"',
);
const cap = object(
  { people: count, per, onExceeded: optional(oneOf(["refuse", "halt"], '"refuse" or "halt"')) },
  'a cap such as { people: 100, per: "1h" }',
);
export const caps = list(cap, 'a list of caps such as [{ people: 100, per: "1h" }]');
const personCap = object({ messages: count, per: duration }, 'a cap such as { messages: 5, per: "1h" }');

const people = whole("a whole number, 0 or more", 0);
const stepUp = object(
  { abovePeople: people, approvals: optional(count), roles },
  "an object such as { abovePeople: 10000, approvals: 2 }",
);
const confirm = object(
  {
    approvals: optional(count),
    roles,
    abovePeople: optional(people),
    stepUp: optional(list(stepUp, "a list such as [{ abovePeople: 10000, approvals: 2 }]")),
  },
  "an object such as { approvals: 2 }",
);

const subject = either(
  [holds("a regular expression", (value) => value instanceof RegExp), words],
  "a regular expression or a text",
);
const match = object(
  { tag: optional(words), template: optional(words), subject: optional(subject), from: optional(words) },
  'an object such as { tag: "password-reset" }',
);
const matches = either(
  [match, list(match, "a list of them")],
  'an object such as { tag: "password-reset" }, or a list of them',
);

const percent = whole("a whole number from 1 to 100", 1, 100);
const haltAfter = object(
  { failures: count, percent: optional(percent), per: duration },
  'an object such as { failures: 10, per: "1h" }',
);
const claim = object(
  {
    data: holds(
      "a Standard Schema, for example a zod object",
      (value) => typeof value === "object" && value !== null && "~standard" in value,
    ),
    verify: optional(called("a function (data, person, message)")),
    verifyMany: optional(called("a function (questions)")),
    subject: optional(called("a function (data) that returns an address")),
    timeout: optional(duration),
    haltAfter: optional(haltAfter),
    looksLike: optional(matches),
  },
  "an object such as { data: schema, verify: (data, person) => … }",
  {
    expected: "a claim with `verify`, `verifyMany` or `subject`",
    holds: ({ verify, verifyMany, subject }) => [verify, verifyMany, subject].some((one) => one !== undefined),
  },
);

const level = optional(oneOf(["refuse", "warn", "off"], '"refuse", "warn" or "off"'));
const host = text(
  "a host name",
  (value) => /^[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9-]{1,63})+$/.test(value),
  'a host name in lower case without scheme and path, such as "acme.com"',
);
const hosts = optional(list(host, 'a list of host names such as ["acme.com"]'));
const content = object(
  {
    placeholders: level,
    missingValues: level,
    blanks: level,
    empty: level,
    fixtures: level,
    stagingLinks: level,
    productionLinks: level,
    personal: optional(
      either(
        [flag, object({ people: count }, "an object such as { people: 3 }")],
        "true, false or an object such as { people: 3 }",
      ),
    ),
    links: optional(object({ production: hosts, staging: hosts }, 'an object such as { production: ["acme.com"] }')),
  },
  'an object such as { blanks: "refuse" }',
);

const policy = {
  caps: optional(caps),
  perPerson: optional(list(personCap, "a list of caps on messages")),
  confirm: optional(confirm),
  maxVisible: optional(count),
  onUnknown: optional(oneOf(["hold", "resend"], '"hold" or "resend"')),
  freshness: optional(object({ maxAge: duration, required: optional(flag) }, 'an object such as { maxAge: "1h" }')),
  content: optional(content),
  duplicateWindow: optional(duration),
};
export const purpose = object(
  {
    kind: oneOf(["stream", "bulk"], '"stream" or "bulk"'),
    match: optional(matches),
    claim: optional(claim),
    ...policy,
  },
  'an object such as { kind: "stream", caps: [{ people: 100, per: "1h" }] }',
);
export const defaults = object(policy, 'an object such as { caps: [{ people: 100, per: "1h" }] }');

const onNotAllowed = either(
  [
    oneOf(["refuse", "drop", "capture"], '"refuse", "drop" or "capture"'),
    object({ redirectTo: words, cap: optional(personCap) }, 'an object such as { redirectTo: "inbox@example.com" }'),
  ],
  '"refuse", "drop", "capture" or { redirectTo: "inbox@example.com" }',
);
export const patterns = list(text("an address pattern"), "a list of address patterns");
const modeObject = 'an object with mode "test", "observe" or "live"';
const mode = (name: string) => oneOf([name], `"${name}"`);
export const environment = byKey(
  "mode",
  {
    test: object({ mode: mode("test"), allow: optional(patterns), onNotAllowed: optional(onNotAllowed) }, modeObject),
    observe: object({ mode: mode("observe") }, modeObject),
    live: object({ mode: mode("live") }, modeObject),
  },
  modeObject,
);
