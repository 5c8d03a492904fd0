import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Address, formatAddress, parseAddress, parseAddresses } from "../../src/address";
import { readMailbox } from "../../src/address/mailbox";
import { readPlain } from "../../src/address/plain";
import type { Refusal } from "../../src/errors";

const isRefusal = (read: Address | Refusal): read is Refusal => "code" in read;

/** Pieces of addresses and everything that has ever confused a parser of them. */
const piece = fc.constantFrom(
  ...'ab""\\<<>>@@,;:()[].- \t%!/|+\'`{}=?_~1'.split(""),
  ..."ann|Smith|b.c|..|--|\r\n |\n|\r|\0|=?|?=|=?utf-8?Q?J=C3=BC?=|=?utf-8?B?YQ==?=|xn--|xn--bcher-kva.test".split("|"),
  ..."acme.test|b-c.test|127.0.0.1|é|ü.test|bücher.test|ß|用户|Ａ|＠|。|\u0301|\u00a0|\u00ad|\u200b|\ufeff|\ud800".split(
    "|",
  ),
  ...'a@acme.test|B@ACME.TEST|é@b.test|Ann <a@acme.test>|"Smith, Ann" <a@acme.test>|T: a@acme.test;|"x@y.test"'.split(
    "|",
  ),
);
const confusing = fc.array(piece, { minLength: 1, maxLength: 9 }).map((pieces) => pieces.join(""));

const atext = fc.constantFrom(..."abcdefghijklmnopqrstuvwxyzABCXYZ0123456789#$&'*+/=?^_`{|}~-éüñ日本ж".split(""));
const atom = fc.string({ unit: atext, minLength: 1, maxLength: 8 });
const local = fc
  .array(atom, { minLength: 1, maxLength: 4 })
  .map((atoms) => atoms.join("."))
  .filter((text) => !/^[-/|]|=\?/.test(text));
const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,10}[a-z0-9])?$/).filter((text) => !text.startsWith("xn--"));
const domain = fc
  .tuple(
    fc.array(fc.oneof(label, fc.constantFrom("bücher", "почта", "例え")), { minLength: 1, maxLength: 4 }),
    fc.constantFrom("test", "テスト", "example"),
  )
  .map(([labels, top]) => [...labels, top].join("."));
const wellFormed = fc.tuple(local, domain).map((parts) => parts.join("@"));
const name = fc.string({ unit: "grapheme", maxLength: 40 });

const wire =
  /^(?!.*=\?)(?![-/|.])[A-Za-z0-9#$&'*+/=?^_`{|}~.\p{L}\p{M}\p{N}-]+@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/u;

const check = <T>(arbitrary: fc.Arbitrary<T>, holds: (value: T) => void, numRuns = 2_000): void => {
  fc.assert(fc.property(arbitrary, holds), { numRuns });
};

describe("whatever is accepted", () => {
  it("stands on the wire as a dot-atom at a host name, within the lengths of the RFCs", () => {
    check(fc.oneof(confusing, wellFormed, fc.string({ unit: "binary" })), (text) => {
      for (const { address, person, name } of parseAddresses(text, "to", "list").addresses) {
        expect(address).toMatch(wire);
        expect(address).not.toMatch(/\.\.|\.@/);
        expect(Buffer.byteLength(address)).toBeLessThanOrEqual(254);
        expect(Buffer.byteLength(address.split("@")[0]!)).toBeLessThanOrEqual(64);
        expect(person).toBe(address.toLowerCase().normalize("NFC"));
        expect(name).not.toBe("");
        expect(name ?? "").not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
      }
    });
  });

  it("is read back from what is written of it, alone and in a list", () => {
    check(
      fc.oneof(
        confusing,
        wellFormed,
        fc.tuple(name, wellFormed).map(([n, a]) => ({ name: n, address: a })),
      ),
      (value) => {
        const { addresses } = parseAddresses(value, "to", "list");
        for (const address of addresses) expect(parseAddress(formatAddress(address), "to")).toEqual(address);
        const { addresses: again, problems } = parseAddresses(addresses.map(formatAddress).join(", "), "to", "list");
        expect(problems).toEqual([]);
        expect(again).toEqual(addresses);
      },
    );
  });

  it("is the same on the fast path and on the strict one", () => {
    // Everyday addresses with up to two signs written over: just on either side of the border.
    const sign = fc.constantFrom(
      ..."ab AXN.-/|=?_1%!\"'<>,;:@()\\\t\u00e9xn\u00ad\u061c\u200b\u2028\u202e\u3000\uff20".split(""),
    );
    const everyday = fc.constantFrom(
      "ann@acme.test",
      "Ann.B+1@a-b.acme.test",
      "<ann@acme.test>",
      "Ann Smith <ann@acme.test>",
      "A-1.b <a_b@xn1.a1.test>",
      "Ann@A-1.Acme.TEST",
      "ann@Xn--a.test",
      '"Smith, Ann" <ann@acme.test>',
      '"a"<b@c1.test>',
      '" a" <b@c1.test>',
      '"a " <b@c1.test>',
      "Jürgen 山田 <j@acme.test>",
      "Ann  Smith <ann@acme.test>",
    );
    const near = fc.tuple(everyday, fc.array(fc.tuple(fc.nat(28), sign), { maxLength: 2 })).map(([text, edits]) => {
      for (const [at, put] of edits) text = text.slice(0, at) + put + text.slice(at + 1);
      return text;
    });
    let fast = 0;
    check(
      fc.oneof({ weight: 4, arbitrary: near }, confusing, wellFormed),
      (text) => {
        const plain = readPlain(text);
        if (!plain) return;
        fast++;
        expect(readMailbox(text, false)).toEqual(plain);
        expect(readMailbox(text, true)).toEqual(plain);
      },
      10_000,
    );
    expect(fast).toBeGreaterThan(1_000);
  });

  it("is the same on both paths for every character in every place", () => {
    const differing: string[] = [];
    for (let code = 0; code < 0x1_0000; code++) {
      const c = String.fromCharCode(code);
      for (const text of [
        `a${c}b <ann@acme.test>`,
        `"a${c}b" <ann@acme.test>`,
        `a${c}b@acme.test`,
        `ann@a${c}b.test`,
      ]) {
        const plain = readPlain(text);
        if (plain && JSON.stringify(plain) !== JSON.stringify(readMailbox(text, false))) differing.push(text);
      }
    }
    expect(differing).toEqual([]);
  });

  it("is the same alone and as a list of one", () => {
    check(fc.oneof(confusing, wellFormed), (text) => {
      const one = parseAddress(text, "to");
      if (isRefusal(one)) return;
      expect(parseAddresses(text, "to", "list")).toEqual({ addresses: [one], problems: [] });
      expect(parseAddresses(text, "to", "single")).toEqual({ addresses: [one], problems: [] });
    });
  });
});

describe("well-formed addresses", () => {
  it("are accepted, with any harmless name", () => {
    check(fc.tuple(wellFormed, fc.stringMatching(/^[A-Za-z0-9 .,;:()'éü日-]{1,40}$/)), ([address, text]) => {
      expect(parseAddresses({ address, name: text }, "to", "list").problems).toEqual([]);
      expect(isRefusal(parseAddress(address, "to"))).toBe(false);
      expect(isRefusal(parseAddress(`"${text}" <${address}>`, "to"))).toBe(false);
    });
  });
});

describe("refusals", () => {
  it("never throw, and never quote what they refuse", () => {
    const secret = fc.stringMatching(/^[bcdfghjklmnpqrstvwxz]{12}$/);
    check(fc.tuple(confusing, secret, confusing), ([before, word, after]) => {
      for (const form of ["list", "single"] as const) {
        const { problems } = parseAddresses([`${before}${word}${after}`, { name: word, address: after }], "to", form);
        expect(JSON.stringify(problems)).not.toContain(word);
        for (const { message, fix, where } of problems) expect([message, fix, where].every(Boolean)).toBe(true);
      }
    });
  });

  it("hold for plain values of any shape", () => {
    check(
      fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withTypedArray: true }),
      (value) => {
        const { addresses, problems } = parseAddresses(value, "to", "list");
        expect(Array.isArray(addresses) && Array.isArray(problems)).toBe(true);
      },
    );
  });
});
