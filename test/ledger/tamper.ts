/** Random ledgers, and random ways to change one after it was sealed. */
import type { LedgerLine } from "../../src/store";

export type Random = (below: number) => number;

/** Numbers from a seed (mulberry32), so that a failure can be repeated. */
export function random(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

/** A store of lines and nothing else: what tampering sees. */
export function lineStore(start: readonly LedgerLine[] = []) {
  let lines = [...start];
  let at = 1_700_000_000_000;
  return {
    get lines(): readonly LedgerLine[] {
      return lines;
    },
    set(next: readonly LedgerLine[]) {
      lines = [...next];
    },
    advance(ms: number) {
      at += ms;
    },
    /** As after a loss that a person acknowledged. */
    skip(event: string, by: number) {
      lines.push({ seq: (lines.at(-1)?.seq ?? 0) + by, at, event });
    },
    async append(events: readonly string[]) {
      return events.map((event) => {
        const seq = (lines.at(-1)?.seq ?? 0) + 1;
        lines.push({ seq, at, event });
        return seq;
      });
    },
    async read(after: number, limit: number) {
      return lines.filter(({ seq }) => seq > after).slice(0, limit);
    },
  };
}

/** An event as a fuse writes it. */
export function someEvent(next: Random): string {
  const type = ["reserved", "settled", "refused", "plan"][next(4)];
  return JSON.stringify({ v: 1, type, id: `r${next(1_000_000)}`, people: [`p${next(1_000)}`], count: next(100) });
}

/** Changes one thing; says what. Only lines up to `sealed`, and the end, are touched: nothing else is sealed. */
export function mutate(
  lines: readonly LedgerLine[],
  sealed: number,
  next: Random,
): { readonly what: string; readonly lines: readonly LedgerLine[] } {
  const places = lines.flatMap(({ seq }, index) => (seq <= sealed ? [index] : []));
  const at = places[next(places.length)] as number;
  const line = lines[at] as LedgerLine;
  const replaced = (change: Partial<LedgerLine>) =>
    lines.map((one, index) => (index === at ? { ...one, ...change } : one));
  const without = lines.filter((_, index) => index !== at);
  const renumbered = (all: readonly LedgerLine[]) =>
    all.map((one, index) => ({ ...one, seq: (lines[0]?.seq ?? 1) + index }));
  const contiguous = lines.every((one, index) => one.seq === (lines[0]?.seq ?? 1) + index);
  const other = places[next(places.length)] as number;
  const ways: readonly (() => { what: string; lines: readonly LedgerLine[] } | undefined)[] = [
    () => {
      const place = next(line.event.length);
      const character = line.event[place] === "x" ? "y" : "x";
      return {
        what: "a character",
        lines: replaced({ event: line.event.slice(0, place) + character + line.event.slice(place + 1) }),
      };
    },
    () => ({ what: "the time", lines: replaced({ at: line.at + 1 + next(1_000) }) }),
    () => ({ what: "an event by another", lines: replaced({ event: someEvent(next) }) }),
    () => ({ what: "white space", lines: replaced({ event: line.event.replace(",", ", ") }) }),
    () => ({ what: "a line removed", lines: without }),
    () => (contiguous ? { what: "a line removed, the rest renumbered", lines: renumbered(without) } : undefined),
    () => {
      if (!contiguous) return undefined;
      const more = { seq: 0, at: line.at, event: someEvent(next) };
      return { what: "a line put in", lines: renumbered([...lines.slice(0, at), more, ...lines.slice(at)]) };
    },
    () => {
      const [a, b] = [lines[at] as LedgerLine, lines[other] as LedgerLine];
      if (a.event === b.event) return undefined;
      return {
        what: "two events exchanged",
        lines: lines.map((one, index) =>
          index === at ? { ...one, event: b.event } : index === other ? { ...one, event: a.event } : one,
        ),
      };
    },
    () => {
      if (at === other) return undefined;
      const moved = [...without];
      moved.splice(other, 0, line);
      return moved.every((one, index) => one === lines[index]) ? undefined : { what: "a line moved", lines: moved };
    },
    () => ({ what: "the beginning cut off", lines: lines.slice(at + 1) }),
    () => ({ what: "the end cut off", lines: lines.slice(0, at) }),
    () => ({ what: "the last line cut off", lines: lines.slice(0, -1) }),
    () => ({
      what: "everything written anew",
      lines: lines.map((one) => (one.event.includes('"sealed"') ? { ...one, event: someEvent(next) } : one)),
    }),
    () => ({
      what: "heads removed and the rest altered",
      lines: renumbered(replaced({ event: someEvent(next) }).filter(({ event }) => !event.includes('"sealed"'))),
    }),
  ];
  for (;;) {
    const way = ways[next(ways.length)]?.();
    if (way && JSON.stringify(way.lines) !== JSON.stringify(lines)) return way;
  }
}
