import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { allCodecs, guardedFetch } from "../../adapters/fetch";
import { postmarkCodec } from "../../adapters/postmark";
import { decodeWire } from "../../src/adapter";
import { isMailRequest } from "../../src/lock/hosts";
import { type Arrived, closedPort, type Endpoint, startEndpoint } from "../support/endpoint";
import { liveFuse, type OpenGate, openGate, refusalOf, testFuse } from "../support/gates";

let endpoint: Endpoint;
beforeAll(async () => {
  endpoint = await startEndpoint(() => ({ body: { id: "m-1", ErrorCode: 0, MessageID: "m-1" } }));
});
beforeEach(() => {
  endpoint.arrived.length = 0;
  endpoint.answers.length = 0;
});
afterAll(() => endpoint.close());

/** The global fetch with every host on loopback; what it was asked for stands in `asked`. */
const asked: { url: string; init: RequestInit | undefined }[] = [];
const onLoopback: typeof fetch = (input, init) => {
  const url = new URL(input instanceof Request ? input.url : String(input));
  asked.push({ url: url.href, init });
  const here = new URL(`${endpoint.url}${url.pathname}${url.search}`);
  return input instanceof Request ? fetch(new Request(here, input), init) : fetch(here, init);
};

function open() {
  const gates = new Map<string, OpenGate>();
  const lanes = new Map<string, { revive(bytes: Uint8Array): unknown }>();
  const fetch = guardedFetch(
    {
      attach(client, adapter) {
        const gate = openGate();
        gates.set(adapter.name, gate);
        lanes.set(adapter.name, adapter.attach(client, gate));
      },
    },
    { fetch: onLoopback },
  );
  const gate = (name: string) => gates.get(name) as OpenGate;
  return { fetch, gate, lanes };
}

const resend = "https://api.resend.com/emails";
const mail = { from: "app@sender.test", to: "ann@acme.test", subject: "Hello", text: "Hi Ann" };
const json = { "content-type": "application/json", authorization: "Bearer re_secret" };
const post = (body: unknown, headers: Record<string, string> = json): RequestInit => ({
  method: "POST",
  headers,
  body: body as never,
});
const peopleOf = (gate: OpenGate) => {
  const { intent } = gate.last();
  return "messages" in intent
    ? intent.messages.flatMap(({ recipients }) => recipients.map(({ person }) => person))
    : [];
};
const plain = ({ method, url, headers, body }: Arrived) => ({
  method,
  url,
  type: headers["content-type"],
  auth: headers.authorization,
  body,
});

describe("which requests are judged", () => {
  it("passes requests to other hosts untouched: the same arguments, the same answer", async () => {
    const { fetch } = open();
    const init = post("{}");
    asked.length = 0;
    const response = await fetch("https://api.example.test/emails?x=1", init);
    expect(asked).toEqual([{ url: "https://api.example.test/emails?x=1", init }]);
    expect(asked[0]!.init).toBe(init);
    expect(await response.json()).toMatchObject({ id: "m-1" });
  });

  it.each([
    [
      "https://api.sendgrid.com/v3/mail/send",
      {
        personalizations: [{ to: [{ email: "ann@acme.test" }] }],
        from: { email: "a@sender.test" },
        subject: "s",
        content: [{ type: "text/plain", value: "t" }],
      },
      "sendgrid",
    ],
    [
      "https://api.postmarkapp.com/email",
      { From: "a@sender.test", To: "ann@acme.test", Subject: "s", TextBody: "t" },
      "postmark",
    ],
    [resend, mail, "resend"],
    [
      "https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails",
      {
        FromEmailAddress: "a@sender.test",
        Destination: { ToAddresses: ["ann@acme.test"] },
        Content: { Simple: { Subject: { Data: "s" }, Body: { Text: { Data: "t" } } } },
      },
      "ses",
    ],
    [
      "https://api.brevo.com/v3/smtp/email",
      { sender: { email: "a@sender.test" }, to: [{ email: "ann@acme.test" }], subject: "s", textContent: "t" },
      "brevo",
    ],
    [
      "https://mandrillapp.com/api/1.0/messages/send",
      { key: "k", message: { from_email: "a@sender.test", to: [{ email: "ann@acme.test" }], subject: "s", text: "t" } },
      "mailchimp",
    ],
    [
      "https://api.mailjet.com/v3.1/send",
      {
        Messages: [{ From: { Email: "a@sender.test" }, To: [{ Email: "ann@acme.test" }], Subject: "s", TextPart: "t" }],
      },
      "mailjet",
    ],
    [
      "https://send.api.mailtrap.io/api/send",
      { from: { email: "a@sender.test" }, to: [{ email: "ann@acme.test" }], subject: "s", text: "t" },
      "mailtrap",
    ],
    ["https://app.loops.so/api/v1/transactional", { transactionalId: "t", email: "ann@acme.test" }, "loops"],
    [
      "https://api-eu.customer.io/v1/send/email",
      { to: "ann@acme.test", identifiers: { id: "7" }, from: "a@sender.test", subject: "s", body: "t" },
      "customerio",
    ],
  ])("reads %s by its provider's codec", async (url, body, provider) => {
    const { fetch, gate } = open();
    await fetch(url, post(JSON.stringify(body)));
    expect(gate(provider).last().intent.kind).toBe("send");
    expect(peopleOf(gate(provider))).toEqual(["ann@acme.test"]);
    expect(endpoint.arrived.map(plain)).toEqual([
      {
        method: "POST",
        url: new URL(url).pathname,
        type: "application/json",
        auth: "Bearer re_secret",
        body: JSON.stringify(body),
      },
    ]);
  });

  it("reads Mailgun's forms, with their files", async () => {
    const { fetch, gate } = open();
    const form = new FormData();
    for (const [name, value] of Object.entries({ from: "a@sender.test", to: "ann@acme.test", subject: "s", text: "t" }))
      form.append(name, value);
    form.append("bcc", "bob@acme.test");
    form.append("attachment", new File(["content"], "a.txt", { type: "text/plain" }));
    await fetch("https://api.mailgun.net/v3/acme.test/messages", { method: "POST", body: form });
    expect(peopleOf(gate("mailgun"))).toEqual(["ann@acme.test", "bob@acme.test"]);
    expect(endpoint.arrived[0]!.body).toMatch(
      /name="attachment"; filename="a\.txt"\r\nContent-Type: text\/plain\r\n\r\ncontent/,
    );
    const pairs = new URLSearchParams({ from: "a@sender.test", to: "carl@acme.test", subject: "s", text: "t" });
    await fetch("https://api.mailgun.net/v3/acme.test/messages", { method: "POST", body: pairs });
    expect(peopleOf(gate("mailgun"))).toEqual(["carl@acme.test"]);
    expect(endpoint.arrived[1]!.body).toBe(pairs.toString());
  });

  it.each([
    ["upper case", "https://API.RESEND.COM/emails"],
    ["a dot at its end", "https://api.resend.com./emails"],
    ["full width", "https://ａｐｉ.resend.com/emails"],
    ["a port and a user", "https://api.resend.com:8443/emails"],
    ["a URL object", new URL(resend)],
    ["an object that turns into text", { toString: () => resend } as unknown as string],
    ["dots and encoding in its path", "https://api.resend.com/x/..//%65mails"],
  ])("knows a host and path with %s", async (_name, url) => {
    const { fetch, gate } = open();
    await fetch(url, post(JSON.stringify(mail)));
    expect(peopleOf(gate("resend"))).toEqual(["ann@acme.test"]);
  });

  it("asks an object for its text once", async () => {
    const { fetch } = open();
    let reads = 0;
    const shifting = { toString: () => (++reads > 1 ? resend : "https://api.example.test/") } as unknown as string;
    asked.length = 0;
    await fetch(shifting, post(JSON.stringify(mail)));
    expect(asked.map(({ url }) => url)).toEqual(["https://api.example.test/"]);
  });

  it.each([
    ["text", () => JSON.stringify(mail)],
    ["bytes", () => new TextEncoder().encode(JSON.stringify(mail))],
    ["a Blob", () => new Blob([JSON.stringify(mail)])],
    ["a stream", () => new Blob([JSON.stringify(mail)]).stream()],
  ])("reads a body that is %s", async (_name, body) => {
    const { fetch, gate } = open();
    await fetch(resend, { ...post(body()), duplex: "half" } as RequestInit);
    expect(peopleOf(gate("resend"))).toEqual(["ann@acme.test"]);
    expect(endpoint.arrived[0]!.body).toBe(JSON.stringify(mail));
  });

  it("reads a Request, whose init wins", async () => {
    const { fetch, gate } = open();
    await fetch(new Request(resend, post(JSON.stringify({ ...mail, to: "bob@acme.test" }))));
    expect(peopleOf(gate("resend"))).toEqual(["bob@acme.test"]);
    await fetch(new Request(resend, post("{}")), { body: JSON.stringify(mail) });
    expect(peopleOf(gate("resend"))).toEqual(["ann@acme.test"]);
  });

  it("covers, with the egress lock, every host that a codec knows", () => {
    for (const host of allCodecs.flatMap(({ hosts }) => hosts)) {
      const example = host.replace(/^\*\./, "x.y.").replaceAll("*", "eu-west-1");
      // One host serves other things too, and is known by the paths that mail.
      expect([host, isMailRequest(example, "/emails:send")]).toEqual([host, true]);
    }
  });
});

describe("what is refused", () => {
  it.each([
    ["a recipient off the list", resend, post(JSON.stringify(mail)), "NOT_ALLOWLISTED"],
    ["a broadcast", "https://api.resend.com/broadcasts/b/send", post("{}"), "AUDIENCE_UNDECLARED"],
    ["an unknown path", "https://api.resend.com/mails", post(JSON.stringify(mail)), "REQUEST_UNKNOWN"],
    ["a send with a query", `${resend}?to=evil@evil.test`, post(JSON.stringify(mail)), "REQUEST_UNKNOWN"],
    ["a body that is no JSON", resend, post("to=evil@evil.test"), "REQUEST_UNKNOWN"],
    [
      "a body in an encoding",
      resend,
      post(JSON.stringify(mail), { ...json, "content-encoding": "gzip" }),
      "REQUEST_UNKNOWN",
    ],
    [
      "Postmark mail in another case",
      "https://api.postmarkapp.com/email",
      post(JSON.stringify({ From: "a@sender.test", to: "evil@evil.test", Subject: "s" })),
      "NOT_ALLOWLISTED",
    ],
    [
      "SES without a destination, recipients in the raw message",
      "https://email.us-east-1.amazonaws.com/v2/email/outbound-emails",
      post(
        JSON.stringify({ Content: { Raw: { Data: Buffer.from("To: evil@evil.test\r\n\r\nx").toString("base64") } } }),
      ),
      "NOT_ALLOWLISTED",
    ],
  ])("%s", async (_name, url, init, code) => {
    const fetch = guardedFetch(testFuse(["ok@acme.test"]), { fetch: onLoopback });
    expect(await refusalOf(fetch(url, init))).toBe(code);
    expect(endpoint.arrived).toEqual([]);
  });

  it("a body beyond the limits, before it is all read", async () => {
    const fetch = guardedFetch(liveFuse({ limits: { bytes: 1_000 } }), { fetch: onLoopback });
    let pulled = 0;
    const endless = new ReadableStream({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(100));
      },
    });
    expect(await refusalOf(fetch(resend, { ...post(endless), duplex: "half" } as RequestInit))).toBe("COPY_TOO_LARGE");
    expect(pulled).toBeLessThan(50);
    expect(endpoint.arrived).toEqual([]);
  });

  it("everything towards providers once the fuse is closed", async () => {
    const fuse = liveFuse();
    const fetch = guardedFetch(fuse, { fetch: onLoopback });
    await fuse.close();
    expect(await refusalOf(fetch(resend, post(JSON.stringify(mail))))).toBe("UNATTACHED_SEND");
    expect((await fetch("https://api.example.test/")).status).toBe(200);
  });
});

describe("what leaves", () => {
  it("is the copy, of JSON with a doubled name the reading that was judged", async () => {
    const { fetch, gate } = open();
    await fetch(
      resend,
      post('{"from":"a@sender.test","to":"evil@evil.test","to":"ann@acme.test","subject":"s","text":"t"}'),
    );
    expect(peopleOf(gate("resend"))).toEqual(["ann@acme.test"]);
    expect(endpoint.arrived[0]!.body).not.toContain("evil");
  });

  it("is the caller's own bytes where they say the same: white space stays", async () => {
    const { fetch } = open();
    const pretty = JSON.stringify({ ...mail, text: 'blanks  "in" strings\n' }, null, 2);
    await fetch(resend, post(pretty));
    expect(endpoint.arrived[0]!.body).toBe(pretty);
  });

  it("is written anew where a form could be read in two ways", async () => {
    const { fetch, gate } = open();
    await fetch(
      "https://api.mailgun.net/v3/acme.test/messages",
      post("from=a%40sender.test&to=ann%40acme.test&subject=s&text=t;to=evil@evil.test", {
        "content-type": "application/x-www-form-urlencoded",
      }),
    );
    expect(peopleOf(gate("mailgun"))).toEqual(["ann@acme.test"]);
    expect(endpoint.arrived[0]!.body).toContain("text=t%3Bto%3Devil%40evil.test");
  });

  it("has its recipients in canonical form", async () => {
    const { fetch } = open();
    await fetch(resend, post(JSON.stringify({ ...mail, to: ["Ann <ann@ACME.test>"] })));
    expect(JSON.parse(endpoint.arrived[0]!.body).to).toEqual(["Ann <ann@acme.test>"]);
  });

  it("carries the reservation as idempotency key, and never in place of the caller's", async () => {
    const { fetch } = open();
    await fetch(resend, post(JSON.stringify(mail)));
    await fetch(resend, post(JSON.stringify(mail), { ...json, "Idempotency-Key": "mine" }));
    expect(endpoint.arrived.map(({ headers }) => headers["idempotency-key"])).toEqual(["reservation-1", "mine"]);
  });

  it("is never sent again to where an answer points", async () => {
    const { fetch, gate } = open();
    endpoint.answers.push({ status: 307, headers: { location: "/emails/batch" } });
    const response = await fetch(resend, post(JSON.stringify(mail)));
    expect(response.status).toBe(307);
    expect(endpoint.arrived).toHaveLength(1);
    expect(gate("resend").outcomes).toEqual([{ fate: "unknown", providerCode: "http_307" }]);
  });

  it("follows a read's redirect", async () => {
    const { fetch } = open();
    endpoint.answers.push({ status: 302, headers: { location: "/emails/2" } });
    expect((await fetch("https://api.resend.com/emails/1", { headers: json })).status).toBe(200);
    expect(endpoint.arrived.map(({ url }) => url)).toEqual(["/emails/1", "/emails/2"]);
  });

  it("ends with the caller's signal", async () => {
    const { fetch } = open();
    expect(await refusalOf(fetch(resend, { ...post(JSON.stringify(mail)), signal: AbortSignal.abort() }))).toMatch(
      /AbortError/,
    );
    expect(endpoint.arrived).toEqual([]);
  });
});

describe("answers", () => {
  it("are the provider's, to be read by the caller, and say what became of the mail", async () => {
    const { fetch, gate } = open();
    expect(await (await fetch(resend, post(JSON.stringify(mail)))).json()).toMatchObject({ id: "m-1" });
    endpoint.answers.push({ status: 422, body: { name: "validation_error" } });
    const refused = await fetch(resend, post(JSON.stringify(mail)));
    expect([refused.status, refused.ok]).toEqual([422, false]);
    endpoint.answers.push({ reset: true });
    await expect(fetch(resend, post(JSON.stringify(mail)))).rejects.toThrow(TypeError);
    expect(gate("resend").outcomes).toEqual([
      { fate: "accepted", messageId: "m-1" },
      { fate: "refused", providerCode: "validation_error" },
      { fate: "unknown" },
    ]);
  });

  it("tell a connection that never came about", async () => {
    const port = await closedPort();
    const gate = openGate();
    const fetch = guardedFetch(
      { attach: (client, adapter) => adapter.attach(client, gate) },
      { codecs: [postmarkCodec], fetch: (_input, init) => globalThis.fetch(`http://127.0.0.1:${port}/`, init) },
    );
    const body = JSON.stringify({ From: "a@sender.test", To: "ann@acme.test", Subject: "s", TextBody: "t" });
    await expect(fetch("https://api.postmarkapp.com/email", post(body))).rejects.toThrow(TypeError);
    expect(gate.outcomes).toEqual([{ fate: "failed" }]);
  });

  it("are marked where none was sent", async () => {
    const fuse = testFuse([], { environments: { staging: { mode: "test", onNotAllowed: "drop" } } });
    const response = await guardedFetch(fuse, { fetch: onLoopback })(resend, post(JSON.stringify(mail)));
    expect(response.headers.get("x-mailfuse-simulated")).toBe("true");
    expect(await response.json()).toEqual({ id: expect.any(String) });
    expect(endpoint.arrived).toEqual([]);
  });
});

it("redirects", async () => {
  const fuse = testFuse([], {
    environments: { staging: { mode: "test", onNotAllowed: { redirectTo: "inbox@acme.test" } } },
  });
  await guardedFetch(fuse, { fetch: onLoopback })(resend, post(JSON.stringify({ ...mail, bcc: "bob@acme.test" })));
  const sent = JSON.parse(endpoint.arrived[0]!.body);
  expect(sent).toMatchObject({ to: ["inbox@acme.test"], subject: "[staging] Hello" });
  expect(sent.bcc).toBeUndefined();
});

it("delivers a spooled request later, to the host it was meant for", async () => {
  const first = open();
  await first.fetch(
    "https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails",
    post(
      JSON.stringify({
        FromEmailAddress: "a@sender.test",
        Destination: { ToAddresses: ["ann@acme.test"] },
        Content: { Simple: { Subject: { Data: "s" }, Body: { Text: { Data: "t" } } } },
      }),
    ),
  );
  const spooled = first.gate("ses").last().spool();
  expect(Buffer.from(spooled).toString().startsWith("https://email.eu-west-1.amazonaws.com\n")).toBe(true);
  const later = open();
  asked.length = 0;
  await later.gate("ses").pass(later.lanes.get("ses")!.revive(spooled) as never);
  expect(asked.map(({ url }) => url)).toEqual(["https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails"]);
  expect(plain(endpoint.arrived[1]!)).toEqual(plain(endpoint.arrived[0]!));
  expect(() => later.lanes.get("ses")!.revive(Buffer.from("x"))).toThrow(/PLAN_TAMPERED/);
  expect(() => decodeWire(Buffer.from("x"))).toThrow(/PLAN_TAMPERED/);
});

it("lets what a plan takes reads and listed writes pass", async () => {
  const fetch = guardedFetch(testFuse([]), { fetch: onLoopback });
  onTestFinished(() => void endpoint.arrived.splice(0));
  expect((await fetch("https://api.resend.com/domains?limit=1", { headers: json })).status).toBe(200);
  expect(
    (await fetch("https://api.resend.com/suppressions", post(JSON.stringify({ email: "ann@acme.test" })))).status,
  ).toBe(200);
  expect(endpoint.arrived.map(({ method, url, body }) => `${method} ${url} ${body}`)).toEqual([
    "GET /domains?limit=1 ",
    'POST /suppressions {"email":"ann@acme.test"}',
  ]);
});
