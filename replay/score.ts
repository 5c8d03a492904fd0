/**
 * Compares what arrived with what was intended. The programs cannot read the intention.
 */
import type { Delivered } from "./mail-server";

/** Who should get which text: address → mark. */
export type Intended = ReadonlyMap<string, string>;

export interface Figures {
  /** Mails that arrived in mailboxes. */
  readonly delivered: number;
  /** People who got a mail not meant for them, or another person's text. */
  readonly wrong: number;
  /** Mails beyond the first of the same text to the same person. */
  readonly duplicates: number;
  /** Pairs of a recipient and another person's address that it was shown. */
  readonly disclosed: number;
  /** People it was meant for who got nothing that was meant for them. */
  readonly missed: number;
  /** Sends or plans that mailfuse refused. */
  readonly refused: number;
  /** The codes of the refusals, the most frequent first. */
  readonly codes: readonly string[];
}

export function score(
  arrived: readonly Delivered[],
  intended: Intended,
  refusals: readonly string[],
  list: string,
): Figures {
  const wrong = new Set<string>();
  const right = new Set<string>();
  const seen = new Set<string>();
  let duplicates = 0;
  const disclosed = new Set<string>();
  for (const { person, marks, shown } of arrived) {
    const meant = intended.get(person);
    if (meant !== undefined && marks.length > 0 && marks.every((mark) => mark === meant)) right.add(person);
    else wrong.add(person);
    const text = `${person}\n${marks.join()}`;
    if (seen.has(text)) duplicates++;
    seen.add(text);
    // A list's own address tells nobody about anybody.
    for (const other of shown) if (other !== person && other !== list) disclosed.add(`${person}\n${other}`);
  }
  const missed = [...intended.keys()].filter((person) => !right.has(person)).length;
  return {
    delivered: arrived.length,
    wrong: wrong.size,
    duplicates,
    disclosed: disclosed.size,
    missed,
    refused: refusals.length,
    codes: byFrequency(refusals),
  };
}

function byFrequency(codes: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).map(([code]) => code);
}
