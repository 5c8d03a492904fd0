import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Fate } from "../../src/adapter";
import { MailfuseError } from "../../src/errors";
import {
  type AnyTransporter,
  attached,
  codeOf,
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
const mailTo = (index: number) => ({ from, to: `p${index}@ok.test`, subject: "s", text: "t" });
const halted = () => new MailfuseError({ code: "HALTED", message: "Expected no halt, got one." });

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

function open(nodemailer = current, options: object = {}, port = server.port): AnyTransporter {
  const made = nodemailer.createTransport(smtp(port, { pool: true, ...options }));
  opened.push(made);
  return made;
}

describe.each(versions)("a pool of nodemailer %s", (version, nodemailer) => {
  it("sends what is queued once a halt is over the queue: 40 of 300, and what was in flight", async () => {
    const fuse = testFuse();
    const maxConnections = 5;
    const transporter = attached(fuse, open(nodemailer, { maxConnections, maxMessages: 1_000 }));
    let delivered = 0;
    let halting: Promise<void> | undefined;
    let atHalt = 0;
    const sends = Array.from({ length: 300 }, async (_, index) => {
      const code = await codeOf(transporter.sendMail(mailTo(index)));
      if (code === "sent" && ++delivered === 40) {
        atHalt = server.mails.length;
        halting = fuse.halt({ reason: "wrong list", by: "dana" });
      }
      return code;
    });
    const codes = await Promise.all(sends);
    await halting;
    expect(atHalt).toBeGreaterThanOrEqual(40);
    expect(server.mails.length).toBeLessThanOrEqual(atHalt + maxConnections);
    expect(server.mails.length).toBeLessThanOrEqual(40 + 2 * maxConnections);
    expect(codes.filter((code) => code === "sent")).toHaveLength(server.mails.length);
    expect(codes.filter((code) => code === "HALTED")).toHaveLength(300 - server.mails.length);

    await fuse.resume({ by: "dana" });
    const before = server.mails.length;
    const again = await Promise.all(
      Array.from({ length: 20 }, (_, index) => codeOf(transporter.sendMail(mailTo(index)))),
    );
    expect(new Set(again)).toEqual(new Set(["sent"]));
    expect(server.mails).toHaveLength(before + 20);
    await fuse.close();
  });

  it("keeps a connection usable after a refusal, over and over", async () => {
    const { transporter, gate } = gated(open(nodemailer, { maxConnections: 1 }));
    let asked = 0;
    gate.commit = async () => {
      asked++;
      if (asked % 2 === 1) throw halted();
      return { reservation: String(asked) };
    };
    const codes = await Promise.all(
      Array.from({ length: 20 }, (_, index) => codeOf(transporter.sendMail(mailTo(index)))),
    );
    expect(codes.filter((code) => code === "HALTED")).toHaveLength(10);
    expect(codes.filter((code) => code === "sent")).toHaveLength(10);
    expect(server.mails).toHaveLength(10);
  });

  it("asks for the last word when a connection is open, not when the mail is queued", async () => {
    const { transporter, gate } = gated(open(nodemailer, { maxConnections: 1 }));
    const order: string[] = [];
    gate.judge = async () => void order.push("judged");
    gate.commit = async () => {
      order.push(`asked after ${server.mails.length}`);
      return { reservation: "r" };
    };
    await Promise.all([0, 1, 2].map((index) => transporter.sendMail(mailTo(index))));
    expect(order).toEqual(["judged", "judged", "judged", "asked after 0", "asked after 1", "asked after 2"]);
  });

  it("does not wait for a slow answer with mails of other connections", async () => {
    const { transporter, gate } = gated(open(nodemailer, { maxConnections: 2 }));
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let asked = 0;
    gate.commit = async () => {
      if (++asked === 1) await held;
      return { reservation: "r" };
    };
    const first = transporter.sendMail(mailTo(0));
    const others = [1, 2, 3].map((index) => transporter.sendMail(mailTo(index)));
    await Promise.all(others);
    expect(server.mails).toHaveLength(3);
    release();
    await first;
    expect(server.mails).toHaveLength(4);
  });

  it("refuses what is put into the queue past the fuse", async () => {
    const { transporter, gate } = gated(open(nodemailer));
    const own = nodemailer.createTransport({ jsonTransport: true });
    const stolen = await new Promise<unknown>((resolve) => {
      own.transporter.send = ((mail: unknown) => resolve(mail)) as never;
      void own.sendMail(mailTo(1)).catch(() => {});
    });
    const { transporter: pool } = transporter;
    const { send } = Object.getPrototypeOf(pool) as typeof pool;
    const error = await new Promise<MailfuseError>((resolve) =>
      send.call(pool, stolen, (reason) => resolve(reason as MailfuseError)),
    );
    expect(error.code).toBe("CHOKE_POINT_CHANGED");
    expect(gate.calls).toHaveLength(0);
    await transporter.sendMail(mailTo(2));
    expect(server.mails.map((mail) => mail.to)).toEqual([["p2@ok.test"]]);
  });

  it.each([
    ["delivered", true],
    ["refused", false],
  ])("keeps the pace of an application that fills it while it is idle: %s", async (_name, allowed) => {
    const { transporter, gate } = gated(open(nodemailer, { maxConnections: 3 }));
    if (!allowed) gate.judge = () => Promise.reject(halted());
    const mails = Array.from({ length: 40 }, (_, index) => mailTo(index));
    const settled: Promise<unknown>[] = [];
    let waiting = 0;
    let most = 0;
    const { isIdle } = transporter as unknown as { isIdle(): boolean };
    const fill = (): void => {
      while (isIdle() && mails.length > 0) {
        most = Math.max(most, ++waiting);
        settled.push(
          transporter
            .sendMail(mails.shift() as object)
            .catch(() => {})
            .finally(() => waiting--),
        );
      }
    };
    await new Promise<void>((resolve) => {
      transporter.on("idle", () => {
        fill();
        if (mails.length === 0) resolve();
      });
    });
    await Promise.all(settled);
    expect(server.mails).toHaveLength(allowed ? 40 : 0);
    // In flight, queued, and on the way to the queue: never all of them at once.
    expect(most).toBeLessThanOrEqual(12);
  });

  it.skipIf(version !== "10")("counts what it was given, not only what has reached its queue (since 10)", async () => {
    const transporter = open(nodemailer, { maxConnections: 1 });
    const pool = transporter.transporter as unknown as { pendingCount(): number };
    gated(transporter);
    const sends = [0, 1, 2].map((index) => transporter.sendMail(mailTo(index)));
    expect(pool.pendingCount()).toBe(3);
    await Promise.all(sends);
    expect(pool.pendingCount()).toBe(0);
  });

  it("lets go of the pool when detached, after the mails that were judged have been asked for", async () => {
    const transporter = open(nodemailer, { maxConnections: 1 });
    const { transporter: pool } = transporter;
    const before = Reflect.ownKeys(pool);
    const { gate, attachment } = gated(transporter);
    const sends = [0, 1, 2].map((index) => transporter.sendMail(mailTo(index)));
    // The copies are taken and queued within these turns.
    while (gate.calls.length < 3) await new Promise(setImmediate);
    attachment.detach();
    await Promise.all(sends);
    expect(gate.commits).toHaveLength(3);
    expect(Reflect.ownKeys(pool)).toEqual(before);
    await transporter.sendMail(mailTo(3));
    expect(gate.calls).toHaveLength(3);
    expect(server.mails).toHaveLength(4);
  });

  it("sends what was queued before the fuse was attached", async () => {
    const transporter = open(nodemailer, { maxConnections: 1 });
    const early = transporter.sendMail(mailTo(0));
    gated(transporter);
    await early;
    expect(server.mails).toHaveLength(1);
  });

  it("fails what waits when the pool is closed, and nothing has left", async () => {
    const { transporter, gate } = gated(open(nodemailer, { maxConnections: 1 }));
    let release = (): void => {};
    gate.commit = () =>
      new Promise((resolve) => {
        release = () => resolve({ reservation: "r" });
      });
    const sends = [0, 1, 2].map((index) => transporter.sendMail(mailTo(index)));
    while (gate.commits.length === 0) await new Promise(setImmediate);
    transporter.close();
    const late = await Promise.allSettled(sends.slice(1));
    expect(late.map((one) => one.status)).toEqual(["rejected", "rejected"]);
    release();
    await Promise.allSettled(sends);
    expect(server.mails.length).toBeLessThanOrEqual(1);
    expect(gate.outcomes.filter((outcome) => outcome.fate === "failed").length).toBeGreaterThanOrEqual(2);
  });
});

describe("a mail that the pool tries again", () => {
  /**
   * Has the connection in use drop right before the next mail: one that was used before and closes
   * before a byte of the text is sent, so that the pool puts the mail back into its queue.
   */
  function dropNext(transporter: AnyTransporter): void {
    const pool = transporter.transporter as unknown as {
      _connections: { connection: { _socket: { destroy(): void }; send: unknown } }[];
    };
    const connection = pool._connections[0]?.connection;
    if (!connection) throw new Error("the pool has no connection");
    const { send } = Object.getPrototypeOf(connection) as { send(...args: unknown[]): unknown };
    connection.send = (...args: unknown[]) => {
      connection._socket.destroy();
      return send.apply(connection, args);
    };
  }

  it("is asked for again with the fate of the attempt before", async () => {
    const gate = new TestGate();
    const { transporter } = gated(open(current, { maxConnections: 1 }), gate);
    await transporter.sendMail(mailTo(0));
    dropNext(transporter);
    await transporter.sendMail(mailTo(1));
    const fates: (Fate | undefined)[] = [undefined, undefined, "failed"];
    expect(gate.commits).toEqual(fates);
    expect(server.mails.map((mail) => mail.to[0])).toEqual(["p0@ok.test", "p1@ok.test"]);
  });

  it("is not sent again when the answer is no", async () => {
    const gate = new TestGate();
    const { transporter } = gated(open(current, { maxConnections: 1 }), gate);
    await transporter.sendMail(mailTo(0));
    gate.commit = (previous) =>
      previous === undefined ? Promise.resolve({ reservation: "r" }) : Promise.reject(halted());
    dropNext(transporter);
    expect(await codeOf(transporter.sendMail(mailTo(1)))).toBe("HALTED");
    await transporter.sendMail(mailTo(2)).catch(() => {});
    expect(server.mails.map((mail) => mail.to[0])).not.toContain("p1@ok.test");
  });
});

describe("aborting", () => {
  it("takes a queued mail out of the pool, and nothing is spent on it", async () => {
    const { transporter, gate } = gated(open(current, { maxConnections: 1 }));
    const abort = new AbortController();
    gate.commit = async () => {
      abort.abort();
      return { reservation: "r" };
    };
    const first = transporter.sendMail(mailTo(0));
    const second = transporter.sendMail({ ...mailTo(1), signal: abort.signal });
    const [one, two] = await Promise.allSettled([first, second]);
    expect(one.status).toBe("fulfilled");
    expect(two).toMatchObject({ status: "rejected", reason: { code: "EABORT", name: "AbortError" } });
    expect(gate.commits).toHaveLength(1);
    expect(new Set(gate.outcomes.map((outcome) => outcome.fate))).toEqual(new Set(["accepted", "failed"]));
    await transporter.sendMail(mailTo(2));
    expect(server.mails.map((mail) => mail.to[0])).toEqual(["p0@ok.test", "p2@ok.test"]);
  });
});
