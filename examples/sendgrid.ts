/**
 * SendGrid in production: a purpose recognised by its category, with a cap. Personalizations count
 * one by one, and a client that somebody makes elsewhere in the code cannot mail past the fuse.
 *
 * The client talks to a server on this machine that stands for SendGrid's API.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Client } from "@sendgrid/client";
import { MailService } from "@sendgrid/mail";
import { createFuse, MailfuseError } from "mailfuse";
import { sendgridAdapter } from "mailfuse/sendgrid";

let received = 0;
const api = createServer((request, response) => {
  received += 1;
  request.resume();
  response.writeHead(202, { "x-message-id": `m-${received}` }).end();
});
await new Promise<void>((done) => api.listen(0, "127.0.0.1", done));
const { port } = api.address() as AddressInfo;

const fuse = createFuse({
  environment: "production",
  environments: { production: { mode: "live" } },
  purposes: { receipt: { kind: "stream", match: { tag: "receipt" }, caps: [{ people: 2, per: "1h" }] } },
  defaults: { caps: [{ people: 100, per: "1h" }] },
});

const client = new Client();
client.setApiKey("SG.example");
client.setDefaultRequest("baseUrl", `http://127.0.0.1:${port}`);
const sendgrid = new MailService();
sendgrid.setClient(client);
fuse.attach(sendgrid, sendgridAdapter());

const receipt = { from: "shop@acme.test", subject: "Your receipt", text: "Thank you.", categories: ["receipt"] };
const [response] = await sendgrid.send({ ...receipt, to: "ann@customer.test" });
console.log(`one receipt: ${response.statusCode}`);

async function refused(what: string, work: Promise<unknown>): Promise<void> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!MailfuseError.isInstance(error)) throw new Error(`Expected ${what} to be refused.`);
  console.log(`${what}: ${error.code}`);
}

const many = ["bob", "cleo", "dan"].map((name) => ({ to: `${name}@customer.test` }));
await refused("three more at once", sendgrid.send({ ...receipt, personalizations: many }));

const elsewhere = new Client();
elsewhere.setDefaultRequest("baseUrl", `http://127.0.0.1:${port}`);
const other = new MailService();
other.setClient(elsewhere);
await refused("a client made elsewhere", other.send({ ...receipt, to: "eve@customer.test" }));

// An unsubscribe mails nobody, and always passes.
await client.request({
  method: "POST",
  url: "/v3/asm/suppressions/global",
  body: { recipient_emails: ["ann@customer.test"] },
});

if (received !== 2) throw new Error(`Expected a mail and an unsubscribe at the API, got ${received} requests.`);
await fuse.close();
api.close();
api.closeAllConnections();
