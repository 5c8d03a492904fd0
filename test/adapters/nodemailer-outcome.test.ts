/** What became of a mail, as a real server answers, refuses, stalls or breaks off. */

import type { SMTPServerOptions } from "smtp-server";
import { afterEach, describe, expect, it } from "vitest";
import {
  type AnyTransporter,
  current,
  gated,
  type MailServer,
  smtp,
  startMailServer,
  versions,
} from "./nodemailer-world";

const from = "app@sender.test";
const mail = { from, to: ["ann@ok.test", "Bob <BOB@ok.test>"], subject: "s", text: "t" };

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});

type Gated = ReturnType<typeof gated> & { readonly server: MailServer };

async function world(options: SMTPServerOptions, more: object = {}, nodemailer = current): Promise<Gated> {
  const server = await startMailServer(options);
  cleanup.push(() => server.close());
  return { server, ...against(server, more, nodemailer) };
}

function against(server: Pick<MailServer, "port">, more: object = {}, nodemailer = current) {
  const transporter: AnyTransporter = nodemailer.createTransport(smtp(server.port, { socketTimeout: 2_000, ...more }));
  cleanup.push(() => transporter.close());
  return gated(transporter);
}

const reply = (code: number) => Object.assign(new Error(`reply ${code} for ann@ok.test`), { responseCode: code });
describe.each(versions)("nodemailer %s", (_version, nodemailer) => {
  it("tells accepted and refused people apart", async () => {
    const { transporter, gate } = await world(
      { onRcptTo: (address, _session, done) => done(address.address.startsWith("ann") ? reply(550) : null) },
      {},
      nodemailer,
    );
    const info = await transporter.sendMail(mail);
    expect(info).toMatchObject({ accepted: ["BOB@ok.test"], rejected: ["ann@ok.test"] });
    expect(gate.outcomes).toEqual([
      {
        fate: "accepted",
        messageId: info.messageId,
        people: new Map([
          ["ann@ok.test", { fate: "refused" }],
          ["bob@ok.test", { fate: "accepted" }],
        ]),
      },
    ]);
  });

  it.each([
    ["every recipient", { onRcptTo: (_address, _session, done) => done(reply(550)) }, "EENVELOPE 550"],
    ["every recipient for now", { onRcptTo: (_address, _session, done) => done(reply(450)) }, "EENVELOPE 450"],
    ["the sender", { onMailFrom: (_address, _session, done) => done(reply(553)) }, "EENVELOPE 553"],
    [
      "the text",
      { onData: (stream, _session, done) => stream.resume().on("end", () => done(reply(554))) },
      "EMESSAGE 554",
    ],
    [
      "the text for now",
      { onData: (stream, _session, done) => stream.resume().on("end", () => done(reply(451))) },
      "EMESSAGE 451",
    ],
  ] as [string, SMTPServerOptions, string][])(
    "takes a reply that refuses %s for a refusal",
    async (_what, options, providerCode) => {
      const { transporter, gate } = await world(options, {}, nodemailer);
      await expect(transporter.sendMail(mail)).rejects.toThrow();
      const [outcome] = gate.outcomes;
      expect(outcome).toMatchObject({ fate: "refused", providerCode });
      expect(outcome?.people).toEqual(
        new Map([
          ["ann@ok.test", { fate: "refused" }],
          ["bob@ok.test", { fate: "refused" }],
        ]),
      );
    },
  );

  it("knows that nothing arrived when no server answers", async () => {
    const server = await startMailServer();
    await server.close();
    const { transporter, gate } = against(server, {}, nodemailer);
    await expect(transporter.sendMail(mail)).rejects.toThrow();
    expect(gate.outcomes).toMatchObject([{ fate: "failed" }]);
  });

  it("does not let a pool send again what may have arrived", async () => {
    let texts = 0;
    const { transporter, gate, server } = await world(
      {
        onData: (stream) => {
          texts++;
          stream.resume().on("end", () => server.crash());
        },
      },
      { pool: true, maxConnections: 1 },
      nodemailer,
    );
    gate.commit = (previous) =>
      previous === "unknown" ? Promise.reject(new Error("asked again")) : Promise.resolve({ reservation: "r" });
    await expect(transporter.sendMail(mail)).rejects.toThrow();
    expect(texts).toBe(1);
    // Some versions queue such a mail again by themselves; then the fuse is asked, and told why.
    expect([[undefined], [undefined, "unknown"]]).toContainEqual(gate.commits);
  });

  it("takes a refused login for a refusal of nobody in particular", async () => {
    const { transporter, gate } = await world(
      { authOptional: false, onAuth: (_auth, _session, done) => done(new Error("no")) },
      { auth: { user: "u", pass: "p" } },
      nodemailer,
    );
    await expect(transporter.sendMail(mail)).rejects.toThrow();
    expect(gate.outcomes).toEqual([{ fate: "refused", providerCode: "EAUTH 535" }]);
  });
});

describe("a connection that breaks", () => {
  it.each([false, true])("before the text is asked for: nothing arrived (pool: %s)", async (pool) => {
    const { transporter, gate, server } = await world({ onMailFrom: () => server.crash() }, { pool, maxRequeues: 0 });
    await expect(transporter.sendMail(mail)).rejects.toThrow();
    expect(gate.outcomes).toMatchObject([{ fate: "failed" }]);
  });

  it.each([false, true])("once the text is under way: nobody knows (pool: %s)", async (pool) => {
    const { transporter, gate, server } = await world(
      { onData: (stream) => void stream.resume().on("end", () => server.crash()) },
      { pool },
    );
    await expect(transporter.sendMail(mail)).rejects.toThrow();
    expect(gate.outcomes).toMatchObject([{ fate: "unknown" }]);
    expect(gate.outcomes[0]?.people).toBeUndefined();
  });

  it("by a time-out after the text: nobody knows", async () => {
    const { transporter, gate } = await world({ onData: (stream) => void stream.resume() }, { socketTimeout: 300 });
    await expect(transporter.sendMail(mail)).rejects.toMatchObject({ code: "ETIMEDOUT" });
    expect(gate.outcomes).toMatchObject([{ fate: "unknown" }]);
  });

  it("by the caller's own signal, before and after the text", async () => {
    const abort = new AbortController();
    const { transporter, gate } = await world({
      onData: (stream) => void stream.resume().on("end", () => abort.abort()),
    });
    await expect(transporter.sendMail({ ...mail, signal: abort.signal })).rejects.toMatchObject({ code: "EABORT" });
    expect(gate.outcomes).toMatchObject([{ fate: "unknown", providerCode: "EABORT" }]);
    const early = new AbortController();
    gate.commit = async () => {
      early.abort();
      return { reservation: "r" };
    };
    await expect(transporter.sendMail({ ...mail, signal: early.signal })).rejects.toMatchObject({ code: "EABORT" });
    expect(gate.outcomes[1]).toMatchObject({ fate: "failed" });
  });
});
