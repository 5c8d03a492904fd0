/** A real SMTP server on loopback that takes down who got mail, and when. */
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";

/** What arrived. */
export interface Mailbox {
  readonly port: number;
  /** By recipient: how often, and when first. */
  readonly arrived: ReadonlyMap<string, { count: number; readonly at: number }>;
  /** Called after each arrival. */
  onArrival: () => void;
  close(): Promise<void>;
}

/** Starts one. */
export async function startMailbox(): Promise<Mailbox> {
  const arrived = new Map<string, { count: number; readonly at: number }>();
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    disableReverseLookup: true,
    onData(stream, session, done) {
      stream.resume();
      stream.on("end", () => {
        for (const { address } of session.envelope.rcptTo) {
          const known = arrived.get(address);
          if (known) known.count++;
          else arrived.set(address, { count: 1, at: Date.now() });
        }
        done();
        mailbox.onArrival();
      });
    },
  });
  // A process killed in the middle of a mail is part of the check.
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const mailbox: Mailbox = {
    port: (server.server.address() as AddressInfo).port,
    arrived,
    onArrival: () => {},
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return mailbox;
}
