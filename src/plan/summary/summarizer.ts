/**
 * Computes a plan's summary from its entries as they pass, in bounded memory. The same entries give
 * the same summary, whether they are rehearsed now or read back from a spool.
 *
 * @module
 */
import { findPlaceholders } from "../../content/placeholders";
import type { Places } from "../../content/places";
import { hostsOf, placesOf } from "../../content/read";
import type { ErrorCode } from "../../errors";
import type { Message } from "../../message";
import type { Purpose } from "../../purpose";
import { Domains } from "../domains";
import { People } from "../people";
import { ClaimTally } from "./claims";
import { emptyFields } from "./gaps";
import { Picks, type Place } from "./picks";
import { Tally } from "./tallies";
import type { PlanSummary, SummarySample } from "./types";
import { Variants } from "./variants";

/** One entry on its way into a plan. */
export interface Counted {
  readonly index: number;
  readonly provider: string;
  readonly messages: readonly Message[];
  /** Pseudonyms, those of declared audiences among them. */
  readonly people: readonly string[];
  readonly data: unknown;
  readonly order: number | undefined;
  readonly warned: readonly ErrorCode[];
  readonly refused: readonly ErrorCode[];
}

/** What of a summary comes from elsewhere. */
export type SummaryFacts = Pick<
  PlanSummary,
  | "environment"
  | "requester"
  | "expectedPeople"
  | "entries"
  | "failed"
  | "items"
  | "silentItems"
  | "refusals"
  | "lostSends"
> &
  Partial<Pick<PlanSummary, "population" | "last" | "excluded">>;

const shownDomains = 20;
const shownHosts = 30;

/** The summary of one plan in the making. */
export class Summarizer {
  readonly people: People;
  readonly claims = new ClaimTally();
  readonly #domains = new Domains();
  readonly #variants = new Variants();
  readonly #picks: Picks;
  readonly #hosts = new Tally(10_000);
  readonly #senders = new Tally(100, 320);
  readonly #unbound = new Tally(100);
  readonly #placeholders = new Tally(100);
  readonly #warnings = new Tally(100);
  #messages = 0;
  #links = 0;

  constructor(
    readonly plan: string,
    readonly purpose: Purpose,
    readonly pseudonym: (person: string) => string,
    expectedPeople: number,
  ) {
    this.people = new People(expectedPeople);
    this.#picks = new Picks(plan);
  }

  /** Counts an entry. Says how many of its mails go to somebody who was addressed before. */
  add(entry: Counted): number {
    const place = { entry: entry.index, message: 0 };
    const twice = this.#addPeople(entry);
    const gaps = emptyFields(entry.data).length;
    if (gaps > 0) this.#picks.greatest("empty-field", gaps, place);
    if (entry.order !== undefined) {
      this.#picks.greatest("newest", entry.order, place);
      this.#picks.greatest("oldest", -entry.order, place);
    }
    for (const code of entry.warned) this.#warnings.add(code);
    if (entry.warned.length > 0) this.#picks.list("warned", place);
    for (const [index, message] of entry.messages.entries()) this.#addMessage(entry, message, index);
    return twice;
  }

  /** An entry is refused: people should see some of these. */
  refused(index: number): void {
    this.#picks.list("refused", { entry: index, message: 0 });
  }

  #addPeople(entry: Counted): number {
    let twice = 0;
    for (const [index, message] of entry.messages.entries()) {
      for (const { field, person } of message.recipients) {
        const pseudonym = this.pseudonym(person);
        if (this.people.add(pseudonym)) this.#domains.add(person, entry.index, index);
        if (field === "to" && this.people.count(pseudonym) > 1) twice++;
      }
    }
    for (const pseudonym of entry.people) if (this.people.add(pseudonym)) this.#domains.add("", entry.index, 0);
    return twice;
  }

  #addMessage(entry: Counted, message: Message, index: number): void {
    const place = { entry: entry.index, message: index };
    const places = placesOf(message);
    const text = readingText(places);
    this.#messages++;
    this.#picks.greatest("longest", text.length, place);
    this.#picks.greatest("shortest", -text.length, place);
    this.#picks.draw(place);
    this.#variants.add(places.subject, text, entry.index, index);
    for (const host of hostsOf(message)) this.#hosts.add(host);
    this.#links = Math.max(this.#links, places.attributes.filter(({ name }) => name === "href").length);
    this.#senders.add(message.from ?? "(none that can be read)");
    if (places.content.unbound !== undefined) this.#unbound.add(places.content.unbound);
    this.#addPlaceholders(entry, places);
  }

  /** The guard has looked already, unless it is told not to. */
  #addPlaceholders(entry: Counted, places: Places): void {
    const silent = this.purpose.content.levels.placeholders === "off";
    const found = (codes: readonly ErrorCode[]) => codes.includes("CONTENT_PLACEHOLDER");
    if (!silent && !found(entry.warned) && !found(entry.refused)) return;
    const placeholder = findPlaceholders(places, entry.provider);
    if (placeholder) this.#placeholders.add(placeholder.got);
  }

  /** The mails people should look at, with why. */
  picks() {
    const more: [SummarySample["why"][number], Place | undefined][] = [
      ["outlier-domain", this.#domains.outlier()],
      ["rare-text", this.#variants.rarest()],
    ];
    return this.#picks.all(more);
  }

  finish(facts: SummaryFacts, samples: readonly SummarySample[]): PlanSummary {
    const { top, others } = this.#domains.top(shownDomains);
    const { population, last, excluded, ...rest } = facts;
    return {
      v: 1,
      plan: this.plan,
      purpose: this.purpose.name,
      ...rest,
      people: this.people.size,
      messages: this.#messages,
      ...(population ? { population } : {}),
      ...(last ? { last } : {}),
      domains: top,
      otherDomains: others,
      samples,
      ...(this.purpose.claim ? { claims: this.claims.result() } : {}),
      variants: this.#variants.result(),
      placeholders: this.#placeholders.result(20),
      hosts: this.#hosts.result(shownHosts),
      otherHosts: this.#hosts.beyond(shownHosts),
      links: this.#links,
      senders: this.#senders.result(10),
      unbound: this.#unbound.result(20),
      warnings: this.#warnings.result(30),
      ...(excluded ? { excluded } : {}),
    };
  }
}

/** What a person reads: the HTML's visible text, or the plain one. */
export function readingText(places: Places): string {
  return (places.page?.visible ? places.page.text : (places.text ?? places.page?.text)) ?? "";
}
