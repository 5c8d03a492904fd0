/** Planning: a million addresses, and a hundred thousand rendered mails. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { memoryStore } from "mailfuse";
import { nodemailerAdapter } from "mailfuse/nodemailer";
import { createTransport } from "nodemailer";
import { benchFuse } from "../fuse";
import { from, html, subject, text } from "../mail";
import { median, readable, summary } from "../measure";
import { planAlone } from "../planning";
import type { Row } from "../row";

/** Addresses in no order, one in fifty a repeat in another spelling. */
export async function writeAddresses(file: string, count: number): Promise<void> {
  const out = createWriteStream(file);
  for (let index = 0; index < count; ) {
    let block = "";
    for (const end = Math.min(count, index + 10_000); index < end; index++) {
      const at = (index * 7_919) % count;
      const address = `customer.${at}@mail-${at % 500}.test`;
      block += `${index % 50 === 0 ? address.toUpperCase() : address}\n`;
    }
    if (!out.write(block)) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
}

const run = promisify(execFile);

const planMillion: Row = {
  id: "plan-1m",
  what: "planning 1,000,000 addresses (parse, dedupe, count by domain, a keyed pseudonym each, digest), against `tr A-Z a-z | LC_ALL=C sort -u | sha256sum`; also 150 MB at most",
  unit: "x",
  target: { is: "<=", value: 3 },
  async measure(effort) {
    const folder = mkdtempSync(path.join(tmpdir(), "mailfuse-bench-"));
    const file = path.join(folder, "addresses");
    const count = effort.quick ? 20_000 : 1_000_000;
    await writeAddresses(file, count);
    const ratios: number[] = [];
    const memory: number[] = [];
    const shell: number[] = [];
    for (let round = 0; round < Math.min(5, effort.rounds); round++) {
      effort.tell(`round ${round + 1}`);
      const { ms, mb } = await planAlone(file, count);
      const start = performance.now();
      await run("sh", ["-c", 'tr A-Z a-z <"$1" | LC_ALL=C sort -u | sha256sum', "sh", file]);
      const theirs = performance.now() - start;
      ratios.push(ms / theirs);
      shell.push(theirs);
      memory.push(mb);
    }
    rmSync(folder, { recursive: true, force: true });
    const peak = median(memory);
    return {
      ...summary(ratios),
      peer: `the shell's tools ${readable(median(shell))} ms`,
      note: `${readable(peak)} MB at the peak`,
      alsoMet: peak <= 150,
    };
  },
};

const renderMany: Row = {
  id: "render-100k",
  what: "planning 100,000 nodemailer mails into the spool, against the stream transport rendering them; also 300 bytes a mail at most",
  unit: "x",
  target: { is: "<=", value: 1.25 },
  slow: true,
  async measure(effort) {
    const count = effort.quick ? 200 : 100_000;
    const ratios: number[] = [];
    let bytes = 0;
    for (let round = 0; round < Math.min(3, effort.rounds); round++) {
      const client = createTransport({ streamTransport: true, buffer: true });
      const bare = createTransport({ streamTransport: true, buffer: true });
      const kept = memoryStore();
      const spool = kept.spool.bind(kept);
      kept.spool = (plan, entries) => {
        for (const entry of entries) bytes += entry.sealed.length;
        return spool(plan, entries);
      };
      const fuse = benchFuse({ store: kept });
      fuse.attach(client, nodemailerAdapter());
      const to = (index: number) => `reader.${index}@mail-${index % 40}.test`;
      const mail = (index: number) => ({
        from,
        to: to(index),
        subject,
        text: text.replace("Ana", `Reader ${index}`),
        html: html.replace("Ana", `Reader ${index}`),
      });
      effort.tell(`round ${round + 1}: ${count} mails alone`);
      const theirs = await cpuOf(async () => {
        for (let index = 0; index < count; index++) await bare.sendMail(mail(index));
      });
      effort.tell(`round ${round + 1}: ${count} mails planned`);
      const ours = await cpuOf(async () => {
        const plan = await fuse.plan(
          { purpose: "offer", expectedPeople: count, requestedBy: "dana" },
          {
            audience: Array.from({ length: count }, (_, index) => index),
            send: (index) => client.sendMail(mail(index)),
          },
        );
        if (plan.state !== "planned") throw new Error(`Expected a plan, got one that is ${plan.state}.`);
      });
      ratios.push(ours / theirs);
      await fuse.close();
    }
    const each = bytes / count / Math.min(3, effort.rounds);
    return {
      ...summary(ratios),
      peer: "nodemailer's stream transport with buffer, the same mails",
      note: `${readable(each)} bytes a mail in the spool; ${count.toLocaleString("en-US")} mails a round`,
      alsoMet: each <= 300,
    };
  },
};

async function cpuOf(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const used = process.cpuUsage(before);
  return used.user + used.system;
}

export const planRows: readonly Row[] = [planMillion, renderMany];
