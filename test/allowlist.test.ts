import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddress } from "../src/address";
import { compileAllowlist } from "../src/allowlist";
import { MailfuseError } from "../src/errors";

function allows(patterns: readonly string[], text: string): boolean {
  const address = parseAddress(text, "to");
  if ("code" in address) throw new MailfuseError(address);
  return compileAllowlist(patterns).allows(address);
}

describe("patterns", () => {
  it.each([
    ["ann@acme.test", "ann@acme.test", true, "the person"],
    ["ann@acme.test", "Ann <ANN@Acme.Test>", true, "in any case, under any name"],
    ["ANN@ACME.TEST", "ann@acme.test", true, "a pattern in any case"],
    ["ann@acme.test", "joann@acme.test", false, "anchored at the start"],
    ["ann@acme.test", "ann@acme.test.evil.test", false, "anchored at the end"],
    ["ann@acme.test", "ann@sub.acme.test", false, "no subdomains"],
    ["a.n@acme.test", "axn@acme.test", false, "a dot is a dot"],
    ["*@acme.test", "anybody.at+all@acme.test", true, "everyone at a domain"],
    ["*@acme.test", "ann@mail.acme.test", false, "not at its subdomains"],
    ["*@acme.test", "ann@notacme.test", false, "not at a domain that ends alike"],
    ["*@acme.test", "ann@acme.testing.test", false, "nor at one that starts alike"],
    ["*@acme.test", "jürgen@acme.test", true, "UTF-8 local parts"],
    ["*@*.acme.test", "ann@mail.acme.test", true, "a subdomain"],
    ["*@*.acme.test", "ann@a.b.c.acme.test", true, "at any depth"],
    ["*@*.acme.test", "ann@acme.test", false, "not the domain itself"],
    ["*@*.acme.test", "ann@evilacme.test", false, "labels are whole"],
    ["*@*.test", "ann@acme.test", true, "a reserved top-level domain"],
    ["qa+*@acme.test", "qa+42@acme.test", true, "a tagged mailbox"],
    ["qa+*@acme.test", "QA+A.b@acme.test", true, "in any case"],
    ["qa+*@acme.test", "qa@acme.test", false, "not the mailbox without a tag"],
    ["qa+*@acme.test", "qab+1@acme.test", false, "not another mailbox"],
    ["qa+*@acme.test", "qa+1@mail.acme.test", false, "not at subdomains"],
    ["*@bücher.test", "ann@xn--bcher-kva.test", true, "a U-label matches the A-label"],
    ["*@xn--bcher-kva.test", "ann@BÜCHER.test", true, "and the other way round"],
    ["*@*.bücher.test", "ann@mail.bücher.test", true, "in subdomains too"],
    ["*@straße.test", "ann@strasse.test", false, "sharp s is not ss"],
    ["*", "ann@anywhere.test", true, "everything"],
    ["dept/ship@acme.test", "dept/ship@acme.test", true, "routing signs where they are spelled out"],
    ["*@acme.test", "dept/ship@acme.test", false, "but never behind a wildcard: a slash"],
    ["*@acme.test", "a|b@acme.test", false, "a bar"],
    ["*@*.acme.test", "a|b@mail.acme.test", false, "nor in subdomains"],
    ["qa+*@acme.test", "qa+a/b@acme.test", false, "nor in tags"],
  ])("%s for %s: %s, %s", (pattern, address, expected) => {
    expect(allows([pattern], address)).toBe(expected);
  });

  it.each([
    "evil%evil.test@acme.test",
    "evil.test!evil@acme.test",
    '"a@evil.test"@acme.test',
    "evil@evil.test@acme.test",
  ])("lets no wildcard match %s, should a caller come with it unread", (person) => {
    const list = compileAllowlist(["*@acme.test", "*@*.test", "evil+*@acme.test"]);
    expect(list.allows({ address: person, person })).toBe(false);
  });

  it("lets nobody through without patterns", () => {
    expect(allows([], "ann@acme.test")).toBe(false);
  });

  it("matches any of many", () => {
    const patterns = Array.from({ length: 5_000 }, (_, i) => [
      `*@d${i}.test`,
      `p${i}@acme.test`,
      `*@*.s${i}.test`,
      `q${i}+*@t.test`,
    ]).flat();
    for (const [address, expected] of [
      ["x@d4999.test", true],
      ["p0@acme.test", true],
      ["x@a.b.s2500.test", true],
      ["q77+x@t.test", true],
      ["x@s2500.test", false],
      ["q5000+x@t.test", false],
    ] as const) {
      expect(allows(patterns, address)).toBe(expected);
    }
  });

  it("reads as many labels of an address as it has, whatever the number of patterns", () => {
    const asked: string[] = [];
    const list = compileAllowlist(Array.from({ length: 10_000 }, (_, i) => `*@*.s${i}.test`));
    const has = Set.prototype.has;
    Set.prototype.has = function (this: Set<unknown>, value: unknown) {
      asked.push(String(value));
      return has.call(this, value);
    };
    try {
      list.allows({ address: "ann@a.b.nowhere.test", person: "ann@a.b.nowhere.test" });
    } finally {
      Set.prototype.has = has;
    }
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.length).toBeLessThan(10);
  });

  it("takes a local part at any domain only where that is asked for", () => {
    expect(() => compileAllowlist(["billing@*"])).toThrow(MailfuseError);
    const senders = compileAllowlist(["billing@*"], { anyDomain: true });
    expect(senders.allows({ address: "Billing@acme.test", person: "billing@acme.test" })).toBe(true);
    expect(senders.allows({ address: "x@acme.test", person: "x@acme.test" })).toBe(false);
    expect(senders.describe().wildcards).toEqual(["billing@*"]);
    for (const wrong of ["*@*", "b*@*", "a/b@*", "@*"]) {
      expect(() => compileAllowlist([wrong], { anyDomain: true })).toThrow(MailfuseError);
    }
  });
});

describe("patterns of no known form", () => {
  it.each([
    ["**", "two stars"],
    ["*@*", "everything has one spelling"],
    ["*@", "no domain"],
    ["@acme.test", "no local part"],
    ["acme.test", "a bare domain"],
    ["*.acme.test", "a bare domain with a star"],
    ["", "nothing"],
    ["*@a*me.test", "a star inside a label"],
    ["*@acme.*", "a star for the top-level domain"],
    ["*@**.acme.test", "two stars in the domain"],
    ["*@*.*.test", "stars for two labels"],
    ["*@mail.*.test", "a star in the middle"],
    ["*@*acme.test", "a star without its dot"],
    ["*@*.", "nothing behind the star"],
    ["*@*.com", "a whole top-level domain"],
    ["*@localhost", "a domain of one label"],
    ["a*@acme.test", "a star without a plus"],
    ["*a@acme.test", "a star in front"],
    ["a*b@acme.test", "a star inside"],
    ["qa+*+*@acme.test", "two stars in the local part"],
    ["+*@acme.test+*@acme.test", "two patterns in one"],
    ["ann@*.acme.test", "a person at any subdomain"],
    ["qa+*@*.acme.test", "a tag at any subdomain"],
    ["a/b+*@acme.test", "a wildcard that could never match"],
    ["ann@acme.test, bob@acme.test", "a list"],
    ["Ann <ann@acme.test>", "a name"],
    ["<ann@acme.test>", "brackets"],
    ['"ann"@acme.test', "quotes"],
    ["*@ac\u00adme.test", "an invisible character"],
    ["*@acme.test.", "a trailing dot"],
    ["*@127.0.0.1", "an IP address"],
    ["*@acme.test/", "a path"],
  ])("%j is refused: %s", (pattern) => {
    const compile = (): unknown => compileAllowlist(["ok@acme.test", pattern]);
    expect(compile).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
    expect(compile).toThrow(/allow\[1\]: Expected .*, got .+/s);
    expect(compile).not.toThrow(/bob@/);
  });

  it.each([[5], [null], [{}], [["*@acme.test"]]])("so is %j", (pattern) => {
    expect(() => compileAllowlist([pattern as unknown as string], { key: "internal" })).toThrow(/internal\[0\]/);
  });

  it.each([["*@acme.test"], [undefined], [{ 0: "*" }]])("and %j in the place of an array", (patterns) => {
    expect(() => compileAllowlist(patterns as unknown as string[])).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID" }),
    );
  });
});

describe("describe", () => {
  it("tells wildcards, counts people, names none", () => {
    const list = compileAllowlist([
      "ann@acme.test",
      "ANN@acme.test",
      "*@*.Acme.test",
      "*@bücher.test",
      "qa+*@acme.test",
    ]);
    expect(list.describe()).toEqual({
      everything: false,
      people: 1,
      wildcards: ["*@*.acme.test", "*@xn--bcher-kva.test", "qa+*@acme.test"],
    });
  });

  it("says when everything passes", () => {
    expect(compileAllowlist(["*", "ann@acme.test"]).describe()).toEqual({ everything: true, people: 1, wildcards: [] });
    expect(compileAllowlist([]).describe()).toEqual({ everything: false, people: 0, wildcards: [] });
  });
});

describe("any patterns and addresses", () => {
  const label = fc.constantFrom("a", "b", "acme", "test", "mail");
  const domain = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join("."));
  const local = fc.constantFrom("ann", "qa", "qa+1", "qa+x/y", "a|b", "b");

  it("match as one regular expression per pattern would", () => {
    const pattern = fc.oneof(
      fc.tuple(local, domain).map(([l, d]) => `${l}@${d}`),
      domain.map((d) => `*@${d}`),
      domain.map((d) => `*@*.${d}`),
      domain.map((d) => `qa+*@${d}`),
    );
    const regex = (text: string): RegExp =>
      new RegExp(
        `^${text
          .replace(/[.+|]/g, "\\$&")
          .replace("@*\\.", "@(?:[^.@]+\\.)+")
          .replace(/^\*@/, "[^@%!/|]+@")
          .replace("+*@", "+[^@%!/|]*@")}$`,
        "i",
      );
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 6 }), local, domain, (patterns, l, d) => {
        expect(allows(patterns, `${l}@${d}`)).toBe(patterns.some((text) => regex(text).test(`${l}@${d}`)));
      }),
      { numRuns: 3_000 },
    );
  });
});
