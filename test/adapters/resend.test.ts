import { Resend } from "resend";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { resendAdapter, resendCodec } from "../../adapters/resend";
import { type Adapter, type Address, decodeWire, parseAddress } from "../../src/adapter";
import { adapterConformance } from "../../src/testing/adapter";
import { closedPort, type Endpoint, onWire, startEndpoint } from "../support/endpoint";
import { hold, liveFuse, type OpenGate, openGate, refusalOf, testFuse } from "../support/gates";

let endpoint: Endpoint;
beforeAll(async () => {
  endpoint = await startEndpoint(({ url, body }) => {
    if (url !== "/emails/batch") return { body: { id: "m-1" } };
    return { body: { data: (JSON.parse(body) as unknown[]).map((_, at) => ({ id: `m-${at}` })) } };
  });
});
beforeEach(() => {
  endpoint.arrived.length = 0;
  endpoint.answers.length = 0;
});
afterAll(() => endpoint.close());

const mail = { from: "app@sender.test", to: "ann@acme.test", subject: "Hello", text: "Hi Ann" };
const resend = (baseUrl = endpoint.url) => new Resend("re_secret", { baseUrl });
const held = (client = resend(), unattached?: "refuse" | "pass") =>
  hold(client, resendAdapter() as Adapter<Resend>, unattached);
const requests = () => endpoint.arrived.map(({ method, url }) => `${method} ${url}`);

const to = parseAddress("inbox@acme.test", "") as Address;
const note = { subjectPrefix: "[staging]", originals: ["ann@acme.test"] };

function messagesOf(gate: OpenGate) {
  const { intent } = gate.last();
  return "messages" in intent ? intent.messages : [];
}
const peopleOf = (gate: OpenGate) =>
  messagesOf(gate).map(({ recipients }) => recipients.map(({ field, person }) => `${field}:${person}`));

describe("what leaves", () => {
  const ordinary: readonly [string, (client: Resend) => Promise<unknown>][] = [
    ["one mail", (client) => client.emails.send(mail)],
    [
      "a mail with everything",
      (client) =>
        client.emails.create({
          ...mail,
          to: ["ann@acme.test", '"Smith, Bob" <bob@acme.test>'],
          cc: "cc@acme.test",
          bcc: ["bcc@acme.test"],
          replyTo: "help@sender.test",
          html: "<p>Hi — ü</p>",
          headers: { "X-Ref": "1" },
          tags: [{ name: "category", value: "welcome" }],
          attachments: [{ filename: "a.txt", content: Buffer.from("hello") }],
          scheduledAt: "2030-01-01T00:00:00Z",
          topicId: "t",
        }),
    ],
    [
      "a template",
      (client) =>
        client.emails.send({ from: "a@sender.test", to: "ann@acme.test", template: { id: "t", variables: { n: 1 } } }),
    ],
    ["the caller's own key", (client) => client.emails.send(mail, { idempotencyKey: "mine" })],
    ["headers of the caller", (client) => client.emails.send(mail, { headers: { "X-Trace": "1" } })],
    ["a batch", (client) => client.batch.send([mail, { ...mail, to: "bob@acme.test" }])],
    ["a permissive batch", (client) => client.batch.create([mail], { batchValidation: "permissive" })],
    ["a read with a query", (client) => client.emails.list({ limit: 5, after: "x y" })],
    ["a read with commas in its query", (client) => client.emails.metrics({ metrics: ["sent", "opened"] as never })],
    ["a suppression", (client) => client.suppressions.add({ email: "ann@acme.test" } as never)],
    ["a contact", (client) => client.contacts.create({ email: "ann@acme.test", unsubscribed: false })],
    ["a deletion by address", (client) => client.contacts.remove({ email: "ann+x@acme.test" })],
    ["a domain", (client) => client.domains.create({ name: "acme.test" })],
  ];

  it.each(ordinary)(
    "is the same request with and without a fuse, but for the reservation's key: %s",
    async (_name, call) => {
      const bare = await call(resend());
      const guarded = await call(liveFuse().attach(resend(), resendAdapter()));
      expect(endpoint.arrived).toHaveLength(2);
      const [first, second] = endpoint.arrived.map((one) => ({ ...one, headers: { ...one.headers } }));
      if (!first?.headers["idempotency-key"]) delete second?.headers["idempotency-key"];
      expect(onWire(second!)).toEqual(onWire(first!));
      const { headers: _one, ...bareAnswer } = bare as { headers: unknown };
      const { headers: _two, ...guardedAnswer } = guarded as { headers: unknown };
      expect(guardedAnswer).toEqual(bareAnswer);
    },
  );

  it("carries the reservation as idempotency key, and never in place of the caller's", async () => {
    const { client } = held();
    await client.emails.send(mail);
    await client.emails.send(mail, { idempotencyKey: "mine" });
    expect(endpoint.arrived.map(({ headers }) => headers["idempotency-key"])).toEqual(["reservation-1", "mine"]);
  });

  it("is the copy, whatever the application does to its objects afterwards", async () => {
    const { client } = held();
    const list = ["ann@acme.test"];
    const sent = client.emails.send({ ...mail, to: list });
    list.push("evil@evil.test");
    await sent;
    expect(JSON.parse(endpoint.arrived[0]!.body).to).toEqual(["ann@acme.test"]);
  });

  it("reads JSON text once: of a doubled name it sends the one it judged", async () => {
    const { client, gate } = held();
    const body = '{"from":"a@sender.test","to":"evil@evil.test","subject":"s","text":"t","to":"ann@acme.test"}';
    await client.fetchRequest("/emails", { method: "POST", body });
    expect(peopleOf(gate)).toEqual([["to:ann@acme.test"]]);
    expect(endpoint.arrived[0]!.body).not.toContain("evil");
  });

  it("sends a form as a form", async () => {
    const { client, gate } = held();
    await client.contacts.imports.create({
      file: new Blob(["email\nann@acme.test"]),
      segments: [{ id: "s-1" }],
    } as never);
    expect(gate.last().intent).toMatchObject({ kind: "audience", audiences: ["s-1"] });
    expect(endpoint.arrived[0]!.headers["content-type"]).toMatch(/^multipart\/form-data; boundary=/);
    expect(endpoint.arrived[0]!.body).toContain("ann@acme.test");
  });

  it("keeps to a base with a path of its own", async () => {
    const { client, gate } = held(resend(`${endpoint.url}/proxy/resend`));
    await client.emails.send(mail);
    expect(gate.last().intent.kind).toBe("send");
    expect(requests()).toEqual(["POST /proxy/resend/emails"]);
  });
});

describe("what is read", () => {
  it("finds every recipient", async () => {
    const { client, gate } = held();
    await client.emails.send({
      ...mail,
      to: ["Ann <ann@acme.test>", "bob@acme.test, carl@acme.test"],
      cc: "c@acme.test",
      bcc: ["d@acme.test"],
    });
    expect(peopleOf(gate)).toEqual([
      ["to:ann@acme.test", "to:bob@acme.test", "to:carl@acme.test", "cc:c@acme.test", "bcc:d@acme.test"],
    ]);
  });

  it("takes batches apart, each with its own content and tags", async () => {
    const { client, gate } = held();
    await client.batch.send([
      { ...mail, tags: [{ name: "category", value: "one" }] },
      { ...mail, to: "bob@acme.test", subject: "Other" },
    ]);
    expect(
      messagesOf(gate).map((one) => [one.recipients[0]?.person, one.content().subject, one.tags, one.from]),
    ).toEqual([
      ["ann@acme.test", "Hello", ["one", "category=one"], "app@sender.test"],
      ["bob@acme.test", "Other", [], "app@sender.test"],
    ]);
  });

  it("says that a template's text is not known here", async () => {
    const { client, gate } = held();
    await client.emails.send({
      from: "a@sender.test",
      to: "ann@acme.test",
      template: { id: "welcome", variables: { name: "Ann" } },
    });
    expect(messagesOf(gate)[0]?.content()).toMatchObject({
      template: { id: "welcome", data: { name: "Ann" } },
      unbound: expect.stringMatching(/template/),
    });
  });

  it("reads a template's text when told to, and not while a draft stands beside it", async () => {
    const { client, gate } = hold(resend(), resendAdapter({ resolveTemplates: true }) as Adapter<Resend>);
    const send = () =>
      client.emails.send({
        from: "a@sender.test",
        to: "ann@acme.test",
        template: { id: "w", variables: { NAME: "Ann" } },
      });
    const template = {
      subject: "Hi {{{NAME}}}",
      html: "<p>{{{NAME}}}</p>",
      text: null,
      status: "published",
      has_unpublished_versions: false,
    };
    endpoint.answers.push({ body: template });
    await send();
    expect(messagesOf(gate)[0]?.content()).toEqual({
      subject: "Hi Ann",
      html: "<p>Ann</p>",
      template: { id: "w", data: { NAME: "Ann" } },
    });
    expect(requests()).toEqual(["GET /templates/w", "POST /emails"]);
    endpoint.answers.push({ body: { ...template, has_unpublished_versions: true } });
    await send();
    expect(messagesOf(gate)[0]?.content().unbound).toBeTruthy();
  });

  it("gives different mails different digests, attachments included", async () => {
    const { client, gate } = held();
    const digests = new Set<string | undefined>();
    const variants = [
      {},
      { subject: "x" },
      { text: "x" },
      { html: "x" },
      { attachments: [{ filename: "a", content: "AA==" }] },
      { attachments: [{ filename: "a", content: "AQ==" }] },
      { attachments: [{ filename: "a", path: "https://x.test/1" }] },
    ];
    for (const variant of variants) {
      await client.emails.send({ ...mail, ...variant });
      digests.add(messagesOf(gate)[0]?.digest());
    }
    expect(digests.size).toBe(variants.length);
  });
});

describe("what is refused", () => {
  const evil = { ...mail, to: "evil@evil.test" };
  const attacks: readonly [string, (client: Resend) => unknown][] = [
    ["Bcc among the headers", (client) => client.emails.send({ ...mail, headers: { Bcc: evil.to } })],
    ["Bcc among the headers, disguised", (client) => client.emails.send({ ...mail, headers: { "b c c": evil.to } })],
    [
      "a header that ends in another",
      (client) => client.emails.send({ ...mail, headers: { "X-A": `1\r\nBcc: ${evil.to}` } }),
    ],
    ["a header of several values", (client) => client.emails.send({ ...mail, headers: { "X-A": [evil.to] } } as never)],
    ["nested lists of recipients", (client) => client.emails.send({ ...mail, to: [[evil.to]] } as never)],
    ["recipients as objects", (client) => client.emails.send({ ...mail, to: [{ email: evil.to }] } as never)],
    ["a field nobody documents", (client) => client.post("/emails", { ...mail, also_to: evil.to })],
    ["a recipient field in another case", (client) => client.post("/emails", { ...mail, Bcc: evil.to })],
    [
      "__proto__ as a field",
      (client) =>
        client.post("/emails", JSON.parse(`{"from":"a@b.test","to":"ann@acme.test","__proto__":{"bcc":"${evil.to}"}}`)),
    ],
    [
      "addresses that readers take apart differently",
      (client) => client.emails.send({ ...mail, to: `Alice, ${evil.to} <ann@acme.test>` }),
    ],
    ["a line break in an address", (client) => client.emails.send({ ...mail, to: `ann@acme.test\r\nBcc: ${evil.to}` })],
    ["a list where one mail belongs", (client) => client.post("/emails", [evil])],
    ["one mail where a list belongs", (client) => client.post("/emails/batch", evil)],
    ["a mail that is no object", (client) => client.post("/emails", "evil@evil.test")],
    [
      "a read's options that make it a send elsewhere",
      (client) => client.broadcasts.get("b/send", { method: "POST" } as never),
    ],
    [
      "an id that leads to another path",
      (client) => client.emails.cancel("batch?", { body: JSON.stringify([{ ...mail, also: 1 }]) } as never),
    ],
    ["an id that leads to a broadcast's sending", (client) => client.broadcasts.duplicate("b/send?")],
    ["an encoded id that leads there", (client) => client.broadcasts.duplicate("b%2Fsend%3F")],
    ["a send with a query", (client) => client.post("/emails?to=evil@evil.test", mail)],
    ["another host", (client) => client.post("@evil.test/emails", mail)],
    ["another host's end", (client) => client.post(".evil.test/emails", mail)],
    [
      "a header that turns a read into a send",
      (client) => client.get("/emails", { headers: { "X-HTTP-Method-Override": "POST" } }),
    ],
    ["a body in an encoding", (client) => client.post("/emails", mail, { headers: { "Content-Encoding": "gzip" } })],
    ["a body of another type", (client) => client.post("/emails", mail, { headers: { "Content-Type": "text/plain" } })],
    [
      "a body as a stream",
      (client) =>
        client.fetchRequest("/emails", {
          method: "POST",
          body: new Blob([JSON.stringify(evil)]).stream(),
          duplex: "half",
        } as never),
    ],
    [
      "a body as bytes",
      (client) => client.fetchRequest("/emails", { method: "POST", body: Buffer.from(JSON.stringify(evil)) }),
    ],
    ["an unknown method", (client) => client.fetchRequest("/emails", { method: "PURGE" })],
    ["an unknown path", (client) => client.post("/mails", mail)],
    ["a broadcast", (client) => client.broadcasts.send("b-1")],
    [
      "a broadcast that is sent as it is made",
      (client) =>
        client.broadcasts.create({ segmentId: "s", from: "a@b.test", subject: "s", text: "t", send: true } as never),
    ],
    [
      "a broadcast that is scheduled as it is made",
      (client) =>
        client.broadcasts.create({
          segmentId: "s",
          from: "a@b.test",
          subject: "s",
          text: "t",
          scheduledAt: "now",
        } as never),
    ],
    [
      "a broadcast to everyone",
      (client) => client.post("/broadcasts", { from: "a@b.test", subject: "s", text: "t", send: "yes" }),
    ],
    ["a change of a broadcast", (client) => client.broadcasts.update("b-1", { segmentId: "s" } as never)],
    ["an event", (client) => client.events.send({ event: "signed-up", email: evil.to } as never)],
    [
      "an automation",
      (client) => client.automations.create({ name: "a", status: "enabled", steps: [], connections: [] } as never),
    ],
    ["another time for a mail", (client) => client.emails.update({ id: "m", scheduledAt: "now" })],
    [
      "a reply within a thread",
      (client) => client.inboxes.threads.emails.reply({ inboxId: "i", threadId: "t", emailId: "e", text: "x" }),
    ],
    ["a stored draft", (client) => client.inboxes.drafts.send({ inboxId: "i", draftId: "d" })],
    [
      "an agent that forwards",
      (client) => client.inboxes.agent.update({ inboxId: "i", actions: ["forward_thread"] } as never),
    ],
    ["an import of contacts", (client) => client.contacts.imports.create({ file: new Blob(["x"]) } as never)],
  ];

  it.each(attacks)("%s", async (_name, attack) => {
    const client = liveFuse().attach(resend(), resendAdapter());
    expect(await refusalOf(attack(client))).toMatch(/^[A-Z_]+$/);
    expect(endpoint.arrived).toEqual([]);
  });

  it("rejects, although Resend resolves errors, and says nothing of the mail", async () => {
    const client = testFuse([]).attach(resend(), resendAdapter());
    const error = await client.emails.send({ ...evil, headers: { Bcc: evil.to } }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: "MailfuseError", code: "HEADER_REFUSED" });
    expect(String(error)).not.toMatch(/evil|Hi Ann/);
  });

  it("polluted prototypes", async () => {
    const { client } = held();
    Object.defineProperty(Object.prototype, "bcc", {
      value: evil.to,
      configurable: true,
      writable: true,
      enumerable: true,
    });
    try {
      expect(await refusalOf(client.emails.send(mail))).toBe("PROTOTYPE_POLLUTED");
    } finally {
      Reflect.deleteProperty(Object.prototype, "bcc");
    }
    expect(endpoint.arrived).toEqual([]);
  });
});

describe("every way to send passes the fuse", () => {
  const json = JSON.stringify(mail);
  const ways: readonly [string, (client: Resend) => unknown][] = [
    ["emails.create", (client) => client.emails.create(mail)],
    ["a batch", (client) => client.batch.send([mail])],
    ["a sub-client kept before", (client) => client.batch.create([mail])],
    [
      "the client behind a sub-client",
      (client) => (client.emails as unknown as { resend: Resend }).resend.post("/emails", mail),
    ],
    ["the generic post", (client) => client.post("/emails", mail)],
    ["the choke point itself", (client) => client.fetchRequest("/emails", { method: "POST", body: json })],
    [
      "the class's own method",
      (client) => Resend.prototype.fetchRequest.call(client, "/emails", { method: "POST", body: json }),
    ],
    ["the class's post", (client) => Resend.prototype.post.call(client, "/emails", mail)],
    ["a lower-case method", (client) => client.fetchRequest("/emails", { method: "post", body: json })],
    ["another case of the path", (client) => client.post("/Emails/", mail)],
    ["a doubled slash", (client) => client.post("//emails", mail)],
    ["an encoded path", (client) => client.post("/%65mails", mail)],
    [
      "a read whose options make it a send",
      (client) => client.emails.list({}, { method: "POST", body: json } as never),
    ],
    [
      "a send whose options replace its body",
      (client) => client.emails.send({ ...mail, to: "other@acme.test" }, { body: json } as never),
    ],
    [
      "an id that leads to a batch",
      (client) => client.emails.get("batch", { method: "POST", body: JSON.stringify([mail]) } as never),
    ],
    [
      "a forward",
      (client) =>
        client.inboxes.threads.emails.forward({ inboxId: "i", threadId: "t", emailId: "e", to: "ann@acme.test" }),
    ],
  ];

  it.each(ways)("%s", async (_name, way) => {
    const closed = testFuse(["nobody@nowhere.test"]).attach(resend(), resendAdapter());
    expect(await refusalOf(way(closed))).toBe("NOT_ALLOWLISTED");
    expect(endpoint.arrived).toEqual([]);
    await way(testFuse(["ann@acme.test"]).attach(resend(), resendAdapter()));
    expect(endpoint.arrived).toHaveLength(1);
  });

  it("a client made by the class of an attached one is a stranger: its mail is refused, all else passes", async () => {
    const { client, gate, attachment } = held();
    const Class = client.constructor as typeof Resend;
    const stranger = new Class((client as unknown as { key: string }).key, { baseUrl: endpoint.url });
    expect(await refusalOf(stranger.emails.send(mail))).toBe("UNATTACHED_SEND");
    expect(await refusalOf(stranger.broadcasts.send("b"))).toBe("UNATTACHED_SEND");
    expect(await refusalOf(stranger.emails.list({}, { method: "POST", body: json } as never))).toBe("UNATTACHED_SEND");
    await stranger.domains.list();
    await stranger.contacts.create({ email: "ann@acme.test" });
    expect(requests()).toEqual(["GET /domains", "POST /contacts"]);
    expect(gate.calls).toEqual([]);
    attachment.detach();
    await stranger.emails.send(mail);
    expect(endpoint.arrived).toHaveLength(3);
  });

  it("strangers' mail passes where the configuration says so", async () => {
    const { gate } = held(resend(), "pass");
    await resend().emails.send(mail);
    expect(endpoint.arrived).toHaveLength(1);
    expect(gate.calls).toEqual([]);
  });
});

describe("audiences", () => {
  it("names what has to be declared", async () => {
    const { client, gate } = held();
    const audiencesOf = async (call: Promise<unknown>) => {
      await call;
      const { intent } = gate.last();
      return intent.kind === "audience" ? intent.audiences : intent.kind;
    };
    const broadcast = { from: "a@b.test", subject: "s", text: "t" };
    expect(
      await audiencesOf(client.broadcasts.create({ ...broadcast, segmentId: "s-1", send: true } as never)),
    ).toEqual(["s-1"]);
    expect(await audiencesOf(client.broadcasts.create({ ...broadcast, segmentId: "s-1" } as never))).toBe("management");
    expect(await audiencesOf(client.broadcasts.send("b-1"))).toEqual(["b-1"]);
    expect(await audiencesOf(client.broadcasts.update("b-1", { segmentId: "s-2" } as never))).toEqual(["s-2"]);
    expect(await audiencesOf(client.broadcasts.update("b-1", { subject: "x" } as never))).toEqual(["b-1"]);
    expect(await audiencesOf(client.events.send({ event: "signed-up", email: "ann@acme.test" } as never))).toEqual([
      "signed-up",
    ]);
    expect(peopleOf(gate)).toEqual([["to:ann@acme.test"]]);
    expect(
      await audiencesOf(
        client.inboxes.threads.emails.reply({
          inboxId: "i",
          threadId: "t-1",
          emailId: "e",
          text: "x",
          bcc: "b@acme.test",
        }),
      ),
    ).toEqual(["t-1"]);
    expect(peopleOf(gate)).toEqual([["bcc:b@acme.test"]]);
    expect(await audiencesOf(client.inboxes.agent.update({ inboxId: "i", actions: ["archive"] } as never))).toBe(
      "management",
    );
    expect(await audiencesOf(client.automations.update("a-1", { status: "disabled" } as never))).toBe("management");
    expect(await audiencesOf(client.automations.update("a-1", { status: "enabled" } as never))).toEqual(["a-1"]);
  });

  it("passes a declared one within a confirmed release only", async () => {
    const client = liveFuse({ audiences: { "b-1": { people: 50 } } }).attach(resend(), resendAdapter());
    expect(await refusalOf(client.broadcasts.send("b-1"))).toBe("CONFIRMATION_REQUIRED");
    expect(await refusalOf(client.broadcasts.send("b-2"))).toBe("AUDIENCE_UNDECLARED");
    expect(endpoint.arrived).toEqual([]);
  });

  it("never stands in the way of unsubscribing, whatever the environment", async () => {
    const client = testFuse([]).attach(resend(), resendAdapter());
    await client.contacts.update({ email: "ann@acme.test", unsubscribed: true });
    await client.suppressions.add({ email: "ann@acme.test" } as never);
    await client.contacts.topics.update({ email: "ann@acme.test", topics: [{ id: "t", subscription: "opt_out" }] });
    expect(requests()).toEqual([
      "PATCH /contacts/ann@acme.test",
      "POST /suppressions",
      "PATCH /contacts/ann@acme.test/topics",
    ]);
  });
});

describe("outcomes", () => {
  async function outcomeOf(call: (client: Resend) => Promise<unknown>, client = resend()) {
    const { gate } = held(client);
    const result = await call(client);
    return { outcome: gate.outcomes.at(-1)!, result };
  }

  it("is accepted with the provider's id, unknown without one", async () => {
    expect((await outcomeOf((client) => client.emails.send(mail))).outcome).toEqual({
      fate: "accepted",
      messageId: "m-1",
    });
    endpoint.answers.push({ body: {} });
    expect((await outcomeOf((client) => client.emails.send(mail))).outcome).toEqual({ fate: "unknown" });
  });

  it("tells the people of a permissive batch apart", async () => {
    endpoint.answers.push({ body: { data: [{ id: "m-0" }, { id: "m-2" }], errors: [{ index: 1, message: "bad" }] } });
    const mails = ["ann", "bob", "carl"].map((name) => ({ ...mail, to: `${name}@acme.test` }));
    const { outcome } = await outcomeOf((client) => client.batch.send(mails, { batchValidation: "permissive" }));
    expect(outcome.fate).toBe("accepted");
    expect(Object.fromEntries(outcome.people!)).toEqual({
      "ann@acme.test": { fate: "accepted", messageId: "m-0" },
      "bob@acme.test": { fate: "refused" },
      "carl@acme.test": { fate: "accepted", messageId: "m-2" },
    });
  });

  it("is unknown when a batch's answer has another number of ids", async () => {
    endpoint.answers.push({ body: { data: [{ id: "m-0" }] } });
    expect((await outcomeOf((client) => client.batch.send([mail, mail]))).outcome).toEqual({ fate: "unknown" });
  });

  it.each([
    [
      422,
      { name: "validation_error", message: "ann@acme.test is bad", statusCode: 422 },
      "refused",
      "validation_error",
    ],
    [403, { name: "invalid_access", message: "x", statusCode: 403 }, "refused", "invalid_access"],
    [429, { name: "rate_limit_exceeded", message: "x", statusCode: 429 }, "refused", "rate_limit_exceeded"],
    [
      409,
      { name: "invalid_idempotent_request", message: "x", statusCode: 409 },
      "refused",
      "invalid_idempotent_request",
    ],
    [
      409,
      { name: "concurrent_idempotent_requests", message: "x", statusCode: 409 },
      "unknown",
      "concurrent_idempotent_requests",
    ],
    [500, { name: "internal_server_error", message: "x", statusCode: 500 }, "unknown", "internal_server_error"],
    [502, "<html>", "unknown", "application_error"],
  ])("reads status %i %j as %s", async (status, body, fate, providerCode) => {
    endpoint.answers.push({ status, body });
    const { outcome, result } = await outcomeOf((client) => client.emails.send(mail));
    expect(outcome).toEqual({ fate, providerCode });
    expect(result).toMatchObject({ data: null, error: { statusCode: status } });
  });

  it("is unknown when the connection breaks after the request, failed when there was none", async () => {
    endpoint.answers.push({ reset: true });
    expect((await outcomeOf((client) => client.emails.send(mail))).outcome).toEqual({ fate: "unknown" });
    const { outcome, result } = await outcomeOf(
      (client) => client.emails.send(mail),
      resend(`http://127.0.0.1:${await closedPort()}`),
    );
    expect(outcome).toEqual({ fate: "failed" });
    expect(result).toMatchObject({ data: null, error: { name: "application_error" } });
  });
});

describe("instead of sending", () => {
  it("answers as the SDK would", async () => {
    const { client, gate } = held();
    await client.emails.send(mail);
    expect(gate.last().simulate("rehearsal")).toEqual({ data: { id: expect.any(String) }, error: null, headers: {} });
    await client.batch.send([mail, mail]);
    expect(gate.last().simulate("dropped")).toMatchObject({
      data: { data: [{ id: expect.any(String) }, { id: expect.any(String) }] },
      error: null,
    });
  });

  it("redirects every mail of a batch", async () => {
    const { client, gate } = held();
    await client.batch.send([
      {
        ...mail,
        cc: "bob@acme.test",
        bcc: ["carl@acme.test"],
        headers: { "List-Unsubscribe": "<https://x>", "X-Ref": "1" },
      },
      mail,
    ]);
    endpoint.arrived.length = 0;
    const redirected = await gate.last().redirect(to, note);
    expect(
      "messages" in redirected.intent &&
        redirected.intent.messages.map(({ recipients }) => recipients.map(({ person }) => person)),
    ).toEqual([["inbox@acme.test"], ["inbox@acme.test"]]);
    await gate.pass(redirected);
    const original = { "X-Mailfuse-Original-To": "ann@acme.test" };
    const kept = { from: mail.from, text: mail.text, to: ["inbox@acme.test"], subject: "[staging] Hello" };
    expect(JSON.parse(endpoint.arrived[0]!.body)).toEqual([
      { ...kept, headers: { "X-Ref": "1", ...original } },
      { ...kept, headers: original },
    ]);
  });

  it("cannot redirect what names nobody", async () => {
    const { client, gate } = held();
    await client.broadcasts.send("b-1");
    expect(await refusalOf(gate.last().redirect(to, note))).toBe("NOT_ALLOWLISTED");
  });

  it("delivers a spooled call later, through the client of then, with its key", async () => {
    const { client, gate } = held();
    await client.batch.send([mail], { batchValidation: "permissive", idempotencyKey: "mine" });
    const spooled = gate.last().spool();
    expect(Buffer.from(spooled).toString()).not.toContain("re_secret");
    expect(decodeWire(spooled).path).toBe("/emails/batch");
    const later = held();
    await later.gate.pass(later.attachment.revive(spooled));
    expect(onWire(endpoint.arrived[1]!)).toEqual(onWire(endpoint.arrived[0]!));
  });
});

describe("attaching", () => {
  it("changes no type and restores the client exactly", () => {
    const client = resend();
    const shape = () => [client, Resend.prototype].map((object) => Object.getOwnPropertyDescriptors(object));
    const before = shape();
    const fuse = liveFuse();
    expect(fuse.attach(client, resendAdapter())).toBe(client);
    expect(client).toBeInstanceOf(Resend);
    expect(Object.keys(client)).toEqual(Object.keys(resend()));
    fuse.detach(client);
    expect(shape()).toEqual(before);
  });

  it("is harmless twice", async () => {
    const client = resend();
    const fuse = liveFuse();
    fuse.attach(client, resendAdapter());
    fuse.attach(client, resendAdapter());
    await client.emails.send(mail);
    expect(endpoint.arrived).toHaveLength(1);
    fuse.detach(client);
    await client.emails.send(mail);
    expect(endpoint.arrived).toHaveLength(2);
  });

  it("refuses what is no Resend client, and one that other code has been at", () => {
    const gate = openGate();
    expect(() => resendAdapter().attach({} as never, gate)).toThrow(/ATTACH_UNSUPPORTED/);
    const patched = resend();
    patched.fetchRequest = async () => ({}) as never;
    expect(() => resendAdapter().attach(patched, gate)).toThrow(/ATTACH_UNSUPPORTED/);
  });

  it("tells accounts apart without naming their keys", () => {
    const { attachment } = held();
    expect(attachment.account).toMatch(/^key-[0-9a-f]{8}$/);
    expect(attachment.account).toBe(held().attachment.account);
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
    { headers: 1 },
    { headers: [1] },
    { attachments: {} },
    { to: 1 },
    { tags: "x" },
    { template: [] },
  ];
  for (const path of ["/emails", "/emails/batch", "/broadcasts", "/events/send", "/inboxes/i/agent", "/automations"]) {
    for (const value of values) {
      const request = {
        method: path.endsWith("agent") ? "PATCH" : "POST",
        path,
        query: [],
        headers: [],
        body: { kind: "json" as const, value: value as never },
      };
      const intent = resendCodec.classify(request);
      if ("messages" in intent) for (const message of intent.messages) message.digest();
      resendCodec.simulate(request);
      resendCodec.rewrite?.(request);
      resendCodec.outcome(request, { status: 200, headers: {}, body: value as never });
    }
  }
});

const strings = (value: unknown): string[] => [value].flat().filter((one) => typeof one === "string");

adapterConformance(
  { describe, it },
  {
    name: "resend",
    adapter: resendAdapter as () => Adapter<Resend>,
    client: (url) => new Resend("re_x", { baseUrl: url }),
    recipients: ({ body }) =>
      [JSON.parse(body.toString() || "{}")]
        .flat()
        .flatMap(({ to: all, cc, bcc }) => [...strings(all), ...strings(cc), ...strings(bcc)]),
    replies: {
      accepted: ({ url, body }) => ({
        headers: { "content-type": "application/json" },
        body: JSON.stringify(
          url.endsWith("/batch")
            ? { data: [JSON.parse(body.toString())].flat().map(() => ({ id: "m" })) }
            : { id: "m" },
        ),
      }),
      refused: { status: 422, body: JSON.stringify({ name: "validation_error", statusCode: 422, message: "x" }) },
    },
    sends: {
      text: {
        args: (all) => [{ ...mail, to: [...all] }],
        call: (client, [args]) => answered(client.emails.send(args as never)),
      },
      batch: {
        args: (all) => [all.map((one) => ({ ...mail, to: one }))],
        call: (client, [args]) => answered(client.batch.send(args as never)),
      },
      "read with options": {
        args: (all) => [{ method: "POST", body: JSON.stringify({ ...mail, to: all }) }],
        call: (client, [args]) => answered(client.emails.list({}, args as never)),
      },
    },
    comparable: ({ method, url, rawHeaders, body }) => ({
      method,
      url,
      headers: rawHeaders.filter(([name]) => !/^(?:host|idempotency-key)$/i.test(name)),
      body: body.toString(),
    }),
    reads: (result) => ({ ...(result as object), headers: {} }),
    tampers: {
      "fetchRequest assigned": (client) => {
        client.fetchRequest = async () => ({ data: null, error: null, headers: null }) as never;
      },
      "fetchRequest defined": (client) => {
        Object.defineProperty(client, "fetchRequest", { value: async () => ({}) });
      },
    },
    read: (client) => answered(client.domains.list()),
    manage: (client) => answered(client.suppressions.add({ email: "ann@customers.test" } as never)),
  },
);

/** Resend resolves errors; the suite wants them thrown. */
async function answered(call: PromiseLike<{ error: { message: string } | null }>): Promise<unknown> {
  const result = await call;
  if (result.error) throw new Error(result.error.message);
  return result;
}
