/**
 * A real SMTP server that fails as mail servers do: it refuses some, breaks off before the text for
 * some, and for some takes the text and never answers, having kept the mail or not. It alone knows
 * whom a mail reached or may have reached.
 */
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";

/** What the server does with one person's mail. */
export type Manner = "take" | "slow" | "refuse" | "break" | "keep-silently" | "lose-silently" | "freeze";

export interface FailingServer {
  readonly port: number;
  /** What is done with whose mail; `take` for everybody else. */
  manners: ReadonlyMap<string, Manner>;
  /** People whose text the server has taken without refusing it: they have it, or may have it. */
  readonly touched: Set<string>;
  /** Mails that stand in mailboxes. */
  readonly mailboxes: { readonly person: string; readonly text: string }[];
  /** Texts taken by a server that answers nobody any more. */
  readonly frozen: number;
  /** Resolves when that many are. */
  untilFrozen(count: number): Promise<void>;
  close(): Promise<void>;
}

const slowMs = 10;

export async function startFailingServer(): Promise<FailingServer> {
  let frozen = 0;
  let look: () => void = () => {};
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    disableReverseLookup: true,
    maxClients: 100,
    closeTimeout: 100,
    onRcptTo({ address }, _session, done) {
      const manner = failing.manners.get(address.toLowerCase());
      if (manner === "refuse") return done(Object.assign(new Error("no such user"), { responseCode: 550 }));
      // The connection breaks before the text: the mail cannot have arrived.
      if (manner === "break") return done(Object.assign(new Error("closing"), { responseCode: 421 }));
      done();
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        for (const { address } of session.envelope.rcptTo) {
          const person = address.toLowerCase();
          const manner = failing.manners.get(person) ?? "take";
          failing.touched.add(person);
          if (manner !== "lose-silently")
            failing.mailboxes.push({ person, text: Buffer.concat(chunks).toString("utf8") });
          if (manner === "take") done();
          else if (manner === "slow") setTimeout(done, slowMs);
          else if (manner === "freeze") {
            frozen++;
            look();
          }
        }
      });
    },
  });
  // A client that is killed in the middle of a mail is part of the drill.
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const failing: FailingServer = {
    port: (server.server.address() as AddressInfo).port,
    manners: new Map(),
    touched: new Set(),
    mailboxes: [],
    get frozen() {
      return frozen;
    },
    untilFrozen: (count) =>
      new Promise((resolve) => {
        look = () => frozen >= count && resolve();
        look();
      }),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return failing;
}
