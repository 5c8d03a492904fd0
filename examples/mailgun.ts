/**
 * Mailgun in a staging environment: mail off the allowlist goes to one inbox, marked, with the
 * original recipients in a header.
 *
 * The client talks to a server on this machine that stands for Mailgun's API.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import FormData from "form-data";
import { createFuse } from "mailfuse";
import { mailgunAdapter } from "mailfuse/mailgun";
import Mailgun from "mailgun.js";

const received: string[] = [];
const api = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (chunk: string) => {
    body += chunk;
  });
  request.on("end", () => {
    received.push(body);
    response.writeHead(200, { "content-type": "application/json" }).end('{"id":"<m@acme.test>","message":"Queued."}');
  });
});
await new Promise<void>((done) => api.listen(0, "127.0.0.1", done));
const { port } = api.address() as AddressInfo;

const fuse = createFuse({
  environment: "staging",
  environments: {
    staging: { mode: "test", allow: ["*@acme.test"], onNotAllowed: { redirectTo: "staging@acme.test" } },
  },
});

const mailgun = fuse.attach(
  new Mailgun(FormData).client({ username: "api", key: "key", url: `http://127.0.0.1:${port}` }),
  mailgunAdapter(),
);

const mail = { from: "shop@acme.test", subject: "Your order", text: "It is on its way." };
await mailgun.messages.create("acme.test", { ...mail, to: "qa@acme.test" });
await mailgun.messages.create("acme.test", { ...mail, to: "customer@example.org", bcc: ["other@example.org"] });

const field = (form: string, name: string) => new RegExp(`name="${name}"\r\n\r\n([^\r]*)`).exec(form)?.[1];
for (const form of received) {
  console.log(
    `${field(form, "to")}: ${field(form, "subject")} (for ${field(form, "h:X-Mailfuse-Original-To") ?? "itself"})`,
  );
}

const inboxes = received.map((form) => field(form, "to")).join(", ");
if (inboxes !== "qa@acme.test, staging@acme.test") throw new Error(`Expected two inboxes of ours, got ${inboxes}.`);
if (received.some((form) => field(form, "bcc") !== undefined)) throw new Error("Expected no hidden copy.");
await fuse.close();
api.close();
api.closeAllConnections();
