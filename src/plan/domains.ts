/**
 * How many people of a plan have their address at which domain.
 *
 * @module
 */

/** One domain: its people, and the first entry that reaches one of them. */
export interface DomainCount {
  people: number;
  readonly entry: number;
  readonly message: number;
}

/** How many domains are told apart; people of others are counted together. */
const most = 65_536;

/** Counts people by domain, in bounded memory. */
export class Domains {
  readonly #counts = new Map<string, DomainCount>();
  #unnamed = 0;

  /** Counts a person who was not counted before. A declared audience has no domain. */
  add(person: string, entry: number, message: number): void {
    // The parser lets nobody pass who has two.
    const at = person.indexOf("@");
    const domain = at < 0 ? "(a declared audience)" : person.slice(at + 1);
    const known = this.#counts.get(domain);
    if (known) known.people++;
    else if (this.#counts.size < most) this.#counts.set(domain, { people: 1, entry, message });
    else this.#unnamed++;
  }

  /** The domains with the most people, and the rest counted; the rest's number is a lower bound beyond 65,536. */
  top(count: number): {
    readonly top: readonly { readonly name: string; readonly count: number }[];
    readonly others: { readonly domains: number; readonly people: number };
  } {
    const sorted = [...this.#counts].sort(([a, x], [b, y]) => y.people - x.people || (a < b ? -1 : 1));
    const rest = sorted.slice(count);
    return {
      top: sorted.slice(0, count).map(([name, { people }]) => ({ name, count: people })),
      others: {
        domains: rest.length + (this.#unnamed > 0 ? 1 : 0),
        people: rest.reduce((sum, [, { people }]) => sum + people, this.#unnamed),
      },
    };
  }

  /** The domain with the fewest people, where others have many more: `undefined` in an even audience. */
  outlier(): DomainCount | undefined {
    let least: DomainCount | undefined;
    let greatest = 0;
    for (const count of this.#counts.values()) {
      if (!least || count.people < least.people) least = count;
      greatest = Math.max(greatest, count.people);
    }
    return least && least.people * 10 <= greatest ? least : undefined;
  }
}
