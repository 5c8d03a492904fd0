/**
 * Tells the people of an incident apart: for whom the mail was right, and for whom not.
 *
 * @module
 */
import { parseAddress } from "../../address";
import type { Core } from "../../core";
import { MailfuseError } from "../../errors";
import { findAddresses } from "../addresses";
import type { CorrectionPerson, IncidentOptions } from "../incident";
import { type Standing, standing } from "./gather";

/** What is known of a person whom a mail reached, or may have reached. */
export interface Reached {
  standing: Standing;
  /** `undefined`: not known, since nobody could say or nobody was asked. */
  right: boolean | undefined;
  /** Whether the person's address is there, destroyed, or sealed under a secret that is not configured. */
  address: "known" | "destroyed" | "locked";
}

/** The people of an incident, judged. */
export interface Judgement {
  readonly people: ReadonlyMap<string, Reached>;
  /** Whether somebody was there to say for whom it was right. */
  readonly asked: boolean;
  /** Answers that were an error, or neither yes nor no. */
  readonly failed: number;
}

type Found = Pick<Core, "store" | "secrets">;

/** People asked about at once, and questions to an oracle under way at once. */
const batchSize = 500;
const lanes = 20;

/** Judges everyone whom a mail reached or may have reached between two times. */
export async function judgePeople(
  core: Found,
  gathered: ReadonlyMap<string, Standing>,
  from: number,
  to: number,
  right: IncidentOptions["right"],
): Promise<Judgement> {
  const people = new Map<string, Reached>();
  for (const [person, how] of gathered)
    if (how >= standing.unknown) people.set(person, { standing: how, right: undefined, address: "destroyed" });
  let failed = 0;
  const oracle = typeof right === "function" ? right : undefined;
  for (const batch of batches([...people.keys()])) {
    const found = await findAddresses(core, batch, from, to);
    const questions: (() => Promise<void>)[] = [];
    found.forEach((address, index) => {
      const person = batch[index] as string;
      const known = people.get(person);
      if (!known) return;
      known.address = address === undefined ? "destroyed" : address === null ? "locked" : "known";
      if (typeof address !== "string") return;
      const reached = together(core, people, person, known, address);
      if (!oracle) return;
      questions.push(async () => {
        reached.right = await answer(oracle, address);
        if (reached.right === undefined) failed++;
      });
    });
    await inLanes(questions);
  }
  if (right !== undefined && typeof right !== "function") await markListed(core, people, right);
  return { people, asked: right !== undefined, failed };
}

/** A person mailed before and after a change of the secret has two names, and is one person. */
function together(core: Found, people: Map<string, Reached>, person: string, known: Reached, address: string): Reached {
  const names = core.secrets.ids.length > 1 ? core.secrets.pseudonyms(address.toLowerCase()) : [];
  for (const other of names) {
    const twin = other === person ? undefined : people.get(other);
    if (!twin) continue;
    known.standing = Math.max(known.standing, twin.standing) as Standing;
    people.delete(other);
  }
  return known;
}

async function answer(oracle: (address: string) => boolean | Promise<boolean>, address: string) {
  try {
    const said: unknown = await oracle(address);
    return typeof said === "boolean" ? said : undefined;
  } catch {
    // An oracle that fails has not said yes: nobody is taken to be right, nor wrong.
    return undefined;
  }
}

/** A list says yes to those on it and no to all others. */
async function markListed(
  core: Found,
  people: ReadonlyMap<string, Reached>,
  right: Iterable<string> | AsyncIterable<string>,
): Promise<void> {
  for (const known of people.values()) known.right = false;
  let index = 0;
  for await (const address of right) {
    const parsed = parseAddress(address, `right[${index++}]`);
    if ("code" in parsed) throw new MailfuseError(parsed);
    for (const person of core.secrets.pseudonyms(parsed.person)) {
      const known = people.get(person);
      if (known) known.right = true;
    }
  }
}

/** Whom a correction goes to: accepted and unknown, less those for whom it was right. Addresses are read in batches. */
export async function* audienceOf(
  core: Found,
  { people }: Judgement,
  from: number,
  to: number,
): AsyncGenerator<CorrectionPerson> {
  const wrong = [...people].filter(([, { right, address }]) => right === false && address === "known");
  for (const batch of batches(wrong)) {
    const found = await findAddresses(
      core,
      batch.map(([person]) => person),
      from,
      to,
    );
    for (const [index, address] of found.entries()) {
      const [, known] = batch[index] as (typeof batch)[number];
      if (typeof address === "string") yield { address, mayHave: known.standing === standing.unknown };
    }
  }
}

function* batches<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += batchSize) yield items.slice(start, start + batchSize);
}

async function inLanes(work: readonly (() => Promise<void>)[]): Promise<void> {
  let next = 0;
  const lane = async () => {
    for (let one = work[next++]; one; one = work[next++]) await one();
  };
  await Promise.all(Array.from({ length: Math.min(lanes, work.length) }, lane));
}
