import SparkPost from "sparkpost";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { sparkpostAdapter, sparkpostCodec } from "../../adapters/sparkpost";
import type { Adapter, Plain } from "../../src/adapter";
import { adapterConformance } from "../../src/testing/adapter";
import { type Endpoint, onWire, startEndpoint } from "../support/endpoint";
import { hold, liveFuse, type OpenGate, openGate, refusalOf, testFuse } from "../support/gates";

const accepted = (body: string) => {
  const recipients = body.startsWith("{") ? JSON.parse(body).recipients : undefined;
  const total = Array.isArray(recipients) ? recipients.length : 1;
  return { results: { total_rejected_recipients: 0, total_accepted_recipients: total, id: "66123" } };
};

let endpoint: Endpoint;
beforeAll(async () => {
  endpoint = await startEndpoint(({ body }) => ({ body: accepted(body) }));
});
beforeEach(() => {
  endpoint.arrived.length = 0;
  endpoint.answers.length = 0;
});
afterAll(() => endpoint.close());

/** What the SDK takes, where its types do not know it. */
type Loose = Omit<SparkPost, "transmissions" | "request" | "post"> & {
  transmissions: {
    send(body: object, options?: object, callback?: Callback): Promise<unknown>;
    list(): Promise<unknown>;
  };
  origin: string;
  apiVersion: string;
  request(options: object, callback?: Callback): Promise<unknown>;
  post(options: object, callback?: Callback): Promise<unknown>;
};
type Callback = (error: unknown, result?: unknown) => void;
const loose = (c: SparkPost) => c as unknown as Loose;

const ann = { address: { email: "ann@acme.test" } };
const bob = { address: { email: "bob@acme.test" } };
const evil = "evil@evil.test";
const content = { from: "app@sender.test", subject: "Hello", text: "Hi Ann" };
const mail = (more: object = {}) => ({ recipients: [ann], content, ...more });
const within = (more: object) => mail({ content: { ...content, ...more } });
const client = (options: object = {}) => new SparkPost("key", { origin: endpoint.url, ...options });
const adapter = (options?: object) => sparkpostAdapter(options) as Adapter<SparkPost>;
const held = (made = client(), unattached?: "refuse" | "pass") => hold(made, adapter(), unattached);
const send = (c: SparkPost, body: object) => loose(c).transmissions.send(body);
const sentOf = () => endpoint.arrived.filter(({ method }) => method === "POST");
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
  const ordinary: readonly [string, (c: Loose) => Promise<unknown>][] = [
    ["one mail", (c) => c.transmissions.send(mail())],
    [
      "a mail with everything",
      (c) =>
        c.transmissions.send(
          mail({
            options: { open_tracking: true, start_time: "2026-12-01T08:00:00-04:00" },
            recipients: [
              { address: "Ann <ann@acme.test>", tags: ["vip"], substitution_data: { name: "Ann" } },
              { address: { email: "bob@acme.test", name: "Smith, Bob" }, metadata: { a: 1 } },
            ],
            cc: [{ address: { email: "cc@acme.test", name: "C" } }],
            bcc: [{ address: "bcc@acme.test" }],
            campaign_id: "welcome",
            metadata: { website: "acme.test" },
            substitution_data: { firm: "Acme" },
            content: {
              ...content,
              from: { email: "app@sender.test", name: "App" },
              html: "<p>Hi — ü</p>",
              headers: { "X-Ref": "1" },
              attachments: [{ type: "text/plain", name: "a.txt", data: "aGVsbG8=" }],
            },
          }),
          { num_rcpt_errors: 3 },
        ),
    ],
    ["a template", (c) => c.transmissions.send(mail({ content: { template_id: "welcome" } }))],
    ["a rendered message", (c) => c.transmissions.send(mail({ content: { email_rfc822: raw("To: ann@acme.test") } }))],
    ["a body that is text", (c) => c.request({ uri: "transmissions", method: "post", body: JSON.stringify(mail()) })],
    [
      "a body beside json",
      (c) => c.request({ uri: "/api/v1/transmissions", method: "POST", json: true, body: mail() }),
    ],
    [
      "an account of one's own",
      (c) => c.post({ uri: "transmissions", json: mail(), headers: { "X-MSYS-SUBACCOUNT": "7" } }),
    ],
    ["a read with a query", (c) => c.templates.get("o'neil & co", { draft: true })],
    ["a preview", (c) => c.templates.preview("t", { substitution_data: { a: 1 }, draft: false })],
    ["a suppression", (c) => c.suppressionList.upsert([{ recipient: "ann+1@acme.test", type: "transactional" }])],
    ["the end of a suppression", (c) => c.suppressionList.delete("ann+1@acme.test")],
  ];
  it.each(ordinary)("is the same request with and without a fuse: %s", async (_name, call) => {
    const bare = await call(loose(client()));
    const guarded = await call(loose(liveFuse().attach(client(), sparkpostAdapter())));
    expect(guarded).toEqual(bare);
    expect(endpoint.arrived).toHaveLength(2);
    expect(onWire(endpoint.arrived[1]!)).toEqual(onWire(endpoint.arrived[0]!));
  });

  it("writes recipients anew from their parse, and what is shown of them", async () => {
    const { client: c } = held();
    await send(c, mail({ recipients: [{ address: " Ann@ACME.test" }], cc: [{ address: { email: "Bob@ACME.test" } }] }));
    expect(bodies()[0].recipients).toEqual([
      { address: { email: "Ann@acme.test" } },
      { address: { email: "Bob@acme.test", header_to: "Ann@acme.test" } },
    ]);
    expect(bodies()[0].content.headers).toEqual({ CC: "Bob@acme.test" });
  });
});

describe("what is read", () => {
  it("takes each recipient's mail apart", async () => {
    const { client: c, gate } = held();
    await send(c, mail({ recipients: [ann, { ...bob, tags: ["vip"] }], campaign_id: "welcome" }));
    expect(peopleOf(gate)).toEqual([["to:ann@acme.test"], ["to:bob@acme.test"]]);
    expect(gate.last().intent).toMatchObject({
      messages: [{ tags: ["welcome"], from: "app@sender.test" }, { tags: ["welcome", "vip"] }],
    });
    expect(gate.commits).toBe(1);
  });

  it("finds copies, and tells open ones from hidden ones", async () => {
    const { client: c, gate } = held();
    await send(c, mail({ cc: [bob], bcc: [{ address: "Carl <carl@acme.test>" }] }));
    expect(peopleOf(gate)).toEqual([["to:ann@acme.test", "cc:bob@acme.test", "bcc:carl@acme.test"]]);
  });

  it("reads a copy that is dressed up as somebody else's mail", async () => {
    const { client: c, gate } = held();
    await send(c, mail({ recipients: [{ address: { email: "bob@acme.test", header_to: "ann@acme.test" } }] }));
    expect(peopleOf(gate)).toEqual([["bcc:bob@acme.test"]]);
  });

  it.each([
    ["copies of several mails are one with them", {}, [["to:ann@acme.test", "to:bob@acme.test", "bcc:carl@acme.test"]]],
    [
      "copies of several personal mails stay apart, and show whose they are",
      { substitution_data: { name: "Ann" } },
      [["to:ann@acme.test"], ["to:bob@acme.test"], ["to:ann@acme.test", "to:bob@acme.test", "bcc:carl@acme.test"]],
    ],
  ])("knows who is shown to whom: %s", async (_name, data, expected) => {
    const { client: c, gate } = held();
    await send(c, mail({ recipients: [{ ...ann, ...data }, bob], bcc: [{ address: "carl@acme.test" }] }));
    expect(peopleOf(gate)).toEqual(expected);
  });

  it("knows that a personal mail and its copies are one", async () => {
    const { client: c, gate } = held();
    const personal = { ...ann, substitution_data: { name: "Ann" } };
    await send(c, mail({ recipients: [personal], bcc: [bob], content: { ...content, text: "Hi {{name}}" } }));
    expect(peopleOf(gate)).toEqual([["to:ann@acme.test", "bcc:bob@acme.test"]]);
    expect(contentsOf(gate)).toEqual([{ subject: "Hello", text: "Hi Ann" }]);
  });

  it("refuses to show many people to each other, however they are shown", async () => {
    const many = Array.from({ length: 60 }, (_, at) => `person${at}@acme.test`);
    const everybody = many.join(", ");
    for (const data of [{}, { substitution_data: { a: 1 } }]) {
      const c = liveFuse().attach(client(), sparkpostAdapter());
      const recipients = many.map((email) => ({ address: { email, header_to: everybody }, ...data }));
      expect(await refusalOf(send(c, mail({ recipients })))).toBe("RECIPIENTS_VISIBLE");
    }
    expect(endpoint.arrived).toEqual([]);
  });

  it("fills each one's data in, theirs before everybody's", async () => {
    const { client: c, gate } = held();
    await send(
      c,
      mail({
        recipients: [
          { ...ann, substitution_data: { name: "Ann" } },
          { ...bob, metadata: { name: "Bob" } },
        ],
        metadata: { firm: "Acme" },
        substitution_data: { name: "you" },
        content: { ...content, subject: "For {{ name }}", text: "{{name}} of {{firm}}" },
      }),
    );
    expect(contentsOf(gate)).toEqual([
      { subject: "For Ann", text: "Ann of Acme" },
      { subject: "For Bob", text: "Bob of Acme" },
    ]);
  });

  it("knows whom a mail is to, as SparkPost does", async () => {
    const { client: c, gate } = held();
    const recipients = [{ address: { email: "ann@acme.test", name: "Ann" } }];
    await send(
      c,
      mail({ recipients, content: { ...content, text: "{{address.name}}, {{ email }}, {{address.email}}" } }),
    );
    expect(contentsOf(gate)).toEqual([{ subject: "Hello", text: "Ann, ann@acme.test, ann@acme.test" }]);
  });

  it("says what it leaves open, and leaves text alone where nothing is filled in", async () => {
    const { client: c, gate } = held();
    for (const text of ["{{if name}}x{{end}}", "{{ name or 'you' }}", "{{each a}}{{b}}{{end}}", "{{return_path}}"]) {
      await send(c, mail({ substitution_data: { name: "Ann" }, content: { ...content, text } }));
      expect(contentsOf(gate)[0]?.unbound).toMatch(/SparkPost fills in/);
    }
    await send(c, { ...within({ text: "{{ x }}" }), options: { perform_substitutions: false } });
    expect(contentsOf(gate)).toEqual([{ subject: "Hello", text: "{{ x }}" }]);
  });

  it("has names without a value refused: SparkPost would leave a hole there", async () => {
    const c = liveFuse().attach(client(), sparkpostAdapter());
    expect(await refusalOf(send(c, within({ text: "Hi {{firstName}}, your order was shipped." })))).toBe(
      "CONTENT_PLACEHOLDER",
    );
    const resolving = liveFuse().attach(client(), sparkpostAdapter({ resolveTemplates: true }));
    endpoint.answers.push({ body: { results: { content: { subject: "Hi", text: "Hi {{firstName}}" } } } });
    expect(await refusalOf(send(resolving, mail({ content: { template_id: "t" } })))).toBe("CONTENT_PLACEHOLDER");
    expect(sentOf()).toEqual([]);
  });

  it("says that a template's text is not known here, and reads it when told to", async () => {
    const body = mail({
      content: { template_id: "wel/come", use_draft_template: true },
      substitution_data: { n: "Ann" },
    });
    const plain = held();
    await send(plain.client, body);
    expect(contentsOf(plain.gate)[0]).toMatchObject({
      template: { id: "wel/come", data: { n: "Ann" } },
      unbound: expect.stringMatching(/template/),
    });
    endpoint.arrived.length = 0;
    const { client: c, gate } = hold(client(), adapter({ resolveTemplates: true }));
    endpoint.answers.push({ body: { results: { content: { subject: "Hi {{n}}", html: "<p>{{n}}</p>" } } } });
    await send(c, body);
    expect(contentsOf(gate)[0]).toMatchObject({ subject: "Hi Ann", html: "<p>Ann</p>", template: { id: "wel/come" } });
    expect(contentsOf(gate)[0]).not.toHaveProperty("unbound");
    expect(endpoint.arrived.map(({ url }) => url)).toEqual([
      "/api/v1/templates/wel%2Fcome?draft=true",
      "/api/v1/transmissions",
    ]);
    await send(c, mail({ content: { ab_test_id: "t" } }));
    expect(contentsOf(gate)[0]).toMatchObject({ unbound: expect.stringMatching(/template/) });
  });

  it("reads a rendered message, and whom its headers name besides", async () => {
    const { client: c, gate } = held();
    await send(c, mail({ content: { email_rfc822: raw("To: ann@acme.test", "Cc: bob@acme.test") } }));
    expect(peopleOf(gate)).toEqual([["to:ann@acme.test", "cc:bob@acme.test"]]);
    expect(contentsOf(gate)).toMatchObject([{ subject: "Hello", text: "Hi Ann" }]);
    expect(gate.last().intent).toMatchObject({ messages: [{ from: "app@sender.test" }] });
  });

  it("gives different mails different digests, files and what other readers see included", async () => {
    const { client: c, gate } = held();
    const digests = new Set<string>();
    const file = { type: "x/y", name: "a", data: "AA==" };
    const variants = [
      within({}),
      within({ subject: "x" }),
      within({ text: "x" }),
      within({ html: "x" }),
      within({ amp_html: "x" }),
      within({ attachments: [file] }),
      within({ inline_images: [{ ...file, name: "b" }] }),
      mail({ content: { email_rfc822: raw() } }),
      mail({ content: { email_rfc822: raw("X-A: 1") } }),
      mail({ content: { template_id: "t" } }),
      mail({ content: { template_id: "t" }, substitution_data: { a: 1 } }),
    ];
    for (const variant of variants) {
      await send(c, variant);
      const { intent } = gate.last();
      if ("messages" in intent) digests.add(intent.messages[0]!.digest());
    }
    expect(digests.size).toBe(variants.length);
  });

  it("takes the verification of a domain for mail to its mailboxes, and its end for none", async () => {
    const { client: c, gate } = held();
    const verify = (one: SparkPost, how: object) => one.sendingDomains.verify("acme.test", how as never);
    const asked = { abuse_at_verify: true, postmaster_at_verify: true, verification_mailbox: "ann" };
    await verify(c, asked);
    expect(gate.last().intent).toMatchObject({ kind: "system" });
    expect(peopleOf(gate)).toEqual([["to:abuse@acme.test", "to:postmaster@acme.test", "to:ann@acme.test"]]);
    await verify(c, { dkim_verify: true, abuse_at_token: "token", abuse_at_verify: false });
    expect(gate.last().intent).toMatchObject({ kind: "management" });
    endpoint.arrived.length = 0;
    const live = liveFuse().attach(client(), sparkpostAdapter());
    expect(await refusalOf(verify(live, { verification_mailbox_verify: true }))).toMatch(/^[A-Z_]+$/);
    expect(await refusalOf(verify(live, asked))).toBe("SYSTEM_MAIL_REFUSED");
    expect(endpoint.arrived).toEqual([]);
  });
});

describe("stored lists", () => {
  const toList = (list: object, more: object = {}) => mail({ recipients: list, ...more });
  const declared = { audiences: { customers: { people: 50 } } };

  it("are an audience, whose text is read as far as it is known here", async () => {
    const { client: c, gate } = held();
    await send(
      c,
      toList({ list_id: "customers" }, { campaign_id: "offer", content: { ...content, text: "Hi {{name}}" } }),
    );
    expect(gate.last().intent).toMatchObject({
      kind: "audience",
      audiences: ["customers"],
      messages: [{ tags: ["offer"], recipients: [] }],
    });
    expect(contentsOf(gate)).toMatchObject([{ text: "Hi {{name}}", unbound: expect.stringMatching(/fills in/) }]);
  });

  it.each([
    ["one that is not declared", { list_id: "customers" }, {}, "AUDIENCE_UNDECLARED"],
    ["none, which may mean everyone", {}, declared, "AUDIENCE_EMPTY"],
    ["one without a name", { list_id: "" }, declared, "AUDIENCE_EMPTY"],
    ["a declared one that nobody confirmed", { list_id: "customers" }, declared, "CONFIRMATION_REQUIRED"],
  ])("are refused: %s", async (_name, list, config, code) => {
    const c = liveFuse(config).attach(client(), sparkpostAdapter());
    expect(await refusalOf(send(c, toList(list)))).toBe(code);
    expect(endpoint.arrived).toEqual([]);
  });

  it.each([
    ["copies, which the SDK hands on as they are", toList({ list_id: "customers" }, { bcc: [bob] })],
    ["another field", toList({ list_id: "customers", also: evil })],
  ])("are refused with %s beside them", async (_name, body) => {
    expect(await refusalOf(send(held().client, body))).toBe("FIELD_UNKNOWN");
    expect(endpoint.arrived).toEqual([]);
  });
});

describe("what is refused", () => {
  const attacks: readonly [string, (c: SparkPost) => unknown][] = [
    ["Bcc among the headers", (c) => send(c, within({ headers: { Bcc: evil } }))],
    ["To among the headers", (c) => send(c, within({ headers: { to: evil } }))],
    ["a Cc that nobody gets a copy by", (c) => send(c, within({ headers: { CC: evil } }))],
    ["a Cc in several spellings", (c) => send(c, within({ headers: { "C c": evil } }))],
    ["a header of relays", (c) => send(c, within({ headers: { "X-MSYS-API": `{"bcc":["${evil}"]}` } }))],
    ["a header that ends in another", (c) => send(c, within({ headers: { "X-A": `1\r\nBcc: ${evil}` } }))],
    [
      "a shown address that ends in a header",
      (c) =>
        send(c, mail({ recipients: [{ address: { ...ann.address, header_to: `ann@acme.test\r\nBcc: ${evil}` } }] })),
    ],
    [
      "a shown address that is none",
      (c) => send(c, mail({ recipients: [{ address: { ...ann.address, header_to: { email: evil } } }] })),
    ],
    ["a field nobody documents", (c) => send(c, mail({ archive: [{ email: evil }] }))],
    ["a field in another case", (c) => send(c, mail({ Recipients: [{ address: evil }] }))],
    ["an unknown field of a recipient", (c) => send(c, mail({ recipients: [{ ...ann, bcc: evil }] }))],
    [
      "an unknown field of an address",
      (c) => send(c, mail({ recipients: [{ address: { ...ann.address, bcc: evil } }] })),
    ],
    ["two addresses in one", (c) => send(c, mail({ recipients: [{ address: `ann@acme.test, ${evil}` }] }))],
    [
      "two addresses in angles",
      (c) => send(c, mail({ recipients: [{ address: `Ann <ann@acme.test>, E <${evil}>` }] })),
    ],
    [
      "two addresses in a hidden copy",
      (c) => send(c, mail({ bcc: [{ address: { email: `bob@acme.test;${evil}` } }] })),
    ],
    ["recipients as text", (c) => send(c, mail({ recipients: evil }))],
    ["nobody", (c) => send(c, mail({ recipients: [] }))],
    ["no recipients at all", (c) => send(c, { content })],
    ["a recipient without an address", (c) => send(c, mail({ recipients: [ann, {}] }))],
    [
      "a rendered message with a control header",
      (c) => send(c, mail({ content: { email_rfc822: raw(`X-MSYS-API: ${evil}`) } })),
    ],
    ["a mail that is a list", (c) => loose(c).post({ uri: "transmissions", json: [mail()] })],
    ["a mail as a form", (c) => loose(c).request({ uri: "transmissions", method: "POST", form: { a: evil } })],
    [
      "a mail as bytes",
      (c) => loose(c).request({ uri: "transmissions", method: "POST", body: Buffer.from(JSON.stringify(mail())) }),
    ],
    [
      "a mail of another type",
      (c) =>
        loose(c).post({
          uri: "transmissions",
          json: mail(),
          headers: { "content-type": "application/x-www-form-urlencoded" },
        }),
    ],
    [
      "a mail cut short",
      (c) => loose(c).post({ uri: "transmissions", json: mail(), headers: { "Content-Length": "2" } }),
    ],
    [
      "a method in a header",
      (c) => loose(c).post({ uri: "templates", json: {}, headers: { "X-HTTP-Method-Override": "PUT" } }),
    ],
    [
      "a body that is rewritten on its way",
      (c) => loose(c).post({ uri: "transmissions", json: mail(), jsonReplacer: () => evil }),
    ],
    [
      "a request in place of another",
      (c) =>
        loose(c).request({ uri: "templates", har: { url: `${endpoint.url}/api/v1/transmissions`, method: "POST" } }),
    ],
    ["a read with another base", (c) => loose(c).request({ uri: "templates", baseUrl: endpoint.url })],
    ["a read with a body", (c) => loose(c).request({ uri: "transmissions", json: mail() })],
    ["an unknown path", (c) => loose(c).post({ uri: "transmissions/all", json: mail() })],
    ["a query nobody documents", (c) => loose(c).transmissions.send(mail(), { bcc: evil })],
    ["another host", (c) => loose(c).post({ uri: "https://evil.test/api/v1/transmissions", json: mail() })],
    ["another host behind slashes", (c) => loose(c).post({ uri: "//evil.test/api/v1/transmissions", json: mail() })],
    ["another host behind a sign", (c) => loose(c).post({ uri: `${endpoint.url}@evil.test/`, json: mail() })],
    ["a socket", (c) => loose(c).post({ uri: "http://unix:/run/x.sock:/api/v1/transmissions", json: mail() })],
    ["an id that leads to mail", (c) => c.templates.update("../transmissions?", mail() as never)],
  ];
  it.each(attacks)("%s", async (_name, attack) => {
    const c = liveFuse().attach(client(), sparkpostAdapter());
    expect(await refusalOf(attack(c))).toMatch(/^[A-Z_]+$/);
    expect(endpoint.arrived).toEqual([]);
  });

  it("nothing of a mail in the error's text", async () => {
    const { client: c } = held();
    const bad = { recipients: [{ address: "evil@evil.test;x" }], content: { ...content, headers: { Bcc: evil } } };
    const error = await send(c, bad).catch((caught: unknown) => caught);
    expect(String(error)).not.toMatch(/evil|Hi Ann/);
  });

  it("is told to callbacks too, with the error as it was thrown", async () => {
    const c = testFuse(["nobody@nowhere.test"]).attach(client(), sparkpostAdapter());
    const told: unknown[] = [];
    const promise = loose(c).transmissions.send(mail(), {}, (error, result) => told.push([error, result]));
    const error = await promise.catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: "MailfuseError", code: "NOT_ALLOWLISTED" });
    expect(told).toEqual([[error, undefined]]);
    expect(endpoint.arrived).toEqual([]);
  });

  it("what is no options object, the SDK throws at", () => {
    const { client: c } = held();
    expect(() => loose(c).request("transmissions" as never)).toThrow(/options argument is required/);
  });
});

describe("every way to send passes the fuse", () => {
  const own = SparkPost.prototype as unknown as Loose;
  const options = () => ({ uri: "transmissions", method: "POST", json: mail() });
  const ways: readonly [string, (c: Loose) => unknown][] = [
    ["the method", (c) => c.transmissions.send(mail())],
    [
      "the method with a callback",
      (c) =>
        new Promise((done, fail) =>
          c.transmissions.send(mail(), {}, (error, result) => (error ? fail(error) : done(result))).catch(() => {}),
        ),
    ],
    [
      "an unbound method",
      (c) => {
        const { send: unbound } = c.transmissions;
        return unbound(mail());
      },
    ],
    ["post", (c) => c.post({ uri: "transmissions", json: mail() })],
    ["post of the class", (c) => own.post.call(c, { uri: "transmissions", json: mail() })],
    ["request", (c) => c.request(options())],
    [
      "request with a callback",
      (c) =>
        new Promise((done, fail) =>
          c.request(options(), (error, result) => (error ? fail(error) : done(result))).catch(() => {}),
        ),
    ],
    ["request of the class", (c) => own.request.call(c, options())],
    ["put, with another method", (c) => c.request({ ...options(), method: "post" })],
    ["a full address", (c) => c.post({ uri: `${endpoint.url}/api/v1/transmissions`, json: mail() })],
    ["a full address in another version", (c) => c.post({ uri: `${endpoint.url}/api/v2/transmissions`, json: mail() })],
    ["a path in another case and spelling", (c) => c.post({ uri: "x/../%54ransmissions/", json: mail() })],
    ["text in place of an object", (c) => c.post({ uri: "transmissions", body: JSON.stringify(mail()) })],
    [
      "after another version of the API",
      (c) => {
        c.apiVersion = "v9";
        return c.transmissions.send(mail());
      },
    ],
    [
      "after another origin",
      (c) => {
        c.origin = `${endpoint.url}/`;
        return c.transmissions.send(mail());
      },
    ],
  ];
  it.each(ways)("%s", async (_name, way) => {
    const closed = testFuse(["nobody@nowhere.test"]).attach(client(), sparkpostAdapter());
    expect(await refusalOf(way(loose(closed)))).toBe("NOT_ALLOWLISTED");
    expect(endpoint.arrived).toEqual([]);
    await way(loose(testFuse(["ann@acme.test"]).attach(client(), sparkpostAdapter())));
    expect(endpoint.arrived).toHaveLength(1);
  });

  it("a client of the same class is a stranger: its mail is refused or passes, all else passes", async () => {
    const { gate, attachment } = held();
    const stranger = loose(client());
    const attempts: readonly (() => Promise<unknown>)[] = [
      () => stranger.transmissions.send(mail()),
      () => stranger.transmissions.send(mail({ recipients: { list_id: "x" } })),
      () => stranger.sendingDomains.verify("acme.test", { abuse_at_verify: true } as never) as Promise<unknown>,
      () => stranger.request({ uri: "transmissions", method: "POST", form: { a: "b" } }),
      () => stranger.request({ uri: "transmissions?x", method: "POST", body: JSON.stringify(mail()) }),
      () => stranger.request({ uri: "https://evil.test/api/v1/transmissions", method: "POST", json: mail() }),
      () => stranger.request({ uri: "templates", har: { url: endpoint.url, method: "POST" } }),
    ];
    for (const attempt of attempts) expect(await refusalOf(attempt())).toBe("UNATTACHED_SEND");
    const told: unknown[] = [];
    await stranger.transmissions.send(mail(), {}, (error) => told.push(error)).catch(() => {});
    expect(told).toMatchObject([{ code: "UNATTACHED_SEND" }]);
    await stranger.suppressionList.delete("ann@acme.test");
    await stranger.request({ uri: "webhooks", method: "POST", form: { a: "b" } });
    expect(endpoint.arrived.map(({ body }) => body)).toEqual(["", "a=b"]);
    expect(gate.calls).toEqual([]);
    attachment.detach();
    await stranger.transmissions.send(mail());
    held(client(), "pass");
    await stranger.transmissions.send(mail());
    expect(endpoint.arrived).toHaveLength(4);
  });

  it("an attached client that is given a stranger's part to send with", async () => {
    const { client: c, attachment } = held(client(), "pass");
    const before = c.transmissions;
    c.transmissions = client().transmissions;
    expect(attachment.verify()).toMatchObject({ code: "CHOKE_POINT_CHANGED" });
    expect(await refusalOf(before.send(mail() as never))).toBe("CHOKE_POINT_CHANGED");
    expect(endpoint.arrived).toEqual([]);
  });
});

it("leaves with the address as it was read, not as it was spelled", async () => {
  const { client: c } = held();
  await loose(c).post({ uri: `${endpoint.url}/api/v1/x/..\\./%2e/transmissions`, json: mail() });
  expect(endpoint.arrived).toMatchObject([{ url: "/api/v1/transmissions" }]);
});

it("goes where it was judged to go, as whom it was judged", async () => {
  const { client: c } = held();
  const options = { uri: "transmissions", json: mail(), headers: { "X-MSYS-SUBACCOUNT": "7" } };
  const sending = loose(c).post(options);
  Object.assign(c, {
    origin: "http://127.0.0.1:9",
    apiVersion: "v9",
    apiKey: "another",
    defaultHeaders: { "x-a": "1" },
  });
  Object.assign(options, { uri: "templates", json: {}, headers: {} });
  await sending;
  expect(endpoint.arrived).toMatchObject([
    { url: "/api/v1/transmissions", headers: { authorization: "key", "x-msys-subaccount": "7" } },
  ]);
  expect(bodies()).toEqual([mail()]);
});

describe("outcomes", () => {
  const answered = async (body: unknown, status = 200) => {
    const { client: c, gate } = held();
    endpoint.answers.push({ status, body });
    await send(c, mail()).catch(() => {});
    return gate.outcomes[0];
  };
  const results = (good: unknown, bad: unknown) => ({
    results: { total_accepted_recipients: good, total_rejected_recipients: bad, id: "7" },
  });

  it.each([
    [results(1, 0), 200, { fate: "accepted", messageId: "7" }],
    [results(1, 1), 200, { fate: "accepted", messageId: "7" }],
    [results(0, 1), 200, { fate: "refused", messageId: "7", providerCode: "rejected" }],
    [results(0, 0), 200, { fate: "unknown", messageId: "7" }],
    [{}, 200, { fate: "unknown" }],
    ["<html>", 200, { fate: "unknown" }],
    ["", 302, { fate: "unknown" }],
    [{ errors: [{ code: "1902", message: "x" }] }, 422, { fate: "refused", providerCode: "1902" }],
    [{ errors: [{ message: "limit" }] }, 420, { fate: "refused", providerCode: "http_420" }],
    ["<html>", 503, { fate: "unknown", providerCode: "http_503" }],
  ])("reads %j with status %i", async (body, status, expected) => {
    expect(await answered(body, status)).toEqual(expected);
  });
});

const replacements: Readonly<Record<string, (c: SparkPost) => void>> = {
  "request assigned": (c) => {
    c.request = (async () => ({})) as never;
  },
  "request defined": (c) => {
    Object.defineProperty(c, "request", { value: async () => ({}) });
  },
};

describe("attaching", () => {
  it("refuses what is no client, and one that other code has been at", () => {
    expect(() => sparkpostAdapter().attach({ transmissions: {} } as never, openGate())).toThrow(/ATTACH_UNSUPPORTED/);
    for (const replace of Object.values(replacements)) {
      const patched = client();
      replace(patched);
      expect(() => adapter().attach(patched, openGate())).toThrow(/ATTACH_UNSUPPORTED/);
    }
  });

  it.each(Object.entries(replacements))("notices on the next send, and on demand: %s", async (_name, replace) => {
    const fuse = liveFuse();
    const c = fuse.attach(client(), sparkpostAdapter());
    expect(fuse.verify()).toEqual([]);
    replace(c);
    expect(fuse.verify()).toMatchObject([{ code: "CHOKE_POINT_CHANGED" }]);
    expect(await refusalOf(send(c, mail()))).toBe("CHOKE_POINT_CHANGED");
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
    { recipients: 1, content: 1, options: 1 },
    { recipients: [1, null, "x", {}, { address: 1 }, { address: {} }], content: { headers: [1], attachments: {} } },
    { recipients: { list_id: {} }, content: { template_id: {}, email_rfc822: 1 } },
    { recipients: [ann], content: { headers: { cc: 1, CC: [1], x: {} }, email_rfc822: "\u0000", from: {} } },
    { results: 1, errors: 1 },
    { errors: [{ code: {} }], results: { id: {} } },
  ];
  for (const path of [
    "/api/v1/transmissions",
    "/transmissions",
    "/api/v1/sending-domains/x/verify",
    "/api/v1/templates",
  ]) {
    for (const value of values as Plain[]) {
      const request = { method: "POST", path, query: [], headers: [], body: { kind: "json" as const, value } };
      const intent = sparkpostCodec.classify(request);
      if ("messages" in intent) for (const message of intent.messages) message.digest();
      sparkpostCodec.simulate(request);
      sparkpostCodec.rewrite?.(request);
      for (const status of [200, 400]) sparkpostCodec.outcome(request, { status, headers: {}, body: value });
    }
  }
});

interface Entry {
  readonly address: { readonly email: string };
}

adapterConformance(
  { describe, it },
  {
    name: "sparkpost",
    adapter,
    client: (url) => client({ origin: url }),
    recipients: ({ body }) => JSON.parse(body.toString()).recipients.map(({ address }: Entry) => address.email),
    replies: {
      accepted: ({ body }) => ({ body: JSON.stringify(accepted(body.toString())) }),
      refused: { status: 422, body: JSON.stringify({ errors: [{ code: "1902", message: "x" }] }) },
    },
    sends: {
      text: {
        args: (to) => [mail({ recipients: to.map((email) => ({ address: { email } })) })],
        call: (c, [body]) => send(c, body as never),
      },
      copies: {
        args: (to) => [
          {
            recipients: to.slice(0, 1).map((address) => ({ address })),
            bcc: to.slice(1).map((address) => ({ address })),
            content: { ...content, headers: { "List-Unsubscribe": "<x>" } },
          },
        ],
        call: (c, [body]) => send(c, body as never),
      },
      template: {
        args: (to) => [
          {
            recipients: to.map((address) => ({ address, substitution_data: { a: "b" } })),
            content: { template_id: "t" },
          },
        ],
        call: (c, [body]) => send(c, body as never),
      },
      raw: {
        args: (to) => [
          {
            recipients: to.map((address) => ({ address })),
            content: { email_rfc822: raw(`To: ${to.join(", ")}`, "List-Unsubscribe: <x>") },
          },
        ],
        call: (c, [body]) => send(c, body as never),
      },
    },
    withoutHeaders: ["template"],
    tampers: replacements,
    read: (c) => loose(c).transmissions.list(),
    manage: (c) => c.suppressionList.delete("ann@customers.test") as Promise<unknown>,
  },
);
