import fc from "fast-check";
import nodemailer from "nodemailer";
import { describe, expect, it } from "vitest";
import { decodeWords, headerName, mimeDigestInput, readHeaders, readMime } from "../src/mime";

const lines = (...all: string[]): Buffer => Buffer.from(all.join("\r\n"));
const readText = (...all: string[]) => {
  const { parts, ...read } = readMime(lines(...all));
  return { ...read, parts: parts.map((part) => [part.type, part.name, Buffer.from(part.bytes()).toString()]) };
};

/** What nodemailer makes of a mail. */
async function render(mail: object): Promise<Buffer> {
  const { message } = await nodemailer.createTransport({ streamTransport: true, buffer: true }).sendMail(mail);
  return message as Buffer;
}

describe("headers", () => {
  it("are unfolded, in order, under their canonical names", () => {
    const block = readHeaders(lines("Subject: one", " two", "\tthree", "X-A: 1", "X-A:2", "", "Body: no header"));
    expect(block.headers).toEqual([
      ["subject", "one two\tthree"],
      ["x-a", "1"],
      ["x-a", "2"],
    ]);
  });

  it.each([
    ["line ends of LF", "A: 1\nTo: b\n\nTo: no"],
    ["line ends of CR", "A: 1\rTo: b\r\n\r\nTo: no"],
    ["an empty line before them", "\r\n\nA: 1\r\nTo: b\r\n\r\nTo: no"],
    ["a line that is none among them", "A: 1\r\nnothing\r\nTo: b\r\n\r\nTo: no"],
    ["a line of blanks among them", "A: 1\r\n   \r\nTo: b\r\n\r\nTo: no"],
    ["two CRs that only some take for the end", "A: 1\r\rTo: b\r\n\r\nTo: no"],
    ["an mbox line before them", "From a@b.test Mon Jan\nA: 1\nTo: b\n\nTo: no"],
    ["no end at all", "A: 1\r\nTo: b"],
  ])("are read to their end with %s", (_name, text) => {
    const { headers } = readHeaders(Buffer.from(text));
    expect(headers.filter(([name]) => name === "to" || name === "a")).toEqual([
      ["a", "1"],
      ["to", "b"],
    ]);
  });

  it.each([
    ["Bcc", "bcc"],
    ["B c c", "bcc"],
    ["\tBCC ", "bcc"],
    ["Bcc\0", "bcc"],
    ["B\u200bcc", "bcc"],
    ["Ｂｃｃ", "bcc"],
    ["X-SMTP API", "x-smtpapi"],
    ["B\u00adcc", "bcc"],
  ])("%j is compared as %s", (given, name) => {
    expect(headerName(given)).toBe(name);
  });

  it("start their body where every reader does", () => {
    const bytes = lines("A: 1", "", "body");
    expect(bytes.subarray(readHeaders(bytes).body).toString()).toBe("body");
  });
});

describe("encoded-words", () => {
  it.each([
    ["plain", "plain"],
    ["=?UTF-8?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"],
    ["=?utf-8?B?R3LDvMOfZQ==?=", "Grüße"],
    ["=?ISO-8859-1?Q?Gr=FC=DFe_aus?= Ulm", "Grüße aus Ulm"],
    ["=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"],
    ["=?utf-8?Q?a?= and =?utf-8?Q?b?=", "a and b"],
    ["=?utf-8?B?R3LD?= =?utf-8?B?vMOfZQ==?=", "Grüße"],
    ["=?utf-8?Q?a?= =?iso-8859-1?Q?=FC?=", "aü"],
    ["=?utf-8*de?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"],
    ["=?ISO-2022-JP?B?GyRCJDMkcyRLJEEkTxsoQg==?=", "こんにちは"],
    ["=?no-such-charset?Q?a=C3=BC?=", "aü"],
    ["=?utf-8?X?abc?=", "=?utf-8?X?abc?="],
    ["a =? b ?= c", "a =? b ?= c"],
  ])("%j reads %j", (given, read) => {
    expect(decodeWords(given)).toBe(read);
  });
});

describe("texts", () => {
  it.each([
    ["7bit", ["Content-Type: text/plain", "", "hello", ""], "hello"],
    [
      "quoted-printable",
      [
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "Gr=C3=BC=C3=9Fe =",
        "aus=20Ulm=",
        "",
      ],
      "Grüße aus Ulm",
    ],
    [
      "quoted-printable with broken escapes",
      ["Content-Transfer-Encoding: quoted-printable", "", "100 %=ZZ =C", ""],
      "100 %=ZZ =C",
    ],
    [
      "quoted-printable with blanks behind a soft break",
      ["Content-Transfer-Encoding: quoted-printable", "", "a=  \t", "b", ""],
      "ab",
    ],
    ["base64 over several lines", ["Content-Transfer-Encoding: BASE64", "", "R3LD", "vMOfZQ==", ""], "Grüße"],
    [
      "latin1",
      [
        'Content-Type: text/plain; charset="iso-8859-1"',
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "Gr=FC=DFe",
        "",
      ],
      "Grüße",
    ],
    ["a charset nobody knows", ["Content-Type: text/plain; charset=x-none", "", "Grüße", ""], "Grüße"],
    ["no headers at all", ["", "hello", ""], "hello"],
  ])("in %s", (_name, given, text) => {
    expect(readText(...given).text).toBe(text);
  });

  it("are told apart from what is attached", () => {
    expect(
      readText(
        "Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=",
        'Content-Type: multipart/mixed; boundary="b-1"',
        "",
        "preamble",
        "--b-1",
        "Content-Type: multipart/alternative; boundary=b-10",
        "",
        "--b-10",
        "",
        "plain",
        "--b-10",
        "Content-Type: text/html",
        "",
        "<p>html</p>",
        "--b-10--",
        "--b-1",
        "Content-Type: text/plain",
        'Content-Disposition: attachment; filename="=?UTF-8?Q?=C3=A4.txt?="',
        "Content-Transfer-Encoding: base64",
        "",
        "YXR0YWNoZWQ=",
        "--b-1",
        "Content-Type: message/rfc822",
        "",
        "Subject: inner",
        "",
        "inner",
        "--b-1--",
        "epilogue",
      ),
    ).toEqual({
      subject: "Grüße",
      text: "plain",
      html: "<p>html</p>",
      parts: [
        ["text/plain", "ä.txt", "attached"],
        ["message/rfc822", undefined, "Subject: inner\r\n\r\ninner"],
      ],
    });
  });

  it("are joined where a message has several", () => {
    const mail = ["Content-Type: multipart/mixed; boundary=b", "", "--b", "", "one", "--b", "", "two", "--b"];
    expect(readText(...mail).text).toBe("one\ntwo");
  });

  it("are read to the end where the last boundary is missing", () => {
    expect(readText("Content-Type: multipart/mixed; boundary=b", "", "--b", "", "one", "two").text).toBe("one\ntwo");
  });
});

describe("what nodemailer renders", () => {
  const printable = fc
    .string({ unit: "grapheme", maxLength: 300 })
    .map((text) => text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "").trim());

  it("is read as it was written", async () => {
    await fc.assert(
      fc.asyncProperty(
        printable,
        printable,
        printable,
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 3 }),
        async (subject, text, html, files) => {
          fc.pre(subject !== "" && text !== "" && html !== "");
          const attachments = files.map((content, index) => ({
            filename: `${index}.bin`,
            content: Buffer.from(content),
          }));
          const read = readMime(await render({ to: "a@b.test", subject, text, html, attachments }));
          expect([read.subject, read.text, read.html]).toEqual([subject, text, html]);
          expect(read.parts.map((part) => Buffer.from(part.bytes()))).toEqual(attachments.map((one) => one.content));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("has one digest however often it is rendered, and whatever its addresses", async () => {
    const mail = { subject: "s", text: "t", html: "<p>t</p>", attachments: [{ filename: "a", content: "x" }] };
    const one = mimeDigestInput(readMime(await render({ ...mail, to: "a@b.test" })));
    const two = mimeDigestInput(readMime(await render({ ...mail, to: "c@d.test", date: new Date(0) })));
    expect(one).toBe(two);
    const other = mimeDigestInput(
      readMime(await render({ ...mail, to: "a@b.test", attachments: [{ filename: "a", content: "y" }] })),
    );
    expect(other).not.toBe(one);
  });
});

describe("hostile bytes", () => {
  it("never make it throw", () => {
    const word = fc.constantFrom(
      "Content-Type: multipart/mixed; boundary=",
      "--",
      "b",
      "\r\n",
      "\n",
      "\r",
      ":",
      ";",
      '"',
      "\\",
      "=?utf-8?Q?",
      "?=",
      "=",
      "Content-Transfer-Encoding: quoted-printable",
      "\0",
      "é",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 500 }).map(Buffer.from),
          fc.array(word, { maxLength: 60 }).map((words) => Buffer.from(words.join(""))),
        ),
        (bytes) => {
          const read = readMime(bytes);
          for (const part of read.parts) part.bytes();
          mimeDigestInput(read);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("are bounded in depth and parts, and it is said", () => {
    const deep = Array.from({ length: 100 }, (_, i) => [
      `Content-Type: multipart/mixed; boundary=b${i}`,
      "",
      `--b${i}`,
    ]).flat();
    expect(readText(...deep, "", "hidden").unread).toMatch(/nested/);
    const many = [
      "Content-Type: multipart/mixed; boundary=b",
      "",
      ...Array.from({ length: 2_000 }, () => ["--b", "", "x"]).flat(),
    ];
    expect(readText(...many).unread).toMatch(/after the first/);
  });

  // Each would take minutes if any of this were quadratic.
  it.each([
    ["delimiters that are none", () => `Content-Type: multipart/mixed; boundary=b\r\n\r\n${"x--b".repeat(1_000_000)}`],
    [
      "delimiters of a longer boundary",
      () => `Content-Type: multipart/mixed; boundary=b\r\n\r\n${"--bb\r\n".repeat(700_000)}`,
    ],
    ["encoded-words without end", () => `Subject: ${"=?utf-8?Q?a".repeat(300_000)}\r\n\r\n`],
    ["encoded-words in a row", () => `Subject: ${"=?utf-8?Q?a?= ".repeat(200_000)}\r\n\r\n`],
    [
      "soft breaks that are none",
      () => `Content-Transfer-Encoding: quoted-printable\r\n\r\n${`=${" ".repeat(990)}x`.repeat(4_000)}`,
    ],
    ["parameters without end", () => `Content-Type: multipart/mixed${';a="'.repeat(500_000)}\r\n\r\nx`],
    ["parameters of blanks", () => `Content-Type: text/plain;${" ".repeat(2_000_000)}\r\n\r\nx`],
    ["a header folded a million times", () => `X-A: a${"\r\n a".repeat(1_000_000)}\r\n\r\nx`],
    ["headers without end", () => "A: b\r\n".repeat(500_000)],
    ["empty lines", () => "\n".repeat(4_000_000)],
  ])("cost time in line with their length: %s", (_name, make) => {
    const read = readMime(Buffer.from(make()));
    expect(mimeDigestInput(read).length).toBeGreaterThan(0);
  });
});
