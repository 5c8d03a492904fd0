import { SESv2Client, SendEmailCommand } from "@aws-sdk/client-sesv2";
import { Client } from "@sendgrid/client";
import { MailService } from "@sendgrid/mail";
import nodemailer from "nodemailer";
import { Resend } from "resend";
import { SMTPServer } from "smtp-server";
import SparkPost from "sparkpost";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodemailerAdapter } from "../../adapters/nodemailer";
import { resendAdapter } from "../../adapters/resend";
import { sendgridAdapter } from "../../adapters/sendgrid";
import { sesAdapter } from "../../adapters/ses";
import { sparkpostAdapter } from "../../adapters/sparkpost";
import { insideDelivery } from "../../src/delivery";
import { type Endpoint, startEndpoint } from "../support/endpoint";
import { liveFuse } from "../support/gates";

let endpoint: Endpoint;
let smtp: SMTPServer;
let port = 0;
beforeAll(async () => {
  endpoint = await startEndpoint(() => ({
    body: { id: "m", MessageId: "m", results: { total_accepted_recipients: 1, total_rejected_recipients: 0, id: "m" } },
  }));
  smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData(stream, _session, done) {
      stream.resume();
      stream.on("end", () => done());
    },
  });
  await new Promise<void>((done) => smtp.listen(0, "127.0.0.1", done));
  port = (smtp.server.address() as { port: number }).port;
});
afterAll(async () => {
  await endpoint.close();
  await new Promise<void>((done) => smtp.close(done));
});

const mail = { from: "a@sender.test", to: "ann@acme.test", subject: "s", text: "t" };
type Seen = (inside: boolean) => void;

/** Where an SDK calls the application back; each tells whether that was inside the delivery. */
const callbacks: readonly [string, (seen: Seen) => Promise<unknown> | unknown][] = [
  [
    "nodemailer's callback",
    (seen) => {
      const transporter = nodemailer.createTransport({ host: "127.0.0.1", port, ignoreTLS: true });
      liveFuse().attach(transporter, nodemailerAdapter());
      transporter.sendMail(mail, () => seen(insideDelivery()));
    },
  ],
  [
    "a pool's callback",
    (seen) => {
      const transporter = nodemailer.createTransport({ host: "127.0.0.1", port, ignoreTLS: true, pool: true });
      liveFuse().attach(transporter, nodemailerAdapter());
      transporter.sendMail(mail, () => {
        seen(insideDelivery());
        transporter.close();
      });
    },
  ],
  [
    "SendGrid's callback",
    (seen) => {
      const client = new Client();
      client.setApiKey("SG.x");
      client.setDefaultRequest("baseUrl", endpoint.url);
      const sendgrid = new MailService();
      sendgrid.setClient(client);
      liveFuse().attach(sendgrid, sendgridAdapter());
      void sendgrid.send(mail, false, () => seen(insideDelivery()));
    },
  ],
  [
    "SparkPost's callback",
    (seen) => {
      const sparkpost = new SparkPost("key", { origin: endpoint.url });
      liveFuse().attach(sparkpost, sparkpostAdapter());
      const content = { from: "a@sender.test", subject: "s", text: "t" };
      sparkpost.transmissions.send({ content, recipients: [{ address: mail.to }] }, () => seen(insideDelivery()));
    },
  ],
  [
    "SES's callback",
    (seen) => {
      const credentials = { accessKeyId: "a", secretAccessKey: "b" };
      const ses = new SESv2Client({ region: "eu-west-1", endpoint: endpoint.url, credentials });
      liveFuse().attach(ses, sesAdapter());
      const Content = { Simple: { Subject: { Data: "s" }, Body: { Text: { Data: "t" } } } };
      const Destination = { ToAddresses: [mail.to] };
      ses.send(new SendEmailCommand({ FromEmailAddress: mail.from, Destination, Content }), () =>
        seen(insideDelivery()),
      );
    },
  ],
  [
    "what follows an awaited send",
    async (seen) => {
      const resend = new Resend("re_x", { baseUrl: endpoint.url });
      liveFuse().attach(resend, resendAdapter());
      await resend.emails.send(mail);
      seen(insideDelivery());
    },
  ],
  [
    "a then on a send",
    (seen) => {
      const resend = new Resend("re_x", { baseUrl: endpoint.url });
      liveFuse().attach(resend, resendAdapter());
      return resend.emails.send(mail).then(() => seen(insideDelivery()));
    },
  ],
];

describe("code of the application is not inside a delivery", () => {
  it.each(callbacks)("%s", async (_name, run) => {
    const inside = await new Promise<boolean>((done, fail) => {
      Promise.resolve(run(done)).catch(fail);
    });
    expect(inside).toBe(false);
  });
});
