/** What counts as an address in what mailfuse says and keeps. */

/**
 * Every address of a domain that nobody can own (RFC 2606, 6761), and of the few others that tests
 * use. `test/leaks/leaks.test.ts` refuses a test with an address of any other domain.
 */
const domains = ["test", "example", "invalid", "localhost", "local", "example\\.(?:com|net|org)"];
const used = ["acme\\.com", "acme\\.123", "resend\\.dev", "amazonses\\.com", "mail\\.b"];

// A label as it stands in text, and in UTF-8 read as Latin-1.
const label = "[\\w\\u0080-\\uffff-]+";
const domain = `(?:${label}\\.)*(?:${[...domains, ...used].join("|")})(?![\\w-]|\\.\\w)`;
const plain = new RegExp(`@${domain}`, "giu");
/** The ways in which an @ is written where it may not stand. */
const escapes = /%40|=40|&#(?:64|x40);|&commat;|\\u0040/iu;
const escaped = new RegExp(`(?:${escapes.source})${domain}`, "giu");
/** What stands before the @: the end of what is no separator. */
const local = /[^\s"'`<>(),;:\\[\]{}|@/=\p{Cc}]{1,64}$/u;

/**
 * A pattern of an allowlist names nobody, and neither does the id of a message, which nodemailer and
 * providers build of a random number and a domain.
 */
const nobody = /\*|^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$|^\W*$/iu;

/** Those that mailfuse's own texts show as examples, and what it makes up itself. No test mails to them. */
export const ownExamples = /^(?:name|other|inbox)@example\.com$|@mailfuse\.invalid$/i;

/** The addresses in a text, or in bytes read as Latin-1. */
export function addressesIn(text: string): string[] {
  const found = text.includes("@") ? matches(text, plain) : [];
  return escapes.test(text) ? [...found, ...matches(text, escaped)] : found;
}

function matches(text: string, pattern: RegExp): string[] {
  const found: string[] = [];
  for (const { 0: rest, index } of text.matchAll(pattern)) {
    const before = local.exec(text.slice(Math.max(0, index - 64), index))?.[0] ?? "";
    const whole = `${before}${rest}`;
    if (!nobody.test(before) && !ownExamples.test(whole)) found.push(whole);
  }
  return found;
}
