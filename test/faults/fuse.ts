/** The fuse and the mail client that every process of the checks has: the library as an application uses it. */
import nodemailer from "nodemailer";
import { nodemailerAdapter } from "../../adapters/nodemailer";
import { createFuse, type Fuse } from "../../src/fuse";
import { createSecrets } from "../../src/secrets";
import type { Store } from "../../src/store";

const secret = "the checks' own secret, long enough to be one";

/** The name under which ledgers and stores know a person. */
export const pseudonym = (address: string): string => createSecrets([secret]).pseudonym(address);

/** What the checks may set. */
export interface FuseOptions {
  readonly store: Store;
  readonly smtp: number;
  readonly people: number;
  readonly per: `${number}h` | `${number}m`;
  readonly approver: string;
}

/** A guarded transporter of pooled SMTP. */
export interface GuardedMailer {
  readonly fuse: Fuse;
  readonly send: (to: string, subject?: string) => Promise<unknown>;
  readonly close: () => void;
}

/** Makes both. */
export function guardedMailer({ store, smtp, people, per, approver }: FuseOptions): GuardedMailer {
  const caps = [{ people, per }];
  const fuse = createFuse({
    environment: "production",
    environments: { production: { mode: "live" } },
    // A check that runs in CI is meant to send: to a mail server of its own.
    env: {},
    purposes: {
      notice: { kind: "stream", match: { subject: /^Notice/ }, caps, confirm: { abovePeople: 1_000_000 } },
      offer: { kind: "bulk", caps: [{ people: 5_000, per: "24h" }] },
    },
    defaults: { caps: [{ people: 100, per: "1h" }] },
    approvers: { erin: { publicKey: approver } },
    requesters: ["dana"],
    secret,
    store,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  });
  const transporter = nodemailer.createTransport({
    host: "127.0.0.1",
    port: smtp,
    ignoreTLS: true,
    pool: true,
    maxConnections: 5,
    maxMessages: Number.POSITIVE_INFINITY,
  });
  fuse.attach(transporter, nodemailerAdapter());
  const send = (to: string, subject = "Notice") =>
    transporter.sendMail({ from: "shop@acme.example", to, subject, text: `For ${to}.` });
  return { fuse, send, close: () => transporter.close() };
}
