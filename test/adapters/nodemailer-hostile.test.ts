/**
 * Bad input: a coded error or a correct send, never a hang, an uncaught exception (the test runner
 * fails on one), or a mail to an address that nobody checked.
 */
import { PassThrough, Readable } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MailfuseError } from "../../src/errors";
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

const from = "app@sender.test";
const ok = "ann@ok.test";
const evil = "mallory@evil.test";

let server: MailServer;
const opened: AnyTransporter[] = [];
beforeAll(async () => {
  server = await startMailServer();
});
afterAll(() => server.close());
beforeEach(() => {
  server.mails.length = 0;
});
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

function open(nodemailer = current, options: object = {}): AnyTransporter {
  const made = nodemailer.createTransport(smtp(server.port, options));
  opened.push(made);
  return made;
}

/** Answers with an allowed address until its `turn`-th reading. */
function turning(turn: number): () => string {
  let reads = 0;
  return () => (++reads >= turn ? evil : ok);
}

function cyclic(): object {
  const a: { name: string; address: string; self?: unknown } = { name: "x", address: ok };
  a.self = a;
  return a;
}

const base = { from, subject: "s", text: "t" };
const reached = () => server.mails.flatMap((mail) => mail.to);

describe.each(versions)("nodemailer %s", (version, nodemailer) => {
  const hostile: Record<string, () => object | Promise<object>> = {
    "a size that is an object": () => ({ to: ok, envelope: { from, to: ok, size: { toString: 1 } } }),
    "a size that injects": () => ({ to: ok, envelope: { from, to: ok, size: "1\r\nRCPT TO:<mallory@evil.test>" } }),
    "delivery status options that inject": () => ({ to: ok, dsn: { id: "1\r\nRCPT TO:<mallory@evil.test>" } }),
    "delivery status options that are none": () => ({
      to: ok,
      envelope: { from, to: ok, dsn: { notify: { toString: 1 } } },
    }),
    "a sender that injects": () => ({ to: ok, envelope: { from: "a@b.test>\r\nRCPT TO:<mallory@evil.test", to: ok } }),
    "an envelope that is a text": () => ({ to: ok, envelope: evil }),
    "an envelope with queues of its own": () => ({
      to: ok,
      envelope: { from, to: ok, rcptQueue: [evil], accepted: [evil] },
    }),
    "getters in an address that turn": () => ({
      to: [2, 3, 4, 5, 6, 8].map((turn) =>
        Object.defineProperty({ name: "x" }, "address", { get: turning(turn), enumerable: true }),
      ),
    }),
    "an array whose elements turn": () => ({
      to: Object.defineProperty([ok], 0, { get: turning(3), enumerable: true }),
    }),
    "a proxy around everything": () =>
      new Proxy(
        { ...base, to: ok },
        { get: (target, key) => (key === "to" ? turning(1)() : Reflect.get(target, key)) },
      ),
    "a proxy around the recipients": () => {
      const turn = turning(3);
      return { to: new Proxy([ok], { get: (target, key) => (key === "0" ? turn() : Reflect.get(target, key)) }) };
    },
    "a revoked proxy as recipient": () => {
      const { proxy, revoke } = Proxy.revocable({ address: ok }, {});
      revoke();
      return { to: [proxy] };
    },
    "a getter that throws": () => ({
      to: Object.defineProperty({}, "address", {
        get: () => {
          throw new Error("boom");
        },
        enumerable: true,
      }),
    }),
    "a cycle": () => ({ to: [cyclic()] }),
    "an array that holds itself": () => {
      const to: unknown[] = [evil];
      to.push(to);
      return { to };
    },
    "a text object that is somebody else": () => ({
      to: Object.assign(new String(ok), { toString: () => evil, address: evil }),
    }),
    "an address that is somebody else as text": () => ({ to: { name: "x", address: { toString: () => evil } } }),
    "a function as recipient": () => ({ to: Object.assign(() => evil, { toString: () => evil }) }),
    "a symbol as recipient": () => ({ to: Symbol("x") }),
    "a set of recipients": () => ({ to: new Set([evil]) }),
    "a promise of recipients": () => ({ to: Promise.resolve(evil) }),
    "a number": () => ({ to: 5 }),
    nobody: () => ({}),
    "ten thousand nested arrays": () => {
      let to: unknown = [evil];
      for (let i = 0; i < 10_000; i++) to = [to];
      return { to };
    },
    "a display name of 10 MB": () => ({ to: { name: "x".repeat(10_000_000), address: ok } }),
    "a text of 2 MB instead of an address": () => ({ to: "<".repeat(2_000_000) }),
    "a header value that mutates": () => {
      const to = [ok];
      return { to, subject: { toString: () => `s${to.push(evil)}` } };
    },
    "a message id that mutates": () => {
      const to = [ok];
      return { to, messageId: { toString: () => `<${to.push(evil)}@x>` } };
    },
    "a text that changes while it is read": () => {
      const to = [ok];
      return {
        to,
        text: new Readable({
          read() {
            to.push(evil);
            this.push("x");
            this.push(null);
          },
        }),
      };
    },
    "raw content of no known type": () => ({ to: ok, raw: { content: `To: ${evil}\r\n\r\nx` } }),
    "a raw mail that smuggles a second one": () => ({
      to: ok,
      envelope: { from, to: ok },
      raw: `To: ${ok}\r\n\r\nx\r\n.\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<${evil}>\r\nDATA\r\nTo: ${evil}\r\n\r\ny`,
    }),
    "a raw mail of nothing but line ends": () => ({ to: ok, envelope: { from, to: ok }, raw: "\n".repeat(1_000) }),
    "a raw mail with a header of 5 MB": () => ({
      envelope: { from, to: ok },
      raw: `X-A: ${"a ".repeat(2_500_000)}\r\n\r\nx`,
    }),
    "a raw mail with a hundred thousand headers": () => ({
      envelope: { from, to: ok },
      raw: `${"X-A: b\r\n".repeat(100_000)}\r\nx`,
    }),
    "a raw mail nested a thousand deep": () => ({
      envelope: { from, to: ok },
      raw: Array.from(
        { length: 1_000 },
        (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`,
      ).join(""),
    }),
    "headers that are no headers": () => ({ to: ok, headers: "Bcc: mallory@evil.test" }),
    "a header key that is an object": () => ({ to: ok, headers: [{ key: { toString: () => "Bcc" }, value: evil }] }),
    "an attachment that does not exist": () => ({ to: ok, attachments: [{ path: "/does/not/exist" }] }),
    "an attachment that is a directory": () => ({ to: ok, attachments: [{ path: "/" }] }),
    "a stream that fails": () => ({
      to: ok,
      text: new Readable({
        read() {
          this.destroy(new Error("boom"));
        },
      }),
    }),
    "a stream that failed before": () => {
      const stream = new PassThrough();
      stream.on("error", () => {});
      stream.destroy(new Error("boom"));
      return { to: ok, attachments: [{ filename: "a", content: stream }] };
    },
    "a stream that was closed before": () => {
      const stream = new PassThrough();
      stream.destroy();
      return { to: ok, attachments: [{ filename: "a", content: stream }] };
    },
    "a stream that closes in the middle": () => {
      const stream = new Readable({ read() {} });
      stream.push("x");
      setImmediate(() => stream.destroy());
      return { to: ok, text: stream };
    },
    "a stream that gives objects": () => ({ to: ok, text: Readable.from([{ a: 1 }]) }),
    "a stream that was read before": () => {
      const stream = Readable.from([Buffer.from("x")]);
      stream.resume();
      return new Promise((resolve) => stream.once("close", () => resolve({ to: ok, text: stream })));
    },
    "a login that is hostile": () => ({
      to: ok,
      auth: Object.defineProperty({}, "user", {
        get: () => {
          throw new Error("boom");
        },
        enumerable: true,
      }),
    }),
  };

  it.each(Object.entries(hostile))("is told, or sends to the judged: %s", async (_name, make) => {
    const transporter = attached(testFuse(), open(nodemailer));
    const given = await make();
    // Before 8, nodemailer throws some of it at the caller at once; that is an answer too.
    const sending = Promise.resolve().then(() =>
      transporter.sendMail("from" in given ? given : Object.assign({ ...base }, given)),
    );
    await sending.catch((error: unknown) => expect(error).toBeInstanceOf(Error));
    expect(new Set(reached())).toEqual(new Set(reached().length > 0 ? [ok] : []));
  });

  it.each([
    ["size", { size: { toString: 1 } }],
    ["size", { size: "1 RCPT" }],
    ["dsn", { dsn: { id: "1\r\nRSET" } }],
  ])("names the envelope's %s as what is wrong: %j", async (field, wrong) => {
    const transporter = attached(testFuse(), open(nodemailer));
    const error = await transporter.sendMail({ ...base, to: ok, envelope: { from, to: ok, ...wrong } }).catch((e) => e);
    expect(error).toMatchObject({ refusals: [{ where: `envelope.${field}` }] });
    expect(server.mails).toHaveLength(0);
  });

  it("sends frozen mails, all the way down", async () => {
    const transporter = attached(testFuse(), open(nodemailer));
    const mail = Object.freeze({
      ...base,
      to: Object.freeze([Object.freeze({ name: "Ann", address: ok })]),
      envelope: Object.freeze({ from, to: Object.freeze([ok]) }),
      headers: Object.freeze({ "X-App": "1" }),
      attachments: Object.freeze([Object.freeze({ filename: "a.txt", content: "x" })]),
    });
    expect(await codeOf(transporter.sendMail(mail))).toBe("sent");
    expect(reached()).toEqual([ok]);
  });

  it.each(["abort", "stall and abort"])("does not hang on a stream that never ends: %s", async (how) => {
    const { transporter, gate } = gated(open(nodemailer));
    const abort = new AbortController();
    const stream = new Readable({ read() {} });
    stream.push("x");
    const sending = transporter.sendMail({ ...base, to: ok, text: stream, signal: abort.signal });
    if (how === "abort") abort.abort();
    else setImmediate(() => abort.abort());
    await expect(sending).rejects.toMatchObject({ code: "EABORT" });
    expect(gate.calls).toHaveLength(0);
    if (version === "10") expect(stream.destroyed).toBe(true);
  });

  it("stops reading a stream without end at the limit", async () => {
    const gate = new TestGate();
    gate.limits = { depth: 24, nodes: 1_000, bytes: 1_000_000 };
    gate.judge = async (call) => {
      if ("problems" in call.intent && call.intent.problems?.[0]) throw new MailfuseError(call.intent.problems);
    };
    const { transporter } = gated(open(nodemailer), gate);
    let pushed = 0;
    const endless = new Readable({
      read(size) {
        pushed += size;
        this.push(Buffer.alloc(size, "x"));
      },
    });
    expect(
      await codeOf(transporter.sendMail({ ...base, to: ok, attachments: [{ filename: "a", content: endless }] })),
    ).toBe("COPY_TOO_LARGE");
    expect(pushed).toBeLessThan(5_000_000);
    expect(endless.destroyed).toBe(true);
    expect(server.mails).toHaveLength(0);
  });

  it("stops reading a stream of single bytes without end, which never lets go of the thread", async () => {
    const gate = new TestGate();
    gate.limits = { depth: 24, nodes: 20_000, bytes: 40_000_000 };
    const { transporter } = gated(open(nodemailer), gate);
    let pushed = 0;
    const endless = new Readable({
      read() {
        pushed++;
        this.push("x");
      },
    });
    await transporter.sendMail({ ...base, to: ok, text: endless }).catch(() => {});
    expect(gate.calls[0]?.intent).toMatchObject({ kind: "unknown", problems: [{ code: "COPY_TOO_LARGE" }] });
    expect(pushed).toBeLessThan(30_000);
  });

  it("refuses while Object.prototype is polluted, in observe mode too", async () => {
    const gate = new TestGate();
    const { transporter } = gated(open(nodemailer), gate);
    const send = (key: string, value: unknown) => {
      Object.defineProperty(Object.prototype, key, { value, configurable: true, enumerable: true });
      try {
        // Some versions throw at once.
        return transporter.sendMail({ ...base, to: ok });
      } catch (error) {
        return Promise.reject(error);
      } finally {
        Reflect.deleteProperty(Object.prototype, key);
      }
    };
    for (const key of ["bcc", "envelope", "address", "dsn"]) {
      expect(await codeOf(send(key, evil)), key).not.toBe("sent");
    }
    expect(reached()).toEqual([]);
  });

  it("is not talked into a second connection command by the transport's own name", async () => {
    const name = `x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<${evil}>\r\nDATA\r\nx\r\n.\r\nRSET`;
    const transporter = attached(testFuse(), open(nodemailer, { name }));
    expect(await codesOf(transporter.sendMail({ ...base, to: ok }))).toEqual(["FIELD_UNKNOWN"]);
    expect(server.mails).toHaveLength(0);
  });

  it("leaves a callback that throws to nodemailer's logger", async () => {
    const errors: unknown[] = [];
    const quiet = () => {};
    const logger = {
      trace: quiet,
      debug: quiet,
      info: quiet,
      warn: quiet,
      fatal: quiet,
      error: (entry: { err?: Error }) => void errors.push(entry.err?.message),
      level: quiet,
    };
    const transporter = attached(testFuse(), open(nodemailer, { logger }));
    transporter.sendMail({ ...base, to: ok }, () => {
      throw new Error("thrown by the callback");
    });
    while (errors.length === 0) await new Promise(setImmediate);
    expect(errors).toContain("thrown by the callback");
  });
});

describe("many recipients", () => {
  it("are judged, each", async () => {
    const { transporter, gate } = gated(current.createTransport({ streamTransport: true, buffer: true }));
    const to = Array.from({ length: 4_999 }, (_, i) => `u${i}@ok.test`);
    await transporter.sendMail({ ...base, bcc: [...to, evil] });
    expect(gate.message.recipients).toHaveLength(5_000);
    expect(gate.message.recipients.at(-1)?.address).toBe(evil);
  });

  it("are too many by the million: refused before they are read", async () => {
    // Version 10 counts them itself before any transport is asked, for minutes; so does 7, unless it
    // has a Message-ID.
    const [, seven] = versions.find(([version]) => version === "7") ?? versions[0] ?? [];
    const transporter = attached(testFuse(), (seven ?? current).createTransport({ streamTransport: true }));
    const to = new Array(1_200_000).fill(ok);
    expect(await codesOf(transporter.sendMail({ ...base, messageId: "<1@sender.test>", bcc: to }))).toContain(
      "COPY_TOO_LARGE",
    );
  });
});

describe("aborting while the fuse decides", () => {
  it("answers at once, spends nothing, sends nothing", async () => {
    const { transporter, gate } = gated(open());
    const abort = new AbortController();
    let release = (): void => {};
    gate.judge = () =>
      new Promise((resolve) => {
        release = resolve;
        abort.abort(new Error("user left"));
      });
    const error = await transporter.sendMail({ ...base, to: ok, signal: abort.signal }).catch((reason) => reason);
    expect(error).toMatchObject({ name: "AbortError", code: "EABORT", cause: { message: "user left" } });
    release();
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(gate.commits).toEqual([]);
    expect(server.mails).toHaveLength(0);
  });
});
