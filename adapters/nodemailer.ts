/**
 * Guards nodemailer: every mail of a transporter, whatever its transport.
 *
 * `import { nodemailerAdapter } from "mailfuse/nodemailer"`
 *
 * ```ts
 * const transporter = nodemailer.createTransport({ host: "smtp.acme.test" });
 * fuse.attach(transporter, nodemailerAdapter());
 * await transporter.sendMail({ from, to, subject, text });
 * ```
 *
 * nodemailer 6.9 to 10, with SMTP, pooled SMTP, SES, sendmail, stream and JSON transports, and those
 * of third parties. Documentation: https://nodemailer.com/
 *
 * @module
 */
import type { Adapter, Attachment, Commit, Gate } from "../src/adapter";
import { Late } from "../src/catching";
import { asMailer, Choke, endEarlierHold } from "./nodemailer/choke";
import { type Pool, PoolGuard } from "./nodemailer/pool";
import { guardedSend } from "./nodemailer/send";
import { kindOf, type MailMessage, type MailTransport, type TransportKind } from "./nodemailer/shapes";
import { guardVerify } from "./nodemailer/verify";

/** A transporter as `createTransport` returns it: nodemailer's own types and `@types/nodemailer`'s have this. */
export interface NodemailerTransporter {
  readonly transporter: object;
  sendMail(...args: never[]): unknown;
}

/** Options of {@link nodemailerAdapter}. */
export interface NodemailerAdapterOptions {
  /**
   * Message fields of a third party's transport, beside those that nodemailer documents, which
   * steer no recipient. Others are refused (`FIELD_UNKNOWN`), since such a transport may read them.
   * Of no effect on nodemailer's own transports, where the rendered mail decides.
   * @default []
   */
  readonly fields?: readonly string[];
}

/**
 * Makes the adapter.
 *
 * What counts as a recipient: the envelope, the rendered To, Cc, Bcc and Resent headers, `to`, `cc`
 * and `bcc` as given, and for transports that read it, `headers` too. Tags, for matching purposes,
 * are read from `X-Mailfuse-Tag`, `X-PM-Tag`, `X-Mailgun-Tag`, `X-MC-Tags`, `X-SES-Message-Tags`,
 * `X-Mailin-Tag`, `X-Mailjet-Campaign`, `X-MT-Category`, and the categories in `X-SMTPAPI` and
 * `X-MSYS-API`.
 *
 * Attaching throws `ATTACH_UNSUPPORTED` for what is no transporter, and `ATTACH_CONFLICT` for a
 * transport held through another one. Sends are refused with `ADDRESS_*`, `COPY_*`,
 * `HEADER_REFUSED`, `FIELD_UNKNOWN`, `PROTOTYPE_POLLUTED` or `CHOKE_POINT_CHANGED`.
 */
export function nodemailerAdapter(options: NodemailerAdapterOptions = {}): Adapter<NodemailerTransporter> {
  const fields: ReadonlySet<string> = new Set(options.fields ?? []);
  return {
    name: "nodemailer",
    attach: (client, gate) => attach(client, gate, fields),
  };
}

function attach(client: NodemailerTransporter, gate: Gate, fields: ReadonlySet<string>): Attachment {
  const mailer = asMailer(client);
  endEarlierHold(mailer);
  const kind = kindOf(mailer.transporter);
  let pool: PoolGuard | undefined;
  const toTransport = (mail: MailMessage): Promise<unknown> => callSend(choke.original, choke.transport, mail);
  const send = async (mail: MailMessage, commit: Commit, attempted: () => boolean): Promise<unknown> => {
    if (pool) return pool.send(mail, commit, attempted, () => toTransport(mail));
    await commit();
    return toTransport(mail);
  };
  const arrive = (): ((handedOver: boolean) => void) => pool?.arrive() ?? nothing;
  const wire = { transport: mailer.transporter, send, arrive, limits: gate.limits };
  const sending = new Late(async () => (await import("./nodemailer/sending")).sendingOf(mailer, wire, kind));
  let attached = true;
  const detach = (): void => {
    if (!attached) return;
    attached = false;
    restoreVerify();
    pool?.detach();
    choke.restore();
  };
  const choke = new Choke(mailer, guardedSend(gate, wire, kind, fields, sending), detach);
  if (kind === "pool") pool = new PoolGuard(choke.transport as Pool);
  const restoreVerify = guardVerify(choke.transport, kind, gate);
  const account = accountOf(choke.transport, kind);
  // A transporter that is attached will send; what fails here is told to its first mail.
  sending.load().catch(() => {});
  return {
    ...(account === undefined ? {} : { account }),
    detach,
    verify() {
      const changed = choke.verify();
      if (changed || !pool || pool.intact) return changed;
      return {
        code: "CHOKE_POINT_CHANGED",
        message: "Expected the pool's connections to be guarded, got a pool whose way to make them was replaced.",
        fix: "Attach the fuse after other code has made its changes to the transporter.",
        where: "transporter.transporter._createConnection",
      };
    },
    ready: () => sending.load(),
    revive: (spooled) => sending.part.revive(spooled),
  };
}

function nothing(): void {}

/** Calls a transport's `send`, in the callback form every transport has. */
function callSend(send: MailTransport["send"], transport: MailTransport, mail: MailMessage): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const returned = send.call(transport, mail, (error, info) => (error ? reject(error) : resolve(info)));
    // Some third parties' `send` is an async function whose failure nobody would hear of.
    (returned as Partial<Promise<unknown>> | undefined)?.then?.(undefined, reject);
  });
}

/** The server's name; never the login, which is an address or a secret often enough. */
function accountOf(transport: MailTransport, kind: TransportKind): string | undefined {
  if (kind !== "smtp" && kind !== "pool") return typeof transport.name === "string" ? transport.name : undefined;
  const host = transport.options?.host;
  return typeof host === "string" && host !== "" ? host : undefined;
}
