import { EmailParams, MailerSend, Recipient, Sender } from "mailersend";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { mailersendAdapter, mailersendCodec } from "../../adapters/mailersend";
import type { Adapter, Plain } from "../../src/adapter";
import { adapterConformance } from "../../src/testing/adapter";
import type { RecordedRequest } from "../../src/testing/recorder";
import { type Endpoint, onWire, startEndpoint } from "../support/endpoint";
import { hold, liveFuse, type OpenGate, openGate, refusalOf, testFuse } from "../support/gates";

/** What the types hide, and what is there all the same. */
interface Raw {
  baseUrl: string;
  request(method: string, path: unknown, body?: unknown, query?: unknown): Promise<unknown>;
  post(path: string, body?: unknown): Promise<unknown>;
  put(path: string, body?: unknown): Promise<unknown>;
  get(path: string, query?: unknown): Promise<unknown>;
  deleteReq(path: string, body?: unknown): Promise<unknown>;
}
const raw = (part: object) => part as Raw;

/** Every part of a client: the SDK has no option for where its requests go. */
function partsOf(client: object): Raw[] {
  return Object.values(client).flatMap((part: unknown) =>
    typeof part === "object" && part !== null && "baseUrl" in part ? [part as Raw, ...partsOf(part)] : [],
  );
}

function towards(url: string): MailerSend {
  const made = new MailerSend({ apiKey: "key" });
  for (const part of partsOf(made)) part.baseUrl = `${url}/v1`;
  return made;
}

let endpoint: Endpoint;
beforeAll(async () => {
  endpoint = await startEndpoint(({ url }) =>
    url === "/v1/bulk-email"
      ? { status: 202, body: { message: "The bulk email is being processed.", bulk_email_id: "b-1" } }
      : { status: url === "/v1/email" ? 202 : 200, headers: { "x-message-id": "m-1" }, body: "" },
  );
});
beforeEach(() => {
  endpoint.arrived.length = 0;
  endpoint.answers.length = 0;
});
afterAll(() => endpoint.close());

const ann = { email: "ann@acme.test" };
const bob = { email: "bob@acme.test" };
const evil = { email: "evil@evil.test" };
const plain = { from: { email: "app@sender.test" }, to: [ann], subject: "Hello", text: "Hi Ann" };
const mail = (more: object = {}) => ({ ...plain, ...more }) as unknown as EmailParams;
const client = () => towards(endpoint.url);
const adapter = () => mailersendAdapter() as Adapter<MailerSend>;
const held = (made = client(), unattached?: "refuse" | "pass") => hold(made, adapter(), unattached);
const bodies = () => endpoint.arrived.map(({ body }) => JSON.parse(body));

function peopleOf(gate: OpenGate): string[][] {
  const { intent } = gate.last();
  if (!("messages" in intent)) return [];
  return intent.messages.map(({ recipients }) => recipients.map(({ field, person }) => `${field}:${person}`));
}

function contentsOf(gate: OpenGate) {
  const { intent } = gate.last();
  return "messages" in intent ? intent.messages.map((one) => one.content()) : [];
}

const everything = new EmailParams()
  .setFrom(new Sender("app@sender.test", "App"))
  .setTo([new Recipient("ann@acme.test", "Ann")])
  .setCc([new Recipient("cc@acme.test")])
  .setBcc([new Recipient("bcc@acme.test", "B")])
  .setReplyTo(new Recipient("help@sender.test", "Help"))
  .setSubject("Hello {{ name }}")
  .setText("Hi")
  .setHtml("<p>Hi — ü</p>")
  .setSendAt(1_800_000_000)
  .setAttachments([{ content: "aGVsbG8=", filename: "a.txt", disposition: "attachment" }] as never)
  .setTags(["welcome"])
  .setPersonalization([{ email: "ann@acme.test", data: { name: "Ann" } }])
  .setInReplyTo("<a@b>")
  .setReferences(["<a@b>"])
  .setHeaders([{ name: "X-Ref", value: "1" }])
  .setSettings({ track_clicks: true })
  .setListUnsubscribe("<https://acme.test/u>");

describe("what leaves", () => {
  const ordinary: readonly [string, (c: MailerSend) => Promise<unknown>][] = [
    ["one mail", (c) => c.email.send(mail())],
    ["a mail with everything", (c) => c.email.send(everything)],
    ["several mails", (c) => c.email.sendBulk([mail(), mail({ to: [bob] })])],
    ["a template", (c) => c.email.send(mail({ template_id: "t" }))],
    ["a read with a query", (c) => c.email.domain.list({ limit: 10, page: 2, verified: true } as never)],
    ["a suppression", (c) => c.email.recipient.blockRecipients({ domain_id: "d", recipients: [ann.email] } as never)],
    ["a delete with a body", (c) => c.email.recipient.delBlockListRecipients(["1"])],
    ["a form, where no mail is sent from", (c) => raw(c.email).get("/domains", { "a[]": ["1", "2"] })],
  ];
  it.each(ordinary)("is the same request with and without a fuse: %s", async (_name, call) => {
    const bare = await call(client());
    const guarded = await call(liveFuse().attach(client(), mailersendAdapter()));
    const without = (answer: unknown) => ({ ...(answer as object), headers: undefined });
    expect(without(guarded)).toEqual(without(bare));
    expect(endpoint.arrived).toHaveLength(2);
    expect(onWire(endpoint.arrived[1]!)).toEqual(onWire(endpoint.arrived[0]!));
  });

  it("writes recipients anew from their parse, hidden ones and personal data too", async () => {
    const { client: c } = held();
    const spelled = { email: " Ann@ACME.test" };
    await c.email.send(mail({ to: [spelled], rcpt_to: [spelled], personalization: [{ ...spelled, data: {} }] }));
    const written = { email: "Ann@acme.test" };
    expect(bodies()[0]).toMatchObject({
      to: [written],
      rcpt_to: [written],
      personalization: [{ ...written, data: {} }],
    });
  });
});

describe("what is read", () => {
  it("finds everybody, those whom nobody sees as well", async () => {
    const { client: c, gate } = held();
    const more = {
      cc: [bob],
      bcc: [{ email: "carl@acme.test" }],
      rcpt_to: [{ email: "dora@acme.test" }],
      tags: ["one"],
    };
    await c.email.send(mail(more));
    expect(peopleOf(gate)).toEqual([
      ["to:ann@acme.test", "cc:bob@acme.test", "bcc:carl@acme.test", "bcc:dora@acme.test"],
    ]);
    expect(gate.last().intent).toMatchObject({ messages: [{ tags: ["one"], from: "app@sender.test" }] });
  });

  it("finds them where nobody is in to", async () => {
    const { client: c, gate } = held();
    await c.email.send(mail({ to: undefined, rcpt_to: [ann] }));
    expect(peopleOf(gate)).toEqual([["bcc:ann@acme.test"]]);
  });

  it("takes the mails of a bulk call apart", async () => {
    const { client: c, gate } = held();
    await c.email.sendBulk([mail(), mail({ to: [bob], subject: "Other" })]);
    expect(peopleOf(gate)).toEqual([["to:ann@acme.test"], ["to:bob@acme.test"]]);
    expect(contentsOf(gate).map(({ subject }) => subject)).toEqual(["Hello", "Other"]);
    expect(gate.commits).toBe(1);
  });

  it("takes mails with personal data apart, and fills them in", async () => {
    const { client: c, gate } = held();
    await c.email.send(
      mail({
        to: [ann, bob],
        subject: "For {{ name }}",
        text: "{{name}} of {$firm}",
        personalization: [
          { email: "Ann@acme.test", data: { name: "Ann" } },
          { ...bob, data: { name: "Bob" } },
        ],
        variables: [{ ...ann, substitutions: [{ var: "firm", value: "Acme" }] }],
      }),
    );
    expect(peopleOf(gate)).toEqual([["to:ann@acme.test", "to:bob@acme.test"], ["to:bob@acme.test"]]);
    expect(contentsOf(gate)).toEqual([
      { subject: "For Ann", text: "Ann of Acme" },
      { subject: "For Bob", text: "Bob of {$firm}" },
    ]);
  });

  it("takes copies without data of their own for copies of the first mail", async () => {
    const { client: c, gate } = held();
    const more = {
      to: [ann, bob],
      cc: [{ email: "cc@acme.test" }],
      bcc: [{ email: "carl@acme.test" }],
      text: "Hi {{name}}",
    };
    const personalization = [ann, bob, { email: "carl@acme.test" }].map((one) => ({
      ...one,
      data: { name: one.email },
    }));
    await c.email.send(mail({ ...more, personalization }));
    expect(peopleOf(gate)).toEqual([
      ["to:ann@acme.test", "to:bob@acme.test", "cc:cc@acme.test"],
      ["to:bob@acme.test"],
      ["bcc:carl@acme.test"],
    ]);
    expect(contentsOf(gate).map(({ text }) => text)).toEqual([
      "Hi ann@acme.test",
      "Hi bob@acme.test",
      "Hi carl@acme.test",
    ]);
  });

  it("refuses to show many people to each other, personal as their mails may be", async () => {
    const c = liveFuse().attach(client(), mailersendAdapter());
    const to = Array.from({ length: 50 }, (_, at) => ({ email: `person${at}@acme.test` }));
    const personalization = to.map((one) => ({ ...one, data: { name: one.email } }));
    expect(await refusalOf(c.email.send(mail({ to, text: "Hi {{name}}", personalization })))).toBe(
      "RECIPIENTS_VISIBLE",
    );
    await c.email.send(
      mail({
        to: to.slice(0, 1),
        bcc: to.slice(1, 10),
        text: "Hi {{name}}",
        personalization: personalization.slice(0, 1),
      }),
    );
    expect(endpoint.arrived).toHaveLength(1);
  });

  it("says what it leaves open", async () => {
    const { client: c, gate } = held();
    for (const text of [
      "{% if name %}x{% endif %}",
      "{{ name|upper }}",
      "{{unsubscribe}}",
      "{$unsubscribe}",
      "{{account.name}}",
    ]) {
      await c.email.send(mail({ text, personalization: [{ ...ann, data: { name: "Ann" } }] }));
      expect(contentsOf(gate)[0]?.unbound).toMatch(/MailerSend fills in/);
    }
  });

  it("has names without a value refused, whether or not there is data for others", async () => {
    const c = liveFuse().attach(client(), mailersendAdapter());
    const personalization = [{ ...ann, data: { name: "Ann" } }];
    for (const more of [{}, { personalization }])
      for (const text of ["Hi {{ firstName }}, your order was shipped.", "Hi {$firstName}, your order was shipped."])
        expect(await refusalOf(c.email.send(mail({ text, ...more })))).toBe("CONTENT_PLACEHOLDER");
    expect(endpoint.arrived).toEqual([]);
    await c.email.send(mail({ text: "Hi {{name}}, your order was shipped.\n{{unsubscribe}}", personalization }));
    await c.email.send(mail({ text: "Your order was shipped.\n{$unsubscribe}" }));
    expect(endpoint.arrived).toHaveLength(2);
  });

  it("says that a template's text is not known here", async () => {
    const { client: c, gate } = held();
    await c.email.send(mail({ template_id: "t-1", personalization: [{ ...ann, data: { name: "Ann" } }] }));
    expect(contentsOf(gate)[0]).toMatchObject({
      template: { id: "t-1", data: { data: { name: "Ann" } } },
      unbound: expect.stringMatching(/template/),
    });
  });

  it("gives different mails different digests, files and personal data included", async () => {
    const { client: c, gate } = held();
    const digests = new Set<string>();
    const file = (content: string, filename = "a") => ({
      attachments: [{ content, filename, disposition: "attachment" }],
    });
    const template = (name: string) => ({ template_id: "t", personalization: [{ ...ann, data: { name } }] });
    const variants = [
      {},
      { subject: "x" },
      { text: "x" },
      { html: "x" },
      file("AA=="),
      file("AQ=="),
      file("AA==", "b"),
      template("Ann"),
      template("Bob"),
    ];
    for (const variant of variants) {
      await c.email.send(mail(variant));
      const { intent } = gate.last();
      if ("messages" in intent) digests.add(intent.messages[0]!.digest());
    }
    expect(digests.size).toBe(variants.length);
  });

  const others: readonly [string, object, string[][], (c: MailerSend) => Promise<unknown>][] = [
    [
      "the verification of a sender",
      { kind: "system" },
      [["to:ann@acme.test"]],
      (c) => c.email.identity.create({ domain_id: "d", ...ann, name: "Ann" } as never),
    ],
    [
      "another address of a sender",
      { kind: "system" },
      [["to:ann@acme.test"]],
      (c) => c.email.identity.update("1", ann as never),
    ],
    [
      "another name of a sender",
      { kind: "management" },
      [],
      (c) => c.email.identity.update("1", { name: "x" } as never),
    ],
    ["that verification once more", { kind: "system" }, [], (c) => c.email.identity.resend("1")],
    ["an invitation", { kind: "system" }, [["to:ann@acme.test"]], (c) => c.user.create(ann as never)],
    ["that invitation once more", { kind: "system" }, [], (c) => c.user.resendInvite("1")],
    [
      "a standing forward to a mailbox",
      { kind: "system" },
      [["to:ann@acme.test"]],
      (c) =>
        c.email.inbound.create({
          forwards: [
            { type: "webhook", value: "https://x" },
            { type: "email", value: ann.email },
          ],
        } as never),
    ],
    [
      "a standing forward to the application",
      { kind: "management" },
      [],
      (c) => c.email.inbound.update("1", { forwards: [{ type: "webhook", value: "https://x" }] } as never),
    ],
    [
      "alerts by mail",
      { kind: "system" },
      [["to:ann@acme.test"]],
      (c) => c.blocklistMonitor.create({ address: "192.0.2.1", notify: true, notify_email: ann.email } as never),
    ],
    [
      "a monitor without alerts",
      { kind: "management" },
      [],
      (c) => c.blocklistMonitor.create({ address: "192.0.2.1" } as never),
    ],
    ["a text message", { kind: "system" }, [], (c) => c.sms.send({ to: ["+1"] } as never)],
    ["a WhatsApp message", { kind: "system" }, [], (c) => c.whatsapp.send({ to: ["+1"] } as never)],
  ];
  it.each(others)("tells %s from mail", async (_name, expected, people, call) => {
    const { client: c, gate } = held();
    await call(c);
    expect(gate.last().intent).toMatchObject(expected);
    expect(peopleOf(gate)).toEqual(people);
    if (gate.last().intent.kind === "management") return;
    endpoint.arrived.length = 0;
    expect(await refusalOf(call(liveFuse().attach(client(), mailersendAdapter())))).toBe("SYSTEM_MAIL_REFUSED");
    expect(endpoint.arrived).toEqual([]);
  });
});

describe("what is refused", () => {
  const send = (c: MailerSend, more: object) => c.email.send(mail(more));
  const attacks: readonly [string, (c: MailerSend) => unknown][] = [
    ["Bcc among the headers", (c) => send(c, { headers: [{ name: "Bcc", value: evil.email }] })],
    ["a header that ends in another", (c) => send(c, { headers: [{ name: "X-A", value: `1\r\nBcc: ${evil.email}` }] })],
    ["a reference that ends in a header", (c) => send(c, { references: [`<a@b>\r\nBcc: ${evil.email}`] })],
    ["an unsubscribe link that ends in a header", (c) => send(c, { list_unsubscribe: `<x>\r\nBcc: ${evil.email}` })],
    ["headers that are no list", (c) => send(c, { headers: { Bcc: evil.email } })],
    ["a field nobody documents", (c) => send(c, { also_to: [evil] })],
    ["a field in another case", (c) => send(c, { BCC: [evil] })],
    ["an unknown field of a recipient", (c) => send(c, { to: [{ ...ann, also: evil.email }] })],
    ["two addresses in one", (c) => send(c, { to: [{ email: `ann@acme.test, ${evil.email}` }] })],
    ["two addresses in a hidden one", (c) => send(c, { rcpt_to: [{ email: `ann@acme.test, ${evil.email}` }] })],
    ["recipients as text", (c) => send(c, { to: [ann.email, evil.email] })],
    ["recipients that are no list", (c) => send(c, { cc: evil })],
    ["personal data of somebody else", (c) => send(c, { personalization: [{ ...evil, data: {} }] })],
    ["older data of somebody else", (c) => send(c, { variables: [{ ...evil, substitutions: [] }] })],
    ["nobody", (c) => send(c, { to: [] })],
    ["nobody in a bulk call", (c) => c.email.sendBulk([])],
    ["one mail of several to nobody", (c) => c.email.sendBulk([mail(), mail({ to: [] })])],
    ["a field among several mails", (c) => c.email.sendBulk([mail(), mail({ also_to: [evil] })])],
    ["a list where one mail belongs", (c) => raw(c.email).post("/email", [mail({ to: [evil] })])],
    ["one mail where a list belongs", (c) => raw(c.email).post("/bulk-email", mail({ to: [evil] }))],
    ["a mail as text", (c) => raw(c.email).post("/email", JSON.stringify(mail({ to: [evil] })))],
    ["a mail as a form", (c) => raw(c.email).post("/email", new URLSearchParams({ "to[0][email]": evil.email }))],
    ["a mail as bytes", (c) => raw(c.email).post("/email", Buffer.from(JSON.stringify(mail({ to: [evil] }))))],
    ["an unknown path", (c) => raw(c.email).post("/email/everything", mail())],
    ["a path with a query", (c) => raw(c.email).post("/email?to=evil", mail())],
    ["a query beside a body", (c) => raw(c.email).request("POST", "/email", mail(), { to: evil.email })],
    ["a path that leaves the base", (c) => raw(c.email).post("../v2/email", mail())],
    ["another host", (c) => raw(c.email).post("https://evil.test/v1/email", mail())],
    ["another host behind slashes", (c) => raw(c.email).post("///evil.test/v1/email", mail())],
    ["a read from another host", (c) => raw(c.email).get("http://127.0.0.1:9/v1/email")],
    ["an id that leads to mail", (c) => c.email.identity.resend("../../email?")],
    ["a field that overrides the method", (c) => raw(c.email).post("/suppressions/x", { _method: "PUT" })],
    ["a query that overrides the method", (c) => raw(c.email).post("/templates?_method=PUT", {})],
    ["a method nobody knows", (c) => raw(c.email).request("SEND", "/email", mail())],
    ["a read with a body", (c) => raw(c.email).request("GET", "/email", mail())],
    ["a form of a suppression", (c) => raw(c.email).post("/suppressions/blocklist", new URLSearchParams("a=b"))],
  ];
  it.each(attacks)("%s", async (_name, attack) => {
    const c = liveFuse().attach(client(), mailersendAdapter());
    expect(await refusalOf(attack(c))).toMatch(/^[A-Z_]+$/);
    expect(endpoint.arrived).toEqual([]);
  });

  it("nothing of a mail in the error's text", async () => {
    const { client: c } = held();
    const headers = [{ name: "Bcc", value: evil.email }];
    const error = await send(c, { to: [{ email: "evil@evil.test;x" }], headers }).catch((caught) => caught);
    expect(String(error)).not.toMatch(/evil|Hi Ann/);
  });

  it("is refused with a MailfuseError, where the SDK throws plain objects", async () => {
    endpoint.answers.push({ status: 422, body: { message: "The given data was invalid." } });
    const own = await client()
      .email.send(mail())
      .catch((caught: unknown) => caught);
    expect(own).not.toBeInstanceOf(Error);
    const closed = testFuse(["nobody@nowhere.test"]).attach(client(), mailersendAdapter());
    const error = await closed.email.send(mail()).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: "MailfuseError", code: "NOT_ALLOWLISTED" });
  });
});

describe("every way to send passes the fuse", () => {
  type Class = { prototype: Raw };
  const classOf = (part: object) => Object.getPrototypeOf(Object.getPrototypeOf(part)).constructor as Class;
  const ways: readonly [string, (c: MailerSend) => unknown][] = [
    ["the method", (c) => c.email.send(mail())],
    ["several at once", (c) => c.email.sendBulk([mail()])],
    ["an unbound method", (c) => Object.getPrototypeOf(c.email).send.call(c.email, mail())],
    ["post", (c) => raw(c.email).post("/email", mail())],
    ["post of the class", (c) => classOf(c.email).prototype.post.call(c.email, "/email", mail())],
    ["request", (c) => raw(c.email).request("POST", "/email", mail())],
    ["request in lower case", (c) => raw(c.email).request("post", "email", mail())],
    ["request of the class", (c) => classOf(c.email).prototype.request.call(c.email, "POST", "/email", mail())],
    ["request of another part", (c) => raw(c.user).request("POST", "/email", mail())],
    ["post of a part's part", (c) => raw(c.sms.number).post("/email//", mail())],
    ["a path in another case and spelling", (c) => raw(c.token).post("/x/../%65mail/", mail())],
    ["a full URL of the same place", (c) => raw(c.others).post(`${endpoint.url}/v1/email`, mail())],
    [
      "after another base",
      (c) => {
        raw(c.email).baseUrl = `${endpoint.url}/v1/`;
        return c.email.send(mail());
      },
    ],
  ];
  it.each(ways)("%s", async (_name, way) => {
    const closed = testFuse(["nobody@nowhere.test"]).attach(client(), mailersendAdapter());
    expect(await refusalOf(way(closed))).toBe("NOT_ALLOWLISTED");
    expect(endpoint.arrived).toEqual([]);
    await way(testFuse(["ann@acme.test"]).attach(client(), mailersendAdapter()));
    expect(endpoint.arrived).toHaveLength(1);
  });

  it("covers all parts that make requests", () => {
    const { client: c, attachment } = held();
    expect(partsOf(c)).toHaveLength(26);
    for (const part of partsOf(c)) {
      const own = Object.hasOwn(part, "request");
      part.request = async () => ({});
      expect(own).toBe(false);
      expect(attachment.verify()).toMatchObject({ code: "CHOKE_POINT_CHANGED" });
      Reflect.deleteProperty(part, "request");
      expect(attachment.verify()).toBeUndefined();
    }
  });

  it("a client of the same class is a stranger: its mail is refused or passes, all else passes", async () => {
    const { gate, attachment } = held();
    const stranger = client();
    const ways: readonly (() => Promise<unknown>)[] = [
      () => stranger.email.send(mail()),
      () => stranger.email.sendBulk([mail()]),
      () => stranger.user.resendInvite("1"),
      () => raw(stranger.email).post("/email", JSON.stringify(mail())),
      () => raw(stranger.email).post("/email?x", mail()),
      () => raw(stranger.email).post(`${endpoint.url}/elsewhere/email`, mail()),
      () => raw(stranger.email).request.call({ baseUrl: `${endpoint.url}/v1`, apiKey: "k" }, "POST", "/email", mail()),
    ];
    for (const way of ways) expect(await refusalOf(way())).toBe("UNATTACHED_SEND");
    await stranger.email.recipient.blockRecipients({ domain_id: "d", recipients: [ann.email] } as never);
    await raw(stranger.email).post("/suppressions/blocklist", new URLSearchParams("a=b"));
    expect(endpoint.arrived.map(({ body }) => body)).toEqual([
      JSON.stringify({ domain_id: "d", recipients: [ann.email] }),
      "a=b",
    ]);
    expect(gate.calls).toEqual([]);
    attachment.detach();
    await stranger.email.send(mail());
    held(client(), "pass");
    await stranger.email.send(mail());
    expect(endpoint.arrived).toHaveLength(4);
  });

  it("an attached client that is given a stranger's part to send with", async () => {
    const { client: c, attachment } = held(client(), "pass");
    const own = c.email;
    (c as { email: object }).email = client().email;
    expect(attachment.verify()).toMatchObject({ code: "CHOKE_POINT_CHANGED" });
    expect(await refusalOf(own.send(mail()))).toBe("CHOKE_POINT_CHANGED");
    expect(endpoint.arrived).toEqual([]);
  });
});

it("goes where it was judged to go, as whom it was judged", async () => {
  const { client: c } = held();
  const sending = c.email.send(mail());
  Object.assign(c.email, { baseUrl: "http://127.0.0.1:9/v1", apiKey: "another" });
  await sending;
  expect(endpoint.arrived).toMatchObject([{ url: "/v1/email", headers: { authorization: "Bearer key" } }]);
});

describe("outcomes", () => {
  const answered = async (body: unknown, { status = 202, id = "m-1" }: { status?: number; id?: string } = {}) => {
    const { client: c, gate } = held();
    endpoint.answers.push({ status, body, headers: id === "" ? {} : { "x-message-id": id } });
    await c.email.send(mail({ to: [ann, bob] })).catch(() => {});
    return gate.outcomes[0];
  };
  const warning = (type: string, ...people: object[]) => ({ warnings: [{ type, recipients: people }] });

  it("tells people apart", async () => {
    expect(await answered(warning("SOME_SUPPRESSED", { email: "Bob@acme.test", reasons: ["blocklisted"] }))).toEqual({
      fate: "accepted",
      messageId: "m-1",
      people: new Map([
        ["ann@acme.test", { fate: "accepted", messageId: "m-1" }],
        ["bob@acme.test", { fate: "refused" }],
      ]),
    });
  });

  it("says why all were refused", async () => {
    expect(await answered(warning("ALL_SUPPRESSED", ann, bob), { id: "" })).toMatchObject({
      fate: "refused",
      providerCode: "ALL_SUPPRESSED",
      people: new Map([
        ["ann@acme.test", { fate: "refused" }],
        ["bob@acme.test", { fate: "refused" }],
      ]),
    });
  });

  it.each([
    ["", { id: "" }, { fate: "unknown" }],
    ["<html>", { id: "" }, { fate: "unknown" }],
    [{ message: "x" }, { status: 422 }, { fate: "refused", providerCode: "http_422" }],
    [{ message: "x" }, { status: 429 }, { fate: "refused", providerCode: "http_429" }],
    ["<html>", { status: 502 }, { fate: "unknown", providerCode: "http_502" }],
  ])("reads %j with %j", async (body, how, expected) => {
    expect(await answered(body, how)).toMatchObject(expected);
  });

  it("takes a bulk call without an id for unknown", async () => {
    const { client: c, gate } = held();
    await c.email.sendBulk([mail()]);
    endpoint.answers.push({ status: 202, body: {} });
    await c.email.sendBulk([mail()]);
    expect(gate.outcomes).toEqual([{ fate: "accepted", messageId: "b-1" }, { fate: "unknown" }]);
  });
});

const replacements: Readonly<Record<string, (c: MailerSend) => void>> = {
  "request assigned": (c) => {
    raw(c.email).request = async () => ({});
  },
  "request defined": (c) => {
    Object.defineProperty(c.email, "request", { value: async () => ({}) });
  },
  "request of another part": (c) => {
    raw(c.email.domain).request = async () => ({});
  },
};

describe("attaching", () => {
  it("refuses what is no client, and one that other code has been at", () => {
    expect(() => mailersendAdapter().attach({ email: {}, user: {} }, openGate())).toThrow(/ATTACH_UNSUPPORTED/);
    for (const replace of Object.values(replacements)) {
      const patched = client();
      replace(patched);
      expect(() => adapter().attach(patched, openGate())).toThrow(/ATTACH_UNSUPPORTED/);
    }
  });

  it.each(Object.entries(replacements))("notices on the next send, and on demand: %s", async (_name, replace) => {
    const fuse = liveFuse();
    const c = fuse.attach(client(), mailersendAdapter());
    expect(fuse.verify()).toEqual([]);
    replace(c);
    expect(fuse.verify()).toMatchObject([{ code: "CHOKE_POINT_CHANGED" }]);
    expect(await refusalOf(c.email.send(mail()))).toBe("CHOKE_POINT_CHANGED");
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
    [1, null, "x", []],
    { to: 1, cc: "x", headers: [1], personalization: [1], variables: {}, attachments: {} },
    { to: [1, null, {}], headers: [{}], personalization: [{}], references: [{}], template_id: {} },
    { forwards: [1, { value: 1 }], email: 1, notify_email: [] },
    { warnings: [1, { type: 1, recipients: 1 }] },
  ];
  for (const path of [
    "/v1/email",
    "/v1/bulk-email",
    "/email",
    "/v1/inbound",
    "/v1/identities",
    "/v1/blocklist-monitoring",
  ]) {
    for (const value of values as Plain[]) {
      const request = { method: "POST", path, query: [], headers: [], body: { kind: "json" as const, value } };
      const intent = mailersendCodec.classify(request);
      if ("messages" in intent) for (const message of intent.messages) message.digest();
      mailersendCodec.simulate(request);
      mailersendCodec.rewrite?.(request);
      mailersendCodec.outcome(request, { status: 200, headers: {}, body: value });
    }
  }
});

/** The SDK rejects with plain objects; the suite tells errors apart by their class and their fields. */
async function thrown(work: Promise<unknown>): Promise<unknown> {
  return work.catch((error: unknown) => {
    if (error instanceof Error) throw error;
    const { statusCode, body } = error as { statusCode: number; body: unknown };
    throw Object.assign(new Error(JSON.stringify(body)), { statusCode });
  });
}

const listed = ({ body }: RecordedRequest): string[] => {
  const read = JSON.parse(body.toString());
  const mails: (typeof plain & Record<"cc" | "bcc" | "rcpt_to", (typeof ann)[]>)[] = Array.isArray(read)
    ? read
    : [read];
  return mails.flatMap(({ to = [], cc = [], bcc = [], rcpt_to = [] }) =>
    [...to, ...cc, ...bcc, ...rcpt_to].map(({ email }) => email),
  );
};

adapterConformance(
  { describe, it },
  {
    name: "mailersend",
    adapter,
    client: towards,
    recipients: listed,
    replies: {
      accepted: ({ url }) =>
        url.endsWith("/bulk-email")
          ? { status: 202, body: JSON.stringify({ message: "The bulk email is being processed.", bulk_email_id: "b" }) }
          : { status: 202, headers: { "x-message-id": "m-1" } },
      refused: { status: 422, body: JSON.stringify({ message: "The given data was invalid.", errors: {} }) },
    },
    // A real answer's headers are those of the connection, too.
    reads: (result) => {
      const { statusCode, body, headers } = result as { statusCode: number; body: unknown; headers: object };
      return { statusCode, body, id: (headers as Record<string, unknown>)["x-message-id"] };
    },
    sends: {
      text: {
        args: (to) => [{ ...plain, to: to.map((email) => ({ email })) }],
        call: (c, [body]) => thrown(c.email.send(body as never)),
      },
      personal: {
        args: (to) => [
          {
            ...plain,
            to: to.slice(0, 1).map((email) => ({ email })),
            rcpt_to: to.slice(1).map((email) => ({ email })),
            list_unsubscribe: "<https://acme.test/u>",
            headers: [{ name: "List-Unsubscribe", value: "<x>" }],
            personalization: to.map((email) => ({ email, data: { name: "A" } })),
          },
        ],
        call: (c, [body]) => thrown(c.email.send(body as never)),
      },
      bulk: {
        args: (to) => [to.map((email) => ({ ...plain, to: [{ email }] }))],
        call: (c, [mails]) => thrown(c.email.sendBulk(mails as never)),
      },
    },
    tampers: replacements,
    read: (c) => c.email.domain.list({} as never),
    manage: (c) => c.email.recipient.blockRecipients({ domain_id: "d", recipients: ["ann@customers.test"] } as never),
  },
);
