import { Blob, File } from "node:buffer";
import { Readable } from "node:stream";
import Handlebars from "handlebars";
import { describe, expect, it } from "vitest";
import { snapshot } from "../../src/snapshot";
import { notPlain } from "./plainness";

const ok = "ok@allowed.test";
const evil = "evil@evil.test";

describe("dates", () => {
  it("come from their internal slot, whatever their methods say", () => {
    class Forged extends Date {
      override getTime(): number {
        return 0;
      }
      override toJSON(): string {
        return evil;
      }
    }
    const date = Object.assign(new Forged(86_400_000), { address: evil });
    const copy = snapshot({ date }) as { date: Date };
    expect(copy).toStrictEqual({ date: new Date(86_400_000) });
    expect(JSON.stringify(copy)).toBe('{"date":"1970-01-02T00:00:00.000Z"}');
    expect(notPlain(copy)).toBeUndefined();
    expect(snapshot(new Date(Number.NaN))).toStrictEqual(new Date(Number.NaN));
  });

  it("of libraries become Dates when their JSON is an instant, and text when it is not", () => {
    const library = (json: string) =>
      new (class {
        readonly internals = { locale: () => "en" };
        toJSON(): string {
          return json;
        }
      })();
    expect(snapshot(library("2026-11-21T10:00:00.000Z"))).toStrictEqual(new Date("2026-11-21T10:00:00.000Z"));
    expect(snapshot(library("2026-11-21T10:00:00.000+02:00"))).toBe("2026-11-21T10:00:00.000+02:00");
    expect(snapshot(library("2026-99-99T10:00:00.000Z"))).toBe("2026-99-99T10:00:00.000Z");
  });
});

describe("bytes", () => {
  const bytes = [0x66, 0x75, 0x73, 0x65];
  const backing = Uint8Array.from([0, 0, ...bytes, 0, 0]).buffer;
  const sharedMemory = new SharedArrayBuffer(4);
  new Uint8Array(sharedMemory).set(bytes);

  it.each([
    ["Buffer", Buffer.from(bytes)],
    ["Uint8Array", Uint8Array.from(bytes)],
    ["a window of a larger buffer", new Uint8Array(backing, 2, 4)],
    ["Uint16Array", new Uint16Array(backing, 2, 2)],
    ["DataView", new DataView(backing, 2, 4)],
    ["ArrayBuffer", Uint8Array.from(bytes).buffer],
    ["SharedArrayBuffer", sharedMemory],
  ])("of a %s are copied to a Buffer", (_, source) => {
    const copy = snapshot({ content: source }) as { content: Buffer };
    expect(copy.content.equals(Buffer.from(bytes))).toBe(true);
    expect(notPlain(copy)).toBeUndefined();
    const memory = ArrayBuffer.isView(source) ? new Uint8Array(source.buffer) : new Uint8Array(source);
    const before = memory.slice();
    memory.fill(0);
    expect(copy.content.equals(Buffer.from(bytes))).toBe(true);
    memory.set(before);
  });

  it("are taken from the internal slots, not from overridden properties", () => {
    class Forged extends Uint8Array {
      override get length(): number {
        return 1;
      }
      override get byteLength(): number {
        return 1;
      }
    }
    const forged = Object.assign(Forged.from(bytes), { toJSON: () => evil, address: evil });
    const copy = snapshot({ raw: forged });
    expect(copy).toStrictEqual({ raw: Buffer.from(bytes) });
    expect(notPlain(copy)).toBeUndefined();
  });

  it("of a Blob or File stay theirs, without what was hung on them", async () => {
    const file = Object.assign(new File([ok], "a.txt", { type: "text/plain", lastModified: 5 }), {
      text: async () => evil,
    });
    const copy = snapshot({ file, blob: new Blob([ok]) }) as unknown as { file: File; blob: Blob };
    expect([copy.file.name, copy.file.type, copy.file.lastModified, await copy.file.text()]).toEqual([
      "a.txt",
      "text/plain",
      5,
      ok,
    ]);
    expect(await copy.blob.text()).toBe(ok);
    expect(copy.file).not.toBe(file);
    expect(notPlain(copy)).toBeUndefined();
  });
});

describe("URLs", () => {
  it("become text", () => {
    const href = Object.assign(new URL("https://acme.test/a b?c"), { toJSON: () => evil });
    expect(snapshot({ href })).toStrictEqual({ href: "https://acme.test/a%20b?c" });
  });
});

describe("instances", () => {
  class Person {
    static count = 0;
    readonly name: string;
    readonly #address: string;
    notify = (): string => evil;
    constructor(name: string, address: string) {
      this.name = name;
      this.#address = address;
    }
    get address(): string {
      return this.#address;
    }
    set address(_: string) {}
    set written(_: string) {}
    greet(): string {
      return evil;
    }
  }
  class Customer extends Person {
    get label(): string {
      return `${this.name}!`;
    }
    override get address(): string {
      return super.address.toLowerCase();
    }
  }

  it("are their own data and inherited getters, nearest first, without methods", () => {
    const copy = snapshot({ to: [new Person("Ann", ok), new Customer("Bo", ok.toUpperCase())] });
    expect(copy).toStrictEqual({
      to: [
        { name: "Ann", address: ok },
        { name: "Bo", address: ok, label: "Bo!" },
      ],
    });
    expect(notPlain(copy)).toBeUndefined();
  });

  it("include enumerable data of their prototypes: defaults given by Object.create", () => {
    function Old(this: { to: string }) {
      this.to = ok;
    }
    Old.prototype.kind = "old";
    Old.prototype.send = (): string => evil;
    const old = new (Old as unknown as new () => object)();
    const envelope = Object.assign(Object.create({ from: ok, to: [evil] }), { to: [ok] });
    const inherited = Object.create({ to: [evil] });
    expect(snapshot([old, envelope, inherited])).toStrictEqual([
      { to: ok, kind: "old" },
      { to: [ok], from: ok },
      { to: [evil] },
    ]);
  });

  it("are what their toJSON gives, deep and copied itself", () => {
    class Mail {
      readonly internals = new Map();
      toJSON(): unknown {
        return { to: [new Person("Ann", ok)], again: new Id() };
      }
    }
    class Id {
      readonly buffer = Symbol("id");
      toJSON(): string {
        return "64b7";
      }
    }
    class Self {
      to = ok;
      toJSON(): this {
        return this;
      }
    }
    expect(snapshot(new Mail())).toStrictEqual({ to: [{ name: "Ann", address: ok }], again: "64b7" });
    expect(snapshot(new Self())).toStrictEqual({ to: ok });
  });

  it("are their text when they have nothing else", () => {
    class Email {
      readonly #value = ok;
      toString(): string {
        return this.#value;
      }
    }
    class Empty {}
    expect(snapshot([new Email(), new Empty(), new Handlebars.SafeString("<b>")])).toStrictEqual([
      ok,
      {},
      { string: "<b>" },
    ]);
  });

  it("of array classes are arrays", () => {
    class Recipients extends Array<string> {
      get first(): string | undefined {
        return this[0];
      }
    }
    const copy = snapshot({ to: Recipients.from([ok]) });
    expect(copy).toStrictEqual({ to: [ok] });
    expect(notPlain(copy)).toBeUndefined();
  });
});

describe("streams", () => {
  it("stay where they are", () => {
    const content = Readable.from([ok]);
    const web = new ReadableStream();
    const copy = snapshot({
      attachments: [{ content }, { content: web }, { path: "/tmp/a" }, { href: "https://acme.test" }],
    });
    expect(copy).toStrictEqual({
      attachments: [{ content }, { content: web }, { path: "/tmp/a" }, { href: "https://acme.test" }],
    });
  });

  it("are not confused with objects that happen to pipe", () => {
    class Effect {
      readonly to = ok;
      pipe(): this {
        return this;
      }
    }
    expect(snapshot({ effect: new Effect() })).toStrictEqual({ effect: { to: ok } });
  });
});

describe("the outermost object", () => {
  const only = new Set(["to", "subject", "context"]);

  it("can be read selectively; what stands inside is read whole", () => {
    const mail = { to: [{ name: "n", address: ok }], subject: "s", template: "t", helpers: { f: () => evil } };
    const copy = snapshot(mail, { only });
    expect(copy).toStrictEqual({ to: [{ name: "n", address: ok }], subject: "s" });
    expect(notPlain(copy)).toBeUndefined();
  });

  it("can be an instance", () => {
    class Mail {
      readonly helpers = { f: () => evil };
      readonly context = { other: 1 };
      get to(): string {
        return ok;
      }
      get connection(): never {
        throw new Error("not connected");
      }
    }
    class Rendered {
      toJSON(): object {
        return { to: ok, helpers: { f: () => evil } };
      }
    }
    expect(snapshot(new Mail(), { only })).toStrictEqual({ context: { other: 1 }, to: ok });
    expect(snapshot(new Rendered(), { only })).toStrictEqual({ to: ok });
  });
});
