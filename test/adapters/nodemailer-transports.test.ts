/** What each kind of transport reads beside the envelope, and how it answers. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import * as ses from "@aws-sdk/client-sesv2";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type RecordedRequest, type Recorder, startRecorder } from "../../src/testing/recorder";
import {
  type AnyNodemailer,
  type AnyTransporter,
  attached,
  codeOf,
  codesOf,
  current,
  gated,
  testFuse,
  versions,
} from "./nodemailer-world";

const from = "App <app@sender.test>";
const ok = "ann@ok.test";
const evil = "mallory@evil.test";
const mail = { from, to: ok, subject: "hello", text: "hello" };

describe.each(versions)("the JSON transport of nodemailer %s", (_version, nodemailer) => {
  const open = () => nodemailer.createTransport({ jsonTransport: true });
  const rich = () => ({
    from,
    to: ["Ann <ann@ok.test>", { name: "Bob", address: "bob@ok.test" }],
    cc: "carl@ok.test",
    bcc: "dora@ok.test",
    subject: "Grüße",
    text: Readable.from([Buffer.from("a "), Buffer.from("text")]),
    html: { path: __filename },
    attachments: [
      { filename: "a.txt", content: "abc" },
      { path: __filename },
      { filename: "b.bin", content: Buffer.from([1, 2, 3]) },
      { filename: "c.txt", content: Readable.from([Buffer.from("stream")]) },
      { filename: "d.txt", path: "data:text/plain;base64,aGk=" },
    ],
    alternatives: [{ contentType: "text/x", content: "alt" }],
    icalEvent: { method: "REQUEST", content: "BEGIN:VCALENDAR" },
    headers: { "X-App": "1" },
    list: { unsubscribe: "https://sender.test/u" },
    date: new Date(0),
    messageId: "<1@sender.test>",
    custom: { anything: [1, 2] },
    template: "welcome",
  });

  it("answers as it would without a fuse", async () => {
    const bare = await open().sendMail(rich());
    const guarded = await attached(testFuse(), open()).sendMail(rich());
    expect(guarded.envelope).toEqual(bare.envelope);
    expect(JSON.parse(guarded.message as string)).toEqual(JSON.parse(bare.message as string));
  });

  it("refuses a stranger in a header that only readers of the data see", async () => {
    const transporter = attached(testFuse(), open());
    const hidden = { ...mail, envelope: { from, to: ok }, headers: { Bcc: evil } };
    expect(await codeOf(transporter.sendMail(hidden))).toBe("NOT_ALLOWLISTED");
  });
});

describe.each(versions)("the stream transport of nodemailer %s", (_version, nodemailer) => {
  it.each([
    ["a buffer", { buffer: true }],
    ["a buffer with unix line ends", { buffer: true, newline: "unix" }],
    ["a stream", {}],
  ])("hands %s back, Bcc included", async (_name, options) => {
    const fixed = { ...mail, bcc: "dora@ok.test", messageId: "<1@s>", date: "Mon, 01 Jan 2024 00:00:00 +0000" };
    const read = async (transporter: AnyTransporter) => {
      const { message, envelope } = await transporter.sendMail(fixed);
      const chunks: Buffer[] = [];
      if (Buffer.isBuffer(message)) chunks.push(message);
      else for await (const chunk of message as Readable) chunks.push(chunk);
      return [Buffer.concat(chunks).toString(), envelope];
    };
    const open = () => nodemailer.createTransport({ streamTransport: true, ...options });
    const bare = await read(open());
    expect(await read(attached(testFuse(), open()))).toEqual(bare);
    expect(bare[0]).toContain("Bcc: dora@ok.test");
  });
});

describe.each(versions)("the sendmail transport of nodemailer %s", (_version, nodemailer) => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(path.join(tmpdir(), "mailfuse-sendmail-"));
    // Keeps what it is given: its arguments one a line, and the mail.
    writeFileSync(
      path.join(directory, "sendmail"),
      `#!/bin/sh\nprintf '%s\\n' "$@" > "${directory}/args"\ncat > "${directory}/mail"\n`,
    );
    chmodSync(path.join(directory, "sendmail"), 0o755);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  beforeEach(() => {
    for (const name of ["args", "mail"]) rmSync(path.join(directory, name), { force: true });
  });
  const open = (more: object = {}) =>
    nodemailer.createTransport({ sendmail: true, newline: "unix", path: path.join(directory, "sendmail"), ...more });
  const args = () => readFileSync(path.join(directory, "args"), "utf8").trim().split("\n");

  it("passes the judged envelope to the program", async () => {
    const transporter = attached(testFuse(), open());
    const info = await transporter.sendMail({ ...mail, bcc: "dora@ok.test" });
    expect(args()).toEqual(["-i", "-f", "app@sender.test", ok, "dora@ok.test"]);
    expect(readFileSync(path.join(directory, "mail"), "utf8")).toMatch(/^Bcc: dora@ok.test$/m);
    expect(info).toMatchObject({
      response: "Messages queued for delivery",
      envelope: { from: "app@sender.test", to: [ok, "dora@ok.test"] },
    });
  });

  it("sends to the copied envelope, which older versions read from the message data", async () => {
    const { transporter, gate } = gated(open());
    const envelope = { from: "app@sender.test", to: [ok] };
    gate.judge = async () => void envelope.to.push(evil);
    await transporter.sendMail({ ...mail, envelope });
    expect(args()).toEqual(["-i", "-f", "app@sender.test", ok]);
  });

  it.each([
    [["-t"]],
    [["-i", "-t"]],
    [["-ti"]],
    [["-f", "app@sender.test", "-t"]],
    [["--read-recipients"]],
    [["-f", "app@sender.test", "boss@ok.test"]],
    [["--", "x@y.test"]],
  ])("refuses arguments that name recipients or have them read: %j", async (given) => {
    const transporter = attached(testFuse(), open({ args: given }));
    expect(await codesOf(transporter.sendMail(mail))).toContain("FIELD_UNKNOWN");
  });

  it.each([
    [["-f", "bounce@sender.test"]],
    [["-fbounce@sender.test"]],
    [["-oi", "-f", "t@sender.test"]],
    [["-N", "never"]],
    [[]],
  ])("lets everyday arguments pass: %j", async (given) => {
    const transporter = attached(testFuse(), open({ args: given }));
    await transporter.sendMail(mail);
    expect(args()).toEqual(["-i", ...given, ok]);
  });
});

describe("the SES transport", () => {
  let recorder: Recorder;
  beforeAll(async () => {
    recorder = await startRecorder(() => ({
      status: 200,
      headers: { "content-type": "application/json" },
      body: '{"MessageId":"0100"}',
    }));
  });
  afterAll(() => recorder.close());
  beforeEach(() => {
    recorder.requests.length = 0;
  });
  function open(nodemailer: AnyNodemailer = current): AnyTransporter {
    const sesClient = new ses.SESv2Client({
      region: "eu-west-1",
      endpoint: recorder.url,
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
      maxAttempts: 1,
    });
    return nodemailer.createTransport({ SES: { sesClient, SendEmailCommand: ses.SendEmailCommand } });
  }
  const body = (request?: RecordedRequest) => JSON.parse(request?.body.toString() ?? "{}");

  it("sends to the judged people under the visible sender", async () => {
    const transporter = attached(testFuse(), open());
    const info = await transporter.sendMail({ ...mail, from: "Jürgen <app@sender.test>", bcc: "dora@ok.test" });
    expect(info).toMatchObject({
      messageId: "<0100@eu-west-1.amazonses.com>",
      response: "0100",
      envelope: { to: [ok, "dora@ok.test"] },
    });
    const { Destination, FromEmailAddress, Content } = body(recorder.requests[0]);
    expect(Destination).toEqual({ ToAddresses: [ok, "dora@ok.test"] });
    expect(FromEmailAddress).toBe("=?UTF-8?Q?J=C3=BCrgen?= <app@sender.test>");
    expect(Buffer.from(Content.Raw.Data, "base64").toString()).toMatch(/^To: ann@ok.test$/m);
  });

  it.each([
    ["another destination", { Destination: { ToAddresses: [evil] } }],
    ["an empty destination, which has SES read the headers", { Destination: {} }],
    ["a missing destination", { Destination: null }],
    ["other content", { Content: { Simple: {} } }],
    ["an unknown parameter", { Recipients: [evil] }],
  ])("refuses %s", async (_name, override) => {
    const transporter = attached(testFuse(), open());
    expect(await codesOf(transporter.sendMail({ ...mail, ses: override }))).toContain("FIELD_UNKNOWN");
    expect(recorder.requests).toHaveLength(0);
  });

  it("passes parameters that change neither recipients nor content", async () => {
    const transporter = attached(testFuse(), open());
    const parameters = { ConfigurationSetName: "c", EmailTags: [{ Name: "n", Value: "v" }] };
    await transporter.sendMail({ ...mail, ses: parameters });
    expect(body(recorder.requests[0])).toMatchObject(parameters);
  });

  it("copies the parameters: a stream that changes them comes too late", async () => {
    const transporter = attached(testFuse(), open());
    const override: Record<string, unknown> = {};
    const text = new Readable({
      read() {
        override.Destination = { ToAddresses: [evil] };
        this.push("x");
        this.push(null);
      },
    });
    await transporter.sendMail({ ...mail, text, ses: override });
    expect(body(recorder.requests[0]).Destination).toEqual({ ToAddresses: [ok] });
  });

  it("refuses verify(), which sends a mail", async () => {
    const fuse = testFuse();
    const transporter = attached(fuse, open());
    expect(await codeOf(transporter.verify())).toBe("SYSTEM_MAIL_REFUSED");
    const refused = await new Promise<unknown>((resolve) =>
      (transporter.verify as (done: (error: unknown) => void) => void)(resolve),
    );
    expect(refused).toMatchObject({ code: "SYSTEM_MAIL_REFUSED" });
    expect(recorder.requests).toHaveLength(0);
    fuse.detach(transporter);
    await transporter.verify();
    expect(recorder.requests).toHaveLength(1);
  });

  it("lets verify() send its mail where system mail is allowed", async () => {
    const transporter = attached(
      testFuse({ allowSystemMail: true, environments: { staging: { mode: "live" } } }),
      open(),
    );
    expect(await transporter.verify()).toBe(true);
    expect(recorder.requests).toHaveLength(1);
  });
});

describe("a third party's transport", () => {
  /** Reads what it likes of a mail, as such transports do. */
  function thirdParty(name = "acme-mail") {
    const seen: { data: Record<string, unknown>; envelope: unknown; headers: unknown[]; text: string }[] = [];
    const transport = {
      name,
      version: "1.0.0",
      send(
        mail: {
          data: Record<string, unknown>;
          message: { getEnvelope(): unknown; _headers: unknown[]; createReadStream(): Readable };
        },
        done: (error: unknown, info?: object) => void,
      ) {
        void (async () => {
          let text = "";
          for await (const chunk of mail.message.createReadStream()) text += chunk;
          seen.push({ data: mail.data, envelope: mail.message.getEnvelope(), headers: mail.message._headers, text });
          done(null, { messageId: "1" });
        })();
      },
    };
    return { transport, seen };
  }

  it("gets the judged recipients wherever it reads them", async () => {
    const { transport, seen } = thirdParty();
    const { transporter, gate } = gated(current.createTransport(transport));
    const to = ["Ann <ANN@OK.test>", { name: "Bob", address: "bob@ok.test" }];
    const envelope = { from, to: [ok] };
    gate.judge = async () => {
      to.push(evil);
      envelope.to.push(evil);
    };
    await transporter.sendMail({ ...mail, to, cc: "carl@ok.test, dora@ok.test", envelope, headers: { "X-App": "1" } });
    const [one] = seen;
    expect(one?.data).toMatchObject({
      to: ["Ann <ANN@ok.test>", { name: "Bob", address: "bob@ok.test" }],
      cc: "carl@ok.test, dora@ok.test",
      envelope: { to: [ok] },
      headers: { "X-App": "1" },
    });
    expect(one?.envelope).toMatchObject({ from: "app@sender.test", to: [ok] });
    expect(JSON.stringify(one)).not.toContain("evil.test");
    expect(gate.message.recipients.map(({ address }) => address)).toEqual([
      "ANN@ok.test",
      "bob@ok.test",
      "carl@ok.test",
      "dora@ok.test",
      ok,
    ]);
  });

  it("is refused people whom only the data names, although the envelope does not", async () => {
    const { transport, seen } = thirdParty();
    const transporter = attached(testFuse(), current.createTransport(transport));
    for (const carrier of [{ to: evil }, { cc: evil }, { bcc: evil }, { headers: { Bcc: evil } }]) {
      const given = { ...mail, envelope: { from, to: ok }, ...carrier };
      expect(await codeOf(transporter.sendMail(given)), JSON.stringify(carrier)).toBe("NOT_ALLOWLISTED");
    }
    expect(seen).toHaveLength(0);
  });

  it("is refused fields whose meaning nobody here knows, unless they are listed", async () => {
    const { transport, seen } = thirdParty();
    const given = { ...mail, personalizations: [{ to: [{ email: evil }] }] };
    const strict = attached(testFuse(), current.createTransport(transport));
    expect(await codesOf(strict.sendMail(given))).toEqual(["FIELD_UNKNOWN"]);
    expect(seen).toHaveLength(0);
    const listed = attached(testFuse(), current.createTransport(thirdParty().transport), { fields: ["categoryId"] });
    await listed.sendMail({ ...mail, categoryId: 7 });
    expect(await codesOf(listed.sendMail(given))).toEqual(["FIELD_UNKNOWN"]);
  });

  it("gets contents that were read once, for the text it shows and for the text it sends", async () => {
    const { transport, seen } = thirdParty();
    const { transporter, gate } = gated(current.createTransport(transport));
    let reads = 0;
    const stream = () =>
      new Readable({
        read() {
          this.push(`part ${++reads}`);
          this.push(null);
        },
      });
    await transporter.sendMail({ ...mail, text: stream(), attachments: [{ filename: "a.txt", content: stream() }] });
    expect(reads).toBe(2);
    expect(seen).toMatchObject([
      {
        data: {
          text: Buffer.from(gate.message.content().text ?? ""),
          attachments: [{ content: Buffer.from("part 2") }],
        },
      },
    ]);
    expect(seen[0]?.text).toContain(Buffer.from("part 2").toString("base64"));
  });

  it("has an outcome only as far as its answer tells one", async () => {
    const { transporter, gate } = gated(current.createTransport(thirdParty().transport));
    await transporter.sendMail(mail);
    expect(gate.outcomes).toEqual([{ fate: "accepted", messageId: "1" }]);
    // Some report a status of their own making for a connection that broke.
    const failing = thirdParty().transport;
    failing.send = (_mail, done) => done(Object.assign(new Error("no"), { status: 400 }));
    const other = gated(current.createTransport(failing));
    await other.transporter.sendMail(mail).catch(() => {});
    expect(other.gate.outcomes).toEqual([{ fate: "unknown", providerCode: "Error" }]);
  });

  it("has its own rejected promise heard", async () => {
    const transport = { name: "acme", version: "1", send: async () => Promise.reject(new Error("broken")) };
    const { transporter } = gated(current.createTransport(transport));
    await expect(transporter.sendMail(mail)).rejects.toThrow("broken");
  });
});

describe("Mailtrap's transport", () => {
  it("has a template's text marked as not known here", async () => {
    const transport = {
      name: "MailtrapTransport",
      version: "1",
      send: (_mail: unknown, done: (e: null, i: object) => void) => done(null, { success: true, message_ids: ["1"] }),
    };
    const { transporter, gate } = gated(current.createTransport(transport));
    await transporter.sendMail({ ...mail, templateUuid: "t-1", templateVariables: { a: 1 }, category: "welcome" });
    expect(gate.problems).toEqual([]);
    expect(gate.message.tags).toEqual(["welcome"]);
    expect(gate.message.content()).toMatchObject({
      template: { id: "t-1" },
      unbound: expect.stringContaining("templateUuid"),
    });
  });
});
