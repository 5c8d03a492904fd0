/**
 * The shape of a configuration. What a shape expects is the middle of a sentence that
 * `explain.ts` makes of key, expectation, what came and what to do.
 *
 * @module
 */
import { either, holds, list, object, oneOf, optional, record, type Shape, text } from "../shape";
import {
  called,
  caps,
  count,
  defaults,
  duration,
  environment,
  flag,
  patterns,
  purpose,
  roles,
  words,
} from "./purpose-schema";

const name = text(
  "a name",
  (value) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(value),
  "a name of letters, digits, dots, dashes (64 at most)",
);

/** An object with these methods. */
function methods(expected: string, ...names: readonly string[]): Shape {
  return holds(
    expected,
    (value) =>
      typeof value === "object" &&
      value !== null &&
      names.every((key) => typeof (value as Record<string, unknown>)[key] === "function"),
  );
}

/** One, or a list of at least one. */
function oneOrMore(shape: Shape, expected: string): Shape {
  return either([shape, list(shape, expected, 1)], expected);
}

const secretText = "a secret of at least 16 characters";
const secret = text(secretText, (value) => value.length >= 16);

const publicKey = text(
  "an Ed25519 public key",
  (value) => /^[A-Za-z0-9_-]{43}$/.test(value),
  "an Ed25519 public key: 43 characters of base64url, as `mailfuse keys new` prints it",
);
const base64url = text("base64url", (value) => /^[\w-]{16,2000}$/.test(value), "base64url, as the console prints it");
const passkey = object(
  {
    id: base64url,
    publicKey: base64url,
    origin: text("an origin", isPasskeyOrigin, 'an origin such as "https://mail.acme.com", or "http://localhost:3000"'),
  },
  'an object such as { id: "…", publicKey: "…", origin: "https://mail.acme.com" }',
);

/** Browsers make passkeys on https pages, and on localhost. */
function isPasskeyOrigin(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  return url.origin === value && (url.protocol === "https:" || url.hostname === "localhost");
}

const approver = object(
  {
    publicKey: optional(oneOrMore(publicKey, "an Ed25519 public key, or a list of them")),
    passkeys: optional(list(passkey, "a list of passkeys, as the console prints them")),
    roles,
  },
  'an object such as { publicKey: "…", roles: ["crm"] }',
  {
    expected: "an approver with a `publicKey` or a passkey: without one nobody can confirm",
    holds: ({ publicKey: key, passkeys }) => key !== undefined || (Array.isArray(passkeys) && passkeys.length > 0),
  },
);

const heads = either(
  [oneOf(["stdout"], '"stdout"'), object({ file: words }, '{ file: "heads.jsonl" }'), called("a function (head)")],
  '"stdout", { file: "heads.jsonl" } or a function (head)',
);
const ledger = object(
  {
    signingKey: optional(text("an Ed25519 private key, PKCS #8 PEM")),
    trustedKeys: optional(list(publicKey, "a list of Ed25519 public keys")),
    sealEvery: optional(duration),
    heads: optional(heads),
  },
  'an object such as { heads: "stdout" }',
);
const bound = optional(count);

/** Everything `createFuse` takes; strict at every level. */
export const configSchema = object(
  {
    environment: optional(text("the name of an environment")),
    environments: record(name, environment, 'an object such as { production: { mode: "live" } }'),
    env: optional(
      holds("environment variables, usually process.env", (value) => typeof value === "object" && value !== null),
    ),
    live: optional(
      object(
        { despite: list(words, 'a list of marker names such as ["CI"]') },
        'an object such as { despite: ["CI"] }',
      ),
    ),
    purposes: optional(record(name, purpose, "an object of purposes by name")),
    defaults: optional(defaults),
    caps: optional(caps),
    internal: optional(patterns),
    lists: optional(patterns),
    audiences: optional(
      record(words, object({ people: count }, "an object such as { people: 50 }"), "an object of audiences by id"),
    ),
    allowSystemMail: optional(flag),
    unattached: optional(oneOf(["refuse", "pass"], '"refuse" or "pass"')),
    approvers: optional(record(name, approver, "an object of approvers by name")),
    requesters: optional(list(name, "a list of names")),
    store: optional(methods("a store, for example memoryStore()", "open", "reserve", "settle", "close")),
    secret: optional(oneOrMore(secret, `${secretText}, or a list of them, the newest first`)),
    ledger: optional(ledger),
    retention: optional(object({ addresses: optional(duration) }, 'an object such as { addresses: "30d" }')),
    onAlert: optional(called("a function (alert)")),
    onPlan: optional(called("a function (plan)")),
    isSuppressed: optional(called("a function (addresses)")),
    guards: optional(list(called("a guard: a function (send, next)"), "a list of guards")),
    logger: optional(methods("a logger with debug, info, warn and error", "debug", "info", "warn", "error")),
    clock: optional(methods("a clock with now() and after()", "now", "after")),
    limits: optional(object({ depth: bound, nodes: bound, bytes: bound }, "an object of depth, nodes and bytes")),
  },
  "an object of settings",
);
