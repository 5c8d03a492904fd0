/** Mail for the redirect inbox, and signatures: nothing is changed under one. */
import { Readable } from "node:stream";
import * as ses from "@aws-sdk/client-sesv2";
import { simpleParser } from "mailparser";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startRecorder } from "../../src/testing/recorder";
import { dkim, dkimHolds } from "./nodemailer-dkim";
import {
  type AnyNodemailer,
  type AnyTransporter,
  attached,
  codeOf,
  current,
  type MailServer,
  smtp,
  startMailServer,
  testFuse,
  versions,
} from "./nodemailer-world";

const from = "App <app@sender.test>";
const inbox = "inbox@acme.test";

let server: MailServer;
const opened: AnyTransporter[] = [];
beforeAll(async () => {
  server = await startMailServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.mails.length = 0;
});
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

function open(nodemailer: AnyNodemailer = current, options: object = {}): AnyTransporter {
  const made = nodemailer.createTransport(smtp(server.port, options));
  opened.push(made);
  return made;
}
const redirecting = () => testFuse({}, { allow: ["*@ok.test"], onNotAllowed: { redirectTo: inbox } });

describe.each(versions)("a redirected mail of nodemailer %s", (_version, nodemailer) => {
  it("reaches the inbox alone, and says whom it was for", async () => {
    const transporter = attached(redirecting(), open(nodemailer));
    await transporter.sendMail({
      from,
      to: ["Ann <ann@customers.test>", "bob@customers.test"],
      cc: "carl@customers.test",
      bcc: "dora@customers.test",
      subject: "Grüße aus dem Süden, und noch viel mehr als in eine Zeile passt",
      text: "Grüße",
      html: "<p>Grüße</p>",
      attachments: [{ filename: "a.txt", content: Readable.from([Buffer.from("streamed")]) }],
      headers: { "X-App": "1", "Disposition-Notification-To": "app@sender.test" },
      list: { unsubscribe: { url: "https://sender.test/u" }, help: "https://sender.test/h" },
    });
    expect(server.mails.map((mail) => mail.to)).toEqual([[inbox]]);
    const parsed = await simpleParser(server.mails[0]?.raw ?? "");
    expect(parsed.subject).toBe("[staging] Grüße aus dem Süden, und noch viel mehr als in eine Zeile passt");
    expect(parsed.to).toMatchObject({ value: [{ address: inbox }] });
    expect(parsed.cc ?? parsed.bcc).toBeUndefined();
    expect(parsed.headers.get("x-mailfuse-original-to")).toBe(
      "ann@customers.test, bob@customers.test, carl@customers.test, dora@customers.test",
    );
    expect(parsed.headers.get("x-app")).toBe("1");
    expect(server.mails[0]?.raw).not.toMatch(/unsubscribe|disposition-notification/i);
    expect([parsed.text?.trim(), parsed.html, String(parsed.attachments[0]?.content)]).toEqual([
      "Grüße",
      "<p>Grüße</p>",
      "streamed",
    ]);
  });

  it("is signed after it was rewritten", async () => {
    const transporter = attached(redirecting(), open(nodemailer, { dkim }));
    await transporter.sendMail({ from, to: "ann@customers.test", subject: "hello", text: "hello" });
    expect(server.mails[0]?.to).toEqual([inbox]);
    expect(dkimHolds(server.mails[0]?.raw ?? "")).toBe(true);
  });
});

describe.each(versions)("a signed mail of nodemailer %s", (version, nodemailer) => {
  it.each([
    ["with the transport's key", { dkim }, {}],
    ["with the message's key", {}, { dkim }],
    ["with unix line ends", { dkim }, { newline: "unix" }],
    ["through a pool", { dkim, pool: true }, {}],
  ])("arrives as it was signed, %s", async (_name, options, more) => {
    const transporter = attached(testFuse(), open(nodemailer, options));
    await transporter.sendMail({
      from,
      to: "ann@ok.test",
      cc: "Bob Ünal <bob@ok.test>",
      subject: "Grüße",
      html: "<p>hello</p>\n.\n..dots\n",
      amp: "<!doctype html><html amp4email></html>",
      icalEvent: { method: "REQUEST", content: "BEGIN:VCALENDAR\r\nEND:VCALENDAR" },
      list: { unsubscribe: "https://sender.test/u" },
      attachments: [{ filename: "ä.txt", content: "x".repeat(5_000) }],
      ...more,
    });
    expect(dkimHolds(server.mails[0]?.raw ?? "")).toBe(true);
  });

  it.skipIf(version === "6")("is not signed over what SES replaces (6 knows older SES clients only)", async () => {
    const recorder = await startRecorder(() => ({
      status: 200,
      headers: { "content-type": "application/json" },
      body: '{"MessageId":"1"}',
    }));
    const sesClient = new ses.SESv2Client({
      region: "us-east-1",
      endpoint: recorder.url,
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
    });
    const transporter = nodemailer.createTransport({
      SES: { sesClient, SendEmailCommand: ses.SendEmailCommand },
      dkim,
    });
    await attached(testFuse(), transporter).sendMail({ from, to: "ann@ok.test", subject: "s", text: "t" });
    await recorder.close();
    const raw = Buffer.from(
      JSON.parse(recorder.requests[0]?.body.toString() ?? "{}").Content.Raw.Data,
      "base64",
    ).toString();
    expect(dkimHolds(raw)).toBe(true);
    const replaced = raw
      .replace(/^Message-ID: .*$/m, "Message-ID: <0100@amazonses.com>")
      .replace(/^Date: .*$/m, "Date: Tue, 02 Jan 2024 00:00:00 +0000");
    expect(replaced).not.toBe(raw);
    expect(dkimHolds(replaced)).toBe(true);
    expect(dkimHolds(raw.replace(/^Subject: s$/m, "Subject: t"))).toBe(false);
  });
});

describe("raw mail", () => {
  it("is redirected by its headers too, and loses a signature that no longer holds", async () => {
    const transporter = attached(redirecting(), open());
    const raw = [
      "From: app@sender.test",
      "To: ann@customers.test,",
      " bob@customers.test",
      "Resent-To: carl@customers.test",
      "DKIM-Signature: v=1; a=rsa-sha256;",
      " b=abc",
      "List-Unsubscribe: <https://sender.test/u>",
      "X-App: =?UTF-8?Q?caf=C3=A9?=",
      "",
      "body: To: nobody@customers.test",
    ].join("\r\n");
    await transporter.sendMail({ envelope: { from: "app@sender.test", to: "ann@customers.test" }, raw });
    const [mail] = server.mails;
    expect(mail?.to).toEqual([inbox]);
    const head = mail?.raw.split("\r\n\r\n")[0] ?? "";
    expect(head).toMatch(/^To: inbox@acme.test$/m);
    expect(head).toMatch(/^Subject: \[staging\]$/m);
    expect(head).toMatch(/^X-App: =\?UTF-8\?Q\?caf=C3=A9\?=$/m);
    expect(head).not.toMatch(/resent|dkim|unsubscribe/i);
    expect(head.replace(/X-Mailfuse-Original-To:[^\r]*(?:\r\n [^\r]*)*/, "")).not.toContain("customers.test");
    expect(mail?.raw.split("\r\n\r\n")[1]).toBe("body: To: nobody@customers.test\r\n");
  });

  it("can be redirected to an inbox with a name", async () => {
    const fuse = testFuse({}, { onNotAllowed: { redirectTo: "Test Ünbox <inbox@acme.test>" } });
    await attached(fuse, open()).sendMail({ from, to: "ann@customers.test", subject: "s", text: "t" });
    const parsed = await simpleParser(server.mails[0]?.raw ?? "");
    expect(parsed.to).toMatchObject({ value: [{ address: inbox }] });
  });
});

describe("test mode's other ways", () => {
  it("drops with the answer that SMTP would give", async () => {
    const transporter = attached(testFuse({}, { onNotAllowed: "drop" }), open());
    const info = await transporter.sendMail({
      from,
      to: "ann@customers.test",
      cc: "bob@customers.test",
      subject: "s",
      text: "t",
    });
    expect(info).toMatchObject({
      accepted: ["ann@customers.test", "bob@customers.test"],
      rejected: [],
      envelope: { from: "app@sender.test", to: ["ann@customers.test", "bob@customers.test"] },
      messageId: expect.stringMatching(/^<.+@sender.test>$/),
      response: expect.stringMatching(/^250 /),
      mailfuse: "dropped",
    });
    expect(server.mails).toHaveLength(0);
  });

  it("captures what the recipient would have read", async () => {
    const fuse = testFuse({}, { onNotAllowed: "capture" });
    const transporter = attached(fuse, open());
    await transporter.sendMail({
      from,
      to: "ann@customers.test",
      bcc: "bob@customers.test",
      subject: "Grüße",
      text: "Grüße",
      html: "<p>Grüße</p>",
    });
    expect(fuse.outbox).toMatchObject([
      {
        to: ["ann@customers.test"],
        bcc: ["bob@customers.test"],
        subject: "Grüße",
        text: "Grüße",
        html: "<p>Grüße</p>",
      },
    ]);
    expect(server.mails).toHaveLength(0);
  });

  it("still refuses what cannot be read for sure", async () => {
    const transporter = attached(redirecting(), open());
    expect(await codeOf(transporter.sendMail({ from, to: "ann@@customers.test", subject: "s", text: "t" }))).toBe(
      "ADDRESS_AMBIGUOUS",
    );
    expect(server.mails).toHaveLength(0);
  });
});
