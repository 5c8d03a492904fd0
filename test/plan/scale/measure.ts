/**
 * Plans mails to many people through nodemailer on a SQLite store, in a process of its own, and
 * prints what it cost: time, CPU, peak memory, bytes per mail in the spool; memory on its way to stderr. `bare` renders the same
 * mails through nodemailer's streamTransport with a buffer and nothing else.
 *
 *     tsx test/plan/scale/measure.ts plan 100000
 *     tsx test/plan/scale/measure.ts bare 100000
 *
 * @module
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import Database from "better-sqlite3";
import nodemailer from "nodemailer";
import { nodemailerAdapter } from "../../../adapters/nodemailer";
import { createFuse } from "../../../src/index";
import { sqliteStore } from "../../../src/stores/sqlite";

const [kind = "plan", given = "10000"] = process.argv.slice(2);
const people = Number(given);
const quiet = { debug() {}, info() {}, warn() {}, error: console.error };

interface Person {
  readonly name: string;
  readonly address: string;
  readonly order: number;
}

function* audience(): Generator<Person> {
  for (let index = 0; index < people; index++) {
    const number = (index * 7_919) % 1_000_003;
    yield {
      name: `Name${number.toString(36)}`,
      address: `person.${index}@mail${number % 5_000}.acme.com`,
      order: index,
    };
  }
}

const paragraph =
  "Thank you for renewing your insurance with us. We have looked at what you paid and found that it was too much. ";

function mail({ name, address, order }: Person) {
  return {
    from: "Acme <offers@acme.com>",
    to: { name, address },
    subject: `${name}, your refund is on its way`,
    text: `Dear ${name},\n\n${paragraph.repeat(6)}\n\nYour order is ${order}.\n\nhttps://acme.com/orders/${order}\n`,
    html: `<html><body><h1>Dear ${name}</h1><p>${paragraph.repeat(6)}</p><p>Your order is <b>${order}</b>. <a href="https://acme.com/orders/${order}">See it</a></p></body></html>`,
  };
}

async function bare(): Promise<object> {
  const transporter = nodemailer.createTransport({ streamTransport: true, buffer: true });
  let bytes = 0;
  for (const person of audience()) {
    const { message } = await transporter.sendMail(mail(person));
    bytes += (message as Buffer).length;
  }
  return { bytesPerMail: Math.round(bytes / people) };
}

async function plan(): Promise<object> {
  const directory = mkdtempSync(join(tmpdir(), "mailfuse-scale-"));
  const path = join(directory, "plan.db");
  try {
    const fuse = createFuse({
      environment: "production",
      environments: { production: { mode: "live" } },
      env: {},
      purposes: { refund: { kind: "bulk", caps: [{ people: 2_000_000, per: "24h" }] } },
      defaults: { caps: [{ people: 100, per: "1h" }] },
      approvers: {},
      requesters: ["dana"],
      secret: "a secret of some length",
      store: sqliteStore({ path }),
      logger: quiet,
    });
    const transporter = nodemailer.createTransport({ host: "127.0.0.1", port: 9 });
    fuse.attach(transporter, nodemailerAdapter());
    let steps = 0;
    const made = await fuse.plan(
      {
        purpose: "refund",
        expectedPeople: people,
        requestedBy: "dana",
        onProgress: ({ entries }) => {
          if (++steps % 100 !== 0) return;
          const { rss, heapUsed, external } = process.memoryUsage();
          const megabytes = [rss, heapUsed, external].map((bytes) => Math.round(bytes / 1_048_576));
          console.error(JSON.stringify({ entries, rssHeapExternal: megabytes }));
        },
      },
      { audience: audience(), send: (person) => transporter.sendMail(mail(person)), data: ({ order }) => ({ order }) },
    );
    await fuse.close();
    const database = new Database(path, { readonly: true });
    const spooled = database
      .prepare("SELECT avg(length(bytes)) AS bytes FROM mailfuse_sealed WHERE plan = ?")
      .get(made.id) as { bytes: number };
    const record = database.prepare("SELECT length(record) AS bytes FROM mailfuse_plan").get() as { bytes: number };
    database.close();
    return {
      state: made.state,
      people: made.terms.people,
      steps,
      spooledPerMail: Math.round(spooled.bytes),
      record: record.bytes,
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const started = process.hrtime.bigint();
const found = await (kind === "bare" ? bare() : plan());
const cpu = process.cpuUsage();
const usage = process.resourceUsage();
console.log(
  JSON.stringify({
    kind,
    people,
    seconds: Number((process.hrtime.bigint() - started) / 1_000_000n) / 1000,
    cpuMicrosPerMail: Math.round((cpu.user + cpu.system) / people),
    peakRssMb: Math.round(usage.maxRSS / 1024),
    heapMb: Math.round(process.memoryUsage().heapUsed / 1048576),
    ...found,
  }),
);
