/**
 * SES: the SDK's own retries belong to one send. After an answer that leaves the outcome open,
 * nothing is sent again, and the ledger says `unknown`.
 *
 * The client talks to a server on this machine that stands for SES.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { SESv2Client, SendEmailCommand } from "@aws-sdk/client-sesv2";
import { createFuse, MailfuseError } from "mailfuse";
import { sesAdapter } from "mailfuse/ses";

const answers = ["throttle", "accept", "drop"];
let received = 0;
const api = createServer((request, response) => {
  received += 1;
  request.resume();
  request.on("end", () => {
    const answer = answers.shift();
    if (answer === "drop") response.destroy();
    else if (answer === "throttle") {
      response.writeHead(429, { "x-amzn-errortype": "TooManyRequestsException" }).end('{"message":"slow down"}');
    } else response.writeHead(200, { "content-type": "application/json" }).end('{"MessageId":"m-1"}');
  });
});
await new Promise<void>((done) => api.listen(0, "127.0.0.1", done));
const { port } = api.address() as AddressInfo;

const fuse = createFuse({
  environment: "production",
  environments: { production: { mode: "live" } },
  purposes: { invoice: { kind: "stream", onUnknown: "hold", caps: [{ people: 100, per: "1h" }] } },
  defaults: { caps: [{ people: 100, per: "1h" }] },
});

const ses = fuse.attach(
  new SESv2Client({
    region: "eu-west-1",
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "example" },
  }),
  sesAdapter(),
);

function invoice(to: string): Promise<{ MessageId?: string | undefined }> {
  const command = new SendEmailCommand({
    FromEmailAddress: "shop@acme.test",
    Destination: { ToAddresses: [to] },
    Content: { Simple: { Subject: { Data: "Your invoice" }, Body: { Text: { Data: "It is attached." } } } },
  });
  return fuse.run({ purpose: "invoice" }, () => ses.send(command));
}

// Throttled: SES took nothing, so the SDK's second attempt is let through.
const { MessageId } = await invoice("ann@customer.test");
console.log(`after being throttled: ${MessageId}`);

// The connection breaks after the mail: it may have been taken, so there is no second attempt.
const error: unknown = await invoice("bob@customer.test").catch((reason: unknown) => reason);
if (!MailfuseError.isInstance(error)) throw new Error("Expected the second attempt to be refused.");
console.log(`after a lost answer: ${error.code}`);

if (received !== 3) throw new Error(`Expected three requests, got ${received}.`);
ses.destroy();
await fuse.close();
api.close();
api.closeAllConnections();
