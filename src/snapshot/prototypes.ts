/**
 * Refuses to work on top of polluted prototypes. A property put on `Object.prototype` is read by every
 * client as if each message carried it: `bcc`, `raw` or `toJSON` there adds people to every mail.
 *
 * @module
 */
import { MailfuseError } from "../errors";

// What engines define themselves; node's --disable-proto may take `__proto__` away.
const builtIn = new Set(
  (
    "constructor __defineGetter__ __defineSetter__ hasOwnProperty __lookupGetter__ __lookupSetter__ isPrototypeOf " +
    "propertyIsEnumerable toString valueOf __proto__ toLocaleString"
  ).split(" "),
);

const emptyObject: object = Object.freeze({});
const emptyArray: readonly unknown[] = Object.freeze([]);

/**
 * Throws when `Object.prototype`, `Array.prototype` or `String.prototype` has been given properties that a mail
 * client could read as part of a message. Costs about a tenth of a microsecond, so call it on every send, and
 * again right before the wire: other code may have run in between.
 *
 * Refused are: anything enumerable on `Object.prototype`; what is not enumerable there under a name that clients
 * read recipients, content or serialisation from (test libraries add a harmless `should`); on `Array.prototype`
 * whatever is enumerable and no method; and `address`, `email` and `toJSON` on any of the three.
 *
 * @throws {@link MailfuseError} `PROTOTYPE_POLLUTED`; `where` names what was added.
 * @example
 * ```ts
 * assertCleanPrototypes();
 * const copy = snapshot(request);
 * ```
 */
export function assertCleanPrototypes(): void {
  for (const _ in emptyObject) throw pollution(Object.prototype, "Object");
  if (clientsReadFrom(emptyObject)) throw pollution(Object.prototype, "Object");
  for (const key in emptyArray) {
    if (typeof (emptyArray as unknown as Record<string, unknown>)[key] !== "function") {
      throw pollution(Array.prototype, "Array");
    }
  }
  if (addressReadFrom(Array.prototype)) throw pollution(Array.prototype, "Array");
  if (addressReadFrom(String.prototype)) throw pollution(String.prototype, "String");
}

// Written out, not looped over: with constant names the engine answers all of them in some twenty nanoseconds,
// and listing the prototype's own names costs half a microsecond.
function clientsReadFrom(object: object): boolean {
  return (
    addressReadFrom(object) ||
    "to" in object ||
    "cc" in object ||
    "bcc" in object ||
    "from" in object ||
    "sender" in object ||
    "To" in object ||
    "Cc" in object ||
    "Bcc" in object ||
    "From" in object ||
    "Destination" in object ||
    "TO" in object ||
    "CC" in object ||
    "BCC" in object ||
    "Recipients" in object ||
    "recipients" in object ||
    "ToAddresses" in object ||
    "CcAddresses" in object ||
    "BccAddresses" in object ||
    "rcpt_to" in object ||
    "Destinations" in object ||
    "personalizations" in object ||
    "messageVersions" in object ||
    "group" in object ||
    "envelope" in object ||
    "headers" in object ||
    "Headers" in object ||
    "raw" in object ||
    "Raw" in object ||
    "ses" in object ||
    "content" in object ||
    "Content" in object ||
    "data" in object ||
    "body" in object ||
    "html" in object ||
    "text" in object ||
    "subject" in object ||
    "attachments" in object ||
    "name" in object ||
    "path" in object ||
    "href" in object ||
    "url" in object ||
    "uri" in object ||
    "method" in object ||
    "get" in object ||
    "set" in object ||
    "value" in object ||
    "then" in object ||
    "pipe" in object
  );
}

function addressReadFrom(object: object): boolean {
  return "address" in object || "email" in object || "Email" in object || "toJSON" in object;
}

function pollution(prototype: object, owner: "Object" | "Array" | "String"): MailfuseError {
  const names = Object.getOwnPropertyNames(prototype);
  const added =
    owner === "Object" ? names.filter((name) => !builtIn.has(name)) : names.filter((name) => isAdded(prototype, name));
  const shown = added.filter((name) => /^[A-Za-z_$][\w$]{0,39}$/.test(name)).slice(0, 5);
  return new MailfuseError({
    code: "PROTOTYPE_POLLUTED",
    message: `Expected a clean ${owner}.prototype, and code in this process has added a property to it.`,
    fix: "Find what adds it, often a merge of untrusted JSON, and remove it: every mail would carry it.",
    where: `${owner}.prototype${shown.map((name) => `.${name}`).join(", ")}`,
  });
}

// The engine's own methods of arrays and strings are many and grow; none is enumerable or has these names.
function isAdded(prototype: object, name: string): boolean {
  return (
    Object.prototype.propertyIsEnumerable.call(prototype, name) ||
    ["address", "email", "Email", "toJSON"].includes(name)
  );
}
