/** Same type in, same type out, for nodemailer's own types and for those of DefinitelyTyped. */
import nodemailer, { type Transporter } from "nodemailer";
import type { Transporter as TypedTransporter } from "nodemailer-types";
import type TypedSMTP from "nodemailer-types/lib/smtp-transport";
import { expectTypeOf, it } from "vitest";
import { nodemailerAdapter } from "../../adapters/nodemailer";
import { testFuse } from "./nodemailer-world";

it("keeps the type of what is attached", () => {
  const fuse = testFuse();
  const smtp = nodemailer.createTransport({ host: "127.0.0.1" });
  const pool = nodemailer.createTransport({ host: "127.0.0.1", pool: true });
  const json = nodemailer.createTransport({ jsonTransport: true });
  expectTypeOf(fuse.attach(smtp, nodemailerAdapter())).toEqualTypeOf<typeof smtp>();
  expectTypeOf(fuse.attach(pool, nodemailerAdapter())).toEqualTypeOf<typeof pool>();
  expectTypeOf(fuse.attach(json, nodemailerAdapter({ fields: ["a"] }))).toEqualTypeOf<typeof json>();
  const plain: Transporter = smtp as unknown as Transporter;
  expectTypeOf(fuse.attach(plain, nodemailerAdapter())).toEqualTypeOf<Transporter>();
  const typed = nodemailer.createTransport({
    host: "127.0.0.1",
  }) as unknown as TypedTransporter<TypedSMTP.SentMessageInfo>;
  expectTypeOf(fuse.attach(typed, nodemailerAdapter())).toEqualTypeOf<TypedTransporter<TypedSMTP.SentMessageInfo>>();
  // @ts-expect-error A transport's options are no transporter.
  const wrong = () => fuse.attach({ host: "127.0.0.1" }, nodemailerAdapter());
  expectTypeOf(wrong).toBeFunction();
});
