import { describe, expect, it } from "vitest";
import { allCodecs } from "../../adapters/fetch";
import type { Codec, Plain, WireRequest } from "../../src/adapter";

const post = (path: string, value: Plain): WireRequest => ({
  method: "POST",
  path,
  query: [],
  headers: [["content-type", "application/json"]],
  body: { kind: "json", value },
});
const text = { subject: "s", text: "t" };
const from = "a@sender.test";

/** An everyday mail to one spelling, as each provider's API takes it. */
const mails: Readonly<Record<string, (to: string) => WireRequest>> = {
  sendgrid: (to) =>
    post("/v3/mail/send", {
      personalizations: [{ to: [{ email: to }] }],
      from: { email: from },
      subject: "s",
      content: [{ type: "text/plain", value: "t" }],
    }),
  mailgun: (to) => ({
    ...post("/v3/sender.test/messages", undefined),
    headers: [],
    body: { kind: "form", fields: Object.entries({ from, to, ...text }) },
  }),
  ses: (to) =>
    post("/v2/email/outbound-emails", {
      FromEmailAddress: from,
      Destination: { ToAddresses: [to] },
      Content: { Simple: { Subject: { Data: "s" }, Body: { Text: { Data: "t" } } } },
    }),
  postmark: (to) => post("/email", { From: from, To: to, Subject: "s", TextBody: "t" }),
  resend: (to) => post("/emails", { from, to, ...text }),
  brevo: (to) =>
    post("/v3/smtp/email", { sender: { email: from }, to: [{ email: to }], subject: "s", textContent: "t" }),
  mailchimp: (to) =>
    post("/api/1.3/messages/send", { key: "k", message: { from_email: from, to: [{ email: to }], ...text } }),
  mailjet: (to) =>
    post("/v3.1/send", { Messages: [{ From: { Email: from }, To: [{ Email: to }], Subject: "s", TextPart: "t" }] }),
  mailersend: (to) => post("/v1/email", { from: { email: from }, to: [{ email: to }], ...text }),
  sparkpost: (to) =>
    post("/api/v1/transmissions", { recipients: [{ address: { email: to } }], content: { from, ...text } }),
  azure: (to) =>
    post("/emails:send", {
      senderAddress: from,
      recipients: { to: [{ address: to }] },
      content: { subject: "s", plainText: "t" },
    }),
  mailtrap: (to) => post("/api/send", { from: { email: from }, to: [{ email: to }], ...text }),
  loops: (to) => post("/api/v1/transactional", { transactionalId: "t", email: to }),
  customerio: (to) => post("/v1/send/email", { to, identifiers: { id: "7" }, from, subject: "s", body: "t" }),
};

const codecOf = (name: string) => allCodecs.find(({ provider }) => provider === name) as Codec;

/** What is judged of a request, as it would leave. */
function judged(name: string, request: WireRequest) {
  const codec = codecOf(name);
  const leaving = codec.rewrite?.(request) ?? request;
  const intent = codec.classify(leaving);
  if (intent.kind !== "send") return { problems: ["no send"], people: [], leaving: "" };
  const people = intent.messages.flatMap(({ recipients }) => recipients.map(({ address }) => address));
  const { body } = leaving;
  const written = JSON.stringify(body.kind === "json" ? body.value : body.kind === "form" ? body.fields : "");
  return { problems: intent.problems, people, leaving: written };
}

const ordinary: readonly (readonly [spelling: string, address: string])[] = [
  ["ann@acme.test", "ann@acme.test"],
  ["first.last@acme.test", "first.last@acme.test"],
  ["ann+tag@acme.test", "ann+tag@acme.test"],
  ["o'neil@acme.test", "o'neil@acme.test"],
  ["under_score-dash@acme.test", "under_score-dash@acme.test"],
  ["12345@acme.test", "12345@acme.test"],
  ["Ann@ACME.test", "Ann@acme.test"],
  ["ann@mail.sub.acme.test", "ann@mail.sub.acme.test"],
  ["ann@bücher.test", "ann@xn--bcher-kva.test"],
  ["ann@123.acme.test", "ann@123.acme.test"],
  [" ann@acme.test ", "ann@acme.test"],
];

/** Each names, for some reader, somebody else than ann. */
const hostile: readonly string[] = [
  "ann@acme.test,evil@evil.test",
  "ann@acme.test, evil@evil.test",
  "ann@acme.test;evil@evil.test",
  "ann@acme.test evil@evil.test",
  "ann@acme.test\nevil@evil.test",
  "ann@acme.test\r\nBcc: evil@evil.test",
  "ann@acme.test\0evil@evil.test",
  "<ann@acme.test><evil@evil.test>",
  "ann@acme.test <evil@evil.test>",
  '"ann@acme.test" <evil@evil.test>',
  "evil@evil.test <ann@acme.test>, <evil@evil.test>",
  "team: ann@acme.test, evil@evil.test;",
  "<@acme.test:evil@evil.test>",
  "evil@evil.test@acme.test",
  "evil%evil.test@acme.test@evil.test",
  '"evil@evil.test"@acme.test, evil@evil.test',
  "ann@acme.test(evil@evil.test), evil@evil.test",
  "ann@[203.0.113.1]",
  "ann@acme.test．evil.test",
  "ann@acme.test/evil@evil.test",
  "=?utf-8?q?evil=40evil.test=2C?= ann@acme.test",
  "ann@acme.test\u2028evil@evil.test",
  "ann\u200b@evil.test",
];

const names = allCodecs.map(({ provider }) => provider);

describe("one address, however it is spelled", () => {
  it("is tried with every provider", () => {
    expect(Object.keys(mails).sort()).toEqual([...names].sort());
  });

  describe.each(names)("%s", (name) => {
    const mail = mails[name] as (to: string) => WireRequest;

    it.each(ordinary)("takes %s, and sends it in the form that was judged", (spelling, address) => {
      const { problems, people, leaving } = judged(name, mail(spelling));
      expect(problems).toEqual([]);
      expect(people).toEqual([address]);
      // White space around it says nothing, and may stay.
      expect(leaving.replace(/" | "/g, '"')).toContain(`"${address}"`);
    });

    it.each(hostile)("refuses %j, or judges whoever else it names", (spelling) => {
      const { problems, people } = judged(name, mail(spelling));
      const seen = people.some((address) => !address.endsWith("@acme.test"));
      expect(problems.length > 0 || seen).toBe(true);
    });
  });
});
