import mailchimp from "@mailchimp/mailchimp_transactional";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { mailchimpAdapter, mailchimpCodec } from "../../adapters/mailchimp";
import type { Adapter, Plain } from "../../src/adapter";
import { adapterConformance } from "../../src/testing/adapter";
import { type Endpoint, onWire, startEndpoint } from "../support/endpoint";
import { hold, liveFuse, type OpenGate, openGate, refusalOf, testFuse } from "../support/gates";

/** What the types leave out. */
type Client = ReturnType<typeof mailchimp> & {
  basePath: string;
  requestConfig: Record<string, unknown>;
  post(path: string, body?: object): Promise<unknown>;
  setRequestHeaders(headers: object): void;
  messages: {
    apiClient: unknown;
    sendMcTemplate(body: object): Promise<unknown>;
    sendSms(body: object): Promise<unknown>;
  };
};

interface ToOf {
  readonly email: string;
}

const answers = (to: readonly (ToOf | string)[] = []) =>
  to.map((one) => ({
    email: typeof one === "string" ? one : one.email,
    status: "sent",
    _id: "m-1",
    reject_reason: null,
  }));

let endpoint: Endpoint;
beforeAll(async () => {
  endpoint = await startEndpoint(({ body }) => {
    const { message, to } = JSON.parse(body);
    return { body: answers(message?.to ?? to ?? ["ann@acme.test"]) };
  });
});
beforeEach(() => {
  endpoint.arrived.length = 0;
  endpoint.answers.length = 0;
});
afterAll(() => endpoint.close());

const ann = { email: "ann@acme.test" };
const evil = "evil@evil.test";
const mail = { from_email: "app@sender.test", to: [ann], subject: "Hello", text: "Hi Ann" };
function client(url = endpoint.url): Client {
  const made = mailchimp("key") as Client;
  made.basePath = `${url}/api/1.3`;
  return made;
}
const adapter = (options?: object) => mailchimpAdapter(options) as Adapter<Client>;
const held = (made = client(), unattached?: "refuse" | "pass") => hold(made, adapter(), unattached);
const bodies = () => endpoint.arrived.map(({ body }) => JSON.parse(body));
const raw = (...lines: string[]) => [...lines, "From: app@sender.test", "Subject: Hello", "", "Hi Ann"].join("\r\n");

function peopleOf(gate: OpenGate): string[][] {
  const { intent } = gate.last();
  if (!("messages" in intent)) return [];
  return intent.messages.map(({ recipients }) => recipients.map(({ field, person }) => `${field}:${person}`));
}

function contentsOf(gate: OpenGate) {
  const { intent } = gate.last();
  return "messages" in intent ? intent.messages.map((one) => one.content()) : [];
}

describe("what leaves", () => {
  const ordinary: readonly [string, (c: Client) => Promise<unknown>][] = [
    ["one mail", (c) => c.messages.send({ message: mail })],
    [
      "a mail with everything",
      (c) =>
        c.messages.send({
          async: true,
          message: {
            ...mail,
            to: [ann, { email: "cc@acme.test", name: "C", type: "cc" }],
            html: "<p>Hi — ü</p>",
            bcc_address: "bcc@acme.test",
            headers: { "Reply-To": "help@sender.test", "X-Ref": "1" },
            tags: ["welcome"],
            metadata: { website: "acme.test" },
            global_merge_vars: [{ name: "A", content: "1" }],
            merge_vars: [{ rcpt: ann.email, vars: [{ name: "NAME", content: "Ann" }] }],
            attachments: [{ type: "text/plain", name: "a.txt", content: "aGVsbG8=" }],
          },
        }),
    ],
    [
      "a template",
      (c) =>
        c.messages.sendTemplate({
          template_name: "welcome",
          template_content: [{ name: "a", content: "b" }],
          message: mail,
        }),
    ],
    ["a rendered message", (c) => c.messages.sendRaw({ raw_message: raw("To: ann@acme.test"), to: ["ann@acme.test"] })],
    ["a read", (c) => c.users.ping()],
    ["another format", (c) => c.users.ping2({ outputFormat: "xml" } as never)],
    ["a suppression", (c) => c.rejects.add({ email: ann.email })],
  ];
  it.each(ordinary)("is the same request with and without a fuse: %s", async (_name, call) => {
    const bare = await call(client());
    const guarded = await call(liveFuse().attach(client(), mailchimpAdapter()));
    expect(guarded).toEqual(bare);
    expect(endpoint.arrived).toHaveLength(2);
    expect(onWire(endpoint.arrived[1]!)).toEqual(onWire(endpoint.arrived[0]!));
  });

  it("carries the key, also when the application's object is frozen, and writes nothing into that object", async () => {
    const { client: c } = held();
    const body = Object.freeze({ message: Object.freeze({ ...mail }) });
    await c.messages.send(body);
    expect(bodies()[0].key).toBe("key");
    expect(body).not.toHaveProperty("key");
  });

  it("writes recipients anew from their parse, hidden copies too", async () => {
    const { client: c } = held();
    await c.messages.send({ message: { ...mail, to: [{ email: " Ann@ACME.test" }], bcc_address: "Bob@ACME.test " } });
    expect(bodies()[0].message).toMatchObject({ to: [{ email: "Ann@acme.test" }], bcc_address: "Bob@acme.test" });
  });
});

describe("what is read", () => {
  it("finds everybody: each type, and the address that gets a copy of each mail", async () => {
    const { client: c, gate } = held();
    const to = [ann, { email: "bob@acme.test", type: "cc" }, { email: "carl@acme.test", type: "bcc" }] as never;
    await c.messages.send({ message: { ...mail, to, bcc_address: "dora@acme.test", tags: ["one"] } });
    expect(peopleOf(gate)).toEqual([
      ["to:ann@acme.test", "cc:bob@acme.test", "bcc:carl@acme.test", "bcc:dora@acme.test"],
    ]);
    expect(gate.last().intent).toMatchObject({ messages: [{ tags: ["one"], from: "app@sender.test" }] });
  });

  it("takes mails with merge fields of their own apart, and fills them in", async () => {
    const { client: c, gate } = held();
    await c.messages.send({
      message: {
        ...mail,
        to: [ann, { email: "bob@acme.test" }],
        bcc_address: "dora@acme.test",
        subject: "For *|name|*",
        text: "*|NAME|* of *|FIRM|*",
        global_merge_vars: [
          { name: "firm", content: "Acme" },
          { name: "name", content: "you" },
        ],
        merge_vars: [{ rcpt: "Ann@acme.test", vars: [{ name: "NAME", content: "Ann" }] }],
      },
    });
    expect(peopleOf(gate)).toEqual([
      ["to:ann@acme.test", "bcc:dora@acme.test"],
      ["to:bob@acme.test", "bcc:dora@acme.test"],
    ]);
    expect(contentsOf(gate)).toEqual([
      { subject: "For Ann", text: "Ann of Acme" },
      { subject: "For you", text: "you of Acme" },
    ]);
  });

  it("fills in handlebars, and says what it leaves open", async () => {
    const { client: c, gate } = held();
    const merged = {
      ...mail,
      merge_language: "handlebars" as const,
      global_merge_vars: [{ name: "n", content: "Ann" }],
    };
    await c.messages.send({ message: { ...merged, text: "Hi {{n}}" } });
    expect(contentsOf(gate)).toEqual([{ subject: "Hello", text: "Hi Ann" }]);
    for (const text of ["Hi {{#if n}}x{{/if}}", "Hi {{m}}"]) {
      await c.messages.send({ message: { ...merged, text } });
      expect(contentsOf(gate)[0]?.unbound).toMatch(/Mandrill fills in/);
    }
    for (const text of ["Hi *|NOBODY|*", "*|IF:NAME|*x*|END:IF|*"]) {
      await c.messages.send({ message: { ...mail, text } });
      expect(contentsOf(gate)[0]?.unbound).toMatch(/Mandrill fills in/);
    }
  });

  it("says that a template's text is not known here, and reads it when told to", async () => {
    const body = {
      template_name: "welcome",
      template_content: [],
      message: { from_email: "a@sender.test", to: [ann] },
    };
    const plain = held();
    await plain.client.messages.sendTemplate(body);
    expect(contentsOf(plain.gate)[0]).toMatchObject({
      template: { id: "welcome" },
      unbound: expect.stringMatching(/template/),
    });
    endpoint.arrived.length = 0;
    const { client: c, gate } = hold(client(), adapter({ resolveTemplates: true }));
    endpoint.answers.push({ body: { publish_subject: "Hi", publish_code: "<p>Hi</p>", publish_text: null } });
    await c.messages.sendTemplate(body);
    expect(contentsOf(gate)[0]).toMatchObject({ subject: "Hi", html: "<p>Hi</p>" });
    expect(contentsOf(gate)[0]).not.toHaveProperty("unbound");
    expect(endpoint.arrived.map(({ url }) => url)).toEqual([
      "/api/1.3/templates/info",
      "/api/1.3/messages/send-template",
    ]);
  });

  it("reads a rendered message, and whom its headers name when nobody else is", async () => {
    const { client: c, gate } = held();
    await c.messages.sendRaw({ raw_message: raw("To: ann@acme.test", "Bcc: bob@acme.test") });
    expect(peopleOf(gate)).toEqual([["to:ann@acme.test", "bcc:bob@acme.test"]]);
    expect(contentsOf(gate)).toMatchObject([{ subject: "Hello", text: "Hi Ann" }]);
    await c.messages.sendRaw({ raw_message: raw("To: ann@acme.test"), to: ["ann@acme.test", "carl@acme.test"] });
    expect(peopleOf(gate)).toEqual([["to:ann@acme.test", "to:carl@acme.test"]]);
  });

  it("gives different mails different digests, attachments included", async () => {
    const { client: c, gate } = held();
    const digests = new Set<string>();
    const file = { type: "x/y", name: "a", content: "AA==" };
    const variants = [
      {},
      { subject: "x" },
      { text: "x" },
      { html: "x" },
      { attachments: [file] },
      { images: [{ ...file, name: "b" }] },
    ];
    for (const variant of variants) {
      await c.messages.send({ message: { ...mail, ...variant } });
      const { intent } = gate.last();
      if ("messages" in intent) digests.add(intent.messages[0]!.digest());
    }
    expect(digests.size).toBe(variants.length);
  });

  const others: readonly [string, object, (c: Client) => Promise<unknown>][] = [
    [
      "another time",
      { kind: "audience", audiences: ["m-1"] },
      (c) => c.messages.reschedule({ id: "m-1", send_at: "2000-01-01 00:00:00" }),
    ],
    [
      "the verification of a domain",
      { kind: "system" },
      (c) => c.senders.verifyDomain({ domain: "acme.test", mailbox: "ann" }),
    ],
    [
      "an export with a notice",
      { kind: "system" },
      (c) => c.exports.activity({ notify_email: "ann@acme.test" } as never),
    ],
    ["an export without one", { kind: "management" }, (c) => c.exports.rejects({} as never)],
    ["a text message", { kind: "system" }, (c) => c.messages.sendSms({ message: {} })],
    ["a mail to inbound routes", { kind: "system" }, (c) => c.inbound.sendRaw({ raw_message: raw() } as never)],
  ];
  it.each(others)("tells %s from mail", async (_name, expected, call) => {
    const { client: c, gate } = held();
    await call(c);
    const { intent } = gate.last();
    expect(intent).toMatchObject(expected);
    const named = "messages" in intent ? peopleOf(gate) : [];
    if (/verification|with a notice/.test(_name)) expect(named).toEqual([["to:ann@acme.test"]]);
    if (intent.kind === "management") return;
    endpoint.arrived.length = 0;
    expect(await refusalOf(call(liveFuse().attach(client(), mailchimpAdapter())))).toMatch(/^[A-Z_]+$/);
    expect(endpoint.arrived).toEqual([]);
  });
});

describe("what is refused", () => {
  const send = (c: Client, more: object) => c.messages.send({ message: { ...mail, ...more } as never });
  const attacks: readonly [string, (c: Client) => unknown][] = [
    ["Bcc among the headers", (c) => send(c, { headers: { Bcc: evil } })],
    ["the header that Mandrill's relay takes a copy from", (c) => send(c, { headers: { "x-mc-bccaddress": evil } })],
    ["a header that ends in another", (c) => send(c, { headers: { "X-A": `1\r\nBcc: ${evil}` } })],
    ["a header with several values", (c) => send(c, { headers: { "X-A": ["1", `\r\nBcc: ${evil}`] } })],
    ["a field nobody documents", (c) => send(c, { also_to: evil })],
    ["a field in another case", (c) => send(c, { BCC_ADDRESS: evil })],
    ["a field beside the mail", (c) => c.messages.send({ message: mail, to: [{ email: evil }] } as never)],
    ["two addresses in one", (c) => send(c, { to: [{ email: `ann@acme.test, ${evil}` }] })],
    ["two addresses for copies", (c) => send(c, { bcc_address: `ann@acme.test, ${evil}` })],
    ["a copy as a list", (c) => send(c, { bcc_address: [{ email: evil, also: "x" }] })],
    ["recipients as text", (c) => send(c, { to: evil })],
    ["a recipient of another type", (c) => send(c, { to: [ann, { email: evil, type: "hidden" }] })],
    ["an unknown field of a recipient", (c) => send(c, { to: [{ ...ann, also: evil }] })],
    ["a mail that is a list", (c) => c.messages.send({ message: [mail] } as never)],
    [
      "a rendered message with a control header",
      (c) => c.messages.sendRaw({ raw_message: raw(`X-MC-BccAddress: ${evil}`), to: [ann.email] }),
    ],
    ["an unknown path", (c) => c.post("/messages/send-everything", { message: mail })],
    ["a path with a query", (c) => c.post(`/messages/send?to=${evil}`, { message: mail })],
    ["a path that leaves the base", (c) => c.post("/../../evil/messages/send", { message: mail })],
    ["another host", (c) => c.post("@evil.test/messages/send", { message: mail })],
    [
      "a body that is rewritten on its way",
      (c) => {
        c.requestConfig.transformRequest = [
          (body: object) => JSON.stringify({ ...body, message: { ...mail, to: [{ email: evil }] } }),
        ];
        return c.messages.send({ message: mail });
      },
    ],
    [
      "a read that is rewritten on its way",
      (c) => {
        c.requestConfig.baseURL = endpoint.url;
        return c.users.ping();
      },
    ],
    [
      "a header that overrides the method",
      (c) => {
        c.setRequestHeaders({ "X-HTTP-Method-Override": "PUT" });
        return c.messages.send({ message: mail });
      },
    ],
  ];
  it.each(attacks)("%s", async (_name, attack) => {
    const c = liveFuse().attach(client(), mailchimpAdapter());
    expect(await refusalOf(attack(c))).toMatch(/^[A-Z_]+$/);
    expect(endpoint.arrived).toEqual([]);
  });

  it("nothing of a mail in the error's text", async () => {
    const { client: c } = held();
    const error = await send(c, { to: [{ email: "evil@evil.test;x" }], headers: { Bcc: evil } }).catch(
      (caught) => caught,
    );
    expect(String(error)).not.toMatch(/evil|Hi Ann/);
  });
});

describe("every way to send passes the fuse", () => {
  const ways: readonly [string, (c: Client) => unknown][] = [
    ["the method", (c) => c.messages.send({ message: mail })],
    ["a template", (c) => c.messages.sendTemplate({ template_name: "t", template_content: [], message: mail })],
    ["a template that the types do not know", (c) => c.messages.sendMcTemplate({ template_id: 1, message: mail })],
    ["a rendered message", (c) => c.messages.sendRaw({ raw_message: raw("To: ann@acme.test") })],
    ["post", (c) => c.post("/messages/send", { message: mail })],
    ["post in another format and case", (c) => c.post("/Messages/Send.json", { message: mail })],
    ["post of the class", (c) => Object.getPrototypeOf(c).post.call(c, "/messages/send", { message: mail })],
    ["post through a part", (c) => (c.messages.apiClient as Client).post("/messages//send", { message: mail })],
    [
      "after another base",
      (c) => {
        c.basePath = `${endpoint.url}/api/1.0`;
        return c.messages.send({ message: mail });
      },
    ],
  ];
  it.each(ways)("%s", async (_name, way) => {
    const closed = testFuse(["nobody@nowhere.test"]).attach(client(), mailchimpAdapter());
    expect(await refusalOf(way(closed))).toBe("NOT_ALLOWLISTED");
    expect(endpoint.arrived).toEqual([]);
    await way(testFuse(["ann@acme.test"]).attach(client(), mailchimpAdapter()));
    expect(endpoint.arrived).toHaveLength(1);
  });

  it("a client of the same class is a stranger: its mail is refused or passes, all else passes", async () => {
    const { client: c, gate, attachment } = held();
    const Class = c.constructor as new (key: string) => Client;
    const stranger = new Class("other");
    stranger.basePath = `${endpoint.url}/api/1.3`;
    expect(await refusalOf(stranger.messages.send({ message: mail }))).toBe("UNATTACHED_SEND");
    await stranger.rejects.add({ email: "ann@acme.test" });
    expect(bodies()).toEqual([{ email: "ann@acme.test", key: "other" }]);
    expect(gate.calls).toEqual([]);
    attachment.detach();
    await stranger.messages.send({ message: mail });
    held(client(), "pass");
    await stranger.messages.send({ message: mail });
    expect(endpoint.arrived).toHaveLength(3);
  });

  it("an attached client that is given a stranger to send with", async () => {
    const { client: c, attachment } = held();
    c.messages.apiClient = client();
    expect(attachment.verify()).toMatchObject({ code: "CHOKE_POINT_CHANGED" });
    expect(await refusalOf(c.messages.send({ message: mail }))).toBe("CHOKE_POINT_CHANGED");
    expect(endpoint.arrived).toEqual([]);
  });
});

describe("outcomes", () => {
  const answered = async (body: unknown, status = 200) => {
    const { client: c, gate } = held();
    endpoint.answers.push({ status, body });
    const result = await c.messages.send({ message: { ...mail, to: [ann, { email: "bob@acme.test" }] } });
    return { result, outcome: gate.outcomes[0] };
  };

  it("tells people apart", async () => {
    const { outcome } = await answered([
      { email: "ann@acme.test", status: "queued", _id: "1" },
      { email: "bob@acme.test", status: "rejected", reject_reason: "hard-bounce", _id: "2" },
    ]);
    expect(outcome).toEqual({
      fate: "accepted",
      people: new Map([
        ["ann@acme.test", { fate: "accepted", messageId: "1" }],
        ["bob@acme.test", { fate: "refused", messageId: "2" }],
      ]),
    });
  });

  it("says why all were refused", async () => {
    const { outcome } = await answered([
      { email: "ann@acme.test", status: "rejected", reject_reason: "unsub", _id: "1" },
      { email: "bob@acme.test", status: "invalid", _id: "2" },
    ]);
    expect(outcome).toMatchObject({ fate: "refused", providerCode: "unsub" });
  });

  it.each([
    [
      { status: "error", code: -1, name: "Invalid_Key", message: "x" },
      500,
      { fate: "refused", providerCode: "Invalid_Key" },
    ],
    [
      { status: "error", code: -99, name: "GeneralError", message: "x" },
      500,
      { fate: "unknown", providerCode: "GeneralError" },
    ],
    ["<html>", 500, { fate: "unknown", providerCode: "http_500" }],
    ["<xml/>", 200, { fate: "unknown" }],
    [[], 200, { fate: "unknown" }],
  ])("reads %j with status %i, and leaves the SDK's own way of resolving errors", async (body, status, expected) => {
    const { result, outcome } = await answered(body, status);
    expect(outcome).toMatchObject(expected);
    expect(result instanceof Error).toBe(status === 500);
  });
});

const replacements: Readonly<Record<string, (c: Client) => void>> = {
  "post assigned": (c) => {
    c.post = async () => [];
  },
  "post defined": (c) => {
    Object.defineProperty(c, "post", { value: async () => [] });
  },
};

describe("attaching", () => {
  it("refuses what is no client, and one that other code has been at", () => {
    expect(() => mailchimpAdapter().attach({ messages: {} } as never, openGate())).toThrow(/ATTACH_UNSUPPORTED/);
    const patched = client();
    patched.post = async () => [];
    expect(() => adapter().attach(patched, openGate())).toThrow(/ATTACH_UNSUPPORTED/);
  });

  it.each(Object.entries(replacements))("notices on the next send, and on demand: %s", async (_name, replace) => {
    const fuse = liveFuse();
    const c = fuse.attach(client(), mailchimpAdapter());
    expect(fuse.verify()).toEqual([]);
    replace(c);
    expect(fuse.verify()).toMatchObject([{ code: "CHOKE_POINT_CHANGED" }]);
    expect(await refusalOf(c.messages.send({ message: mail }))).toBe("CHOKE_POINT_CHANGED");
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
    { message: 1 },
    { message: [] },
    { message: { to: 1, headers: [1], merge_vars: [1], attachments: {} } },
    { message: { to: [1, null, {}] } },
    { raw_message: 1, to: 1 },
    { to: [{}] },
  ];
  for (const path of [
    "/messages/send",
    "/api/1.0/messages/send-raw.json",
    "/messages/send-template",
    "/senders/verify-domain",
    "/exports/activity",
    "/messages/reschedule",
  ]) {
    for (const value of values as Plain[]) {
      const request = { method: "POST", path, query: [], headers: [], body: { kind: "json" as const, value } };
      const intent = mailchimpCodec.classify(request);
      if ("messages" in intent) for (const message of intent.messages) message.digest();
      mailchimpCodec.simulate(request);
      mailchimpCodec.rewrite?.(request);
      mailchimpCodec.outcome(request, { status: 200, headers: {}, body: value });
    }
  }
});

/** The SDK resolves errors; applications look at what they got. */
async function thrown(work: Promise<unknown>): Promise<unknown> {
  const result = await work;
  if (result instanceof Error) throw result;
  return result;
}

adapterConformance(
  { describe, it },
  {
    name: "mailchimp",
    adapter,
    client: (url) => client(url),
    recipients: ({ body }) => {
      const { message, to = [], raw_message } = JSON.parse(body.toString());
      if (raw_message) return to;
      return [...message.to.map(({ email }: ToOf) => email), ...(message.bcc_address ? [message.bcc_address] : [])];
    },
    replies: {
      accepted: ({ body }) => {
        const { message, to } = JSON.parse(body.toString());
        return { headers: { "content-type": "application/json" }, body: JSON.stringify(answers(message?.to ?? to)) };
      },
      refused: {
        status: 500,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ status: "error", code: -2, name: "ValidationError", message: "x" }),
      },
    },
    sends: {
      text: {
        args: (to) => [{ message: { ...mail, to: to.map((email) => ({ email })) } }],
        call: (c, [body]) => thrown(c.messages.send(body as never)),
      },
      template: {
        args: (to) => [
          {
            template_name: "t",
            template_content: [],
            message: {
              from_email: "a@sender.test",
              subject: "s",
              to: to.map((email) => ({ email })),
              headers: { "List-Unsubscribe": "<x>" },
              merge_vars: to.map((rcpt) => ({ rcpt, vars: [{ name: "A", content: "b" }] })),
            },
          },
        ],
        call: (c, [body]) => thrown(c.messages.sendTemplate(body as never)),
      },
      raw: {
        args: (to) => [{ raw_message: raw(`To: ${to.join(", ")}`, "List-Unsubscribe: <x>"), to: [...to] }],
        call: (c, [body]) => thrown(c.messages.sendRaw(body as never)),
      },
    },
    tampers: replacements,
    read: (c) => c.users.ping(),
    manage: (c) => c.rejects.add({ email: "ann@customers.test" }),
  },
);
