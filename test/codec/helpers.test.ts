import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  copyJson,
  fateOfStatus,
  headerProblem,
  isNoConnection,
  mergeContent,
  mergePairs,
  mergePlaceholders,
  mimeRecipients,
  originalsOf,
  type Plain,
  parseAddress,
  type Refusal,
  Routes,
  readHeaders,
  readTarget,
  redirectMime,
  rewriteAddresses,
  type Shape,
  unknownFields,
} from "../../src/adapter";

const limits = { depth: 20, nodes: 1_000, bytes: 100_000 };

describe("targets", () => {
  it.each([
    ["/v3/mail/send", "/v3/mail/send"],
    ["//v3///mail/send//", "/v3/mail/send"],
    ["/v3/x/../mail/./send", "/v3/mail/send"],
    ["/v3/x/%2e%2E/mail/send", "/v3/mail/send"],
    ["/v3/x/..%2fmail/%73end", "/v3/mail/send"],
    ["/v3/mail\\send", "/v3/mail/send"],
    ["/v3/mail%5csend", "/v3/mail/send"],
    ["/../../v3/mail/send", "/v3/mail/send"],
    ["/v3/%zz/%C3%BC/%ff", "/v3/%zz/ü/%ff"],
    ["/", "/"],
  ])("%s is read as %s", (written, path) => {
    expect(readTarget(new URL(`https://api.test${written}`)).path).toBe(path);
  });

  it("has its query pairs in order, repeats among them", () => {
    const query = (text: string) => readTarget(new URL(`https://api.test/mail${text}`)).query;
    expect(query("?b=1&a=%20&b=2")).toEqual([
      ["b", "1"],
      ["a", " "],
      ["b", "2"],
    ]);
    for (const none of ["", "?", "#?b=1"]) expect(query(none)).toEqual([]);
  });

  it("reading a path twice says the same", () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true }), (url) => {
        const { path } = readTarget(new URL(url));
        expect(path.startsWith("/")).toBe(true);
        expect(path.split("/")).not.toContain("..");
      }),
    );
  });
});

describe("routes", () => {
  const routes = new Routes({
    "POST /v3/lists/*": "one",
    "* /v3/lists/**": "any",
    "GET /v3/exact": "exact",
  });
  it.each([
    ["POST", "/v3/lists/5", "one"],
    ["POST", "/V3/Lists/5", "one"],
    ["PUT", "/v3/lists/5", "any"],
    ["POST", "/v3/lists/5/members/6", "any"],
    ["PUT", "/v3/lists", "any"],
    ["GET", "/v3/exact", "exact"],
    ["GET", "/v3/exact/more", undefined],
    ["POST", "/v3/exact", undefined],
    ["POST", "/v3/lists/a;b", undefined],
    ["POST", "/v3/lists/a%2fb", undefined],
    ["POST", "/v3/lists/a b", undefined],
    ["POST", "/v3/listsx", undefined],
  ])("%s %s", (method, path, value) => {
    expect(routes.find(method, path)?.value).toBe(value);
  });
});

describe("closed lists of fields", () => {
  const shape: Shape = { a: true, b: { c: true }, d: [{ e: true }] };
  it.each<[string, Plain, string[]]>([
    ["the listed ones", { a: { any: "thing" }, b: { c: 1 }, d: [{ e: 1 }, {}] }, []],
    ["null for any", { a: null, b: null, d: null }, []],
    ["another", { A: 1 }, ["A"]],
    ["another deep in a list", { d: [{}, { f: 1 }] }, ["d[1].f"]],
    ["an inherited name", { constructor: 1, toString: 1 }, ["constructor", "toString"]],
    ["a list for an object", { b: [] }, ["b"]],
    ["an object for a list", { d: { e: 1 } }, ["d"]],
    ["text for an object", { b: "c" }, ["b"]],
  ])("%s", (_, value, where) => {
    expect(unknownFields(value, shape, "").map((problem) => problem.where)).toEqual(where);
  });

  it("names no field that could be an address, and ends", () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`a${at}@x.test`, 1]));
    const problems = unknownFields(many, shape, "");
    expect(problems).toHaveLength(100);
    expect(JSON.stringify(problems)).not.toContain("@");
  });
});

describe("headers", () => {
  it.each([
    "Bcc",
    "bcc",
    "B c c",
    "Bcc\0",
    "ＢＣＣ",
    "Resent-To",
    "X-SMTPAPI",
    "X-MC-BccAddress",
    "X-MSYS-API",
    "Apparently-To",
    "Envelope-To",
  ])("%j may name recipients", (name) => {
    expect(headerProblem(name, "x", "h")?.code).toBe("HEADER_REFUSED");
  });
  it.each([
    "X-App",
    "Reply-To",
    "List-Unsubscribe",
    "Message-ID",
    "X-Mailfuse-Original-To",
    "Auto-Submitted",
    "X-To-Do",
  ])("%s may be set", (name) => {
    expect(headerProblem(name, "x", "h")).toBeUndefined();
  });
  it.each([
    ["X-A: 1\r\nBcc", "x"],
    ["X-A", "1\nBcc: e@x.test"],
    ["", "x"],
    ["X A", "x"],
  ])("%j: %j is refused", (name, value) => {
    expect(headerProblem(name, value, "h")?.code).toBe("HEADER_REFUSED");
  });
});

describe("copies of JSON", () => {
  it("are what JSON.stringify would send", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = JSON.stringify(value);
        if (/"(?:__proto__|toString)"/.test(text)) return;
        expect(JSON.stringify(copyJson(value, { ...limits, nodes: 100_000 }))).toBe(text);
      }),
    );
  });

  class Person {
    readonly address = "a@b.test";
    get name(): string {
      return "inherited, so not written";
    }
  }
  class Renewing {
    toJSON(key: string): unknown {
      return { key, at: new Date(0), again: [new Person(), undefined] };
    }
  }
  const odd: unknown[] = [
    undefined,
    null,
    "",
    "\ud800",
    Number.NaN,
    Number.NEGATIVE_INFINITY,
    -0,
    1.5,
    true,
    () => 1,
    Symbol("s"),
    new Date(0),
    new Date(Number.NaN),
    Buffer.from("a"),
    new Uint8Array([1, 2]),
    new Map([["a", 1]]),
    new Set([1]),
    Object("boxed"),
    Object(7),
    Object(false),
    /a/,
    new URL("https://a.test"),
    new Person(),
    new Renewing(),
    Object.assign(Object.create(null) as object, { a: 1 }),
    Object.assign(() => 1, { toJSON: (key: string) => `f ${key}` }),
    Object.assign([1, 2], { toJSON: () => "a list that writes itself" }),
    // biome-ignore lint/suspicious/noSparseArray: a hole is written as null
    [1, , 2],
    { [Symbol("s")]: 1, kept: 2 },
    { toJSON: "not a function" },
    new Proxy({ a: 1, b: [2] }, {}),
    new Proxy([1, 2], {}),
  ];

  it("are what JSON.stringify would send of anything else, too", () => {
    const anything = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom(...odd) },
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(fc.string({ maxLength: 3 }), tie("value"), { maxKeys: 4 }),
      ),
    })).value;
    fc.assert(
      fc.property(anything, (value) => {
        const text = JSON.stringify(value);
        if (text !== undefined && /"(?:__proto__|toString)"/.test(text)) return;
        expect(copyJson(value, limits)).toStrictEqual(text === undefined ? undefined : JSON.parse(text));
      }),
      { numRuns: 1_000 },
    );
  });

  it("share nothing with what they were taken from", () => {
    const value = { to: ["a@b.test"], nested: { deep: [{ x: 1 }] } };
    const copy = copyJson(value, limits);
    value.to.push("e@x.test");
    (value.nested.deep[0] as { x: number }).x = 2;
    expect(copy).toEqual({ to: ["a@b.test"], nested: { deep: [{ x: 1 }] } });
  });

  it("read each property once", () => {
    const reads: string[] = [];
    const value = new Proxy(
      { to: "a@b.test", list: [1], at: new Date(0), left: undefined },
      {
        get(target, key, self) {
          reads.push(String(key));
          return Reflect.get(target, key, self) as unknown;
        },
      },
    );
    copyJson(value, limits);
    expect(reads).toEqual(["toJSON", "to", "list", "at", "left"]);
  });

  it("ask toJSON once", () => {
    let asked = 0;
    const value = { to: { toJSON: () => (++asked > 1 ? "b" : "a") } };
    expect(copyJson(value, limits)).toEqual({ to: "a" });
    expect(asked).toBe(1);
  });

  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) });
  it.each<[string, unknown, string]>([
    ["a cycle", cycle, "COPY_CYCLE"],
    ["a bigint", { a: 1n }, "COPY_UNSUPPORTED"],
    ["many values", Array.from({ length: 2_000 }, () => 1), "COPY_TOO_LARGE"],
    [
      "a list without end",
      new Proxy([], { get: (_, key) => (key === "length" ? 2 ** 32 - 1 : key === "0" ? 1 : undefined) }),
      "COPY_TOO_LARGE",
    ],
    ["long text", "x".repeat(200_000), "COPY_TOO_LARGE"],
    ["deep nesting", deep(200), "COPY_TOO_LARGE"],
    [
      "a getter that throws",
      {
        get a() {
          throw new Error("no");
        },
      },
      "COPY_UNSUPPORTED",
    ],
  ])("refuse %s", (_, value, code) => {
    expect(() => copyJson(value, limits)).toThrow(expect.objectContaining({ code }));
  });
});

describe("merging", () => {
  it("replaces in one pass, longer keys first", () => {
    expect(
      mergePairs("-a- -ab- %", [
        ["-a-", "-ab-"],
        ["-ab-", "$&"],
        ["%", "-a-"],
      ]),
    ).toBe("-ab- $& -a-");
  });

  it("gives up on what would cost or grow too much", () => {
    expect(mergePairs("a".repeat(10_000), [["a", "b".repeat(10_000)]])).toBeUndefined();
    expect(
      mergePairs(
        "x".repeat(100_000),
        Array.from({ length: 1_000 }, (_, at) => [`k${at}`, "v"]),
      ),
    ).toBeUndefined();
  });

  it.each<[string, string, boolean, string, boolean]>([
    ["plain names", "Hi {{name}}", false, "Hi Ann & Co", false],
    ["HTML", "{{ name }} {{{name}}}", true, "Ann &#x26; Co Ann & Co", false],
    ["parts", "{{order.id}}", false, "42", false],
    ["a missing name", "Hi {{none}}", false, "Hi {{none}}", true],
    ["a block", "{{#if name}}x{{/if}}", false, "{{#if name}}x{{/if}}", true],
    ["an inherited name", "{{constructor}}{{__proto__}}", false, "{{constructor}}{{__proto__}}", true],
    ["braces in a value", "{{braces}}", false, "{{name}}", false],
  ])("%s", (_, text, html, expected, open) => {
    const data = { name: "Ann & Co", order: { id: 42 }, braces: "{{name}}" };
    expect(mergePlaceholders(text, data, html)).toEqual({ text: expected, open });
  });

  it("says what stays unbound", () => {
    expect(mergeContent({ subject: "{{a}}", text: "{{b}}" }, { a: "1" }, "rest")).toEqual({
      subject: "1",
      text: "{{b}}",
      unbound: "rest",
    });
  });
});

describe("fates", () => {
  it.each([
    [200, "accepted"],
    [204, "accepted"],
    [302, "unknown"],
    [400, "refused"],
    [404, "refused"],
    [408, "unknown"],
    [429, "refused"],
    [499, "unknown"],
    [500, "unknown"],
    [503, "unknown"],
  ] as const)("%d is %s", (status, fate) => expect(fateOfStatus(status)).toBe(fate));

  it.each<[string, unknown, boolean]>([
    ["a refused connection", { code: "ECONNREFUSED" }, true],
    ["a name that is not found", { code: "ENOTFOUND", syscall: "getaddrinfo" }, true],
    ["a connection that times out", { code: "ETIMEDOUT", syscall: "connect" }, true],
    ["a read that times out", { code: "ETIMEDOUT", syscall: "read" }, false],
    ["a reset", { code: "ECONNRESET", syscall: "connect" }, false],
    ["a cause", { message: "fetch failed", cause: { code: "ECONNREFUSED" } }, true],
    ["all addresses refused", { errors: [{ code: "ECONNREFUSED" }, { code: "ECONNREFUSED" }] }, true],
    ["one of them reached", { errors: [{ code: "ECONNREFUSED" }, { code: "ECONNRESET" }] }, false],
    ["nothing", undefined, false],
  ])("%s", (_, error, expected) => expect(isNoConnection(error)).toBe(expected));
});

describe("addresses", () => {
  it.each([
    ["ann@acme.test", "ann@acme.test"],
    ["a@x.test,b@x.test", "a@x.test,b@x.test"],
    ["a@x.test,  b@x.test", "a@x.test,  b@x.test"],
    ["Ann <ann@acme.test>", "Ann <ann@acme.test>"],
    ["Ann@ACME.test", "Ann@acme.test"],
    ["Ann <Ann@ACME.test>", "Ann <Ann@acme.test>"],
    ["a@x.test; nobody knows", "a@x.test; nobody knows"],
  ])("%j leave as %j", (text, written) => {
    expect(rewriteAddresses(text, "list")).toBe(written);
  });

  it("of a redirected mail fit one header line", () => {
    const originals = Array.from({ length: 1_000 }, (_, at) => `person${at}@customers.test`);
    const value = originalsOf({ subjectPrefix: "[x]", originals });
    expect(Buffer.byteLength(value)).toBeLessThan(950);
    expect(value).toMatch(/^person0@customers\.test, .* and \d+ more$/);
  });
});

describe("rendered messages", () => {
  const inbox = parseAddress("inbox@staging.test", "to");
  if ("code" in inbox) throw new Error(inbox.message);

  it("name people in every recipient header, folded and repeated", () => {
    const problems: Refusal[] = [];
    const block = readHeaders(
      Buffer.from(
        "To: a@x.test,\r\n\tb@x.test\r\nTO: c@x.test\r\nResent-Bcc: d@x.test\r\nCc: undisclosed-recipients:;\r\nX-SMTPAPI: {}\r\n\r\nTo: e@x.test",
      ),
    );
    expect(mimeRecipients(block, "raw", problems).map(({ field, address }) => `${field} ${address}`)).toEqual([
      "to a@x.test",
      "to b@x.test",
      "to c@x.test",
      "bcc d@x.test",
    ]);
    expect(problems.map(({ code }) => code)).toEqual(["HEADER_REFUSED"]);
  });

  it("are redirected with the body as it was", () => {
    const message = Buffer.from(
      "From: a@acme.test\nTo: x@y.test,\n z@y.test\nB\u00a0cc: h@y.test\r\nsubject: =?utf-8?q?Hi?=\r\n there\r\nList-Unsubscribe: <u>\r\nDKIM-Signature: v=1;\r\n b=x\r\nX-App: 1\r\n\r\nTo: body@y.test\r\n",
    );
    const text = redirectMime(message, inbox, { subjectPrefix: "[stäging]", originals: ["x@y.test"] }).toString();
    expect(text).toBe(
      "From: a@acme.test\r\nSubject: =?utf-8?B?W3N0w6RnaW5nXQ==?= =?utf-8?q?Hi?=\r\n there\r\nX-App: 1\r\nTo: inbox@staging.test\r\nX-Mailfuse-Original-To: x@y.test\r\n\r\nTo: body@y.test\r\n",
    );
  });

  it("are redirected to the inbox alone, whatever they hold", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom(
            "To",
            "cc",
            "B c c",
            "B\u00a0cc",
            "ＢＣＣ",
            "Resent-To",
            "X-A",
            "Subject",
            " fold",
            "",
            "no colon",
            ": x",
          ),
          {
            maxLength: 12,
          },
        ),
        fc.constantFrom("\r\n", "\n", "\r"),
        (names, end) => {
          const message = Buffer.from(`${names.map((name) => `${name}: p@x.test`).join(end)}${end}${end}body`);
          const problems: Refusal[] = [];
          const copy = redirectMime(message, inbox, { subjectPrefix: "[x]", originals: [] });
          const people = mimeRecipients(readHeaders(copy), "raw", problems).map(({ address }) => address);
          expect(people).toEqual(["inbox@staging.test"]);
        },
      ),
    );
  });
});
