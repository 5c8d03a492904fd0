/**
 * Everyday mail, as applications really build it: none of it may be blocked, and none of it may
 * arrive otherwise than it would have without a fuse. Each case is sent twice, by a bare transporter
 * and by a guarded one, and compared by what a mail server received.
 */
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { Binary, Decimal128, ObjectId } from "bson";
import { Job } from "bullmq";
import { Decimal } from "decimal.js";
import { create as createHandlebars } from "express-handlebars";
import fastq from "fastq";
import { type ParsedMail, simpleParser } from "mailparser";
import mongoose from "mongoose";
// @ts-expect-error The package brings no types.
import nodemailerHandlebars from "nodemailer-express-handlebars";
import PQueue from "p-queue";
import { DataTypes, Sequelize } from "sequelize";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { dkim, dkimHolds } from "./adapters/nodemailer-dkim";
import {
  type AnyTransporter,
  type Arrived,
  attached,
  current,
  type MailServer,
  smtp,
  startMailServer,
  testFuse,
} from "./adapters/nodemailer-world";

const from = "Acme <app@sender.test>";
const ann = "ann@ok.test";
const bob = "bob@ok.test";

let server: MailServer;
let web: Server;
let directory: string;
beforeAll(async () => {
  server = await startMailServer();
  web = createServer((_request, response) => response.end("from the web"));
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  directory = mkdtempSync(path.join(tmpdir(), "mailfuse-ordinary-"));
  writeFileSync(path.join(directory, "a.txt"), "from a file");
  writeFileSync(
    path.join(directory, "welcome.handlebars"),
    "<p>Hello {{user.name}}, you owe {{amount}}. {{shout user.name}}</p>",
  );
  writeFileSync(path.join(directory, "welcome_text.handlebars"), "Hello {{user.name}}, you owe {{amount}}.");
});
afterAll(async () => {
  await server.close();
  await new Promise((resolve) => web.close(resolve));
  rmSync(directory, { recursive: true });
});
beforeEach(() => {
  server.mails.length = 0;
});

interface Case {
  /** Made anew for every send: streams are read once. */
  readonly mail: () => object | Promise<object>;
  readonly options?: object;
  readonly defaults?: object;
  readonly prepare?: (transporter: AnyTransporter) => void;
  /** How the application calls; by default `sendMail`. */
  readonly send?: (transporter: AnyTransporter, mail: object) => Promise<unknown>;
  /** Whom it reaches; by default Ann. */
  readonly to?: readonly string[];
  readonly check?: (parsed: ParsedMail, arrived: Arrived) => void;
  /** Signatures differ from one mail to the next. */
  readonly signed?: boolean;
}

const mailOf = (more: object) => () => ({ from, to: ann, subject: "Your order", text: "Thank you.", ...more });

// Models and entities
const Contact = new mongoose.Schema({ name: String, address: String }, { _id: false });
const User = mongoose.model(
  "User",
  new mongoose.Schema(
    {
      name: String,
      email: String,
      emails: [String],
      contact: Contact,
      team: [Contact],
      balance: mongoose.Schema.Types.Decimal128,
    },
    {
      virtuals: {
        address: {
          get(this: { email: string }) {
            return this.email;
          },
        },
      },
    },
  ),
);
const mongo = () =>
  new User({
    name: "Ann Smith",
    email: ann,
    emails: [ann, bob],
    contact: { name: "Ann", address: ann },
    team: [
      { name: "Ann", address: ann },
      { name: "Bob", address: bob },
    ],
    balance: "12.50",
  });
const sequelize = new Sequelize({ dialect: "postgres", logging: false });
const Person = sequelize.define("person", { name: DataTypes.STRING, address: DataTypes.STRING });
class Entity {
  constructor(private readonly row: { first: string; last: string; mail: string }) {}
  get name(): string {
    return `${this.row.first} ${this.row.last}`;
  }
  get address(): string {
    return this.row.mail;
  }
}
const entity = () => new Entity({ first: "Ann", last: "Smith", mail: ann });

const models: Record<string, Case> = {
  "a mongoose document's field": { mail: () => mailOf({ to: mongo().email })() },
  "a mongoose document's name and address": {
    mail: () => mailOf({ to: { name: mongo().name, address: mongo().email } })(),
    check: (parsed) => expect(parsed.to).toMatchObject({ text: '"Ann Smith" <ann@ok.test>' }),
  },
  "a mongoose array of texts": { mail: () => mailOf({ to: mongo().emails })(), to: [ann, bob] },
  "a mongoose array of subdocuments": { mail: () => mailOf({ to: mongo().team })(), to: [ann, bob] },
  "a mongoose subdocument": { mail: () => mailOf({ cc: mongo().contact, to: bob })(), to: [bob, ann] },
  "mongoose documents mapped to addresses": {
    mail: () => mailOf({ to: [mongo(), mongo()].map((user) => ({ name: user.name, address: user.email })) })(),
  },
  "a mongoose document as address, by a virtual": {
    mail: () => mailOf({ to: mongo() })(),
    check: (parsed) => expect(parsed.to).toMatchObject({ text: '"Ann Smith" <ann@ok.test>' }),
  },
  "a Sequelize instance as address": { mail: () => mailOf({ to: Person.build({ name: "Ann", address: ann }) })() },
  "Sequelize instances as addresses": {
    mail: () =>
      mailOf({ to: [Person.build({ name: "Ann", address: ann }), Person.build({ name: "Bob", address: bob })] })(),
    to: [ann, bob],
  },
  "an entity with getters": {
    mail: () => mailOf({ to: { name: entity().name, address: entity().address } })(),
    check: (parsed) => expect(parsed.to).toMatchObject({ text: '"Ann Smith" <ann@ok.test>' }),
  },
  "a record without a prototype, as Prisma's raw queries give": {
    mail: () => mailOf({ to: Object.assign(Object.create(null), { name: "Ann", address: ann }) })(),
  },
  "a proxy of a reactive store": { mail: () => mailOf({ to: new Proxy({ name: "Ann", address: ann }, {}) })() },
  "ids and decimals in texts and headers": {
    mail: () =>
      mailOf({
        subject: `Order ${new ObjectId("65f000000000000000000001")}`,
        text: `Total ${new Decimal("12.50").toFixed(2)} ${Decimal128.fromString("1.5")}`,
        headers: {
          "X-Order": String(new ObjectId("65f000000000000000000001")),
          "X-Total": new Decimal("12.5").toString(),
          "X-Skipped": new ObjectId("65f000000000000000000001"),
        },
      })(),
    check: (parsed) =>
      expect([parsed.subject, parsed.headers.get("x-total")]).toEqual(["Order 65f000000000000000000001", "12.5"]),
  },
  "bytes from a database": {
    mail: () =>
      mailOf({
        attachments: [{ filename: "a.bin", content: Buffer.from(new Binary(Buffer.from([1, 2, 3])).buffer) }],
      })(),
    check: (parsed) => expect([...(parsed.attachments[0]?.content ?? [])]).toEqual([1, 2, 3]),
  },
};

// Templates and other plugins
const context = () => {
  const user: Record<string, unknown> = { name: "Ann", greet: () => "hello" };
  user.self = user;
  return { user, amount: new Decimal("12.50").toFixed(2), document: mongo(), layout: false };
};
const engine = () =>
  createHandlebars({
    extname: ".handlebars",
    defaultLayout: false,
    helpers: { shout: (text: string) => `${text.toUpperCase()}!` },
  });
const templates: Record<string, Case> = {
  "express-handlebars through its nodemailer plugin, with a text template": {
    prepare: (transporter) =>
      transporter.use("compile", nodemailerHandlebars({ viewEngine: engine(), viewPath: directory }) as never),
    mail: () => ({
      from,
      to: ann,
      subject: "Welcome",
      template: "welcome",
      text_template: "welcome_text",
      context: context(),
    }),
    check: (parsed) =>
      expect([parsed.html, parsed.text?.trim()]).toEqual([
        "<p>Hello Ann, you owe 12.50. ANN!</p>",
        "Hello Ann, you owe 12.50.",
      ]),
  },
  "express-handlebars rendered by a plugin of one's own": {
    prepare: (transporter) =>
      transporter.use("compile", ((
        mail: { data: { html?: string; template: string; context: Record<string, unknown> } },
        done: (error?: Error) => void,
      ) => {
        engine()
          .renderView(
            path.join(directory, `${mail.data.template}.handlebars`),
            mail.data.context as Record<string, never>,
          )
          .then((html) => {
            mail.data.html = html;
            done();
          }, done);
      }) as never),
    mail: () => ({ from, to: ann, subject: "Welcome", template: "welcome", context: context() }),
    check: (parsed) => expect(parsed.html).toContain("ANN!"),
  },
  "a text made from the html by a plugin": {
    prepare: (transporter) =>
      transporter.use("compile", ((mail: { data: { html: string; text?: string } }, done: () => void) => {
        mail.data.text = mail.data.html.replace(/<[^>]*>/g, "");
        done();
      }) as never),
    mail: mailOf({ text: undefined, html: "<p>Hello</p>" }),
    check: (parsed) => expect(parsed.text?.trim()).toBe("Hello"),
  },
  "a header set by a plugin at the last step": {
    prepare: (transporter) =>
      transporter.use("stream", ((
        mail: { message: { setHeader(key: string, value: string): void } },
        done: () => void,
      ) => {
        mail.message.setHeader("X-Trace", "1");
        done();
      }) as never),
    mail: mailOf({}),
    check: (parsed) => expect(parsed.headers.get("x-trace")).toBe("1"),
  },
  "images embedded from data URLs": {
    mail: mailOf({ attachDataUrls: true, html: '<p><img src="data:image/png;base64,iVBORw0KGgo="></p>' }),
    check: (parsed) => expect(parsed.attachments).toHaveLength(1),
  },
};

// Queues
const payload = {
  from,
  to: [{ name: "Ann", address: ann }],
  cc: bob,
  subject: "Your order",
  text: "Thank you.",
  attachments: [{ filename: "a.txt", content: "aGVsbG8=", encoding: "base64" }],
  headers: { "X-Job": "1" },
};
const queueStub = {
  opts: {},
  keys: {},
  toKey: (name: string) => name,
  on() {},
  qualifiedName: "mail",
  client: Promise.resolve({}),
};
const queues: Record<string, Case> = {
  "a job's payload after JSON": {
    mail: () => JSON.parse(JSON.stringify(payload)),
    to: [ann, bob],
    check: (parsed) => expect(String(parsed.attachments[0]?.content)).toBe("hello"),
  },
  "a structured clone, as between threads": { mail: () => structuredClone(payload), to: [ann, bob] },
  "a BullMQ job's data": {
    mail: () =>
      Job.fromJSON(
        queueStub as never,
        {
          id: "1",
          name: "mail",
          data: JSON.stringify(payload),
          opts: "{}",
          progress: "0",
          timestamp: "0",
          attemptsMade: "0",
          stacktrace: "[]",
        } as never,
        "1",
      ).data,
    to: [ann, bob],
  },
  "a send inside p-queue": {
    mail: () => payload,
    to: [ann, bob],
    send: (transporter, mail) =>
      new PQueue({ concurrency: 1 }).add(() => transporter.sendMail(mail)) as Promise<unknown>,
  },
  "a send inside fastq": {
    mail: () => payload,
    to: [ann, bob],
    send: (transporter, mail) => fastq.promise((one: object) => transporter.sendMail(one), 1).push(mail),
  },
  "a frozen payload": { mail: () => deepFreeze({ ...structuredClone(payload), to: [ann] }), to: [ann, bob] },
};

function deepFreeze<T extends object>(value: T): T {
  for (const held of Object.values(value)) if (typeof held === "object" && held !== null) deepFreeze(held);
  return Object.freeze(value);
}

// Attachments
const file = () => path.join(directory, "a.txt");
const url = () => `http://127.0.0.1:${(web.address() as AddressInfo).port}/a.txt`;
const attachment = (make: () => object, content: string): Case => ({
  mail: () => mailOf({ attachments: [make()] })(),
  check: (parsed) => expect(String(parsed.attachments[0]?.content)).toBe(content),
});
const attachments: Record<string, Case> = {
  "a text": attachment(() => ({ filename: "a.txt", content: "a text" }), "a text"),
  "a buffer": attachment(() => ({ filename: "a.txt", content: Buffer.from("a buffer") }), "a buffer"),
  "a file by its path": attachment(() => ({ path: file() }), "from a file"),
  "a file as a stream": attachment(() => ({ filename: "a.txt", content: createReadStream(file()) }), "from a file"),
  "a generated stream": attachment(
    () => ({ filename: "a.csv", content: Readable.from([Buffer.from("a;b\n"), Buffer.from("1;2\n")]) }),
    "a;b\n1;2\n",
  ),
  "a URL": attachment(() => ({ filename: "a.txt", href: url() }), "from the web"),
  "a URL as path": attachment(() => ({ path: url() }), "from the web"),
  "a data URL": attachment(() => ({ path: "data:text/plain;base64,aGVsbG8=" }), "hello"),
  base64: attachment(() => ({ filename: "a.txt", content: "aGVsbG8=", encoding: "base64" }), "hello"),
  "a name outside ASCII and a type of one's own": {
    mail: mailOf({ attachments: [{ filename: "Ürkunde für Ann.pdf", content: "x", contentType: "application/pdf" }] }),
    check: (parsed) =>
      expect(parsed.attachments[0]).toMatchObject({ filename: "Ürkunde für Ann.pdf", contentType: "application/pdf" }),
  },
  "an embedded image": {
    mail: mailOf({
      html: '<img src="cid:logo">',
      attachments: [{ filename: "logo.png", content: Buffer.from([1]), cid: "logo" }],
    }),
    check: (parsed) => expect(parsed.attachments[0]?.cid).toBe("logo"),
  },
  "a forwarded message": {
    mail: mailOf({
      attachments: [
        { contentType: "message/rfc822", content: "From: x@y.test\r\nTo: z@y.test\r\nSubject: old\r\n\r\nold" },
      ],
    }),
    check: (_parsed, arrived) => expect(arrived.raw).toContain("Content-Type: message/rfc822"),
  },
  "a ready-made part": {
    mail: mailOf({
      attachments: [{ raw: "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nraw" }],
    }),
    check: (parsed) => expect(String(parsed.attachments[0]?.content)).toContain("raw"),
  },
};

// Everything else that nodemailer documents
const event = [
  "BEGIN:VCALENDAR",
  "METHOD:REQUEST",
  "BEGIN:VEVENT",
  "ATTENDEE:mailto:someone@elsewhere.test",
  "END:VEVENT",
  "END:VCALENDAR",
].join("\r\n");
const features: Record<string, Case> = {
  "an invitation": {
    mail: mailOf({ icalEvent: { method: "REQUEST", filename: "invite.ics", content: event } }),
    check: (parsed) => expect(parsed.attachments.some((one) => String(one.content).includes("VEVENT"))).toBe(true),
  },
  "an invitation from a file": { mail: () => mailOf({ icalEvent: { path: file() } })() },
  "a calendar as alternative": {
    mail: mailOf({ alternatives: [{ contentType: "text/calendar; method=REQUEST", content: event }] }),
  },
  AMP: { mail: mailOf({ html: "<p>x</p>", amp: "<!doctype html><html ⚡4email></html>" }) },
  "a watch version": { mail: mailOf({ watchHtml: "<b>x</b>", html: "<p>x</p>" }) },
  "list headers": {
    mail: mailOf({
      list: {
        unsubscribe: [{ url: "https://sender.test/u", comment: "Unsubscribe" }, "unsub@sender.test"],
        id: { url: "news.sender.test", comment: "News" },
        help: "help@sender.test?subject=help",
      },
    }),
    check: (parsed) => expect(JSON.stringify([...parsed.headers])).toContain("unsubscribe"),
  },
  "one-click unsubscription": {
    mail: mailOf({
      headers: {
        "List-Unsubscribe": "<https://sender.test/u?id=1>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
      },
    }),
  },
  "a signature": {
    signed: true,
    options: { dkim },
    mail: mailOf({ html: "<p>Grüße</p>", attachments: [{ filename: "a.txt", content: "x".repeat(2_000) }] }),
    check: (_parsed, arrived) => expect(dkimHolds(arrived.raw)).toBe(true),
  },
  "a bounce address per recipient": {
    mail: mailOf({ envelope: { from: "bounces+ann=ok.test@sender.test", to: ann } }),
    check: (_parsed, arrived) => expect(arrived.from).toBe("bounces+ann=ok.test@sender.test"),
  },
  "no bounces at all": {
    mail: mailOf({ envelope: { from: "", to: [ann] } }),
    check: (_parsed, arrived) => expect(arrived.from).toBe(""),
  },
  "an envelope sender with a display name": {
    mail: mailOf({ envelope: { from: "Daemon <daemon@sender.test>", to: "Ann <ann@ok.test>, bob@ok.test" } }),
    to: [ann, bob],
  },
  "high priority": {
    mail: mailOf({ priority: "high" }),
    check: (_parsed, arrived) => expect(arrived.raw).toMatch(/^X-Priority: 1/m),
  },
  "a reply address, or several": {
    mail: mailOf({ replyTo: ["Help <help@sender.test>", "desk@sender.test"] }),
    check: (parsed) => expect(parsed.replyTo?.value).toHaveLength(2),
  },
  "a thread": {
    mail: mailOf({ inReplyTo: "<1@sender.test>", references: ["<1@sender.test>", "<2@sender.test>"] }),
    check: (parsed) => expect(parsed.inReplyTo).toBe("<1@sender.test>"),
  },
  "a sender beside the author": { mail: mailOf({ sender: "robot@sender.test" }) },
  "a date and an id of one's own": {
    mail: mailOf({ date: new Date("2024-01-01T00:00:00Z"), messageId: "<order-1@sender.test>" }),
    check: (parsed) =>
      expect([parsed.messageId, parsed.date?.toISOString()]).toEqual([
        "<order-1@sender.test>",
        "2024-01-01T00:00:00.000Z",
      ]),
  },
  "base64 text": {
    mail: mailOf({ encoding: "base64", textEncoding: "base64", subject: "Grüße", text: "Grüße" }),
    check: (parsed) => expect(parsed.subject).toBe("Grüße"),
  },
  "scripts from right to left, and emoji": {
    mail: mailOf({ to: "مرحبا <ann@ok.test>", subject: "🚀 مرحبا", text: "🚀 مرحبا" }),
    check: (parsed) => expect([parsed.subject, parsed.text?.trim()]).toEqual(["🚀 مرحبا", "🚀 مرحبا"]),
  },
  "a text of a megabyte": { mail: mailOf({ text: "A line of text that is neither short nor long.\n".repeat(22_000) }) },
  "texts as buffers, streams and files": {
    mail: () =>
      mailOf({
        text: Readable.from([Buffer.from("streamed "), Buffer.from("Grüße")]),
        html: { path: file() },
        alternatives: [{ contentType: "text/x-a", content: Buffer.from("b") }],
      })(),
    check: (parsed) => expect(parsed.text?.trim()).toBe("streamed Grüße"),
  },
  "dots at the start of lines": {
    mail: mailOf({ text: ".\n..\n.a\n" }),
    check: (parsed) => expect(parsed.text).toBe(".\n..\n.a\n"),
  },
  "only hidden recipients": {
    mail: mailOf({ to: undefined, bcc: [ann, bob] }),
    to: [ann, bob],
    check: (parsed, arrived) => expect([parsed.to, arrived.raw.includes(ann)]).toEqual([undefined, false]),
  },
  "lists by comma and semicolon, with quoted names": {
    mail: mailOf({ to: '"Smith, Ann" <ann@ok.test>; Bob <bob@ok.test>' }),
    to: [ann, bob],
  },
  "a named group": { mail: mailOf({ to: "Team: ann@ok.test, bob@ok.test;" }), to: [ann, bob] },
  "an internationalised domain": { mail: mailOf({ to: "Jörg <joerg@bücher.test>" }), to: ["joerg@bücher.test"] },
  "entries that are there under a condition": {
    mail: mailOf({ to: [ann, false, "", null, undefined], cc: false, bcc: undefined }),
  },
  "empty fields": { mail: mailOf({ cc: "", bcc: [], replyTo: undefined, headers: undefined, attachments: [] }) },
  "a default sender and default headers": {
    defaults: { from, headers: { "X-Service": "orders" } },
    mail: () => ({ to: ann, subject: "s", text: "t" }),
    check: (parsed) => expect(parsed.headers.get("x-service")).toBe("orders"),
  },
  "headers with several values, prepared ones, and long ones": {
    mail: mailOf({
      headers: {
        "X-Many": ["1", "2"],
        "X-Ready": { prepared: true, value: "as it is" },
        "X-Long": `${"word ".repeat(60)}end`,
      },
    }),
  },
  "a receipt to the sender": { mail: mailOf({ headers: { "Disposition-Notification-To": "app@sender.test" } }) },
  "delivery status options": {
    mail: mailOf({ dsn: { id: "1", return: "headers", notify: ["failure", "delay"], recipient: "app@sender.test" } }),
  },
  "a login of the message's own": { mail: mailOf({ auth: { user: "tenant", pass: "secret" } }) },
  "a mail rendered elsewhere": {
    mail: () => ({
      envelope: { from: "app@sender.test", to: [ann] },
      raw: `From: ${from}\r\nTo: ${ann}\r\nSubject: raw\r\n\r\nraw\r\n`,
    }),
    check: (parsed) => expect(parsed.subject).toBe("raw"),
  },
  "a mail rendered elsewhere, as a stream, to undisclosed recipients": {
    mail: () => ({
      envelope: { from: "app@sender.test", to: [ann] },
      raw: Readable.from([Buffer.from("To: undisclosed-recipients:;\r\nSubject: raw\r\n\r\nraw\r\n")]),
    }),
  },
  "a relay's tags and settings": {
    mail: mailOf({
      headers: {
        "X-PM-Tag": "order",
        "X-MC-Tags": "order",
        "X-SMTPAPI": '{"category":["order"]}',
        "X-SES-CONFIGURATION-SET": "main",
      },
    }),
  },
  "unix line ends": { mail: mailOf({ newline: "unix", html: "<p>a\r\nb</p>" }) },
  "the callback form": {
    mail: mailOf({}),
    send: (transporter, mail) =>
      new Promise((resolve, reject) =>
        transporter.sendMail(mail, (error, info) => (error ? reject(error) : resolve(info))),
      ),
  },
  "a class instance as the mail": { mail: () => Object.assign(new (class Mail {})(), mailOf({})()) },
};

const all = { models, templates, queues, attachments, features };

describe.each(Object.entries(all))("everyday mail: %s", (_group, cases) => {
  it.each(Object.entries(cases))("%s", async (_name, one) => {
    const [bare, guarded] = [await send(one, false), await send(one, true)];
    expect(guarded?.to).toEqual(one.to ?? [ann]);
    expect(guarded?.from).toBe(bare?.from);
    expect(comparable(guarded, one)).toBe(comparable(bare, one));
    one.check?.(await simpleParser(guarded?.raw ?? ""), guarded as Arrived);
  });
});

it("are at least thirty", () => {
  expect(Object.values(all).flatMap((cases) => Object.keys(cases)).length).toBeGreaterThanOrEqual(30);
  expect(readFileSync(path.join(directory, "a.txt"), "utf8")).toBe("from a file");
});

async function send(one: Case, guard: boolean): Promise<Arrived | undefined> {
  server.mails.length = 0;
  const transporter = current.createTransport(smtp(server.port, one.options), one.defaults);
  one.prepare?.(transporter);
  const fuse = testFuse({}, { allow: ["*@ok.test", "*@bücher.test"] });
  if (guard) attached(fuse, transporter);
  const mail = await one.mail();
  await (one.send ?? ((client, given) => client.sendMail(given)))(transporter, mail);
  await fuse.close();
  transporter.close();
  expect(server.mails).toHaveLength(1);
  return server.mails[0];
}

/** A mail without what differs from one rendering to the next. */
function comparable(arrived: Arrived | undefined, one: Case): string {
  const plain = (arrived?.raw ?? "")
    .replace(/_NmP-[0-9a-f]{16}/g, "_NmP")
    .replace(/^Message-ID: .*$/m, "Message-ID:")
    .replace(/^Date: .*$/m, "Date:")
    .replace(/cid:[0-9a-f]{20}@localhost|<[0-9a-f]{20}@localhost>/g, "cid");
  return one.signed ? plain.replace(/^DKIM-Signature:.*\r\n(?:[ \t].*\r\n)*/m, "") : plain;
}
