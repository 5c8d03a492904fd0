import { createHash, randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { People } from "../../src/plan/people";

const pseudonym = () => randomBytes(17).toString("base64url").slice(0, 22);
/** Few different first bytes and many equal beginnings: where a table of hashes goes wrong. */
const likeOthers = fc.oneof(
  fc
    .tuple(fc.constantFrom("AAAA", "AAAB", "____"), fc.stringMatching(/^[A-Za-z0-9_-]{17}[AQgw]$/))
    .map(([start, rest]) => start + rest),
  // One sign apart, wherever it stands.
  fc.nat(21).map((at) => `${"B".repeat(at)}w${"B".repeat(21 - at)}`.replace(/B$/, "A")),
);
const bits = (name: string) => Buffer.from(`${name}AA`, "base64url").subarray(0, 16);

describe("people", () => {
  it("are a set, counted, with a digest that knows no order", () => {
    fc.assert(
      fc.property(fc.array(likeOthers, { maxLength: 300 }), (names) => {
        const people = new People();
        const seen = new Map<string, number>();
        for (const name of names) {
          expect(people.add(name)).toBe(!seen.has(name));
          seen.set(name, (seen.get(name) ?? 0) + 1);
          expect(people.count(name)).toBe(seen.get(name));
        }
        expect(people.size).toBe(seen.size);
        const keys = [...seen.keys()].map(bits).sort(Buffer.compare);
        expect(Buffer.concat([...people.chunks()])).toEqual(Buffer.concat(keys));
        const digest = createHash("sha256").update(Buffer.concat(keys)).digest("base64url");
        expect(people.digest()).toBe(digest);
        for (const key of keys) expect(people.hasKey(Buffer.concat([Buffer.alloc(3), key]), 3)).toBe(true);
        expect(people.hasKey(randomBytes(16), 0)).toBe(false);
      }),
    );
  });

  it("are counted however many have come since", () => {
    const people = new People();
    const [first = "", ...others] = Array.from({ length: 5_000 }, pseudonym);
    expect(people.count(first)).toBe(1);
    for (const name of others) people.add(name);
    for (const name of [first, ...others]) expect(people.count(name)).toBe(name === first ? 2 : 1);
    for (const name of others) expect(people.count(name)).toBe(2);
  });

  it("are found where many begin alike, the last of all too", () => {
    const people = new People();
    const names = Array.from({ length: 1_000 }, () => `______${pseudonym().slice(6)}`);
    for (const name of names) expect(people.add(name)).toBe(true);
    for (const name of names) expect(people.add(name)).toBe(false);
    expect(Buffer.concat([...people.chunks()])).toEqual(Buffer.concat(names.map(bits).sort(Buffer.compare)));
  });

  it("grow", () => {
    const people = new People();
    const names = Array.from({ length: 30_000 }, pseudonym);
    for (const name of names) people.add(name);
    const other = new People();
    for (const name of names.reverse()) expect(other.add(name)).toBe(true);
    expect(other.digest()).toBe(people.digest());
    other.add(pseudonym());
    expect(other.digest()).not.toBe(people.digest());
  });
});
