/**
 * One provider call under judgement: what guards read and what they decided, gathered.
 *
 * @module
 */
import type { Intent } from "./adapter";
import type { Refusal } from "./errors";
import type { Diversion, Mode, Naming, Part, PresentContext, Send, Spend } from "./guard";
import type { Message } from "./message";
import type { Purpose } from "./purpose";
import type { Purposes } from "./purposes";
import type { CapSpend, OnceClaim, RateSpend } from "./store";

/** What a {@link Judged} send is made from. */
export interface SendInput {
  readonly id: string;
  readonly environment: string;
  readonly mode: Mode;
  readonly provider: string;
  readonly account: string | undefined;
  readonly stage: Send["stage"];
  readonly intent: Intent;
  readonly context: PresentContext | undefined;
  readonly at: number;
  readonly redirectedTo: string | undefined;
  /** The entry of a plan that it delivers. */
  readonly entry?: { readonly plan: string; readonly index: number } | undefined;
  /** The purpose of all messages, where it is settled already (a release, a redirect). */
  readonly purpose: Purpose | undefined;
  readonly purposes: Purposes;
  /** Declared audiences by lower-case id. */
  readonly audiences: ReadonlyMap<string, number>;
  /** The present way of naming people first. */
  readonly namings: readonly Naming[];
  readonly warn: (refusal: Refusal) => void;
}

/** A {@link Send} with what its guards decided. */
export class Judged implements Send {
  readonly id: string;
  readonly environment: string;
  readonly mode: Mode;
  readonly provider: string;
  readonly account?: string;
  readonly stage: Send["stage"];
  readonly intent: Intent;
  readonly parts: readonly Part[];
  readonly messages: readonly Message[];
  readonly context: PresentContext;
  readonly inContext: boolean;
  readonly at: number;
  readonly redirectedTo?: string;
  readonly entry?: { readonly plan: string; readonly index: number };
  readonly namings: readonly Naming[];
  readonly pseudonym: (person: string) => string;
  readonly refusals: Refusal[] = [];
  readonly warnings: Refusal[] = [];
  readonly spends: Spend[] = [];
  /** What the store is asked, of all spends. */
  readonly caps: CapSpend[] = [];
  readonly rates: RateSpend[] = [];
  readonly once: OnceClaim[] = [];
  readonly notes: { name: "evidence" | "hint"; value: string }[] = [];
  diversion: Diversion | undefined;
  readonly #warn: (refusal: Refusal) => void;

  constructor(input: SendInput) {
    this.id = input.id;
    this.environment = input.environment;
    this.mode = input.mode;
    this.provider = input.provider;
    if (input.account !== undefined) this.account = input.account;
    this.stage = input.stage;
    this.intent = input.intent;
    this.messages = "messages" in input.intent ? input.intent.messages : [];
    this.context = input.context ?? {};
    this.inContext = input.context !== undefined;
    this.at = input.at;
    if (input.redirectedTo !== undefined) this.redirectedTo = input.redirectedTo;
    if (input.entry !== undefined) this.entry = input.entry;
    this.namings = input.namings;
    this.pseudonym = (input.namings[0] as Naming).pseudonym;
    this.#warn = input.warn;
    this.parts = partition(this, input);
  }

  refuse(refusal: Refusal): void {
    this.refusals.push(refusal);
  }

  warn(refusal: Refusal): void {
    this.warnings.push(refusal);
    this.#warn(refusal);
  }

  divert(diversion: Diversion): void {
    this.diversion = diversion;
  }

  spend(spend: Spend): void {
    this.spends.push(spend);
    if ("cap" in spend) this.caps.push(spend.cap);
    else if ("rate" in spend) this.rates.push(spend.rate);
    else this.once.push(spend.once);
  }

  note(name: "evidence" | "hint", value: string): void {
    this.notes.push({ name, value });
  }
}

/** Groups the messages by purpose. Most calls have one message, or many of one purpose. */
function partition(send: Judged, input: SendInput): readonly Part[] {
  const opaque = input.intent.kind === "audience" ? input.intent.audiences : [];
  const purposeOf = (message: Message) => input.purpose ?? input.purposes.of(message, input.context?.purpose);
  const [only] = send.messages;
  if (only && send.messages.length === 1) {
    const purpose = purposeOf(only);
    if (!("code" in purpose)) return [new PartOf(purpose, send.messages, opaque, input)];
    send.refuse(purpose);
  }
  const groups = new Map<Purpose, Message[]>();
  for (const message of send.messages.length > 1 ? send.messages : []) {
    const purpose = purposeOf(message);
    if ("code" in purpose) {
      send.refuse(purpose);
      continue;
    }
    const group = groups.get(purpose);
    if (group) group.push(message);
    else groups.set(purpose, [message]);
  }
  // A call without readable messages still needs a policy to be judged by.
  if (groups.size === 0) groups.set(input.purpose ?? input.purposes.fallback, []);
  return Array.from(groups, ([purpose, messages]) => new PartOf(purpose, messages, opaque, input));
}

/** A part that is counted when it is first asked about. */
class PartOf implements Part {
  #people: Set<string> | undefined;
  #named: Map<string, readonly string[]> | undefined;

  constructor(
    readonly purpose: Purpose,
    readonly messages: readonly Message[],
    readonly opaque: readonly string[],
    readonly input: Pick<SendInput, "audiences" | "namings">,
  ) {}

  get people(): ReadonlySet<string> {
    if (this.#people) return this.#people;
    const { audiences } = this.input;
    this.#people = peopleIn(this.messages, audiences);
    for (const id of this.opaque) addPeople(this.#people, id.toLowerCase(), audiences);
    return this.#people;
  }

  pseudonyms({ id, pseudonym } = this.input.namings[0] as Naming): readonly string[] {
    const known = this.#named?.get(id);
    if (known) return known;
    const names = Array.from(this.people, pseudonym);
    this.#named ??= new Map();
    this.#named.set(id, names);
    return names;
  }
}

/** Everybody whom messages reach; a declared audience is as many people. */
export function peopleIn(messages: readonly Message[], audiences: ReadonlyMap<string, number>): Set<string> {
  const people = new Set<string>();
  for (const { recipients } of messages) for (const { person } of recipients) addPeople(people, person, audiences);
  return people;
}

// Nobody here knows who reads a list, so it counts as that many people of its own.
function addPeople(people: Set<string>, person: string, audiences: ReadonlyMap<string, number>): void {
  const size = audiences.get(person) ?? 1;
  people.add(person);
  for (let index = 1; index < size; index++) people.add(`${person}#${index}`);
}
