/** A mail server on loopback that keeps what arrives, and the nodemailers that are tested against it. */

import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import nodemailer from "nodemailer";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { nodemailerAdapter } from "../../adapters/nodemailer";
import type { Call, Commit, Fate, Gate, Outcome } from "../../src/adapter";
import { MailfuseError } from "../../src/errors";
import { createFuse, type Fuse } from "../../src/fuse";

/** One mail as it arrived. */
export interface Arrived {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
  readonly bytes: Buffer;
}

export interface MailServer {
  readonly port: number;
  readonly mails: Arrived[];
  /** Breaks every connection off, as a crash would. */
  crash(): void;
  close(): Promise<void>;
}

/** A real SMTP server. Whatever it takes ends up in `mails`. */
export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const mails: Arrived[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    logger: false,
    size: 100 * 1024 * 1024,
    onAuth: (_auth, _session, done) => done(null, { user: "app" }),
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const bytes = Buffer.concat(chunks);
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom ? mailFrom.address : "",
          to: rcptTo.map((recipient) => recipient.address),
          raw: bytes.toString("utf8"),
          bytes,
        });
        done();
      });
    },
    ...options,
  });
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    crash() {
      const { connections } = server as unknown as { connections: Set<{ _socket: { destroy(): void } }> };
      for (const connection of connections) connection._socket.destroy();
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** A transporter as tests see any version's. */
export interface AnyTransporter {
  transporter: Record<string, unknown> & {
    send(mail: unknown, callback: (error: unknown, info?: unknown) => void): unknown;
  };
  sendMail(data: object): Promise<Record<string, unknown>>;
  sendMail(
    data: object,
    callback: (error: (Error & { code?: string }) | null, info: Record<string, unknown>) => void,
  ): void;
  use(step: string, plugin: (mail: never, done: (error?: Error | null) => void) => void): unknown;
  verify(): Promise<boolean>;
  close(): void;
  on(event: string, listener: (...args: never[]) => void): unknown;
}

export interface AnyNodemailer {
  createTransport(options: object, defaults?: object): AnyTransporter;
}

// Versions before 10 bring no types of their own.
const require = createRequire(import.meta.url);

/** Every major version in use. 8 is 7 with a renamed error code. */
export const versions: readonly (readonly [version: string, nodemailer: AnyNodemailer])[] = [
  ["10", nodemailer as unknown as AnyNodemailer],
  ["9", require("nodemailer-9")],
  ["7", require("nodemailer-7")],
  ["6", require("nodemailer-6")],
];

export const current = versions[0]?.[1] as AnyNodemailer;

export function smtp(port: number, more: object = {}): object {
  return { host: "127.0.0.1", port, secure: false, ignoreTLS: true, ...more };
}

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A fuse in test mode that lets `*@ok.test` out. */
export function testFuse(config: Record<string, unknown> = {}, environment: Record<string, unknown> = {}): Fuse {
  return createFuse({
    environment: "staging",
    env: {},
    logger: silent,
    environments: { staging: { mode: "test", allow: ["*@ok.test"], ...environment } },
    defaults: { caps: [{ people: 1_000_000, per: "1h" }], maxVisible: 1_000, confirm: { abovePeople: 1_000_000 } },
    ...config,
  } as Parameters<typeof createFuse>[0]);
}

/** A transporter held by `fuse`. */
export function attached(
  fuse: Fuse,
  made: AnyTransporter,
  options: Parameters<typeof nodemailerAdapter>[0] = {},
): AnyTransporter {
  fuse.attach(made as never, nodemailerAdapter(options));
  return made;
}

/** The code a send is refused with; `sent` when it was not. */
export async function codeOf(sending: Promise<unknown>): Promise<string> {
  try {
    await sending;
    return "sent";
  } catch (error) {
    return MailfuseError.isInstance(error) ? error.code : `not ours: ${String((error as Error).message)}`;
  }
}

/** All codes a send is refused with. */
export async function codesOf(sending: Promise<unknown>): Promise<string[]> {
  try {
    await sending;
    return ["sent"];
  } catch (error) {
    return MailfuseError.isInstance(error)
      ? error.refusals.map((refusal) => refusal.code)
      : [`not ours: ${String(error)}`];
  }
}

/** A gate in a test's hand: keeps calls and outcomes, and decides by `judge` and `commit`. */
export class TestGate implements Gate {
  readonly unattached = "refuse";
  limits = { depth: 24, nodes: 1_000_000, bytes: 40 * 1024 * 1024 };
  readonly calls: Call[] = [];
  readonly outcomes: Outcome[] = [];
  readonly commits: (Fate | undefined)[] = [];
  judge: (call: Call) => Promise<void> = async () => {};
  commit: Commit = async () => ({ reservation: "r1" });

  async pass<Result>(call: Call<Result>): Promise<Result> {
    this.calls.push(call as Call);
    await this.judge(call as Call);
    const commit: Commit = (previous) => {
      this.commits.push(previous);
      return this.commit(previous);
    };
    try {
      const result = await call.deliver(commit);
      this.outcomes.push(call.outcome({ result }));
      return result;
    } catch (error) {
      this.outcomes.push(call.outcome({ error }));
      throw error;
    }
  }

  /** The message of the last call. */
  get message() {
    const intent = this.calls.at(-1)?.intent;
    if (!intent || !("messages" in intent)) throw new Error("no send was seen");
    const [message] = intent.messages;
    if (!message) throw new Error("a send without a message");
    return message;
  }

  /** Codes of the last call's problems. */
  get problems(): string[] {
    const intent = this.calls.at(-1)?.intent;
    return intent && "problems" in intent ? (intent.problems ?? []).map((problem) => problem.code) : [];
  }
}

/** A transporter held by a gate of the test's own. */
export function gated(
  made: AnyTransporter,
  gate = new TestGate(),
  options: Parameters<typeof nodemailerAdapter>[0] = {},
) {
  const attachment = nodemailerAdapter(options).attach(made as never, gate);
  return { transporter: made, gate, attachment };
}
