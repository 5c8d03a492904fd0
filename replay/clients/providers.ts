/** The providers' own SDKs, pointed at a loopback server. */
import { SESv2Client, SendEmailCommand } from "@aws-sdk/client-sesv2";
import { Client as SendGridClient } from "@sendgrid/client";
import { MailService } from "@sendgrid/mail";
import { mailgunAdapter } from "mailfuse/mailgun";
import { postmarkAdapter } from "mailfuse/postmark";
import { resendAdapter } from "mailfuse/resend";
import { sendgridAdapter } from "mailfuse/sendgrid";
import { sesAdapter } from "mailfuse/ses";
import Mailgun from "mailgun.js";
import { ServerClient } from "postmark";
import { Resend } from "resend";
import type { Mail } from "../scenario";
import type { Client } from "./nodemailer";

type Open = (port: number, from: string) => Client;

const close = () => {};
const all = (to: Mail["to"]) => (typeof to === "string" ? to.split(",").map((part) => part.trim()) : [...to]);

const sendgrid: Open = (port, from) => {
  const client = new SendGridClient();
  client.setApiKey("SG.replay");
  client.setDefaultRequest("baseUrl", `http://127.0.0.1:${port}/`);
  const mail = new MailService();
  mail.setClient(client);
  return {
    post: ({ to, subject, text, tag }) =>
      mail.send({ from, to: all(to), subject, text, ...(tag ? { categories: [tag] } : {}) }),
    attach(fuse) {
      fuse.attach(mail, sendgridAdapter());
      return () => fuse.detach(mail);
    },
    close,
  };
};

const mailgun: Open = (port, from) => {
  const client = new Mailgun(FormData).client({ username: "api", key: "key", url: `http://127.0.0.1:${port}` });
  return {
    post: ({ to, subject, text, tag }) =>
      client.messages.create("mg.example", { from, to: all(to), subject, text, ...(tag ? { "o:tag": tag } : {}) }),
    attach(fuse) {
      fuse.attach(client, mailgunAdapter());
      return () => fuse.detach(client);
    },
    close,
  };
};

const ses: Open = (port, from) => {
  const client = new SESv2Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: "eu-west-1",
    credentials: { accessKeyId: "a", secretAccessKey: "b" },
  });
  return {
    post: ({ to, subject, text, tag }) =>
      client.send(
        new SendEmailCommand({
          FromEmailAddress: from,
          Destination: { ToAddresses: all(to) },
          Content: { Simple: { Subject: { Data: subject }, Body: { Text: { Data: text } } } },
          ...(tag ? { EmailTags: [{ Name: "purpose", Value: tag }] } : {}),
        }),
      ),
    attach(fuse) {
      fuse.attach(client, sesAdapter());
      return () => fuse.detach(client);
    },
    close: () => client.destroy(),
  };
};

const postmark: Open = (port, from) => {
  const client = new ServerClient("token", { useHttps: false, requestHost: `127.0.0.1:${port}` });
  return {
    post: ({ to, subject, text, tag }) =>
      client.sendEmail({
        From: from,
        To: all(to).join(", "),
        Subject: subject,
        TextBody: text,
        ...(tag ? { Tag: tag } : {}),
      }),
    attach(fuse) {
      fuse.attach(client, postmarkAdapter());
      return () => fuse.detach(client);
    },
    close,
  };
};

const resend: Open = (port, from) => {
  const client = new Resend("re_replay", { baseUrl: `http://127.0.0.1:${port}` });
  return {
    post: ({ to, subject, text, tag }) =>
      client.emails.send({
        from,
        to: all(to),
        subject,
        text,
        ...(tag ? { tags: [{ name: "purpose", value: tag }] } : {}),
      }),
    attach(fuse) {
      fuse.attach(client, resendAdapter());
      return () => fuse.detach(client);
    },
    close,
  };
};

export const providers: Readonly<Record<string, Open>> = { sendgrid, mailgun, ses, postmark, resend };
