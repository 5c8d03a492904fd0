import { Blob } from "node:buffer";
import { createReadStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { Duplex, PassThrough, Readable, Stream, Writable } from "node:stream";
import { setImmediate as tick } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { MailfuseError } from "../../src/errors";
import {
  type BufferOptions,
  bufferStreams,
  discardStreams,
  findStreams,
  type Plain,
  snapshot,
} from "../../src/snapshot";
import { manualClock } from "../../src/testing/clock";

const clock = manualClock();
const buffered = (value: unknown, options: Partial<BufferOptions> = {}): Promise<Plain> =>
  bufferStreams(snapshot(value), { clock, ...options });

/** The refusal, as code, place and message. */
async function refused(value: unknown, options?: Partial<BufferOptions>): Promise<string> {
  const error = await buffered(value, options).then(
    () => new Error("Expected a refusal, got content."),
    (reason: unknown) => reason,
  );
  if (!MailfuseError.isInstance(error)) throw error;
  return error.message;
}

/** Fails the test when an error goes unheard, as it would end a process. */
function hearUnheard(): void {
  const unheard = (error: unknown): never => {
    throw error;
  };
  process.on("unhandledRejection", unheard);
  onTestFinished(() => void process.off("unhandledRejection", unheard));
}

const silent = (): Readable => new Readable({ read() {} });

describe("streams", () => {
  it("of every kind become their content", async () => {
    const directory = await mkdtemp(path.join(tmpdir(), "mailfuse-"));
    onTestFinished(() => rm(directory, { recursive: true }));
    const file = path.join(directory, "a.txt");
    await writeFile(file, "x".repeat(70_000));
    const legacy = Object.assign(new Stream(), { readable: true, resume() {} });
    const paused = Readable.from([Buffer.from("pau"), Buffer.from("sed")]).pause();
    const through = new PassThrough();
    through.end("through");
    const copy = buffered({
      html: Readable.from(["<p>", Buffer.from("ü"), new Uint8Array([0x21])]),
      attachments: [
        { content: createReadStream(file) },
        { content: new Blob(["bl", "ob"]).stream() },
        { content: new Blob(["blob"]) },
        { content: legacy },
        { content: paused },
        { content: through },
        { content: Readable.from([]) },
        { content: Readable.from([Buffer.from("00ff", "hex")]).setEncoding("hex") },
      ],
    });
    legacy.emit("data", "leg");
    legacy.emit("data", Buffer.from("acy"));
    legacy.emit("end");
    const { html, attachments } = (await copy) as { html: Buffer; attachments: { content: Buffer }[] };
    expect([html, ...attachments.map(({ content }) => content)].every((content) => Buffer.isBuffer(content))).toBe(
      true,
    );
    expect(html.toString()).toBe("<p>ü!");
    expect(attachments.map(({ content }) => content.toString())).toEqual([
      "x".repeat(70_000),
      "blob",
      "blob",
      "legacy",
      "paused",
      "through",
      "",
      "00ff",
    ]);
  });

  it("may be the whole request", async () => {
    expect(await buffered(Readable.from(["raw"]))).toStrictEqual(Buffer.from("raw"));
  });

  it("that stand in two places are read once", async () => {
    for (const content of [Readable.from(["once"]), new Blob(["once"]).stream()]) {
      const copy = await buffered({ a: content, b: [content] });
      expect(copy).toStrictEqual({ a: Buffer.from("once"), b: [Buffer.from("once")] });
    }
  });

  it("are found with their places, and none in everyday mail", () => {
    const content = silent();
    expect(
      findStreams(
        snapshot({ to: ["a@acme.test"], date: new Date(0), raw: Buffer.from("x"), attachments: [{ path: "/a" }] }),
      ),
    ).toEqual([]);
    expect(
      findStreams(snapshot({ html: content, attachments: [{ content }, { "a@acme.test": content }] })).map(
        (place) => place.where,
      ),
    ).toEqual(["html", "attachments[0].content", "attachments[1][…]"]);
  });

  it("leave a copy without streams as it is", async () => {
    const copy = snapshot({ to: "a@acme.test" });
    expect(await bufferStreams(copy, { clock })).toBe(copy);
  });
});

describe("a stream that cannot be read to its end", () => {
  it("is refused with its place, and its error as the cause", async () => {
    const boom = new Error("secret");
    const failing = new Readable({
      read() {
        this.destroy(boom);
      },
    });
    const error = await buffered({ attachments: [{ content: failing }] }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "STREAM_FAILED",
      cause: boom,
      refusals: [{ where: "attachments[0].content" }],
    });
    expect((error as Error).message).not.toContain("secret");
  });

  it("is refused when it has ended, failed or been destroyed before", async () => {
    const ended = Readable.from(["x"]);
    await ended.toArray();
    const failed = silent();
    failed.on("error", () => {});
    failed.destroy(new Error("before"));
    await tick();
    const locked = new Blob(["x"]).stream();
    locked.getReader();
    for (const stream of [ended, failed, silent().destroy(), locked, new Writable({ write() {} })]) {
      expect(await refused({ text: stream })).toMatch(
        /^STREAM_FAILED at text: Expected a stream that can be read to its end/,
      );
    }
  });

  it("is refused when it closes early or gives objects", async () => {
    const closing = silent();
    const closed = refused({ text: closing });
    closing.push("part");
    closing.destroy();
    expect(await closed).toMatch(/closed before its end/);
    expect(await refused({ text: Readable.from([{ to: "x" }]) })).toMatch(/neither text nor bytes/);
    expect(await refused({ text: new ReadableStream({ start: (controller) => controller.enqueue(5) }) })).toMatch(
      /neither text nor bytes/,
    );
    expect(await refused({ text: new ReadableStream({ pull: () => Promise.reject(new Error("x")) }) })).toMatch(
      /^STREAM_FAILED/,
    );
  });

  it("is destroyed together with all others when one fails", async () => {
    hearUnheard();
    const others = [silent(), silent()];
    let cancelled = false;
    const web = new ReadableStream({
      cancel() {
        cancelled = true;
      },
    });
    const failing = createReadStream("/nonexistent/file");
    expect(await refused({ a: others[0], b: failing, c: others[1], d: web })).toMatch(/^STREAM_FAILED at b/);
    await tick();
    expect([...others, failing].map((stream) => stream.destroyed)).toEqual([true, true, true]);
    expect(cancelled).toBe(true);
  });

  it("does not end the process with a second error", async () => {
    hearUnheard();
    const failing = [createReadStream("/nonexistent/a"), createReadStream("/nonexistent/b")];
    expect(await refused({ failing })).toMatch(/^STREAM_FAILED at failing\[[01]\]/);
    for (const stream of failing) stream.emit("error", new Error("again"));
    const throwing = Object.assign(new Duplex({ read() {}, write() {} }), {
      destroy() {
        throw new Error("no");
      },
    });
    expect(await refused({ throwing, failing: createReadStream("/nonexistent/c") })).toMatch(
      /^STREAM_FAILED at failing/,
    );
  });
});

describe("limits", () => {
  it("of bytes hold for all streams together", async () => {
    const half = () => Readable.from([Buffer.alloc(500)]);
    await expect(buffered({ a: half(), b: half() }, { bytes: 1_000 })).resolves.toBeDefined();
    expect(await refused({ a: half(), b: half(), c: Readable.from(["x"]) }, { bytes: 1_000 })).toMatch(
      /^COPY_TOO_LARGE/,
    );
    const endless = new Readable({
      read() {
        this.push(Buffer.alloc(65_536));
      },
    });
    expect(await refused({ a: endless })).toMatch(/^COPY_TOO_LARGE at a/);
    expect(endless.destroyed).toBe(true);
  });

  it("hold for streams that give nothing without end", async () => {
    let given = 0;
    function* nothing(): Generator<string> {
      for (;;) {
        given++;
        yield "";
      }
    }
    expect(await refused({ a: Readable.from(nothing()) })).toMatch(/^COPY_TOO_LARGE at a/);
    expect(given).toBeLessThan(20_000);
    const web = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(0)) });
    expect(await refused({ a: web })).toMatch(/^COPY_TOO_LARGE at a/);
  });

  it("of silence end a stream that falls dead, and not one that goes on", async () => {
    const dead = silent();
    const outcome = refused({ a: dead }, { idleMs: 1_000 });
    for (let i = 0; i < 5; i++) {
      clock.advance(900);
      dead.push("x");
      await tick();
    }
    clock.advance(999);
    await tick();
    expect(dead.destroyed).toBe(false);
    clock.advance(1);
    expect(await outcome).toMatch(/^STREAM_FAILED at a: .* gave nothing for 1000 ms/);
    expect(dead.destroyed).toBe(true);

    const pending = refused({ a: new ReadableStream() }, { idleMs: 1_000 });
    clock.advance(1_000);
    expect(await pending).toMatch(/gave nothing/);
  });

  it("of time end a stream that drips", async () => {
    const dripping = silent();
    const outcome = refused({ a: dripping }, { idleMs: 1_000, totalMs: 10_000 });
    for (let i = 0; i < 20; i++) {
      clock.advance(500);
      dripping.push("x");
      await tick();
    }
    expect(await outcome).toMatch(/^STREAM_FAILED at a: .* did not end within 10000 ms/);
  });

  it("are the caller's to cut short", async () => {
    const controller = new AbortController();
    const outcome = buffered({ a: silent() }, { signal: controller.signal });
    controller.abort(new Error("mine"));
    await expect(outcome).rejects.toMatchObject({ code: "STREAM_FAILED", cause: { message: "mine" } });
    expect(await refused({ a: silent() }, { signal: AbortSignal.abort() })).toMatch(/the caller aborted/);
  });

  it("leave no timer or listener behind", async () => {
    const timers = new Set<object>();
    const watched = {
      now: () => 0,
      after(): () => void {
        const timer = {};
        timers.add(timer);
        return () => timers.delete(timer);
      },
    };
    const { signal } = new AbortController();
    let listeners = 0;
    signal.addEventListener = () => void listeners++;
    signal.removeEventListener = () => void listeners--;
    await buffered({ a: Readable.from(["x"]) }, { clock: watched, signal });
    await refused({ a: createReadStream("/nonexistent"), b: silent() }, { clock: watched, signal });
    expect([timers.size, listeners]).toEqual([0, 0]);
  });
});

describe("discarding", () => {
  it("closes the streams of a mail that is not sent, and hears their errors", async () => {
    hearUnheard();
    const file = createReadStream("/nonexistent/file");
    let cancelled = false;
    const web = new ReadableStream({
      cancel() {
        cancelled = true;
        throw new Error("no");
      },
    });
    const locked = new ReadableStream();
    locked.getReader();
    const node = silent();
    discardStreams(snapshot({ file, web, locked, list: [node, new Blob(["x"])] }));
    await tick();
    expect([file.destroyed, node.destroyed, cancelled]).toEqual([true, true, true]);
  });
});
