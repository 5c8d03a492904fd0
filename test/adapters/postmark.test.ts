import { AccountClient, Errors, Models, ServerClient } from "postmark";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type PostmarkClient, postmarkAdapter, postmarkCodec } from "../../adapters/postmark";
import { type Adapter, type Address, decodeWire, parseAddress } from "../../src/adapter";
import { adapterConformance } from "../../src/testing/adapter";
import { closedPort, type Endpoint, onWire, startEndpoint } from "../support/endpoint";
import { hold, liveFuse, type OpenGate, openGate, refusalOf, testFuse } from "../support/gates";

const accepted = { To: "x", SubmittedAt: "2026-01-01T00:00:00Z", MessageID: "m-1", ErrorCode: 0, Message: "OK" };

let endpoint: Endpoint;
beforeAll(async () => {
  endpoint = await startEndpoint(({ url, body }) => {
    if (url.includes("/bulk")) return { body: { Id: "b-1", Status: "Accepted", SubmittedAt: "2026-01-01T00:00:00Z" } };
    const mails = body.startsWith("[") ? JSON.parse(body) : body ? JSON.parse(body).Messages : undefined;
    return { body: Array.isArray(mails) ? mails.map(() => accepted) : accepted };
  });
});
beforeEach(() => {
  endpoint.arrived.length = 0;
  endpoint.answers.length = 0;
});
afterAll(() => endpoint.close());

const mail = { From: "app@sender.test", To: "ann@acme.test", Subject: "Hello", TextBody: "Hi Ann" };
const server = (options: object = {}) =>
  new ServerClient("server-token", { useHttps: false, requestHost: endpoint.host, ...options });
const account = () => new AccountClient("account-token", { useHttps: false, requestHost: endpoint.host });

type Hidden = {
  httpClient: {
    httpRequest: (...args: unknown[]) => Promise<unknown>;
    client: (...args: unknown[]) => Promise<unknown>;
  };
  processRequestWithBody(method: string, path: string, body: unknown): Promise<unknown>;
};
const hidden = (client: PostmarkClient) => client as unknown as Hidden;

const held = <Client extends PostmarkClient>(client: Client, unattached?: "refuse" | "pass") =>
  hold(client, postmarkAdapter() as Adapter<Client>, unattached);

const to = parseAddress("inbox@acme.test", "") as Address;
const note = { subjectPrefix: "[staging]", originals: ["ann@acme.test"] };

describe("what leaves", () => {
  const file = new Models.Attachment("a.txt", Buffer.from("hello").toString("base64"), "text/plain");
  const ordinary: readonly [string, (client: ServerClient) => Promise<unknown>][] = [
    ["one mail", (client) => client.sendEmail(mail)],
    [
      "a mail with everything",
      (client) =>
        client.sendEmail({
          ...mail,
          To: 'ann@acme.test, "Smith, Bob" <bob@acme.test>',
          Cc: "cc@acme.test",
          Bcc: "bcc@acme.test",
          ReplyTo: "help@sender.test",
          HtmlBody: "<p>Hi — ü</p>",
          Tag: "welcome",
          TrackOpens: true,
          TrackLinks: Models.LinkTrackingOptions.None,
          Metadata: { order: "1" },
          Headers: [{ Name: "X-Ref", Value: "1" }],
          Attachments: [file],
          MessageStream: "outbound",
        }),
    ],
    [
      "a model of the SDK",
      (client) => client.sendEmail(new Models.Message("app@sender.test", "s", undefined, "t", "ann@acme.test")),
    ],
    ["a batch", (client) => client.sendEmailBatch([mail, { ...mail, To: "bob@acme.test" }])],
    [
      "a template",
      (client) =>
        client.sendEmailWithTemplate({
          From: "a@sender.test",
          To: "ann@acme.test",
          TemplateId: 7,
          TemplateModel: { at: new Date(0), n: 1 },
        }),
    ],
    [
      "a batch of templates",
      (client) =>
        client.sendEmailBatchWithTemplates([
          new Models.TemplatedMessage("a@sender.test", "welcome", {}, "ann@acme.test"),
        ]),
    ],
    [
      "a bulk request",
      (client) =>
        client.sendBulkEmail({
          From: "a@sender.test",
          Subject: "s",
          TextBody: "t",
          Messages: [{ To: "ann@acme.test", TemplateModel: { name: "Ann" } }, { To: "bob@acme.test" }],
        }),
    ],
    ["a read with a query", (client) => client.getBounces({ count: 5, offset: 2, emailFilter: "ann@acme.test" })],
    [
      "a suppression",
      (client) => client.createSuppressions("outbound", { Suppressions: [{ EmailAddress: "ann@acme.test" }] }),
    ],
    ["a template's change", (client) => client.editTemplate("welcome", { Subject: "s" })],
    ["a deletion", (client) => client.deleteWebhook(3)],
  ];

  it.each(ordinary)("is the same request with and without a fuse: %s", async (_name, call) => {
    const bare = await call(server());
    const fuse = liveFuse();
    const guarded = await call(fuse.attach(server(), postmarkAdapter()));
    await fuse.close();
    expect(guarded).toEqual(bare);
    expect(endpoint.arrived).toHaveLength(2);
    expect(onWire(endpoint.arrived[1]!)).toEqual(onWire(endpoint.arrived[0]!));
  });

  it("writes recipients anew from their parse", async () => {
    const { client } = held(server());
    await client.sendEmail({ ...mail, To: "Ann <Ann@ACME.test>,  bob@acme.test" });
    expect(JSON.parse(endpoint.arrived[0]!.body).To).toBe("Ann <Ann@acme.test>, bob@acme.test");
  });

  it("is the copy, whatever the application does to its objects afterwards", async () => {
    const { client } = held(server());
    let reads = 0;
    const shifting = {
      ...mail,
      get To() {
        return ++reads > 1 ? "evil@evil.test" : "ann@acme.test";
      },
    };
    const changed = { ...mail };
    const sends = [client.sendEmail(shifting), client.sendEmail(changed)];
    changed.To = "evil@evil.test";
    await Promise.all(sends);
    expect(endpoint.arrived.map(({ body }) => JSON.parse(body).To)).toEqual(["ann@acme.test", "ann@acme.test"]);
  });

  it("judges what toJSON gives, which is what the SDK would write", async () => {
    const { client, gate } = held(server());
    await client.sendEmail({ ...mail, toJSON: () => ({ ...mail, To: "other@acme.test" }) } as never);
    expect(peopleOf(gate)).toEqual([["other@acme.test"]]);
    expect(JSON.parse(endpoint.arrived[0]!.body).To).toBe("other@acme.test");
  });
});

function peopleOf(gate: OpenGate): string[][] {
  const { intent } = gate.last();
  return "messages" in intent
    ? intent.messages.map((message) =>
        message.recipients.map(({ field, person }) => (field === "to" ? person : `${field}:${person}`)),
      )
    : [];
}

describe("what is read", () => {
  it("finds every recipient, in each field and in either case", async () => {
    const { client, gate } = held(server());
    await client.sendEmail({
      From: "a@sender.test",
      TO: "ann@acme.test",
      cc: "Bob <bob@acme.test>",
      bCC: "carl@acme.test, dora@acme.test",
      Subject: "s",
    } as never);
    expect(peopleOf(gate)).toEqual([["ann@acme.test", "cc:bob@acme.test", "bcc:carl@acme.test", "bcc:dora@acme.test"]]);
  });

  it("takes batches apart, each with its own content and tag", async () => {
    const { client, gate } = held(server());
    await client.sendEmailBatch([
      { ...mail, Tag: "one" },
      { ...mail, To: "bob@acme.test", Subject: "Other", Tag: "two" },
    ]);
    const { intent } = gate.last();
    const messages = "messages" in intent ? intent.messages : [];
    expect(messages.map((one) => [one.recipients[0]?.person, one.content().subject, one.tags, one.from])).toEqual([
      ["ann@acme.test", "Hello", ["one"], "app@sender.test"],
      ["bob@acme.test", "Other", ["two"], "app@sender.test"],
    ]);
  });

  it("merges a bulk request's text with each recipient's model", async () => {
    const { client, gate } = held(server());
    await client.sendBulkEmail({
      From: "a@sender.test",
      Subject: "For {{name}}",
      TextBody: "{{#each x}}",
      Messages: [
        { To: "ann@acme.test", TemplateModel: { name: "Ann" } },
        { To: "bob@acme.test", TemplateModel: { name: "Bob" } },
      ],
    });
    const { intent } = gate.last();
    const contents = "messages" in intent ? intent.messages.map((one) => one.content()) : [];
    expect(contents.map((content) => content.subject)).toEqual(["For Ann", "For Bob"]);
    expect(contents[0]?.unbound).toMatch(/Postmark fills in/);
  });

  it("says that a template's text is not known here", async () => {
    const { client, gate } = held(server());
    await client.sendEmailWithTemplate({
      From: "a@sender.test",
      To: "ann@acme.test",
      TemplateAlias: "welcome",
      TemplateModel: { name: "Ann" },
    });
    const { intent } = gate.last();
    const content = "messages" in intent ? intent.messages[0]?.content() : undefined;
    expect(content).toMatchObject({
      template: { id: "welcome", data: { name: "Ann" } },
      unbound: expect.stringMatching(/template/),
    });
  });

  it("reads a template's text when told to, and leaves one within a layout unbound", async () => {
    const { client, gate } = hold(server(), postmarkAdapter({ resolveTemplates: true }) as Adapter<ServerClient>);
    const send = () =>
      client.sendEmailWithTemplate({
        From: "a@sender.test",
        To: "ann@acme.test",
        TemplateId: 7,
        TemplateModel: { name: "Ann" },
      });
    endpoint.answers.push({
      body: { Subject: "Hi {{name}}", HtmlBody: "<p>{{name}}</p>", TextBody: "Dear {{name}}", LayoutTemplate: null },
    });
    await send();
    const { intent } = gate.last();
    const content = "messages" in intent ? intent.messages[0]?.content() : undefined;
    expect(content).toEqual({
      subject: "Hi Ann",
      text: "Dear Ann",
      html: "<p>Ann</p>",
      template: { id: "7", data: { name: "Ann" } },
    });
    expect(endpoint.arrived.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "GET /templates/7",
      "POST /email/withTemplate",
    ]);
    endpoint.answers.push({ body: { Subject: "Hi", HtmlBody: "x", TextBody: null, LayoutTemplate: "frame" } });
    await send();
    const second = gate.last().intent;
    expect("messages" in second && second.messages[0]?.content().unbound).toBeTruthy();
  });

  it("gives different mails different digests, attachments included", async () => {
    const { client, gate } = held(server());
    const digests = new Set<string>();
    const variants = [
      {},
      { Subject: "x" },
      { TextBody: "x" },
      { HtmlBody: "x" },
      { Attachments: [{ Name: "a", Content: "AA==", ContentType: "x/y", ContentID: null }] },
      { Attachments: [{ Name: "a", Content: "AQ==", ContentType: "x/y", ContentID: null }] },
    ];
    for (const variant of variants) {
      await client.sendEmail({ ...mail, ...variant });
      const { intent } = gate.last();
      if ("messages" in intent) digests.add(intent.messages[0]!.digest());
    }
    expect(digests.size).toBe(variants.length);
  });
});

describe("what is refused", () => {
  const evil = "evil@evil.test";
  const attacks: readonly [string, (client: ServerClient) => unknown][] = [
    ["a second recipient field in another case", (client) => client.sendEmail({ ...mail, to: evil } as never)],
    ["Bcc among the headers", (client) => client.sendEmail({ ...mail, Headers: [{ Name: "Bcc", Value: evil }] })],
    [
      "Bcc among the headers, disguised",
      (client) => client.sendEmail({ ...mail, Headers: [{ Name: "B c\tc", Value: evil }] }),
    ],
    [
      "a header that ends in another",
      (client) => client.sendEmail({ ...mail, Headers: [{ Name: "X-A", Value: `1\r\nBcc: ${evil}` }] }),
    ],
    [
      "headers in lower-case spelling",
      (client) => client.sendEmail({ ...mail, headers: [{ name: "bcc", value: evil }] } as never),
    ],
    ["recipients as a list", (client) => client.sendEmail({ ...mail, To: ["ann@acme.test", evil] } as never)],
    ["recipients as an object", (client) => client.sendEmail({ ...mail, To: { Email: evil } } as never)],
    ["a field nobody documents", (client) => client.sendEmail({ ...mail, AlsoTo: evil } as never)],
    ["a field with a blank in its name", (client) => client.sendEmail({ ...mail, "Bcc ": evil } as never)],
    [
      "__proto__ as a field",
      (client) =>
        client.sendEmail(
          JSON.parse(`{"From":"a@b.test","To":"ann@acme.test","Subject":"s","__proto__":{"Bcc":"${evil}"}}`),
        ),
    ],
    [
      "two addresses that readers take apart differently",
      (client) => client.sendEmail({ ...mail, To: `Alice, ${evil} <ann@acme.test>` }),
    ],
    ["a line break in an address", (client) => client.sendEmail({ ...mail, To: `ann@acme.test\r\nBcc: ${evil}` })],
    ["a batch that is no list", (client) => client.sendEmailBatch(mail as never)],
    ["a list where one mail belongs", (client) => client.sendEmail([mail] as never)],
    [
      "recipients beside a bulk request's messages",
      (client) =>
        client.sendBulkEmail({
          From: "a@sender.test",
          To: evil,
          Subject: "s",
          TextBody: "t",
          Messages: [{ To: "ann@acme.test" }],
        } as never),
    ],
    [
      "Bcc among a bulk request's shared headers",
      (client) =>
        client.sendBulkEmail({
          From: "a@sender.test",
          Subject: "s",
          TextBody: "t",
          Headers: [{ Name: "Bcc", Value: evil }],
          Messages: [{ To: "ann@acme.test" }],
        }),
    ],
    [
      "an attachment's unknown field",
      (client) =>
        client.sendEmail({ ...mail, Attachments: [{ Name: "a", Content: "", ContentType: "x", Bcc: evil }] } as never),
    ],
    ["an id that leads to another path", (client) => client.archiveMessageStream("../email?")],
    ["an encoded id that leads to another path", (client) => client.archiveMessageStream("%2e%2e%2femail%3f")],
    [
      "a send with a query",
      (client) => hidden(client).httpClient.httpRequest("POST", "/email", { To: evil }, mail, {}),
    ],
    [
      "a send under another name",
      (client) => hidden(client).processRequestWithBody("POST", "/email/../email/evil", mail),
    ],
    ["an unknown method", (client) => hidden(client).processRequestWithBody("PURGE", "/email", mail)],
    ["an unknown path", (client) => hidden(client).processRequestWithBody("POST", "/emails", mail)],
    ["a read with a body", (client) => hidden(client).processRequestWithBody("GET", "/email", mail)],
    [
      "a read that a header turns into a send",
      (client) =>
        hidden(client).httpClient.httpRequest("GET", "/email", {}, null, { "X-HTTP-Method-Override": "POST" }),
    ],
    [
      "the function below the client's methods",
      (client) =>
        hidden(client).httpClient.client(`${endpoint.url}/email`, { method: "POST", body: JSON.stringify(mail) }),
    ],
    [
      "a cycle",
      (client) => {
        const model: Record<string, unknown> = {};
        model.self = model;
        return client.sendEmail({ ...mail, Metadata: model } as never);
      },
    ],
  ];

  it.each(attacks)("%s", async (_name, attack) => {
    const fuse = liveFuse();
    const client = fuse.attach(server(), postmarkAdapter());
    const code = await refusalOf(attack(client));
    expect(code).toMatch(/^[A-Z_]+$/);
    expect(endpoint.arrived).toEqual([]);
  });

  it("nothing of a mail in the error's text", async () => {
    const { client } = held(server());
    const error = await client
      .sendEmail({ ...mail, To: "evil@evil.test;x", Headers: [{ Name: "Bcc", Value: "e@evil.test" }] })
      .catch((caught) => caught);
    expect(String(error)).not.toMatch(/evil|Hi Ann/);
  });

  it("polluted prototypes", async () => {
    const { client } = held(server());
    Object.defineProperty(Object.prototype, "Bcc", {
      value: "evil@evil.test",
      configurable: true,
      writable: true,
      enumerable: true,
    });
    try {
      expect(await refusalOf(client.sendEmail(mail))).toBe("PROTOTYPE_POLLUTED");
    } finally {
      Reflect.deleteProperty(Object.prototype, "Bcc");
    }
    expect(endpoint.arrived).toEqual([]);
  });
});

describe("every way to send passes the fuse", () => {
  const ways: readonly [string, (client: ServerClient) => unknown][] = [
    ["prototype call", (client) => ServerClient.prototype.sendEmail.call(client, mail)],
    [
      "callback",
      (client) =>
        new Promise((done, fail) => client.sendEmail(mail, (error, result) => (error ? fail(error) : done(result)))),
    ],
    ["generic request", (client) => hidden(client).processRequestWithBody("POST", "/email", mail)],
    ["lower-case method", (client) => hidden(client).processRequestWithBody("post", "/email", mail)],
    ["another case of the path", (client) => hidden(client).processRequestWithBody("POST", "/Email/", mail)],
    ["the http client", (client) => hidden(client).httpClient.httpRequest("POST", "email", {}, mail, {})],
    [
      "the http client's class",
      (client) => {
        const { httpClient } = hidden(client);
        return Object.getPrototypeOf(httpClient).httpRequest.call(httpClient, "POST", "/email", {}, mail, {});
      },
    ],
    [
      "after setClientOptions",
      (client) => {
        client.setClientOptions({ useHttps: false, requestHost: endpoint.host, timeout: 5 });
        return client.sendEmail(mail);
      },
    ],
    [
      "after setClientOptions with a fetch",
      (client) => {
        client.setClientOptions({
          useHttps: false,
          requestHost: endpoint.host,
          fetch: (input, init) => fetch(input, init),
        });
        return client.sendEmail(mail);
      },
    ],
  ];

  it.each(ways)("%s", async (_name, way) => {
    const fuse = testFuse(["nobody@nowhere.test"]);
    const client = fuse.attach(server(), postmarkAdapter());
    expect(await refusalOf(way(client))).toBe("NOT_ALLOWLISTED");
    expect(endpoint.arrived).toEqual([]);
    const open = testFuse(["ann@acme.test"]);
    const allowed = open.attach(server(), postmarkAdapter());
    await way(allowed);
    expect(endpoint.arrived).toHaveLength(1);
  });

  it("a client made by the class of an attached one is a stranger: its mail is refused, all else passes", async () => {
    const { client, gate, attachment } = held(server());
    const Class = client.constructor as typeof ServerClient;
    const stranger = new Class("other", { useHttps: false, requestHost: endpoint.host });
    expect(await refusalOf(stranger.sendEmail(mail))).toBe("UNATTACHED_SEND");
    expect(await refusalOf(account().createSenderSignature({ Name: "n", FromEmail: "x@acme.test" }))).toBe(
      "UNATTACHED_SEND",
    );
    await stranger.getServer();
    await stranger.deleteTemplate(1);
    expect(endpoint.arrived.map(({ method }) => method)).toEqual(["GET", "DELETE"]);
    expect(gate.calls).toEqual([]);
    attachment.detach();
    await stranger.sendEmail(mail);
    expect(endpoint.arrived).toHaveLength(3);
  });

  it("strangers' mail passes where the configuration says so", async () => {
    const { gate } = held(server(), "pass");
    await server().sendEmail(mail);
    expect(endpoint.arrived).toHaveLength(1);
    expect(gate.calls).toEqual([]);
  });
});

describe("what is no send", () => {
  it("reads lists with semicolons as every reader does", async () => {
    const { client, gate } = held(server());
    await client.sendEmail({ ...mail, To: "ann@acme.test;bob@acme.test" });
    expect(peopleOf(gate)).toEqual([["ann@acme.test", "bob@acme.test"]]);
    expect(JSON.parse(endpoint.arrived[0]!.body).To).toBe("ann@acme.test, bob@acme.test");
  });

  it("classes system mail with the person it goes to", async () => {
    const { client, gate } = held(account());
    await client.createSenderSignature({ Name: "n", FromEmail: "new@acme.test" });
    expect(gate.last().intent).toMatchObject({
      kind: "system",
      messages: [{ recipients: [{ person: "new@acme.test" }] }],
    });
    await client.resendSenderSignatureConfirmation(5);
    expect(gate.last().intent).toMatchObject({ kind: "system", messages: [] });
    await client.requestDataRemoval({
      RequestedBy: "me@acme.test",
      RequestedFor: "her@acme.test",
      NotifyWhenCompleted: true,
    });
    expect(gate.last().intent).toMatchObject({
      kind: "system",
      messages: [{ recipients: [{ person: "me@acme.test" }] }],
    });
    await client.requestDataRemoval({
      RequestedBy: "me@acme.test",
      RequestedFor: "her@acme.test",
      NotifyWhenCompleted: false,
    });
    expect(gate.last().intent.kind).toBe("management");
  });

  it("refuses system mail unless it is allowed", async () => {
    const closed = liveFuse().attach(account(), postmarkAdapter());
    expect(await refusalOf(closed.createSenderSignature({ Name: "n", FromEmail: "new@acme.test" }))).toBe(
      "SYSTEM_MAIL_REFUSED",
    );
    expect(endpoint.arrived).toEqual([]);
    const open = liveFuse({ allowSystemMail: true }).attach(account(), postmarkAdapter());
    await open.createSenderSignature({ Name: "n", FromEmail: "new@acme.test" });
    expect(endpoint.arrived).toHaveLength(1);
  });
});

describe("outcomes", () => {
  async function outcomeOf(call: (client: ServerClient) => Promise<unknown>, client = server()) {
    const { gate } = held(client);
    const settled = await call(client).then(
      (result) => ({ result }),
      (error: unknown) => ({ error }),
    );
    return { outcome: gate.outcomes.at(-1)!, settled };
  }

  it("is accepted with the provider's id", async () => {
    const { outcome } = await outcomeOf((client) => client.sendEmail(mail));
    expect(outcome).toMatchObject({ fate: "accepted", messageId: "m-1" });
  });

  it("tells the people of a batch apart", async () => {
    const { ErrorCode: _code, ...unread } = accepted;
    endpoint.answers.push({ body: [accepted, { ErrorCode: 406, Message: "inactive" }, unread] });
    const { outcome, settled } = await outcomeOf((client) =>
      client.sendEmailBatch(["ann", "bob", "carl"].map((name) => ({ ...mail, To: `${name}@acme.test` }))),
    );
    expect("result" in settled).toBe(true);
    expect(Object.fromEntries([...outcome.people!].map(([person, { fate }]) => [person, fate]))).toEqual({
      "ann@acme.test": "accepted",
      "bob@acme.test": "refused",
      "carl@acme.test": "unknown",
    });
    expect(outcome.fate).toBe("unknown");
  });

  it("counts a person by the mail that reached them", async () => {
    endpoint.answers.push({ body: [accepted, { ErrorCode: 300, Message: "x" }] });
    const { outcome } = await outcomeOf((client) => client.sendEmailBatch([mail, { ...mail, Subject: "again" }]));
    expect([...outcome.people!.values()].map(({ fate }) => fate)).toEqual(["accepted"]);
  });

  it("reads inactive people among the recipients of an accepted mail", async () => {
    endpoint.answers.push({
      body: { ...accepted, Message: "Message OK, but will not deliver to these inactive addresses: Bob@acme.test" },
    });
    const { outcome } = await outcomeOf((client) => client.sendEmail({ ...mail, To: "ann@acme.test, bob@acme.test" }));
    expect(outcome.fate).toBe("accepted");
    expect(outcome.people!.get("bob@acme.test")).toEqual({ fate: "refused" });
    expect(outcome.people!.get("ann@acme.test")?.fate).toBe("accepted");
  });

  it.each([
    [422, { ErrorCode: 406, Message: "Found inactive addresses: ann@acme.test. Inactive" }, "refused", "406"],
    [422, { ErrorCode: 300, Message: "Invalid" }, "refused", "300"],
    [401, { ErrorCode: 10, Message: "token" }, "refused", "10"],
    [429, { ErrorCode: 0, Message: "slow down" }, "refused", "http_429"],
    [500, { ErrorCode: 0, Message: "x" }, "unknown", "http_500"],
    [503, "gone", "unknown", "http_503"],
    [408, {}, "unknown", "http_408"],
  ])("reads status %i %j as %s", async (status, body, fate, providerCode) => {
    endpoint.answers.push({ status, body });
    const { outcome, settled } = await outcomeOf((client) => client.sendEmail(mail));
    expect(outcome).toEqual({ fate, providerCode });
    expect("error" in settled && settled.error).toBeInstanceOf(Errors.PostmarkError);
    expect(JSON.stringify(outcome)).not.toContain("acme");
  });

  it("is unknown when the connection breaks after the request, failed when there was none", async () => {
    endpoint.answers.push({ reset: true });
    expect((await outcomeOf((client) => client.sendEmail(mail))).outcome).toEqual({ fate: "unknown" });
    const nobody = server({ requestHost: `127.0.0.1:${await closedPort()}` });
    expect((await outcomeOf((client) => client.sendEmail(mail), nobody)).outcome).toEqual({ fate: "failed" });
  });

  it("is unknown when a bulk request's answer says nothing", async () => {
    const bulk = { From: "a@sender.test", Subject: "s", TextBody: "t", Messages: [{ To: "ann@acme.test" }] };
    endpoint.answers.push({ body: {} }, { body: { Id: "b", Status: "Failed" } });
    expect((await outcomeOf((client) => client.sendBulkEmail(bulk))).outcome.fate).toBe("unknown");
    expect((await outcomeOf((client) => client.sendBulkEmail(bulk))).outcome.fate).toBe("refused");
    expect((await outcomeOf((client) => client.sendBulkEmail(bulk))).outcome).toEqual({
      fate: "accepted",
      messageId: "b-1",
    });
  });
});

describe("instead of sending", () => {
  it("answers as the SDK would", async () => {
    const { client, gate } = held(server());
    await client.sendEmail({ ...mail, Cc: "bob@acme.test" });
    expect(gate.last().simulate("rehearsal")).toMatchObject({
      To: "ann@acme.test",
      Cc: "bob@acme.test",
      ErrorCode: 0,
      MessageID: expect.any(String),
      SubmittedAt: expect.any(String),
    });
    await client.sendEmailBatch([mail, mail]);
    expect(gate.last().simulate("dropped")).toMatchObject([{ ErrorCode: 0 }, { ErrorCode: 0 }]);
    await client.sendBulkEmail({
      From: "a@sender.test",
      Subject: "s",
      TextBody: "t",
      Messages: [{ To: "ann@acme.test" }],
    });
    expect(gate.last().simulate("dropped")).toMatchObject({ Id: expect.any(String), Status: "Accepted" });
  });

  it("redirects every mail of a batch", async () => {
    const { client, gate } = held(server());
    const one = {
      ...mail,
      Cc: "bob@acme.test",
      bcc: "carl@acme.test",
      Headers: [
        { Name: "List-Unsubscribe", Value: "<https://x>" },
        { Name: "X-Ref", Value: "1" },
      ],
    };
    await client.sendEmailBatch([one, mail]);
    endpoint.arrived.length = 0;
    const redirected = await gate.last().redirect(to, note);
    expect(
      "messages" in redirected.intent &&
        redirected.intent.messages.map((message) => message.recipients.map(({ person }) => person)),
    ).toEqual([["inbox@acme.test"], ["inbox@acme.test"]]);
    await gate.pass(redirected);
    const original = { Name: "X-Mailfuse-Original-To", Value: "ann@acme.test" };
    expect(JSON.parse(endpoint.arrived[0]!.body)).toEqual([
      {
        From: mail.From,
        To: "inbox@acme.test",
        Subject: "[staging] Hello",
        TextBody: mail.TextBody,
        Headers: [{ Name: "X-Ref", Value: "1" }, original],
      },
      {
        From: mail.From,
        To: "inbox@acme.test",
        Subject: "[staging] Hello",
        TextBody: mail.TextBody,
        Headers: [original],
      },
    ]);
  });

  it("redirects a bulk request and a template", async () => {
    const { client, gate } = held(server());
    await client.sendBulkEmail({
      From: "a@sender.test",
      Subject: "s",
      TextBody: "t",
      Headers: [{ Name: "List-Unsubscribe", Value: "<x>" }],
      Messages: [{ To: "ann@acme.test", Cc: "bob@acme.test" }],
    });
    await gate.pass(await gate.last().redirect(to, note));
    const sent = JSON.parse(endpoint.arrived[1]!.body);
    expect(sent).toMatchObject({ Subject: "[staging] s", Headers: [], Messages: [{ To: "inbox@acme.test" }] });
    expect(JSON.stringify(sent.Messages)).not.toContain("bob");
    await client.sendEmailWithTemplate({
      From: "a@sender.test",
      To: "ann@acme.test",
      TemplateId: 7,
      TemplateModel: {},
    });
    await gate.pass(await gate.last().redirect(to, note));
    expect(JSON.parse(endpoint.arrived[3]!.body)).toMatchObject({ To: "inbox@acme.test", TemplateId: 7 });
  });

  it("delivers a spooled call later, through the client of then, with its token", async () => {
    const { client, gate } = held(server());
    await client.sendEmailBatch([
      { ...mail, Attachments: [{ Name: "a", Content: "AQ==", ContentType: "x/y", ContentID: null }] },
    ]);
    const spooled = gate.last().spool();
    expect(Buffer.from(spooled).toString()).not.toContain("server-token");
    expect(decodeWire(spooled).path).toBe("/email/batch");
    const later = held(server());
    await later.gate.pass(later.attachment.revive(spooled));
    expect(onWire(endpoint.arrived[1]!)).toEqual(onWire(endpoint.arrived[0]!));
  });
});

const replacements: readonly [string, (client: ServerClient) => void][] = [
  [
    "httpRequest assigned",
    (client) => {
      hidden(client).httpClient.httpRequest = async () => ({});
    },
  ],
  [
    "httpRequest defined",
    (client) => {
      Object.defineProperty(hidden(client).httpClient, "httpRequest", { value: async () => ({}) });
    },
  ],
  [
    "httpClient replaced",
    (client) => {
      (client as unknown as { httpClient: unknown }).httpClient = hidden(server()).httpClient;
    },
  ],
  [
    "the function below replaced",
    (client) => {
      hidden(client).httpClient.client = async () => new Response("{}");
    },
  ],
  [
    "the function below defined",
    (client) => {
      Object.defineProperty(hidden(client).httpClient, "client", { value: async () => new Response("{}") });
    },
  ],
];

describe("attaching", () => {
  it("changes no type and restores the client exactly", () => {
    const client = server();
    const { httpClient } = hidden(client);
    const shape = () =>
      [client, httpClient, Object.getPrototypeOf(httpClient)].map((object) =>
        JSON.stringify(
          Object.entries(Object.getOwnPropertyDescriptors(object)).map(([name, { value, get, ...rest }]) => [
            name,
            typeof value,
            typeof get,
            rest,
          ]),
        ),
      );
    const before = shape();
    const functions = [httpClient.httpRequest, httpClient.client];
    const fuse = liveFuse();
    expect(fuse.attach(client, postmarkAdapter())).toBe(client);
    expect(client).toBeInstanceOf(ServerClient);
    expect(Object.keys(client)).toEqual(Object.keys(server()));
    fuse.detach(client);
    expect(shape()).toEqual(before);
    expect([httpClient.httpRequest, httpClient.client]).toEqual(functions);
  });

  it("is harmless twice", async () => {
    const client = server();
    const fuse = liveFuse();
    fuse.attach(client, postmarkAdapter());
    fuse.attach(client, postmarkAdapter());
    await client.sendEmail(mail);
    expect(endpoint.arrived).toHaveLength(1);
    fuse.detach(client);
    await client.sendEmail(mail);
    expect(endpoint.arrived).toHaveLength(2);
  });

  it("refuses what is no Postmark client, and one that other code has been at", () => {
    const gate = openGate();
    expect(() => postmarkAdapter().attach({} as never, gate)).toThrow(/ATTACH_UNSUPPORTED/);
    const patched = server();
    hidden(patched).httpClient.httpRequest = async () => ({});
    expect(() => postmarkAdapter().attach(patched, gate)).toThrow(/ATTACH_UNSUPPORTED/);
  });

  it.each(replacements)("notices on the next send, and on demand: %s", async (_name, replace) => {
    const fuse = liveFuse();
    const client = fuse.attach(server(), postmarkAdapter());
    expect(fuse.verify()).toEqual([]);
    replace(client);
    expect(fuse.verify()).toMatchObject([{ code: "CHOKE_POINT_CHANGED" }]);
    expect(await refusalOf(client.sendEmail(mail))).toBe("CHOKE_POINT_CHANGED");
    expect(endpoint.arrived).toEqual([]);
  });

  it("notices a function below that was replaced before the fuse came", async () => {
    const client = server();
    const { httpClient } = hidden(client);
    const original = httpClient.client;
    httpClient.client = (url, init) => original(url, { ...(init as object), body: "{}" });
    const { attachment } = held(client);
    expect(attachment.verify()).toMatchObject({ code: "CHOKE_POINT_CHANGED" });
    expect(await refusalOf(client.sendEmail(mail))).toBe("CHOKE_POINT_CHANGED");
  });

  it("tells accounts apart without naming their tokens", () => {
    const accounts = [held(server()), held(account())].map(({ attachment }) => attachment.account);
    expect(new Set(accounts).size).toBe(2);
    expect(accounts.join()).not.toContain("token");
  });
});

it("never throws on a request's content", () => {
  const values = [
    null,
    1,
    "x",
    [],
    [null],
    [[]],
    {},
    { Messages: 1 },
    { Messages: [null] },
    { Headers: [1] },
    { Attachments: {} },
    { To: 1 },
  ];
  for (const path of [
    "/email",
    "/email/batch",
    "/email/withTemplate",
    "/email/batchWithTemplates",
    "/email/bulk",
    "/senders",
    "/data-removals",
  ]) {
    for (const value of values) {
      const request = {
        method: "POST",
        path,
        query: [],
        headers: [],
        body: { kind: "json" as const, value: value as never },
      };
      const intent = postmarkCodec.classify(request);
      if (intent.kind === "send") for (const message of intent.messages) message.digest();
      postmarkCodec.simulate(request);
      postmarkCodec.rewrite?.(request);
      postmarkCodec.outcome(request, { status: 200, headers: {}, body: value as never });
    }
  }
});

adapterConformance(
  { describe, it },
  {
    name: "postmark",
    adapter: postmarkAdapter as () => Adapter<ServerClient>,
    client: (url) => new ServerClient("token", { useHttps: false, requestHost: url.replace("http://", "") }),
    recipients: ({ body }) => {
      const sent = JSON.parse(body.toString() || "{}");
      const mails = [sent.Messages ?? sent].flat();
      return mails.flatMap(({ To, Cc, Bcc }) => [To, Cc, Bcc].filter((one) => one).flatMap((one) => one.split(/, ?/)));
    },
    replies: {
      accepted: ({ url, body }) => {
        if (url === "/email/bulk") return { body: JSON.stringify({ Id: "b", Status: "Accepted", SubmittedAt: "x" }) };
        const { ErrorCode, Message, MessageID, SubmittedAt } = accepted;
        const answer = { To: "x", SubmittedAt, MessageID, ErrorCode, Message };
        return {
          body: JSON.stringify(url === "/email/batch" ? JSON.parse(body.toString()).map(() => answer) : answer),
        };
      },
      refused: { status: 422, body: JSON.stringify({ ErrorCode: 300, Message: "x" }) },
    },
    sends: {
      text: {
        args: (all) => [{ ...mail, To: all.join(", ") }],
        call: (client, [args]) => client.sendEmail(args as never),
      },
      batch: {
        args: (all) => [all.map((To) => ({ ...mail, To }))],
        call: (client, [args]) => client.sendEmailBatch(args as never),
      },
      bulk: {
        args: (all) => [
          {
            From: mail.From,
            Subject: "s",
            TextBody: "t",
            Messages: all.map((To) => ({ To, TemplateModel: { a: 1 } })),
          },
        ],
        call: (client, [args]) => client.sendBulkEmail(args as never),
      },
      callback: {
        args: (all) => [{ ...mail, To: all.join(", ") }],
        call: (client, [args]) =>
          new Promise((done, fail) => {
            client.sendEmail(args as never, (error, result) => (error ? fail(error) : done(result))).catch(() => {});
          }),
      },
    },
    tampers: Object.fromEntries(replacements),
    read: (client) => client.getServer(),
    manage: (client) =>
      client.createSuppressions("outbound", { Suppressions: [{ EmailAddress: "ann@customers.test" }] }),
  },
);
