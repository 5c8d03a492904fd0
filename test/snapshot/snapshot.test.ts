import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MailfuseError } from "../../src/errors";
import { type SnapshotOptions, snapshot } from "../../src/snapshot";
import { notPlain, objectsIn } from "./plainness";

const ok = "ok@allowed.test";
const evil = "evil@evil.test";

/** What `snapshot` refuses with. */
function refusal(value: unknown, options?: SnapshotOptions): MailfuseError {
  try {
    snapshot(value, options);
  } catch (error) {
    if (MailfuseError.isInstance(error)) return error;
    throw error;
  }
  throw new Error("Expected a refusal, got a copy.");
}

const where = (value: unknown, options?: SnapshotOptions): string => {
  const { code, refusals } = refusal(value, options);
  return `${code} ${refusals[0]?.where ?? "-"}`;
};

/** A getter that answers `first` once and `then` ever after. */
function flips(first: unknown, then: unknown): PropertyDescriptor & { reads: number } {
  const property = {
    reads: 0,
    enumerable: true,
    configurable: true,
    get: () => (property.reads++ === 0 ? first : then),
  };
  return property;
}

describe("plain data", () => {
  it("is copied as it is, sharing nothing and running nothing", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const named = JSON.stringify(value);
        fc.pre(!named.includes('"__proto__":') && !named.includes('"toString":'));
        const copy = snapshot(value);
        expect(copy).toStrictEqual(value);
        expect(JSON.stringify(copy)).toBe(named);
        expect(notPlain(copy, "$", objectsIn(value))).toBeUndefined();
      }),
    );
  });

  it("keeps primitives, empty containers, undefined and the order of properties", () => {
    const mail = {
      z: 1,
      a: undefined,
      n: null,
      big: 5n,
      nan: Number.NaN,
      minus: -0,
      "": "",
      list: [],
      map: {},
      7: true,
    };
    expect(snapshot(mail)).toStrictEqual(mail);
    expect(Object.keys(snapshot(mail) as object)).toEqual(Object.keys(mail));
    for (const leaf of [null, undefined, "", "text", 0, 1n, false]) expect(snapshot(leaf)).toBe(leaf);
  });

  it("copies frozen, sealed and prototype-less objects to writable ones", () => {
    const frozen = Object.freeze({
      to: Object.freeze([ok]),
      deep: Object.freeze(Object.assign(Object.create(null), { a: 1 })),
    });
    const copy = snapshot(frozen);
    expect(copy).toStrictEqual({ to: [ok], deep: { a: 1 } });
    expect(notPlain(copy)).toBeUndefined();
  });

  it("copies an object that stands in two places twice", () => {
    const shared = { address: ok };
    const copy = snapshot({ to: shared, cc: [shared, shared] }) as { to: object; cc: object[] };
    expect(copy).toStrictEqual({ to: shared, cc: [shared, shared] });
    expect(new Set([copy.to, ...copy.cc, shared]).size).toBe(4);
  });

  it("does not follow later changes of the source", () => {
    const mail = { to: [ok], from: { address: ok }, raw: Buffer.from(ok), date: new Date(0) };
    const copy = snapshot(mail);
    mail.to.push(evil);
    mail.from.address = evil;
    mail.raw.write(evil);
    mail.date.setTime(1);
    expect(copy).toStrictEqual({ to: [ok], from: { address: ok }, raw: Buffer.from(ok), date: new Date(0) });
  });

  it("leaves symbols and what is not enumerable behind", () => {
    const mail = Object.defineProperty({ to: ok, [Symbol("s")]: { to: evil } }, "toJSON", {
      value: () => ({ to: evil }),
    });
    const copy = snapshot(mail);
    expect(JSON.stringify(copy)).toBe(JSON.stringify({ to: ok }));
    expect(Reflect.ownKeys(copy as object)).toEqual(["to"]);
  });

  it("takes plain objects of another realm for plain", async () => {
    const vm = await import("node:vm");
    const foreign = vm.runInNewContext(`({ to: ["${ok}"], from: { address: "${ok}" }, none: {}, at: new Date(0) })`);
    const copy = snapshot(foreign);
    expect(copy).toStrictEqual({ to: [ok], from: { address: ok }, none: {}, at: new Date(0) });
    expect(notPlain(copy)).toBeUndefined();
  });
});

describe("one reading", () => {
  /** Wraps every container in a proxy that counts reads by path. */
  function counted(value: unknown, reads: Map<string, number>, path = "$"): unknown {
    if (typeof value !== "object" || value === null) return value;
    return new Proxy(value, {
      get(target, key, receiver) {
        const at = `${path}/${String(key)}`;
        reads.set(at, (reads.get(at) ?? 0) + 1);
        return counted(Reflect.get(target, key, receiver), reads, at);
      },
    });
  }

  it("reads each property exactly once, at any depth", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const named = JSON.stringify(value);
        fc.pre(!named.includes('"__proto__":') && !named.includes('"toString":'));
        const reads = new Map<string, number>();
        expect(snapshot(counted(value, reads))).toStrictEqual(value);
        expect([...reads].filter(([, count]) => count !== 1)).toEqual([]);
      }),
    );
  });

  it("keeps the first answer of a getter that changes its mind, in objects, arrays and instances", () => {
    const to = flips(ok, evil);
    const first = flips(ok, evil);
    const address = flips(ok, evil);
    const inherited = flips(ok, evil);
    class Person {}
    Object.defineProperty(Person.prototype, "address", { ...inherited, enumerable: false });
    const list = Object.defineProperty([] as string[], 0, first);
    const mail = Object.defineProperties({}, { to, list: { value: list, enumerable: true } });
    Object.defineProperty(mail, "cc", { value: Object.defineProperty({}, "address", address), enumerable: true });
    Object.defineProperty(mail, "bcc", { value: new Person(), enumerable: true });
    expect(snapshot(mail)).toStrictEqual({ to: ok, list: [ok], cc: { address: ok }, bcc: { address: ok } });
    expect([to, first, address, inherited].map(({ reads }) => reads)).toEqual([1, 1, 1, 1]);
  });

  it("asks a toJSON once", () => {
    let calls = 0;
    class Id {
      toJSON(): string {
        return calls++ === 0 ? ok : evil;
      }
    }
    const id = new Id();
    expect(snapshot({ to: id })).toStrictEqual({ to: ok });
    expect(calls).toBe(1);
  });

  it("ends at the length an array had when its reading began", () => {
    const to: unknown[] = [ok];
    const grow = { enumerable: true, get: () => to.push(evil) };
    to.push(Object.defineProperty({}, "name", grow));
    expect(snapshot({ to })).toStrictEqual({ to: [ok, { name: 3 }] });

    const shrinking: unknown[] = [];
    const cut = (): string => {
      shrinking.length = 1;
      return "x";
    };
    shrinking.push(Object.defineProperty({}, "name", { enumerable: true, get: cut }), evil);
    expect(snapshot(shrinking)).toStrictEqual([{ name: "x" }, undefined]);
  });

  it("is not misled by the getter of another property that changes this one", () => {
    const to = [ok];
    const mail = {
      to,
      get subject() {
        to.push(evil);
        return "s";
      },
    };
    const copy = snapshot(mail) as { to: string[] };
    to.push(evil);
    // Whatever was read is what is checked and sent; it does not change any more.
    expect(copy.to).toStrictEqual([ok, evil]);
  });
});

describe("what carries code", () => {
  it("drops no function silently from a plain object, so no toJSON or toString reaches a serialiser", () => {
    const forged = [
      { to: ok, toJSON: () => ({ to: evil }) },
      { to: { toString: () => ok, toJSON: () => evil } },
      { to: () => evil },
      { to: Object.assign(() => evil, { toString: () => evil }) },
      { to: [() => evil] },
      { headers: { "X-A": { toString: () => evil } } },
    ];
    expect(forged.map((mail) => where(mail))).toEqual([
      "COPY_UNSUPPORTED toJSON",
      "COPY_UNSUPPORTED to.toString",
      "COPY_UNSUPPORTED to",
      "COPY_UNSUPPORTED to",
      "COPY_UNSUPPORTED to[0]",
      "COPY_UNSUPPORTED headers[…].toString",
    ]);
  });

  it("does not read an array's other properties", () => {
    const batch = Object.assign([{ To: ok }], { toJSON: () => [{ To: evil }], length2: evil });
    expect(JSON.stringify(snapshot(batch))).toBe(JSON.stringify([{ To: ok }]));
  });

  it("unboxes from the internal slot", () => {
    const text = Object.assign(new String(ok), { address: evil, toString: () => evil, valueOf: () => evil });
    expect(snapshot({ to: text, n: new Number(1), b: new Boolean(false), i: Object(1n) })).toStrictEqual({
      to: ok,
      n: 1,
      b: false,
      i: 1n,
    });
  });

  it("refuses the property names that later code trips over, and keeps the harmless ones", () => {
    expect(where(JSON.parse(`{"to":"${ok}","__proto__":{"bcc":"${evil}"}}`))).toBe("COPY_UNSUPPORTED __proto__");
    expect(where({ envelope: { size: JSON.parse('{"toString":1}') } })).toBe("COPY_UNSUPPORTED envelope.size.toString");
    const mail = JSON.parse(
      `{"constructor":{"bcc":"${evil}"},"prototype":1,"valueOf":2,"hasOwnProperty":3,"then":4,"toJSON":5}`,
    );
    const copy = snapshot(mail) as object;
    expect(JSON.stringify(copy)).toBe(JSON.stringify(mail));
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect(String(copy)).toBe("[object Object]");
  });

  it("refuses what holds no data, saying where", () => {
    function* generate(): Generator<string> {
      yield evil;
    }
    const values: Record<string, unknown> = {
      symbol: Symbol("x"),
      boxedSymbol: Object(Symbol("x")),
      promise: Promise.resolve(evil),
      regexp: /evil@evil.test/,
      set: new Set([evil]),
      map: new Map([["address", evil]]),
      weakMap: new WeakMap(),
      weakSet: new WeakSet(),
      weakRef: new WeakRef({}),
      generator: generate(),
      iterator: [evil][Symbol.iterator](),
      params: new URLSearchParams({ to: evil }),
      form: new FormData(),
      signal: new AbortController().signal,
      response: new Response("x"),
      polyfilledFile: new (class {
        readonly name = "a.txt";
        get size(): number {
          return 1;
        }
        async arrayBuffer(): Promise<ArrayBuffer> {
          return new ArrayBuffer(1);
        }
      })(),
      class: class {},
    };
    for (const [name, value] of Object.entries(values)) {
      expect([name, where({ list: [value] })]).toEqual([name, "COPY_UNSUPPORTED list[0]"]);
    }
  });

  it("turns whatever reading throws into a refusal with the path and the cause", () => {
    const boom = new Error(`secret ${evil}`);
    const throwing = {
      enumerable: true,
      get() {
        throw boom;
      },
    };
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    class Entity {
      get address(): string {
        throw boom;
      }
    }
    const traps = new Proxy({}, { ownKeys: () => throwing.get() });
    const cases: [unknown, string][] = [
      [{ a: 1, to: [Object.defineProperty({}, "address", throwing)] }, "COPY_UNSUPPORTED to[0].address"],
      [{ to: new Entity() }, "COPY_UNSUPPORTED to.address"],
      [{ to: { toJSON: undefined, x: traps } }, "COPY_UNSUPPORTED to.x"],
      [Object.defineProperty([1, 2], 1, throwing), "COPY_UNSUPPORTED [1]"],
      [
        {
          to: new (class {
            toJSON() {
              throw boom;
            }
          })(),
        },
        "COPY_UNSUPPORTED to",
      ],
    ];
    for (const [value, expected] of cases) {
      expect(where(value)).toBe(expected);
      expect(refusal(value).cause).toBe(boom);
    }
    expect(where({ to: proxy })).toBe("COPY_UNSUPPORTED to");
    expect(where(proxy)).toBe("COPY_UNSUPPORTED -");
    expect(
      where(
        Object.defineProperty({}, "to", {
          enumerable: true,
          get: () => {
            throw undefined;
          },
        }),
      ),
    ).toBe("COPY_UNSUPPORTED to");
  });

  it("names no address, text or odd property name", () => {
    const secret = "ann.secret@acme.test";
    const spot = [
      { [secret]: { [secret]: () => secret } },
      { to: { [`${"x".repeat(41)}`]: Symbol(secret) } },
      { "a b": /secret/ },
    ].map((value) => refusal(value));
    for (const { message } of spot) expect(message).not.toMatch(/secret|x{41}|a b/);
    expect(spot.map((error) => error.refusals[0]?.where)).toEqual(["[…][…]", "to[…]", "[…]"]);
  });
});
