import { MailtrapClient, MailtrapTransport } from "mailtrap";
import { createTransport } from "nodemailer";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { mailtrapAdapter, mailtrapCodec } from "../../adapters/mailtrap";
import { nodemailerAdapter } from "../../adapters/nodemailer";
import { type Adapter, type Address, MailfuseError, type Plain, parseAddress } from "../../src/adapter";
import { adapterConformance } from "../../src/testing/adapter";
import { closedPort, type Endpoint, onWire, startEndpoint } from "../support/endpoint";
import { hold, liveFuse, type OpenGate, refusalOf, testFuse } from "../support/gates";
import { PlainAgent } from "../support/plain-agent";

/** What the types hide. */
interface Axios {
  (config: object): Promise<unknown>;
  defaults: Record<string, unknown>;
  interceptors: {
    request: { use(one: (config: Record<string, unknown>) => unknown): number; eject(id: number): void; clear(): void };
  };
  create(): Axios;
  get(url: string, config?: object): Promise<unknown>;
  post(url: string, data?: unknown, config?: object): Promise<unknown>;
  request(config: object): Promise<unknown>;
}
const axiosOf = (c: MailtrapClient) => (c as unknown as { axios: Axios }).axios;

interface Sent {
  readonly to?: readonly { readonly email: string }[];
  readonly cc?: readonly { readonly email: string }[];
  readonly bcc?: readonly { readonly email: string }[];
}
const everybody = ({ to = [], cc = [], bcc = [] }: Sent) => [...to, ...cc, ...bcc].map(({ email }) => email);
function answerOf(text: string): unknown {
  const body = JSON.parse(text || "{}");
  const one = (mail: Sent) => ({ success: true, message_ids: everybody(mail).map((_, at) => `m-${at}`) });
  return body.requests ? { success: true, responses: body.requests.map(one) } : one(body);
}

let endpoint: Endpoint;
beforeAll(async () => {
  endpoint = await startEndpoint(({ body }) => ({ body: answerOf(body) }));
});
beforeEach(() => {
  endpoint.arrived.length = 0;
  endpoint.answers.length = 0;
});
afterAll(() => endpoint.close());

const evil = "evil@evil.test";
const ann = { email: "ann@acme.test" };
const mail = { from: { email: "app@sender.test" }, to: [ann], subject: "Hello", text: "Hi Ann" };
function client(url = endpoint.url, config: object = {}): MailtrapClient {
  const made = new MailtrapClient({ token: "key", accountId: 7, organizationId: 9, ...config });
  axiosOf(made).defaults.httpsAgent = new PlainAgent(url);
  return made;
}
const adapter = (options?: object) => mailtrapAdapter(options) as Adapter<MailtrapClient>;
const held = (made = client(), unattached?: "refuse" | "pass") => hold(made, adapter(), unattached);
const requests = () => endpoint.arrived.map(({ method, headers, url }) => `${method} ${headers.host}${url}`);
const bodies = () => endpoint.arrived.map(({ body }) => JSON.parse(body || "null"));
const messagesOf = (gate: OpenGate) => {
  const { intent } = gate.last();
  return "messages" in intent ? intent.messages : [];
};
const people = (gate: OpenGate) =>
  messagesOf(gate).map(({ recipients }) => recipients.map(({ field, person }) => `${field}:${person}`));
const contents = (gate: OpenGate) => messagesOf(gate).map((one) => one.content());

describe("what leaves", () => {
  const ordinary: readonly [string, (c: MailtrapClient) => Promise<unknown>][] = [
    ["one mail", (c) => c.send(mail)],
    [
      "a mail with everything",
      (c) =>
        c.send({
          ...mail,
          to: [{ ...ann, name: "Ann — Ä" }, { email: "bob@acme.test" }],
          cc: [{ email: "cc@acme.test" }],
          bcc: [{ email: "bcc@acme.test" }],
          reply_to: { email: "help@sender.test" },
          html: Buffer.from("<p>Hi — ü</p>"),
          headers: { "X-Ref": "1" },
          category: "welcome",
          custom_variables: { n: 1 },
          attachments: [{ filename: "a.txt", content: Buffer.from("hello"), type: "text/plain" }],
        }),
    ],
    [
      "a template",
      (c) => c.send({ from: mail.from, to: [ann], template_uuid: "t-1", template_variables: { name: "Ann" } }),
    ],
    [
      "a batch",
      (c) =>
        c.batchSend({
          base: { from: mail.from, subject: "Hello", text: "Hi" },
          requests: [{ to: [ann] }, { to: [{ email: "bob@acme.test" }], subject: "Other" }],
        }),
    ],
    ["a read with a query", (c) => c.emailCampaigns.getList({ search: "x y" })],
    ["a suppression", (c) => c.suppressions.create({ email: "ann@acme.test" } as never)],
    ["a suppression that ends", (c) => c.suppressions.delete("s-1" as never)],
    ["a contact", (c) => c.contacts.create({ email: "ann@acme.test" })],
  ];
  it.each(ordinary)("is the same request with and without a fuse: %s", async (_name, call) => {
    const bare = await call(client());
    const guarded = await call(liveFuse().attach(client(), mailtrapAdapter()));
    expect(guarded).toEqual(bare);
    expect(endpoint.arrived).toHaveLength(2);
    expect(onWire(endpoint.arrived[1]!)).toEqual(onWire(endpoint.arrived[0]!));
    expect(requests()[1]).toBe(requests()[0]);
  });

  it("writes recipients anew from their parse", async () => {
    const { client: c } = held();
    await c.batchSend({
      base: { ...mail, to: undefined, cc: [{ email: " CC@ACME.test" }] } as never,
      requests: [{ to: [{ email: "Ann@ACME.test", name: "Ann" }] }],
    });
    expect(bodies()[0]).toMatchObject({
      base: { cc: [{ email: "CC@acme.test" }] },
      requests: [{ to: [{ email: "Ann@acme.test", name: "Ann" }] }],
    });
  });

  it("goes to the host that the client's switches say when it is called", async () => {
    const { client: c, gate } = held();
    await c.send(mail);
    Object.assign(c, { bulk: true });
    await c.send(mail);
    Object.assign(c, { bulk: false, sandbox: true, testInboxId: 5 });
    await c.send(mail);
    expect(requests()).toEqual([
      "POST send.api.mailtrap.io/api/send",
      "POST bulk.api.mailtrap.io/api/send",
      "POST sandbox.api.mailtrap.io/api/send/5",
    ]);
    // The sandbox is no guard: its mail is judged as any other.
    expect(gate.calls.map(({ intent }) => intent.kind)).toEqual(["send", "send", "send"]);
  });
});

describe("what is read", () => {
  it("finds everybody, and what a purpose is matched by", async () => {
    const { client: c, gate } = held();
    await c.send({
      ...mail,
      cc: [{ email: "bob@acme.test" }],
      bcc: [{ email: "carl@acme.test" }],
      category: "welcome",
    } as never);
    expect(people(gate)).toEqual([["to:ann@acme.test", "cc:bob@acme.test", "bcc:carl@acme.test"]]);
    expect(gate.last().intent).toMatchObject({ messages: [{ tags: ["welcome"], from: "app@sender.test" }] });
  });

  it("takes the mails of a batch apart, each with the copies that the base makes of all", async () => {
    const { client: c, gate } = held();
    await c.batchSend({
      base: { from: mail.from, subject: "Hello", text: "Hi", bcc: [{ email: "dora@acme.test" }] } as never,
      requests: [{ to: [ann] }, { to: [{ email: "bob@acme.test" }], subject: "Other", cc: [ann] }],
    });
    expect(people(gate)).toEqual([
      ["to:ann@acme.test", "bcc:dora@acme.test"],
      ["to:bob@acme.test", "cc:ann@acme.test", "bcc:dora@acme.test"],
    ]);
    expect(contents(gate)).toEqual([
      { subject: "Hello", text: "Hi" },
      { subject: "Other", text: "Hi" },
    ]);
    expect(gate.commits).toBe(1);
  });

  it("says that a template's text is not known here, and reads it when told to", async () => {
    const templated = { from: mail.from, to: [ann], template_uuid: "t-1", template_variables: { name: "Ann" } };
    const plain = held();
    await plain.client.send(templated);
    expect(contents(plain.gate)[0]).toMatchObject({ template: { id: "t-1" }, unbound: expect.any(String) });
    endpoint.arrived.length = 0;
    const { client: c, gate } = hold(client(), adapter({ resolveTemplates: true }));
    endpoint.answers.push({
      body: [
        { uuid: "t-0", subject: "Other" },
        { uuid: "t-1", subject: "Hi {{name}}", body_html: "<p>{{name}}</p>" },
      ],
    });
    await c.send(templated);
    expect(contents(gate)[0]).toMatchObject({ subject: "Hi Ann", html: "<p>Ann</p>" });
    expect(contents(gate)[0]).not.toHaveProperty("unbound");
    expect(requests()).toEqual([
      "GET mailtrap.io/api/accounts/7/email_templates",
      "POST send.api.mailtrap.io/api/send",
    ]);
    // The text that was read never leaves.
    expect(bodies()[1]).toEqual(templated);
  });

  it.each([
    ["the API fails", { status: 500 }],
    ["it is not there", { body: [] }],
  ])("leaves the text unbound where %s", async (_name, answer) => {
    const { client: c, gate } = hold(client(), adapter({ resolveTemplates: true }));
    endpoint.answers.push(answer);
    await c.send({ from: mail.from, to: [ann], template_uuid: "t-1" });
    expect(contents(gate)[0]?.unbound).toMatch(/lives at Mailtrap/);
  });

  it("gives different mails different digests, attachments included", async () => {
    const { client: c, gate } = held();
    const digests = new Set<string>();
    const file = { filename: "a", content: "AA==" };
    for (const more of [{}, { subject: "x" }, { text: "x" }, { html: "x" }, { attachments: [file] }]) {
      await c.send({ ...mail, ...more });
      digests.add(messagesOf(gate)[0]!.digest());
    }
    expect(digests.size).toBe(5);
  });

  it("finds whom a caught and an inbound mail is forwarded to", async () => {
    const { client: c, gate } = held();
    await c.testing.messages.forward(1, 2, "ann@acme.test");
    expect(people(gate)).toEqual([["to:ann@acme.test"]]);
    await c.inbound.messages.forward(1, "m", { to: [ann], bcc: [{ email: "bob@acme.test" }], text: "see" });
    expect(people(gate)).toEqual([["to:ann@acme.test", "bcc:bob@acme.test"]]);
    expect(contents(gate)[0]?.unbound).toMatch(/forwarded/);
  });
});

describe("what mails people that only Mailtrap knows", () => {
  const others: readonly [string, object, (c: MailtrapClient) => Promise<unknown>][] = [
    ["a campaign", { kind: "audience", audiences: ["campaign:3"] }, (c) => c.emailCampaigns.start(3)],
    [
      "a campaign later",
      { kind: "audience", audiences: ["campaign:3"] },
      (c) => c.emailCampaigns.schedule(3, { datetime: "2030-01-01" }),
    ],
    [
      "another audience of a campaign",
      { kind: "audience", audiences: ["list:1", "segment:2"] },
      (c) => c.emailCampaigns.update(3, { contact_list_ids: [1], contact_segment_ids: [2] }),
    ],
    [
      "another text of a campaign",
      { kind: "audience", audiences: ["campaign:3"] },
      (c) => c.emailCampaigns.update(3, { template_attributes: { subject: "x" } }),
    ],
    [
      "an event",
      { kind: "audience", audiences: ["signup"] },
      (c) => c.contactEvents.create("c-1", { name: "signup", params: {} }),
    ],
    [
      "a reply",
      { kind: "audience", audiences: ["message:m"], messages: [{}] },
      (c) => c.inbound.messages.reply(1, "m", { text: "x", bcc: [ann] }),
    ],
    [
      "a reply to all",
      { kind: "audience", audiences: ["message:m"] },
      (c) => c.inbound.messages.replyAll(1, "m", { text: "x" }),
    ],
    [
      "an import onto a list",
      { kind: "audience", audiences: ["list:4"] },
      (c) => c.contactImports.create({ contacts: [{ email: "ann@acme.test", list_ids_included: [4] }] }),
    ],
    [
      "instructions for a domain",
      { kind: "system" },
      (c) => c.sendingDomains.sendSetupInstructions(1, "ann@acme.test"),
    ],
  ];
  it.each(others)("%s is refused unless it was declared", async (_name, expected, call) => {
    const { client: c, gate } = held();
    await call(c);
    expect(gate.last().intent).toMatchObject(expected);
    endpoint.arrived.length = 0;
    expect(await refusalOf(call(liveFuse().attach(client(), mailtrapAdapter())))).toMatch(
      /^(?:AUDIENCE_UNDECLARED|SYSTEM_MAIL_REFUSED)$/,
    );
    expect(endpoint.arrived).toEqual([]);
  });
});

describe("what is refused", () => {
  const send = (c: MailtrapClient, more: object) => c.send({ ...mail, ...more } as never);
  const batch = (c: MailtrapClient, base: object, more: object = {}) =>
    c.batchSend({
      base: { from: mail.from, subject: "s", text: "t", ...base },
      requests: [{ to: [ann], ...more }],
    } as never);
  const raw = "https://send.api.mailtrap.io/api/send";
  const to = [{ email: evil }];
  const attacks: readonly [string, (c: MailtrapClient) => unknown][] = [
    ["a hidden copy", (c) => send(c, { bcc: to })],
    ["a hidden copy in the base of a batch", (c) => batch(c, { bcc: to })],
    ["recipients in the base of a batch", (c) => batch(c, { to })],
    ["a mail of a batch to another", (c) => batch(c, {}, { to })],
    ["Bcc among the headers", (c) => send(c, { headers: { Bcc: evil } })],
    ["Bcc among the base's headers", (c) => batch(c, { headers: { bcc: evil } })],
    ["a header that ends in another", (c) => send(c, { headers: { "X-A": `1\r\nBcc: ${evil}` } })],
    ["a header with several values", (c) => send(c, { headers: { "X-A": ["1", `\r\nBcc: ${evil}`] } })],
    ["a field nobody documents", (c) => send(c, { also_to: evil })],
    ["a field in another case", (c) => send(c, { BCC: to })],
    ["a field of a recipient nobody documents", (c) => send(c, { to: [{ ...ann, also: evil }] })],
    ["two addresses in one", (c) => send(c, { to: [{ email: `ann@acme.test, ${evil}` }] })],
    ["recipients as text", (c) => send(c, { to: evil })],
    ["a recipient as text", (c) => send(c, { cc: [evil] })],
    ["a list in place of a mail", (c) => axiosOf(c).post(raw, [mail])],
    ["a form", (c) => axiosOf(c).post(raw, new URLSearchParams({ to: evil }))],
    ["a body that is read twice", (c) => axiosOf(c).post(raw, new FormData())],
    [
      "mails of a batch as an object",
      (c) => axiosOf(c).post("https://send.api.mailtrap.io/api/batch", { requests: mail }),
    ],
    ["a query", (c) => axiosOf(c).post(`${raw}?to=${evil}`, mail)],
    ["a query among the settings", (c) => axiosOf(c).post(raw, mail, { params: { to: evil } })],
    ["another method", (c) => axiosOf(c).request({ url: raw, method: "put", data: mail })],
    [
      "a header that overrides the method",
      (c) => axiosOf(c).get(raw, { headers: { "X-HTTP-Method-Override": "POST" } }),
    ],
    ["a read with a body", (c) => axiosOf(c).get(raw, { data: { ...mail, to } })],
    ["the instance itself", (c) => axiosOf(c)({ url: raw, method: "post", data: { ...mail, to } })],
    [
      "an instance made of it",
      (c) =>
        axiosOf(c)
          .create()
          .post(raw, { ...mail, to }),
    ],
    ["an unknown path", (c) => axiosOf(c).post("https://mailtrap.io/api/blast", mail)],
    ["an id that leads elsewhere", (c) => c.suppressions.create({ to } as never)],
    [
      "a spelling of the path",
      (c) => axiosOf(c).post("https://send.api.mailtrap.io//x/../api/%73end/", { ...mail, to }),
    ],
    [
      "an interceptor that adds a recipient",
      (c) => {
        axiosOf(c).interceptors.request.use((config) => ({ ...config, data: { ...mail, to } }));
        return c.send(mail);
      },
    ],
    [
      "a transformation that adds a recipient",
      (c) => {
        axiosOf(c).defaults.transformRequest = [() => JSON.stringify({ ...mail, to })];
        return c.send(mail);
      },
    ],
    ["an adapter of the request's own", (c) => axiosOf(c).post(raw, { ...mail, to }, { adapter: "http" })],
    [
      "an interceptor that names an adapter",
      (c) => {
        axiosOf(c).interceptors.request.use((config) => ({ ...config, adapter: "http" }));
        return send(c, { to });
      },
    ],
  ];
  it.each(attacks)("%s", async (name, attack) => {
    const c = testFuse(["ann@acme.test"]).attach(client(), mailtrapAdapter());
    if (name === "an id that leads elsewhere") {
      // A management call takes any fields: it mails nobody.
      await attack(c);
      expect(requests()).toEqual(["POST mailtrap.io/api/accounts/7/suppressions"]);
      return;
    }
    expect(await refusalOf(attack(c))).toMatch(/^[A-Z_]+$/);
    expect(endpoint.arrived).toEqual([]);
  });

  it("what an interceptor of earlier days makes of a request, unless it is allowed as it leaves", async () => {
    const made = client();
    axiosOf(made).interceptors.request.use((config) => ({ ...config, adapter: "http", data: { ...mail, to } }));
    const c = testFuse(["ann@acme.test"]).attach(made, mailtrapAdapter());
    expect(await refusalOf(c.send(mail))).toBe("NOT_ALLOWLISTED");
    expect(endpoint.arrived).toEqual([]);
  });

  it("leaves interceptors their places", async () => {
    const made = client();
    const { request } = axiosOf(made).interceptors;
    const seen: string[] = [];
    const first = request.use((config) => {
      seen.push("first");
      return config;
    });
    const { client: c, attachment } = held(made);
    request.use((config) => {
      seen.push("later");
      return config;
    });
    await c.send(mail);
    expect(seen).toEqual(["later", "first"]);
    attachment.detach();
    request.eject(first);
    await c.send(mail);
    expect(seen).toEqual(["later", "first", "later"]);
    expect(endpoint.arrived).toHaveLength(2);
  });

  it("strangers' mail, and lets their other calls pass untouched", async () => {
    held();
    const stranger = client();
    expect(await refusalOf(stranger.send(mail))).toBe("UNATTACHED_SEND");
    expect(await refusalOf(stranger.batchSend({ requests: [{ to: [ann] }] }))).toBe("UNATTACHED_SEND");
    await stranger.contacts.create({ email: "ann@acme.test" });
    expect(requests()).toEqual(["POST mailtrap.io/api/accounts/7/contacts"]);
  });

  it("not the strangers' mail that the configuration lets pass", async () => {
    held(client(), "pass");
    await client().send(mail);
    expect(endpoint.arrived).toHaveLength(1);
  });

  it("not what nodemailer's transport delivers with a client of its own, once it was judged", async () => {
    const fuse = testFuse(["ann@acme.test"]);
    fuse.attach(client(), mailtrapAdapter());
    const transport = MailtrapTransport({ token: "key" }) as unknown as { client: MailtrapClient };
    axiosOf(transport.client).defaults.httpsAgent = new PlainAgent(endpoint.url);
    const transporter = fuse.attach(createTransport(transport as never), nodemailerAdapter());
    const from = "app@sender.test";
    expect(await refusalOf(transporter.sendMail({ from, to: evil, subject: "s", text: "t" }))).toBe("NOT_ALLOWLISTED");
    expect(endpoint.arrived).toEqual([]);
    await transporter.sendMail({ from, to: "ann@acme.test", subject: "s", text: "t" });
    expect(bodies().map(everybody)).toEqual([["ann@acme.test"]]);
    // Outside a delivery the same client is a stranger.
    expect(await refusalOf(transport.client.send(mail))).toBe("UNATTACHED_SEND");
  });

  it("prototype calls of an attached client are its own", async () => {
    const { client: c, gate } = held();
    await MailtrapClient.prototype.send.call(c, mail);
    expect(gate.commits).toBe(1);
  });

  it("sub-clients that were handed out before", async () => {
    const made = client();
    const { messages } = made.inbound;
    testFuse(["ann@acme.test"]).attach(made, mailtrapAdapter());
    expect(await refusalOf(messages.forward(1, "m", { to: [{ email: evil }] }))).toBe("NOT_ALLOWLISTED");
    expect(endpoint.arrived).toEqual([]);
  });

  it("a fuse that says no, with its own error", async () => {
    const error = await testFuse(["bob@acme.test"])
      .attach(client(), mailtrapAdapter())
      .send(mail)
      .catch((reason: unknown) => reason);
    expect(MailfuseError.isInstance(error) && error.code).toBe("NOT_ALLOWLISTED");
  });

  it.each([
    ["a getter after the axios was replaced", (c: MailtrapClient) => Object.assign(c, { axios: axiosOf(client()) })],
    ["a getter after post was replaced", (c: MailtrapClient) => Object.assign(axiosOf(c), { post: async () => ({}) })],
  ])("%s", async (_name, tamper) => {
    const { client: c } = held();
    tamper(c);
    expect(() => c.inbound).toThrow(/Expected the Mailtrap client that was attached/);
  });
});

describe("what became of it", () => {
  const wire = (value: Plain, path = "/api/send") =>
    ({ method: "POST", path, query: [], headers: [], body: { kind: "json", value } }) as never;
  const batch = wire(
    { base: mail as never, requests: [{ to: [ann] }, { to: [{ email: "bob@acme.test" }] }] },
    "/api/batch",
  );
  const fates: readonly [string, never, number, Plain, object][] = [
    ["a mail", wire(mail as never), 200, { success: true, message_ids: ["m"] }, { fate: "accepted", messageId: "m" }],
    ["a mail not taken", wire(mail as never), 200, { success: false, errors: ["x"] }, { fate: "refused" }],
    ["an answer nobody can read", wire(mail as never), 200, "<html>", { fate: "unknown" }],
    ["bad input", wire(mail as never), 400, { success: false }, { fate: "refused", providerCode: "http_400" }],
    ["throttling", wire(mail as never), 429, {}, { fate: "refused" }],
    ["a server's error", wire(mail as never), 500, {}, { fate: "unknown" }],
    ["a batch", batch, 200, { success: true, responses: [{ success: true }, { success: true }] }, { fate: "accepted" }],
    ["none of a batch", batch, 200, { responses: [{ success: false }, { success: false }] }, { fate: "refused" }],
    ["an answer too short", batch, 200, { success: true, responses: [{ success: true }] }, { fate: "unknown" }],
  ];
  it.each(fates)("%s", (_name, request, status, body, expected) => {
    expect(mailtrapCodec.outcome(request, { status, headers: {}, body })).toMatchObject(expected);
  });

  it("tells the people of a batch apart", () => {
    const body = {
      success: true,
      responses: [
        { success: false, errors: ["x"] },
        { success: true, message_ids: ["m"] },
      ],
    };
    const { fate, people: told } = mailtrapCodec.outcome(batch, { status: 200, headers: {}, body });
    expect(fate).toBe("accepted");
    expect([...(told ?? [])].map(([person, one]) => [person, one.fate])).toEqual([
      ["ann@acme.test", "refused"],
      ["bob@acme.test", "accepted"],
    ]);
  });

  it("knows when nobody was reached", async () => {
    const { client: c, gate } = held(client(`http://127.0.0.1:${await closedPort()}`));
    await c.send(mail).catch(() => {});
    expect(gate.outcomes).toEqual([{ fate: "failed" }]);
  });
});

describe("a redirected copy", () => {
  const to = parseAddress("inbox@acme.test", "") as Address;
  const note = { subjectPrefix: "[staging]", originals: ["ann@acme.test"] };
  it("reaches the inbox alone, whatever the base of a batch says", () => {
    const headers = { "List-Unsubscribe": "<x>", "X-Ref": "1" };
    const value = {
      base: { ...mail, to: undefined, bcc: [{ email: evil }], headers },
      requests: [{ to: [ann] }, { to: [ann], headers }],
    };
    const request = {
      method: "POST",
      path: "/api/batch",
      query: [],
      headers: [],
      body: { kind: "json", value },
    } as never;
    const redirected = mailtrapCodec.redirect(request, to, note);
    const intent = mailtrapCodec.classify(redirected);
    expect(
      "messages" in intent && intent.messages.flatMap(({ recipients }) => recipients.map(({ address }) => address)),
    ).toEqual(["inbox@acme.test", "inbox@acme.test"]);
    expect(JSON.stringify(redirected)).not.toMatch(/evil|unsubscribe/i);
    expect(redirected.body).toMatchObject({ value: { base: { subject: "[staging] Hello" } } });
  });
});

adapterConformance(
  { describe, it },
  {
    name: "mailtrap",
    adapter: mailtrapAdapter as () => Adapter<MailtrapClient>,
    client: (url) => client(url),
    recipients: ({ body }) => {
      const read = JSON.parse(body.toString() || "{}");
      if (!read.requests) return everybody(read);
      return [...everybody(read.base ?? {}), ...read.requests.flatMap(everybody)];
    },
    replies: {
      accepted: ({ body }) => ({
        headers: { "content-type": "application/json" },
        body: JSON.stringify(answerOf(body.toString())),
      }),
      refused: { status: 400, body: JSON.stringify({ success: false, errors: ["x"] }) },
    },
    sends: {
      text: {
        args: (all) => [{ ...mail, to: all.map((email) => ({ email })) }],
        call: (c, [args]) => c.send(args as never),
      },
      batch: {
        args: (all) => [{ base: { ...mail, to: undefined }, requests: all.map((email) => ({ to: [{ email }] })) }],
        call: (c, [args]) => c.batchSend(args as never),
      },
    },
    tampers: {
      "the axios": (c) => Object.assign(c, { axios: axiosOf(client("http://127.0.0.1:9")) }),
      "its adapter": (c) => {
        axiosOf(c).defaults.adapter = "http";
      },
      "its interceptors": (c) => axiosOf(c).interceptors.request.clear(),
      "its post": (c) => {
        axiosOf(c).post = async () => ({ success: true });
      },
    },
    read: (c) => c.emailCampaigns.getList(),
    manage: (c) => c.suppressions.delete("s-1" as never),
  },
);
