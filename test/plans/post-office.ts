/** A real SMTP server on loopback that keeps what arrived, and says how far each mail has come. */
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import type { ServerPoint } from "./points";

/** What arrived. */
export interface PostOffice {
  readonly port: number;
  /** By recipient: every mail's text, in order. */
  readonly arrived: ReadonlyMap<string, readonly string[]>;
  /** Asked at each point; `true` leaves the client without an answer for ever. */
  at: (point: ServerPoint) => boolean;
  close(): Promise<void>;
}

/** Opens one. */
export async function openPostOffice(): Promise<PostOffice> {
  const arrived = new Map<string, string[]>();
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    disableReverseLookup: true,
    onConnect: (_session, answer) => void (office.at("connect") || answer()),
    onMailFrom: (_address, _session, answer) => void (office.at("mail") || answer()),
    onData(stream, session, answer) {
      const parts: Buffer[] = [];
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("end", () => {
        const text = Buffer.concat(parts).toString("utf8");
        for (const { address } of session.envelope.rcptTo)
          arrived.set(address, [...(arrived.get(address) ?? []), text]);
        if (office.at("data")) return;
        answer();
        office.at("after-250");
      });
    },
  });
  // A process killed in the middle of a mail is what this is for.
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const office: PostOffice = {
    port: (server.server.address() as AddressInfo).port,
    arrived,
    at: () => false,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return office;
}
