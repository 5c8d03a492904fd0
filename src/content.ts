/**
 * The content lint: what a mail says that no person wrote. Each rule looks at one kind of fault
 * and has a code, a reason and a switch; `docs/content-lint.md` has how often each is wrong.
 *
 * @module
 */
import { findBlanks } from "./content/blanks";
import { findEmpty } from "./content/empty";
import { findFixtures } from "./content/fixtures";
import { findProductionLinks, findStagingLinks, type OwnHosts } from "./content/links";
import { findPlaceholders } from "./content/placeholders";
import type { Finding, Places } from "./content/places";
import { hostsOf, placesOf } from "./content/read";
import { findMissingValues } from "./content/values";
import type { ErrorCode, Refusal } from "./errors";
import type { Message } from "./message";

/** What a rule does when it finds something. */
export type ContentLevel = "refuse" | "warn" | "off";

/** The rules about one mail, by the name of their switch. */
export type ContentRule =
  | "placeholders"
  | "missingValues"
  | "blanks"
  | "empty"
  | "fixtures"
  | "stagingLinks"
  | "productionLinks";

/** What rules need to know beside the mail. */
export interface LintContext {
  readonly provider: string;
  readonly links: OwnHosts;
}

interface Rule {
  readonly code: ErrorCode;
  readonly expected: string;
  readonly fix: string;
  readonly find: (
    places: Places,
    message: Message,
    context: LintContext,
    hosts: () => ReadonlySet<string>,
  ) => Finding | undefined;
}

const rules: Readonly<Record<ContentRule, Rule>> = {
  placeholders: {
    code: "CONTENT_PLACEHOLDER",
    expected: "text with every placeholder filled in",
    fix: "Render the template with all of its data, and with the engine it is written for.",
    find: (places, _message, context) => findPlaceholders(places, context.provider),
  },
  missingValues: {
    code: "CONTENT_UNDEFINED",
    expected: "a value wherever one should stand",
    fix: "Find out why the data is missing; then refuse to render without it, or say it otherwise.",
    find: findMissingValues,
  },
  blanks: {
    code: "CONTENT_BLANK",
    expected: "a value wherever one should stand",
    fix: "Give the value, or write the sentence so that it does without.",
    find: findBlanks,
  },
  empty: {
    code: "CONTENT_EMPTY",
    expected: "a subject and a body that a person can read",
    fix: "Look at how the mail is rendered. A mail that only brings a file needs a subject and the file.",
    find: (places, message) => findEmpty(places, () => message.attached?.() ?? false),
  },
  fixtures: {
    code: "CONTENT_TEST_FIXTURE",
    expected: "mail that was written for its reader",
    fix: "Find out which test or template this is and why it runs here; tests to colleagues pass when `internal` names them.",
    find: (places, _message, _context, hosts) => findFixtures(places, hosts()),
  },
  stagingLinks: {
    code: "CONTENT_STAGING_LINK",
    expected: "links that its reader can follow",
    fix: "Look at the setting the links' base comes from.",
    find: (_places, message, context, hosts) => findStagingLinks(hosts(), context.links, message.from),
  },
  productionLinks: {
    code: "CONTENT_PRODUCTION_LINK",
    expected: "links to this environment in mail of a test environment",
    fix: "Look at the setting the links' base comes from, and whether this environment works on production's data.",
    find: (_places, _message, context, hosts) => findProductionLinks(hosts(), context.links),
  },
};

/** The names of all rules, in the order in which they look. */
export const contentRules = Object.keys(rules) as readonly ContentRule[];

/** A mail under the lint. Its content is read once, when the first rule asks. */
export class Linted {
  #places: Places | undefined;

  constructor(
    readonly message: Message,
    readonly context: LintContext,
  ) {}

  get places(): Places {
    this.#places ??= placesOf(this.message);
    return this.#places;
  }

  /** What one rule has against the mail. */
  check(name: ContentRule): Refusal | undefined {
    const rule = rules[name];
    const finding = rule.find(this.places, this.message, this.context, () => hostsOf(this.message));
    if (!finding) return undefined;
    return {
      code: rule.code,
      message: `Expected ${rule.expected}, got ${finding.got}.`,
      fix: rule.fix,
      ...(finding.part === undefined ? {} : { where: finding.part }),
    };
  }
}
