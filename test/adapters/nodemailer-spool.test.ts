/** Mails kept as bytes, and delivered later by another process. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { simpleParser } from "mailparser";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { dkim, dkimHolds } from "./nodemailer-dkim";
import { current, gated, type MailServer, smtp, startMailServer, TestGate, versions } from "./nodemailer-world";

const run = promisify(execFile);
const from = "App <app@sender.test>";
const mail = () => ({
  from,
  to: "Ann <ann@ok.test>",
  bcc: "bob@ok.test",
  subject: "Grüße",
  text: "Grüße",
  attachments: [{ filename: "a.txt", content: Readable.from([Buffer.from("streamed")]) }],
  dsn: { id: "1", return: "headers", notify: ["failure"], recipient: "app@sender.test" },
});

let server: MailServer;
beforeAll(async () => {
  server = await startMailServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.mails.length = 0;
});

/** Has a mail spooled instead of sent. */
async function spooled(
  options: object,
  message: object = mail(),
  nodemailer = current,
): Promise<{ bytes: Uint8Array; gate: TestGate }> {
  const gate = new TestGate();
  const { transporter } = gated(nodemailer.createTransport(options), gate);
  let bytes: Uint8Array | undefined;
  gate.judge = async (call) => {
    bytes = call.spool();
    throw new Error("spooled");
  };
  await transporter.sendMail(message).catch(() => {});
  transporter.close?.();
  if (!bytes) throw new Error("nothing was spooled");
  return { bytes: Uint8Array.from(bytes), gate };
}

describe.each(versions)("nodemailer %s", (_version, nodemailer) => {
  it.each([
    ["SMTP", {}],
    ["a pool", { pool: true }],
  ])("delivers through %s what another transporter had spooled, signed once", async (_name, options) => {
    const { bytes, gate } = await spooled(smtp(1, { dkim }), mail(), nodemailer);
    const later = gated(nodemailer.createTransport(smtp(server.port, { ...options, dkim })));
    await later.attachment.ready?.();
    const call = later.attachment.revive(bytes);
    expect(call.intent).toMatchObject({ kind: "send", problems: [] });
    const info = await later.gate.pass(call);
    later.transporter.close();
    expect(info).toMatchObject({ accepted: ["ann@ok.test", "bob@ok.test"], rejected: [] });
    const [arrived] = server.mails;
    expect(arrived).toMatchObject({ from: "app@sender.test", to: ["ann@ok.test", "bob@ok.test"] });
    expect(arrived?.raw.match(/^DKIM-Signature:/gm)).toHaveLength(1);
    expect(dkimHolds(arrived?.raw ?? "")).toBe(true);
    const parsed = await simpleParser(arrived?.raw ?? "");
    expect([parsed.subject, parsed.text?.trim(), String(parsed.attachments[0]?.content)]).toEqual([
      "Grüße",
      "Grüße",
      "streamed",
    ]);
    expect(later.gate.message.digest()).toBe(gate.message.digest());
    expect(later.gate.message.recipients).toEqual(gate.message.recipients);
  });

  it("hands a JSON transport, on which nothing has passed yet, the same message", async () => {
    const message = {
      ...mail(),
      date: new Date(0),
      messageId: "<1@s>",
      headers: { "X-App": "1" },
      html: Buffer.from("<p>x</p>"),
    };
    const bare = await nodemailer
      .createTransport({ jsonTransport: true })
      .sendMail({ ...message, attachments: mail().attachments });
    const { bytes } = await spooled(
      { jsonTransport: true },
      { ...message, attachments: mail().attachments },
      nodemailer,
    );
    const later = gated(nodemailer.createTransport({ jsonTransport: true }));
    await later.attachment.ready?.();
    const info = (await later.gate.pass(later.attachment.revive(bytes))) as { message: string };
    expect(JSON.parse(info.message)).toEqual(JSON.parse(bare.message as string));
  });
});

describe("a spooled mail", () => {
  it("is delivered by a process that has sent nothing else", async () => {
    const { bytes } = await spooled(smtp(1));
    const directory = mkdtempSync(path.join(tmpdir(), "mailfuse-spool-"));
    const file = path.join(directory, "mail");
    writeFileSync(file, bytes);
    const root = path.resolve(__dirname, "../..");
    const script = `
      import { readFileSync } from "node:fs";
      import nodemailer from "nodemailer";
      import { nodemailerAdapter } from ${JSON.stringify(path.join(root, "adapters/nodemailer.ts"))};
      const transporter = nodemailer.createTransport({ host: "127.0.0.1", port: ${server.port}, ignoreTLS: true });
      const gate = { unattached: "refuse", limits: { depth: 24, nodes: 1e6, bytes: 1e7 }, pass: (call) => call.deliver(async () => ({ reservation: "r" })) };
      const attachment = nodemailerAdapter().attach(transporter, gate);
      await attachment.ready();
      gate.pass(attachment.revive(readFileSync(${JSON.stringify(file)}))).then((info) => console.log(info.response));
    `;
    const entry = path.join(root, "test/adapters", `spool-${process.pid}.mts`);
    writeFileSync(entry, script);
    try {
      const { stdout } = await run(process.execPath, ["--import", "tsx", entry], { cwd: root });
      expect(stdout).toContain("250 OK");
    } finally {
      rmSync(entry);
      rmSync(directory, { recursive: true });
    }
    expect(server.mails.map((arrived) => arrived.to)).toEqual([["ann@ok.test", "bob@ok.test"]]);
  });

  it("is judged again: recipients changed in the spool are seen", async () => {
    const { bytes } = await spooled(smtp(1));
    const text = Buffer.from(bytes).toString("latin1").replaceAll("bob@ok.test", "eve@no.test");
    const { attachment } = gated(current.createTransport(smtp(server.port)));
    await attachment.ready?.();
    const { intent } = attachment.revive(Buffer.from(text, "latin1"));
    const recipients = "messages" in intent ? intent.messages.flatMap((message) => message.recipients) : [];
    expect(recipients.map(({ address }) => address)).toContain("eve@no.test");
  });

  it("is judged by the envelope it will be delivered with, not by one remembered", async () => {
    const { bytes } = await spooled(smtp(1));
    const at = Buffer.from(bytes).indexOf("\n");
    const head = JSON.parse(Buffer.from(bytes).toString("utf8", 0, at));
    head.envelope.to = ["eve@no.test", "not an address"];
    const changed = Buffer.concat([Buffer.from(JSON.stringify(head)), Buffer.from(bytes).subarray(at)]);
    const { attachment } = gated(current.createTransport(smtp(server.port)));
    await attachment.ready?.();
    const { intent } = attachment.revive(changed);
    const recipients = "messages" in intent ? intent.messages.flatMap((message) => message.recipients) : [];
    expect(recipients.map(({ address }) => address)).toContain("eve@no.test");
    expect(intent).toMatchObject({ problems: [{ where: "envelope.to[1]" }] });
  });

  it("needs a transport of a kind that reads what was spooled", async () => {
    const { bytes } = await spooled(smtp(1));
    const { attachment } = gated(current.createTransport({ jsonTransport: true }));
    await attachment.ready?.();
    expect(() => attachment.revive(bytes)).toThrow(expect.objectContaining({ code: "PLAN_CHANGED" }));
  });

  it("is refused when its bytes are none of ours", async () => {
    const { attachment } = gated(current.createTransport(smtp(1)));
    await attachment.ready?.();
    for (const bytes of ["", "{}", "null\n", '{"v":1}\n', '{"v":2,"envelope":{"to":[]},"messageId":""}\nx', "\n\n"]) {
      expect(() => attachment.revive(Buffer.from(bytes)), bytes).toThrow(
        expect.objectContaining({ code: "PLAN_TAMPERED" }),
      );
    }
  });
});
