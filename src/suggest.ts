/**
 * Purposes and caps for a configuration, from what left so far: the ledger says how many people
 * each kind of mail reached in an hour and in a day. What it does not know, it does not suggest.
 *
 * @module
 */
import type { Core } from "./core";
import { undeclared } from "./purpose";
import type { LedgerLine } from "./store";

/** What the mail of one kind did, and the policy that fits it with room to spare. */
export interface SuggestedPurpose {
  readonly name: string;
  /** Whether the configuration declares it already. */
  readonly declared: boolean;
  /** The tag or template it is told by, where mail carries one. */
  readonly match?: { readonly tag?: string; readonly template?: string };
  /** `bulk` where most of a day's mail leaves within ten minutes and reaches many. */
  readonly kind: "stream" | "bulk";
  /** Distinct people in the busiest hour and day, messages to the most mailed person in an hour. */
  readonly seen: { readonly messages: number; readonly hour: number; readonly day: number; readonly perPerson: number };
  readonly caps: readonly { readonly people: number; readonly per: "1h" | "24h" }[];
  readonly perPerson: { readonly messages: number; readonly per: "1h" };
}

/** What `fuse.suggest` found. */
export interface Suggestion {
  /** Milliseconds between the first and the last mail that was looked at. */
  readonly spanMs: number;
  readonly messages: number;
  /** Mail that names no purpose and carries neither tag nor template is `(none)`: that is `defaults`. */
  readonly purposes: readonly SuggestedPurpose[];
  /** `purposes` and `defaults`, to paste into the configuration. */
  readonly config: string;
}

const hour = 3_600_000;
const day = 24 * hour;
const burst = 600_000;
/** A burst to fewer people than this is no mass mail. */
const many = 50;
/** So many names are told apart; what comes after is counted with mail that has none. */
const mostNames = 200;

/** Reads the ledger's reserved lines, from the oldest kept to the newest. */
export async function suggestPolicy(core: Core): Promise<Suggestion> {
  await core.ready();
  const seen = new Map<string, Seen>();
  let first: number | undefined;
  let last = 0;
  let messages = 0;
  for await (const { at, event } of reserved(core)) {
    first ??= at;
    last = at;
    messages += event.messages ?? 1;
    for (const name of namesOf(event)) {
      const key = seen.has(name) || seen.size < mostNames ? name : undeclared;
      const one = seen.get(key) ?? new Seen();
      seen.set(key, one);
      one.add(at, event.people ?? [], event.messages ?? 1);
    }
  }
  const purposes = [...seen]
    .map(([name, one]) => suggested(core, name, one))
    .sort((a, b) => b.seen.messages - a.seen.messages);
  return { spanMs: first === undefined ? 0 : last - first, messages, purposes, config: configText(purposes) };
}

/** What of a ledger line is read here. */
interface ReservedEvent {
  readonly type?: string;
  readonly stage?: string;
  readonly redirected?: boolean;
  readonly purposes?: readonly string[];
  readonly people?: readonly string[];
  readonly messages?: number;
  readonly notes?: readonly string[];
}

async function* reserved(core: Core): AsyncGenerator<{ at: number; event: ReservedEvent }> {
  for (let after = 0; ; ) {
    const lines: readonly LedgerLine[] = await core.store.read(after, 1_000);
    for (const { at, event } of lines) {
      const parsed = JSON.parse(event) as ReservedEvent;
      if (parsed.type === "reserved" && parsed.redirected !== true) yield { at, event: parsed };
    }
    const newest = lines.at(-1)?.seq;
    if (newest === undefined) return;
    after = newest;
  }
}

function namesOf(event: ReservedEvent): readonly string[] {
  const hints = (event.notes ?? []).flatMap((note) => (note.startsWith("hint:") ? [note.slice(5)] : []));
  return (event.purposes ?? []).flatMap((name) => (name === undeclared && hints.length > 0 ? hints : [name]));
}

/** Distinct people in any window of three lengths, at its most. */
class Seen {
  readonly #windows = [new Busiest(burst), new Busiest(hour), new Busiest(day)] as const;
  messages = 0;

  add(at: number, people: readonly string[], messages: number): void {
    this.messages += messages;
    for (const window of this.#windows) window.add(at, people);
  }

  get most() {
    const [inBurst, inHour, inDay] = this.#windows;
    return { burst: inBurst.people, hour: inHour.people, day: inDay.people, perPerson: inHour.perPerson };
  }
}

/** Slides one window over the ledger. */
class Busiest {
  readonly #events: { readonly at: number; readonly people: readonly string[] }[] = [];
  readonly #counts = new Map<string, number>();
  #from = 0;
  people = 0;
  perPerson = 0;

  constructor(readonly lengthMs: number) {}

  add(at: number, people: readonly string[]): void {
    this.#events.push({ at, people });
    for (const person of people) {
      const count = (this.#counts.get(person) ?? 0) + 1;
      this.#counts.set(person, count);
      this.perPerson = Math.max(this.perPerson, count);
    }
    for (let oldest = this.#events[this.#from]; oldest && oldest.at <= at - this.lengthMs; ) {
      for (const person of oldest.people) {
        const count = (this.#counts.get(person) ?? 1) - 1;
        if (count === 0) this.#counts.delete(person);
        else this.#counts.set(person, count);
      }
      oldest = this.#events[++this.#from];
    }
    // Now and then, not each time: shifting an array costs its length.
    if (this.#from > 10_000) {
      this.#events.splice(0, this.#from);
      this.#from = 0;
    }
    this.people = Math.max(this.people, this.#counts.size);
  }
}

function suggested(core: Core, name: string, one: Seen): SuggestedPurpose {
  const { most } = one;
  const hint = /^(tag|template)=(.*)$/s.exec(name);
  const declared = core.settings.purposes.get(name);
  const isBulk = most.burst >= many && most.burst >= most.day * 0.8;
  return {
    name: hint ? slug(hint[2] as string) : name,
    declared: declared !== undefined,
    ...(hint ? { match: { [hint[1] as string]: hint[2] as string } } : {}),
    kind: declared?.kind ?? (isBulk ? "bulk" : "stream"),
    seen: { messages: one.messages, hour: most.hour, day: most.day, perPerson: most.perPerson },
    caps: [
      { people: roomy(most.hour), per: "1h" },
      { people: Math.max(roomy(most.day), roomy(most.hour)), per: "24h" },
    ],
    perPerson: { messages: Math.max(3, most.perPerson * 2), per: "1h" },
  };
}

/** Twice what was seen, up to the next 1, 2 or 5: a good day fits, a wrong audience does not. */
function roomy(people: number): number {
  const wanted = Math.max(10, people * 2);
  const power = 10 ** Math.floor(Math.log10(wanted));
  return ([1, 2, 5, 10].find((step) => step * power >= wanted) ?? 10) * power;
}

function slug(text: string): string {
  return (
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-|-$/g, "") || "mail"
  );
}

function configText(purposes: readonly SuggestedPurpose[]): string {
  const named = purposes.filter(({ name }) => name !== undeclared);
  const rest = purposes.find(({ name }) => name === undeclared);
  const lines = named.map((one) => {
    const match = one.match ? ` match: ${literal(one.match)},` : "";
    const caps = one.caps.map(literal).join(", ");
    return `  ${JSON.stringify(one.name)}: { kind: "${one.kind}",${match} caps: [${caps}], perPerson: [${literal(one.perPerson)}] }, // ${saw(one)}`;
  });
  const purposesText = lines.length > 0 ? `purposes: {\n${lines.join("\n")}\n},\n` : "";
  return `${purposesText}${rest ? `defaults: { caps: [${rest.caps.map(literal).join(", ")}] }, // ${saw(rest)}\n` : ""}`;
}

function saw({ seen }: SuggestedPurpose): string {
  return `seen: ${seen.messages} messages, at most ${seen.hour} people an hour, ${seen.day} a day`;
}

function literal(value: object): string {
  const fields = Object.entries(value).map(([key, one]) => `${key}: ${JSON.stringify(one)}`);
  return `{ ${fields.join(", ")} }`;
}
