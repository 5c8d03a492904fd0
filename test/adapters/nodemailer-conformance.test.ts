/** The published suite, on transports of nodemailer that send over HTTP: Amazon SES and two third parties'. */
import { createRequire } from "node:module";
import * as ses from "@aws-sdk/client-sesv2";
import { MailtrapTransport } from "mailtrap";
import nodemailer from "nodemailer";
import { describe, it } from "vitest";
import { type NodemailerTransporter, nodemailerAdapter } from "../../adapters/nodemailer";
import { type AdapterUnderTest, adapterConformance } from "../../src/testing/adapter";
import type { AnyTransporter } from "./nodemailer-world";

const require = createRequire(import.meta.url);
const mailgunTransport = require("nodemailer-mailgun-transport") as (options: object) => object;

const from = "App <app@sender.test>";
type Subject = AdapterUnderTest<NodemailerTransporter & AnyTransporter>;

const sends: Subject["sends"] = {
  text: {
    args: (to) => [
      {
        from,
        to: [...to],
        subject: "hello",
        text: "hello",
        messageId: "<1@sender.test>",
        date: "Mon, 01 Jan 2024 00:00:00 +0000",
        headers: { "List-Unsubscribe": "<https://sender.test/u>" },
      },
    ],
    call: (transporter, [mail]) => transporter.sendMail(mail as never) as Promise<unknown>,
  },
  "objects, html and an attachment": {
    args: (to) => [
      {
        from: { name: "App", address: "app@sender.test" },
        to: to.map((address) => ({ name: "A Person", address })),
        subject: "Grüße",
        text: "Grüße",
        html: "<p>Grüße</p>",
        attachments: [{ filename: "a.txt", content: "some text" }],
        messageId: "<2@sender.test>",
        date: "Mon, 01 Jan 2024 00:00:00 +0000",
      },
    ],
    call: (transporter, [mail]) => transporter.sendMail(mail as never) as Promise<unknown>,
  },
  "one string": {
    args: (to) => [
      {
        from,
        to: to.join(", "),
        subject: "hello",
        html: "<p>hello</p>",
        messageId: "<3@sender.test>",
        date: "Mon, 01 Jan 2024 00:00:00 +0000",
      },
    ],
    call: (transporter, [mail]) => transporter.sendMail(mail as never) as Promise<unknown>,
  },
};

const tampers: Subject["tampers"] = {
  "transport.send assigned": (transporter) => {
    const { send } = Object.getPrototypeOf(transporter.transporter) as { send?: unknown };
    transporter.transporter.send = (send ?? (() => {})) as never;
  },
  "transport.send defined": (transporter) => {
    Object.defineProperty(transporter.transporter, "send", {
      value: (_: unknown, done: (error: null, info: object) => void) => done(null, {}),
    });
  },
  "transporter.transporter assigned": (transporter) => {
    transporter.transporter = {
      name: "x",
      version: "1",
      send: (_: unknown, done: (error: null, info: object) => void) => done(null, {}),
    } as never;
  },
};

const textOnly = "Mailtrap's transport passes on the text of an error only, so its outcome is unknown";
const fakeStatus = "mailgun.js reports status 400 for a broken connection too, so its outcome is unknown";

/** The part of a body that differs between two sends of one mail: nodemailer's boundaries. */
const plain = (text: string): string => text.replace(/_NmP-[0-9a-f]{16}/g, "_NmP-boundary");

adapterConformance<NodemailerTransporter & AnyTransporter>({ describe, it }, {
  name: "nodemailer with the SES transport",
  adapter: nodemailerAdapter as never,
  client(endpoint) {
    const sesClient = new ses.SESv2Client({
      region: "us-east-1",
      endpoint,
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
      maxAttempts: 1,
    });
    return nodemailer.createTransport({ SES: { sesClient, SendEmailCommand: ses.SendEmailCommand } }) as never;
  },
  recipients: (request) => JSON.parse(request.body.toString()).Destination.ToAddresses,
  replies: {
    accepted: () => ({ status: 200, headers: { "content-type": "application/json" }, body: '{"MessageId":"0100"}' }),
    refused: {
      status: 400,
      headers: { "content-type": "application/json", "x-amzn-errortype": "MessageRejected" },
      body: '{"message":"no"}',
    },
  },
  sends,
  tampers,
  comparable(request) {
    const body = JSON.parse(request.body.toString());
    body.Content.Raw.Data = plain(Buffer.from(body.Content.Raw.Data, "base64").toString());
    return { method: request.method, url: request.url, body };
  },
  reads: (result) => {
    const { mailfuse: _mark, ...rest } = result as Record<string, unknown>;
    return { ...rest, raw: Buffer.isBuffer(rest.raw) };
  },
} satisfies Subject);

adapterConformance<NodemailerTransporter & AnyTransporter>({ describe, it }, {
  name: "nodemailer with Mailtrap's transport",
  adapter: nodemailerAdapter as never,
  client(endpoint) {
    const transport = MailtrapTransport({ token: "t" }) as unknown as {
      client: {
        axios: { interceptors: { request: { use(fn: (c: { url?: string; baseURL?: string }) => object): void } } };
      };
    };
    transport.client.axios.interceptors.request.use((config) => ({
      ...config,
      url: `${endpoint}/api/send`,
      baseURL: "",
    }));
    return nodemailer.createTransport(transport as never) as never;
  },
  recipients: (request) => {
    const body = JSON.parse(request.body.toString());
    return [...body.to, ...body.cc, ...body.bcc].map((one: { email: string }) => one.email);
  },
  replies: {
    accepted: () => ({
      status: 200,
      headers: { "content-type": "application/json" },
      body: '{"success":true,"message_ids":["1"]}',
    }),
    refused: { status: 401, headers: { "content-type": "application/json" }, body: '{"errors":["no"]}' },
  },
  sends,
  tampers,
  reads: (result) => ({ success: (result as { success: unknown }).success }),
  skip: {
    "reads a definite refusal, and the caller gets the client's own error": textOnly,
    "knows that nothing was sent when no connection came about": textOnly,
  },
} satisfies Subject);

adapterConformance<NodemailerTransporter & AnyTransporter>({ describe, it }, {
  name: "nodemailer with nodemailer-mailgun-transport",
  adapter: nodemailerAdapter as never,
  client: (endpoint) =>
    nodemailer.createTransport(
      mailgunTransport({ auth: { api_key: "k", domain: "mg.test" }, url: endpoint }) as never,
    ) as never,
  recipients: (request) =>
    [...request.body.toString().matchAll(/name="(?:to|cc|bcc)"\r\n\r\n([^\r]*)/g)].flatMap((match) =>
      (match[1] as string).split(",").map((one) => /<([^>]*)>/.exec(one)?.[1] ?? one.trim()),
    ),
  replies: {
    accepted: () => ({
      status: 200,
      headers: { "content-type": "application/json" },
      body: '{"id":"<1@mg.test>","message":"Queued. Thank you."}',
    }),
    refused: { status: 400, headers: { "content-type": "application/json" }, body: '{"message":"no"}' },
  },
  sends,
  tampers,
  reads: (result) => {
    const { id, message } = result as Record<string, unknown>;
    return { id, message };
  },
  skip: {
    "reads a definite refusal, and the caller gets the client's own error": fakeStatus,
    "knows that nothing was sent when no connection came about": fakeStatus,
  },
} satisfies Subject);
