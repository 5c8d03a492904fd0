/**
 * What is accepted, other readers read as the same people. They are: nodemailer's parser; mailparser,
 * over a whole rendered mail; and three ways in which home-made readers and providers' SDKs cut
 * addresses out of text.
 */
import fc from "fast-check";
import { type AddressObject, simpleParser } from "mailparser";
import { createTransport } from "nodemailer";
import addressparser from "nodemailer/lib/addressparser";
import { describe, expect, it } from "vitest";
import { formatAddress, parseAddresses } from "../../src/address";

type Read = { readonly address?: string | undefined; readonly group?: readonly Read[] | undefined };
const flat = (read: readonly Read[]): string[] =>
  read.flatMap((entry) => (entry.group ? flat(entry.group) : entry.address ? [entry.address] : []));

const readers: Record<string, (text: string) => string[]> = {
  nodemailer: (text) => flat(addressparser(text) as readonly Read[]),
  "split at commas outside quotes, last bracket": (text) =>
    splitOutsideQuotes(text).map((part) => (/<([^<>]*)>\s*$/.exec(part)?.[1] ?? part).trim()),
  "split at commas outside quotes, first bracket": (text) =>
    splitOutsideQuotes(text).map((part) =>
      (/<([^>]*)>/.exec(part.replace(/"(?:[^"\\]|\\.)*"/g, ""))?.[1] ?? part).trim(),
    ),
};

function splitOutsideQuotes(text: string): string[] {
  const parts = text.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? [];
  return parts.filter((part) => part.trim() !== "");
}

const people = (addresses: readonly string[]): string[] => [...new Set(addresses)].sort();

/** The accepted addresses and the text that is delivered for them. */
function accept(value: unknown): { readonly addresses: string[]; readonly text: string } {
  const { addresses } = parseAddresses(value, "to", "list");
  return { addresses: people(addresses.map(({ address }) => address)), text: addresses.map(formatAddress).join(", ") };
}

const everyday = [
  "ann@acme.test",
  "Ann Smith <Ann@Acme.test>",
  '"Smith, Ann" <ann@acme.test>, bob@acme.test',
  '"a;b:c(d)[e]<f>" <ann@acme.test>',
  '"Ann \\"A\\" \\\\" <ann@acme.test>',
  '"old@acme.test" <new@acme.test>',
  "Jürgen <jürgen@acme.test>",
  "=?utf-8?Q?Smith=2C_J=C3=BCrgen?= <j@acme.test>",
  "Team: ann@acme.test, B <bob@acme.test>;, carl@acme.test",
  "ann@acme.test; bob@acme.test",
  "ann@acme.test,\r\n\tbob@acme.test",
  "Ann\r\n Smith <ann@acme.test>",
  "太郎@例え.テスト",
  "o'neil+x=y@acme.test",
];

const confusing = fc
  .array(
    fc.constantFrom(
      ...'a.b|ann|Smith|"|"|\\|<|>|<|>|@|@|,|;|:|(|)|[| | |\t|\r\n |.|-|acme.test|b.test|%|é|bücher.test|xn--bcher-kva.test|1|\''.split(
        "|",
      ),
      ...'a@acme.test|c@d.test|Ann <a@acme.test>|"Smith, Ann" <b@acme.test>|T: a@acme.test;|"x@y.test"| <c@d.test>'.split(
        "|",
      ),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((pieces) => pieces.join(""));

describe("what is accepted reads the same elsewhere", () => {
  it.each(Object.keys(readers))("as it is written anew: %s", (reader) => {
    for (const text of everyday) {
      const { addresses, text: written } = accept(text);
      expect(addresses).not.toEqual([]);
      expect(people(readers[reader]!(written))).toEqual(addresses);
    }
    fc.assert(
      fc.property(confusing, (text) => {
        const { addresses, text: written } = accept(text);
        expect(people(readers[reader]!(written))).toEqual(addresses);
      }),
      { numRuns: 2_000 },
    );
  });

  it("as it was given, by the client that would have read it", () => {
    let accepted = 0;
    const asGiven = (text: string): void => {
      const { addresses, problems } = parseAddresses(text, "to", "list");
      if (problems.length > 0 || addresses.length === 0) return;
      accepted++;
      // nodemailer reads domains as they are typed; the comparison needs one form.
      const theirs = readers.nodemailer!(text).map(
        (address) => parseAddresses(address, "to", "list").addresses[0]?.address,
      );
      expect(theirs).toEqual(addresses.map(({ address }) => address));
    };
    everyday.forEach(asGiven);
    fc.assert(fc.property(confusing, asGiven), { numRuns: 5_000 });
    expect(accepted).toBeGreaterThan(50);
  });

  it.each(everyday)("in a whole mail, rendered by nodemailer and read by mailparser: %j", async (text) => {
    const parsed = parseAddresses(text, "to", "list").addresses;
    const mail = await createTransport({ streamTransport: true, buffer: true }).sendMail({
      from: "app@acme.test",
      to: parsed.map(({ address, name }) => ({ address, name: name ?? "" })),
      text: "x",
    });
    expect(people(mail.envelope.to as string[])).toHaveLength(new Set(parsed.map(({ person }) => person)).size);
    const header = (await simpleParser(mail.message as Buffer)).to as AddressObject;
    const read = parseAddresses(flat(header.value as readonly Read[]), "to", "list");
    expect(read.problems).toEqual([]);
    expect(read.addresses.map(({ person }) => person)).toEqual(parsed.map(({ person }) => person));
  });
});
