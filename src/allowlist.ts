/**
 * Patterns of addresses: who may be reached in test mode, who is internal, what is a list.
 *
 * | pattern | matches |
 * | --- | --- |
 * | `ann@acme.test` | this person |
 * | `*@acme.test` | everyone at this domain, not at its subdomains |
 * | `*@*.acme.test` | everyone at any subdomain, at any depth, not at the domain itself |
 * | `qa+*@acme.test` | every tagged form of this mailbox |
 * | `*` | everything |
 *
 * Patterns are anchored, compared lower-cased, and know internationalised domains in both forms.
 * A wildcard never matches a local part with `%`, `!`, `/` or `|`: servers that route on these
 * hand such mail to someone else.
 *
 * @module
 */
import type { Address } from "./address";
import { parseAddress } from "./address";
import { MailfuseError } from "./errors";

/** Who is let through, for the start-up line and `describe()`. Names no person. */
export interface AllowlistDescription {
  /** `true` when `*` is among the patterns. */
  readonly everything: boolean;
  /** The patterns with a wildcard, as they are compared, sorted. */
  readonly wildcards: readonly string[];
  /** How many single people are listed. */
  readonly people: number;
}

/** Compiled patterns. */
export interface Allowlist {
  /** Whether any pattern matches. Costs the same whatever the number of patterns. */
  allows(address: Pick<Address, "address" | "person">): boolean;
  describe(): AllowlistDescription;
}

/** How patterns are compiled. */
export interface AllowlistOptions {
  /** The name of the configuration key, for errors. @default "allow" */
  readonly key?: string;
  /**
   * Also takes `billing@*`, this local part at any domain. For patterns of senders; recipients are
   * never told apart by it, since anyone may own such a mailbox. @default false
   */
  readonly anyDomain?: boolean;
}

/**
 * Compiles patterns, once.
 *
 * @throws MailfuseError `CONFIG_INVALID` for a pattern of another form.
 * @example
 * ```ts
 * const allow = compileAllowlist(["*@acme.test", "qa+*@acme.com"]);
 * allow.allows({ address: "qa+42@acme.com", person: "qa+42@acme.com" }); // true
 * ```
 */
export function compileAllowlist(patterns: readonly string[], options: AllowlistOptions = {}): Allowlist {
  const key = options.key ?? "allow";
  if (!Array.isArray(patterns)) throw refuse(key, "an array of patterns", `${typeof patterns}`);
  const rules = new Rules();
  patterns.forEach((pattern: unknown, index) => {
    const place = `${key}[${index}]`;
    if (typeof pattern !== "string") throw refuse(place, "a pattern as a string", typeof pattern);
    add(rules, pattern.trim(), place, options.anyDomain ?? false);
  });
  return { allows: ({ person }) => rules.match(person), describe: () => rules.describe() };
}

/** Tagged forms of mailboxes at one domain: `local` must start with one of `prefixes`. */
interface Tagged {
  readonly prefixes: Set<string>;
  /** The lengths that occur, so that a look-up cuts and asks once per length, not per prefix. */
  readonly lengths: Set<number>;
}

/** Look-up tables, one per form, keyed by whole addresses or domains: no pattern is tried in turn. */
class Rules {
  everything = false;
  readonly people = new Set<string>();
  readonly domains = new Set<string>();
  readonly parents = new Set<string>();
  readonly tagged = new Map<string, Tagged>();
  readonly locals = new Set<string>();

  match(person: string): boolean {
    if (this.everything || this.people.has(person)) return true;
    const at = person.lastIndexOf("@");
    if (at < 1) return false;
    const domain = person.slice(at + 1);
    const covered =
      this.domains.has(domain) ||
      (this.parents.size > 0 && this.#isBelow(domain)) ||
      (this.tagged.size > 0 && this.#isTagged(person, at, domain)) ||
      (this.locals.size > 0 && this.locals.has(person.slice(0, at)));
    return covered && !mayRoute(person, at);
  }

  describe(): AllowlistDescription {
    const wildcards = [
      ...[...this.domains].map((domain) => `*@${domain}`),
      ...[...this.parents].map((domain) => `*@*.${domain}`),
      ...[...this.tagged].flatMap(([domain, { prefixes }]) => [...prefixes].map((prefix) => `${prefix}*@${domain}`)),
      ...[...this.locals].map((local) => `${local}@*`),
    ];
    return { everything: this.everything, wildcards: wildcards.sort(), people: this.people.size };
  }

  #isBelow(domain: string): boolean {
    for (let dot = domain.indexOf("."); dot >= 0; dot = domain.indexOf(".", dot + 1)) {
      if (this.parents.has(domain.slice(dot + 1))) return true;
    }
    return false;
  }

  #isTagged(person: string, at: number, domain: string): boolean {
    const tagged = this.tagged.get(domain);
    if (!tagged) return false;
    for (const length of tagged.lengths) {
      if (length <= at && tagged.prefixes.has(person.slice(0, length))) return true;
    }
    return false;
  }
}

/** Whether the local part of `person`, which ends at `at`, holds a sign that servers route on. */
function mayRoute(person: string, at: number): boolean {
  for (let i = 0; i < at; i++) {
    const code = person.charCodeAt(i);
    // % ! / | and what can only come from an address this package has not read
    if (code === 0x25 || code === 0x21 || code === 0x2f || code === 0x7c || code === 0x40 || code === 0x22) return true;
  }
  return false;
}

function add(rules: Rules, pattern: string, place: string, anyDomain: boolean): void {
  if (pattern === "*") {
    rules.everything = true;
    return;
  }
  const at = pattern.lastIndexOf("@");
  const local = pattern.slice(0, Math.max(at, 0));
  const domain = pattern.slice(at + 1);
  if (at < 1) throw wrongForm(place, "a pattern without a local part and an `@`");
  if (anyDomain && domain === "*" && !local.includes("*")) {
    rules.locals.add(readLocal(local, place));
    return;
  }
  const below = domain.startsWith("*.");
  const base = below ? domain.slice(2) : domain;
  if (base.includes("*")) throw wrongForm(place, "a `*` inside the domain");
  if (below && local !== "*") throw wrongForm(place, "a `*.` domain behind something else than `*@`");
  if (local === "*") {
    if (below) rules.parents.add(readParent(base, place));
    else rules.domains.add(domainOf(read(`x@${base}`, place).person));
    return;
  }
  if (!local.includes("*")) {
    rules.people.add(read(pattern, place).person);
    return;
  }
  if (local.indexOf("*") !== local.length - 1) throw wrongForm(place, "a `*` inside the local part");
  if (!local.endsWith("+*")) throw wrongForm(place, "a `*` in the local part that no `+` stands before");
  addTagged(rules, read(`${local.slice(0, -1)}@${base}`, place).person, place);
}

function addTagged(rules: Rules, person: string, place: string): void {
  const at = person.lastIndexOf("@");
  if (mayRoute(person, at)) throw wrongForm(place, "a wildcard behind `%`, `!`, `/` or `|`, which it never matches");
  const tagged = rules.tagged.get(domainOf(person)) ?? { prefixes: new Set(), lengths: new Set() };
  tagged.prefixes.add(person.slice(0, at));
  tagged.lengths.add(at);
  rules.tagged.set(domainOf(person), tagged);
}

/** Top-level domains that nobody can register (RFC 2606), where a bare one is a sound base. */
const reserved = new Set(["test", "example", "invalid", "localhost"]);

function readParent(base: string, place: string): string {
  const lower = base.toLowerCase();
  if (reserved.has(lower)) return lower;
  // Two labels at least, as any address needs: `*@*.com` would be everything without saying so.
  return domainOf(read(`x@${base}`, place).person);
}

function readLocal(local: string, place: string): string {
  const person = read(`${local}@acme.test`, place).person;
  if (mayRoute(person, person.lastIndexOf("@"))) {
    throw wrongForm(place, "a wildcard behind `%`, `!`, `/` or `|`, which it never matches");
  }
  return person.slice(0, person.lastIndexOf("@"));
}

function read(text: string, place: string): Address {
  const address = parseAddress(text, place);
  if ("code" in address) throw wrongForm(place, `a pattern that is no address (${address.message.slice(0, -1)})`);
  // Without this, `Ann <ann@acme.test>` would pass for a pattern.
  if (address.name !== undefined || /[<>\s]/.test(text)) throw wrongForm(place, "a pattern with a name or white space");
  return address;
}

function domainOf(person: string): string {
  return person.slice(person.lastIndexOf("@") + 1);
}

function wrongForm(place: string, got: string): MailfuseError {
  return refuse(place, "`name@example.com`, `*@acme.test`, `*@*.acme.test`, `qa+*@acme.test` or `*`", got);
}

// The pattern itself is not shown: it may be a person's address.
function refuse(where: string, expected: string, got: string): MailfuseError {
  return new MailfuseError({
    code: "CONFIG_INVALID",
    message: `Expected ${expected}, got ${got}.`,
    fix: "Write the pattern in one of these forms; list subdomains and mailboxes one by one where no form fits.",
    where,
  });
}

/** The allowlist in words. Single people are counted, not named: this goes into logs and errors. */
export function allowText(allow: AllowlistDescription): string {
  const single = allow.people > 0 ? [`${allow.people} single address${allow.people > 1 ? "es" : ""}`] : [];
  return [...allow.wildcards, ...single].join(", ") || "nobody";
}
