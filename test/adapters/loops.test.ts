import { LoopsClient } from "loops";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { loopsAdapter, loopsCodec } from "../../adapters/loops";
import { type Adapter, type Address, MailfuseError, parseAddress } from "../../src/adapter";
import { adapterConformance } from "../../src/testing/adapter";
import { closedPort, type Endpoint, onWire, startEndpoint } from "../support/endpoint";
import { hold, liveFuse, type OpenGate, refusalOf, testFuse } from "../support/gates";

let endpoint: Endpoint;
beforeAll(async () => {
  endpoint = await startEndpoint(() => ({ body: { success: true, id: "m-1" } }));
});
beforeEach(() => {
  endpoint.arrived.length = 0;
  endpoint.answers.length = 0;
});
afterAll(() => endpoint.close());

/** What the types hide. */
interface Hidden {
  _makeQuery(query: object): Promise<unknown>;
}
type Client = LoopsClient;
const hidden = (c: Client) => c as unknown as Hidden;

const evil = "evil@evil.test";
const mail = { transactionalId: "t-1", email: "ann@acme.test", dataVariables: { name: "Ann" } };
function client(url = endpoint.url): Client {
  const made = new LoopsClient("key");
  made.apiRoot = `${url}/api/`;
  return made;
}
const adapter = (options?: object) => loopsAdapter(options) as Adapter<Client>;
const held = (made = client(), unattached?: "refuse" | "pass") => hold(made, adapter(), unattached);
const requests = () => endpoint.arrived.map(({ method, url }) => `${method} ${url}`);
const bodies = () => endpoint.arrived.map(({ body }) => JSON.parse(body || "null"));
const people = (gate: OpenGate) => {
  const { intent } = gate.last();
  return "messages" in intent
    ? intent.messages.map(({ recipients }) => recipients.map(({ field, person }) => `${field}:${person}`))
    : [];
};
const contents = (gate: OpenGate) => {
  const { intent } = gate.last();
  return "messages" in intent ? intent.messages.map((one) => one.content()) : [];
};

describe("what leaves", () => {
  const file = { filename: "a.txt", contentType: "text/plain", data: "aGVsbG8=" };
  const ordinary: readonly [string, (c: Client) => Promise<unknown>][] = [
    ["one mail", (c) => c.sendTransactionalEmail(mail)],
    [
      "a mail with everything",
      (c) =>
        c.sendTransactionalEmail({
          ...mail,
          addToAudience: true,
          dataVariables: { n: 1, list: [{ a: "ü" }] },
          attachments: [file],
          headers: { "X-Trace": "1", "Idempotency-Key": "mine" },
        }),
    ],
    ["a read", (c) => c.listTransactionalEmails({ perPage: 10, cursor: "x y" })],
    ["a contact", (c) => c.createContact({ email: "ann@acme.test", properties: { plan: "pro" } })],
    ["a suppression that ends", (c) => c.removeContactSuppression({ email: "ann+x@acme.test" })],
    ["a deletion with a body", (c) => c.deleteWorkflow("w", { expectedRevisionId: "1" } as never)],
  ];
  it.each(ordinary)(
    "is the same request with and without a fuse, but for the reservation's key: %s",
    async (_n, call) => {
      const bare = await call(client());
      const guarded = await call(liveFuse().attach(client(), loopsAdapter()));
      expect(guarded).toEqual(bare);
      expect(endpoint.arrived).toHaveLength(2);
      const [first, second] = endpoint.arrived.map((one) => ({ ...one, headers: { ...one.headers } }));
      if (!first?.headers["idempotency-key"]) delete second?.headers["idempotency-key"];
      expect(onWire(second!)).toEqual(onWire(first!));
    },
  );

  it("carries the reservation as idempotency key, and never in place of the caller's", async () => {
    const { client: c } = held();
    await c.sendTransactionalEmail(mail);
    await c.sendTransactionalEmail({ ...mail, headers: { "idempotency-key": "mine" } });
    await c.sendTransactionalEmail({ ...mail, headers: { "Idempotency-Key": "" } });
    expect(endpoint.arrived.map(({ headers }) => headers["idempotency-key"])).toEqual([
      "reservation-1",
      "mine",
      "reservation-3",
    ]);
  });

  it("writes the recipient anew from its parse", async () => {
    const { client: c } = held();
    await c.sendTransactionalEmail({ ...mail, email: " Ann@ACME.test" });
    expect(bodies()[0].email).toBe("Ann@acme.test");
  });

  it("goes where it was judged to go, whatever the application sets meanwhile", async () => {
    const { client: c } = held();
    const sent = c.sendTransactionalEmail(mail);
    c.apiRoot = "http://127.0.0.1:9/";
    await sent;
    expect(requests()).toEqual(["POST /api/v1/transactional"]);
  });
});

describe("what is read", () => {
  it("finds the person, the template and its data", async () => {
    const { client: c, gate } = held();
    await c.sendTransactionalEmail(mail);
    expect(people(gate)).toEqual([["to:ann@acme.test"]]);
    expect(gate.last().intent).toMatchObject({ messages: [{ tags: ["t-1"] }] });
    expect(contents(gate)).toMatchObject([
      { template: { id: "t-1", data: { name: "Ann" } }, unbound: expect.stringMatching(/template.*copies/) },
    ]);
  });

  it("reads a template's text and whom it copies, when told to", async () => {
    const { client: c, gate } = hold(client(), adapter({ resolveTemplates: true }));
    endpoint.answers.push({ body: { id: "t-1", publishedEmailMessageId: "em-1" } });
    const stored = { lmx: "<Text>Dear {data.name}</Text>", subject: "Hi {data.name}" };
    endpoint.answers.push({ body: { ...stored, ccEmail: "", bccEmail: "archive@acme.test" } });
    await c.sendTransactionalEmail(mail);
    expect(requests()).toEqual([
      "GET /api/v1/transactional-emails/t-1",
      "GET /api/v1/email-messages/em-1",
      "POST /api/v1/transactional",
    ]);
    expect(contents(gate)).toMatchObject([{ subject: "Hi Ann", html: "<Text>Dear Ann</Text>" }]);
    expect(contents(gate)[0]).not.toHaveProperty("unbound");
    expect(people(gate)).toEqual([["to:ann@acme.test", "bcc:archive@acme.test"]]);
    expect(bodies()[2]).toEqual(mail);
  });

  it.each(["{data.other}", '<Component componentId="logo" />', "{contact.firstName}"])(
    "says that Loops fills in %s",
    async (lmx) => {
      const { client: c, gate } = hold(client(), adapter({ resolveTemplates: true }));
      endpoint.answers.push({ body: { publishedEmailMessageId: "em-1" } }, { body: { lmx, subject: "s" } });
      await c.sendTransactionalEmail(mail);
      expect(contents(gate)[0]?.unbound).toMatch(/fills in/);
    },
  );

  it.each([
    ["nothing is published", { publishedEmailMessageId: null }],
    ["an id that is a path", { publishedEmailMessageId: "../transactional" }],
  ])("leaves the text unbound where %s", async (_name, body) => {
    const { client: c, gate } = hold(client(), adapter({ resolveTemplates: true }));
    endpoint.answers.push({ body });
    await c.sendTransactionalEmail(mail);
    expect(contents(gate)[0]?.unbound).toMatch(/lives at Loops/);
  });

  it("finds everybody who gets a preview", async () => {
    const { client: c, gate } = held();
    await c.sendEmailMessagePreview("em-1", { emails: ["ann@acme.test", "bob@acme.test"] });
    expect(gate.last().intent.kind).toBe("send");
    expect(people(gate)).toEqual([["to:ann@acme.test", "to:bob@acme.test"]]);
  });

  it("gives different mails different digests", async () => {
    const { client: c, gate } = held();
    const digests = new Set<string>();
    const file = { filename: "a", contentType: "x/y", data: "AA==" };
    const more = [{}, { transactionalId: "t-2" }, { dataVariables: {} }, { attachments: [file] }];
    for (const one of [...more, { attachments: [{ ...file, data: "AQ==" }] }]) {
      await c.sendTransactionalEmail({ ...mail, ...one });
      const { intent } = gate.last();
      if ("messages" in intent) digests.add(intent.messages[0]!.digest());
    }
    expect(digests.size).toBe(5);
  });
});

describe("what mails people that only Loops knows", () => {
  const others: readonly [string, object, (c: Client) => Promise<unknown>][] = [
    [
      "an event",
      { kind: "audience", audiences: ["signup"] },
      (c) => c.sendEvent({ email: "ann@acme.test", eventName: "signup" }),
    ],
    [
      "an event for a user",
      { kind: "audience", audiences: ["signup"], messages: [] },
      (c) => c.sendEvent({ userId: "u", eventName: "signup" }),
    ],
    [
      "a campaign that leaves now",
      { kind: "audience", audiences: ["l-1"] },
      (c) => c.createCampaign({ name: "c", mailingListId: "l-1", scheduling: { method: "now" } }),
    ],
    [
      "a campaign for everyone",
      { kind: "audience", audiences: [] },
      (c) => c.createCampaign({ name: "c", scheduling: { method: "now" } }),
    ],
    [
      "another audience of a campaign",
      { kind: "audience", audiences: ["s-1"] },
      (c) => c.updateCampaign("c-1", { audienceSegmentId: "s-1" }),
    ],
    [
      "a campaign set off",
      { kind: "audience", audiences: ["c-1"] },
      (c) => c.updateCampaign("c-1", { scheduling: { method: "now" } }),
    ],
    [
      "a workflow's node",
      { kind: "audience", audiences: ["w-1"] },
      (c) => c.updateWorkflowNode("w-1", "n", { expectedRevisionId: "1", payload: { amount: 0 } }),
    ],
    [
      "a standing copy",
      { kind: "system" },
      (c) => c.updateEmailMessage("em-1", { bccEmail: "ann@acme.test" } as never),
    ],
  ];
  it.each(others)("%s is refused unless it was declared", async (_name, expected, call) => {
    const { client: c, gate } = held();
    await call(c);
    expect(gate.last().intent).toMatchObject(expected);
    endpoint.arrived.length = 0;
    expect(await refusalOf(call(liveFuse().attach(client(), loopsAdapter())))).toMatch(
      /^(?:AUDIENCE_|SYSTEM_MAIL_REFUSED)/,
    );
    expect(endpoint.arrived).toEqual([]);
  });

  it.each([
    ["a draft of a campaign", (c: Client) => c.createCampaign({ name: "c", mailingListId: "l" })],
    ["a campaign's name", (c: Client) => c.updateCampaign("c-1", { name: "x" })],
    ["the end of a standing copy", (c: Client) => c.updateEmailMessage("em-1", { bccEmail: "" } as never)],
    ["a text", (c: Client) => c.updateEmailMessage("em-1", { subject: "x" } as never)],
    [
      "a dry run",
      (c: Client) =>
        c.changeWorkflowMailingList("w", { expectedRevisionId: "1", mailingListId: "l", dryRun: true } as never),
    ],
  ])("%s mails nobody", async (_name, call) => {
    const { client: c, gate } = held();
    await call(c);
    expect(gate.last().intent.kind).toBe("management");
  });

  it("a declared event still needs its person on the allowlist", async () => {
    const fuse = testFuse(["*@acme.test"], { audiences: { signup: { people: 1 } } });
    const c = fuse.attach(client(), loopsAdapter());
    await refusalOf(c.sendEvent({ email: evil, eventName: "signup" }));
    expect(endpoint.arrived).toEqual([]);
  });
});

describe("what is refused", () => {
  const send = (c: Client, more: object) => c.sendTransactionalEmail({ ...mail, ...more } as never);
  const query = (c: Client, more: object) =>
    hidden(c)._makeQuery({ path: "v1/transactional", method: "POST", payload: mail, ...more });
  const attacks: readonly [string, (c: Client) => unknown][] = [
    ["two addresses in one", (c) => send(c, { email: `ann@acme.test, ${evil}` })],
    ["a list of addresses", (c) => send(c, { email: ["ann@acme.test", evil] })],
    ["an address as an object", (c) => send(c, { email: { toString: () => evil } })],
    ["nobody", (c) => send(c, { email: "" })],
    ["a field nobody documents", (c) => query(c, { payload: { ...mail, bcc: evil } })],
    ["a field in another case", (c) => query(c, { payload: { ...mail, Email: evil } })],
    ["a query beside the mail", (c) => query(c, { params: { email: evil } })],
    ["a query in the path", (c) => query(c, { path: `v1/transactional?email=${evil}` })],
    ["a list of mails", (c) => query(c, { payload: [mail] })],
    ["a header that overrides the method", (c) => send(c, { headers: { "X-HTTP-Method-Override": "PUT" } })],
    ["a body under another type", (c) => send(c, { headers: { "Content-Type": "application/x-www-form-urlencoded" } })],
    ["an unknown path", (c) => query(c, { path: "v1/transactional/bulk" })],
    ["a path that leaves the base", (c) => query(c, { path: "/evil/v1/transactional" })],
    ["another host", (c) => query(c, { path: `http://localhost:${endpoint.port}/api/v1/transactional` })],
    ["an id that leads to sending", (c) => c.updateCampaign("../transactional", { name: "x" })],
    ["an upload's id that leads to sending", (c) => c.completeUpload("../transactional?")],
    ["a preview for nobody in particular", (c) => c.sendEmailMessagePreview("em-1", { emails: evil } as never)],
    ["a preview without people", (c) => c.sendEmailMessagePreview("em-1", { emails: [] })],
    ["another method", (c) => query(c, { method: "PUT" })],
  ];
  it.each(attacks)("%s", async (_name, attack) => {
    const c = testFuse(["ann@acme.test"]).attach(client(), loopsAdapter());
    expect(await refusalOf(attack(c as Client))).toMatch(/^[A-Z_]+$/);
    expect(endpoint.arrived).toEqual([]);
  });

  it("a read whose id leads to the path that sends stays a read", async () => {
    const { client: c, gate } = held();
    await c.getCampaign("../transactional");
    expect(gate.last().intent.kind).toBe("read");
    expect(requests()).toEqual(["GET /api/v1/transactional"]);
  });

  it("sends spellings of its own path only as what they are", async () => {
    const { client: c, gate } = held();
    for (const path of ["v1//transactional", "v1/x/../transactional", "v1/%74ransactional", "V1/Transactional/"]) {
      await hidden(c)._makeQuery({ path, method: "post", payload: mail });
      expect(gate.last().intent.kind, path).toBe("send");
    }
  });

  it("strangers' mail, and lets their other calls pass untouched", async () => {
    held();
    const stranger = client();
    expect(await refusalOf(stranger.sendTransactionalEmail(mail))).toBe("UNATTACHED_SEND");
    expect(await refusalOf(stranger.sendEvent({ userId: "u", eventName: "e" }))).toBe("UNATTACHED_SEND");
    await stranger.createContact({ email: "ann@acme.test" });
    await stranger.listMailingLists();
    expect(requests()).toEqual(["POST /api/v1/contacts/create", "GET /api/v1/lists"]);
  });

  it("not the strangers' mail that the configuration lets pass", async () => {
    held(client(), "pass");
    await client().sendTransactionalEmail(mail);
    expect(requests()).toEqual(["POST /api/v1/transactional"]);
  });

  it("prototype calls and new clients of a client's class", async () => {
    const { client: c, gate } = held();
    await LoopsClient.prototype.sendTransactionalEmail.call(c, mail);
    expect(gate.commits).toBe(1);
    const other = new (c.constructor as typeof LoopsClient)("key");
    other.apiRoot = c.apiRoot;
    expect(await refusalOf(other.sendTransactionalEmail(mail))).toBe("UNATTACHED_SEND");
  });

  it("a fuse that says no, with its own error", async () => {
    const error = await testFuse(["bob@acme.test"])
      .attach(client(), loopsAdapter())
      .sendTransactionalEmail(mail)
      .catch((reason: unknown) => reason);
    expect(MailfuseError.isInstance(error) && error.code).toBe("NOT_ALLOWLISTED");
  });
});

describe("what became of it", () => {
  const wire = {
    method: "POST",
    path: "/v1/transactional",
    query: [],
    headers: [],
    body: { kind: "json", value: mail },
  };
  const fates = [
    [200, { success: true }, "accepted"],
    [200, { success: false }, "unknown"],
    [200, undefined, "unknown"],
    [400, { success: false, message: "x" }, "refused"],
    [404, {}, "refused"],
    [409, {}, "unknown"],
    [429, undefined, "refused"],
    [500, {}, "unknown"],
  ] as const;
  it.each(fates)("status %s with %o is %s", (status, body, fate) => {
    expect(loopsCodec.outcome(wire as never, { status, headers: {}, body }).fate).toBe(fate);
  });

  it("reads what the SDK makes of an answer", async () => {
    const { client: c, gate } = held();
    for (const answer of [
      { status: 429 },
      { status: 400, body: { success: false } },
      { body: "no json" },
      { status: 502 },
    ]) {
      endpoint.answers.push(answer);
      await c.sendTransactionalEmail(mail).catch(() => {});
    }
    expect(gate.outcomes.map(({ fate }) => fate)).toEqual(["refused", "refused", "unknown", "unknown"]);
    const nowhere = held(client(`http://127.0.0.1:${await closedPort()}`));
    await nowhere.client.sendTransactionalEmail(mail).catch(() => {});
    expect(nowhere.gate.outcomes).toEqual([{ fate: "failed" }]);
  });
});

describe("a redirected copy", () => {
  const to = parseAddress("inbox@acme.test", "") as Address;
  const note = { subjectPrefix: "[staging]", originals: ["ann@acme.test"] };
  const wire = (value: object, path = "/v1/transactional") =>
    ({ method: "POST", path, query: [], headers: [], body: { kind: "json", value } }) as never;

  it("adds the inbox to no audience, and reaches it alone", () => {
    const { body } = loopsCodec.redirect(wire({ ...mail, addToAudience: true }), to, note);
    expect(body).toMatchObject({ value: { ...mail, email: "inbox@acme.test", addToAudience: false } });
  });

  it("is refused where the template copies others, and where nobody is named", () => {
    const copied = {
      ...(wire(mail) as object),
      templates: { "t-1": { html: "x", bcc: "archive@acme.test" } },
    } as never;
    expect(() => loopsCodec.redirect(copied, to, note)).toThrow(/recipients can be replaced/);
    expect(() => loopsCodec.redirect(wire({ eventName: "e" }, "/v1/events/send"), to, note)).toThrow();
  });
});

adapterConformance(
  { describe, it },
  {
    name: "loops",
    adapter: loopsAdapter as () => Adapter<Client>,
    client: (url) => client(url),
    recipients: ({ body }) => {
      const { email, emails } = JSON.parse(body.toString() || "{}");
      return [...(email === undefined ? [] : [email]), ...(emails ?? [])];
    },
    replies: {
      accepted: () => ({
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ success: true, id: "em-1" }),
      }),
      refused: { status: 400, body: JSON.stringify({ success: false, message: "x" }) },
    },
    sends: {
      preview: {
        args: (all) => ["em-1", { emails: [...all] }],
        call: (c, args) => c.sendEmailMessagePreview(...(args as unknown as [string, never])),
      },
      transactional: {
        args: ([one]) => [{ ...mail, email: one }],
        call: (c, [args]) => c.sendTransactionalEmail(args as never),
      },
    },
    comparable: ({ method, url, rawHeaders, body }) => ({
      method,
      url,
      headers: rawHeaders.filter(([name]) => !/^(?:host|idempotency-key)$/i.test(name)),
      body: body.toString(),
    }),
    reads: (result) => {
      const { id, success } = result as Record<string, unknown>;
      return { any: id !== undefined || success !== undefined };
    },
    withoutHeaders: ["preview", "transactional"],
    tampers: {
      "_makeQuery assigned": (c) => {
        hidden(c)._makeQuery = async () => ({ success: true });
      },
      "_makeQuery defined": (c) => {
        Object.defineProperty(c, "_makeQuery", { value: async () => ({}) });
      },
    },
    read: (c) => c.listMailingLists(),
    manage: (c) => c.deleteContact({ email: "ann@acme.test" }),
    skip: { "prefixes the subject of a redirected mail": "the text stands at Loops, and the API takes no subject" },
  },
);
