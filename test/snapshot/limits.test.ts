import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MailfuseError } from "../../src/errors";
import { defaultSnapshotLimits, type SnapshotOptions, snapshot } from "../../src/snapshot";
import { notPlain } from "./plainness";

function outcome(value: unknown, options?: SnapshotOptions): string {
  try {
    snapshot(value, options);
    return "copied";
  } catch (error) {
    if (!MailfuseError.isInstance(error)) throw error;
    return `${error.code} ${error.refusals[0]?.where ?? "-"}`;
  }
}

const nested = (levels: number): unknown => {
  let value: unknown = "end";
  for (let i = 0; i < levels; i++) value = i % 2 ? [value] : { in: value };
  return value;
};

describe("cycles", () => {
  it("are refused with the place where they close", () => {
    const mail: Record<string, unknown> = { to: { list: [] as unknown[] } };
    (mail.to as { list: unknown[] }).list.push(mail);
    expect(outcome(mail)).toBe("COPY_CYCLE to.list[0]");

    const list: unknown[] = [];
    list.push(list);
    expect(outcome({ to: list })).toBe("COPY_CYCLE to[0]");

    class Entity {
      readonly name = "n";
      get owner(): this {
        return this;
      }
    }
    expect(outcome({ to: new Entity() })).toBe("COPY_CYCLE to.owner");

    class Node {
      constructor(readonly children: unknown[]) {}
      toJSON(): unknown {
        return { children: this.children };
      }
    }
    const node = new Node([]);
    node.children.push(node);
    expect(outcome({ node })).toBe("COPY_CYCLE node.children[0]");
  });
});

describe("depth", () => {
  it("is bounded without overflowing the stack", () => {
    expect(outcome(nested(100))).toBe("copied");
    expect(outcome(nested(101))).toMatch(/^COPY_TOO_LARGE (in\[0\]\.|\[0\]\.in)/);
    const far = outcome(nested(200_000));
    expect(far).toMatch(/^COPY_TOO_LARGE .*…$/);
    expect(far.length).toBeLessThan(200);
    expect(outcome(nested(3), { depth: 2 })).toMatch(/^COPY_TOO_LARGE/);
  });

  it("stays below a thousand whatever is configured", () => {
    expect(outcome(nested(1_000), { depth: 1e9 })).toBe("copied");
    expect(outcome(nested(1_001), { depth: 1e9 })).toMatch(/^COPY_TOO_LARGE/);
  });

  it("ends objects that go on for ever", () => {
    const endless = (): object => Object.defineProperty({}, "next", { enumerable: true, get: endless });
    class Fresh {
      toJSON(): unknown {
        return { again: new Fresh() };
      }
    }
    class Renewing {
      to = "ok@allowed.test";
      toJSON(): Renewing {
        return new Renewing();
      }
    }
    const proxied = (): object => new Proxy({ a: 1 }, { get: () => proxied() });
    expect(outcome(endless())).toMatch(/^COPY_TOO_LARGE next\.next/);
    expect(outcome(new Fresh())).toMatch(/^COPY_TOO_LARGE again\.again/);
    expect(outcome(proxied())).toMatch(/^COPY_TOO_LARGE a\.a/);
    // JSON.stringify asks once as well.
    expect(snapshot(new Renewing())).toStrictEqual({ to: "ok@allowed.test" });
  });

  it("turns a stack that is nearly full already into a refusal", () => {
    const outcomes = new Set<string>();
    const descend = (): void => {
      try {
        descend();
      } catch {
        // The stack is full here; the frames above have more and more room for the copy.
      }
      if (outcomes.has("copied")) return;
      try {
        outcomes.add(outcome({ to: nested(90) }).split(" ")[0] as string);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    };
    descend();
    expect([...outcomes]).toEqual(["COPY_UNSUPPORTED", "copied"]);
  });
});

describe("nodes", () => {
  it("allow a hundred thousand recipients and refuse four times as many", () => {
    const people = (n: number) => Array.from({ length: n }, (_, i) => ({ name: `n${i}`, address: `a${i}@acme.test` }));
    expect(outcome({ to: people(100_000) })).toBe("copied");
    expect(outcome({ to: people(400_000) })).toMatch(/^COPY_TOO_LARGE to\[\d+\]/);
  });

  it("are counted before an array is read", () => {
    expect(outcome(new Array(4_294_967_295))).toBe("COPY_TOO_LARGE -");
    expect(outcome({ to: new Array(2_000_000).fill("a@acme.test") })).toBe("COPY_TOO_LARGE to");
    expect(outcome(new Array(900_000).fill("a@acme.test"))).toBe("copied");
  });

  it("count shared objects each time, so that sharing cannot blow up", () => {
    let bomb: unknown = ["x"];
    for (let i = 0; i < 60; i++) bomb = i % 2 ? [bomb, bomb] : { a: bomb, b: bomb };
    expect(outcome(bomb, { nodes: 100_000 })).toMatch(/^COPY_TOO_LARGE/);
  });

  it("bound lying arrays, key lists and prototype chains", () => {
    const lying = (length: unknown) =>
      new Proxy([] as unknown[], { get: (_, key) => (key === "length" ? length : "x") });
    expect(
      [1e15, Number.POSITIVE_INFINITY, -1, 0.5, Number.NaN, "2", undefined, {}].map((n) => outcome(lying(n))),
    ).toEqual(["COPY_TOO_LARGE -", ...Array(7).fill("COPY_UNSUPPORTED -")]);
    expect(snapshot(lying(2))).toStrictEqual(["x", "x"]);

    const keys = Array.from({ length: 20_000 }, (_, i) => `k${i}`);
    const wide = new Proxy(
      {},
      {
        ownKeys: () => keys,
        getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }),
        get: () => 1,
      },
    );
    expect(outcome(wide, { nodes: 10_000 })).toMatch(/^COPY_TOO_LARGE/);

    // The engine gives up on such a chain by itself in some places.
    const chain = (): object => new Proxy({}, { getPrototypeOf: () => chain() });
    expect(outcome(chain())).toMatch(/^COPY_/);
    let long: object = {};
    for (let i = 0; i < 10_000; i++) long = Object.create(long);
    expect(outcome(long, { nodes: 1_000 })).toBe("COPY_TOO_LARGE -");
  });

  it("take what a proxy says about its keys as far as it then stands by it", () => {
    const lying = new Proxy(
      { hidden: 1 },
      {
        ownKeys: () => ["a", "b", "hidden"],
        getOwnPropertyDescriptor: (_, key) =>
          key === "a" ? { value: 0, enumerable: true, configurable: true } : undefined,
        get: (_, key) => `${String(key)}!`,
      },
    );
    expect(snapshot(lying)).toStrictEqual({ a: "a!" });
  });
});

describe("bytes", () => {
  it("count text, names and binary together", () => {
    const bytes = 1_000;
    expect(outcome({ text: "x".repeat(996) }, { bytes })).toBe("copied");
    expect(outcome({ text: "x".repeat(997) }, { bytes })).toBe("COPY_TOO_LARGE text");
    expect(outcome([Buffer.alloc(500), { c: Buffer.alloc(500) }], { bytes })).toBe("COPY_TOO_LARGE [1].c");
    expect(outcome([new ArrayBuffer(1_001)], { bytes })).toBe("COPY_TOO_LARGE [0]");
    expect(outcome({ content: new Blob(["x".repeat(1_001)]) }, { bytes })).toBe("COPY_TOO_LARGE content");
    expect(outcome({ ["k".repeat(1_001)]: 1 }, { bytes })).toBe("COPY_TOO_LARGE […]");
  });

  it("count the text of instances, and end integers that take for ever to write", () => {
    class Verbose {
      toString(): string {
        return "x".repeat(1_001);
      }
    }
    expect(outcome({ to: new Verbose() }, { bytes: 1_000 })).toBe("COPY_TOO_LARGE to");
    expect(outcome([2n ** 255n, -(2n ** 255n)])).toBe("copied");
    expect([2n ** 256n, -(2n ** 1_000_000n)].map((id) => outcome({ id }))).toEqual(Array(2).fill("COPY_TOO_LARGE id"));
  });

  it("allow large everyday mail by default", () => {
    expect(outcome({ attachments: [{ content: Buffer.alloc(25_000_000) }], html: "x".repeat(10_000_000) })).toBe(
      "copied",
    );
    expect(outcome({ attachments: [{ content: "A".repeat(34_000_000), encoding: "base64" }] })).toBe("copied");
    expect(outcome({ to: { name: "n".repeat(10_000_000), address: "ok@allowed.test" } })).toBe("copied");
    expect(outcome({ text: "x".repeat(defaultSnapshotLimits.bytes) })).toBe("COPY_TOO_LARGE text");
  });
});

it("gives plain data or a coded refusal, whatever comes", () => {
  const hostile = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5, depthSize: "medium" },
      fc.anything({
        withBigInt: true,
        withBoxedValues: true,
        withDate: true,
        withMap: true,
        withNullPrototype: true,
        withObjectString: true,
        withSet: true,
        withSparseArray: true,
        withTypedArray: true,
      }),
      fc.func(fc.anything()),
      fc.constantFrom(
        Symbol("s"),
        /x/,
        new URL("https://acme.test"),
        new Error("e"),
        Buffer.from("b"),
        new Proxy({}, {}),
        Proxy.revocable({}, {}).proxy,
      ),
      fc.array(tie("value")),
      fc.dictionary(
        fc.oneof(fc.string(), fc.constantFrom("__proto__", "toString", "toJSON", "constructor", "length")),
        tie("value"),
      ),
      tie("value").map((inner) => new Proxy([inner], {})),
      tie("value").map((inner) => Object.create({ inner })),
      tie("value").map((inner) => Object.defineProperty({}, "got", { enumerable: true, get: () => inner })),
      tie("value").map(
        (inner) =>
          new (class {
            toJSON(): unknown {
              return inner;
            }
          })(),
      ),
    ),
  })).value;
  fc.assert(
    fc.property(hostile, (value) => {
      let copy: unknown;
      try {
        copy = snapshot(value, { nodes: 10_000 });
      } catch (error) {
        if (!MailfuseError.isInstance(error)) throw error;
        expect(error.code).toMatch(/^COPY_/);
        return;
      }
      expect(notPlain(copy)).toBeUndefined();
    }),
    { numRuns: 300 },
  );
});
