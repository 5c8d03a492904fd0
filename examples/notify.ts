/**
 * Asking people to look at a plan: a message to Slack and a mail, with a link to the console's page.
 * The link shows the plan to who is logged in. It confirms nothing, whoever follows it.
 */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createFuse, generateKeys, memoryStore, type PendingPlan } from "mailfuse";
import { createConsole, toNodeHandler } from "mailfuse/console";
import { nodemailerAdapter } from "mailfuse/nodemailer";
import nodemailer from "nodemailer";
import { SMTPServer } from "smtp-server";

// In place of Slack's incoming webhook and of a mail server, on this machine.
const posted: { text: string }[] = [];
const slack = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  posted.push(JSON.parse(Buffer.concat(chunks).toString("utf8")) as { text: string });
  response.end("ok");
}).listen(0, "127.0.0.1");
const arrived: string[] = [];
const smtp = new SMTPServer({
  authOptional: true,
  disabledCommands: ["STARTTLS"],
  onData(stream, session, done) {
    arrived.push(...session.envelope.rcptTo.map(({ address }) => address));
    stream.resume().on("end", () => done());
  },
});
await new Promise<void>((ready) => smtp.listen(0, "127.0.0.1", ready));
const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
const webhook = `http://127.0.0.1:${portOf(slack)}/`;

const site = createServer();
await new Promise<void>((ready) => site.listen(0, "127.0.0.1", ready));
const here = `http://127.0.0.1:${portOf(site)}`;

/** What both messages say. A purpose, a count and names: no address, no text of a mail. */
function message({ id, purpose, people, requester, environment }: PendingPlan): string {
  return `${requester} asks to send "${purpose}" to ${people} people in ${environment}. Look at it: https://mail.acme.com/plans/${id}`;
}

const mailer = nodemailer.createTransport({ host: "127.0.0.1", port: portOf(smtp.server), ignoreTLS: true });
const fuse = createFuse({
  environment: "production",
  environments: { production: { mode: "live" } },
  purposes: {
    "summer-offer": { kind: "bulk", caps: [{ people: 500, per: "24h" }] },
    operations: { kind: "stream", match: { from: "mailfuse@acme.test" }, caps: [{ people: 10, per: "1h" }] },
  },
  defaults: { caps: [{ people: 10, per: "1h" }] },
  approvers: { erin: { publicKey: generateKeys().publicKey } },
  requesters: ["dana"],
  store: memoryStore(),
  onPlan: async (plan) => {
    const text = message(plan);
    await fetch(webhook, { method: "POST", body: JSON.stringify({ text }) });
    await mailer.sendMail({ from: "mailfuse@acme.test", to: "erin@acme.test", subject: "A plan waits for you", text });
  },
});
fuse.attach(mailer, nodemailerAdapter());
site.on("request", toNodeHandler(createConsole({ fuse, authorize: () => ({ id: "erin", roles: ["crm"] }) })));

const plan = await fuse.plan(
  { purpose: "summer-offer", expectedPeople: 2, requestedBy: "dana" },
  {
    audience: ["ann@acme.test", "ben@acme.test"],
    send: (to) => mailer.sendMail({ from: "shop@acme.test", to, subject: "Summer", text: `Dear ${to}, it is warm.` }),
  },
);
await fuse.flush();
console.log(posted[0]?.text.replace(plan.id, "p_…"));
assert.deepEqual(arrived, ["erin@acme.test"]);

const followed = await fetch(`${here}/plans/${plan.id}`);
assert.equal(followed.status, 200);
assert.equal((await fuse.findPlan(plan.id)).state, "planned");
console.log("followed, and still planned");

await fuse.close();
mailer.close();
smtp.close();
for (const server of [slack, site]) {
  server.closeAllConnections();
  server.close();
}
