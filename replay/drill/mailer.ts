/** nodemailer over pooled SMTP that waits for no answer for long. */
import type { Fuse } from "mailfuse";
import { nodemailerAdapter } from "mailfuse/nodemailer";
import { createTransport } from "nodemailer";
import type { World } from "../world";

export interface DrillMail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly tag?: string;
}

/** Long enough for a loaded machine, short enough for a drill. */
const socketTimeout = 1_500;

export function attachedMailer(fuse: Fuse, port: number, world: World) {
  const transporter = createTransport({
    ...{ host: "127.0.0.1", port, ignoreTLS: true, pool: true, maxConnections: 20, socketTimeout },
    maxMessages: Number.POSITIVE_INFINITY,
  });
  fuse.attach(transporter, nodemailerAdapter());
  return {
    send: ({ to, subject, text, tag }: DrillMail) =>
      transporter.sendMail({
        from: `post@${world.domain}`,
        to,
        subject,
        text,
        ...(tag ? { headers: { "X-PM-Tag": tag } } : {}),
      }),
    close: () => transporter.close(),
  };
}
