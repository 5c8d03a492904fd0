/** What leaves through a fuse is, to the byte, what nodemailer would have sent without one. */
import { generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MimeNode } from "../../adapters/nodemailer/shapes";
import { Shortcut } from "../../adapters/nodemailer/shortcut";
import { type AnyNodemailer, gated, type MailServer, smtp, startMailServer, versions } from "./nodemailer-world";

const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 1024,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

const everyByte = Buffer.from(Array.from({ length: 1_000 }, (_, index) => (index * 7) % 256));
const png = { filename: "logo.png", content: everyByte, cid: "logo" };
const calendar = { method: "REQUEST", content: "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n" };

/** Mails whose rendering differs somewhere: in tree, encoding, line ends or headers. */
const mails: Record<string, object> = {
  "plain text": { text: "hello\r\nyou\r\n" },
  "no text at all": {},
  "an empty text": { text: "", html: "" },
  "no line end at the end": { text: "hello" },
  "a lone CR at the end": { text: "hello\r" },
  "line ends of every kind": { text: "a\nb\r\nc\rd\n\n\r\n" },
  "dots at the start of lines": { text: ".\r\n..\r\n.a\n.b", html: ".<p>.\n.</p>" },
  "lines longer than mail may have": { text: "x".repeat(3_000), html: `<p>${"word ".repeat(500)}</p>` },
  "blanks at the end of lines": { text: "a \r\nb\t\nc \u00fc \r\n \r\n" },
  "signs outside of ASCII": { text: "Gr\u00fc\u00dfe \u{1f4e6}".repeat(60), html: "<p>\u00e9</p>".repeat(90) },
  "mostly signs outside of ASCII": { text: "\u4f60\u597d".repeat(80) },
  "half of a pair of surrogates": { text: "a \ud83d b", html: "\udce6" },
  "equals signs": { text: "a=b =3D = \u00e9=\r\n=" },
  "base64 by choice": { text: "Gr\u00fc\u00dfe", html: "<p>x</p>", textEncoding: "base64" },
  "quoted-printable by choice": { text: "hello", encoding: "quoted-printable" },
  "text as bytes": { text: Buffer.from("Gr\u00fc\u00dfe \r\n"), html: Buffer.from("<p>x</p>") },
  "an alternative": { text: "hello", html: "<p>hello</p>" },
  "an alternative, related and mixed": {
    text: "hello",
    html: '<img src="cid:logo">',
    attachments: [png, { filename: "a.txt", content: "abc\n.def" }, { filename: "empty.bin", content: "" }],
  },
  "everything at once": {
    text: "hello",
    html: "<p>hello</p>",
    amp: "<html amp4email></html>",
    watchHtml: "<b>hello</b>",
    icalEvent: calendar,
    alternatives: [{ contentType: "text/x-web-markdown", content: "**hello**" }],
    attachments: [png],
  },
  "attachments of several encodings": {
    attachments: [
      { filename: "a.bin", content: everyByte, contentTransferEncoding: "quoted-printable" },
      { filename: "b.txt", content: "one\ntwo\rthree\r\n", contentTransferEncoding: "quoted-printable" },
      { filename: "c.txt", content: "one\ntwo", contentTransferEncoding: "7bit" },
      { filename: "Gr\u00fc\u00dfe \u{1f4e6}.txt", content: "YWJj", encoding: "base64" },
      { contentType: "message/rfc822", content: "Subject: inner\r\n\r\nbody" },
      { raw: "Content-Type: text/x-raw\r\n\r\nraw" },
      { filename: "d.eml", raw: Buffer.from("Content-Type: text/x-raw\r\n\r\nraw\r\n") },
    ],
  },
  "an attachment of a megabyte": {
    text: "hello",
    attachments: [{ filename: "a.bin", content: Buffer.alloc(1 << 20, 7) }],
  },
  "raw mail": { raw: "From: app@sender.test\r\nTo: ann@ok.test\r\nSubject: raw\r\n\r\nraw" },
  "raw mail as bytes": { raw: Buffer.from("From: app@sender.test\nTo: ann@ok.test\n\nGr\u00fc\u00dfe\n.\n") },
  "list headers": { text: "hello", list: { unsubscribe: [{ url: "https://sender.test/u", comment: "Stop" }] } },
  "headers of its own": {
    text: "hello",
    headers: { "x-long": "word ".repeat(40), "X-Sign": "\u00e9", "X-Prepared": { prepared: true, value: "as is" } },
  },
  "addresses with names": {
    to: 'Ann <ann@ok.test>, "Bo, Jr." <bob@ok.test>, Gr\u00fc\u00dfe <g@ok.test>, carl@OK.test',
    cc: [{ name: 'D "dora"', address: "dora@ok.test" }, "Emil <emil@ok.test>"],
    replyTo: "Reply <reply@sender.test>, other@sender.test",
    sender: "Post <post@sender.test>",
    headers: { to: "one@ok.test", "Reply-To": ["two@sender.test", "Three <three@sender.test>"] },
  },
  "a group and a comment": { to: "Team: ann@ok.test, Bob <bob@ok.test>;, (home) carl@ok.test" },
  "a domain outside of ASCII": { to: "Ann <ann@b\u00fccher.test>" },
  "a quoted local part": { to: '"ann b"@ok.test, Bob <"b,c"@ok.test>' },
  "line ends by choice": { text: "a\r\nb\nc", newline: "windows" },
  "line ends of Unix": { text: "a\r\nb\nc", html: "<p>\u00e9</p>", newline: "unix" },
  "a signature": {
    text: "hello \u00e9",
    html: "<p>hello</p>",
    dkim: { domainName: "sender.test", keySelector: "k", privateKey },
  },
};

const envelope = { from: "app@sender.test", to: ["ann@ok.test"] };

function complete(mail: object): object {
  const addressed = { from: '"Gr\u00fcn, App" <app@sender.test>', to: "Ann <ann@ok.test>", subject: "Gr\u00fc\u00dfe" };
  return {
    ...("raw" in mail ? { envelope } : addressed),
    messageId: "<1@sender.test>",
    date: new Date(1_700_000_000_000),
    baseBoundary: "0123456789abcdef",
    ...mail,
  };
}

/** What decides where a quoted-printable line breaks. */
const contents = [
  "a",
  "ab",
  "word ",
  "=",
  " ",
  "\t",
  "\r\n",
  "\n",
  "\r",
  ".",
  ",",
  "?",
  "\u00e9",
  "\u4f60",
  "\u{1f4e6}",
  "=20",
  "\0",
];

/** Numbers below a limit, the same in every run. */
function drawn(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

let server: MailServer;
beforeAll(async () => {
  server = await startMailServer();
});
afterAll(() => server.close());

/** A transporter that has sent mails before: the first is rendered otherwise. */
async function warm(nodemailer: AnyNodemailer, options: object) {
  const held = gated(nodemailer.createTransport(options));
  const { transporter } = held;
  const node: MimeNode[] = [];
  transporter.use("stream", (mail: never, done) => {
    node.push((mail as { message: MimeNode }).message);
    done();
  });
  await transporter.sendMail({ ...complete({}), text: "first" });
  const shortcut = new Shortcut();
  for (let turn = 0; turn < 1_000 && !shortcut.of(node[0] as MimeNode); turn++)
    await new Promise((resolve) => setImmediate(resolve));
  expect(shortcut.of(node[0] as MimeNode)).toBeDefined();
  return held;
}

describe.each(versions)("nodemailer %s", (_version, nodemailer) => {
  const stream = { streamTransport: true, buffer: true };

  it.each(Object.keys(mails))("sends as without a fuse: %s", async (name) => {
    const mail = () => complete(mails[name] as object);
    const bare = (await nodemailer.createTransport(stream).sendMail(mail())).message as Buffer;
    const first = await gated(nodemailer.createTransport(stream)).transporter.sendMail(mail());
    expect((first.message as Buffer).toString("latin1")).toBe(bare.toString("latin1"));
    const { transporter } = await warm(nodemailer, stream);
    const later = await transporter.sendMail(mail());
    expect((later.message as Buffer).toString("latin1")).toBe(bare.toString("latin1"));
    expect(later.envelope).toEqual((await nodemailer.createTransport(stream).sendMail(mail())).envelope);
  });

  it("breaks lines where nodemailer does", async () => {
    const bare = nodemailer.createTransport(stream);
    const { transporter } = await warm(nodemailer, stream);
    const draw = drawn(7);
    const random = () => contents[draw(contents.length)]?.repeat(1 + draw(draw(40) + 1));
    const texts = Array.from({ length: 300 }, () => Array.from({ length: draw(90) }, random).join(""));
    for (let length = 0; length < 80; length++) {
      for (const last of [" x", "\u00e9", "\u{1f4e6}x", "=", "\n"])
        texts.push(`${"x".repeat(76)}\r\n${"x".repeat(length)}${last}`);
    }
    for (const html of texts) {
      const mail = complete({ html, encoding: "quoted-printable" });
      const theirs = (await bare.sendMail(mail)).message as Buffer;
      expect(((await transporter.sendMail(mail)).message as Buffer).toString("latin1")).toBe(theirs.toString("latin1"));
    }
  });

  it("writes the same to the wire", async () => {
    const options = smtp(server.port, { pool: true, maxConnections: 1 });
    const bare = nodemailer.createTransport(options);
    const { transporter } = await warm(nodemailer, options);
    for (const mail of Object.values(mails)) {
      server.mails.length = 0;
      await bare.sendMail(complete(mail));
      await transporter.sendMail(complete(mail));
      const [theirs, ours] = server.mails;
      expect(ours?.bytes.toString("latin1")).toBe(theirs?.bytes.toString("latin1"));
      expect(ours?.bytes.length).toBeGreaterThan(0);
      expect(ours?.to).toEqual(theirs?.to);
    }
    bare.close();
    transporter.close();
  });

  it("renders by itself what a plugin has made its own", async () => {
    const { transporter } = await warm(nodemailer, stream);
    transporter.use("stream", (mail: never, done) => {
      const { message } = mail as { message: MimeNode };
      const render = message.stream?.bind(message);
      message.stream = (output, options, ready) => {
        output.write("X-Plugin: was here\r\n");
        return render?.(output, options, ready);
      };
      done();
    });
    const sent = await transporter.sendMail(complete({ text: "hello", html: "<p>\u00e9</p>" }));
    expect(String(sent.message)).toMatch(/^X-Plugin: was here\r\n/);
  });

  it("renders by itself once its class was changed", async () => {
    const { transporter } = await warm(nodemailer, stream);
    let prototype: MimeNode | undefined;
    transporter.use("stream", (mail: never, done) => {
      prototype = Object.getPrototypeOf((mail as { message: MimeNode }).message);
      done();
    });
    await transporter.sendMail(complete({ text: "hello" }));
    const changed = prototype as MimeNode;
    const render = changed.stream as NonNullable<MimeNode["stream"]>;
    changed.stream = function (this: MimeNode, output, options, ready) {
      output.write("X-Class: changed\r\n");
      return render.call(this, output, options, ready);
    };
    // One that has found out how its nodemailer renders before, and one that finds it rendering otherwise.
    const late = gated(nodemailer.createTransport(stream)).transporter;
    try {
      for (const one of [transporter, late, late, late]) {
        const sent = await one.sendMail(complete({ text: "hello" }));
        expect(String(sent.message)).toMatch(/^X-Class: changed\r\n/);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    } finally {
      changed.stream = render;
    }
  });

  it("sends what was judged, whatever becomes of the application's bytes", async () => {
    const contents = [
      (bytes: Buffer) => ({ raw: bytes, envelope }),
      (bytes: Buffer) => ({ ...complete({}), attachments: [{ content: bytes, contentTransferEncoding: "7bit" }] }),
    ];
    for (const mail of contents) await stays(mail, gated(nodemailer.createTransport(stream)));
    for (const mail of contents) await stays(mail, await warm(nodemailer, stream));

    async function stays(mail: (bytes: Buffer) => object, { transporter, gate }: ReturnType<typeof gated>) {
      const bytes = Buffer.from("From: app@sender.test\r\nTo: ann@ok.test\r\n\r\nas judged\r\n");
      gate.judge = async () => void bytes.fill("x");
      const sent = await transporter.sendMail(mail(bytes));
      expect(String(sent.message)).toContain("as judged");
    }
  });
});
