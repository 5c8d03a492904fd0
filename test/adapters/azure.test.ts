import { EmailClient, type EmailClientOptions, type EmailMessage } from "@azure/communication-email";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { azureAdapter, azureCodec } from "../../adapters/azure";
import { guardedFetch } from "../../adapters/fetch";
import type { Adapter, Plain } from "../../src/adapter";
import { adapterConformance } from "../../src/testing/adapter";
import type { RecordedRequest } from "../../src/testing/recorder";
import { type Endpoint, onWire, startEndpoint } from "../support/endpoint";
import { hold, liveFuse, type OpenGate, openGate, refusalOf, testFuse } from "../support/gates";

const done = { id: "5e1c3b1e-0000-4000-8000-000000000001", status: "Succeeded", error: null };

let endpoint: Endpoint;
beforeAll(async () => {
  endpoint = await startEndpoint(({ method }) => {
    if (method === "GET") return { body: done };
    const headers = { "operation-location": `${endpoint.url}/emails/operations/${done.id}?api-version=2025-09-01` };
    return { status: 202, headers, body: { ...done, status: "Running" } };
  });
});
beforeEach(() => {
  endpoint.arrived.length = 0;
  endpoint.answers.length = 0;
});
afterAll(() => endpoint.close());

interface Request {
  url: string;
  method: string;
  body?: unknown;
  headers: { set(name: string, value: string): void };
  requestOverrides?: object;
}
type Next = (request: Request) => Promise<unknown>;
interface Policy {
  readonly name: string;
  sendRequest(request: Request, next: Next): Promise<unknown>;
}
interface Pipeline {
  addPolicy(policy: Policy, options?: object): void;
  removePolicy(options: object): Policy[];
  getOrderedPolicies(): Policy[];
  clone(): Pipeline;
  sendRequest(httpClient: object, request: Request): Promise<unknown>;
}
/** What the types hide, and what is there all the same. */
interface Inner {
  pipeline: Pipeline;
  _httpClient: { sendRequest: Next };
  sendRequest(request: Request): Promise<unknown>;
  email: {
    beginSend(message: object, options?: object): Promise<unknown>;
    beginSendAndWait(message: object): Promise<unknown>;
  };
}
const inner = (c: EmailClient) => (c as unknown as { generatedClient: Inner }).generatedClient;

const ann = { address: "ann@acme.test" };
const bob = { address: "bob@acme.test" };
const evil = "evil@evil.test";
const plain: EmailMessage = {
  senderAddress: "app@sender.test",
  content: { subject: "Hello", plainText: "Hi Ann" },
  recipients: { to: [ann] },
};
const mail = (more: object = {}): EmailMessage => ({ ...plain, ...more });
const quick = { maxRetries: 3, retryDelayInMs: 1, maxRetryDelayInMs: 1 };
const towards = (url: string, options: EmailClientOptions = {}) =>
  new EmailClient(`endpoint=${url}/;accesskey=a2V5`, {
    allowInsecureConnection: true,
    retryOptions: quick,
    ...options,
  });
const client = (options?: EmailClientOptions) => towards(endpoint.url, options);
const adapter = () => azureAdapter() as Adapter<EmailClient>;
const held = (made = client(), unattached?: "refuse" | "pass") => hold(made, adapter(), unattached);
const sent = () => endpoint.arrived.filter(({ method }) => method === "POST");
const bodies = () => sent().map(({ body }) => JSON.parse(body));

let pattern: Request;
// Taken before any client is attached: later ones of its class are strangers.
beforeAll(async () => {
  const catching: Policy = {
    name: "catching",
    async sendRequest(request) {
      pattern = request;
      throw new Error("caught");
    },
  };
  const other = client({ additionalPolicies: [{ policy: catching as never, position: "perCall" }] });
  await other.beginSend(mail()).catch(() => {});
});

/** A request as the pipeline has them, without an operation behind it. */
function rawRequest(more: object = {}): Request {
  const headers = new (pattern.headers.constructor as new () => Request["headers"])();
  headers.set("content-type", "application/json");
  const url = `${endpoint.url}/emails:send?api-version=2025-09-01`;
  return Object.assign(Object.create(Object.getPrototypeOf(pattern)) as Request, pattern, { url, headers }, more);
}

function peopleOf(gate: OpenGate): string[][] {
  const found = gate.calls.find(({ intent }) => intent.kind === "send")?.intent;
  if (!found || !("messages" in found)) return [];
  return found.messages.map(({ recipients }) => recipients.map(({ field, person }) => `${field}:${person}`));
}

/** What stands on the wire, without what differs between two requests for one mail. */
function comparable(request: ReturnType<typeof onWire>): unknown {
  const { headers, ...rest } = request as { headers: Record<string, string> };
  const changing = ["authorization", "x-ms-date", "x-ms-client-request-id"];
  return { ...rest, headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !changing.includes(name))) };
}

describe("what leaves", () => {
  const ordinary: readonly [string, (c: EmailClient) => Promise<unknown>][] = [
    ["one mail", async (c) => (await c.beginSend(mail())).pollUntilDone()],
    [
      "a mail with everything",
      async (c) =>
        (
          await c.beginSend(
            mail({
              content: { subject: "Hello — ü", plainText: "Hi", html: "<p>Hi</p>" },
              recipients: {
                to: [{ address: "ann@acme.test", displayName: "Smith, Ann" }],
                cc: [bob],
                bcc: [{ address: "carl@acme.test" }],
              },
              replyTo: [{ address: "help@sender.test", displayName: "Help" }],
              headers: { "X-Priority": "1", "x-ref": "2" },
              attachments: [{ name: "a.txt", contentType: "text/plain", contentInBase64: "aGVsbG8=", contentId: "a" }],
              disableUserEngagementTracking: true,
            }),
            {
              operationId: "5e1c3b1e-0000-4000-8000-00000000000a",
              requestOptions: { customHeaders: { "X-Own": "1" } },
            },
          )
        ).pollUntilDone(),
    ],
    ["the inner client", (c) => inner(c).email.beginSendAndWait(mail())],
  ];
  it.each(ordinary)("is the same request with and without a fuse: %s", async (_name, call) => {
    const bare = await call(client());
    const before = endpoint.arrived.length;
    const guarded = await call(liveFuse().attach(client(), azureAdapter()));
    expect(guarded).toEqual(bare);
    expect(endpoint.arrived).toHaveLength(2 * before);
    expect(endpoint.arrived.slice(before).map((one) => comparable(onWire(one)))).toEqual(
      endpoint.arrived.slice(0, before).map((one) => comparable(onWire(one))),
    );
  });

  it("writes recipients anew from their parse, and signs what it wrote", async () => {
    const { client: c } = held();
    await c.beginSend(
      mail({ recipients: { to: [{ address: " Ann@ACME.test" }], bcc: [{ address: "Bob@ACME.test " }] } }),
    );
    expect(bodies()[0].recipients).toEqual({ to: [{ address: "Ann@acme.test" }], bcc: [{ address: "Bob@acme.test" }] });
    const [request] = sent();
    const digest = await crypto.subtle.digest("SHA-256", Buffer.from(request!.body));
    expect(request!.headers["x-ms-content-sha256"]).toBe(Buffer.from(digest).toString("base64"));
  });

  it("lets policies of the application see it, and add headers", async () => {
    const seen: unknown[] = [];
    const policy: Policy = {
      name: "own",
      sendRequest(request, next) {
        seen.push(request.body);
        request.headers.set("x-own", "1");
        return next(request);
      },
    };
    const { client: c, gate } = held(
      client({ additionalPolicies: [{ policy: policy as never, position: "perRetry" }] }),
    );
    await c.beginSend(mail());
    expect(seen[0]).toBe(sent()[0]?.body);
    expect(sent()[0]?.headers["x-own"]).toBe("1");
    expect(gate.calls.map(({ intent }) => intent.kind)).toEqual(["send", "read"]);
  });
});

describe("what is read", () => {
  it("finds everybody", async () => {
    const { client: c, gate } = held();
    await c.beginSend(mail({ recipients: { to: [ann], cc: [bob], bcc: [{ address: "carl@acme.test" }] } }));
    expect(peopleOf(gate)).toEqual([["to:ann@acme.test", "cc:bob@acme.test", "bcc:carl@acme.test"]]);
    expect(gate.calls[0]?.intent).toMatchObject({ messages: [{ from: "app@sender.test", headers: [] }] });
    expect(gate.commits).toBe(1);
  });

  it("gives different mails different digests, files included", async () => {
    const digests = new Set<string>();
    const file = { name: "a", contentType: "x/y", contentInBase64: "AA==" };
    const variants = [
      {},
      { content: { subject: "x", plainText: "Hi Ann" } },
      { content: { subject: "Hello", plainText: "x" } },
      { content: { subject: "Hello", plainText: "Hi Ann", html: "x" } },
      { attachments: [file] },
      { attachments: [{ ...file, name: "b" }] },
      { attachments: [{ ...file, contentInBase64: "AQ==" }] },
    ];
    for (const variant of variants) {
      const { client: c, gate } = held();
      await c.beginSend(mail(variant));
      const intent = gate.calls[0]?.intent;
      if (intent && "messages" in intent) digests.add(intent.messages[0]!.digest());
    }
    expect(digests.size).toBe(variants.length);
  });

  it("takes what asks about an accepted mail for a read", async () => {
    const { client: c, gate } = held();
    endpoint.answers.push({
      status: 202,
      headers: { "operation-location": `${endpoint.url}/emails/operations/x` },
      body: { id: "x", status: "Running" },
    });
    const poller = await c.beginSend(mail());
    expect(await poller.pollUntilDone()).toMatchObject({ status: "Succeeded" });
    await c.beginSend(mail(), { resumeFrom: poller.toString() });
    expect(gate.calls.map(({ intent }) => intent.kind).filter((kind) => kind !== "read")).toEqual(["send"]);
    expect(sent()).toHaveLength(1);
  });

  it("tells other services of the same host apart, and text messages from those", async () => {
    const { client: c, gate } = held();
    const post = async (path: string) =>
      inner(c).sendRequest(await rawRequest({ url: `${endpoint.url}${path}`, body: "{}" }));
    await post("/identities");
    await post("/chat/threads");
    await post("/sms?api-version=1");
    expect(gate.calls.map(({ intent }) => intent.kind)).toEqual(["management", "management", "system"]);
  });
});

describe("retries", () => {
  const purposes = (onUnknown: "hold" | "resend") => ({
    notice: { kind: "stream" as const, onUnknown, caps: [{ people: 10, per: "1h" as const }] },
  });

  it("are made after throttling, and for one mail", async () => {
    const { client: c, gate } = held();
    endpoint.answers.push({ status: 429, headers: { "retry-after": "0" }, body: {} });
    await c.beginSend(mail());
    expect(sent()).toHaveLength(2);
    expect(gate.outcomes[0]).toMatchObject({ fate: "accepted", messageId: done.id });
  });

  it.each([
    ["a lost answer", { reset: true as const }],
    ["a server's error", { status: 503, body: {} }],
    ["a server's error with a time to wait", { status: 503, headers: { "retry-after": "0" }, body: {} }],
    ["a redirect", { status: 307, headers: { location: "/emails:send?api-version=1" }, body: {} }],
  ])("are not made after %s, where the SDK would", async (_name, answer) => {
    endpoint.answers.push(answer);
    await client().beginSend(mail());
    expect(sent()).toHaveLength(2);
    endpoint.arrived.length = 0;
    const fuse = liveFuse({ purposes: purposes("hold") });
    const c = fuse.attach(client(), azureAdapter());
    endpoint.answers.push(answer);
    expect(await refusalOf(fuse.run({ purpose: "notice" }, () => c.beginSend(mail())))).toMatch(/^[A-Z_]+$/);
    expect(sent()).toHaveLength(1);
  });

  it("are made after a lost answer where the purpose says so", async () => {
    const fuse = liveFuse({ purposes: purposes("resend") });
    const c = fuse.attach(client(), azureAdapter());
    endpoint.answers.push({ reset: true });
    await fuse.run({ purpose: "notice" }, () => c.beginSend(mail()));
    expect(sent()).toHaveLength(2);
  });
});

describe("what is refused", () => {
  const send = (c: EmailClient, more: object) => c.beginSend(mail(more));
  const raw = (c: EmailClient, more: object) => inner(c).sendRequest(rawRequest(more));
  const written = (more: object) => JSON.stringify({ ...plain, ...more });
  const attacks: readonly [string, (c: EmailClient) => unknown][] = [
    ["Bcc among the headers", (c) => send(c, { headers: { Bcc: evil } })],
    ["To among the headers", (c) => send(c, { headers: { "T o": evil } })],
    ["a header that ends in another", (c) => send(c, { headers: { "X-A": `1\r\nBcc: ${evil}` } })],
    ["two addresses in one", (c) => send(c, { recipients: { to: [{ address: `ann@acme.test, ${evil}` }] } })],
    [
      "two addresses in a hidden copy",
      (c) => send(c, { recipients: { to: [ann], bcc: [{ address: `bob@acme.test;${evil}` }] } }),
    ],
    ["nobody", (c) => send(c, { recipients: { to: [] } })],
    ["no recipients at all", (c) => raw(c, { body: JSON.stringify({ ...plain, recipients: undefined }) })],
    ["a field nobody documents", (c) => raw(c, { body: written({ bcc: [evil] }) })],
    ["a field in another case", (c) => raw(c, { body: written({ Recipients: { to: [{ address: evil }] } }) })],
    ["an unknown field of the recipients", (c) => raw(c, { body: written({ recipients: { to: [ann], list: evil } }) })],
    [
      "an unknown field of a recipient",
      (c) => raw(c, { body: written({ recipients: { to: [{ ...ann, also: evil }] } }) }),
    ],
    ["recipients as text", (c) => raw(c, { body: written({ recipients: { to: evil } }) })],
    ["a mail that is a list", (c) => raw(c, { body: JSON.stringify([plain]) })],
    ["a mail as a stream", (c) => raw(c, { body: () => new Blob([written({})]).stream() })],
    ["a mail as a form", (c) => raw(c, { body: undefined, formData: { a: evil } })],
    ["a read with a form", (c) => raw(c, { method: "GET", body: undefined, formData: { a: evil } })],
    ["a mail in parts", (c) => raw(c, { body: undefined, multipartBody: { parts: [{ body: evil }] } })],
    ["an unknown path", (c) => raw(c, { url: `${endpoint.url}/emails:sendAll`, body: written({}) })],
    ["a path that is cut short", (c) => raw(c, { url: `${endpoint.url}/emails;x:send`, body: written({}) })],
    ["a path with a query", (c) => raw(c, { url: `${endpoint.url}/emails:send?bcc=${evil}`, body: written({}) })],
    ["another host", (c) => raw(c, { url: "https://evil.test/emails:send", body: written({}) })],
    ["another method", (c) => raw(c, { method: "PUT", body: written({}) })],
    [
      "a method in a header",
      (c) => c.beginSend(mail(), { requestOptions: { customHeaders: { "X-HTTP-Method-Override": "PUT" } } }),
    ],
    [
      "a read that is led elsewhere on its way",
      (c) => raw(c, { method: "GET", body: undefined, requestOverrides: { method: "POST", path: "/emails:send" } }),
    ],
    [
      "a mail that is led elsewhere on its way",
      (c) => raw(c, { body: written({}), requestOverrides: { path: "/emails:send?x" } }),
    ],
  ];
  it.each(attacks)("%s", async (_name, attack) => {
    const c = liveFuse().attach(client(), azureAdapter());
    expect(await refusalOf(attack(c))).toMatch(/^[A-Z_]+$/);
    expect(endpoint.arrived).toEqual([]);
  });

  const rewriting = (change: (request: Request) => void): Policy => ({
    name: "rewriting",
    sendRequest(request, next) {
      change(request);
      return next(request);
    },
  });
  const changes: readonly [string, (request: Request) => void][] = [
    ["recipients", (request) => (request.body = written({ recipients: { to: [{ address: evil }] } }))],
    ["the text", (request) => (request.body = written({ content: { subject: "x", plainText: "x" } }))],
    ["the host", (request) => (request.url = request.url.replace("127.0.0.1", "localhost"))],
    ["the query", (request) => (request.url = `${request.url}&bcc=${evil}`)],
    ["the body's encoding", (request) => request.headers.set("content-encoding", "gzip")],
  ];
  it.each(changes)("a policy that changes %s afterwards, wherever it stands", async (_name, change) => {
    for (const options of [{}, { phase: "Serialize" }, { phase: "Retry" }, { afterPhase: "Sign" }]) {
      const c = liveFuse().attach(client(), azureAdapter());
      inner(c).pipeline.addPolicy(rewriting(change), options);
      expect(await refusalOf(c.beginSend(mail()))).toBe("CHOKE_POINT_CHANGED");
    }
    expect(endpoint.arrived).toEqual([]);
  });

  it("a change of the request during the last word: what was looked at leaves", async () => {
    const request = rawRequest({ body: written({}) });
    const commit = async () => {
      request.body = written({ recipients: { to: [{ address: evil }] } });
      request.url = request.url.replace("127.0.0.1", "localhost");
      request.headers.set("x-late", "1");
      return { reservation: "r" };
    };
    const c = client();
    const attachment = azureAdapter().attach(c as never, { ...openGate(), pass: (call) => call.deliver(commit) });
    onTestFinished(() => attachment.detach());
    await inner(c).sendRequest(request);
    expect(bodies()).toEqual([plain]);
    expect(sent()[0]?.headers).not.toHaveProperty("x-late");
  });

  it("nothing of a mail in the error's text", async () => {
    const { client: c } = held();
    const bad = { recipients: { to: [{ address: "evil@evil.test;x" }] }, headers: { Bcc: evil } };
    const error = await send(c, bad).catch((caught: unknown) => caught);
    expect(String(error)).not.toMatch(/evil|Hi Ann/);
  });
});

describe("every way to send passes the fuse", () => {
  const raw = (more: object = {}) => rawRequest({ body: JSON.stringify(plain), ...more });
  const ways: readonly [string, (c: EmailClient) => unknown][] = [
    ["the method", (c) => c.beginSend(mail())],
    ["the method of the class", (c) => EmailClient.prototype.beginSend.call(c, mail())],
    ["the inner client", (c) => inner(c).email.beginSend(mail())],
    ["the inner client, waiting", (c) => inner(c).email.beginSendAndWait(mail())],
    ["a request", (c) => inner(c).sendRequest(raw())],
    [
      "a request in another spelling",
      (c) => inner(c).sendRequest(raw({ url: `${endpoint.url}//x/../Emails%3Asend/` })),
    ],
    ["a request in lower case", (c) => inner(c).sendRequest(raw({ method: "post" }))],
    ["a body as bytes", (c) => inner(c).sendRequest(raw({ body: Buffer.from(JSON.stringify(plain)) }))],
    ["the pipeline", (c) => inner(c).pipeline.sendRequest(inner(c)._httpClient, raw())],
    [
      "the pipeline of the class",
      (c) => Object.getPrototypeOf(inner(c).pipeline).sendRequest.call(inner(c).pipeline, inner(c)._httpClient, raw()),
    ],
    [
      "the pipeline with another HTTP client",
      (c) =>
        inner(c).pipeline.sendRequest(
          { sendRequest: (one: Request) => inner(client())._httpClient.sendRequest(one) },
          raw(),
        ),
    ],
    [
      "after policies were taken out",
      (c) => {
        inner(c).pipeline.removePolicy({ name: "mailfuse" });
        inner(c).pipeline.removePolicy({ phase: "Retry" });
        return c.beginSend(mail());
      },
    ],
  ];
  it.each(ways)("%s", async (_name, way) => {
    const closed = testFuse(["nobody@nowhere.test"]).attach(client(), azureAdapter());
    expect(await refusalOf(way(closed))).toBe("NOT_ALLOWLISTED");
    expect(endpoint.arrived).toEqual([]);
    await way(testFuse(["ann@acme.test"]).attach(client(), azureAdapter()));
    expect(sent()).toHaveLength(1);
  });

  it("another client is a stranger: its mail is refused or passes, all else passes", async () => {
    const { client: c, gate, attachment } = held();
    const stranger = client();
    const other = rawRequest({ url: `${endpoint.url}/identities`, body: "{}" });
    const attempts: readonly (() => Promise<unknown>)[] = [
      () => stranger.beginSend(mail()),
      () => inner(stranger).email.beginSendAndWait(mail()),
      () =>
        inner(c)
          .pipeline.clone()
          .sendRequest(inner(c)._httpClient, rawRequest({ body: JSON.stringify(plain) })),
    ];
    for (const attempt of attempts) expect(await refusalOf(attempt())).toBe("UNATTACHED_SEND");
    await inner(stranger).sendRequest(other);
    expect(endpoint.arrived.map(({ url }) => url)).toEqual(["/identities"]);
    expect(gate.calls).toEqual([]);
    attachment.detach();
    await stranger.beginSend(mail());
    held(client(), "pass");
    await stranger.beginSend(mail());
    expect(sent()).toHaveLength(3);
  });

  it("a policy that answers in the provider's place sends nothing, and spends nothing", async () => {
    const answering: Policy = { name: "answering", sendRequest: async () => Promise.reject(new Error("not today")) };
    const { client: c, gate } = held();
    inner(c).pipeline.addPolicy(answering);
    await expect(c.beginSend(mail())).rejects.toThrow(/not today/);
    expect(gate.commits).toBe(0);
    expect(endpoint.arrived).toEqual([]);
  });

  it("fetch, by its host", async () => {
    const url = "https://acme.unitedstates.communication.azure.com/emails:send?api-version=2025-09-01";
    const onLoopback: typeof fetch = (input, init) =>
      fetch(String(input).replace(/^https:\/\/[^/]+/, endpoint.url), init);
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(plain) };
    expect(await refusalOf(guardedFetch(testFuse(["nobody@nowhere.test"]), { fetch: onLoopback })(url, init))).toBe(
      "NOT_ALLOWLISTED",
    );
    const open = guardedFetch(testFuse(["ann@acme.test"]), { fetch: onLoopback });
    expect((await open(url, init)).status).toBe(202);
    await open("https://acme.communication.azure.com/identities", { ...init, body: "{}" });
    expect(sent().map((one) => one.url)).toEqual(["/emails:send?api-version=2025-09-01", "/identities"]);
  });
});

describe("outcomes", () => {
  const answered = async (body: unknown, status = 202) => {
    const { client: c, gate } = held();
    endpoint.answers.push({ status, body });
    await c.beginSend(mail()).catch(() => {});
    return gate.outcomes[0];
  };
  const failed = (code: string) => ({ error: { code, message: "x" } });

  it.each([
    [{ id: "a", status: "Running" }, 202, { fate: "accepted", messageId: "a" }],
    [{ id: "a", status: "Succeeded" }, 200, { fate: "accepted", messageId: "a" }],
    [
      { id: "a", status: "Failed", ...failed("EmailDropped") },
      202,
      { fate: "refused", messageId: "a", providerCode: "EmailDropped" },
    ],
    [{ id: "a", status: "Whatever" }, 202, { fate: "unknown", messageId: "a" }],
    [{ status: "Running" }, 202, { fate: "unknown" }],
    ["", 202, { fate: "unknown" }],
    [failed("InvalidRecipients"), 400, { fate: "refused", providerCode: "InvalidRecipients" }],
    [failed("TooManyRequests"), 429, { fate: "refused", providerCode: "TooManyRequests" }],
    [failed("Whoops"), 501, { fate: "unknown", providerCode: "Whoops" }],
  ])("reads %j with status %i", async (body, status, expected) => {
    expect(await answered(body, status)).toEqual(expected);
  });
});

const replacements: Readonly<Record<string, (c: EmailClient) => void>> = {
  "the pipeline's sendRequest assigned": (c) => {
    inner(c).pipeline.sendRequest = async () => ({});
  },
  "the pipeline's sendRequest defined": (c) => {
    Object.defineProperty(inner(c).pipeline, "sendRequest", { value: async () => ({}) });
  },
  "another pipeline": (c) => {
    inner(c).pipeline = inner(c).pipeline.clone();
  },
  "another HTTP client": (c) => {
    inner(c)._httpClient = { sendRequest: inner(c)._httpClient.sendRequest };
  },
  "another inner client": (c) => {
    (c as unknown as { generatedClient: Inner }).generatedClient = inner(towards("http://127.0.0.1:9"));
  },
};

describe("attaching", () => {
  it("refuses what is no client, and one that other code has been at", () => {
    expect(() => azureAdapter().attach({ beginSend: async () => ({}) } as never, openGate())).toThrow(
      /ATTACH_UNSUPPORTED/,
    );
    const patched = client();
    inner(patched).pipeline.sendRequest = async () => ({});
    expect(() => adapter().attach(patched, openGate())).toThrow(/ATTACH_UNSUPPORTED/);
  });

  it.each(Object.entries(replacements))("notices on the next send, and on demand: %s", async (_name, replace) => {
    const fuse = liveFuse();
    const c = fuse.attach(client(), azureAdapter());
    expect(fuse.verify()).toEqual([]);
    replace(c);
    expect(fuse.verify()).toMatchObject([{ code: "CHOKE_POINT_CHANGED" }]);
    expect(await refusalOf(c.beginSend(mail()))).toBe("CHOKE_POINT_CHANGED");
  });

  it("names its account by the resource", () => {
    expect(held().attachment.account).toBe("127.0.0.1");
  });
});

it("never throws on a request's content", () => {
  const values = [
    null,
    1,
    "x",
    [],
    {},
    { recipients: 1, content: 1, headers: 1, attachments: 1 },
    { recipients: { to: [1, null, "x", {}], cc: 1, bcc: { address: "x" } }, headers: [1], attachments: [1, {}] },
    { recipients: { to: [{ address: {}, displayName: 1 }] }, content: { subject: 1 }, headers: { a: {} } },
    { id: 1, status: 1, error: 1 },
    { error: { code: {} } },
  ];
  for (const path of ["/emails:send", "/emails", "/sms", "/identities", "", "/"]) {
    for (const value of values as Plain[]) {
      const request = { method: "POST", path, query: [], headers: [], body: { kind: "json" as const, value } };
      const intent = azureCodec.classify(request);
      if ("messages" in intent) for (const message of intent.messages) message.digest();
      azureCodec.simulate(request);
      azureCodec.rewrite?.(request);
      for (const status of [200, 400]) azureCodec.outcome(request, { status, headers: {}, body: value });
    }
  }
});

const changing = /^(?:authorization|x-ms-date|x-ms-client-request-id|host|x-ms-useragent)$/i;

adapterConformance(
  { describe, it },
  {
    name: "azure",
    adapter,
    client: (url) => towards(url, { retryOptions: { ...quick, maxRetries: 1 } }),
    recipients: ({ body }) => {
      const { to = [], cc = [], bcc = [] } = JSON.parse(body.toString()).recipients;
      return [...to, ...cc, ...bcc].map(({ address }: typeof ann) => address);
    },
    replies: {
      // Done at once, so that nothing asks how it goes on.
      accepted: () => ({ headers: { "content-type": "application/json" }, body: JSON.stringify(done) }),
      refused: {
        status: 400,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ error: { code: "InvalidRecipients", message: "x" } }),
      },
      throttled: { status: 429, headers: { "retry-after": "0" } },
    },
    reads: (poller) => (poller as { getResult(): unknown }).getResult(),
    comparable: ({ method, url, rawHeaders, body }: RecordedRequest) => ({
      method,
      url,
      headers: rawHeaders.filter(([name]) => !changing.test(name)),
      body: body.toString("latin1"),
    }),
    sends: {
      text: {
        args: (to) => [mail({ recipients: { to: to.map((address) => ({ address })) } })],
        call: (c, [message]) => c.beginSend(message as never),
      },
      copies: {
        args: (to) => [
          mail({
            content: { subject: "Hello", html: "<p>Hi</p>" },
            recipients: {
              to: to.slice(0, 1).map((address) => ({ address })),
              bcc: to.slice(1).map((address) => ({ address })),
            },
            headers: { "List-Unsubscribe": "<x>", "X-Ref": "1" },
          }),
        ],
        call: (c, [message]) => c.beginSend(message as never),
      },
    },
    tampers: replacements,
    read: (c) =>
      c.beginSend(mail(), {
        resumeFrom: JSON.stringify({
          state: {
            status: "running",
            config: {
              operationLocation: `${(c as unknown as { generatedClient: { endpoint: string } }).generatedClient.endpoint}emails/operations/x`,
              metadata: { mode: "OperationLocation" },
            },
          },
        }),
      }),
  },
);
