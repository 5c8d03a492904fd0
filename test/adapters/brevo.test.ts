import { BrevoClient } from "@getbrevo/brevo";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { brevoAdapter, brevoCodec } from "../../adapters/brevo";
import type { Adapter, Plain } from "../../src/adapter";
import { adapterConformance } from "../../src/testing/adapter";
import type { RecordedRequest } from "../../src/testing/recorder";
import { type Endpoint, onWire, startEndpoint } from "../support/endpoint";
import { hold, liveFuse, type OpenGate, openGate, refusalOf, testFuse } from "../support/gates";

let endpoint: Endpoint;
beforeAll(async () => {
  endpoint = await startEndpoint(({ body }) => {
    const versions = body.startsWith("{") ? JSON.parse(body).messageVersions : undefined;
    return { status: 201, body: versions ? { messageIds: versions.map(() => "<m@b>") } : { messageId: "<m@b>" } };
  });
});
beforeEach(() => {
  endpoint.arrived.length = 0;
  endpoint.answers.length = 0;
});
afterAll(() => endpoint.close());

const ann = { email: "ann@acme.test" };
const evil = { email: "evil@evil.test" };
const mail = { sender: { email: "app@sender.test" }, to: [ann], subject: "Hello", textContent: "Hi Ann" };
const client = (options: object = {}) => new BrevoClient({ apiKey: "key", baseUrl: `${endpoint.url}/v3`, ...options });
const adapter = (options?: object) => brevoAdapter(options) as Adapter<BrevoClient>;
const held = (made = client()) => hold(made, adapter());
const bodies = () => endpoint.arrived.map(({ body }) => JSON.parse(body || "null"));

type Inner = { _options: { fetch?: unknown } };
const inner = (one: unknown) => one as Inner;

/** A request without the key that a reservation sets. */
function withoutKey(request: unknown): unknown {
  const { body, headers, ...rest } = request as { body: string; headers: Record<string, string> };
  const { "content-length": _length, ...others } = headers;
  const read = body.startsWith("{") ? JSON.parse(body) : undefined;
  if (read?.headers) {
    delete read.headers["Idempotency-Key"];
    if (Object.keys(read.headers).length === 0) delete read.headers;
  }
  return { ...rest, headers: others, body: read ? JSON.stringify(read) : body };
}

function peopleOf(gate: OpenGate): string[][] {
  const { intent } = gate.last();
  if (!("messages" in intent)) return [];
  return intent.messages.map(({ recipients }) => recipients.map(({ field, person }) => `${field}:${person}`));
}

describe("what leaves", () => {
  const ordinary: readonly [string, (brevo: BrevoClient) => PromiseLike<unknown>][] = [
    ["one mail", (brevo) => brevo.transactionalEmails.sendTransacEmail(mail)],
    [
      "a mail with everything",
      (brevo) =>
        brevo.transactionalEmails.sendTransacEmail({
          ...mail,
          to: [{ email: "ann@acme.test", name: "Smith, Ann" }],
          cc: [{ email: "cc@acme.test" }],
          bcc: [{ email: "bcc@acme.test", contactPixelTrackingConsent: true }],
          replyTo: { email: "help@sender.test", name: "Help" },
          htmlContent: "<p>Hi {{ params.name }} — ü</p>",
          params: { name: "Ann", n: 1 },
          headers: { "X-Mailin-custom": "1", "Idempotency-Key": "mine" },
          tags: ["welcome"],
          attachment: [{ name: "a.txt", content: "aGVsbG8=" }],
          scheduledAt: "2026-01-01T00:00:00Z",
        }),
    ],
    [
      "versions",
      (brevo) =>
        brevo.transactionalEmails.sendTransacEmail({
          sender: mail.sender,
          subject: "s",
          htmlContent: "x",
          messageVersions: [{ to: [ann] }, { to: [{ email: "bob@acme.test" }], subject: "Other" }],
        }),
    ],
    ["a read with a query", (brevo) => brevo.transactionalEmails.getSmtpTemplates({ limit: 5n as never })],
    ["a suppression", (brevo) => brevo.transactionalEmails.blockNewDomain({ domain: "acme.test" })],
    ["a contact", (brevo) => brevo.contacts.createContact({ email: "ann@acme.test" })],
    ["the passthrough", (brevo) => brevo.fetch("account").then((response) => response.json())],
  ];

  it.each(ordinary)("is the same request with and without a fuse: %s", async (_name, call) => {
    const bare = await call(client());
    const guarded = await call(liveFuse().attach(client(), brevoAdapter()));
    expect(guarded).toEqual(bare);
    expect(endpoint.arrived).toHaveLength(2);
    expect(withoutKey(onWire(endpoint.arrived[1]!))).toEqual(withoutKey(onWire(endpoint.arrived[0]!)));
  });

  it("carries the reservation as idempotency key, and never in place of the caller's", async () => {
    const { client: brevo } = held();
    await brevo.transactionalEmails.sendTransacEmail(mail);
    await brevo.transactionalEmails.sendTransacEmail({ ...mail, headers: { idempotencyKey: "mine" } });
    expect(bodies().map(({ headers }) => headers)).toEqual([
      { "Idempotency-Key": "reservation-1" },
      { idempotencyKey: "mine" },
    ]);
  });

  it("writes recipients anew from their parse", async () => {
    const { client: brevo } = held();
    await brevo.transactionalEmails.sendTransacEmail({ ...mail, to: [{ email: " Ann@ACME.test" }] });
    expect(bodies()[0].to).toEqual([{ email: "Ann@acme.test" }]);
  });

  it("gives the raw answer where it is asked for", async () => {
    const { client: brevo } = held();
    const { data, rawResponse } = await brevo.transactionalEmails.sendTransacEmail(mail).withRawResponse();
    expect(data).toEqual({ messageId: "<m@b>" });
    expect(rawResponse.status).toBe(201);
  });
});

describe("what is read", () => {
  it("finds everybody, in each field and each version, and those beside versions as well", async () => {
    const { client: brevo, gate } = held();
    await brevo.transactionalEmails.sendTransacEmail({
      ...mail,
      cc: [{ email: "cc@acme.test", name: "C" }],
      messageVersions: [
        { to: [{ email: "bob@acme.test" }], bcc: [{ email: "carl@acme.test" }] },
        { to: [{ email: "dora@acme.test" }] },
      ],
    });
    expect(peopleOf(gate)).toEqual([
      ["to:bob@acme.test", "bcc:carl@acme.test"],
      ["to:dora@acme.test"],
      ["to:ann@acme.test", "cc:cc@acme.test"],
    ]);
  });

  it("gives each version its own content, merged with its own parameters", async () => {
    const { client: brevo, gate } = held();
    await brevo.transactionalEmails.sendTransacEmail({
      sender: mail.sender,
      subject: "For {{params.name}}",
      htmlContent: "<p>{{ params.name }} of {{params.firm}}</p>",
      params: { firm: "Acme", name: "you" },
      tags: ["offer"],
      messageVersions: [
        { to: [ann], params: { name: "Ann" } },
        { to: [{ email: "bob@acme.test" }], subject: "Bob" },
      ],
    });
    const { intent } = gate.last();
    const messages = "messages" in intent ? intent.messages : [];
    expect(messages.map((one) => one.content())).toEqual([
      { subject: "For Ann", html: "<p>Ann of Acme</p>" },
      { subject: "Bob", html: "<p>you of Acme</p>" },
    ]);
    expect(messages[0]).toMatchObject({ tags: ["offer"], from: "app@sender.test" });
  });

  it("says that a template's text is not known here, and reads it when told to", async () => {
    const named = { sender: mail.sender, to: [ann], templateId: 7, params: { name: "Ann" } };
    const plain = held();
    await plain.client.transactionalEmails.sendTransacEmail(named);
    const unbound = plain.gate.last().intent;
    expect("messages" in unbound && unbound.messages[0]?.content()).toMatchObject({
      template: { id: "7", data: { name: "Ann" } },
      unbound: expect.stringMatching(/template/),
    });
    endpoint.arrived.length = 0;
    const { client: brevo, gate } = hold(client(), adapter({ resolveTemplates: true }));
    endpoint.answers.push({ body: { subject: "Hi {{params.name}}", htmlContent: "<p>{{params.name}}</p>" } });
    await brevo.transactionalEmails.sendTransacEmail(named);
    const { intent } = gate.last();
    expect("messages" in intent && intent.messages[0]?.content()).toEqual({
      subject: "Hi Ann",
      html: "<p>Ann</p>",
      template: { id: "7", data: { name: "Ann" } },
    });
    expect(endpoint.arrived.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "GET /v3/smtp/templates/7",
      "POST /v3/smtp/email",
    ]);
  });

  it("gives different mails different digests, attachments included", async () => {
    const { client: brevo, gate } = held();
    const digests = new Set<string>();
    const variants = [
      {},
      { subject: "x" },
      { textContent: "x" },
      { htmlContent: "x" },
      { attachment: [{ name: "a", content: "AA==" }] },
      { attachment: [{ name: "a", content: "AQ==" }] },
      { attachment: [{ name: "a", url: "https://acme.test/a" }] },
    ];
    for (const variant of variants) {
      await brevo.transactionalEmails.sendTransacEmail({ ...mail, ...variant });
      const { intent } = gate.last();
      if ("messages" in intent) digests.add(intent.messages[0]!.digest());
    }
    expect(digests.size).toBe(variants.length);
  });

  const audiences: readonly [string, readonly string[], (brevo: BrevoClient) => PromiseLike<unknown>][] = [
    [
      "a test to everyone on the test list",
      [],
      (b) => b.transactionalEmails.sendTestTemplate({ templateId: 7, body: {} }),
    ],
    [
      "a test to the whole list by an empty one",
      [],
      (b) => b.transactionalEmails.sendTestTemplate({ templateId: 7, body: { emailTo: [] } }),
    ],
    [
      "a test to named people",
      ["7"],
      (b) => b.transactionalEmails.sendTestTemplate({ templateId: 7, body: { emailTo: ["ann@acme.test"] } }),
    ],
    ["a campaign's test", [], (b) => b.emailCampaigns.sendTestEmail({ campaignId: 8, body: {} })],
    ["a campaign", ["8"], (b) => b.emailCampaigns.sendEmailCampaignNow({ campaignId: 8 })],
    [
      "a campaign's status",
      ["8"],
      (b) => b.emailCampaigns.updateCampaignStatus({ campaignId: 8, body: { status: "queued" } }),
    ],
    [
      "a scheduled campaign",
      ["1", "2", "3"],
      (b) =>
        b.emailCampaigns.createEmailCampaign({
          name: "n",
          sender: {},
          scheduledAt: "2026-01-01T00:00:00Z",
          recipients: { listIds: [1, 2], segmentIds: [3] },
        }),
    ],
    [
      "a campaign at the best time, to everyone",
      [],
      (b) => b.emailCampaigns.createEmailCampaign({ name: "n", sender: {}, sendAtBestTime: true }),
    ],
    ["the change of a campaign", ["8"], (b) => b.emailCampaigns.updateEmailCampaign({ campaignId: 8, subject: "s" })],
    [
      "an event",
      ["bought"],
      (b) => b.event.createEvent({ event_name: "bought", identifiers: { email_id: "ann@acme.test" } }),
    ],
    ["an import", ["4"], (b) => b.contacts.importContacts({ listIds: [4], fileBody: "EMAIL\nann@acme.test" })],
  ];
  it.each(audiences)("takes for an audience that only Brevo knows: %s", async (_name, ids, call) => {
    const { client: brevo, gate } = held();
    await call(brevo);
    expect(gate.last().intent).toMatchObject({ kind: "audience", audiences: ids });
    const fuse = liveFuse();
    endpoint.arrived.length = 0;
    expect(await refusalOf(call(fuse.attach(client(), brevoAdapter())))).toMatch(/^[A-Z_]+$/);
    expect(endpoint.arrived).toEqual([]);
  });

  const systems: readonly [string, string[][], (brevo: BrevoClient) => PromiseLike<unknown>][] = [
    [
      "a double opt-in",
      [["to:ann@acme.test"]],
      (b) =>
        b.contacts.createDoiContact({
          email: "ann@acme.test",
          includeListIds: [1],
          redirectionUrl: "https://acme.test",
          templateId: 1,
        }),
    ],
    [
      "a report to anybody",
      [["to:ann@acme.test"]],
      (b) => b.emailCampaigns.sendReport({ campaignId: 1, body: { email: { body: "x", to: ["ann@acme.test"] } } }),
    ],
    ["a sender", [["to:ann@acme.test"]], (b) => b.senders.createSender({ email: "ann@acme.test", name: "n" })],
    ["an invitation", [["to:ann@acme.test"]], (b) => b.user.inviteuser({ email: "ann@acme.test" } as never)],
  ];
  it.each(systems)("takes for system mail: %s", async (_name, people, call) => {
    const { client: brevo, gate } = held();
    await call(brevo);
    expect(gate.last().intent.kind).toBe("system");
    expect(peopleOf(gate)).toEqual(people);
  });

  it("takes a draft, and a campaign that is stopped, for management", async () => {
    const { client: brevo, gate } = held();
    await brevo.emailCampaigns.createEmailCampaign({ name: "n", sender: {} });
    await brevo.emailCampaigns.updateCampaignStatus({ campaignId: 8, body: { status: "suspended" } });
    expect(gate.calls.map(({ intent }) => intent.kind)).toEqual(["management", "management"]);
  });
});

describe("what is refused", () => {
  const send = (b: BrevoClient, more: object, options?: object) =>
    b.transactionalEmails.sendTransacEmail({ ...mail, ...more } as never, options);
  const attacks: readonly [string, (brevo: BrevoClient) => unknown][] = [
    ["Bcc among the headers", (b) => send(b, { headers: { Bcc: evil.email } })],
    ["Bcc among the headers, disguised", (b) => send(b, { headers: { "b c\tc": evil.email } })],
    ["a header that ends in another", (b) => send(b, { headers: { "X-A": `1\r\nBcc: ${evil.email}` } })],
    ["a field nobody documents", (b) => send(b, { alsoTo: [evil] })],
    ["a field in another case", (b) => send(b, { BCC: [evil] })],
    ["a field that a version does not have", (b) => send(b, { messageVersions: [{ to: [ann], headers: {} }] })],
    ["two addresses in one", (b) => send(b, { to: [{ email: `ann@acme.test, ${evil.email}` }] })],
    ["an address with a name in it", (b) => send(b, { to: [{ email: `${evil.email} <ann@acme.test>` }] })],
    ["recipients that are no list", (b) => send(b, { cc: evil })],
    ["recipients as text", (b) => send(b, { cc: [evil.email] })],
    ["an address in a field of a recipient", (b) => send(b, { to: [{ ...ann, also: evil.email }] })],
    ["versions that are no list", (b) => send(b, { messageVersions: { to: [evil] } })],
    ["a field added by the request's options", (b) => send(b, {}, { additionalBodyParameters: { alsoTo: [evil] } })],
    ["a query added by the request's options", (b) => send(b, {}, { queryParams: { to: evil.email } })],
    [
      "a method that a header overrides",
      (b) => b.account.getAccount({ headers: { "X-HTTP-Method-Override": "POST" } }),
    ],
    ["an unknown path", (b) => b.fetch("smtp/emails", { method: "POST", body: JSON.stringify(mail) })],
    ["an unknown method", (b) => b.fetch("smtp/email", { method: "PATCH", body: JSON.stringify(mail) })],
    ["another host", (b) => b.fetch("https://api.brevo.com.evil.test/v3/smtp/email", { method: "POST", body: "{}" })],
    [
      "a mail that is no JSON",
      (b) => b.fetch("smtp/email", { method: "POST", body: new Blob([JSON.stringify(mail)]) }),
    ],
    [
      "a mail under another content type",
      (b) =>
        b.fetch("smtp/email", {
          method: "POST",
          body: JSON.stringify(mail),
          headers: { "content-type": "text/plain" },
        }),
    ],
  ];
  it.each(attacks)("%s", async (_name, attack) => {
    const brevo = liveFuse().attach(client(), brevoAdapter());
    expect(await refusalOf(attack(brevo))).toMatch(/^[A-Z_]+$/);
    expect(endpoint.arrived).toEqual([]);
  });

  it("nothing of a mail in the error's text", async () => {
    const { client: brevo } = held();
    const error = await send(brevo, { to: [{ email: "evil@evil.test;x" }], headers: { Bcc: "e@evil.test" } }).then(
      () => undefined,
      (caught: unknown) => caught,
    );
    expect(String(error)).not.toMatch(/evil|Hi Ann/);
  });
});

describe("every way to send passes the fuse", () => {
  const post = { method: "POST", body: JSON.stringify(mail) };
  const ways: readonly [string, (brevo: BrevoClient) => unknown][] = [
    ["the method", (b) => b.transactionalEmails.sendTransacEmail(mail)],
    [
      "a prototype call",
      (b) => Object.getPrototypeOf(b.transactionalEmails).sendTransacEmail.call(b.transactionalEmails, mail),
    ],
    ["the passthrough", (b) => b.fetch("smtp/email", post)],
    ["the passthrough with a slash", (b) => b.fetch("/smtp/email/", post)],
    ["the passthrough with a whole URL", (b) => b.fetch(`${endpoint.url}/v3//smtp/%65mail`, post)],
    ["the passthrough of the class", (b) => BrevoClient.prototype.fetch.call(b, "smtp/email", post)],
    [
      "parameters of the request's options, which win over the body",
      (b) =>
        b.transactionalEmails.sendTransacEmail(
          { ...mail, to: [{ email: "mail@nowhere.test" }] },
          { additionalBodyParameters: { to: [ann] } },
        ),
    ],
    [
      "versions, which win over the body",
      (b) =>
        b.fetch("smtp/email", { ...post, body: JSON.stringify({ ...mail, to: [], messageVersions: [{ to: [ann] }] }) }),
    ],
    [
      "a sub-client made by hand",
      (b) => {
        const Class = b.transactionalEmails.constructor as new (options: object) => BrevoClient["transactionalEmails"];
        return new Class(inner(b)._options).sendTransacEmail(mail);
      },
    ],
    [
      "a sub-client whose hidden method is called through its class",
      (b) => Object.getPrototypeOf(b.transactionalEmails).__sendTransacEmail.call(b.transactionalEmails, mail),
    ],
  ];
  it.each(ways)("%s", async (_name, way) => {
    const closed = testFuse(["nobody@nowhere.test"]).attach(client(), brevoAdapter());
    const said = await refusalOf(way(closed));
    expect(said).toMatch(/NOT_ALLOWLISTED/);
    expect(endpoint.arrived).toEqual([]);
    await way(testFuse(["ann@acme.test"]).attach(client(), brevoAdapter()));
    expect(endpoint.arrived).toHaveLength(1);
  });

  it("also a sub-client that was in use before", async () => {
    const brevo = client();
    const { transactionalEmails } = brevo;
    await transactionalEmails.sendTransacEmail(mail);
    testFuse(["nobody@nowhere.test"]).attach(brevo, brevoAdapter());
    expect(await refusalOf(transactionalEmails.sendTransacEmail(mail))).toBe("NOT_ALLOWLISTED");
    expect(endpoint.arrived).toHaveLength(1);
  });

  it("also with a fetch of one's own", async () => {
    const seen: unknown[] = [];
    const own = (input: string, init: RequestInit) => {
      seen.push(input);
      return fetch(input, init);
    };
    const brevo = client({ fetch: own });
    const closed = testFuse(["nobody@nowhere.test"]);
    closed.attach(brevo, brevoAdapter());
    expect(await refusalOf(brevo.transactionalEmails.sendTransacEmail(mail))).toBe("NOT_ALLOWLISTED");
    closed.detach(brevo);
    testFuse(["ann@acme.test"]).attach(brevo, brevoAdapter());
    await brevo.transactionalEmails.sendTransacEmail(mail);
    expect(seen).toEqual([`${endpoint.url}/v3/smtp/email`]);
  });

  it("leaves other clients alone", async () => {
    held();
    await client().transactionalEmails.sendTransacEmail(mail);
    expect(endpoint.arrived).toHaveLength(1);
  });
});

describe("outcomes", () => {
  it("tells versions apart by their ids", async () => {
    const { client: brevo, gate } = held();
    const bob = { email: "bob@acme.test" };
    endpoint.answers.push({ status: 201, body: { messageIds: ["<1>", "<2>"] } });
    await brevo.transactionalEmails.sendTransacEmail({
      ...mail,
      to: [],
      messageVersions: [{ to: [ann] }, { to: [bob] }],
    });
    expect(gate.outcomes[0]).toEqual({
      fate: "accepted",
      people: new Map([
        ["ann@acme.test", { fate: "accepted", messageId: "<1>" }],
        ["bob@acme.test", { fate: "accepted", messageId: "<2>" }],
      ]),
    });
  });

  it("takes an acceptance that cannot be read for unknown", async () => {
    const { client: brevo, gate } = held();
    endpoint.answers.push({ status: 201, body: "<html>" });
    await Promise.resolve(brevo.transactionalEmails.sendTransacEmail(mail)).catch(() => {});
    expect(gate.outcomes[0]?.fate).toBe("unknown");
  });

  it("reads Brevo's own code of a refusal", async () => {
    const { client: brevo, gate } = held();
    endpoint.answers.push({ status: 400, body: { code: "invalid_parameter", message: "ann@acme.test" } });
    await Promise.resolve(brevo.transactionalEmails.sendTransacEmail(mail)).catch(() => {});
    expect(gate.outcomes).toEqual([{ fate: "refused", providerCode: "invalid_parameter" }]);
  });
});

const replacements: Readonly<Record<string, (brevo: BrevoClient) => void>> = {
  "the client's fetch assigned": (brevo) => {
    inner(brevo)._options.fetch = fetch;
  },
  "a sub-client's fetch assigned": (brevo) => {
    inner(brevo.transactionalEmails)._options.fetch = fetch;
  },
  "the client's options replaced": (brevo) => {
    (brevo as unknown as Inner)._options = { ...inner(client())._options };
  },
  "a sub-client's options replaced": (brevo) => {
    (brevo.transactionalEmails as unknown as Inner)._options = inner(client().transactionalEmails)._options;
  },
};

describe("attaching", () => {
  it.each(Object.entries(replacements))("notices on the next send, and on demand: %s", async (_name, replace) => {
    const fuse = liveFuse();
    const brevo = fuse.attach(client(), brevoAdapter());
    expect(fuse.verify()).toEqual([]);
    replace(brevo);
    expect(fuse.verify()).toMatchObject([{ code: "CHOKE_POINT_CHANGED" }]);
    expect(await refusalOf(brevo.transactionalEmails.sendTransacEmail(mail))).toBe("CHOKE_POINT_CHANGED");
    expect(endpoint.arrived).toEqual([]);
  });

  it("lets no sub-client be put in another's place", () => {
    const { client: brevo, attachment } = held();
    const other = client().transactionalEmails;
    expect(() => {
      (brevo as unknown as Record<string, unknown>)._transactionalEmails = other;
    }).toThrow(TypeError);
    Object.defineProperty(brevo, "_transactionalEmails", { value: other });
    expect(attachment.verify()).toMatchObject({ code: "CHOKE_POINT_CHANGED" });
  });

  it("shows no new property", () => {
    const { client: brevo } = held();
    expect(Object.keys(brevo)).toEqual(Object.keys(client()));
    expect(brevo).toBeInstanceOf(BrevoClient);
  });

  it("refuses what is no client", () => {
    expect(() => brevoAdapter().attach({ _options: {}, fetch() {} } as never, openGate())).toThrow(
      /ATTACH_UNSUPPORTED/,
    );
  });

  it("tells accounts apart without naming their keys", () => {
    const accounts = [client(), client({ apiKey: "other" })].map((one) => held(one).attachment.account);
    expect(new Set(accounts).size).toBe(2);
    expect(accounts.join()).not.toMatch(/other/);
  });
});

it("never throws on a request's content", () => {
  const values = [
    null,
    1,
    "x",
    [],
    [null],
    {},
    { to: 1 },
    { to: [1] },
    { messageVersions: 1 },
    { messageVersions: [1] },
    { headers: [1] },
    { attachment: {} },
    { params: 1, sender: 1 },
  ];
  for (const path of [
    "/v3/smtp/email",
    "/smtp/email",
    "/events/batch",
    "/emailCampaigns",
    "/senders",
    "/emailCampaigns/1/sendReport",
  ]) {
    for (const value of values as Plain[]) {
      const request = { method: "POST", path, query: [], headers: [], body: { kind: "json" as const, value } };
      const intent = brevoCodec.classify(request);
      if ("messages" in intent) for (const message of intent.messages) message.digest();
      brevoCodec.simulate(request);
      brevoCodec.rewrite?.(request);
      brevoCodec.outcome(request, { status: 200, headers: {}, body: value });
    }
  }
});

const wireOf = ({ method, url, body, rawHeaders }: RecordedRequest) => {
  const headers = Object.fromEntries(rawHeaders.map(([name, value]) => [name.toLowerCase(), value]));
  const { host: _host, connection: _connection, ...rest } = headers;
  return withoutKey({ method, url, headers: rest, body: body.toString() });
};
const wireHeaders = (request: RecordedRequest) => {
  const { headers, ...rest } = wireOf(request) as { headers: Record<string, string> };
  return { ...rest, headers: Object.entries(headers).map(([name, value]) => [name, value] as const) };
};

adapterConformance(
  { describe, it },
  {
    name: "brevo",
    adapter,
    client: (url) => new BrevoClient({ apiKey: "key", baseUrl: url }),
    comparable: wireHeaders,
    recipients: ({ body }) => {
      const sent = JSON.parse(body.toString() || "{}");
      const mails = [sent, ...(sent.messageVersions ?? [])];
      return mails.flatMap(({ to, cc, bcc }) => [to, cc, bcc].flat().filter(Boolean)).map(({ email }) => email);
    },
    replies: {
      accepted: ({ body }) => {
        const { messageVersions } = JSON.parse(body.toString() || "{}");
        const answer = messageVersions ? { messageIds: messageVersions.map(() => "<m>") } : { messageId: "<m>" };
        return { status: 201, body: JSON.stringify(answer) };
      },
      refused: { status: 400, body: JSON.stringify({ code: "invalid_parameter", message: "x" }) },
      throttled: { status: 429, body: "{}" },
    },
    sends: {
      text: {
        args: (to) => [{ ...mail, to: to.map((email) => ({ email })) }],
        call: async (brevo, [one]) => brevo.transactionalEmails.sendTransacEmail(one),
      },
      versions: {
        args: (to) => [
          {
            sender: mail.sender,
            subject: "s",
            textContent: "t",
            messageVersions: to.map((email) => ({ to: [{ email }] })),
          },
        ],
        call: async (brevo, [one]) => brevo.transactionalEmails.sendTransacEmail(one),
      },
      template: {
        args: (to) => [
          {
            to: to.map((email) => ({ email })),
            subject: "s",
            templateId: 7,
            params: { a: 1 },
            headers: { "List-Unsubscribe": "<x>" },
          },
        ],
        call: async (brevo, [one]) => brevo.transactionalEmails.sendTransacEmail(one),
      },
    },
    tampers: replacements,
    read: async (brevo) => brevo.account.getAccount(),
    manage: async (brevo) => brevo.contacts.createContact({ email: "ann@customers.test" }),
  },
);
