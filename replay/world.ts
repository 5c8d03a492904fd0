/**
 * The seeded world every scenario runs in: a company, its customers, its staff, its mailing list.
 * Another seed changes domains, names, counts and the list's address.
 */
import { createHash } from "node:crypto";

export interface Customer {
  readonly id: number;
  readonly email: string;
  readonly name: string;
  readonly tier: "top" | "plus" | "basic";
}

export interface World {
  readonly seed: number;
  /** The company's own domain. */
  readonly domain: string;
  readonly customers: readonly Customer[];
  readonly staff: readonly string[];
  /** Test accounts in the staging database. */
  readonly testers: readonly string[];
  /** An address that is a list of every customer. */
  readonly list: string;
  /** The domain of the company's own list server. */
  readonly listDomain: string;
  /** How many customers are in the top tier. */
  readonly top: number;
  /** What the company's systems of record hold: the truth that programs get wrong. */
  readonly records: Records;
}

export interface Records {
  /** Refunds that are really due: address → order. */
  readonly refunds: ReadonlyMap<string, string>;
  /** Applicants who are really admitted. */
  readonly admitted: ReadonlySet<string>;
  /** Customers who really changed their second factor today. */
  readonly changedFactor: ReadonlySet<string>;
}

/** Truths about some of the customers, each about other ones. */
function makeRecords(customers: readonly Customer[], next: () => number): Records {
  const share = (count: number) => Math.min(count, Math.floor(customers.length / 10));
  const some = (count: number) => {
    const start = Math.floor(next() * (customers.length - 2 * count));
    return customers.slice(start, start + count).map((customer) => customer.email);
  };
  return {
    refunds: new Map(some(share(400)).map((email, index) => [email, `order-${index}`])),
    admitted: new Set(some(share(500))),
    changedFactor: new Set(some(20)),
  };
}

/** A small generator (mulberry32): the same seed gives the same world on every machine. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const syllables = [
  "ka",
  "lo",
  "mi",
  "ren",
  "tas",
  "vo",
  "bel",
  "dar",
  "nu",
  "shi",
  "or",
  "wen",
  "fal",
  "gri",
  "pel",
  "zan",
];

export function makeWorld(seed: number, size: number): World {
  const next = random(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T;
  const word = () => pick(syllables) + pick(syllables) + pick(syllables);
  const domain = `${word()}.example`;
  const providers = Array.from({ length: 6 }, () => `${word()}.${pick(["test", "example"])}`);
  // Seventy-five in the story; the seed moves it a little so that nothing can be fitted to it.
  const top = Math.min(60 + Math.floor(next() * 30), Math.floor(size / 4));
  const customers = Array.from({ length: size }, (_, id): Customer => {
    const name = word();
    const local = pick([`${name}.${word()}`, `${name}${id}`, `${name}+${word()}`]);
    return { id, email: `${local}.${id}@${pick(providers)}`, name, tier: id < top ? "top" : pick(["plus", "basic"]) };
  });
  const listDomain = `${word()}.${domain}`;
  return {
    seed,
    domain,
    customers,
    staff: Array.from({ length: 3 }, () => `${word()}.${word()}@${domain}`),
    testers: Array.from({ length: 5 }, (_, index) => `qa+${index}@${domain}`),
    list: pick([
      `${word()}@${listDomain}`,
      `${pick(["everyone", "all-customers", "subscribers"])}@${word()}.example`,
      `${word()}@lists.${word()}.example`,
    ]),
    listDomain,
    top,
    records: makeRecords(customers, next),
  };
}

/** A mark in a mail's text that tells for whom, and for which campaign, it was written. */
export function markOf(campaign: string, email: string): string {
  return `ref-${createHash("sha256").update(`${campaign}\n${email.toLowerCase()}`).digest("hex").slice(0, 20)}`;
}
