/**
 * Domains as the wire carries them: lower-case A-labels.
 *
 * Internationalised names go through UTS #46 (`tr46`, non-transitional, all checks on), and only
 * those pass that the mapping leaves as they are, apart from lower case: whoever merely lower-cases
 * and punycodes, as older mail clients do, then reads the same domain. Soft hyphens, full-width
 * letters or dots and circled letters are thereby refused. `node:url` is not used: it parses the
 * text as part of a URL (cut at `#`, percent-decoded, `127.1` expanded) and its answers for `xn--`
 * labels differ between Node 20 and 22.
 *
 * @module
 */
import { findInvisible } from "./characters";
import { classOf, DOMAIN } from "./plain";
import {
  domainCharacter,
  domainDot,
  domainEmptyLabel,
  domainHyphen,
  domainTooLong,
  invisible,
  isProblem,
  labelTooLong,
  mappedDomain,
  noDomain,
  notIdn,
  notLoaded,
  numericDomain,
  type Problem,
  singleLabel,
} from "./problems";
import { uts46 } from "./uts46";

const checks = { checkBidi: true, checkHyphens: false, checkJoiners: true, useSTD3ASCIIRules: true } as const;

/** Longer than any domain in any form: what follows need not bear the length of hostile input. */
const longestDomain = 253;

// The mapping costs some microseconds per domain and mail goes to the same few again and again.
const cache = new Map<string, { readonly domain: string } | Problem>();
const cacheSize = 1_000;

/** The A-label form of `domain`, or why it has none that every reader agrees on. */
export function readDomain(domain: string): { readonly domain: string } | Problem {
  if (domain.length > longestDomain) return domainTooLong;
  if (isPlain(domain)) return checkHostName(domain.toLowerCase());
  const known = cache.get(domain);
  if (known) return known;
  const read = mapDomain(domain);
  // It will be read otherwise in a moment.
  if (read === notLoaded) return read;
  // Dropping the oldest keeps the size fixed; which one goes does not matter for the answer.
  if (cache.size >= cacheSize) for (const oldest of cache.keys()) if (cache.delete(oldest)) break;
  // A copy: a slice would keep the whole text it was cut from alive.
  cache.set(Buffer.from(domain).toString(), read);
  return read;
}

function isPlain(domain: string): boolean {
  for (let i = 0; i < domain.length; i++) if (domain.charCodeAt(i) > 127) return false;
  return !/xn--/i.test(domain);
}

function mapDomain(domain: string): { readonly domain: string } | Problem {
  const hidden = findInvisible(domain);
  if (hidden !== undefined) return invisible(hidden);
  // Capital sharp s: "ss" for readers of Unicode 15.0 and before, "ß" since.
  if (domain.includes("\u1e9e")) return mappedDomain;
  const table = uts46();
  if (!table) return notLoaded;
  const given = domain.toLowerCase();
  const ascii = table.toASCII(given, { ...checks, verifyDNSLength: false });
  if (ascii === null) return explainUnmapped(given);
  const wire = checkHostName(ascii);
  if (isProblem(wire)) return wire;
  return isStable(given.split("."), ascii.split("."), table.toUnicode) ? wire : mappedDomain;
}

type ToUnicode = NonNullable<ReturnType<typeof uts46>>["toUnicode"];

/** Whether the mapping changed nothing: each label is what its A-label decodes to, or is itself ASCII. */
function isStable(given: readonly string[], ascii: readonly string[], toUnicode: ToUnicode): boolean {
  if (given.length !== ascii.length) return false;
  return given.every((label, index) => {
    const wire = ascii[index] as string;
    if (label === wire) return true;
    // Hyphens there would be lost in the A-label, or claim to be one.
    if (label.startsWith("-") || label.endsWith("-") || label.slice(2, 4) === "--") return false;
    return toUnicode(wire, checks).domain === label;
  });
}

function explainUnmapped(domain: string): Problem {
  const plain = checkHostName(domain.replace(/[^\0-\x7f]+/g, "x"));
  return isProblem(plain) && plain !== singleLabel ? plain : notIdn;
}

/** RFC 1123 host names of at least two labels. Source of the lengths: RFC 1035, 2.3.4. */
function checkHostName(domain: string): { readonly domain: string } | Problem {
  if (domain === "") return noDomain;
  if (domain.endsWith(".") && !domain.endsWith("..")) return domainDot;
  const labels = domain.split(".");
  for (const label of labels) {
    if (label === "") return domainEmptyLabel;
    if (label.length > 63) return labelTooLong;
    if (label.startsWith("-") || label.endsWith("-")) return domainHyphen;
    for (let i = 0; i < label.length; i++) {
      const code = label.charCodeAt(i);
      if (code !== 0x2d && !(classOf(code) & DOMAIN)) return domainCharacter;
    }
  }
  // No top-level domain starts with a digit; URL parsers make numbers of such names.
  if (/^[0-9]/.test(labels[labels.length - 1] as string)) return numericDomain;
  if (labels.length < 2) return singleLabel;
  if (domain.length > longestDomain) return domainTooLong;
  return { domain };
}
