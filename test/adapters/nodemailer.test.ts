import { AsyncLocalStorage } from "node:async_hooks";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { nodemailerAdapter } from "../../adapters/nodemailer";
import type { Call } from "../../src/adapter";
import { MailfuseError } from "../../src/errors";
import type { Fuse } from "../../src/fuse";
import {
  type AnyTransporter,
  attached,
  codeOf,
  codesOf,
  current,
  gated,
  type MailServer,
  smtp,
  startMailServer,
  TestGate,
  testFuse,
  versions,
} from "./nodemailer-world";

let server: MailServer;
let fuse: Fuse;
const opened: AnyTransporter[] = [];

beforeAll(async () => {
  server = await startMailServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.mails.length = 0;
  fuse = testFuse();
});
afterEach(async () => {
  await fuse.close();
  for (const one of opened.splice(0)) one.close();
});

const from = "app@sender.test";
const ok = "ann@ok.test";
const evil = "mallory@evil.test";

function open(nodemailer = current, options: object = {}, defaults?: object): AnyTransporter {
  const made = nodemailer.createTransport(smtp(server.port, options), defaults);
  opened.push(made);
  return made;
}

/** Every place in which a mail can name somebody, and the defaults of a transport that does. */
const carriers: Record<string, (who: string) => [mail: object, defaults?: object]> = {
  to: (who) => [{ to: `${ok}, ${who}` }],
  "to in a nested array": (who) => [{ to: [[ok], [[who]]] }],
  "to as an object": (who) => [{ to: { name: "x", address: who } }],
  "a group": (who) => [{ to: `Team: ${ok}, ${who};` }],
  cc: (who) => [{ to: ok, cc: who }],
  bcc: (who) => [{ to: ok, bcc: who }],
  "headers.Bcc": (who) => [{ to: ok, headers: { Bcc: who } }],
  "headers in array form": (who) => [{ to: ok, headers: [{ key: "bcc", value: who }] }],
  "a header name with blanks in it": (who) => [{ to: ok, headers: { "B cc": who } }],
  "a header name with a NUL": (who) => [{ to: ok, headers: { "Bcc\0": who } }],
  "headers.To beside the envelope": (who) => [{ to: ok, headers: { "Resent-To": who } }],
  "envelope.to": (who) => [{ to: ok, envelope: { from, to: who } }],
  "envelope.cc": (who) => [{ to: ok, envelope: { from, to: ok, cc: who } }],
  "envelope.bcc": (who) => [{ to: ok, envelope: { from, to: ok, bcc: [who] } }],
  "an inherited envelope key": (who) => [{ to: ok, envelope: Object.create({ from, to: who }) }],
  "the rendered To of a mail with its own envelope": (who) => [{ to: who, envelope: { from, to: ok } }],
  "the raw message": (who) => [{ envelope: { from, to: ok }, raw: `From: ${from}\r\nTo: ${who}\r\n\r\nx` }],
  "a raw header behind a lone CR": (who) => [{ envelope: { from, to: ok }, raw: `From: ${from}\rTo: ${who}\r\n\r\nx` }],
  "a raw header after a line that is none": (who) => [
    { envelope: { from, to: ok }, raw: `To: ${ok}\r\nnothing\r\nCc: ${who}\r\n\r\nx` },
  ],
  "headers of a lone content part": (who) => [
    { to: ok, text: "", attachments: [{ content: "x", headers: { Cc: who } }] },
  ],
  "headers of the text part": (who) => [{ to: ok, text: { content: "x", headers: { Bcc: who } } }],
  "a default of the transport": (who) => [{ to: ok }, { bcc: who }],
  "a default header of the transport": (who) => [{ to: ok, headers: { "X-A": "1" } }, { headers: { Bcc: who } }],
  "a default envelope of the transport": (who) => [{ to: ok }, { envelope: { from, to: who } }],
};

describe.each(versions)("nodemailer %s", (_version, nodemailer) => {
  it("sends to the allowlisted, and the caller gets nodemailer's own answer", async () => {
    const transporter = attached(fuse, open(nodemailer));
    const info = await transporter.sendMail({
      from: "App <app@sender.test>",
      to: ["Ann <ann@ok.test>", { name: "Bob", address: "bob@ok.test" }],
      cc: "carl@ok.test",
      bcc: "dora@ok.test",
      subject: "hello",
      text: "hello",
    });
    const to = ["ann@ok.test", "bob@ok.test", "carl@ok.test", "dora@ok.test"];
    expect(info).toMatchObject({
      accepted: to,
      rejected: [],
      envelope: { from, to },
      response: "250 OK: message queued",
    });
    expect(server.mails).toHaveLength(1);
    expect(server.mails[0]?.to).toEqual(to);
    expect(server.mails[0]?.raw).toContain(`Message-ID: ${info.messageId}`);
    expect(server.mails[0]?.raw).not.toContain("dora@ok.test");
  });

  it.each(Object.entries(carriers))("refuses a stranger in %s", async (_name, carry) => {
    const [mail, defaults] = carry(evil);
    const transporter = attached(fuse, open(nodemailer, {}, defaults));
    expect(await codeOf(transporter.sendMail({ from, subject: "s", text: "t", ...mail }))).not.toBe("sent");
    expect(server.mails).toHaveLength(0);
  });

  it("refuses recipients that plugins add at the last moment", async () => {
    const transporter = attached(fuse, open(nodemailer));
    let step = "";
    const add = (
      name: string,
      change: (mail: {
        data: Record<string, unknown>;
        message: { setEnvelope(e: object): void; setHeader(k: string, v: string): void };
      }) => void,
    ) =>
      transporter.use(
        name.split(" ")[0] as string,
        ((mail: never, done: () => void) => {
          if (step === name) change(mail);
          done();
        }) as never,
      );
    add("compile to", (mail) => {
      mail.data.to = evil;
    });
    add("compile headers", (mail) => {
      mail.data.headers = { Bcc: evil };
    });
    add("stream envelope", (mail) => mail.message.setEnvelope({ from, to: evil }));
    add("stream header", (mail) => mail.message.setHeader("Bcc", evil));
    for (step of ["compile to", "compile headers", "stream envelope", "stream header"]) {
      expect(await codeOf(transporter.sendMail({ from, to: ok, text: "t" })), step).toBe("NOT_ALLOWLISTED");
    }
    expect(server.mails).toHaveLength(0);
    step = "";
    await transporter.sendMail({ from, to: ok, text: "t" });
    expect(server.mails).toHaveLength(1);
  });

  it("hands refusals to the callback, and never throws", async () => {
    const transporter = attached(fuse, open(nodemailer));
    const seen = await new Promise<unknown>((resolve) => {
      const returned = transporter.sendMail({ from, to: evil, text: "t" }, (error, info) =>
        resolve([error?.code, info, returned]),
      );
    });
    expect(seen).toEqual(["NOT_ALLOWLISTED", undefined, undefined]);
    const info = await new Promise<Record<string, unknown>>((resolve) => {
      transporter.sendMail({ from, to: ok, text: "t" }, (_error, sent) => resolve(sent));
    });
    expect(info.accepted).toEqual([ok]);
  });

  it("guards a second transporter around the same transport, and calls on the prototype", async () => {
    const transporter = attached(fuse, open(nodemailer));
    const again = nodemailer.createTransport(transporter.transporter);
    expect(await codeOf(again.sendMail({ from, to: evil, text: "t" }))).toBe("NOT_ALLOWLISTED");
    const { sendMail } = Object.getPrototypeOf(transporter) as { sendMail(data: object): Promise<unknown> };
    expect(await codeOf(sendMail.call(transporter, { from, to: evil, text: "t" }))).toBe("NOT_ALLOWLISTED");
    await again.sendMail({ from, to: ok, text: "t" });
    expect(server.mails.map((mail) => mail.to)).toEqual([[ok]]);
  });

  it("delivers addresses as they were read, not as they were written", async () => {
    const transporter = attached(testFuse({}, { allow: ["*@ok.test", "*@bücher.test"] }), open(nodemailer));
    const info = await transporter.sendMail({ from, to: "Ann <ann@OK.TEST>", cc: "jo@bücher.test", text: "t" });
    expect(info.accepted).toEqual(["ann@ok.test", "jo@xn--bcher-kva.test"]);
    // The server shows A-labels decoded.
    expect(server.mails[0]?.to).toEqual(["ann@ok.test", "jo@bücher.test"]);
  });

  it("detaches to what was there before", async () => {
    const transporter = open(nodemailer);
    const { transporter: transport } = transporter;
    const shape = () => [Object.getOwnPropertyDescriptors(transporter), Object.getOwnPropertyDescriptors(transport)];
    const before = shape();
    attached(fuse, transporter);
    fuse.detach(transporter);
    const after = shape();
    expect(Reflect.ownKeys(after[0] as object)).toEqual(Reflect.ownKeys(before[0] as object));
    expect(Reflect.ownKeys(after[1] as object)).toEqual(Reflect.ownKeys(before[1] as object));
    expect(after).toEqual(before);
    await transporter.sendMail({ from, to: evil, text: "t" });
    expect(server.mails).toHaveLength(1);
  });
});

describe("somebody who may get mail", () => {
  it.each(Object.entries(carriers))("gets it, named in %s", async (_name, carry) => {
    const [mail, defaults] = carry("bob@ok.test");
    const transporter = attached(fuse, open(current, {}, defaults));
    const code = await codeOf(transporter.sendMail({ from, subject: "s", text: "t", ...mail }));
    expect([code, server.mails.length]).toEqual(["sent", 1]);
  });
});

describe("the choke point", () => {
  const tampers: Record<string, (transporter: AnyTransporter) => void> = {
    "assigning transport.send": (one) => {
      one.transporter.send = (_mail, callback) => callback(null, {});
    },
    "defining transport.send": (one) => {
      Object.defineProperty(one.transporter, "send", {
        value: (_mail: unknown, callback: (e: null, i: object) => void) => callback(null, {}),
      });
    },
    "deleting transport.send": (one) => {
      Reflect.deleteProperty(one.transporter, "send");
    },
    "assigning transporter.transporter": (one) => {
      one.transporter = current.createTransport(smtp(server.port)).transporter;
    },
  };
  it.each(Object.entries(tampers))("notices %s; the next send is refused", async (_name, tamper) => {
    const transporter = attached(fuse, open());
    expect(fuse.verify()).toEqual([]);
    tamper(transporter);
    expect(fuse.verify()).toMatchObject([{ code: "CHOKE_POINT_CHANGED" }]);
    expect(await codeOf(transporter.sendMail({ from, to: ok, text: "t" }))).toBe("CHOKE_POINT_CHANGED");
    expect(server.mails).toHaveLength(0);
  });

  it("leaves what others have put there when it detaches", async () => {
    const transporter = attached(fuse, open());
    const other = (_mail: unknown, callback: (error: null, info: object) => void) => callback(null, { other: true });
    transporter.transporter.send = other as never;
    fuse.detach(transporter);
    expect(transporter.transporter.send).toBe(other);
    expect(await transporter.sendMail({ from, to: ok, text: "t" })).toEqual({ other: true });
  });

  it("refuses a send function kept from before the detaching", async () => {
    const transporter = attached(fuse, open());
    const { send } = transporter.transporter;
    fuse.detach(transporter);
    transporter.transporter.send = send;
    expect(await codeOf(transporter.sendMail({ from, to: ok, text: "t" }))).toBe("CHOKE_POINT_CHANGED");
  });

  it.each<[string, () => object]>([
    ["nothing much", () => ({})],
    ["options", () => smtp(25)],
    ["a bare transport", () => open().transporter],
    ["a frozen transporter", () => Object.freeze(open())],
    [
      "a transporter around a frozen transport",
      () => ({ sendMail() {}, transporter: Object.freeze({ name: "x", version: "1", send() {} }) }),
    ],
  ])("attaches to no %s", (_name, make) => {
    expect(() => fuse.attach(make() as never, nodemailerAdapter())).toThrow(
      expect.objectContaining({ code: "ATTACH_UNSUPPORTED" }),
    );
  });

  it("is put in once, however many transporters stand around the transport", async () => {
    const transporter = attached(fuse, open());
    attached(fuse, transporter);
    const around = current.createTransport(transporter.transporter);
    expect(() => attached(fuse, around)).toThrow(expect.objectContaining({ code: "ATTACH_CONFLICT" }));
    await around.sendMail({ from, to: ok, text: "t" });
    expect(server.mails).toHaveLength(1);
  });
});

describe("one call", () => {
  it("reaches the gate in the caller's async context", async () => {
    const storage = new AsyncLocalStorage<string>();
    const { transporter, gate } = gated(open());
    const seen: unknown[] = [];
    gate.judge = async () => void seen.push(storage.getStore());
    gate.commit = async () => {
      seen.push(storage.getStore());
      return { reservation: "r" };
    };
    await storage.run("request 1", () =>
      transporter.sendMail({ from, to: ok, text: "t", attachments: [{ path: __filename }] }),
    );
    expect(seen).toEqual(["request 1", "request 1"]);
  });

  it("asks for the last word once, before the bytes leave", async () => {
    const { transporter, gate } = gated(open());
    const before: number[] = [];
    gate.commit = async () => {
      before.push(server.mails.length);
      return { reservation: "r" };
    };
    await transporter.sendMail({ from, to: ok, text: "t" });
    expect(before).toEqual([0]);
    expect(server.mails).toHaveLength(1);
  });

  it("sends nothing when the last word is no", async () => {
    const { transporter, gate } = gated(open());
    gate.commit = () => Promise.reject(new MailfuseError({ code: "HALTED", message: "Expected no halt, got one." }));
    expect(await codeOf(transporter.sendMail({ from, to: ok, text: "t" }))).toBe("HALTED");
    expect(server.mails).toHaveLength(0);
  });

  it("delivers what was judged, whatever the caller does to its objects meanwhile", async () => {
    const { transporter, gate } = gated(open());
    const to = [ok];
    const bob = { name: "Bob", address: "bob@ok.test" };
    const headers: Record<string, string> = { "X-App": "1" };
    gate.judge = async () => {
      to.push(evil);
      bob.address = evil;
      headers.Bcc = evil;
    };
    const sending = transporter.sendMail({ from, to, cc: bob, headers, text: "t" });
    to.push("late@evil.test");
    await sending;
    expect(gate.message.recipients.map(({ address, field }) => [address, field])).toEqual([
      [ok, "to"],
      ["bob@ok.test", "cc"],
    ]);
    expect(server.mails[0]?.to).toEqual([ok, "bob@ok.test"]);
    expect(server.mails[0]?.raw).not.toContain("evil.test");
  });

  it("shows a guard what the recipient will read", async () => {
    const { transporter, gate } = gated(open());
    await transporter.sendMail({
      from: "App <app@sender.test>",
      to: ok,
      subject: "Grüße",
      text: "Prix : 5 €",
      html: "<p>Prix : 5 €</p>",
      headers: { "X-PM-Tag": "receipt" },
    });
    const { message } = gate;
    expect(message.content()).toEqual({ subject: "Grüße", text: "Prix : 5 €", html: "<p>Prix : 5 €</p>" });
    expect(message.from).toBe(from);
    expect(message.tags).toEqual(["receipt"]);
    expect(message.headers.map(([name]) => name)).toContain("x-pm-tag");
  });

  it("has one digest for the same mail, and another for another text or attachment", async () => {
    const { transporter, gate } = gated(open());
    const digests: string[] = [];
    const attachments = (content: string) => [{ filename: "a.pdf", content }];
    for (const mail of [
      { subject: "s", text: "t" },
      { subject: "s", text: "t" },
      { subject: "s", text: "u" },
      { subject: "s", text: "t", attachments: attachments("1") },
      { subject: "s", text: "t", attachments: attachments("1") },
      { subject: "s", text: "t", attachments: attachments("2") },
    ]) {
      await transporter.sendMail({ from, to: ok, ...mail });
      digests.push(gate.message.digest());
    }
    expect(digests[0]).toBe(digests[1]);
    expect(digests[3]).toBe(digests[4]);
    expect(new Set(digests).size).toBe(4);
  });

  it("collects every reason", async () => {
    const transporter = attached(fuse, open());
    const codes = await codesOf(
      transporter.sendMail({ from, to: [ok, "ann@@ok.test"], headers: { "X-MC-BccAddress": evil }, text: "t" }),
    );
    expect(codes).toEqual(expect.arrayContaining(["ADDRESS_AMBIGUOUS", "HEADER_REFUSED"]));
  });

  it("says nothing of addresses or text in a refusal", async () => {
    const transporter = attached(fuse, open());
    const mail = {
      from,
      to: `${evil}, broken@@evil.test`,
      subject: "secret subject",
      text: "secret text",
      headers: { "X-SMTPAPI": `{"to":["${evil}"]}` },
    };
    const error = (await transporter.sendMail(mail).catch((reason) => reason)) as MailfuseError;
    const said = JSON.stringify([error.message, error.refusals]);
    expect(said).not.toMatch(/mallory|broken|secret|evil\.test/);
  });

  it("observes without blocking, problems and all", async () => {
    const gate = new TestGate();
    const { transporter } = gated(open(), gate);
    await transporter.sendMail({ from, to: ok, headers: { "X-MC-BccAddress": evil }, text: "t" });
    expect(gate.problems).toEqual(["HEADER_REFUSED"]);
    const intents = gate.calls.map((call: Call) => call.intent.kind);
    expect(intents).toEqual(["send"]);
    expect(server.mails).toHaveLength(1);
  });

  it("lets observe mode send as it came what cannot be copied", async () => {
    const gate = new TestGate();
    gate.limits = { depth: 24, nodes: 1_000, bytes: 500 };
    const { transporter } = gated(open(), gate);
    await transporter.sendMail({ from, to: ok, text: "x".repeat(2_000) });
    expect(gate.calls[0]?.intent).toMatchObject({ kind: "unknown", problems: [{ code: "COPY_TOO_LARGE" }] });
    expect(server.mails[0]?.raw).toContain("x".repeat(70));
  });
});

describe("verify()", () => {
  it("still only connects over SMTP", async () => {
    const { transporter, gate } = gated(open());
    expect(await transporter.verify()).toBe(true);
    expect(gate.calls.map((call) => call.intent.kind)).toEqual(["read"]);
    expect(server.mails).toHaveLength(0);
  });
});
