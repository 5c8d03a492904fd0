/** Mail whose content is a file: everyday mail, which an empty text alone must not stop. */
import { createTransport } from "nodemailer";
import { describe, expect, it } from "vitest";
import { nodemailerAdapter } from "../../adapters/nodemailer";
import { contentRules, Linted } from "../../src/content";
import { createMessage } from "../../src/message";
import { caps, setUp } from "../guards/set-up";
import { codeOf } from "../support/fake-client";

const invoice = { filename: "invoice-4821.pdf", content: Buffer.from("%PDF-1.7 an invoice") };

function transporter() {
  const client = createTransport({ streamTransport: true, buffer: true });
  const { fuse } = setUp({}, { defaults: { caps } });
  fuse.attach(client, nodemailerAdapter());
  return (mail: object) => codeOf(client.sendMail({ from: "shop@acme.com", to: "ana@mail.test", ...mail }));
}

describe("a mail that brings a file", () => {
  it("needs a subject and no text", async () => {
    const send = transporter();
    const subject = "Your invoice 4821";
    for (const body of [{}, { text: "" }, { text: " \n" }, { html: "<html><body><br></body></html>" }])
      expect(await send({ subject, ...body, attachments: [invoice] })).toMatch(/^resolved/);
  });

  it("without a subject tells nobody what it brings; without the file there is nothing", async () => {
    const send = transporter();
    expect(await send({ attachments: [invoice] })).toBe("CONTENT_EMPTY");
    expect(await send({ subject: " ", attachments: [invoice] })).toBe("CONTENT_EMPTY");
    expect(await send({ subject: "Your invoice 4821" })).toBe("CONTENT_EMPTY");
    expect(await send({ subject: "Your invoice 4821", html: "<p> </p>" })).toBe("CONTENT_EMPTY");
  });

  it("is looked at as any other in what it does say", async () => {
    const send = transporter();
    expect(await send({ subject: "Your invoice {{number}}", attachments: [invoice] })).toBe("CONTENT_PLACEHOLDER");
    expect(await send({ subject: "Your invoice null", attachments: [invoice] })).toBe("CONTENT_UNDEFINED");
  });

  it("is told by the adapter, whatever the provider calls a file", () => {
    const found = (attached?: () => boolean) => {
      const message = createMessage({
        recipients: [],
        content: () => ({ subject: "Your invoice" }),
        ...(attached ? { attached } : {}),
      });
      const linted = new Linted(message, { provider: "postmark", links: { production: [], staging: [] } });
      return contentRules.filter((rule) => linted.check(rule));
    };
    expect([found(), found(() => false), found(() => true)]).toEqual([["empty"], ["empty"], []]);
  });
});
