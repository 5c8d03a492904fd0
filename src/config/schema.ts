/**
 * The shape of a configuration. Every schema's error text is the expectation alone, so that
 * `explain.ts` can make one sentence of key, expectation, what came and what to do.
 *
 * @module
 */
import * as z from "zod/mini";
import { parseDuration } from "../clock";

const duration = z
  .string('a duration such as "1h"')
  .check(
    z.refine(
      (text) => parseDuration(text) !== undefined,
      'a duration such as "1h" (a whole number and ms, s, m, h or d)',
    ),
  );
const count = z
  .number("a whole number above 0")
  .check(z.int("a whole number above 0"), z.positive("a whole number above 0"));
const text = z.string("a text").check(z.minLength(1, "a text that is not empty"));
const name = z
  .string("a name")
  .check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "a name of letters, digits, dots, dashes (64 at most)"));
const patterns = z.array(z.string("an address pattern"), "a list of address patterns");
const percent = z
  .number("a whole number from 1 to 100")
  .check(
    z.int("a whole number from 1 to 100"),
    z.minimum(1, "a whole number from 1 to 100"),
    z.maximum(100, "a whole number from 1 to 100"),
  );
const flag = z.boolean("true or false");

const per = z.union(
  [z.literal("message"), z.literal("call"), duration],
  '"message", "call" or a duration such as "1h"',
);
const cap = z.strictObject(
  { people: count, per, onExceeded: z.optional(z.enum(["refuse", "halt"], '"refuse" or "halt"')) },
  'a cap such as { people: 100, per: "1h" }',
);
const caps = z.array(cap, 'a list of caps such as [{ people: 100, per: "1h" }]');
const personCap = z.strictObject({ messages: count, per: duration }, 'a cap such as { messages: 5, per: "1h" }');
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

const isFunction = (value: unknown) => typeof value === "function";
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
const policy = {
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
const purpose = z.strictObject(
  {
    kind: z.enum(["stream", "bulk"], '"stream" or "bulk"'),
    match: z.optional(matches),
    claim: z.optional(claim),
    ...policy,
  },
  'an object such as { kind: "stream", caps: [{ people: 100, per: "1h" }] }',
);

const onNotAllowed = z.union(
  [z.enum(["refuse", "drop", "capture"]), z.strictObject({ redirectTo: text, cap: z.optional(personCap) })],
  '"refuse", "drop", "capture" or { redirectTo: "inbox@example.com" }',
);
const environment = z.discriminatedUnion(
  "mode",
  [
    z.strictObject({ mode: z.literal("test"), allow: z.optional(patterns), onNotAllowed: z.optional(onNotAllowed) }),
    z.strictObject({ mode: z.literal("observe") }),
    z.strictObject({ mode: z.literal("live") }),
  ],
  'an object with mode "test", "observe" or "live"',
);

const method =
  (...names: readonly string[]) =>
  (value: unknown) =>
    typeof value === "object" &&
    value !== null &&
    names.every((key) => typeof (value as Record<string, unknown>)[key] === "function");
const secret = z.string("a text").check(z.minLength(16, "a secret of at least 16 characters"));
const publicKey = z
  .string("an Ed25519 public key")
  .check(
    z.regex(
      /^[A-Za-z0-9_-]{43}$/,
      "an Ed25519 public key: 43 characters of base64url, as `mailfuse keys new` prints it",
    ),
  );
const base64url = z.string("base64url").check(z.regex(/^[\w-]{16,2000}$/, "base64url, as the console prints it"));
const passkey = z.strictObject(
  {
    id: base64url,
    publicKey: base64url,
    origin: z
      .string("an origin")
      .check(
        z.refine(
          (value) => isPasskeyOrigin(value),
          'an origin such as "https://mail.acme.com", or "http://localhost:3000"',
        ),
      ),
  },
  'an object such as { id: "…", publicKey: "…", origin: "https://mail.acme.com" }',
);
const bound = z.optional(count);

/** Browsers make passkeys on https pages, and on localhost. */
function isPasskeyOrigin(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  return url.origin === value && (url.protocol === "https:" || url.hostname === "localhost");
}

/** Everything `createFuse` takes; strict at every level. */
export const configSchema = z.strictObject(
  {
    environment: z.optional(z.string("the name of an environment")),
    environments: z.record(name, environment, 'an object such as { production: { mode: "live" } }'),
    env: z.optional(
      z.custom((value) => typeof value === "object" && value !== null, "environment variables, usually process.env"),
    ),
    live: z.optional(
      z.strictObject(
        { despite: z.array(text, 'a list of marker names such as ["CI"]') },
        'an object such as { despite: ["CI"] }',
      ),
    ),
    purposes: z.optional(z.record(name, purpose, "an object of purposes by name")),
    defaults: z.optional(z.strictObject(policy, 'an object such as { caps: [{ people: 100, per: "1h" }] }')),
    caps: z.optional(caps),
    internal: z.optional(patterns),
    lists: z.optional(patterns),
    audiences: z.optional(
      z.record(
        text,
        z.strictObject({ people: count }, "an object such as { people: 50 }"),
        "an object of audiences by id",
      ),
    ),
    allowSystemMail: z.optional(flag),
    unattached: z.optional(z.enum(["refuse", "pass"], '"refuse" or "pass"')),
    approvers: z.optional(
      z.record(
        name,
        z
          .strictObject(
            {
              publicKey: z.optional(
                z.union(
                  [publicKey, z.array(publicKey).check(z.minLength(1))],
                  "an Ed25519 public key, or a list of them",
                ),
              ),
              passkeys: z.optional(z.array(passkey, "a list of passkeys, as the console prints them")),
              roles: z.optional(z.array(text, "a list of roles")),
            },
            'an object such as { publicKey: "…", roles: ["crm"] }',
          )
          .check(
            z.refine(
              (value) => value.publicKey !== undefined || (value.passkeys?.length ?? 0) > 0,
              "an approver with a `publicKey` or a passkey: without one nobody can confirm",
            ),
          ),
        "an object of approvers by name",
      ),
    ),
    requesters: z.optional(z.array(name, "a list of names")),
    store: z.optional(z.custom(method("open", "reserve", "settle", "close"), "a store, for example memoryStore()")),
    secret: z.optional(
      z.union(
        [secret, z.array(secret).check(z.minLength(1))],
        "a secret of at least 16 characters, or a list of them, the newest first",
      ),
    ),
    ledger: z.optional(
      z.strictObject(
        {
          signingKey: z.optional(z.string("an Ed25519 private key, PKCS #8 PEM")),
          trustedKeys: z.optional(z.array(publicKey, "a list of Ed25519 public keys")),
          sealEvery: z.optional(duration),
          heads: z.optional(
            z.union(
              [z.literal("stdout"), z.strictObject({ file: text }), z.custom(isFunction, "a function (head)")],
              '"stdout", { file: "heads.jsonl" } or a function (head)',
            ),
          ),
        },
        'an object such as { heads: "stdout" }',
      ),
    ),
    retention: z.optional(
      z.strictObject({ addresses: z.optional(duration) }, 'an object such as { addresses: "30d" }'),
    ),
    onAlert: z.optional(z.custom(isFunction, "a function (alert)")),
    onPlan: z.optional(z.custom(isFunction, "a function (plan)")),
    isSuppressed: z.optional(z.custom(isFunction, "a function (addresses)")),
    guards: z.optional(
      z.array(
        z.custom((value) => typeof value === "function", "a guard: a function (send, next)"),
        "a list of guards",
      ),
    ),
    logger: z.optional(z.custom(method("debug", "info", "warn", "error"), "a logger with debug, info, warn and error")),
    clock: z.optional(z.custom(method("now", "after"), "a clock with now() and after()")),
    limits: z.optional(
      z.strictObject({ depth: bound, nodes: bound, bytes: bound }, "an object of depth, nodes and bytes"),
    ),
  },
  "an object of settings",
);
