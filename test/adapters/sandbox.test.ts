import { describe, expect, it } from "vitest";
import { allCodecs } from "../../adapters/fetch";
import type { Codec, Plain, WireRequest } from "../../src/adapter";

const codec = (name: string) => allCodecs.find(({ provider }) => provider === name) as Codec;
const post = (path: string, value: Plain, headers: readonly (readonly [string, string])[] = []): WireRequest => ({
  method: "POST",
  path,
  query: [],
  headers: [["content-type", "application/json"], ...headers],
  body: { kind: "json", value },
});
const form = (path: string, fields: Record<string, string>): WireRequest => ({
  ...post(path, undefined),
  headers: [],
  body: { kind: "form", fields: Object.entries(fields) },
});

const ann = "ann@acme.test";
const text = { subject: "s", text: "t" };

/** Each provider's way to say "do not really send this", on a mail that names ann. */
const switches: readonly [string, string, WireRequest][] = [
  [
    "sendgrid",
    "mail_settings.sandbox_mode",
    post("/v3/mail/send", {
      personalizations: [{ to: [{ email: ann }] }],
      from: { email: "a@sender.test" },
      subject: "s",
      content: [{ type: "text/plain", value: "t" }],
      mail_settings: { sandbox_mode: { enable: true } },
    }),
  ],
  [
    "mailgun",
    "o:testmode",
    form("/v3/sender.test/messages", { from: "a@sender.test", to: ann, ...text, "o:testmode": "yes" }),
  ],
  [
    "ses",
    "the simulator beside a person",
    post("/v2/email/outbound-emails", {
      FromEmailAddress: "a@sender.test",
      Destination: { ToAddresses: ["success@simulator.amazonses.com"], BccAddresses: [ann] },
      Content: { Simple: { Subject: { Data: "s" }, Body: { Text: { Data: "t" } } } },
    }),
  ],
  [
    "postmark",
    "the token of tests",
    post("/email", { From: "a@sender.test", To: ann, Subject: "s", TextBody: "t" }, [
      ["x-postmark-server-token", "POSTMARK_API_TEST"],
    ]),
  ],
  [
    "resend",
    "the address of tests beside a person",
    post("/emails", { from: "onboarding@resend.dev", to: ["delivered@resend.dev"], bcc: [ann], ...text }),
  ],
  [
    "brevo",
    "X-Sib-Sandbox",
    post("/v3/smtp/email", {
      sender: { email: "a@sender.test" },
      to: [{ email: ann }],
      subject: "s",
      textContent: "t",
      headers: { "X-Sib-Sandbox": "drop" },
    }),
  ],
  [
    "mailchimp",
    "a key of tests",
    post("/api/1.3/messages/send", {
      key: "test-key",
      message: { from_email: "a@sender.test", to: [{ email: ann }], ...text },
    }),
  ],
  [
    "mailjet",
    "SandboxMode",
    post("/v3.1/send", {
      SandboxMode: true,
      Messages: [{ From: { Email: "a@sender.test" }, To: [{ Email: ann }], Subject: "s", TextPart: "t" }],
    }),
  ],
  [
    "sparkpost",
    "options.sandbox",
    post("/api/v1/transmissions", {
      options: { sandbox: true },
      recipients: [{ address: { email: ann } }],
      content: { from: "a@sender.test", ...text },
    }),
  ],
  [
    "mailtrap",
    "the path of a test inbox",
    post("/api/send/5", { from: { email: "a@sender.test" }, to: [{ email: ann }], ...text }),
  ],
];

describe("a provider's sandbox switch is no guard", () => {
  it.each(switches)("%s: %s leaves a mail what it is, a mail to its people", (name, _what, request) => {
    const intent = codec(name).classify(request);
    expect(intent).toMatchObject({ kind: "send", problems: [] });
    const people = "messages" in intent ? intent.messages.flatMap(({ recipients }) => recipients) : [];
    expect(people.map(({ person }) => person)).toContain(ann);
  });

  it("is told of every provider that has one", () => {
    // These have none: mail by hand goes to whom it names.
    const without = ["azure", "customerio", "loops", "mailersend"];
    expect([...switches.map(([name]) => name), ...without].sort()).toEqual(
      [...new Set(allCodecs.map(({ provider }) => provider))].sort(),
    );
  });
});
