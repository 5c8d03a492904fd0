/**
 * A real SMTP server on loopback that keeps what arrived. Mail to a list's address reaches every
 * member, as it would.
 */
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";

/** One mail in one person's mailbox. */
export interface Delivered {
  readonly person: string;
  /** The marks in its text: whom it was written for. */
  readonly marks: readonly string[];
  /** The addresses that its header shows. */
  readonly shown: readonly string[];
}

export interface MailServer {
  readonly port: number;
  readonly mailboxes: Delivered[];
  /** Forgets what arrived. */
  clear(): void;
  close(): Promise<void>;
}

export async function startMailServer(lists: ReadonlyMap<string, readonly string[]>): Promise<MailServer> {
  const mailboxes: Delivered[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    disableReverseLookup: true,
    maxClients: 100,
    size: 10 * 1024 * 1024,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const raw = Buffer.concat(chunks).toString("latin1");
        const mail = { marks: raw.match(/ref-[0-9a-f]{20}/g) ?? [], shown: shownIn(raw) };
        for (const recipient of session.envelope.rcptTo) {
          const address = recipient.address.toLowerCase();
          for (const person of lists.get(address) ?? [address]) mailboxes.push({ person, ...mail });
        }
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    mailboxes,
    clear: () => mailboxes.splice(0),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function shownIn(raw: string): string[] {
  const head = raw.slice(0, raw.indexOf("\r\n\r\n")).replace(/\r\n[ \t]+/g, " ");
  const lines = head.split("\r\n").filter((line) => /^(to|cc):/i.test(line));
  return lines
    .flatMap((line) => line.match(/[^\s<>,;:"]+@[^\s<>,;:"]+/g) ?? [])
    .map((address) => address.toLowerCase());
}
