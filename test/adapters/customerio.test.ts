import * as four from "customerio-node";
import * as five from "customerio-node-5";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type CustomerioClient, customerioAdapter, customerioCodec } from "../../adapters/customerio";
import { type Adapter, type Address, MailfuseError, type Plain, parseAddress } from "../../src/adapter";
import { adapterConformance } from "../../src/testing/adapter";
import { closedPort, type Endpoint, onWire, startEndpoint } from "../support/endpoint";
import { hold, liveFuse, type OpenGate, refusalOf, testFuse } from "../support/gates";
import { PlainAgent } from "../support/plain-agent";

let endpoint: Endpoint;
const taken = { delivery_id: "m-1", queued_at: 1 };
beforeAll(async () => {
  endpoint = await startEndpoint(() => ({ body: taken }));
});
beforeEach(() => {
  endpoint.arrived.length = 0;
  endpoint.answers.length = 0;
});
afterAll(() => endpoint.close());

const evil = "evil@evil.test";
const mail = {
  to: "ann@acme.test",
  identifiers: { id: "7" },
  from: "app@sender.test",
  subject: "Hello",
  body: "<p>Hi</p>",
};
const adapter = (options?: object) => customerioAdapter(options) as Adapter<Client>;
const requests = () => endpoint.arrived.map(({ method, url }) => `${method} ${url}`);
const bodies = () => endpoint.arrived.map(({ body }) => JSON.parse(body || "null"));

/** What both versions have; 5 is typed more strictly. */
type Client = four.APIClient;
type Tracker = four.TrackClient;
interface Request {
  handler(options: object): Promise<unknown>;
  post(uri: string, data?: object): Promise<unknown>;
  put(uri: string, data?: object): Promise<unknown>;
  get(uri: string): Promise<unknown>;
}
const requestOf = (c: object) => (c as { request: Request }).request;

interface Version {
  readonly name: string;
  client(url?: string): Client;
  tracker(url?: string): Tracker;
  mail(more?: object): four.SendEmailRequest;
  /** Where the client's own paths begin. */
  readonly root: string;
}

const quick = { retry: { minTimeoutMs: 1, maxTimeoutMs: 2, retryAfterMaxSeconds: 0 } };
const versions: readonly Version[] = [
  {
    name: "customerio-node 4",
    client: (url = endpoint.url) => new four.APIClient("key", { agent: new PlainAgent(url) } as never),
    tracker: (url = endpoint.url) => new four.TrackClient("site", "key", { agent: new PlainAgent(url) } as never),
    mail: (more) => new four.SendEmailRequest({ ...mail, ...more } as never),
    root: "https://api.customer.io/v1",
  },
  {
    name: "customerio-node 5",
    client: (url = endpoint.url) => new five.APIClient("key", { url: `${url}/v1`, ...quick }) as unknown as Client,
    tracker: (url = endpoint.url) =>
      new five.TrackClient("site", "key", { url: `${url}/api/v1`, ...quick }) as unknown as Tracker,
    mail: (more) => new five.SendEmailRequest({ ...mail, ...more } as never) as unknown as four.SendEmailRequest,
    get root() {
      return `${endpoint.url}/v1`;
    },
  },
];

const messagesOf = (gate: OpenGate) => {
  const { intent } = gate.last();
  return "messages" in intent ? intent.messages : [];
};
const people = (gate: OpenGate) =>
  messagesOf(gate).map(({ recipients }) => recipients.map(({ field, person }) => `${field}:${person}`));
const contents = (gate: OpenGate) => messagesOf(gate).map((one) => one.content());

describe.each(versions)("$name", (version) => {
  const held = (made = version.client(), unattached?: "refuse" | "pass") => hold(made, adapter(), unattached);

  describe("what leaves", () => {
    const attached = () => {
      const one = version.mail({
        bcc: "bcc@acme.test",
        headers: { "X-Ref": "1" },
        message_data: { n: "ü" },
        language: "de",
      });
      one.attach("a.txt", Buffer.from("hello"));
      return one;
    };
    const ordinary: readonly [string, (c: Client) => Promise<unknown>][] = [
      ["one mail", (c) => c.sendEmail(version.mail())],
      ["a mail with everything", (c) => c.sendEmail(attached())],
      [
        "a mail to several people",
        (c) => c.sendEmail(version.mail({ to: '"Ann — Ä" <ann@acme.test>, bob@acme.test' })),
      ],
      [
        "a template",
        (c) => c.sendEmail(version.mail({ transactional_message_id: 3, body: undefined, subject: undefined })),
      ],
      ["a read", (c) => c.getCustomersByEmail("ann+x@acme.test")],
      ["an export", (c) => c.createCustomersExport({ and: [] } as never)],
    ];
    it.each(ordinary)("is the same request with and without a fuse: %s", async (_name, call) => {
      const bare = await call(version.client());
      const guarded = await call(liveFuse().attach(version.client(), customerioAdapter()));
      expect(guarded).toEqual(bare);
      expect(endpoint.arrived).toHaveLength(2);
      expect(onWire(endpoint.arrived[1]!)).toEqual(onWire(endpoint.arrived[0]!));
    });

    it("writes recipients anew from their parse, and says how long the body has become", async () => {
      const { client: c } = held();
      await c.sendEmail(version.mail({ to: " Ann@ACME.test" }));
      expect(bodies()[0].to).toBe("Ann@acme.test");
    });
  });

  describe("what is read", () => {
    it("finds everybody, and not whose profile fills the text in", async () => {
      const { client: c, gate } = held();
      const identifiers = { email: "profile@acme.test" };
      await c.sendEmail(version.mail({ to: "ann@acme.test, B <bob@acme.test>", bcc: "carl@acme.test", identifiers }));
      expect(people(gate)).toEqual([["to:ann@acme.test", "to:bob@acme.test", "bcc:carl@acme.test"]]);
      expect(gate.last().intent).toMatchObject({ messages: [{ from: "app@sender.test" }] });
      expect(contents(gate)).toEqual([{ subject: "Hello", html: "<p>Hi</p>" }]);
    });

    it("says what Customer.io fills in", async () => {
      const { client: c, gate } = held();
      for (const more of [{ subject: "Hi {{customer.name}}" }, { body: "{% if x %}a{% endif %}" }]) {
        await c.sendEmail(version.mail(more));
        expect(contents(gate)[0]?.unbound).toMatch(/fills in/);
      }
    });

    const templated = { transactional_message_id: "welcome", body: undefined, subject: undefined };
    const content = { id: 1, subject: "Hi", body: "<p>Hi</p>", bcc: "archive@acme.test" };

    it("says that a template's text is not known here, and reads it and whom it copies when told to", async () => {
      const plain = held();
      await plain.client.sendEmail(version.mail(templated));
      expect(contents(plain.gate)[0]).toMatchObject({ template: { id: "welcome" }, unbound: expect.any(String) });
      expect(plain.gate.last().intent).toMatchObject({ messages: [{ tags: ["welcome"] }] });
      endpoint.arrived.length = 0;
      const { client: c, gate } = hold(version.client(), adapter({ resolveTemplates: true }));
      endpoint.answers.push({ body: { contents: [content] } });
      await c.sendEmail(version.mail(templated));
      expect(contents(gate)[0]).toMatchObject({ subject: "Hi", html: "<p>Hi</p>" });
      expect(contents(gate)[0]).not.toHaveProperty("unbound");
      expect(people(gate)).toEqual([["to:ann@acme.test", "bcc:archive@acme.test"]]);
      expect(requests()).toEqual(["GET /v1/transactional/welcome/contents", "POST /v1/send/email"]);
      expect(bodies()[1]).not.toHaveProperty("bcc");
    });

    it.each([
      ["it is in several languages", { body: { contents: [content, content] } }],
      ["the API says no", { status: 404 }],
    ])("leaves the text unbound where %s", async (_name, answer) => {
      const { client: c, gate } = hold(version.client(), adapter({ resolveTemplates: true }));
      endpoint.answers.push(answer);
      await c.sendEmail(version.mail(templated));
      expect(contents(gate)[0]?.unbound).toMatch(/lives at Customer\.io/);
    });

    it("gives different mails different digests, attachments included", async () => {
      const { client: c, gate } = held();
      const digests = new Set<string>();
      const variants = [{}, { subject: "x" }, { body: "x" }, { body_plain: "x" }, { transactional_message_id: 3 }];
      for (const more of variants) {
        await c.sendEmail(version.mail(more));
        digests.add(messagesOf(gate)[0]!.digest());
      }
      const file = version.mail();
      file.attach("a", "x");
      await c.sendEmail(file);
      digests.add(messagesOf(gate)[0]!.digest());
      expect(digests.size).toBe(variants.length + 1);
    });
  });

  describe("what mails people that only Customer.io knows", () => {
    const others: readonly [string, object, (c: Client) => Promise<unknown>][] = [
      [
        "a broadcast to a segment",
        { kind: "audience", audiences: ["broadcast:12", "segment:7"] },
        (c) => c.triggerBroadcast(12, { a: 1 }, { and: [{ segment: { id: 7 } }] } as never),
      ],
      [
        "a broadcast to named people",
        { kind: "audience", audiences: ["broadcast:12"], messages: [{}] },
        (c) => c.triggerBroadcast(12, {}, { emails: ["ann@acme.test"] } as never),
      ],
      [
        "a broadcast to a file",
        { kind: "audience", audiences: ["broadcast:12"] },
        (c) => c.triggerBroadcast(12, {}, { data_file_url: "https://acme.test/x.json" } as never),
      ],
      ["a push notification", { kind: "system" }, (c) => requestOf(c).post(`${version.root}/send/push`, { to: "all" })],
      [
        "a newsletter",
        { kind: "audience", audiences: ["newsletter:3"] },
        (c) => requestOf(c).post(`${version.root}/newsletters/3/send`),
      ],
      [
        "whom a campaign's step goes to",
        { kind: "audience", audiences: ["campaign:4"], messages: [{}] },
        (c) => requestOf(c).put(`${version.root}/campaigns/4/actions/1`, { bcc: "ann@acme.test" }),
      ],
      [
        "when a campaign's step leaves",
        { kind: "audience", audiences: ["campaign:4"] },
        (c) => requestOf(c).put(`${version.root}/campaigns/4/actions/1`, { sending_state: "automatic" }),
      ],
      [
        "a standing copy",
        { kind: "system", messages: [{}] },
        (c) => requestOf(c).put(`${version.root}/transactional/3/content/1`, { bcc: "ann@acme.test" }),
      ],
    ];
    it.each(others)("%s is refused unless it was declared", async (_name, expected, call) => {
      const { client: c, gate } = held();
      await call(c);
      expect(gate.last().intent).toMatchObject(expected);
      endpoint.arrived.length = 0;
      expect(await refusalOf(call(liveFuse().attach(version.client(), customerioAdapter())))).toMatch(
        /^(?:AUDIENCE_UNDECLARED|SYSTEM_MAIL_REFUSED)$/,
      );
      expect(endpoint.arrived).toEqual([]);
    });

    it.each([
      ["no recipients", {}],
      ["an empty list of people", { emails: [] }],
      ["an empty filter", { and: [] }],
    ])("a broadcast with %s goes to whatever is configured, and is refused", async (_name, recipients) => {
      const fuse = liveFuse({ audiences: { "broadcast:12": { people: 10 } } });
      const c = fuse.attach(version.client(), customerioAdapter());
      expect(await refusalOf(c.triggerBroadcast(12, {}, recipients as never))).toBe("AUDIENCE_EMPTY");
      expect(endpoint.arrived).toEqual([]);
    });

    it("names of a broadcast's recipients passed in the place of its data do not count", async () => {
      const { client: c, gate } = held();
      await c.triggerBroadcast(12, { emails: ["ann@acme.test"] }, {} as never);
      expect(gate.last().intent).toMatchObject({ kind: "audience", audiences: [], messages: [] });
    });

    it("a text of a campaign is a template", async () => {
      const { client: c, gate } = held();
      await requestOf(c).put(`${version.root}/campaigns/4/actions/1`, { subject: "x", body: "y" });
      expect(gate.last().intent.kind).toBe("management");
    });
  });

  describe("events", () => {
    it("of an attached client are audiences to be declared, and name whom they say", async () => {
      const { client: c, gate } = hold(version.tracker(), customerioAdapter() as Adapter<Tracker>);
      await c.track("7", { name: "signup", data: { recipient: "ann@acme.test" } });
      expect(gate.last().intent).toMatchObject({ kind: "audience", audiences: ["signup"] });
      expect(people(gate)).toEqual([["to:ann@acme.test"]]);
      await c.trackAnonymous("", { name: "invite", recipient: "bob@acme.test" } as never);
      expect(people(gate)).toEqual([["to:bob@acme.test"]]);
      await c.trackPageView("7", "/pricing");
      expect(gate.last().intent).toMatchObject({ kind: "audience", audiences: ["/pricing"] });
      expect(requests()).toHaveLength(3);
    });

    it("of an attached client pass where they mail nobody", async () => {
      const { client: c, gate } = hold(version.tracker(), customerioAdapter() as Adapter<Tracker>);
      await c.identify("7", { email: "ann@acme.test" });
      await c.suppress("7");
      await c.destroy("7");
      await c.trackPush({ delivery_id: "d" } as never);
      expect(gate.calls.map(({ intent }) => intent.kind)).toEqual(Array.from({ length: 4 }, () => "management"));
      expect(requests()).toHaveLength(4);
    });

    it("of a client that no fuse holds pass, whatever waits for them", async () => {
      held();
      const c = version.tracker();
      await c.track("7", { name: "signup" });
      await c.identify("7", {});
      expect(requests()).toEqual(["POST /api/v1/customers/7/events", "PUT /api/v1/customers/7"]);
    });
  });

  describe("what is refused", () => {
    const send = (c: Client, more: object) => c.sendEmail(version.mail(more));
    const raw = (c: Client, more: object, path = "/send/email") =>
      requestOf(c).post(`${version.root}${path}`, { ...mail, ...more });
    const attacks: readonly [string, (c: Client) => unknown][] = [
      ["a second person", (c) => send(c, { to: `ann@acme.test, ${evil}` })],
      ["a hidden copy", (c) => send(c, { bcc: evil })],
      ["a copy", (c) => raw(c, { cc: evil })],
      ["a list of people", (c) => send(c, { to: ["ann@acme.test", evil] })],
      ["a person as an object", (c) => raw(c, { to: { email: evil } })],
      ["nobody", (c) => raw(c, { to: undefined })],
      ["Bcc among the headers", (c) => send(c, { headers: { Bcc: evil } })],
      ["a header that ends in another", (c) => send(c, { headers: { "X-A": `1\r\nBcc: ${evil}` } })],
      ["headers as a list", (c) => send(c, { headers: [{ name: "Bcc", value: evil }] })],
      ["a field nobody documents", (c) => raw(c, { also_to: evil })],
      ["a field in another case", (c) => raw(c, { BCC: evil })],
      ["an unknown way to name a profile", (c) => send(c, { identifiers: { recipient: evil } })],
      ["a query", (c) => raw(c, {}, `/send/email?to=${evil}`)],
      ["an unknown path", (c) => raw(c, {}, "/send/everything")],
      ["a path beside the root", (c) => raw(c, {}, "/../../send/email")],
      ["another host", (c) => requestOf(c).post("https://evil.test/v1/send/email", mail)],
      ["an id that leads to sending", (c) => raw(c, { to: evil }, "/exports/customers/../../send/email")],
      ["an export's spelling", (c) => raw(c, { to: evil }, "/exports/%2e%2e/send/%65mail")],
      [
        "another method",
        (c) => requestOf(c).handler({ uri: `${version.root}/send/email`, method: "PUT", headers: {}, body: "{}" }),
      ],
      [
        "a method in small letters",
        (c) =>
          requestOf(c).handler({
            uri: `${version.root}/send/email`,
            method: "post",
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify({ ...mail, to: evil }),
          }),
      ],
      [
        "a header that overrides the method",
        (c) =>
          requestOf(c).handler({
            uri: `${version.root}/send/email`,
            method: "GET",
            headers: { "X-HTTP-Method-Override": "POST" },
            body: null,
          }),
      ],
      [
        "a body that is no text",
        (c) =>
          requestOf(c).handler({
            uri: `${version.root}/send/email`,
            method: "POST",
            headers: {},
            body: Buffer.from("{}"),
          }),
      ],
    ];
    it.each(attacks)("%s", async (_name, attack) => {
      const c = testFuse(["ann@acme.test"]).attach(version.client(), customerioAdapter());
      expect(await refusalOf((async () => attack(c))())).toMatch(/^[A-Z_]+$/);
      expect(endpoint.arrived).toEqual([]);
    });

    it("strangers' mail and broadcasts, and lets their other calls pass untouched", async () => {
      held();
      const stranger = version.client();
      expect(await refusalOf(stranger.sendEmail(version.mail()))).toBe("UNATTACHED_SEND");
      expect(await refusalOf(stranger.triggerBroadcast(1, {}, { emails: [evil] } as never))).toBe("UNATTACHED_SEND");
      await stranger.listExports();
      await stranger.createCustomersExport({ and: [] } as never);
      expect(requests()).toEqual(["GET /v1/exports", "POST /v1/exports/customers"]);
    });

    it("not the strangers' mail that the configuration lets pass", async () => {
      held(version.client(), "pass");
      await version.client().sendEmail(version.mail());
      expect(endpoint.arrived).toHaveLength(1);
    });

    it("prototype calls of an attached client are its own", async () => {
      const { client: c, gate } = held();
      await (Object.getPrototypeOf(c) as Client).sendEmail.call(c, version.mail());
      expect(gate.commits).toBe(1);
    });

    it("a fuse that says no, with its own error", async () => {
      const error = await testFuse(["bob@acme.test"])
        .attach(version.client(), customerioAdapter())
        .sendEmail(version.mail())
        .catch((reason: unknown) => reason);
      expect(MailfuseError.isInstance(error) && error.code).toBe("NOT_ALLOWLISTED");
    });

    it("an answer that leads elsewhere: what was sent once is not sent again", async () => {
      const { client: c, gate } = held();
      endpoint.answers.push({ status: 307, headers: { location: `${endpoint.url}/v1/send/email` } });
      expect(await refusalOf(c.sendEmail(version.mail()))).toBe("REQUEST_UNKNOWN");
      expect(endpoint.arrived).toHaveLength(1);
      expect(gate.outcomes).toEqual([{ fate: "unknown" }]);
    });

    it("not a read that leads elsewhere", async () => {
      const { client: c } = held();
      endpoint.answers.push({ status: 301, headers: { location: `${version.root}/exports/2` }, body: "" });
      await c.getExport("1" as never);
      expect(requests()).toEqual(["GET /v1/exports/1", "GET /v1/exports/2"]);
    });
  });

  it("knows when nobody was reached", async () => {
    const { client: c, gate } = held(version.client(`http://127.0.0.1:${await closedPort()}`));
    await c.sendEmail(version.mail()).catch(() => {});
    expect(gate.outcomes).toEqual([{ fate: "failed" }]);
  });

  it("reads what the SDK makes of an answer", async () => {
    const { client: c, gate } = held();
    for (const answer of [{ status: 400, body: { meta: { error: "x" } } }, { body: "no json" }, { body: {} }]) {
      endpoint.answers.push(answer);
      await c.sendEmail(version.mail()).catch(() => {});
    }
    expect(gate.outcomes.map(({ fate }) => fate)).toEqual(["refused", "unknown", "unknown"]);
  });

  adapterConformance(
    { describe, it },
    {
      name: version.name,
      adapter: customerioAdapter as () => Adapter<Client>,
      client: (url) => version.client(url),
      recipients: ({ body }) => {
        const { to = "", cc = "", bcc = "" } = JSON.parse(body.toString() || "{}");
        return [to, cc, bcc]
          .flatMap((list: string) => list.split(",").map((one) => one.trim()))
          .filter((one) => one !== "");
      },
      replies: {
        accepted: () => ({ headers: { "content-type": "application/json" }, body: JSON.stringify(taken) }),
        refused: { status: 400, body: JSON.stringify({ meta: { error: "x" } }) },
        ...(version.name.endsWith("5") ? { throttled: { status: 429, body: "{}" } } : {}),
      },
      sends: {
        text: {
          args: (all) => [{ ...mail, to: all.join(", ") }],
          call: (c, [args]) => c.sendEmail(version.mail(args as never)),
        },
      },
      tampers: {
        "the request": (c) => Object.assign(c, { request: requestOf(version.client("http://127.0.0.1:9")) }),
        handler: (c) => {
          requestOf(c).handler = async () => taken;
        },
        "its post": (c) => {
          requestOf(c).post = async () => taken;
        },
      },
      read: (c) => c.listExports(),
      manage: (c) => c.createCustomersExport({ and: [] } as never),
    },
  );
});

describe("the batches of version 5", () => {
  const tracker = () => new five.TrackClient("site", "key", { url: `${endpoint.url}/api/v1`, ...quick });
  const pipelines = () => new five.PipelinesClient("key", { url: `${endpoint.url}/v1`, ...quick });
  const person = { type: "person", identifiers: { id: "7" } };
  const kinds: [string, object, () => Promise<unknown>][] = [];
  const of = (name: string, expected: object, work: () => Promise<unknown>) => kinds.push([name, expected, work]);
  const track = () => hold(tracker(), customerioAdapter() as Adapter<five.TrackClient>);
  const pipe = () => hold(pipelines(), customerioAdapter() as Adapter<five.PipelinesClient>);
  let gate: OpenGate;
  const with_ = <C extends CustomerioClient>(held: { client: C; gate: OpenGate }, work: (c: C) => Promise<unknown>) => {
    gate = held.gate;
    return work(held.client);
  };
  of("an event", { kind: "audience", audiences: ["signup"] }, () =>
    with_(track(), (c) => c.entity({ ...person, action: "event", name: "signup" } as never)),
  );
  of("a person", { kind: "management" }, () =>
    with_(track(), (c) => c.entity({ ...person, action: "identify" } as never)),
  );
  of("an action nobody knows", { kind: "audience", audiences: [] }, () =>
    with_(track(), (c) => c.entity({ ...person, action: "blast" } as never)),
  );
  of("people and events", { kind: "audience", audiences: ["signup", "/x"] }, () =>
    with_(track(), (c) =>
      c.batch([
        { ...person, action: "identify" },
        { ...person, action: "event", name: "signup", attributes: { recipient: "ann@acme.test" } },
        { ...person, action: "page", name: "/x" },
      ] as never),
    ),
  );
  of("people alone", { kind: "management" }, () =>
    with_(track(), (c) => c.batch([{ ...person, action: "identify" }] as never)),
  );
  of("one action nobody knows among them", { kind: "audience", audiences: [] }, () =>
    with_(track(), (c) =>
      c.batch([
        { ...person, action: "identify" },
        { ...person, action: "blast" },
      ] as never),
    ),
  );
  of("an event of Pipelines", { kind: "audience", audiences: ["Signed Up"] }, () =>
    with_(pipe(), (c) => c.track({ userId: "7", event: "Signed Up" })),
  );
  of("a person of Pipelines", { kind: "management" }, () =>
    with_(pipe(), (c) => c.identify({ userId: "7", traits: {} })),
  );
  of("a batch of Pipelines", { kind: "audience", audiences: ["Signed Up"] }, () =>
    with_(pipe(), (c) =>
      c.batch([
        { type: "identify", userId: "7" },
        { type: "track", userId: "7", event: "Signed Up" },
      ] as never),
    ),
  );
  of("unsubscribing", { kind: "management" }, () => with_(track(), (c) => c.unsubscribe("d-1")));
  of("a form", { kind: "audience", audiences: ["form:f"], messages: [{}] }, () =>
    with_(track(), (c) => c.submitForm("f", { email: "ann@acme.test" })),
  );

  it.each(kinds)("%s", async (_name, expected, work) => {
    await work();
    expect(gate.last().intent).toMatchObject(expected);
    expect(endpoint.arrived).toHaveLength(1);
  });

  it("sends a file as a form", async () => {
    const c = hold(
      new five.APIClient("key", { url: `${endpoint.url}/v1`, ...quick }),
      customerioAdapter() as Adapter<five.APIClient>,
    );
    await c.client.createAsset({ filename: "a.png", data: new Blob(["x"]) } as never);
    expect(c.gate.last().intent.kind).toBe("management");
    expect(endpoint.arrived[0]?.headers["content-type"]).toMatch(/^multipart\/form-data/);
    expect(endpoint.arrived[0]?.body).toContain('filename="a.png"');
  });
});

describe("a redirected copy", () => {
  const to = parseAddress("inbox@acme.test", "") as Address;
  const note = { subjectPrefix: "[staging]", originals: ["ann@acme.test"] };
  const wire = (value: Plain, path = "/v1/send/email") =>
    ({ method: "POST", path, query: [], headers: [], body: { kind: "json", value } }) as never;

  it("has no copies, and is refused where the template makes some", () => {
    const { body } = customerioCodec.redirect(wire({ ...mail, bcc: evil, fake_bcc: true, cc: evil }), to, note);
    expect(JSON.stringify(body)).not.toMatch(/evil|bcc/);
    const copied = { ...(wire(mail) as object), templates: { "3": { html: "x", bcc: "archive@acme.test" } } } as never;
    expect(() => customerioCodec.redirect(copied, to, note)).toThrow(/recipients can be replaced/);
    expect(() => customerioCodec.redirect(wire({}, "/v1/newsletters/1/send"), to, note)).toThrow();
  });
});
