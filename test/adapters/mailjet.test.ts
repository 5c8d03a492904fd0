import Mailjet from "node-mailjet";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type MailjetClient, mailjetAdapter, mailjetCodec } from "../../adapters/mailjet";
import type { Adapter, Plain } from "../../src/adapter";
import { adapterConformance } from "../../src/testing/adapter";
import type { RecordedRequest } from "../../src/testing/recorder";
import { type Endpoint, onWire, startEndpoint } from "../support/endpoint";
import { hold, liveFuse, type OpenGate, openGate, refusalOf, testFuse } from "../support/gates";

type Client = InstanceType<typeof Mailjet>;
interface Person {
  readonly Email: string;
}
interface Sent {
  readonly To?: readonly Person[] | string;
  readonly Cc?: readonly Person[] | string;
  readonly Bcc?: readonly Person[] | string;
  readonly Recipients?: readonly Person[];
  readonly Messages?: readonly Sent[];
  readonly Globals?: Sent;
}

const listed = (value: readonly Person[] | string | undefined): string[] =>
  typeof value === "string" ? value.split(/, ?/) : (value ?? []).map(({ Email }) => Email);
const reachedBy = (sent: Sent): string[] => [
  ...[sent.To, sent.Cc, sent.Bcc, sent.Recipients].flatMap(listed),
  ...(sent.Messages ?? []).flatMap(reachedBy),
];

/** What Mailjet answers. */
function accepted(url: string, body: string) {
  const ids = { MessageUUID: "u-1", MessageID: "m-1" };
  const sent: Sent = body.startsWith("{") ? JSON.parse(body) : {};
  if (url.endsWith("/v3/send")) return { Sent: reachedBy(sent).map((Email) => ({ Email, ...ids })) };
  if (!url.endsWith("/v3.1/send")) return { Count: 0, Data: [], Total: 0 };
  const told = (people: Sent["To"]) =>
    listed(people).map((Email) => ({ Email, ...ids, MessageHref: "https://x.test" }));
  return {
    Messages: (sent.Messages ?? []).map(({ To, Cc, Bcc }) => ({
      Status: "success",
      CustomID: "",
      To: told(To),
      Cc: told(Cc),
      Bcc: told(Bcc),
    })),
  };
}

let endpoint: Endpoint;
beforeAll(async () => {
  // The one way there is to reach a server without TLS.
  (Mailjet.Request as unknown as { protocol: string }).protocol = "http://";
  endpoint = await startEndpoint(({ url, body }) => ({ body: accepted(url, body) }));
});
beforeEach(() => {
  endpoint.arrived.length = 0;
  endpoint.answers.length = 0;
});
afterAll(() => endpoint.close());

const ann = { Email: "ann@acme.test" };
const evil = { Email: "evil@evil.test" };
const mail = { From: { Email: "app@sender.test" }, To: [ann], Subject: "Hello", TextPart: "Hi Ann" };
const old = { FromEmail: "app@sender.test", Subject: "Hello", "Text-part": "Hi Ann" };
const client = (host = endpoint.host, options: object = {}) =>
  new Mailjet({ apiKey: "key", apiSecret: "secret", config: { host }, options });
const adapter = (options?: object) => mailjetAdapter(options) as Adapter<Client>;
const held = (made = client(), unattached?: "refuse" | "pass") => hold(made, adapter(), unattached);
const bodies = () => endpoint.arrived.map(({ body }) => JSON.parse(body));
const send = (c: Client, body: object | string) => c.post("send", { version: "v3.1" }).request(body as never);
const sendOne = (c: Client, more: object, beside: object = {}) =>
  send(c, { Messages: [{ ...mail, ...more }], ...beside });
const sendOld = (c: Client, body: object) => c.post("send", { version: "v3" }).request(body as never);

function messagesOf(gate: OpenGate) {
  const { intent } = gate.last();
  return "messages" in intent ? intent.messages : [];
}
const peopleOf = (gate: OpenGate): string[][] =>
  messagesOf(gate).map(({ recipients }) => recipients.map(({ field, person }) => `${field}:${person}`));

describe("what leaves", () => {
  const ordinary: readonly [string, (c: Client) => Promise<{ body: unknown }>][] = [
    ["one mail", (c) => sendOne(c, {})],
    [
      "a mail with everything",
      (c) =>
        sendOne(c, {
          To: [{ Email: "ann@acme.test", Name: "Smith, Ann" }],
          Cc: [{ Email: "cc@acme.test" }],
          Bcc: [{ Email: "bcc@acme.test", Name: "" }],
          ReplyTo: { Email: "help@sender.test" },
          HTMLPart: "<p>Hi {{var:name}} — ü</p>",
          TemplateLanguage: true,
          Variables: { name: "Ann", n: 1 },
          Headers: { "X-Ref": "1" },
          CustomID: "c-1",
          CustomCampaign: "welcome",
          Attachments: [{ Filename: "a.txt", ContentType: "text/plain", Base64Content: "aGVsbG8=" }],
        }),
    ],
    [
      "several mails",
      (c) => send(c, { Messages: [mail, { ...mail, To: [{ Email: "bob@acme.test" }] }], Globals: { CustomID: "x" } }),
    ],
    ["v3", (c) => sendOld(c, { ...old, To: "ann@acme.test, Bob <bob@acme.test>" })],
    ["v3 with recipients", (c) => sendOld(c, { ...old, Recipients: [{ ...ann, Name: "", Vars: { a: "b" } }] })],
    ["text", (c) => send(c, JSON.stringify({ Messages: [mail] }))],
    ["a read with a query", (c) => c.get("contact").request({}, { Limit: 5 }) as never],
    ["an exclusion", (c) => c.put("contact").id("ann@acme.test").request({ IsExcludedFromCampaigns: true })],
    ["a file of contacts", (c) => c.post("contactslist").id(5).action("csvdata").request("email\nann@acme.test")],
  ];
  it.each(ordinary)("is the same request with and without a fuse: %s", async (_name, call) => {
    const bare = await call(client());
    const guarded = await call(liveFuse().attach(client(), mailjetAdapter()));
    expect(guarded.body).toEqual(bare.body);
    expect(endpoint.arrived).toHaveLength(2);
    expect(onWire(endpoint.arrived[1]!)).toEqual(onWire(endpoint.arrived[0]!));
  });

  it("writes recipients anew from their parse", async () => {
    const { client: c } = held();
    await sendOne(c, { To: [{ Email: " Ann@ACME.test" }] }, { Globals: { Bcc: [{ Email: "Bob@ACME.test " }] } });
    await sendOld(c, { ...old, To: "Ann <ann@ACME.test>,  bob@acme.test", Recipients: [{ Email: "Carl@ACME.test" }] });
    expect(bodies()[0]).toMatchObject({
      Messages: [{ To: [{ Email: "Ann@acme.test" }] }],
      Globals: { Bcc: [{ Email: "Bob@acme.test" }] },
    });
    expect(bodies()[1]).toMatchObject({
      To: "Ann <ann@acme.test>, bob@acme.test",
      Recipients: [{ Email: "Carl@acme.test" }],
    });
  });

  it("builds without sending where that is asked for", async () => {
    const { client: c, gate } = held();
    await c.post("send", { version: "v3.1" }).request({ Messages: [mail] }, {}, false);
    expect(gate.calls).toEqual([]);
    expect(endpoint.arrived).toEqual([]);
  });

  it("goes where it was judged to go, whatever becomes of the builder", async () => {
    const { client: c } = held();
    const builder = c.post("send", { version: "v3.1" });
    const sent = builder.request({ Messages: [mail] });
    (builder as unknown as { getRequestBody: unknown }).getRequestBody = () => ({
      Messages: [{ ...mail, To: [evil] }],
    });
    (c.getOptions() as { headers?: object }).headers = { "X-HTTP-Method-Override": "PUT" };
    await sent;
    expect(bodies()[0].Messages[0].To).toEqual([ann]);
  });
});

describe("what is read", () => {
  it("finds everybody, in each message, in Globals, and who is told of errors", async () => {
    const { client: c, gate } = held();
    await send(c, {
      Messages: [
        { ...mail, Cc: [{ Email: "cc@acme.test" }], TemplateErrorReporting: { Email: "ops@acme.test" } },
        { ...mail, To: [{ Email: "bob@acme.test" }] },
      ],
      Globals: { Bcc: [{ Email: "copy@acme.test" }], CustomCampaign: "offer" },
    });
    expect(peopleOf(gate)).toEqual([
      ["to:ann@acme.test", "cc:cc@acme.test", "bcc:copy@acme.test", "bcc:ops@acme.test"],
      ["to:bob@acme.test", "bcc:copy@acme.test"],
    ]);
    expect(messagesOf(gate)[1]).toMatchObject({ tags: ["offer"], from: "app@sender.test" });
  });

  it("finds everybody in v3: text, single recipients, nested messages", async () => {
    const { client: c, gate } = held();
    await sendOld(c, {
      ...old,
      To: "ann@acme.test, bob@acme.test",
      Bcc: "carl@acme.test",
      Recipients: [{ Email: "dora@acme.test" }],
      "Mj-TemplateErrorReporting": "ops@acme.test",
    });
    expect(peopleOf(gate)).toEqual([
      ["to:ann@acme.test", "to:bob@acme.test", "bcc:carl@acme.test", "bcc:ops@acme.test"],
      ["to:dora@acme.test", "bcc:ops@acme.test"],
    ]);
    await sendOld(c, {
      Messages: [
        { ...old, To: "ann@acme.test" },
        { ...old, Recipients: [{ Email: "dora@acme.test" }] },
      ],
    });
    expect(peopleOf(gate)).toEqual([["to:ann@acme.test"], ["to:dora@acme.test"]]);
  });

  it("fills in each message's variables, and says what it leaves open", async () => {
    const { client: c, gate } = held();
    const merged = { ...mail, TemplateLanguage: true, TextPart: 'Hi {{var:name}} of {{ var:firm:"us" }}' };
    await send(c, {
      Messages: [{ ...merged, Variables: { name: "Ann", firm: "Acme" } }, merged],
      Globals: { Variables: { firm: "A" } },
    });
    expect(messagesOf(gate).map((one) => one.content())).toEqual([
      { subject: "Hello", text: "Hi Ann of Acme" },
      { subject: "Hello", text: "Hi {{var:name}} of A", unbound: expect.stringMatching(/Mailjet fills in/) },
    ]);
    await sendOne(c, { TemplateID: 7, Variables: { a: 1 } });
    expect(messagesOf(gate)[0]?.content()).toMatchObject({
      template: { id: "7", data: { a: 1 } },
      unbound: expect.stringMatching(/template/),
    });
  });

  it("says that a template's text is not known here, and reads it when told to", async () => {
    const templated = { TemplateID: 7, TemplateLanguage: true, Variables: { name: "Ann" }, Subject: undefined };
    const plain = held();
    await sendOne(plain.client, { ...templated, TextPart: undefined });
    expect(messagesOf(plain.gate)[0]!.content()).toMatchObject({ template: { id: "7" }, unbound: expect.any(String) });
    endpoint.arrived.length = 0;
    const { client: c, gate } = hold(client(), adapter({ resolveTemplates: true }));
    const detail = { "Html-part": "<p>{{var:name}}</p>", "Text-part": "", Headers: { Subject: "Hi {{var:name}}" } };
    endpoint.answers.push({ body: { Count: 1, Data: [detail] } });
    await sendOne(c, { ...templated, TextPart: undefined });
    expect(messagesOf(gate)[0]!.content()).toMatchObject({ subject: "Hi Ann", html: "<p>Ann</p>" });
    expect(messagesOf(gate)[0]!.content()).not.toHaveProperty("unbound");
    expect(endpoint.arrived.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "GET /v3/REST/template/7/detailcontent",
      "POST /v3.1/send",
    ]);
    expect(endpoint.arrived[1]!.body).not.toContain("Hi Ann");
  });

  it("reads the template of all messages and of v3, and leaves one that is not there unbound", async () => {
    const { client: c, gate } = hold(client(), adapter({ resolveTemplates: true }));
    endpoint.answers.push({ body: { Data: [{ "Text-part": "one" }] } });
    await sendOne(c, { TextPart: undefined }, { Globals: { TemplateID: 7 } });
    expect(messagesOf(gate)[0]!.content()).toMatchObject({ text: "one" });
    endpoint.answers.push({ body: { Data: [{ "Text-part": "two" }] } });
    await sendOld(c, { ...old, "Text-part": undefined, To: "ann@acme.test", "Mj-TemplateID": "8" });
    expect(messagesOf(gate)[0]!.content()).toMatchObject({ text: "two" });
    endpoint.answers.push({ status: 404, body: {} });
    await sendOne(c, { TextPart: undefined, TemplateID: 9 });
    expect(messagesOf(gate)[0]!.content()).toMatchObject({ unbound: expect.stringMatching(/lives at Mailjet/) });
  });

  it("gives different mails different digests, attachments included", async () => {
    const { client: c, gate } = held();
    const digests = new Set<string>();
    const file = { Filename: "a", ContentType: "x/y", Base64Content: "AA==" };
    const variants = [
      {},
      { Subject: "x" },
      { TextPart: "x" },
      { HTMLPart: "x" },
      { Attachments: [file] },
      { Attachments: [{ ...file, Base64Content: "AQ==" }] },
    ];
    for (const variant of variants) {
      await sendOne(c, variant);
      digests.add(messagesOf(gate)[0]!.digest());
    }
    expect(digests.size).toBe(variants.length);
  });

  const others: readonly [string, object, (c: Client) => Promise<unknown>][] = [
    [
      "a campaign",
      { kind: "audience", audiences: ["7"] },
      (c) => c.post("campaigndraft").id(7).action("send").request(),
    ],
    [
      "a scheduled campaign",
      { kind: "audience", audiences: ["7"] },
      (c) => c.post("campaigndraft").id(7).action("schedule").request({ Date: "2026-01-01" }),
    ],
    [
      "a campaign's test",
      { kind: "audience", audiences: ["7"] },
      (c) =>
        c
          .post("campaigndraft")
          .id(7)
          .action("test")
          .request({ Recipients: [ann] }),
    ],
    [
      "the change of a campaign",
      { kind: "audience", audiences: ["3"] },
      (c) => c.put("campaigndraft").id(7).request({ ContactsListID: 3 }),
    ],
    [
      "a newsletter",
      { kind: "audience", audiences: ["7"] },
      (c) => c.post("newsletter").id(7).action("send").request(),
    ],
    ["the activation of a sender", { kind: "system" }, (c) => c.post("sender").id(7).action("validate").request()],
    ["a new sender", { kind: "system" }, (c) => c.post("sender").request({ Email: "ann@acme.test" })],
    [
      "a text message",
      { kind: "system" },
      (c) => c.post("sms-send", { version: "v4" }).request({ To: "+1", Text: "x", From: "x" }),
    ],
  ];
  it.each(others)("tells %s from mail", async (name, expected, call) => {
    const { client: c, gate } = held();
    await call(c);
    expect(gate.last().intent).toMatchObject(expected);
    if (name === "a campaign's test") expect(peopleOf(gate)).toEqual([["to:ann@acme.test"]]);
    endpoint.arrived.length = 0;
    expect(await refusalOf(call(liveFuse().attach(client(), mailjetAdapter())))).toMatch(/^[A-Z_]+$/);
    expect(endpoint.arrived).toEqual([]);
  });
});

describe("what is refused", () => {
  const attacks: readonly [string, (c: Client) => unknown][] = [
    ["Bcc among the headers", (c) => sendOne(c, { Headers: { Bcc: evil.Email } })],
    ["Bcc among the shared headers", (c) => sendOne(c, {}, { Globals: { Headers: { "b cc": evil.Email } } })],
    ["a header that ends in another", (c) => sendOne(c, { Headers: { "X-A": `1\r\nBcc: ${evil.Email}` } })],
    ["a field nobody documents", (c) => sendOne(c, { AlsoTo: [evil] })],
    ["a field in another case", (c) => sendOne(c, { bcc: [evil] })],
    ["a shared field nobody documents", (c) => sendOne(c, {}, { Globals: { bcc: [evil] } })],
    ["v3's recipients in v3.1", (c) => sendOne(c, { Recipients: [evil] })],
    ["two addresses in one", (c) => sendOne(c, { To: [{ Email: `ann@acme.test, ${evil.Email}` }] })],
    ["recipients as text", (c) => sendOne(c, { Cc: evil.Email })],
    ["recipients as text in a list", (c) => sendOne(c, { Cc: [evil.Email] })],
    ["an unknown field of a recipient", (c) => sendOne(c, { To: [{ ...ann, Also: evil.Email }] })],
    ["v3 recipients as a list", (c) => sendOld(c, { ...old, To: [evil] })],
    ["a mail that is a list", (c) => send(c, [mail])],
    ["a text that is no JSON", (c) => send(c, "{x")],
    [
      "a mail with a query",
      (c) => c.post("send", { version: "v3.1" }).request({ Messages: [mail] } as never, { to: evil.Email } as never),
    ],
    [
      "a resource that leads elsewhere",
      (c) => c.post("foo/../send", { version: "v3.1" }).request({ Messages: [mail] } as never),
    ],
    ["an unknown version", (c) => c.post("send", { version: "v5" }).request({ Messages: [mail] } as never)],
    ["an unknown resource", (c) => c.post("sendall").request({} as never)],
    ["a resource with a slash", (c) => c.post("send/", { version: "v3.1" }).request({ Messages: [mail] } as never)],
    [
      "another host",
      (c) => c.post("send", { version: "v3.1", host: "127.0.0.1:9" }).request({ Messages: [mail] } as never),
    ],
    [
      "a host with a name before it",
      (c) => c.post("send", { version: "v3.1", host: `x@${endpoint.host}` }).request({ Messages: [mail] } as never),
    ],
  ];
  it.each(attacks)("%s", async (_name, attack) => {
    const c = liveFuse().attach(client(), mailjetAdapter());
    expect(await refusalOf(attack(c))).toMatch(/^[A-Z_]+$/);
    expect(endpoint.arrived).toEqual([]);
  });

  it("a read that a header turns into a send", async () => {
    const overriding = client(endpoint.host, { headers: { "X-HTTP-Method-Override": "POST" } });
    const c = liveFuse().attach(overriding, mailjetAdapter());
    expect(await refusalOf(c.get("send").request())).toBe("REQUEST_UNKNOWN");
    expect(endpoint.arrived).toEqual([]);
  });

  it("nothing of a mail in the error's text", async () => {
    const { client: c } = held();
    const error = await sendOne(c, { To: [{ Email: "evil@evil.test;x" }], Headers: { Bcc: evil.Email } }).catch(
      (caught) => caught,
    );
    expect(String(error)).not.toMatch(/evil|Hi Ann/);
  });
});

describe("every way to send passes the fuse", () => {
  const body = { Messages: [mail] } as never;
  type Maker = new (client: object, method: string, resource: string, config: object) => ReturnType<Client["post"]>;
  const Builder = Mailjet.Request as unknown as Maker;
  const ways: readonly [string, (c: Client) => unknown][] = [
    ["the method", (c) => sendOne(c, {})],
    ["v3", (c) => sendOld(c, { ...old, To: "ann@acme.test" })],
    ["another case", (c) => c.post("SEND", { version: "v3.1" }).request(body)],
    [
      "an id that leads back to the mails",
      (c) =>
        c
          .post("contact")
          .id("../../send")
          .request({ ...old, To: "ann@acme.test" } as never),
    ],
    ["a builder made by hand", (c) => new Builder(c, "post", "send", { version: "v3.1" }).request(body)],
    [
      "a builder of a subclass",
      (c) => new (class Mine extends (Builder as Maker) {})(c, "post", "send", { version: "v3.1" }).request(body),
    ],
    [
      "makeRequest",
      (c) => {
        const builder = c.post("send") as unknown as { makeRequest(url: string, data: unknown): Promise<unknown> };
        return builder.makeRequest(`http://${endpoint.host}/v3.1/send`, body);
      },
    ],
    ["a body as text", (c) => send(c, JSON.stringify(body))],
  ];
  it.each(ways)("%s", async (_name, way) => {
    const closed = testFuse(["nobody@nowhere.test"]).attach(client(), mailjetAdapter());
    expect(await refusalOf(way(closed))).toBe("NOT_ALLOWLISTED");
    expect(endpoint.arrived).toEqual([]);
    await way(testFuse(["ann@acme.test"]).attach(client(), mailjetAdapter()));
    expect(endpoint.arrived).toHaveLength(1);
  });

  it("another client is a stranger: its mail is refused or passes, all else passes", async () => {
    const { gate, attachment } = held();
    expect(await refusalOf(sendOne(client(), {}))).toBe("UNATTACHED_SEND");
    const connected = Mailjet.apiConnect("other", "secret", { config: { host: endpoint.host } } as never);
    expect(await refusalOf(sendOne(connected as never, {}))).toMatch(/UNATTACHED_SEND|^threw/);
    endpoint.arrived.length = 0;
    await client().put("contact").id(1).request({ IsExcludedFromCampaigns: true });
    await client().get("contact").request();
    expect(endpoint.arrived.map(({ method, body: sent }) => [method, sent])).toEqual([
      ["PUT", '{"IsExcludedFromCampaigns":true}'],
      ["GET", ""],
    ]);
    expect(gate.calls).toEqual([]);
    attachment.detach();
    await sendOne(client(), {});
    held(client(), "pass");
    await sendOne(client(), {});
    expect(endpoint.arrived).toHaveLength(4);
  });
});

describe("outcomes", () => {
  it("tells mails and people apart", async () => {
    const { client: c, gate } = held();
    endpoint.answers.push({
      status: 400,
      body: {
        Messages: [
          { Status: "success", To: [{ Email: "ann@acme.test", MessageID: 42 }], Cc: [], Bcc: [] },
          { Status: "error", Errors: [{ ErrorCode: "mj-0013", StatusCode: 400 }] },
        ],
      },
    });
    await send(c, { Messages: [mail, { ...mail, To: [{ Email: "bob@acme.test" }] }] }).catch(() => {});
    expect(gate.outcomes).toEqual([
      {
        fate: "accepted",
        people: new Map([
          ["ann@acme.test", { fate: "accepted", messageId: "42" }],
          ["bob@acme.test", { fate: "refused" }],
        ]),
      },
    ]);
  });

  it.each([
    [
      { Messages: [{ Status: "error", Errors: [{ ErrorCode: "mj-0013" }] }] },
      400,
      { fate: "refused", providerCode: "mj-0013" },
    ],
    [{ ErrorMessage: "x", StatusCode: 401 }, 401, { fate: "refused", providerCode: "http_401" }],
    [{ Messages: [{}] }, 200, { fate: "unknown" }],
    [{}, 200, { fate: "unknown" }],
    [{ Messages: [{ Status: "error" }] }, 500, { fate: "unknown" }],
  ])("reads %j with status %i", async (body, status, expected) => {
    const { client: c, gate } = held();
    endpoint.answers.push({ status, body });
    await sendOne(c, {}).catch(() => {});
    expect(gate.outcomes[0]).toMatchObject(expected);
  });
});

const prototype = Mailjet.Request.prototype as unknown as { makeRequest: (...args: unknown[]) => unknown };

describe("attaching", () => {
  it("notices on the next send, and on demand, that other code took its place", async () => {
    const fuse = liveFuse();
    const c = fuse.attach(client(), mailjetAdapter());
    expect(fuse.verify()).toEqual([]);
    const ours = prototype.makeRequest;
    prototype.makeRequest = async () => ({ data: {} });
    try {
      expect(fuse.verify()).toMatchObject([{ code: "CHOKE_POINT_CHANGED" }]);
      expect(await refusalOf(sendOne(c, {}))).toBe("CHOKE_POINT_CHANGED");
    } finally {
      prototype.makeRequest = ours;
    }
    expect(fuse.verify()).toEqual([]);
    expect(endpoint.arrived).toEqual([]);
  });

  it("restores the class after the last client", () => {
    const before = Object.getOwnPropertyDescriptors(prototype);
    const attachments = [client(), client()].map((c) => adapter().attach(c, openGate()));
    expect(prototype.makeRequest).not.toBe(before.makeRequest.value);
    for (const one of attachments) one.detach();
    expect(Object.getOwnPropertyDescriptors(prototype)).toEqual(before);
  });

  it("refuses what is no client", () => {
    expect(() => mailjetAdapter().attach({ post() {}, getConfig() {} } as never, openGate())).toThrow(
      /ATTACH_UNSUPPORTED/,
    );
  });

  it("names its account without the key", () => {
    expect(held().attachment.account).toMatch(/^key-[0-9a-f]{8}$/);
  });
});

it("never throws on a request's content", () => {
  const values = [
    null,
    1,
    "x",
    [],
    {},
    { Messages: 1 },
    { Messages: [1, null, {}] },
    { Messages: [{ To: 1, Headers: [1], Attachments: {} }] },
    { Globals: 1, Messages: [{ To: [1] }] },
    { To: {}, Recipients: 1, Vars: 1 },
    { Recipients: [1, {}] },
  ];
  for (const path of ["/v3/send", "/v3.1/send", "/v3/REST/campaigndraft/1/test", "/v3/REST/campaigndraft/1"]) {
    for (const value of values as Plain[]) {
      const request = {
        method: path.endsWith("/1") ? "PUT" : "POST",
        path,
        query: [],
        headers: [],
        body: { kind: "json" as const, value },
      };
      const intent = mailjetCodec.classify(request);
      if ("messages" in intent) for (const message of intent.messages) message.digest();
      mailjetCodec.simulate(request);
      mailjetCodec.rewrite?.(request);
      mailjetCodec.outcome(request, { status: 200, headers: {}, body: value });
    }
  }
});

adapterConformance<MailjetClient>(
  { describe, it },
  {
    name: "mailjet",
    adapter: mailjetAdapter,
    client: (url) => client(url.replace("http://", "")),
    recipients: ({ body }: RecordedRequest) => reachedBy(JSON.parse(body.toString() || "{}")),
    reads: (result) => (result as { body: unknown }).body,
    replies: {
      accepted: ({ url, body }) => ({
        headers: { "content-type": "application/json" },
        body: JSON.stringify(accepted(url, body.toString())),
      }),
      refused: {
        status: 401,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ ErrorMessage: "x", StatusCode: 401 }),
      },
    },
    sends: {
      text: {
        args: (to) => [{ Messages: [{ ...mail, To: to.map((Email) => ({ Email })) }] }],
        call: (c, [body]) => send(c as Client, body as unknown as object),
      },
      several: {
        args: (to) => [
          { Messages: to.map((Email) => ({ ...mail, To: [{ Email }], Headers: { "List-Unsubscribe": "<x>" } })) },
        ],
        call: (c, [body]) => send(c as Client, body as unknown as object),
      },
      v3: {
        args: (to) => [{ ...old, To: to.join(", ") }],
        call: (c, [body]) => sendOld(c as Client, body as unknown as object),
      },
      recipients: {
        args: (to) => [{ ...old, Recipients: to.map((Email) => ({ Email })) }],
        call: (c, [body]) => sendOld(c as Client, body as unknown as object),
      },
    },
    read: (c) => (c as Client).get("contact").request(),
    manage: (c) => (c as Client).put("contact").id(1).request({ IsExcludedFromCampaigns: true }),
  },
);
