import { describe, expect, it } from "vitest";
import { type Address, formatAddress, parseAddress, parseAddresses } from "../src/address";
import { MailfuseError, type Refusal } from "../src/errors";

const read = (text: string): Address | Refusal => parseAddress(text, "to");
const code = (result: Address | Refusal): string => ("code" in result ? result.code : `read as ${result.address}`);
const list = (value: unknown) => parseAddresses(value, "to", "list");
const addresses = (value: unknown): string[] => {
  const { addresses, problems } = list(value);
  expect(problems).toEqual([]);
  return addresses.map(({ address }) => address);
};

describe("one address that everybody reads alike", () => {
  it.each<[text: string, address: string, name: string | undefined, why: string]>([
    ["ann@acme.test", "ann@acme.test", undefined, "the plain form"],
    ["  ann@acme.test\r\n", "ann@acme.test", undefined, "blanks and a line end from a file around it"],
    ["<ann@acme.test>", "ann@acme.test", undefined, "brackets without a name"],
    ["< ann@acme.test >", "ann@acme.test", undefined, "blanks inside the brackets"],
    ["Ann <ann@acme.test>", "ann@acme.test", "Ann", "a name"],
    ["Ann<ann@acme.test>", "ann@acme.test", "Ann", "no blank before the bracket"],
    ["Ann   Smith <ann@acme.test>", "ann@acme.test", "Ann Smith", "several blanks mean one"],
    ["Dr. Ann O'Neil - Sales <ann@acme.test>", "ann@acme.test", "Dr. Ann O'Neil - Sales", "dots, apostrophe, dash"],
    ['"Smith, Ann" <ann@acme.test>', "ann@acme.test", "Smith, Ann", "a quoted comma"],
    ['"a;b:c(d)[e]" <ann@acme.test>', "ann@acme.test", "a;b:c(d)[e]", "quoted list signs"],
    ['"Ann \\"A\\" \\\\ Smith" <ann@acme.test>', "ann@acme.test", 'Ann "A" \\ Smith', "escapes inside quotes"],
    ['Ann "The Boss" Smith <ann@acme.test>', "ann@acme.test", "Ann The Boss Smith", "a quoted word among others"],
    ['"Ann <QA>" <ann@acme.test>', "ann@acme.test", "Ann <QA>", "brackets in a name without any address"],
    ['"" <ann@acme.test>', "ann@acme.test", undefined, "an empty name is none"],
    ['"ann@acme.test" <ann@acme.test>', "ann@acme.test", "ann@acme.test", "the own address as a name"],
    ['"Ann, ANN@acme.test" <ann@acme.test>', "ann@acme.test", "Ann, ANN@acme.test", "the own address in a name"],
    ['"old@acme.test" <new@acme.test>', "new@acme.test", "old@acme.test", "a former address alone, quoted, as a name"],
    ['"Ann @ Acme" <ann@acme.test>', "ann@acme.test", "Ann @ Acme", "a quoted @ that is no address"],
    ["Jürgen Müller <j@acme.test>", "j@acme.test", "Jürgen Müller", "a name outside ASCII"],
    ["👩‍💻 Ann ❤️ <ann@acme.test>", "ann@acme.test", "👩‍💻 Ann ❤️", "emoji with joiners and variation selectors"],
    ["مرحبا <ann@acme.test>", "ann@acme.test", "مرحبا", "a name written from right to left"],
    ["=?utf-8?Q?J=C3=BCrgen?= <j@acme.test>", "j@acme.test", "Jürgen", "an encoded plain name"],
    ["=?utf-8?B?SsO8?= =?utf-8?B?cmdlbg==?= M <j@acme.test>", "j@acme.test", "Jürgen M", "encoded in two words"],
    ["=?utf-8?Q?J=C3?= =?utf-8?Q?=BCrgen?= <j@acme.test>", "j@acme.test", "Jürgen", "split inside a character"],
    ["=?iso-2022-jp?B?GyRCOzNFRBsoQg==?= <y@acme.test>", "y@acme.test", "山田", "another charset"],
    ["=?utf-8?Q?Smith=2C_Ann?= <ann@acme.test>", "ann@acme.test", "Smith, Ann", "an encoded comma"],
    ["o'neil+tag_1=x@acme.test", "o'neil+tag_1=x@acme.test", undefined, "signs of a dot-atom"],
    ["#$&*/?^`{|}~x@acme.test", "#$&*/?^`{|}~x@acme.test", undefined, "the rest of them, bar those that route"],
    ["dept/ship@acme.test", "dept/ship@acme.test", undefined, "a slash inside"],
    ["Ann@ACME.Test", "Ann@acme.test", undefined, "the local part keeps its case, the domain does not"],
    ["ann@a.b.c.acme.test", "ann@a.b.c.acme.test", undefined, "many labels"],
    ["ann@1.acme-2.c--n.test", "ann@1.acme-2.c--n.test", undefined, "digits and hyphens in a domain"],
    [`${"a".repeat(64)}@acme.test`, `${"a".repeat(64)}@acme.test`, undefined, "the longest local part"],
    ["jürgen@acme.test", "jürgen@acme.test", undefined, "a UTF-8 local part in NFC"],
    ["สำนักงาน@acme.test", "สำนักงาน@acme.test", undefined, "Thai AM, which NFKC would take apart"],
    ["太郎@例え.テスト", "太郎@xn--r8jz45g.xn--zckzah", undefined, "both sides outside ASCII"],
  ])("%j", (text, address, name, _why) => {
    expect(read(text)).toEqual({ address, person: address.toLowerCase(), ...(name === undefined ? {} : { name }) });
  });

  it("counts spellings of one person once", () => {
    const people = ["Jürgen@Bücher.test", "jÜRGEN@xn--bcher-kva.test", "J <jürgen@BÜCHER.TEST>"].map((text) => {
      const result = read(text);
      return "code" in result ? result.code : result.person;
    });
    expect(new Set(people)).toEqual(new Set(["jürgen@xn--bcher-kva.test"]));
  });
});

describe("what readers disagree on", () => {
  it.each([
    ['"evil@evil.test x"@acme.test', "a quoted local part, read at its first @ by some"],
    ['"ann"@acme.test', "a quoted local part even where quotes change nothing"],
    ['Ann <"evil@evil.test"@acme.test>', "the same in brackets"],
    ['ann"x"@acme.test', "quotes inside a local part"],
    ['ann@"acme.test"', "a quoted domain"],
    ["ann@acme.test(x)evil.test", "a comment that splits or joins the domain"],
    ["(evil@evil.test)ann@acme.test", "a comment that holds an address"],
    ["Ann (QA) <ann@acme.test>", "a comment in a name"],
    ["<@acme.test:evil@evil.test>", "a source route"],
    ["<@a.test,@b.test:evil@evil.test>", "a longer source route"],
    ["mailto:ann@acme.test", "a URI, which also reads as a group"],
    ["evil%evil.test@acme.test", "a percent hack"],
    ["evil.test!evil@acme.test", "a bang path"],
    ["-Xfile@acme.test", "an option to the program that takes it"],
    ["/C=US/ADMD=evil/@acme.test", "a file, or an X.400 address"],
    ["|prog@acme.test", "a program"],
    ["=?utf-8?q?evil=40evil.test=3e=00?=@acme.test", "an encoded-word in a local part"],
    ["=?utf-8?b?ZXZpbEBldmlsLnRlc3Q=?=", "an encoded-word in place of an address"],
    ["=?utf-8?q?evil=40evil.test?= <ann@acme.test>", "a name that decodes to an address"],
    ["=?utf-8?q?=3cevil=3e?= <ann@acme.test>", "a name that decodes to brackets"],
    ["=?utf-8?q?x=0d=0aBcc=3a?= <ann@acme.test>", "a name that decodes to a line break"],
    ["=?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3F=3D?= <ann@acme.test>", "a name that decodes to an encoded-word"],
    ["=?utf-7?q?+AEA-?= <ann@acme.test>", "a charset in which other signs are hidden"],
    ["=?utf-16le?b?QQA=?= <ann@acme.test>", "a charset of two-byte units, in which octets spell other signs"],
    ["=?utf-8?q?=C3?= <ann@acme.test>", "bytes that are no text"],
    ["=?utf-8?x?abc?= <ann@acme.test>", "an unknown encoding"],
    ["Ann=?x <ann@acme.test>", "the start of an encoded-word that never ends"],
    ["ann@[127.0.0.1]", "an address literal"],
    ["ann@[IPv6:::1]", "an IPv6 literal"],
    ["ann@127.0.0.1", "a bare IP address"],
    ["ann@0x7f.1", "what a URL parser takes for one"],
    ["ann@acme.123", "a top-level domain that is a number"],
    ["ann@acme.test.", "a trailing dot"],
    [".ann@acme.test", "a leading dot"],
    ["ann.@acme.test", "a dot before the @"],
    ["a..nn@acme.test", "two dots"],
    ["ann@acme.test@evil.test", "two @"],
    ["evil＠evil.test@acme.test", "a full-width @ in the local part"],
    ["ann＠acme.test", "a full-width @ in place of the @"],
    ["ann@acme.test, evil@evil.test", "a list in the place of one address"],
    ["ann@acme.test;evil@evil.test", "a list with semicolons"],
    ["Ann <ann@acme.test>, Bob <bob@acme.test>", "a list with names"],
    ["<ann@acme.test,evil@evil.test>", "a list inside the brackets"],
    ["Team: ann@acme.test;", "a group in the place of one address"],
    ["ann@acme.test evil@evil.test", "two addresses side by side"],
    ["ann @acme.test", "white space before the @"],
    ["ann@acme .test", "white space in the domain"],
    ["ann@acme.test ORCPT=rfc822;x", "SMTP parameters"],
    ['"Ann <ann@acme.test>', "quotes never closed"],
    ['"ann@acme.test, evil@evil.test', "quotes never closed around a list"],
    ['"a\\" <ann@acme.test>', "the closing quote escaped"],
    ["Ann <evil@evil.test", "a bracket never closed"],
    ["ann@acme.test>", "a bracket never opened"],
    ["a > b <ann@acme.test>", "a closing bracket in an unquoted name"],
    ["<ann@acme.test> <evil@evil.test>", "two pairs of brackets"],
    ["<ann@acme.test>evil", "text behind the brackets"],
    ["<<ann@acme.test>>", "nested brackets"],
    ["Ann <QA> <ann@acme.test>", "brackets in an unquoted name"],
    ["ann@acme.test <evil@evil.test>", "an unquoted @ in a name"],
    ["Ann @ Acme <ann@acme.test>", "an unquoted @ that some take for an address"],
    ['"<evil@evil.test>" <ann@acme.test>', "another address in brackets in a name"],
    ['"Ann, evil@evil.test" <ann@acme.test>', "another address behind a comma in a name"],
    ['"x\\" <evil@evil.test>, \\"y" <ann@acme.test>', "quotes that break out of naive quoting"],
    ["[Acme] Ann <ann@acme.test>", "unquoted square brackets"],
    ["Ann\\ Smith <ann@acme.test>", "an unquoted backslash"],
    ["Ann: <ann@acme.test>", "an unquoted colon"],
    ["Smith, Ann <ann@acme.test>", "an unquoted comma"],
  ])("refuses %j: %s", (text) => {
    expect(code(read(text))).toBe("ADDRESS_AMBIGUOUS");
    expect(JSON.stringify(read(text))).not.toMatch(/evil\.|acme\.test[^>`"]*evil/);
  });

  it.each([
    ["evil%evil.test@acme.test", /route/],
    ["ann@acme.test, bob@acme.test", /several addresses/],
    ["ann\u200b@acme.test", /U\+200B/],
    ["ann@acme.test.", /dot/],
  ])("says what is wrong with %j", (text, what) => {
    expect(read(text)).toMatchObject({ message: expect.stringMatching(what), fix: expect.any(String), where: "to" });
    expect(list(`<${text}>`).problems[0]?.message).toMatch(what);
  });

  it.each([
    ["evil@evil.test\0@acme.test", "NUL cuts C strings"],
    ["ann\0@acme.test", "NUL"],
    ["ann@acme.test\r\nBcc: evil@evil.test", "a header smuggled in"],
    ["ann@acme.test>\r\nRCPT TO:<evil@evil.test", "a command smuggled in"],
    ['"x\r\nBcc: evil@evil.test" <ann@acme.test>', "a header smuggled in by the name"],
    ["Ann\nSmith <ann@acme.test>", "a line break in a name"],
    ["Ann <\r\nann@acme.test>", "a line break inside the brackets"],
    ["Ann <ann@acme.test> \r>", "a carriage return behind them"],
    ["Ann\r\n Smith <ann@acme.test>", "a fold where no header is"],
    ["ann\u007f@acme.test", "DEL"],
    ["ann@acme\u0085.test", "NEL"],
    ["Ann\u2028 <ann@acme.test>", "a line separator"],
    ["Ann\ud800 <ann@acme.test>", "half a surrogate pair, which UTF-8 cannot carry"],
    ["ann\u200b@acme.test", "a zero-width space"],
    ["ann@ac\u00adme.test", "a soft hyphen in the domain"],
    ["a\u034fnn@acme.test", "a grapheme joiner"],
    ["ä\u200dnn@acme.test", "a zero-width joiner"],
    ["ä\ufe0f@acme.test", "a variation selector"],
    ["\u3164ann@acme.test", "a Hangul filler, a letter without a glyph"],
    ["\ufeffann@acme.test", "a byte-order mark"],
    ["\u00a0ann@acme.test", "a no-break space, which some trim"],
    ["\u202eann@acme.test", "a direction override"],
    ["Ann \u202e <ann@acme.test>", "a direction override in a name"],
    ["\u200bAnn <ann@acme.test>", "a zero-width space in a name"],
    ["ﬁnn@acme.test", "a ligature that NFKC takes apart"],
    ["ſam@acme.test", "a long s that NFKC makes an s"],
    ["ŀ@acme.test", "an l with dot that NFKC takes apart"],
    ["u\u0308ber@acme.test", "a local part outside NFC"],
    ["\u0301ann@acme.test", "a mark that combines with what stands before"],
    ["ann，bob@acme.test", "a full-width comma"],
    ["ann\u037ebob@acme.test", "a Greek question mark, which NFC makes a semicolon"],
    ["👍@acme.test", "a symbol in a local part"],
  ])("refuses characters that hide: %j, %s", (text) => {
    expect(code(read(text))).toBe("ADDRESS_AMBIGUOUS");
  });

  it.each([
    ["ann@ａｃｍｅ.test", "full-width letters"],
    ["ann@acme．test", "a full-width dot"],
    ["ann@acme。test", "an ideographic full stop"],
    ["ann@ⓐcme.test", "a circled letter"],
    ["ann@acmeᵈ.test", "a superscript letter"],
    ["ann@bu\u0308cher.test", "a domain outside NFC"],
    ["ann@STRAẞE.test", "capital sharp s, mapped differently by versions of Unicode"],
    ["ann@クリ\u200dク.test", "a joiner"],
    ["ann@１２７.1", "digits that a URL parser makes an IP address of"],
  ])("refuses domains that some map and others do not: %j, %s", (text) => {
    expect(code(read(text))).toBe("ADDRESS_AMBIGUOUS");
  });
});

describe("internationalised domains", () => {
  it.each([
    ["bücher.test", "xn--bcher-kva.test", "the U-label"],
    ["BÜCHER.test", "xn--bcher-kva.test", "in capitals"],
    ["xn--bcher-kva.test", "xn--bcher-kva.test", "the A-label"],
    ["XN--BCHER-KVA.Test", "xn--bcher-kva.test", "the A-label in capitals"],
    ["mail.bücher.xn--zckzah", "mail.xn--bcher-kva.xn--zckzah", "labels of all kinds"],
    ["straße.test", "xn--strae-oqa.test", "sharp s, kept by IDNA 2008"],
    ["σας.test", "xn--mxa8ab.test", "final sigma, kept by IDNA 2008"],
    ["δοκιμή.test", "xn--jxalpdlp.test", "Greek"],
    ["почта.test", "xn--80a1acny.test", "Cyrillic"],
    ["موقع.test", "xn--4gbrim.test", "right to left"],
    ["i❤.test", "xn--i-7iq.test", "a symbol that UTS #46 allows"],
    ["r3---sn.bücher.test", "r3---sn.xn--bcher-kva.test", "hyphens in an ASCII label beside"],
  ])("%s is %s on the wire: %s", (domain, wire) => {
    expect(code(read(`ann@${domain}`))).toBe(`read as ann@${wire}`);
    expect(code(read(`ann@${wire}`))).toBe(`read as ann@${wire}`);
  });

  it.each([
    ["xn--a.test", "no punycode"],
    ["xn--acme-.test", "punycode of ASCII"],
    ["xn--acme-oka.test", "punycode of a soft hyphen"],
    ["xn--ü.test", "no A-label and no U-label"],
    ["1م.test", "a digit before right-to-left letters"],
    ["aم.test", "mixed directions"],
    ["\u0301a.test", "a leading mark"],
    ["a℀.test", "a sign that maps to a slash"],
    [`${"ü".repeat(64)}.test`, "a label too long as an A-label"],
    ["ü..test", "an empty label"],
    ["ü_a.test", "an underscore"],
    ["ü#.acme.test", "a URL delimiter"],
    ["ü%2e.test", "a URL escape"],
    [`${"ü.".repeat(130)}test`, "too long as a whole"],
  ])("refuses %s: %s", (domain) => {
    expect(code(read(`ann@${domain}`))).toMatch(/^ADDRESS_/);
  });

  it("refuses hyphens in a U-label where its A-label would hide them", () => {
    for (const domain of ["-ü.test", "ü-.test", "ab--ü.test"]) expect(code(read(`ann@${domain}`))).toMatch(/^ADDRESS_/);
  });

  it("answers the same when more domains came by than the cache holds", () => {
    const wire = (i: number): string => code(read(`ann@bücher${i}.test`));
    const first = wire(0);
    for (let i = 1; i < 2_500; i++) wire(i);
    expect(wire(0)).toBe(first);
    expect(first).toBe("read as ann@xn--bcher0-3ya.test");
  });
});

describe("what is no address", () => {
  it.each([
    ["", "nothing"],
    ["   ", "blanks"],
    ["ann", "no @"],
    ["<>", "empty brackets"],
    ["@acme.test", "no local part"],
    ["ann@", "no domain"],
    ["root@localhost", "a domain of one label, completed by each server"],
    ["ann@test", "a top-level domain"],
    ["ann@acme..test", "an empty label"],
    ["ann@.acme.test", "a leading dot"],
    ["ann@-acme.test", "a leading hyphen"],
    ["ann@acme-.test", "a trailing hyphen"],
    ["ann@ac_me.test", "an underscore"],
    ["ann@evil.test#.acme.test", "a URL delimiter"],
    ["ann@evil.test/.acme.test", "a path"],
    ["ann@acme%2etest", "a URL escape"],
    [`${"a".repeat(65)}@acme.test`, "a local part too long"],
    [`${"é".repeat(33)}@acme.test`, "a local part too long in octets"],
    [`ann@${"a".repeat(64)}.test`, "a label too long"],
    [`${"a".repeat(60)}@${"b.".repeat(95)}test`, "255 octets in all"],
    [`ann@${"b.".repeat(150)}test`, "a domain too long"],
    [`${"x".repeat(999)} <ann@acme.test>`, "a name too long"],
    [`"${"é".repeat(500)}" <ann@acme.test>`, "a name too long in octets"],
  ])("refuses %j: %s", (text) => {
    expect(code(read(text))).toBe("ADDRESS_INVALID");
  });

  it("takes the longest that the RFCs allow", () => {
    const address = `${"a".repeat(59)}@${"b.".repeat(95)}test`;
    expect(address).toHaveLength(254);
    expect(code(read(address))).toBe(`read as ${address}`);
    expect(read(`"${"é".repeat(499)}" <ann@acme.test>`)).toHaveProperty("name", "é".repeat(499));
  });

  it.each([[5], [true], [null], [undefined], [Symbol("ann@acme.test")], [() => "ann@acme.test"], [{}], [[]]])(
    "refuses a value that is no text: %s",
    (value) => {
      expect(code(parseAddress(value as unknown as string, "to"))).toBe("ADDRESS_INVALID");
    },
  );
});

describe("fields", () => {
  it.each<[value: unknown, expected: string[], why: string]>([
    [undefined, [], "a missing field"],
    [null, [], "null"],
    ["", [], "an empty field"],
    [[], [], "an empty array"],
    ["ann@acme.test,", ["ann@acme.test"], "a trailing comma"],
    ["ann@acme.test\n", ["ann@acme.test"], "a line end"],
    ["ann@acme.test, , bob@acme.test", ["ann@acme.test", "bob@acme.test"], "an empty element"],
    ["ann@acme.test,bob@acme.test", ["ann@acme.test", "bob@acme.test"], "commas"],
    ["ann@acme.test; bob@acme.test", ["ann@acme.test", "bob@acme.test"], "semicolons"],
    ["ann@acme.test,\r\n bob@acme.test", ["ann@acme.test", "bob@acme.test"], "folded between two"],
    ["ann@acme.test,\nbob@acme.test", ["ann@acme.test", "bob@acme.test"], "one a line"],
    ["Ann\r\n Smith <ann@acme.test>", ["ann@acme.test"], "folded inside a name"],
    ['"Smith, Ann" <ann@acme.test>, bob@acme.test', ["ann@acme.test", "bob@acme.test"], "a quoted comma"],
    ['"Smith; \\"Ann, x" <ann@acme.test>', ["ann@acme.test"], "an escaped quote before a comma"],
    ["Team: ann@acme.test, B <bob@acme.test>;", ["ann@acme.test", "bob@acme.test"], "a group"],
    ['"QA, all": ann@acme.test;, bob@acme.test', ["ann@acme.test", "bob@acme.test"], "a group and one more"],
    ["undisclosed-recipients:;", [], "an empty group, as it stands beside bcc"],
    [["ann@acme.test", { name: "B", address: "bob@acme.test" }], ["ann@acme.test", "bob@acme.test"], "an array"],
    [[["ann@acme.test"], [["bob@acme.test"]]], ["ann@acme.test", "bob@acme.test"], "nested arrays"],
    [["ann@acme.test, bob@acme.test"], ["ann@acme.test", "bob@acme.test"], "a list in an array"],
    [["ann@acme.test", undefined, null, ""], ["ann@acme.test"], "nobody among others"],
    [{ email: "ann@acme.test", id: 7 }, ["ann@acme.test"], "SendGrid's key, and a row's other columns"],
    [{ address: " ann@acme.test " }, ["ann@acme.test"], "blanks around"],
    [{ address: "ann@acme.test", email: "ann@acme.test" }, ["ann@acme.test"], "both keys, equal"],
  ])("%j", (value, expected, _why) => {
    expect(addresses(value)).toEqual(expected);
  });

  it("keeps names of objects as they are", () => {
    expect(list({ name: 'Ann "A" <QA>, Smith', address: "ann@acme.test" }).addresses[0]?.name).toBe(
      'Ann "A" <QA>, Smith',
    );
    expect(list({ name: null, address: "ann@acme.test" }).addresses).toEqual([
      { address: "ann@acme.test", person: "ann@acme.test" },
    ]);
  });

  it.each<[value: unknown, code: string, why: string]>([
    ["ann@acme.test: evil@evil.test;", "ADDRESS_AMBIGUOUS", "a group named like an address"],
    ['"ann@acme.test": evil@evil.test;', "ADDRESS_AMBIGUOUS", "the same, quoted"],
    ["Team: ann@acme.test", "ADDRESS_AMBIGUOUS", "a group never closed"],
    ["A: B: ann@acme.test;;", "ADDRESS_AMBIGUOUS", "nested groups"],
    [": ann@acme.test;", "ADDRESS_AMBIGUOUS", "a group without a name"],
    ["Team(x): ann@acme.test;", "ADDRESS_AMBIGUOUS", "a comment in a group's name"],
    ["Team: ann@acme.test; bob@acme.test", "ADDRESS_AMBIGUOUS", "no comma behind a group"],
    ["Team: ann@acme.test;; bob@acme.test", "ADDRESS_AMBIGUOUS", "a semicolon of both kinds"],
    ["Team: ann@acme.test;, bob@acme.test; carl@acme.test", "ADDRESS_AMBIGUOUS", "a group in a list with semicolons"],
    ["ann@acme.test; Team: bob@acme.test;", "ADDRESS_AMBIGUOUS", "a list with semicolons and a group"],
    ["A: ann@acme.test; B: bob@acme.test;", "ADDRESS_AMBIGUOUS", "two groups without a comma"],
    ["ann@[IPv6:::1]", "ADDRESS_AMBIGUOUS", "an IPv6 literal is no group"],
    ["ann@acme.test,\r\nBcc: evil@evil.test", "ADDRESS_AMBIGUOUS", "a header smuggled in"],
    ["Ann\r\nSmith <ann@acme.test>", "ADDRESS_AMBIGUOUS", "a line break that is no fold"],
    ["Ann\r Smith <ann@acme.test>", "ADDRESS_AMBIGUOUS", "a bare carriage return"],
    ['"ann@acme.test, evil@evil.test', "ADDRESS_AMBIGUOUS", "quotes never closed"],
    ["<ann@acme.test, evil@evil.test>", "ADDRESS_AMBIGUOUS", "a list inside brackets"],
    ["Ann <evil@evil.test, ann@acme.test", "ADDRESS_AMBIGUOUS", "a bracket never closed"],
    ["Smith, Ann <ann@acme.test>", "ADDRESS_INVALID", "an unquoted comma in a name"],
    [{ address: "ann@acme.test, evil@evil.test" }, "ADDRESS_AMBIGUOUS", "a list packed into an object"],
    [{ address: "Ann <ann@acme.test>" }, "ADDRESS_AMBIGUOUS", "a name packed into an object's address"],
    [{ address: "<ann@acme.test>" }, "ADDRESS_AMBIGUOUS", "brackets there"],
    [{ address: "ann@acme.test>\r\nRCPT TO:<evil@evil.test" }, "ADDRESS_AMBIGUOUS", "a command there"],
    [{ address: "ann@acme.test", email: "evil@evil.test" }, "ADDRESS_AMBIGUOUS", "two keys that differ"],
    [{ address: "ann@acme.test", group: [{ address: "evil@evil.test" }] }, "ADDRESS_AMBIGUOUS", "a group object"],
    [{ address: "ann@acme.test", name: "x\r\nBcc: evil@evil.test" }, "ADDRESS_AMBIGUOUS", "a line break in a name"],
    [{ address: "ann@acme.test", name: "x\r\nX-Priority: 1" }, "ADDRESS_AMBIGUOUS", "another header in a name"],
    [{ address: "ann@acme.test", name: "x\0y" }, "ADDRESS_AMBIGUOUS", "NUL in a name"],
    [{ address: "ann@acme.test", name: "x <evil@evil.test>, y" }, "ADDRESS_AMBIGUOUS", "an address list in a name"],
    [{ address: "ann@acme.test", name: 5 }, "ADDRESS_INVALID", "a name that is no text"],
    [{ address: ["ann@acme.test", "evil@evil.test"] }, "ADDRESS_INVALID", "an array in an object"],
    [{ address: { address: "ann@acme.test" } }, "ADDRESS_INVALID", "an object in an object"],
    [{ address: "" }, "ADDRESS_INVALID", "an object without an address in it"],
    [{ Address: "ann@acme.test" }, "ADDRESS_INVALID", "another key"],
    [{ 0: "ann@acme.test", length: 1 }, "ADDRESS_INVALID", "what only looks like an array"],
    [5, "ADDRESS_INVALID", "a number"],
    [[[[[[[[[["ann@acme.test"]]]]]]]]], "ADDRESS_INVALID", "arrays nested too deep"],
  ])("refuses %j with %s: %s", (value, expected, _why) => {
    const { problems } = list(value);
    expect(problems.map((problem) => problem.code)).toContain(expected);
    expect(JSON.stringify(problems)).not.toContain("evil");
  });

  it("reads one address where the field takes one", () => {
    const single = (value: unknown) => parseAddresses(value, "to", "single");
    expect(single(["Ann <ann@acme.test>", { email: "bob@acme.test" }]).addresses).toHaveLength(2);
    for (const packed of ["ann@acme.test, evil@evil.test", "a@b.test;c@d.test", "T: a@b.test;", "ann@acme.test,"]) {
      expect(single(packed).problems[0]?.code).toBe("ADDRESS_AMBIGUOUS");
      expect(single([packed]).addresses).toEqual([]);
    }
    expect(single([""]).problems[0]?.code).toBe("ADDRESS_INVALID");
    expect(single("")).toEqual({ addresses: [], problems: [] });
  });

  it("reads only the key that the carrier reads, where it is named", () => {
    expect(parseAddresses({ email: "ann@acme.test" }, "to", "list", "address").problems[0]?.code).toBe(
      "ADDRESS_INVALID",
    );
    expect(parseAddresses({ email: "ann@acme.test" }, "to", "single", "email").addresses).toHaveLength(1);
  });

  it("reads no key that an object only inherits", () => {
    const polluted = Object.prototype as { address?: string };
    polluted.address = "evil@evil.test";
    try {
      expect(list({ name: "Ann" }).problems[0]?.code).toBe("ADDRESS_INVALID");
      expect(list({ email: "ann@acme.test" }).addresses.map(({ person }) => person)).toEqual(["ann@acme.test"]);
    } finally {
      delete polluted.address;
    }
  });

  it("says where each problem is, and goes on to the next", () => {
    const { addresses, problems } = parseAddresses(
      ["ann@acme.test", ["bob", "carl@acme.test, x y@acme.test"], { address: 1 }],
      "messages[2].to",
      "list",
    );
    expect(addresses.map(({ person }) => person)).toEqual(["ann@acme.test", "carl@acme.test"]);
    expect(problems.map(({ where }) => where)).toEqual([
      "messages[2].to[1][0] (address 1 of the list)",
      "messages[2].to[1][1] (address 2 of the list)",
      "messages[2].to[2]",
    ]);
  });

  it("stops at a hundred problems", () => {
    expect(list(Array.from({ length: 1_000 }, () => "x")).problems).toHaveLength(100);
    expect(list("x,".repeat(1_000)).problems).toHaveLength(100);
  });
});

describe("formatAddress", () => {
  it.each([
    ["ann@acme.test", undefined, "ann@acme.test"],
    ["ann@acme.test", "", "ann@acme.test"],
    ["ann@acme.test", "Ann Smith", "Ann Smith <ann@acme.test>"],
    ["ann@acme.test", "Smith, Ann", '"Smith, Ann" <ann@acme.test>'],
    ["ann@acme.test", 'Ann "A" \\', '"Ann \\"A\\" \\\\" <ann@acme.test>'],
    ["ann@acme.test", "Jürgen", '"Jürgen" <ann@acme.test>'],
    ["Ann@Bücher.test", undefined, "Ann@xn--bcher-kva.test"],
  ])("%s %s", (address, name, text) => {
    expect(formatAddress({ address, ...(name === undefined ? {} : { name }) })).toBe(text);
  });

  it.each([
    { address: "ann@acme.test\r\nBcc: evil@evil.test" },
    { address: "ann@acme.test, evil@evil.test" },
    { address: "Ann <ann@acme.test>" },
    { address: "ann@acme.test", name: "x\r\nBcc: evil@evil.test" },
    { address: "ann@acme.test", name: "x <evil@evil.test>" },
  ])("never writes what no parse can have given: %j", (address) => {
    expect(() => formatAddress(address)).toThrow(MailfuseError);
  });
});

describe("size", () => {
  it("reads a million recipients", { timeout: 120_000 }, () => {
    const people = Array.from({ length: 1_000_000 }, (_, i) => `p${i}@acme.test`);
    expect(list(people).addresses).toHaveLength(1_000_000);
    expect(list(people.join(", ")).addresses).toHaveLength(1_000_000);
  });

  // Anything that grows faster than its input would not come back from these.
  it.each([
    ["a name", `${"x".repeat(1e6)} <ann@acme.test>`],
    ["a quoted name", `"${"x,".repeat(5e5)}" <ann@acme.test>`],
    ["quotes", '"'.repeat(1_000_001)],
    ["escapes", `"${"\\".repeat(1e6)}`],
    ["@", "@".repeat(1e6)],
    ["opening brackets", "<".repeat(1e6)],
    ["pairs of brackets", "<>".repeat(5e5)],
    ["comments", "(".repeat(1e6)],
    ["groups", "g:".repeat(5e5)],
    ["encoded-words", "=?".repeat(5e5)],
    ["blanks", `a ${" ".repeat(1e6)}b`],
    ["line breaks", `a${"\r\n ".repeat(1e6)}b`],
    ["labels", `ann@${"a.".repeat(5e5)}test`],
    ["a domain outside ASCII", `ann@${"ü".repeat(1e6)}.test`],
    ["a local part", `${"ü".repeat(1e6)}@acme.test`],
  ])("refuses millions of %s", (_what, text) => {
    for (const form of ["list", "single"] as const) {
      const { addresses, problems } = parseAddresses(text, "to", form);
      expect(addresses).toEqual([]);
      expect(problems.length).toBeGreaterThan(0);
      expect(JSON.stringify(problems).length).toBeLessThan(50_000);
    }
    expect(list({ name: text, address: "ann@acme.test" }).problems[0]?.code).toBe("ADDRESS_INVALID");
    expect(list({ address: text }).problems[0]?.code).toMatch(/^ADDRESS_/);
  });

  it("passes over millions of separators", () => {
    expect(addresses(`${",".repeat(1e6)}ann@acme.test`)).toEqual(["ann@acme.test"]);
    expect(addresses(`${"\r\n ".repeat(1e6)}ann@acme.test`)).toEqual(["ann@acme.test"]);
  });
});
