/**
 * Postmark in a staging environment: mail reaches the allowlist, and nobody else.
 *
 * The client talks to a server on this machine that stands for Postmark's API.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createFuse, MailfuseError } from "mailfuse";
import { postmarkAdapter } from "mailfuse/postmark";
import { ServerClient } from "postmark";

let received = 0;
const api = createServer((request, response) => {
  received += 1;
  request.resume();
  response.end(
    JSON.stringify({ ErrorCode: 0, Message: "OK", MessageID: `m-${received}`, SubmittedAt: "2026-01-01T00:00:00Z" }),
  );
});
await new Promise<void>((done) => api.listen(0, "127.0.0.1", done));
const { port } = api.address() as AddressInfo;

const fuse = createFuse({
  environment: "staging",
  environments: { staging: { mode: "test", allow: ["*@acme.test"] } },
});

// The same client, the same type: singletons and sub-clients elsewhere are guarded too.
const postmark = fuse.attach(
  new ServerClient("token", { useHttps: false, requestHost: `127.0.0.1:${port}` }),
  postmarkAdapter(),
);

const mail = { From: "app@acme.test", Subject: "Your order", TextBody: "It is on its way." };
const { MessageID } = await postmark.sendEmail({ ...mail, To: "qa@acme.test" });
console.log(`sent to a colleague: ${MessageID}`);

try {
  await postmark.sendEmail({ ...mail, To: "qa@acme.test", Bcc: "customer@example.org" });
} catch (error) {
  if (!MailfuseError.isInstance(error)) throw error;
  console.log(`a customer in Bcc: ${error.code}`);
}

// Suppressions mail nobody, and work everywhere.
await postmark.createSuppressions("outbound", { Suppressions: [{ EmailAddress: "customer@example.org" }] });

if (received !== 2) throw new Error(`Expected a mail and a suppression at the API, got ${received} requests.`);
await fuse.close();
api.close();
api.closeAllConnections();
