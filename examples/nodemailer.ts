/**
 * nodemailer in staging: an offer for three colleagues, whose list has become the customer database. Who is on the
 * allowlist gets it, and nobody else does; a batch that names one customer is refused whole.
 *
 * The transporter talks to an SMTP server on this machine.
 */
import type { AddressInfo } from "node:net";
import { createFuse, MailfuseError } from "mailfuse";
import { nodemailerAdapter } from "mailfuse/nodemailer";
import nodemailer from "nodemailer";
import { SMTPServer } from "smtp-server";

const reached: string[] = [];
const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ["STARTTLS"],
  onData(stream, session, done) {
    reached.push(...session.envelope.rcptTo.map(({ address }) => address));
    stream.resume();
    stream.on("end", () => done());
  },
});
await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
const { port } = server.server.address() as AddressInfo;

const fuse = createFuse({
  environment: "staging",
  environments: { staging: { mode: "test", allow: ["*@acme.test"] } },
});

// The same transporter, the same type: wherever else it is imported, it is guarded too.
const transporter = fuse.attach(
  nodemailer.createTransport({ host: "127.0.0.1", port, ignoreTLS: true }),
  nodemailerAdapter(),
);

const offer = { from: "crm@acme.test", subject: "An offer", text: "For you." };
const staff = ["dana@acme.test", "erin@acme.test", "frank@acme.test"];
for (const to of staff) await transporter.sendMail({ ...offer, to });
console.log(`the test reached ${reached.length} colleagues`);

async function refused(what: string, work: Promise<unknown>): Promise<void> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!MailfuseError.isInstance(error)) throw new Error(`Expected ${what} to be refused.`);
  console.log(`${what}: ${error.code}`);
}

await refused("a customer", transporter.sendMail({ ...offer, to: "ann@customer.test" }));
await refused("a customer among colleagues", transporter.sendMail({ ...offer, to: staff, bcc: "ann@customer.test" }));
await refused(
  "a customer in a header",
  transporter.sendMail({ ...offer, to: staff, headers: { Bcc: "ann@customer.test" } }),
);

if (reached.join() !== staff.join()) throw new Error(`Expected the three colleagues, got ${reached.length} people.`);
transporter.close();
await fuse.close();
server.close();
