/**
 * A mass mail from plan to delivery on a real SMTP server: two approvers sign what they were shown,
 * two workers share the release, and one of them is killed in the middle.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { createFuse, generateKeys, signToken } from "mailfuse";
import { nodemailerAdapter } from "mailfuse/nodemailer";
import { sqliteStore } from "mailfuse/stores/sqlite";
import { createTransport } from "nodemailer";
import { SMTPServer } from "smtp-server";

/** What every process of this application has; `approvers` are public keys only. */
interface Settings {
  readonly port: number;
  readonly file: string;
  readonly approvers: Readonly<Record<string, { readonly publicKey: string }>>;
}

function application({ port, file, approvers }: Settings) {
  const fuse = createFuse({
    environment: "production",
    environments: { production: { mode: "live" } },
    env: {},
    purposes: { refund: { kind: "bulk", caps: [{ people: 500, per: "24h" }], confirm: { approvals: 2 } } },
    defaults: { caps: [{ people: 100, per: "1h" }] },
    approvers,
    requesters: ["dana"],
    store: sqliteStore({ database: new Database(file) }),
    secret: "from your secret store, the same everywhere",
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  });
  const mailer = createTransport({ host: "127.0.0.1", port, ignoreTLS: true });
  fuse.attach(mailer, nodemailerAdapter());
  return { fuse, mailer };
}

/** A worker: finds the plan by its id in the store and delivers until it is over. */
async function work(settings: Settings, plan: string): Promise<void> {
  const { fuse, mailer } = application(settings);
  // Your own note that a refund was mailed belongs into `onDelivered`: it comes at least once for each.
  const result = await fuse.release(plan, { concurrency: 2, leaseMs: 2_000, onDelivered: ({ data }) => void data });
  console.log(`a worker ends: ${result.state}, ${result.accepted} accepted, ${result.unknown} unknown`);
  mailer.close();
  await fuse.close();
}

async function main(): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), "mailfuse-example-"));
  const received = new Map<string, number>();
  let onMail = () => {};
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData(stream, session, done) {
      stream.resume().on("end", () => {
        for (const { address } of session.envelope.rcptTo) received.set(address, (received.get(address) ?? 0) + 1);
        done();
        onMail();
      });
    },
  });
  server.on("error", () => {}); // the connections of a killed worker
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.server.address() as AddressInfo;

  const keys = { erin: generateKeys(), frank: generateKeys() };
  const approvers = { erin: { publicKey: keys.erin.publicKey }, frank: { publicKey: keys.frank.publicKey } };
  const settings: Settings = { port, file: path.join(folder, "mailfuse.db"), approvers };
  const { fuse, mailer } = application(settings);

  // Dana plans. The job runs once; nothing leaves.
  const due = Array.from({ length: 60 }, (_, n) => ({ email: `person-${n}@acme.test`, order: `order-${n}` }));
  const planned = await fuse.plan(
    { purpose: "refund", expectedPeople: 60, requestedBy: "dana" },
    {
      audience: due,
      send: ({ email, order }) =>
        mailer.sendMail({
          from: "shop@acme.test",
          to: email,
          subject: "Your refund",
          text: `For ${order}: on its way.`,
        }),
      data: ({ order }) => ({ order }),
    },
  );
  console.log(`planned: ${planned.phrase}, ${received.size} mails have left`);

  // Erin and Frank look, each at the plan as it stands, and sign with their own keys.
  for (const by of ["erin", "frank"] as const) {
    const { plan, view } = await fuse.view(planned.id, { by });
    const { privateKey } = keys[by];
    const token = await signToken({ plan: plan.id, digest: plan.digest, view, by, privateKey, now: Date.now() });
    const { state, approvals } = await fuse.confirm(plan.id, { tokens: [token] });
    console.log(`${by} confirms: ${state}, ${approvals.join(" and ")}`);
  }

  // Two workers share the release. One dies without warning.
  const [first, second] = [startWorker(settings, planned.id), startWorker(settings, planned.id)];
  onMail = () => {
    if (received.size === 15) first.kill("SIGKILL");
  };
  await Promise.all([first, second].map((child) => new Promise((resolve) => child.once("exit", resolve))));

  // What the dead worker had under way may have arrived or not: it is listed, and a person decides.
  const progress = (await fuse.view(planned.id, { by: "erin" })).progress;
  const unknown = (progress.reserved ?? 0) + (progress.unknown ?? 0);
  const missed = due.filter(({ email }) => !received.has(email)).length;
  console.log(`${received.size} people have mail, ${missed} miss it, ${unknown} entries are unknown`);
  const twice = [...received.values()].filter((count) => count > 1).length;
  if (twice > 0 || missed > unknown)
    throw new Error(`Expected nobody twice and nobody lost, got ${twice} and ${missed}.`);
  if (unknown > 0) {
    await fuse.resend(planned.id, { by: "dana" });
    await fuse.release(planned.id);
  }
  if (received.size !== 60) throw new Error(`Expected 60 people to be reached, got ${received.size}.`);
  console.log(`in the end: ${(await fuse.findPlan(planned.id)).state}, ${received.size} people reached`);

  mailer.close();
  await fuse.close();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  rmSync(folder, { recursive: true, force: true });
}

function startWorker(settings: Settings, plan: string): ChildProcess {
  const self = fileURLToPath(import.meta.url);
  const job = JSON.stringify([settings, plan]);
  return spawn(process.execPath, ["--import", "tsx", self, job], { stdio: "inherit" });
}

const job = process.argv[2];
if (job === undefined) await main();
else await work(...(JSON.parse(job) as [Settings, string]));
