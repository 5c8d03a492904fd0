/** One process of the crash test: it sends, plans and releases, and is killed at the step it is told. */
import process from "node:process";
import nodemailer from "nodemailer";
import { nodemailerAdapter } from "../../adapters/nodemailer";
import { createFuse, signToken } from "../../src/index";
import type { Store } from "../../src/store";
import { sqliteStore } from "../../src/stores/sqlite";
import { type CrashJob, crashConfig } from "./crash-job";

/** Calls that change something: dying at a read is dying before the next of these. */
const writing: ReadonlySet<PropertyKey> = new Set<keyof Store>([
  ...(["setOnce", "reserve", "settle", "append", "addPlan", "changePlan", "spool", "claimEntries"] as const),
]);

/** The store, which counts its writing calls and ends the process at one of them. */
function mortal(store: Store, at: CrashJob["at"], count: { calls: number }): Store {
  return new Proxy(store, {
    get(target, name, receiver) {
      const method: unknown = Reflect.get(target, name, receiver);
      if (typeof method !== "function") return method;
      if (!writing.has(name)) return method.bind(target);
      return (...args: unknown[]) => {
        const call = count.calls++;
        if (at?.call === call && at.when === "before") die();
        const answer: unknown = Reflect.apply(method, target, args);
        if (at?.call !== call || !(answer instanceof Promise)) return answer;
        return answer.then(die, die);
      };
    },
  });
}

function die(): never {
  process.kill(process.pid, "SIGKILL");
  // The signal is on its way: nothing more may happen here.
  for (;;);
}

async function work(job: CrashJob): Promise<number> {
  const count = { calls: 0 };
  const fuse = createFuse(crashConfig(job, mortal(sqliteStore({ path: job.path }), job.at, count)));
  const transporter = nodemailer.createTransport({ host: "127.0.0.1", port: job.port, ignoreTLS: true, pool: true });
  fuse.attach(transporter, nodemailerAdapter());
  const send = (to: string, subject: string) =>
    transporter.sendMail({ from: "shop@acme.example", to, subject, text: "x" });
  for (const to of job.singles) await send(to, "Note");
  const plan = await fuse.plan(
    { purpose: "offer", expectedPeople: job.planned.length, requestedBy: "dana" },
    { audience: job.planned, send: (to) => send(to, "Offer") },
  );
  const { view } = await fuse.view(plan.id, { by: "erin" });
  const { privateKey } = job;
  const token = await signToken({ plan: plan.id, digest: plan.digest, view, by: "erin", privateKey, now: Date.now() });
  await fuse.release(plan.id, { tokens: [token], concurrency: 2 });
  await fuse.close();
  transporter.close();
  return count.calls;
}

process.once("message", async (job: CrashJob) => {
  process.send?.({ calls: await work(job) });
  process.disconnect();
});
