/**
 * Sealed addresses in PostgreSQL.
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import type { Reservation, SealedAddresses, Store } from "../../store";
import { type Database, joined, name, pack, unpack, whole } from "./database";

/** How many one statement reads or destroys: far within a deadline. */
const step = 5_000;

/** How many one statement writes: a few milliseconds of the server, for everybody waits meanwhile. */
const writeStep = 2_000;

/**
 * The addresses of one batch as an argument of `reserve`: buckets' keys and names, then per address the
 * reservation's place, its bucket's place, the person and the ciphertext. Places start at 1.
 */
export class Addresses {
  readonly #buckets = new Map<string, number>();
  readonly #rows: {
    readonly place: number;
    readonly bucket: number;
    readonly person: string;
    readonly sealed: string;
  }[] = [];

  add(place: number, { bucket, sealed }: SealedAddresses): void {
    if (sealed.length === 0) return;
    const known = this.#buckets.get(bucket) ?? this.#buckets.size + 1;
    this.#buckets.set(bucket, known);
    for (const [person, text] of sealed)
      this.#rows.push({ place, bucket: known, person: name(person), sealed: pack(text) });
  }

  /** Empty where there are none. */
  lists(): string {
    if (this.#rows.length === 0) return "";
    const names = [...this.#buckets.keys()];
    return [
      joined(names.map(name)),
      joined(names.map(pack)),
      this.#rows.map(({ place }) => place).join(),
      this.#rows.map(({ bucket }) => bucket).join(),
      joined(this.#rows.map(({ person }) => person)),
      joined(this.#rows.map(({ sealed }) => sealed)),
    ].join("\u001d");
  }
}

/** Whether a reservation brings more addresses than its own statement shall write. */
export function bringsMany({ addresses }: Reservation): boolean {
  return (addresses?.sealed.length ?? 0) > writeStep;
}

/**
 * Addresses of a large call, in a bucket that nobody reads before the reservation shows it. One that is never shown,
 * because its process died, is pruned.
 */
export class StagedAddresses {
  readonly #database: Database;
  readonly #s: string;
  /** As the reservation names it. No name of a bucket begins with it. */
  readonly bucket = `\u0002${randomUUID()}`;

  private constructor(database: Database, s: string) {
    this.#database = database;
    this.#s = s;
  }

  static async begin(database: Database, s: string, { bucket, sealed }: SealedAddresses): Promise<StagedAddresses> {
    const staged = new StagedAddresses(database, s);
    try {
      for (let from = 0; from < sealed.length; from += writeStep) {
        const some = sealed.slice(from, from + writeStep);
        const people = joined(some.map(([person]) => name(person)));
        const texts = joined(some.map(([, text]) => pack(text)));
        await database.write(`${s}.stage_addresses`, [staged.bucket, pack(bucket), people, texts]);
      }
      return staged;
    } catch (error) {
      await staged.drop().catch(() => {});
      throw error;
    }
  }

  /** Destroys them, unless their reservation has passed. */
  async drop(): Promise<void> {
    for (let gone = step; gone === step; )
      gone = whole((await this.#database.write(`${this.#s}.unstage_addresses`, [this.bucket, step]))[1]);
  }
}

/** The methods of the store that read and destroy addresses. Reservations write them. */
export function addressesIn(
  database: Database,
  s: string,
): Pick<Store, "addresses" | "addressBuckets" | "forgetAddresses"> {
  return {
    async addresses(bucket, people) {
      const text = `SELECT (
          SELECT a.sealed FROM ${s}.buckets b JOIN ${s}.addresses a ON a.bucket = b.id AND a.person = p.name
          WHERE b.name = $1 AND b.shown ORDER BY b.made LIMIT 1
        ) AS sealed FROM unnest(string_to_array($2, E'\\x1f')) WITH ORDINALITY AS p (name, n) ORDER BY p.n`;
      const all: (string | undefined)[] = [];
      for (const some of steps(people)) {
        const rows = await database.rows(text, [pack(bucket), joined(some.map(name))]);
        for (const row of rows as readonly { sealed: unknown }[])
          all.push(row.sealed === null ? undefined : unpack(row.sealed));
      }
      return all;
    },
    async addressBuckets() {
      const text = `SELECT DISTINCT b.name FROM ${s}.buckets b WHERE b.shown AND EXISTS (SELECT FROM ${s}.addresses a WHERE a.bucket = b.id)`;
      const rows = (await database.rows(text)) as readonly { name: unknown }[];
      return rows.map((row) => unpack(row.name)).sort();
    },
    async forgetAddresses(what) {
      let gone = 0;
      if ("people" in what) {
        for (const some of steps(what.people))
          gone += whole(await database.one(`SELECT ${s}.forget_people($1)`, [joined(some.map(name))]));
        return gone;
      }
      for (let went = step; went === step; gone += went)
        went = whole(await database.one(`SELECT ${s}.forget_bucket($1, $2)`, [pack(what.bucket), step]));
      return gone;
    },
  };
}

function* steps(people: readonly string[]): Generator<readonly string[]> {
  for (let from = 0; from < people.length; from += step) yield people.slice(from, from + step);
}
