/**
 * The shape of a configuration; a purpose's is `purpose-schema.ts`. Every schema's error text is the
 * expectation alone, so that `explain.ts` can make one sentence of it.
 *
 * @module
 */
import * as z from "zod/mini";
import {
  caps,
  count,
  duration,
  flag,
  isFunction,
  name,
  patterns,
  personCap,
  policy,
  purpose,
  text,
} from "./purpose-schema";

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
