/** nodemailer over pooled SMTP, as a backend has it. */
import type { Fuse } from "mailfuse";
import { nodemailerAdapter } from "mailfuse/nodemailer";
import { createTransport } from "nodemailer";
import type { Mail } from "../scenario";

export interface Client {
  post(mail: Mail): Promise<unknown>;
  /** Attaches, and returns what detaches: an SDK whose class is guarded judges its other clients, too. */
  attach(fuse: Fuse): () => void;
  close(): void;
}

export function nodemailerClient(port: number, from: string): Client {
  const transporter = createTransport({
    host: "127.0.0.1",
    port,
    ignoreTLS: true,
    pool: true,
    maxConnections: 10,
    maxMessages: Number.POSITIVE_INFINITY,
  });
  return {
    post: ({ to, subject, text, tag }) =>
      transporter.sendMail({
        from,
        to: typeof to === "string" ? to : [...to],
        subject,
        text,
        ...(tag ? { headers: { "X-PM-Tag": tag } } : {}),
      }),
    attach(fuse) {
      fuse.attach(transporter, nodemailerAdapter());
      return () => fuse.detach(transporter);
    },
    close: () => transporter.close(),
  };
}
