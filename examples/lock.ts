/**
 * The egress lock: mail that does not go through a fuse gets no connection.
 *
 * An application puts it on from outside, with `node --import mailfuse/lock app.js`; importing it
 * does the same.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createFuse } from "mailfuse";
import { lock } from "mailfuse/lock";
import { nodemailerAdapter } from "mailfuse/nodemailer";
import nodemailer from "nodemailer";
import { SMTPServer } from "smtp-server";

// A relay on this machine, on one of the ports that the lock watches.
let taken = 0;
const relay = new SMTPServer({
  authOptional: true,
  disabledCommands: ["STARTTLS"],
  onData(stream, _session, done) {
    stream.resume().on("end", () => {
      taken += 1;
      done();
    });
  },
});
await new Promise<void>((done) => relay.listen(2525, "127.0.0.1", done));
const other = createServer((_request, response) => response.end("{}"));
await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));

const fuse = createFuse({
  environment: "staging",
  environments: { staging: { mode: "test", allow: ["*@acme.test"] } },
});
const options = { host: "127.0.0.1", port: 2525, ignoreTLS: true };
const guarded = fuse.attach(nodemailer.createTransport(options), nodemailerAdapter());
const forgotten = nodemailer.createTransport(options);
const mail = { from: "app@acme.test", to: "qa@acme.test", subject: "Hello", text: "Hi." };

await guarded.sendMail(mail);
console.log("through the fuse: sent");

// A client that nobody attached gets no connection, and the error says where one was asked for.
const refused = await forgotten.sendMail(mail).catch((error: Error) => error.message);
console.log(`past the fuse: ${String(refused).slice(0, 14)}`);

// Everything else is let be.
const { port } = other.address() as AddressInfo;
console.log(`another server: ${(await fetch(`http://127.0.0.1:${port}/`)).status}`);

// What may be reached without a fuse is named. Entries add up; the function takes them back.
const unlock = lock({ allow: ["loopback"] });
await forgotten.sendMail(mail);
console.log("past the fuse, to a relay that was let through: sent");
unlock();

if (taken !== 2 || !String(refused).startsWith("UNGUARDED_SEND")) {
  throw new Error(`Expected two mails at the relay and one refusal, got ${taken} mails and "${refused}".`);
}
await fuse.close();
relay.close(() => {});
other.close();
other.closeAllConnections();
