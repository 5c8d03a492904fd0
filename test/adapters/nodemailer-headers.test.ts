/** Headers: which pass, which name recipients, which steer a relay. */
import { describe, expect, it } from "vitest";
import { current, gated } from "./nodemailer-world";

const from = "app@sender.test";
const ok = "ann@ok.test";
const evil = "mallory@evil.test";

/** Codes of the problems that a mail with these headers has; the message it was read as. */
async function judge(headers: object, more: object = {}) {
  const { transporter, gate } = gated(current.createTransport({ streamTransport: true, buffer: true }));
  await transporter.sendMail({ from, to: ok, subject: "s", text: "t", headers, ...more });
  return { problems: gate.problems, message: gate.message };
}

const everyday: Record<string, object> = {
  "custom X- headers": {
    "X-App": "mail",
    "X-Entity-Ref-ID": "42",
    "X-Mailer": "app",
    "X-Priority": "1",
    "X-To-Do": evil,
  },
  "list headers": {
    "List-Unsubscribe": "<mailto:unsub@sender.test>, <https://sender.test/u>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "List-Id": "<news.sender.test>",
  },
  "automatic mail": { "Auto-Submitted": "auto-generated", Precedence: "bulk", "Feedback-ID": "1:acme" },
  threading: { "In-Reply-To": "<1@sender.test>", References: "<1@sender.test> <2@sender.test>", "Thread-Topic": "x" },
  "a trace of where it came from": {
    "Delivered-To": evil,
    "X-Original-To": evil,
    Received: "from a by b",
    "Return-Path": "<bounce@sender.test>",
  },
  "a receipt to the sender": { "Disposition-Notification-To": from, "Return-Receipt-To": "App <app@sender.test>" },
  "a receipt to where replies go": {
    "Disposition-Notification-To": "help@sender.test",
    "Reply-To": "help@sender.test",
  },
  "SendGrid's categories": { "X-SMTPAPI": '{"category":["a","b"],"unique_args":{"order":"1"},"asm_group_id":7}' },
  "SparkPost's metadata": { "X-MSYS-API": '{"metadata":{"a":1},"options":{"open_tracking":true},"campaign_id":"c"}' },
  "Mandrill's settings": { "X-MC-Track": "opens", "X-MC-Subaccount": "a", "X-MC-PreserveRecipients": "false" },
  "Mailgun's settings": { "X-Mailgun-Track": "yes", "X-Mailgun-Variables": '{"a":1}', "X-Mailgun-Tag": "t" },
  "SES's settings": { "X-SES-CONFIGURATION-SET": "c", "X-SES-MESSAGE-TAGS": "k=v" },
  "Postmark's settings": { "X-PM-Message-Stream": "outbound", "X-PM-Tag": "t", "X-PM-Metadata-Order": "1" },
};

it.each(Object.entries(everyday))("lets pass: %s", async (_name, headers) => {
  const { problems, message } = await judge(headers);
  expect(problems).toEqual([]);
  expect(message.recipients.map(({ address }) => address)).toEqual([ok]);
});

const steering: Record<string, object> = {
  "SendGrid's recipients": { "X-SMTPAPI": `{"to":["${evil}"]}` },
  "SendGrid's recipients, the mail's own among them": { "X-SMTPAPI": `{"to":["${ok}"]}` },
  "SendGrid's recipients in lower case": { "x-smtpapi": `{"to":["${evil}"]}` },
  "SendGrid's recipients behind a blank in the name": { "X-SMTP API": `{"to":["${evil}"]}` },
  "SendGrid's recipients in the second of two": { "X-SMTPAPI": ['{"category":"a"}', `{"to":["${evil}"]}`] },
  "SendGrid's recipients, prepared": { "X-SMTPAPI": { prepared: true, value: `{"to":["${evil}"]}` } },
  "SendGrid's recipients, encoded because of an umlaut": { "X-SMTPAPI": `{"to":["ä <${evil}>"]}` },
  "SendGrid's hidden copy": { "X-SMTPAPI": `{"filters":{"bcc":{"settings":{"enable":1,"email":"${evil}"}}}}` },
  "SendGrid's header with a key nobody knows": { "X-SMTPAPI": '{"audience":"all"}' },
  "SendGrid's header that is no JSON": { "X-SMTPAPI": "{to:all}" },
  "SendGrid's header that is a list": { "X-SMTPAPI": `["${evil}"]` },
  "SparkPost's copies": { "X-MSYS-API": `{"bcc":[{"email":"${evil}"}]}` },
  "SparkPost's archive": { "X-MSYS-API": `{"archive":[{"email":"${evil}"}]}` },
  "Mandrill's hidden copy": { "X-MC-BccAddress": evil },
  "Mailgun's archive": { "X-Mailgun-Archive-To": "https://evil.test" },
  "Mailjet's error reports": { "X-MJ-TemplateErrorReporting": evil },
  "a receipt to somebody else": { "Disposition-Notification-To": evil },
  "a receipt to somebody else beside the sender": { "Return-Receipt-To": `${from}, ${evil}` },
  "errors to somebody else": { "Errors-To": evil },
  "a receipt to no address": { "Read-Receipt-To": "yes" },
};

it.each(Object.entries(steering))("refuses: %s", async (_name, headers) => {
  const { problems } = await judge(headers);
  expect(problems).toContain("HEADER_REFUSED");
});

describe("recipients in headers", () => {
  it.each<[string, object, object[]]>([
    [
      "Resent-To",
      { "Resent-To": "bob@ok.test" },
      [
        { address: ok, field: "to" },
        { address: "bob@ok.test", field: "to" },
      ],
    ],
    [
      "Resent-Cc",
      { "Resent-Cc": "Bob <bob@ok.test>" },
      [
        { address: ok, field: "to" },
        { address: "bob@ok.test", field: "cc", name: "Bob" },
      ],
    ],
    [
      "Resent-Bcc",
      { "Resent-Bcc": "bob@ok.test" },
      [
        { address: ok, field: "to" },
        { address: "bob@ok.test", field: "bcc" },
      ],
    ],
    [
      "Apparently-To",
      { "Apparently-To": "bob@ok.test" },
      [
        { address: ok, field: "to" },
        { address: "bob@ok.test", field: "to" },
      ],
    ],
    [
      "Cc, twice",
      { Cc: ["bob@ok.test", "carl@ok.test"] },
      [
        { address: ok, field: "to" },
        { address: "bob@ok.test", field: "cc" },
        { address: "carl@ok.test", field: "cc" },
      ],
    ],
  ])("%s counts", async (_name, headers, expected) => {
    const { message } = await judge(headers);
    const read = message.recipients.map(({ person: _person, ...rest }) => rest);
    expect(read).toHaveLength(expected.length);
    expect(read).toEqual(expect.arrayContaining(expected));
  });

  it("counts somebody named twice once, in the field that everybody sees", async () => {
    const { message } = await judge(
      {},
      { bcc: ok, cc: "Bob <bob@ok.test>", envelope: { from, to: [ok, "bob@ok.test", "eve@ok.test"] } },
    );
    expect(message.recipients.map(({ address, field }) => [address, field])).toEqual([
      [ok, "to"],
      ["bob@ok.test", "cc"],
      ["eve@ok.test", "bcc"],
    ]);
  });

  it("knows a group without members for what it is", async () => {
    const { problems, message } = await judge(
      {},
      {
        to: undefined,
        raw: "To: undisclosed-recipients:;\r\nFrom: app@sender.test\r\n\r\nx",
        envelope: { from, to: ok },
      },
    );
    expect(problems).toEqual([]);
    expect(message.recipients.map(({ address, field }) => [address, field])).toEqual([[ok, "bcc"]]);
  });

  it("refuses a Bcc that every recipient would see", async () => {
    const { transporter, gate } = gated(current.createTransport({ host: "127.0.0.1", port: 1 }));
    await transporter
      .sendMail({ envelope: { from, to: ok }, raw: `To: ${ok}\r\nBcc: bob@ok.test\r\n\r\nx` })
      .catch(() => {});
    expect(gate.problems).toEqual(["HEADER_REFUSED"]);
  });
});

describe("tags", () => {
  it.each<[string, object, string[]]>([
    ["ours", { "X-Mailfuse-Tag": "receipt" }, ["receipt"]],
    ["Postmark", { "X-PM-Tag": "receipt" }, ["receipt"]],
    ["Mailgun, several", { "X-Mailgun-Tag": ["a", "b"] }, ["a", "b"]],
    ["Mandrill", { "X-MC-Tags": "a, b" }, ["a", "b"]],
    ["SES", { "X-SES-MESSAGE-TAGS": "kind=receipt, team=crm" }, ["kind=receipt", "receipt", "team=crm", "crm"]],
    ["Brevo", { "X-Mailin-Tag": "receipt" }, ["receipt"]],
    ["Mailtrap", { "X-MT-Category": "receipt" }, ["receipt"]],
    ["SendGrid", { "X-SMTPAPI": '{"category":["a","b"]}' }, ["a", "b"]],
    ["SparkPost", { "X-MSYS-API": '{"campaign_id":"c"}' }, ["c"]],
    ["an umlaut", { "X-PM-Tag": "Grüße" }, ["Grüße"]],
  ])("%s", async (_name, headers, tags) => {
    expect((await judge(headers)).message.tags).toEqual(tags);
  });
});

it.each<[string, object]>([
  ["Mandrill", { "X-MC-Template": "welcome" }],
  ["Mailgun", { "X-Mailgun-Template-Name": "welcome" }],
  ["Mailjet", { "X-MJ-TemplateID": "welcome" }],
])("says that a text lives in a template at %s", async (_name, headers) => {
  const { message } = await judge(headers);
  expect(message.content()).toMatchObject({
    template: { id: "welcome" },
    unbound: expect.stringContaining("template"),
  });
});

it("says that a relay changes the text", async () => {
  const { message } = await judge({ "X-SMTPAPI": '{"sub":{"-name-":["Ann"]}}' });
  expect(message.content()).toMatchObject({ unbound: expect.stringContaining("x-smtpapi") });
});
