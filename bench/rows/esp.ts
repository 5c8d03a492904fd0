/** What the fuse adds to providers' own clients, against a loopback server that answers as they do. */
import { SESv2Client, SendEmailCommand } from "@aws-sdk/client-sesv2";
import { Client as SendGridClient } from "@sendgrid/client";
import { MailService } from "@sendgrid/mail";
import type { Fuse } from "mailfuse";
import { mailgunAdapter } from "mailfuse/mailgun";
import { postmarkAdapter } from "mailfuse/postmark";
import { resendAdapter } from "mailfuse/resend";
import { sendgridAdapter } from "mailfuse/sendgrid";
import { sesAdapter } from "mailfuse/ses";
import Mailgun from "mailgun.js";
import { ServerClient } from "postmark";
import { Resend } from "resend";
import { benchFuse, contextOf } from "../fuse";
import { html, personOf, subject, text } from "../mail";
import { atOnce, inTurns, median, readable, summary } from "../measure";
import type { Row } from "../row";
import { startSink } from "../sink";

const from = "orders@acme.com";

interface Client {
  send(to: string): Promise<unknown>;
  attach(fuse: Fuse): void;
}

const clients: Readonly<Record<string, (port: number) => Client>> = {
  sendgrid(port) {
    const client = new SendGridClient();
    client.setApiKey("SG.bench");
    client.setDefaultRequest("baseUrl", `http://127.0.0.1:${port}/`);
    const mail = new MailService();
    mail.setClient(client);
    return {
      send: (to) => mail.send({ from, to, subject, text, html }),
      attach: (fuse) => void fuse.attach(mail, sendgridAdapter()),
    };
  },
  mailgun(port) {
    const client = new Mailgun(FormData).client({ username: "api", key: "key", url: `http://127.0.0.1:${port}` });
    return {
      send: (to) => client.messages.create("mg.acme.com", { from, to: [to], subject, text, html }),
      attach: (fuse) => void fuse.attach(client, mailgunAdapter()),
    };
  },
  ses(port) {
    const client = new SESv2Client({
      endpoint: `http://127.0.0.1:${port}`,
      region: "eu-west-1",
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
    });
    const content = { Subject: { Data: subject }, Body: { Text: { Data: text }, Html: { Data: html } } };
    return {
      send: (to) =>
        client.send(
          new SendEmailCommand({
            FromEmailAddress: from,
            Destination: { ToAddresses: [to] },
            Content: { Simple: content },
          }),
        ),
      attach: (fuse) => void fuse.attach(client, sesAdapter()),
    };
  },
  postmark(port) {
    const client = new ServerClient("token", { useHttps: false, requestHost: `127.0.0.1:${port}` });
    return {
      send: (to) => client.sendEmail({ From: from, To: to, Subject: subject, TextBody: text, HtmlBody: html }),
      attach: (fuse) => void fuse.attach(client, postmarkAdapter()),
    };
  },
  resend(port) {
    const client = new Resend("re_bench", { baseUrl: `http://127.0.0.1:${port}` });
    return {
      async send(to) {
        const { error } = await client.emails.send({ from, to, subject, text, html });
        if (error) throw new Error(error.message);
      },
      attach: (fuse) => void fuse.attach(client, resendAdapter()),
    };
  },
};

export const espRow: Row = {
  id: "guard-esp",
  what: "around each first-rank provider's client on loopback HTTP, 20 at once: sends a second that are lost, of the worst",
  unit: "%",
  target: { is: "<=", value: 3 },
  async measure(effort) {
    const sink = await startSink("http");
    const found: { readonly name: string; readonly lost: readonly number[]; readonly added: number }[] = [];
    for (const [name, open] of Object.entries(clients)) {
      const fuse = benchFuse({ unattached: "pass" });
      const bare = open(sink.port);
      const client = open(sink.port);
      client.attach(fuse);
      let index = 0;
      const ours = (times: number) =>
        atOnce(times, 20, () => {
          const at = index++;
          return fuse.run(contextOf(at, personOf(at)), () => client.send(personOf(at)));
        });
      const theirs = (times: number) => atOnce(times, 20, () => bare.send(personOf(index++)));
      // So much code takes some thousand sends until the engine has compiled it.
      if (!effort.quick) for (const side of [theirs, ours]) await side(4_000);
      const tell = (step: string) => effort.tell(`${name}, ${step}`);
      const rounds = await inTurns({ ...effort, tell }, 1_500, ours, theirs);
      await fuse.close();
      found.push({
        name,
        lost: rounds.map(({ ours, theirs }) => (1 - theirs.wall / ours.wall) * 100),
        added: median(rounds.map(({ ours, theirs }) => ours.wall - theirs.wall)),
      });
    }
    await sink.stop();
    const sorted = [...found].sort((a, b) => median(b.lost) - median(a.lost));
    return {
      ...summary(sorted[0]?.lost ?? []),
      peer: `the worst is ${sorted[0]?.name}`,
      note: sorted
        .map(({ name, lost, added }) => `${name} ${readable(median(lost))} % (${readable(added)} us each)`)
        .join(", "),
    };
  },
};
